"""A reaction within a conversation: what was said of its item gives way to it, and comes back when it is undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.schema import Event, Feedback, Intent

_Key = tuple[str, Event, str | None]
_OPPOSED = {-1: ("likes",), 1: ("dislikes", "declined")}  # by feeling, the fields of an intent that say the opposite


@dataclass(frozen=True, slots=True)
class Reaction:
    """Feedback as it is kept, the fields of the intent that it took the item out of, and the feedback it replaced."""

    given: Feedback
    taken: tuple[str, ...] = ()
    replaced: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A reaction as it is kept with its conversation, `replaced` only where it has no words.

    Words stand with the person's feedback alone: those that are deleted or corrected there leave no copy.
    """

    item_id: str
    event: Event
    turn_id: str | None
    taken: tuple[str, ...] = ()
    replaced: Feedback | None = None


def same(given: Feedback, feedback: Iterable[Feedback]) -> Feedback | None:
    """The feedback of this person on the same item, event and turn, which the new one replaces."""
    return {_key(one): one for one in feedback}.get(_key(given))


def reacted(given: Feedback, replaced: Feedback | None, feeling: int, intent: Intent) -> tuple[Reaction, Intent]:
    """The reaction, and the intent without what was said before to the contrary; see `agent.feedback.feeling`."""
    taken = tuple(name for name in _OPPOSED.get(feeling, ()) if given.item_id in getattr(intent, name))
    left: dict[str, Any] = {name: tuple(i for i in getattr(intent, name) if i != given.item_id) for name in taken}
    return Reaction(given, taken, replaced), replace(intent, **left)


def noted(reactions: Sequence[Reaction], new: Reaction) -> list[Reaction]:
    """The reactions, oldest first, with a new one; the latest sent once more is one."""
    last = reactions[-1] if reactions else None
    if last is None or new.replaced != last.given or new.given != replace(last.given, timestamp=new.given.timestamp):
        return [*reactions, new]
    taken = tuple(dict.fromkeys((*last.taken, *new.taken)))
    return [*reactions[:-1], Reaction(new.given, taken, last.replaced)]


def undone(reaction: Reaction, intent: Intent) -> Intent:
    """The intent with what the reaction took out of it, unless the item was named anew since."""
    item_id = reaction.given.item_id
    if item_id in (*intent.likes, *intent.dislikes):
        return intent
    back: dict[str, Any] = {name: (*getattr(intent, name), item_id) for name in reaction.taken}
    return replace(intent, **back)


def marks_of(reactions: Iterable[Reaction]) -> tuple[Mark, ...]:
    """Reactions as they are kept with their conversation."""
    return tuple(
        Mark(*_key(r.given), r.taken, None if r.replaced and r.replaced.words else r.replaced) for r in reactions
    )


def reactions_of(marks: Sequence[Mark], feedback: Iterable[Feedback]) -> list[Reaction]:
    """The reactions again, those that are still there of the person's feedback, or were replaced by one that is."""
    said: dict[_Key, Feedback | None] = {_key(one): one for one in feedback}
    found = []
    for mark in reversed(marks):
        key = mark.item_id, mark.event, mark.turn_id
        given = said.get(key)
        if given is not None:
            found.append(Reaction(given, mark.taken, mark.replaced))
            said[key] = mark.replaced
    return found[::-1]


def _key(given: Feedback) -> _Key:
    return given.item_id, given.event, given.turn_id
