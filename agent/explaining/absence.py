"""What keeps an item out of a list, whatever its score: it is known, was named, was shown, or breaks a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.explaining.asked import Asked
from agent.explaining.factors import grouped
from agent.schema import Filter, Intent, Item, matches
from agent.understanding.intent import describe_filters
from agent.workspace.catalogue import Catalogue

ObstacleKind = Literal["named", "seen", "shown", "condition", "edition"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why an item could not come; `text` is a sentence to the person."""

    kind: ObstacleKind
    text: str


def obstacles(item: Item, asked: Asked, catalogue: Catalogue) -> Iterator[Obstacle]:
    """All that keeps an item out of the list of a turn; nothing where only its score does."""
    works = {item.item_id, *catalogue.same_work(item.item_id)}
    profile, intent = asked.profile, asked.intent
    if named := works & {*intent.likes}:
        yield Obstacle("named", f"You named it as {_named_as(named, intent)}, so it does not come itself.")
    elif works & {*intent.dislikes}:
        yield Obstacle("named", "You named it as something to stay away from.")
    elif works & {*profile.dislikes}:
        yield Obstacle("seen", "You turned it down, or rated it low.")
    elif works & {*profile.history}:
        yield Obstacle("seen", "It is in your history, and a list holds nothing that you know.")
    elif works & profile.seen:
        yield Obstacle("seen", "You put it aside: as known, or for now.")
    if works & asked.excluded:
        yield Obstacle("shown", "It was shown before in this conversation.")
    for conditions in grouped(intent.filters):
        if not matches(item, [*map(catalogue.in_every_case, conditions)]):
            yield Obstacle("condition", _broken(item, conditions))
    other = next((one.item_id for one in asked.listed if one.item_id in works - {item.item_id}), None)
    if other is not None:
        yield Obstacle("edition", "The list holds it already, under another number.")


def _named_as(named: set[str], intent: Intent) -> str:
    """What an item was named as, under any of its numbers: only words of liking make it liked."""
    if named & {*intent.liked}:
        return "something you like"
    return "an example" if named & {*intent.examples} else "something you know"


def _broken(item: Item, conditions: tuple[Filter, ...]) -> str:
    attribute = conditions[0].attribute
    known = ", ".join(item.words(attribute))
    told = f"its {attribute}: {known}" if known else f"its {attribute} is not known"
    return f"It does not meet {describe_filters(conditions)[0]!r} ({told})."
