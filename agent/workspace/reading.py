"""Any catalogue from CSV, JSONL or Parquet: rows in, items and interactions out, every rejected row with its line.

A broken row never stops an import; a file without one usable row does.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import ImportDataError
from agent.progress import Progress, silent
from agent.schema import AttributeType, AttributeValue, Interaction, Item
from agent.workspace.cells import (
    MAX_ID,
    MAX_TEXT,
    MAX_TITLE,
    MAX_WORD,
    RowError,
    as_line,
    as_moment,
    as_number,
    as_text,
    as_words,
)
from agent.workspace.guessing import YEAR_IN_TITLE, guess_interactions, guess_items
from agent.workspace.mapping import (
    AttributeMapping,
    InteractionMapping,
    ItemMapping,
    Mapping,
    load_mapping,
    require_columns,
)
from agent.workspace.rows import Row, Table, Values, open_table

__all__ = ["InteractionsRead", "ItemsRead", "Mapping", "Rejected", "load_mapping", "read_interactions", "read_items"]

MAX_REJECTED = 1000  # rows that are kept with their reason; more are only counted
_STEP = 10_000  # rows between two reports of progress


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: the physical line on which it starts (Parquet: the row number), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ItemsRead:
    """What an items file gave, in its order. `rejected` holds the first MAX_REJECTED rows, `rejected_count` all.

    `mapping` is what was read by; `guessed` tells whether no one wrote it, and `mapping.as_yaml()` makes a file of it.
    """

    items: tuple[Item, ...]
    attribute_types: dict[str, AttributeType]
    rejected: tuple[Rejected, ...]
    rejected_count: int
    mapping: Mapping
    guessed: bool
    warnings: tuple[str, ...]

    @property
    def accepted(self) -> int:
        """How many rows became items."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class InteractionsRead:
    """What an interactions file gave, in its order; the fields mean what they mean in `ItemsRead`."""

    interactions: tuple[Interaction, ...]
    rejected: tuple[Rejected, ...]
    rejected_count: int
    mapping: Mapping
    guessed: bool
    warnings: tuple[str, ...]

    @property
    def accepted(self) -> int:
        """How many rows became interactions."""
        return len(self.interactions)


@dataclass(slots=True)
class _Rejections:
    kept: list[Rejected] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.kept) < MAX_REJECTED:
            self.kept.append(Rejected(line, reason))

    def require_some(self, accepted: int, table: Table, what: str) -> None:
        """ImportDataError when nothing was accepted, naming the first reasons."""
        if accepted:
            return
        first = "; ".join(f"line {r.line}: {r.reason}" for r in self.kept[:3]) or "it has no rows below its names"
        raise ImportDataError(
            f"{table.path.name} has no usable {what} ({first}). Correct the file, or say in a mapping file which "
            f"column means what. Its columns are: {', '.join(table.columns)}."
        )


def read_items(
    path: Path | str,
    mapping: Mapping | None = None,
    progress: Progress = silent,
    held: dict[str, AttributeType] | None = None,
) -> ItemsRead:
    """Read a catalogue. Without `mapping.items` the columns are guessed, which reads the file twice.

    `held` are the attributes of what the items are added to: a guess keeps to their types.

    Raises ImportDataError for a file that cannot be read, a column that is missing, or not one usable row.
    """
    table = open_table(path, progress)
    columns = mapping.items if mapping else None
    warnings: list[str] = []
    guessed = columns is None
    if columns is None:
        columns, warnings = guess_items(table, progress, held)
    require_columns(table, columns.columns())
    items: dict[str, Item] = {}
    lines: dict[str, int] = {}
    rejections, trimmed = _Rejections(), 0
    for row in _reported(table, "read items", progress):
        try:
            item, was_trimmed = _item(_values(row), columns)
            if item.item_id in lines:
                raise RowError(f"the item id {item.item_id!r} was given before, on line {lines[item.item_id]}")
        except RowError as error:
            rejections.add(row.line, str(error))
            continue
        items[item.item_id], lines[item.item_id] = item, row.line
        trimmed += was_trimmed
    rejections.require_some(len(items), table, "item")
    if trimmed:
        warnings.append(f"{trimmed} texts were longer than {MAX_TEXT} characters and were cut there")
    return ItemsRead(
        items=tuple(items.values()),
        attribute_types=_attribute_types(columns),
        rejected=tuple(rejections.kept),
        rejected_count=rejections.count,
        mapping=Mapping(items=columns),
        guessed=guessed,
        warnings=tuple(warnings),
    )


