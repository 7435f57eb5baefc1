"""What was understood, as people say it: "no Horror", "directed by Ridley Scott", "1990 to 1999", 年份1990到1999."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from agent.schema import Filter, Intent
from agent.understanding.intent import describe, describe_filters
from agent.understanding.parts import Part, parts, without
from agent.understanding.texts import conditions_in_chinese
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year, role_of
from ui.words import ENGLISH, Words

CONDITIONS = "conditions"  # the key of all conditions at once
_LEADS = {
    "year": "",
    "kind": "",
    "directed": "directed by ",
    "written": "written by ",
    "stars": "with ",
    "place": "from ",
    "language": "in ",
    "by": "by ",
}


def told(intent: Intent, catalogue: Catalogue, words: Words = ENGLISH) -> tuple[Part, ...]:
    """The parts of an intent, with the words for each as a person would say it."""
    return tuple(replace(part, text=_said(part, intent, catalogue, words)) for part in parts(intent, catalogue))


def conditions(filters: Sequence[Filter], words: Words) -> list[str]:
    """Each condition in plain words."""
    return conditions_in_chinese(filters) if words.language == "zh" else describe_filters(filters)


def corrected(intent: Intent, key: str, catalogue: Catalogue, words: Words = ENGLISH) -> Intent:
    """The intent without the part of this key, or without `CONDITIONS`, its text said anew.

    Raises:
        InputError: the intent has no such part.
    """
    left = replace(intent, filters=()) if key == CONDITIONS else without(intent, key)
    return replace(left, text=_described(left, catalogue, words))


def _described(intent: Intent, catalogue: Catalogue, words: Words) -> str:
    """The intent as a text: the language of what is answered goes by it."""
    if words.language == "en":
        return describe(intent, catalogue)
    return "；".join(part.text for part in told(intent, catalogue, words)) or words("understood.nothing")


def _said(part: Part, intent: Intent, catalogue: Catalogue, words: Words) -> str:
    kind, _, name = part.key.partition(":")
    if kind == "filter":
        return _plain(part, intent) if words.language == "en" else "；".join(conditions(_group(intent, name), words))
    if kind in ("wish", "avoid"):
        return words(f"understood.{kind}", word=name)
    if kind == "dislike" and name in intent.declined:
        return words("understood.declined", title=catalogue.get(name).title)
    if kind in ("like", "dislike"):
        return words(f"understood.{kind}", title=catalogue.get(name).title)
    if kind == "n":
        return words("understood.count", n=intent.n)
    if kind == "habit":
        return words(f"understood.{'less' if intent.habit < Intent().habit else 'more'}_habit")
    return words(f"understood.{kind}")


def _group(intent: Intent, name: str) -> tuple[Filter, ...]:
    """The one condition, or the two bounds, that a part of this name stands for."""
    found = (pair for size in (1, 2) for pair in permutations(intent.filters, size))
    return next((pair for pair in found if " & ".join(map(str, pair)) == name), ())


def _plain(part: Part, intent: Intent) -> str:
    """A condition in English, without what goes without saying."""
    _, _, name = part.key.partition(":")
    attribute = next((f.attribute for f in intent.filters if name.startswith(str(f))), "")
    role = "year" if is_year(attribute) else role_of(attribute)
    if role not in _LEADS:
        return part.text
    is_refused = part.text.startswith("not ")
    value = part.text.removeprefix("not ").removeprefix(f"{attribute} ")
    return ("no " if role == "kind" and is_refused else "not " if is_refused else "") + _LEADS[role] + value
