"""Film cards: directors, leads, countries, themes and a few words of our own on films of MovieLens-100K.

The data set has only titles, years and genres. `film_cards.jsonl` beside this file says more of its best-known films;
who wrote it, and that it may contain errors, stands in docs/film-cards.md. A card belongs to the film of its title.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from agent.schema import AttributeType, AttributeValue, Item

TYPES: Mapping[str, AttributeType] = {"directors": "list", "cast": "list", "countries": "list"}


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a film. `about` is one or two sentences; what is not certain is left empty."""

    title: str
    about: str
    themes: tuple[str, ...]
    director: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    country: tuple[str, ...] = ()


@cache
def cards() -> Mapping[str, Card]:
    """All cards by title, as `agent.workspace.movielens` spells it: "Alien (1979)"."""
    lines = files("agent.workspace").joinpath("film_cards.jsonl").read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines)
    return {row["title"]: _card(row) for row in rows}


def _card(row: Mapping[str, Any]) -> Card:
    lists = {name: tuple(row.get(name, ())) for name in ("themes", "director", "cast", "country")}
    return Card(row["title"], row["about"], **lists)


def with_cards(items: Iterable[Item]) -> list[Item]:
    """The same items, told more of where there is a card.

    Themes go into the text and not among the attributes: "something tense" is a wish, which no tag should decide.
    """
    return [_told(item, card) if (card := cards().get(item.title)) else item for item in items]


def _told(item: Item, card: Card) -> Item:
    known = {"directors": card.director, "cast": card.cast, "countries": card.country}
    attributes: dict[str, AttributeValue] = {**item.attributes, **{k: v for k, v in known.items() if v}}
    text = f"{card.about} Themes: {', '.join(card.themes)}. {item.text}"
    return replace(item, text=text, attributes=attributes)
