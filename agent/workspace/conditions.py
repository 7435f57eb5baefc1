"""Filters as Chroma understands them. What a compiled filter finds is what `agent.schema.matches` says, and no more.

Chroma holds an attribute as a float, a text or a non-empty array of texts. A missing one meets "$ne", "$nin" and
"$not_contains", where `matches` says that it meets nothing; so each item also tells which attributes it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import FilterError, InputError
from agent.schema import AttributeType, AttributeValue, Filter

MAX_CONDITIONS = 200  # Chroma compiles to SQL, which stops at a depth of 1,000

KNOWN = "attributes that are known"  # the array of their names
LAYOUT = 2  # of what an item is stored as: another one, another index

_EQUAL = {"==": "$eq", "!=": "$ne", "in": "$in", "not in": "$nin"}
_COMPARE = {">=": "$gte", "<=": "$lte", ">": "$gt", "<": "$lt"}


def where(filters: Sequence[Filter], attribute_types: Mapping[str, AttributeType]) -> dict[str, Any] | None:
    """The Chroma `where` of filters that must all hold; None when there is none.

    Raises FilterError for an unknown attribute, an operator or value that does not fit its type, and for more than
    MAX_CONDITIONS conditions.
    """
    conditions = [condition for f in filters for condition in _conditions(f, attribute_types)]
    refused = dict.fromkeys(f.attribute for f in filters if f.op in ("!=", "not in"))
    conditions += [{KNOWN: {"$contains": attribute}} for attribute in refused]
    values = sum(len(f.value) if isinstance(f.value, tuple) else 1 for f in filters)
    if values > MAX_CONDITIONS:
        raise FilterError(f"{values} conditions at once are too many: give at most {MAX_CONDITIONS}.")
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def metadata(
    item_id: str, attributes: Mapping[str, AttributeValue], attribute_types: Mapping[str, AttributeType]
) -> dict[str, float | str | list[str] | None]:
    """The declared attributes of an item as Chroma takes them, and which these are; None clears what was left before.

    Raises InputError when a value does not have its declared type.
    """
    stored = {name: _stored(item_id, name, attributes.get(name), kind) for name, kind in attribute_types.items()}
    return {**stored, KNOWN: [name for name, value in stored.items() if value is not None] or None}


def _stored(
    item_id: str, name: str, value: AttributeValue | None, kind: AttributeType
) -> float | str | list[str] | None:
    if value is None or value == ():
        return None
    if kind == "number" and _is_exact(value):
        return float(value)  # type: ignore[arg-type]
    if kind == "word" and _is_text(value):
        return str(value)
    if kind == "list" and isinstance(value, tuple) and all(_is_text(v) for v in value):
        return list(value)
    raise InputError(
        f"The attribute {name!r} of the item {item_id!r} is {value!r}, which is not a {kind} that can be filtered on. "
        "Correct the item or declare another type."
    )


def _conditions(f: Filter, attribute_types: Mapping[str, AttributeType]) -> list[dict[str, Any]]:
    kind = attribute_types.get(f.attribute)
    if kind is None:
        known = ", ".join(sorted(attribute_types)) or "none"
        raise FilterError(f"There is no attribute {f.attribute!r} to filter on. This catalogue has: {known}.")
    wanted = _wanted(f, kind)
    if kind == "list":
        return _on_list(f, wanted)
    if f.op in _COMPARE:
        return [{f.attribute: {_COMPARE[f.op]: wanted[0]}}]
    return [{f.attribute: {_EQUAL[f.op]: wanted if f.op in ("in", "not in") else wanted[0]}}]


def _on_list(f: Filter, wanted: list[Any]) -> list[dict[str, Any]]:
    if f.op in ("!=", "not in"):
        return [{f.attribute: {"$not_contains": w}} for w in wanted]
    contains = [{f.attribute: {"$contains": w}} for w in wanted]
    return contains if len(contains) == 1 else [{"$or": contains}]


def _wanted(f: Filter, kind: AttributeType) -> list[Any]:
    """The values of a filter, checked against its operator and the type of the attribute; numbers as floats."""
    if f.op not in _EQUAL and f.op not in _COMPARE:
        raise FilterError(f"There is no operator {f.op!r}. Use one of {', '.join([*_EQUAL, *_COMPARE])}.")
    if f.op in _COMPARE and kind != "number":
        raise FilterError(f"{f.attribute!r} is a {kind}, which has no order: use ==, !=, in or not in, not {f.op!r}.")
    if isinstance(f.value, tuple) != (f.op in ("in", "not in")) or f.value == ():
        expected = "a tuple of one value or more" if f.op in ("in", "not in") else "one value"
        raise FilterError(f"{f.attribute!r} {f.op} takes {expected}; got {f.value!r}.")
    values = list(f.value) if isinstance(f.value, tuple) else [f.value]
    fits, expected = (_is_exact, "finite numbers") if kind == "number" else (_is_text, "words")
    wrong = [v for v in values if not fits(v)]
    if wrong:
        raise FilterError(f"{f.attribute!r} is a {kind}: compare it with {expected}, not with {wrong[0]!r}.")
    return [float(v) for v in values] if kind == "number" else values


def _is_exact(value: object) -> bool:
    """Whether a float holds this number exactly: Chroma compares floats where `matches` compares exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= 2**53


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
