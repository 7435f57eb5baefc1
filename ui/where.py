"""Conditions as they are typed: `year>=1990`, `year=1990..1999`, `genres=Comedy|Drama`, `genres!=Horror`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from agent.errors import FilterError
from agent.schema import AttributeType, Filter, Op

MAX_CHARS = 300  # of one condition: an attribute, an operator and a few values

_COMPARE: Mapping[str, Op] = {">=": ">=", "<=": "<=", ">": ">", "<": "<"}
_OPERATORS = (">=", "<=", ">", "<", "!=", "==", "=")
_FORM = re.compile(r"(?P<attribute>[^<>=!]*)(?P<op>[<>=!]+)(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXAMPLES: Mapping[AttributeType, tuple[str, ...]] = {
    "number": ("'{}>=1990'", "'{}=1990..1999'"),
    "word": ("'{}=English'", "'{}!=English|French'"),
    "list": ("'{}=Comedy|Drama'", "'{}!=Horror'"),
}


def parse_where(conditions: Sequence[str], attribute_types: Mapping[str, AttributeType]) -> tuple[Filter, ...]:
    """The filters that typed conditions stand for, in their order; a range becomes two. All of them must hold.

    `|` separates values of which one suffices (after `!=`: none may occur), `..` the two ends of a range, both
    included and either left open. An attribute may be written in any case.

    Raises:
        FilterError: a form that is not understood, an unknown attribute, or a value that does not fit its type; the
            message shows an example and the attributes there are.
    """
    return tuple(f for condition in conditions for f in _parse(condition, attribute_types))


def _parse(condition: str, types: Mapping[str, AttributeType]) -> tuple[Filter, ...]:
    match = _FORM.fullmatch(condition) if len(condition) <= MAX_CHARS else None
    if match is None or match["op"] not in _OPERATORS or not match["attribute"].strip() or not match["value"].strip():
        reason = _reason(condition, match)
        raise FilterError(f"The condition {_short(condition)} is not understood: {reason} {_help(types)}")
    attribute = _attribute(match["attribute"].strip(), condition, types)
    op, value = match["op"], match["value"].strip()
    if types[attribute] == "number" and ".." in value and op in ("=", "=="):
        return _range(attribute, value, condition)
    if op in _COMPARE:
        if types[attribute] != "number":
            raise FilterError(
                f"The condition {_short(condition)} compares {attribute!r}, which holds words and has no order. "
                f"Use = or != instead, for example {_example(attribute, types)}."
            )
        return (Filter(attribute, _COMPARE[op], _number(value, condition, attribute)),)
    values = tuple(_value(part.strip(), condition, attribute, types) for part in value.split("|"))
    negative = op == "!="
    if len(values) == 1:
        return (Filter(attribute, "!=" if negative else "==", values[0]),)
    return (Filter(attribute, "not in" if negative else "in", values),)


def _range(attribute: str, value: str, condition: str) -> tuple[Filter, ...]:
    low, _, high = (part.strip() for part in value.partition(".."))
    ops: tuple[tuple[Op, str], ...] = ((">=", low), ("<=", high))
    ends = [(op, _number(end, condition, attribute)) for op, end in ops if end]
    if not ends:
        raise FilterError(
            f"The range in {_short(condition)} has no end. Give one or both, for example '{attribute}=1990..1999'."
        )
    if len(ends) == 2 and ends[0][1] > ends[1][1]:
        raise FilterError(
            f"The range in {_short(condition)} is empty: its first end is the greater one. "
            f"Turn it round: '{attribute}={high}..{low}'."
        )
    return tuple(Filter(attribute, op, number) for op, number in ends)


def _value(text: str, condition: str, attribute: str, types: Mapping[str, AttributeType]) -> str | int | float:
    if not text:
        raise FilterError(
            f"The condition {_short(condition)} has an empty value beside '|'. "
            f"Write every value, for example {_example(attribute, types)}."
        )
    return _number(text, condition, attribute) if types[attribute] == "number" else text


def _number(text: str, condition: str, attribute: str) -> int | float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value) or abs(value) >= 2**53:  # from there on floats skip whole numbers
        raise FilterError(
            f"The condition {_short(condition)} needs a number for {attribute!r}, and {_short(text)} is none. "
            f"For example '{attribute}>=1990'."
        )
    return int(value) if value.is_integer() else value


def _attribute(name: str, condition: str, types: Mapping[str, AttributeType]) -> str:
    if name in types:
        return name
    folded = [known for known in types if known.casefold() == name.casefold()]
    if len(folded) == 1:
        return folded[0]
    near = get_close_matches(name.casefold(), [known.casefold() for known in types], 1)
    meant = next((f" Did you mean {known!r}?" for known in types if near and known.casefold() == near[0]), "")
    raise FilterError(f"{_short(condition)} names an unknown attribute, {_short(name)}.{meant} {_help(types)}")


def _reason(condition: str, match: re.Match[str] | None) -> str:
    if len(condition) > MAX_CHARS:
        return f"it is longer than {MAX_CHARS} characters."
    if match is None:
        return "it has no =, !=, >=, <=, > or <. In a shell, put the whole condition in quotes."
    if match["op"] not in _OPERATORS:
        return f"there is no operator {match['op']!r}; use one of =, !=, >=, <=, > or <."
    return "it needs an attribute before the operator and a value after it."


def _help(types: Mapping[str, AttributeType]) -> str:
    if not types:
        return "This catalogue has no attributes to filter on."
    known = ", ".join(f"{name} ({kind})" for name, kind in types.items())
    return f"For example {_example(next(iter(types)), types)}. This catalogue has: {known}."


def _example(attribute: str, types: Mapping[str, AttributeType]) -> str:
    return " or ".join(form.format(attribute) for form in _EXAMPLES[types[attribute]])


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
