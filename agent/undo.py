"""A reaction within a conversation: what was said of its item gives way to it, and comes back when it is undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from agent.schema import Event, Feedback, Intent

_OPPOSED = {-1: ("likes",), 1: ("dislikes", "declined")}  # by feeling, the fields of an intent that say the opposite


@dataclass(frozen=True, slots=True)
class Reaction:
    """Feedback as it is kept, and the fields of the intent that it took the item out of."""

    given: Feedback
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A reaction as it is kept with its conversation: what was said stands with the feedback of the person alone."""

    item_id: str
    event: Event
    turn_id: str | None
    taken: tuple[str, ...] = ()


def reacted(given: Feedback, feeling: int, intent: Intent) -> tuple[Reaction, Intent]:
    """The reaction, and the intent without what was said before to the contrary; see `agent.feedback.feeling`."""
    taken = tuple(name for name in _OPPOSED.get(feeling, ()) if given.item_id in getattr(intent, name))
    left: dict[str, Any] = {name: tuple(i for i in getattr(intent, name) if i != given.item_id) for name in taken}
    return Reaction(given, taken), replace(intent, **left)


def undone(reaction: Reaction, intent: Intent) -> Intent:
    """The intent with what the reaction took out of it, unless the item was named anew since."""
    item_id = reaction.given.item_id
    if item_id in (*intent.likes, *intent.dislikes):
        return intent
    back: dict[str, Any] = {name: (*getattr(intent, name), item_id) for name in reaction.taken}
    return replace(intent, **back)


def marks_of(reactions: Iterable[Reaction]) -> tuple[Mark, ...]:
    """Reactions as they are kept with their conversation."""
    return tuple(Mark(r.given.item_id, r.given.event, r.given.turn_id, r.taken) for r in reactions)


def reactions_of(marks: Iterable[Mark], feedback: Iterable[Feedback]) -> list[Reaction]:
    """The reactions again, those that are still there of the person's feedback."""
    said = {(one.item_id, one.event, one.turn_id): one for one in feedback}
    found = ((mark, said.get((mark.item_id, mark.event, mark.turn_id))) for mark in marks)
    return [Reaction(given, mark.taken) for mark, given in found if given is not None]
