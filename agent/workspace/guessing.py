"""What the columns of a file probably mean, when no mapping says so. A guess is reported, never hidden."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count

from agent.errors import ImportDataError
from agent.progress import Progress, silent
from agent.schema import AttributeType
from agent.workspace.cells import RowError, as_array, as_number, as_text
from agent.workspace.mapping import AttributeMapping, InteractionMapping, ItemMapping, attribute_name
from agent.workspace.rows import Table

_KINDS = (
    "movie_id film_id show_id anime_id book_id article_id news_id product_id parent_asin asin isbn sku track_id "
    "song_id album_id artist_id game_id app_id recipe_id restaurant_id business_id"
)
ITEM_IDS = f"item_id item id {_KINDS}"
DONE_WITH = f"item_id {_KINDS} item id"  # beside any of these, the "id" of an interaction is the row's own
TITLES = "title name item_title item_name movie_title book_title product_name product_title track_name"
TEXTS = "description overview plot text summary synopsis abstract blurb"
USER_IDS = "user_id user reviewer_id person_id customer_id member_id uid"
VALUES = "rating value score stars overall count plays play_count"
MOMENTS = "timestamp time date datetime created_at rated_at unix_review_time"
EVENTS = "event event_type action interaction"

NAME = "name"  # of a genre, a person, a country, where a list holds objects
LONG = 80  # characters on average: what is longer is text
YEAR_IN_TITLE = re.compile(r"\s\(((?:18|19|20)\d\d)\)$")
_SEPARATORS = ("|", ";", ",")
_ENOUGH = 20_000  # distinct pieces that are counted at most, to bound memory


@dataclass(slots=True)
class ColumnFacts:
    """What was seen in one column: how many values are there, and how many look like this or that.

    `nested` counts objects and lists inside a value, `named` those that are objects with a text under NAME.
    """

    filled: int = 0
    numbers: int = 0
    lists: int = 0
    nested: int = 0
    named: int = 0
    characters: int = 0
    split: Counter[str] = field(default_factory=Counter)
    pieces: Counter[str] = field(default_factory=Counter)
    distinct: dict[str, set[str]] = field(default_factory=lambda: {s: set() for s in _SEPARATORS})

    def see(self, column: str, value: object) -> None:
        """Count one value."""
        if isinstance(value, list | tuple):
            self.filled += bool(value)
            self.lists += bool(value)
            self._look_inside(value)
            return
        if isinstance(value, dict):
            self.filled += 1
            self.nested += 1
            return
        try:
            text = as_text(value, column)
        except RowError:
            return  # the row will be rejected for it
        if not text:
            return
        self.filled += 1
        self.characters += len(text)
        self.numbers += _is_number(text)
        self.lists += text.startswith("[") and text.endswith("]")
        with suppress(RowError):  # of a list the row will be rejected for it, and of a text it is only a text
            self._look_inside(as_array(text, column) or ())
        for separator in _SEPARATORS:
            parts = text.split(separator)
            self.split[separator] += len(parts) > 1
            self.pieces[separator] += len(parts)
            if len(self.distinct[separator]) < _ENOUGH:
                self.distinct[separator].update(part.strip() for part in parts)

    def _look_inside(self, elements: Iterable[object]) -> None:
        for element in elements:
            self.nested += isinstance(element, dict | list | tuple)
            self.named += isinstance(element, dict) and isinstance(element.get(NAME), str)

    @property
    def is_nested(self) -> bool:
        """Whether there are objects that are no words, not even by their names."""
        return self.nested > self.named or self.nested > 0 and self.kind() != "list"

    def kind(self) -> AttributeType | tuple[str] | None:
        """The attribute type; None for long text; for a separated list the separator in a tuple of one."""
        if self.lists >= 0.9 * self.filled:
            return "list"
        if self.numbers >= 0.95 * self.filled:
            return "number"
        average = self.characters / self.filled
        for separator in ("|", ";"):
            share = self.split[separator] / self.filled
            if self.characters / self.pieces[separator] <= 40 and share >= (0.1 if average <= LONG else 0.5):
                return (separator,)
        if average > LONG:
            return None
        # Commas stand in names and sentences too: only words that come again and again make a list of them.
        if self.split[","] >= 0.3 * self.filled and 2 * len(self.distinct[","]) <= self.pieces[","]:
            return (",",)
        return "word"


def guess_items(
    table: Table, progress: Progress = silent, held: Mapping[str, AttributeType] | None = None
) -> tuple[ItemMapping, list[str]]:
    """The meaning of the columns of an items file, and remarks on what was left out. Reads the file once.

    Attributes that are `held` already keep their types, whatever their values in this file look like.
    """
    held = held or {}
    item_id = _pick(table, ITEM_IDS, "item ids", "items.item_id")
    title = _pick(table, TITLES, "titles", "items.title")
    facts = {column: ColumnFacts() for column in table.columns if column not in (item_id, title)}
    years_in_titles = 0
    for number, row in enumerate(table.rows(), start=1):
        for column, value in (row.values or {}).items():
            if column in facts:
                facts[column].see(column, value)
            elif column == title:
                years_in_titles += isinstance(value, str) and YEAR_IN_TITLE.search(value.strip()) is not None
        if number % 10_000 == 0:
            progress("look at columns", number, None)
    text: list[str] = []
    attributes: dict[str, AttributeMapping] = {}
    remarks: list[str] = []
    for column, seen in facts.items():
        if not seen.filled or seen.is_nested:
            what = "holds objects inside objects" if seen.nested else "is empty"
            remarks.append(f"the column {column!r} {what} and is left out")
            continue
        name = _free_name(column, attributes)
        if name not in held and (attribute_name(column) in TEXTS.split() or seen.kind() is None):
            text.append(column)
        else:
            attributes[name] = _attribute(column, seen, held.get(name))
    from_title = years_in_titles > 0 and "year" not in attributes and held.get("year", "number") == "number"
    columns = ItemMapping(
        item_id=item_id, title=title, text=tuple(text), attributes=attributes, year_from_title=from_title
    )
    return columns, remarks


def guess_interactions(table: Table) -> InteractionMapping:
    """The meaning of the columns of an interactions file, by their names alone."""
    return InteractionMapping(
        user_id=_pick(table, USER_IDS, "user ids", "interactions.user_id"),
        item_id=_pick(table, DONE_WITH, "item ids", "interactions.item_id"),
        value=_find(table, VALUES),
        timestamp=_find(table, MOMENTS),
        event=_find(table, EVENTS),
    )


def _attribute(column: str, seen: ColumnFacts, held: AttributeType | None) -> AttributeMapping:
    kind = seen.kind()
    guessed: AttributeType = "list" if isinstance(kind, tuple) else kind or "word"
    separator = kind[0] if isinstance(kind, tuple) else "|"
    key = NAME if seen.named else None
    return AttributeMapping(column=column, type=held or guessed, separator=separator, key=key)


def _find(table: Table, synonyms: str) -> str | None:
    """The column whose name is the earliest of these synonyms; "movieId", "MovieID" and "movie_id" are the same."""
    plain = {column.casefold().replace("_", "").replace(" ", ""): column for column in reversed(table.columns)}
    return next((plain[s.replace("_", "")] for s in synonyms.split() if s.replace("_", "") in plain), None)


def _pick(table: Table, synonyms: str, what: str, entry: str) -> str:
    found = _find(table, synonyms)
    if found is None:
        raise ImportDataError(
            f"No column of {table.path.name} is known to hold {what}. Its columns are: {', '.join(table.columns)}. "
            f"Name the column as {entry} in a mapping file, or call it {synonyms.split()[0]!r}."
        )
    return found


def _free_name(column: str, taken: Iterable[str]) -> str:
    name = attribute_name(column)
    numbered = (f"{name}_{number}" for number in count(2))
    return next(free for free in chain([name], numbered) if free not in taken)


def _is_number(text: str) -> bool:
    try:
        return as_number(text, "") is not None
    except RowError:
        return False
