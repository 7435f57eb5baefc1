"""What a language model is told so that it can fill in what a message changes: the inputs of the prompt `intent`.

The examples are made of the catalogue's own attributes, values and titles, so that they never name what is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.schema import Intent
from agent.understanding.dialogue import State
from agent.understanding.intent import describe
from agent.understanding.slots import attributes, listed_values, numbers_of
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year, role_of

SHOWN = 10  # places of the last list
_SAMPLED = 4  # values told of an attribute that has many


def brief(catalogue: Catalogue) -> dict[str, Any]:
    """What is the same for every message to a catalogue: `attributes` (name, values) and `examples`."""
    return {
        "attributes": [{"name": name, "values": _told(name, catalogue)} for name in attributes(catalogue)],
        "examples": list(_examples(catalogue)),
    }


def situation(text: str, state: State, catalogue: Catalogue) -> dict[str, Any]:
    """What differs: `message`, `so_far` in plain words and `shown`, the list that was shown last."""
    last = state.lists[-1][:SHOWN] if state.lists else ()
    return {
        "message": text,
        "so_far": _so_far(state.intent, catalogue),
        "shown": [_shown(item_id, catalogue) for item_id in last if item_id in catalogue.position],
    }


def _so_far(intent: Intent, catalogue: Catalogue) -> str:
    told = describe(intent, catalogue)
    return f"{told}; {intent.n} items" if told and intent.n else told or "nothing"


def _shown(item_id: str, catalogue: Catalogue) -> dict[str, str]:
    item = catalogue.get(item_id)
    numbers = [(n, v) for n in attributes(catalogue) if isinstance(v := item.attributes.get(n), int | float)]
    return {"title": item.title, "numbers": ", ".join(f"{n} {v:g}" for n, v in numbers) or "no numbers"}


def _told(attribute: str, catalogue: Catalogue) -> str:
    if attribute not in catalogue.vocabulary:
        known = numbers_of(attribute, catalogue)
        return f"a number, {min(known):g} to {max(known):g}" if known else "a number"
    few = listed_values(attribute, catalogue)
    return ", ".join(few) if few else f"{', '.join(_commonest(attribute, catalogue))} and others"


def _commonest(attribute: str, catalogue: Catalogue, n: int = _SAMPLED) -> list[str]:
    values = catalogue.vocabulary[attribute].values()
    return sorted(values, key=lambda v: (-catalogue.frequency(attribute, v), v))[:n]


def _examples(catalogue: Catalogue) -> Iterator[dict[str, str]]:
    names = attributes(catalogue)
    titles = [item.title for item in catalogue.items[:2]]
    kind = next((n for n in sorted(names, key=lambda n: role_of(n) != "kind") if _has_kinds(n, catalogue)), None)
    if kind is not None:
        one, two, three, *_ = listed_values(kind, catalogue)
        yield _example(
            "nothing",
            f"something slow: {one.lower()}, and no {two.lower()}",
            {"all_of": {kind: [one]}, "none_of": {kind: [two]}, "wishes": "slow"},
        )
        yield _example(
            f"{kind} {one}", f"or {three.lower()}, nothing sad", {"one_of": {kind: [one, three]}, "avoids": "sad"}
        )
    many = next((n for n in names if n in catalogue.vocabulary and not listed_values(n, catalogue)), None)
    if many is not None:
        value = _commonest(many, catalogue, 1)[0]
        yield _example("nothing", f"three of those by {value}", {"all_of": {many: [value]}, "count": 3})
    year = next((n for n in names if is_year(n)), None)
    if year is not None:
        window = {"at_least": {year: 1990}, "at_most": {year: 1999}}
        yield _example("wishes: dark", "make it the 90s", window)
        yield _example(f"{year} 1990 to 1999", f"forget the {year}", {"forget": [year]})
    other = next((n for n in names if n not in catalogue.vocabulary and n != year), None)
    if other is not None and (known := sorted(numbers_of(other, catalogue))):
        middle = known[len(known) // 2]
        yield _example("nothing", f"{other} under {middle:g}", {"below": {other: middle}})
    if (namesake := _namesake(catalogue)) is not None:
        yield _example("nothing", f"something with {namesake}", {"unclear": namesake})
    for title in titles[:1]:
        yield _example("nothing", f"like {title}", {"like": [title]})
    yield _example("nothing", "more like the second, not like the first", {"like": ["#2"], "unlike": ["#1"]})
    yield _example("wishes: dark", "thanks, surprise me", {"surprise": "yes"})


def _namesake(catalogue: Catalogue) -> str | None:
    """A surname that several people have, the first in the alphabet, as they write it."""
    shared = (s for s, people in sorted(catalogue.surnames.items()) if len({v for _, v in people}) > 1 and " " not in s)
    surname = next(shared, None)
    return None if surname is None else catalogue.surnames[surname][0][1].split()[-1]


def _has_kinds(attribute: str, catalogue: Catalogue) -> bool:
    return attribute in catalogue.vocabulary and len(listed_values(attribute, catalogue)) >= 3


def _example(so_far: str, message: str, changes: Mapping[str, Any]) -> dict[str, str]:
    return {"so_far": so_far, "message": message, "changes": json.dumps(changes, ensure_ascii=False)}
