"""Years and decades in a message, as ranges: a few small rules rather than a date parser, which reads "may" as a month."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.understanding.cues import DECADES, is_negated


@dataclass(frozen=True, slots=True)
class YearRange:
    """Years from `low` to `high`, both included and either absent, said at text[start:end]; `negated`: not these."""

    low: int | None
    high: int | None
    start: int
    end: int
    negated: bool


_YEAR = r"(?P<{0}>(?:18|19|20)\d\d)"
_DECADE = r"(?P<{0}>(?:(?:18|19|20)?\d0'?s\b)|" + "|".join(DECADES) + ")"
_HEAD = r"\b(?:(?:made|released|set|published|out|film|films|movie|movies)\s+)?"
_AGO = r"(?:from\s+|in\s+|of\s+|the\s+|early\s+|late\s+|mid-?\s*|during\s+)*"


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(_HEAD + pattern, re.IGNORECASE)


def _of_decades(a: str, b: str) -> tuple[int | None, int | None]:
    return _decade(a), _decade(b) + 9


_RULES: tuple[tuple[re.Pattern[str], Callable[..., tuple[int | None, int | None]]], ...] = (
    (_rule(r"between\s+" + _YEAR.format("a") + r"\s+and\s+" + _YEAR.format("b")), lambda a, b: (int(a), int(b))),
    (_rule(r"(?:from\s+)?" + _YEAR.format("a") + r"\s*(?:-|–|to|until|through)\s*" + _YEAR.format("b")), lambda a, b: (int(a), int(b))),
    (_rule(_AGO + _DECADE.format("a") + r"\s*(?:-|–|to|or|and|through|/)\s*(?:the\s+)?" + _DECADE.format("b")), _of_decades),
    (_rule(r"(?:after|newer than|later than|more recent than)\s+(?:the\s+)?" + _DECADE.format("a")), lambda a: (_decade(a) + 10, None)),
    (_rule(r"(?:before|older than|earlier than|pre-?)\s*(?:the\s+)?" + _DECADE.format("a")), lambda a: (None, _decade(a) - 1)),
    (_rule(r"(?:since|from)\s+(?:the\s+)?" + _DECADE.format("a") + r"\s+(?:on|onwards?|or (?:later|newer))"), lambda a: (_decade(a), None)),
    (_rule(_AGO + _DECADE.format("a")), lambda a: (_decade(a), _decade(a) + 9)),
    (_rule(r"(?:after|newer than|later than|more recent than)\s+" + _YEAR.format("a")), lambda a: (int(a) + 1, None)),
    (_rule(r"(?:before|older than|earlier than|pre-?)\s*" + _YEAR.format("a")), lambda a: (None, int(a) - 1)),
    (_rule(r"(?:since|from)\s+" + _YEAR.format("a") + r"\s+(?:on|onwards?|or (?:later|newer))"), lambda a: (int(a), None)),
    (_rule(r"since\s+" + _YEAR.format("a")), lambda a: (int(a), None)),
    (_rule(r"(?:up to|until)\s+" + _YEAR.format("a")), lambda a: (None, int(a))),
    (_rule(r"(?:from|in|of|year)\s+(?:the\s+year\s+)?" + _YEAR.format("a")), lambda a: (int(a), int(a))),
    (_rule(r"(?<![\w(])" + _YEAR.format("a") + r"(?![\w)])"), lambda a: (int(a), int(a))),
)  # fmt: skip


def find_years(text: str) -> list[YearRange]:
    """All ranges of years that a message names, in its order; spans do not overlap, the most specific reading wins."""
    found: list[YearRange] = []
    for pattern, reading in _RULES:
        for match in pattern.finditer(text):
            if any(match.start() < r.end and r.start < match.end() for r in found):
                continue
            low, high = reading(**match.groupdict())
            if low is not None and high is not None and low > high:
                low, high = high, low
            found.append(YearRange(low, high, match.start(), match.end(), is_negated(text, match.start())))
    return sorted(found, key=lambda r: r.start)


def _decade(word: str) -> int:
    word = word.lower().replace("'", "")
    if word in DECADES:
        return DECADES[word]
    digits = int(word[:-1])
    if digits >= 100:
        return digits
    return 2000 + digits if digits < 20 else 1900 + digits