def read_interactions(
    path: Path | str, mapping: Mapping | None, known_item_ids: Set[str], progress: Progress = silent
) -> InteractionsRead:
    """Read what people did. Rows on items that are not in `known_item_ids` are rejected.

    Raises ImportDataError as `read_items` does. A million rows take about 200 MB.
    """
    table = open_table(path, progress)
    columns = mapping.interactions if mapping else None
    guessed = columns is None
    if columns is None:
        columns = guess_interactions(table)
    require_columns(table, columns.columns())
    rejections = _Rejections()
    interactions: list[Interaction] = []
    words: dict[str, str] = {}  # one string for all rows that say the same id: most of the memory otherwise
    for row in _reported(table, "read interactions", progress):
        try:
            interactions.append(_interaction(_values(row), columns, known_item_ids, words))
        except RowError as error:
            rejections.add(row.line, str(error))
    rejections.require_some(len(interactions), table, "interaction")
    return InteractionsRead(
        interactions=tuple(interactions),
        rejected=tuple(rejections.kept),
        rejected_count=rejections.count,
        mapping=Mapping(interactions=columns),
        guessed=guessed,
        warnings=(),
    )


def _reported(table: Table, stage: str, progress: Progress) -> Iterator[Row]:
    count = 0
    for count, row in enumerate(table.rows(), start=1):
        yield row
        if count % _STEP == 0:
            progress(stage, count, None)
    progress(stage, count, count)


def _values(row: Row) -> Values:
    if row.values is None:
        raise RowError(row.reason)
    return row.values


def _item(values: Values, columns: ItemMapping) -> tuple[Item, bool]:
    """The item of a row, and whether its text was cut."""
    item_id = _required(values, columns.item_id, MAX_ID)
    title = _required(values, columns.title, MAX_TITLE)
    text = "\n".join(part for column in columns.text if (part := _text(values.get(column), column)))
    attributes: dict[str, AttributeValue] = {}
    for name, source in columns.attributes.items():
        value = _attribute(values.get(source.column), source)
        if value is not None and value not in ("", ()):
            attributes[name] = value
    if columns.year_from_title and "year" not in attributes and (match := YEAR_IN_TITLE.search(title)):
        attributes["year"] = int(match[1])
    return Item(item_id, title, text[:MAX_TEXT], attributes), len(text) > MAX_TEXT


def _interaction(
    values: Values, columns: InteractionMapping, known_item_ids: Set[str], words: dict[str, str]
) -> Interaction:
    user_id = _required(values, columns.user_id, MAX_ID)
    item_id = _required(values, columns.item_id, MAX_ID)
    if item_id not in known_item_ids:
        raise RowError(f"the item {item_id!r} is not in the catalogue")
    value = as_number(values.get(columns.value), columns.value) if columns.value else None
    moment = as_moment(values.get(columns.timestamp), columns.timestamp) if columns.timestamp else None
    event = as_line(values.get(columns.event), columns.event, MAX_WORD).casefold() if columns.event else ""
    event = event or ("seen" if value is None else "rating")
    return Interaction(
        words.setdefault(user_id, user_id),
        words.setdefault(item_id, item_id),
        words.setdefault(event, event),
        None if value is None else float(value),
        moment,
    )


def _required(values: Values, column: str, longest: int) -> str:
    found = as_line(values.get(column), column, longest)
    if not found:
        raise RowError(f"{column!r} is missing")
    return found


def _text(value: object, column: str) -> str:
    if isinstance(value, list | tuple):  # some catalogues keep a description as a list of paragraphs
        return "\n".join(part for each in value if (part := as_text(each, column)))
    return as_text(value, column)


def _attribute(value: object, source: AttributeMapping) -> AttributeValue | None:
    if source.type == "number":
        return as_number(value, source.column)
    if source.type == "word":
        return as_line(value, source.column, MAX_WORD)
    return as_words(value, source.column, source.separator, source.key)


def _attribute_types(columns: ItemMapping) -> dict[str, AttributeType]:
    types: dict[str, AttributeType] = {name: source.type for name, source in columns.attributes.items()}
    return types | {"year": "number"} if columns.year_from_title else types
