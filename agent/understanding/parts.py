"""An intent as parts that a person can see and take away one by one; each has a key that lasts as long as the part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent.errors import InputError
from agent.schema import Filter, Intent
from agent.understanding.intent import describe_filters, leanings_told, title_told
from agent.workspace.catalogue import Catalogue

_START = Intent()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an intent: "filter:genres == Comedy" and "genres Comedy"."""

    key: str
    text: str


def parts(intent: Intent, catalogue: Catalogue) -> tuple[Part, ...]:
    """All parts of an intent in plain words: conditions, titles, each word wished for or against, count and leanings.

    A lower and an upper bound on one number are one part.
    """
    return tuple(_parts(intent, catalogue))


def without(intent: Intent, key: str) -> Intent:  # noqa: C901 - one kind of part a branch
    """The intent without the part of this key.

    Raises:
        InputError: the intent has no such part.
    """
    kind, _, name = key.partition(":")
    after = intent
    if kind == "filter":
        gone = next((group for group in _groups(intent.filters) if _key(group) == name), ())
        after = replace(intent, filters=tuple(f for f in intent.filters if f not in gone))
    elif kind == "like":
        likes, examples, met = (
            tuple(i for i in ids if i != name) for ids in (intent.likes, intent.examples, intent.met)
        )
        after = replace(intent, likes=likes, examples=examples, met=met)
    elif kind == "dislike":
        dislikes, declined = (tuple(i for i in ids if i != name) for ids in (intent.dislikes, intent.declined))
        after = replace(intent, dislikes=dislikes, declined=declined)
    elif kind == "wish":
        after = replace(intent, wishes=" ".join(w for w in intent.wishes.split() if w != name))
    elif kind == "avoid":
        after = replace(intent, avoids=" ".join(w for w in intent.avoids.split() if w != name))
    elif key == "n":
        after = replace(intent, n=None)
    elif key == "habit":
        after = replace(intent, habit=_START.habit)
    elif key == "exploration":
        after = replace(intent, exploration=_START.exploration)
    if after == intent:
        raise InputError(f"The intent has no part {key[:80]!r}. `parts` lists the keys of those that it has.")
    return after


def _parts(intent: Intent, catalogue: Catalogue) -> Iterator[Part]:
    for group in _groups(intent.filters):
        yield Part(f"filter:{_key(group)}", describe_filters(group)[0])
    for kind, ids in (("like", intent.likes), ("dislike", intent.dislikes)):
        yield from (Part(f"{kind}:{i}", title_told(i, intent, catalogue)) for i in ids if i in catalogue.position)
    yield from (Part(f"wish:{w}", w) for w in dict.fromkeys(intent.wishes.split()))
    yield from (Part(f"avoid:{w}", f"not {w}") for w in dict.fromkeys(intent.avoids.split()))
    if intent.n is not None:
        yield Part("n", f"{intent.n} in the list")
    yield from (Part(name, text) for name, text in leanings_told(intent))


def _groups(filters: Sequence[Filter]) -> list[tuple[Filter, ...]]:
    """Conditions one by one, but both bounds on a number together, as `describe_filters` tells them."""
    groups: list[tuple[Filter, ...]] = []
    taken: set[Filter] = set()
    for f in filters:
        other = next((g for g in filters if f.op == ">=" and g.op == "<=" and g.attribute == f.attribute), None)
        if other is not None:
            taken.add(other)
        groups.append((f,) if other is None else (f, other))
    return [g for g in groups if len(g) > 1 or g[0] not in taken]


def _key(group: Sequence[Filter]) -> str:
    return " & ".join(str(f) for f in group)
