"""How many items a message asks for: "top 3", "five comedies", "just one"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.understanding.cues import NUMBERS
from agent.understanding.spans import blank
from agent.understanding.words import Word

_ROWS_OF = frozenset("a an the of in on about from with by who that is are to at and or not no".split())
_N = rf"(?<![\w.,-])(?P<n>[1-9]\d{{0,2}}|{'|'.join(NUMBERS)}|dozen)"
_THING = r"(?:film|movie|book|game|song|album|artist|item|title|pick|option|thing|recommendation|suggestion)"
_UNITS = r"(?:hours?|hrs?|minutes?|mins?|stars?|years?|parts?|seasons?|players?|rated|percent|dollars?|bits?|decades?)"
# "top 3", "just 2", "five good films"; but not "two hour films", "one night films", "one of the films".
_COUNTS = (
    re.compile(
        rf"\b(?:top|give\s+me|show\s+me|just|only|max(?:imum)?|at\s+most)\s+{_N}\b(?!\s*-|\s+(?:or|of|{_UNITS})\b)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?!one\b){_N}\s+(?!{_UNITS}\b)(?P<row>(?:[\w'’-]+\s+){{0,3}}?)(?:{_THING}s|ones)\b", re.IGNORECASE),
    re.compile(rf"(?<![\w-])(?P<n>one)\s+(?P<row>(?:[\w'’-]+\s+){{0,2}}?){_THING}\b", re.IGNORECASE),
    re.compile(
        rf"\bmake\s+(?:it|that|them)\s+{_N}(?=\s*(?:$|[.,;!?]|(?:please|instead|now|this\s+time|tonight|then)\b))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:^|[.,;!?]|\b(?:but|and|just|only|ok|okay|maybe|to))\s*{_N}(?:\s+(?:more|only))?\s+"
        r"(?:(?:more|others?)\s+(?:of|like)|this\s+time|will\s+do|would\s+do|is\s+(?:enough|plenty|fine)|are\s+(?:enough|plenty|fine)|(?:at\s+)?max|tops|instead)\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<n>couple)(?=\s+of\s+(?:[\w'’-]+\s+){{0,3}}?(?:{_THING}s|ones)\b)", re.IGNORECASE),
    re.compile(rf"(?:^|,)\s*{_N}(?:\s+more)?(?:\s+please)?\W*$", re.IGNORECASE),
)
_BEFORE_PLURAL = re.compile(rf"(?!one\b)(?:{_N}|(?P<pair>couple)\s+of)\s+(?P<row>[\w'’-]+\s+)?$", re.IGNORECASE)
# What a number stands behind that counts no items: "a film about two brothers", "a one night film".
_NO_COUNT = re.compile(r"(?:(?<!\bhow )(?<!\bwhat )\babout|\bof|\bin|(?P<article>\ban?))\s+$", re.IGNORECASE)


def find_count(text: str) -> tuple[int | None, str]:
    """How many items are asked for, and the text without that number."""
    for pattern in _COUNTS:
        for match in pattern.finditer(text):
            row = (match.groupdict().get("row") or "").lower().split()
            if not _ROWS_OF.intersection(row) and not _counts_no_items(text, match):
                return _number(match["n"]), blank(text, [match.span("n")])
    return None, text


def _counts_no_items(text: str, match: re.Match[str]) -> bool:
    before = _NO_COUNT.search(text[max(0, match.start() - 20) : match.start()])
    return before is not None and not (before["article"] and match["n"].lower() == "dozen")


def count_of(words: Sequence[Word], text: str) -> tuple[int | None, str]:
    """The count in "five comedies": a number right before a plural value of the catalogue."""
    for word in words:
        match = _BEFORE_PLURAL.search(text[max(0, word.start - 40) : word.start])
        if word.plural and word.stance is None and match and not _ROWS_OF.intersection((match["row"] or "").split()):
            start, group = max(0, word.start - 40), "pair" if match["pair"] else "n"
            return _number(match[group]), blank(text, [(start + match.start(group), start + match.end(group))])
    return None, text


def _number(said: str) -> int:
    said = said.lower()
    return NUMBERS.get(said) or {"dozen": 12, "couple": 2}.get(said) or int(said)
