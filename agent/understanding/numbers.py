"""Bounds on numbers other than years: "under $50", "at least 4 stars", "with less than 300 pages".

A bound becomes a condition only where a word or sign beside the number says which attribute is meant: its name, a unit,
or a word of price. Any other number stays a wish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter, Op
from agent.understanding.cues import is_negated
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year

# Kinds of numbers: words in the names of attributes that hold them, and what people say beside such a number.
_KINDS = tuple(
    (frozenset(names.split()), frozenset(said.split()))
    for names, said in (
        ("price prices cost costs usd eur gbp dollars euros pounds",
         "$ € £ dollar dollars bucks euro euros pound pounds price prices priced cost costs costing cheaper pricier "
         "expensive spend pay"),
        ("rating ratings score stars", "star stars rating ratings rated score"),
        ("pages", "page pages"),
        ("minutes runtime", "minute minutes min mins"),
    )
)  # fmt: skip
_TALLIES = frozenset("count counts num number n total".split())  # how many ratings there are is no rating
_NO_NAME = _TALLIES | frozenset("of in per by a the".split())
NEARLY = 0.25  # "around 40" is 30 to 50

_OPS: tuple[tuple[Op, str], ...] = (
    ("<=", r"at\s+most|up\s+to|not?\s+more\s+than|max(?:imum)?|within"),
    (">=", r"at\s+least|not?\s+(?:less|fewer)\s+than|min(?:imum)?"),
    ("<", r"under|below|(?:less|fewer|lower|cheaper|shorter|smaller)\s+than"),
    (">", r"over|above|(?:more|higher|greater|longer|larger|bigger|better|pricier|more\s+expensive)\s+than"),
    ("==", r"around|roughly|approximately"),
    (">=", r"\+|(?:or|and)\s+(?:more|better|above|higher|up|over|longer|upwards?)\b"),
    ("<=", r"(?:or|and)\s+(?:less|fewer|below|under|lower|cheaper|shorter)\b"),
)
_PREFIX, _SUFFIX = ("|".join(pattern for _, pattern in part) for part in (_OPS[:5], _OPS[5:]))
_N = r"(?P<sign{0}>[$€£])?\s?(?<![\d.,])(?P<n{0}>\d{{1,9}}(?:,\d{{3}})*(?:\.\d{{1,4}})?)(?![\d%])"
_UNIT = r"(?:[\s-]?(?P<unit{0}>[$€£]|[^\W\d_]+))"
_NAME = r"(?:\b(?!(?:no|not|between|from|at|up)\b)(?P<name>[^\W\d_]+)(?:\s+(?:of|is|are|for))?\s*[:=]?\s+)?"
_PATTERNS = tuple(
    re.compile(_NAME + pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<core>\b(?P<op>{_PREFIX})\s+{_N.format(1)}){_UNIT.format(1)}?",
        rf"(?P<core>{_N.format(1)}{_UNIT.format(2)}?\s*(?P<op>{_SUFFIX})){_UNIT.format(1)}?",
        rf"(?P<core>(?:between\s+|from\s+)?{_N.format(1)}\s?[$€£]?\s*(?:-|–|to\b|and\b)\s*{_N.format(2)}){_UNIT.format(1)}?",
    )
)
_LIMIT = r"under|below|at\s+most|up\s+to|not?\s+more\s+than"  # "anything under 150" is a price where there are prices
FEW = 10  # "at most 4" may count the items
_YEARS = (1000, 2100)  # but "under 2000" may be a year
_FOR = re.compile(r"\bfor\s+$", re.IGNORECASE)
_NO_NOUN_AFTER = re.compile(
    r"\s*(?:$|[.,;!?)]|(?:please|or|and|but|with|from|that|in|if|by|should|would|maybe|now|i|thanks)\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Bound:
    """Conditions on one number attribute, said at text[start:end]."""

    start: int
    end: int
    filters: tuple[Filter, ...]


def find_bounds(text: str, catalogue: Catalogue) -> list[Bound]:
    """All bounds on numbers that a message names, in its order; their places do not overlap."""
    names = [n for n, kind in catalogue.attribute_types.items() if kind == "number" and not is_year(n)]
    found: list[Bound] = []
    for pattern in _PATTERNS if names else ():
        for match in pattern.finditer(text):
            bound = _read(text, match, names, catalogue)
            if bound and not any(bound.start < b.end and b.start < bound.end for b in found):
                found.append(bound)
    return sorted(found, key=lambda b: b.start)


def number_meant(hint: str, catalogue: Catalogue) -> str | None:
    """The one number attribute that a word such as "price" or "pages" tells, if there is one."""
    names = [n for n, kind in catalogue.attribute_types.items() if kind == "number" and not is_year(n)]
    return _meant([hint], names)


def _read(text: str, match: re.Match[str], names: Sequence[str], catalogue: Catalogue) -> Bound | None:
    (start, end), said = match.span("core"), match.groupdict()
    attribute = None
    for group in ("sign1", "sign2", "unit1", "unit2", "name", "op"):
        hints = re.findall(r"[^\W\d_]+|[$€£]", (said.get(group) or "").lower())
        if any(hint in beside for hint in hints for _, beside in _KINDS) or _named(hints, names):
            attribute = _meant(hints, names)
            start, end = min(start, match.start(group)), max(end, match.end(group))
            break
    else:
        first = _number(said["n1"] or "0")
        price = first > FEW and not _YEARS[0] <= first <= _YEARS[1]
        limit = price and re.fullmatch(_LIMIT, said.get("op") or "", re.IGNORECASE)
        if (limit or _FOR.search(text[max(0, start - 8) : start])) and _NO_NOUN_AFTER.match(text, end):
            attribute = _meant(["price"], names)
        elif said.get("n2") and price and _NO_NOUN_AFTER.match(text, end):
            attribute = _in_reach(first, _number(said["n2"] or "0"), names, catalogue)
    if attribute is None:
        return None
    filters = tuple(_filters(attribute, said, is_negated(text, start)))
    return Bound(start, end, filters) if filters else None


def _in_reach(low: float, high: float, names: Sequence[str], catalogue: Catalogue) -> str | None:
    """The one attribute of which some item has a number between these, as "between 30 and 90" means a price."""
    within = [
        name
        for name in names
        if any(isinstance(v := i.attributes.get(name), int | float) and low <= v <= high for i in catalogue.items)
    ]
    return within[0] if len(within) == 1 else None


def _named(hints: Sequence[str], names: Sequence[str]) -> list[str]:
    """The attributes that have a hint as a word of their name, in the singular or plural."""
    stems = {hint.rstrip("s") for hint in hints} - _NO_NAME
    return [name for name in names if stems & {word.rstrip("s") for word in name.lower().split("_")}]


def _meant(hints: Sequence[str], names: Sequence[str]) -> str | None:
    """The one attribute that the hints tell, None where none or several could be meant."""
    words = {name: frozenset(name.lower().split("_")) for name in names}
    kinds = [known for known, beside in _KINDS if beside.intersection(hints)]
    for fits in (
        [name for name in names if name.lower() in hints],
        [name for name in names if any(name.lower() in known for known in kinds)],
        [name for name in names if any(words[name] & known and not words[name] & _TALLIES for known in kinds)],
        _named(hints, names),
    ):
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _filters(attribute: str, said: dict[str, str | None], negated: bool) -> Iterator[Filter]:
    first = _number(said["n1"] or "0")
    if said.get("n2"):
        second = _number(said["n2"] or "0")
        low, high = min(first, second), max(first, second)
    else:
        word = (said["op"] or "").lower()
        op = next(op for op, pattern in _OPS if re.fullmatch(pattern, word))
        if op != "==":
            opposite: dict[Op, Op] = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}
            yield Filter(attribute, opposite[op] if negated else op, first)
            return
        low, high = first * (1 - NEARLY), first * (1 + NEARLY)
    if not negated:  # filters cannot say "below or above"
        yield Filter(attribute, ">=", low)
        yield Filter(attribute, "<=", high)


def _number(said: str) -> float | int:
    value = float(said.replace(",", ""))
    return int(value) if value.is_integer() else value
