"""What was understood, as people say it: "no Horror", "directed by Ridley Scott", "1990 to 1999"."""

from __future__ import annotations

from dataclasses import replace

from agent.schema import Intent
from agent.understanding.intent import describe
from agent.understanding.parts import Part, parts, without
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year, role_of

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


def told(intent: Intent, catalogue: Catalogue) -> tuple[Part, ...]:
    """The parts of an intent, with the words for each as a person would say it."""
    return tuple(replace(part, text=_plain(part, intent)) for part in parts(intent, catalogue))


def corrected(intent: Intent, key: str, catalogue: Catalogue) -> Intent:
    """The intent without the part of this key, or without `CONDITIONS`, its text said anew.

    Raises:
        InputError: the intent has no such part.
    """
    left = replace(intent, filters=()) if key == CONDITIONS else without(intent, key)
    return replace(left, text=describe(left, catalogue))


def _plain(part: Part, intent: Intent) -> str:
    kind, _, name = part.key.partition(":")
    if kind in ("wish", "avoid"):
        return f"“{name}”" if kind == "wish" else f"not “{name}”"
    attribute = next((f.attribute for f in intent.filters if kind == "filter" and name.startswith(str(f))), "")
    role = "year" if is_year(attribute) else role_of(attribute)
    if role not in _LEADS:
        return part.text
    is_refused = part.text.startswith("not ")
    value = part.text.removeprefix("not ").removeprefix(f"{attribute} ")
    return ("no " if role == "kind" and is_refused else "not " if is_refused else "") + _LEADS[role] + value
