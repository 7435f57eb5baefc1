"""What a request asked of a number, where it named no number of its own: "after 1995", "between 1982 and 1988"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.justification.wording import decade, is_year, number
from agent.schema import Filter, Op

_YEAR: Mapping[Op, str] = {">=": "no earlier than", "<=": "no later than", ">": "after", "<": "before"}
_NUMBER: Mapping[Op, str] = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
_CHINESE = {
    "no earlier than": "不早于", "no later than": "不晚于", "after": "晚于", "before": "早于",
    "at least": "至少", "at most": "至多", "above": "高于", "below": "低于",
}  # fmt: skip
BETWEEN = "between"
BOUNDS = (*_CHINESE, BETWEEN)  # how a bound begins


def asked_of(conditions: Sequence[Filter], text: str) -> str:
    """The conditions on one number as words, "90s" for a decade; "" where they name the very number.

    Args:
        conditions: on one attribute, positive.
        text: the request: who said "newer than 1995" is told "after 1995", though the condition is "1996 or later".
    """
    bounds = {f.op: f.value for f in conditions if isinstance(f.value, int | float)}
    low, high = bounds.get(">="), bounds.get("<=")
    dates = is_year(conditions[0].attribute)
    if low is not None and high is not None and len(bounds) == 2:
        if low == high:
            return ""
        is_decade = dates and low % 10 == 0 and high - low == 9
        return decade(low) if is_decade else f"{BETWEEN} {number(low)} and {number(high)}"
    said = (_said(op, value, text, dates) for op, value in bounds.items() if op in _YEAR)
    return " and ".join(said)


def is_decade(said: str) -> bool:
    """Whether these words name a decade, "90s"."""
    return said[:1].isdigit()


def bounds_of(said: str) -> tuple[str, ...]:
    """The bounds that such words name, one by one."""
    return (said,) if said.startswith(BETWEEN) else tuple(said.split(" and "))


def in_chinese(said: str, unit: str = "") -> str:
    """The same in Chinese: 晚于1995年."""
    if found := re.fullmatch(rf"{BETWEEN} (\S+) and (\S+)", said):
        return f"在{found[1]}到{found[2]}{unit}之间"
    return "、".join(
        f"{_CHINESE[word]}{value}{unit}" for word, _, value in (b.rpartition(" ") for b in bounds_of(said))
    )


def _said(op: Op, value: float, text: str, dates: bool) -> str:
    if not dates:
        return f"{_NUMBER[op]} {number(value)}"
    beyond: dict[Op, tuple[Op, float]] = {">=": (">", value - 1), "<=": ("<", value + 1)}
    if op in beyond and _names(text, beyond[op][1]) and not _names(text, value):
        op, value = beyond[op]
    return f"{_YEAR[op]} {number(value)}"


def _names(text: str, value: float) -> bool:
    return re.search(rf"(?<!\d){re.escape(number(value))}(?!\d)", text) is not None
