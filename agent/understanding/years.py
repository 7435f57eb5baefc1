"""Years and decades in a message, as ranges: a few small rules, where a date parser would read "may" as a month."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.understanding.cues import is_negated

Window = tuple[int | None, int | None]

DECADES = dict(
    zip(
        "twenties thirties forties fifties sixties seventies eighties nineties".split(),
        range(1920, 2000, 10),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class YearRange:
    """Years from `low` to `high`, both included and either absent, said at text[start:end]; `negated`: not these."""

    low: int | None
    high: int | None
    start: int
    end: int
    negated: bool


_WHEN = rf"""
    (?:the\s+)? (?:years?\s+)? (?:(?P<part#>early|mid|late)(?:\s+|-)(?:the\s+|to\s+late\s+)?)?
    (?:  (?<![\w$€£#(.]) (?<!\d,)  (?P<year#>(?:18|19|20)[0-9]{{2}})  (?! [\w)] | [.,][0-9] | ['’]s\b )
       | (?<!\w)  (?P<decade#>(?:18|19|20)?[0-9]0['’]?s | {"|".join(DECADES)})  \b
    )
"""
# What a word in capitals stands for in the rules.
_PIECES = {
    "FROM": r"(?: from | in | of | during )",
    "TO": r"(?: - | – | — | to | till | until | through | and )",
    "AFTER": r"(?: after | post | (?: newer | later | younger | more\s+recent ) \s+ than )",
    "BEFORE": r"(?: before | pre | prior\s+to | (?: older | earlier ) \s+ than )",
    "SINCE": r"(?: since | starting\s+(?:from|in) )",
    "UNTIL": r"(?: up\s+to | until | till | through | by )",
    "AROUND": r"(?: around | circa | roughly )",
    "UPWARDS": r"(?: \+ | on\b | onwards? | (?:or|and) \s+ (?: later | newer | after | up | above | beyond ) )",
    "DOWNWARDS": r"(?: (?:or|and) \s+ (?: earlier | older | before | below ) )",
}

# One rule a line, the more telling above the less; a and b are what the first and the second WHEN span.
_RULES: tuple[tuple[str, Callable[..., Window]], ...] = (
    ("between WHEN and WHEN", lambda a, b: (a[0], b[1])),
    ("from WHEN TO WHEN", lambda a, b: (a[0], b[1])),
    ("WHEN (?:-|–|—|to|till|until|through) WHEN", lambda a, b: (a[0], b[1])),
    ("AFTER WHEN", lambda a: (a[1] + 1, None)),
    ("BEFORE WHEN", lambda a: (None, a[0] - 1)),
    ("SINCE WHEN", lambda a: (a[0], None)),
    ("FROM WHEN UPWARDS", lambda a: (a[0], None)),
    ("FROM WHEN DOWNWARDS", lambda a: (None, a[1])),
    ("WHEN UPWARDS", lambda a: (a[0], None)),
    ("WHEN DOWNWARDS", lambda a: (None, a[1])),
    ("UNTIL WHEN", lambda a: (None, a[1])),
    ("AROUND WHEN", lambda a: (a[0] - 2, a[1] + 2)),
    ("FROM WHEN", lambda a: a),
    ("WHEN", lambda a: a),
)


def _compiled(rule: str) -> re.Pattern[str]:
    numbers = iter("12")
    parts = [
        _WHEN.replace("#", next(numbers)) if part == "WHEN" else _PIECES.get(part, f"(?:{part})")
        for part in rule.split()
    ]
    # Between two words stands a space or a hyphen ("pre-1990"), around a dash or a plus nothing need stand.
    return re.compile(r"(?<!\w)" + r"[\s-]*".join(f"(?:{part})" for part in parts), re.IGNORECASE | re.VERBOSE)


_READERS = tuple((_compiled(rule), reading) for rule, reading in _RULES)
_SHORT = re.compile(r"(?<!\w)(?:from\s+)?(?P<year1>(?:18|19|20)[0-9]{2})\s?[-–/]\s?(?P<short>[0-9]{2})(?!\w)", re.I)

# A time that is no time of release: where a story is set, somebody's age, a style, a number of something.
_NO_RELEASE_BEFORE = re.compile(
    r"""\b(?: set (?:\s+ back)? | (?:takes? | taking) \s+ place | happen(?:s|ing)? | story | life | living | world
            | my | his | her | their | your | our
            | (?<!how\ )(?<!what\ )about ) \s* (?:in|during|of|around)? \s* (?:the\s+)? $""",
    re.IGNORECASE | re.VERBOSE,
)
# "under 2000" is an amount of something.
_AMOUNT_BEFORE = re.compile(
    r"\b(?:under|below|over|above|(?:less|more|fewer|cheaper|lower|higher)\s+than|at\s+(?:most|least))\s+$",
    re.IGNORECASE,
)
_NO_RELEASE_AFTER = re.compile(
    r"""[\s-]* (?: styled? | vibes? | feel | feeling | look | nostalgia | inspired | aesthetics? | fashion
            | kid\b (?!['’]s)
            | kids (?= \s* (?: $ | [.,;!?)] | (?:who|like|love|grew|would|will|know|remember|and|or)\b ) )
            | pages? | minutes? | mins? | people | words | km | miles | dollars | euros? | times | percent ) \b""",
    re.IGNORECASE | re.VERBOSE,
)
# "I'm after thrillers" looks for them, whatever the year.
_LOOKING_FOR = re.compile(r"(\b(?:i['’]?m|i\s+am|we['’]?re|we\s+are)\s+(?:\w+\s+)?)(after)\b", re.IGNORECASE)


def find_years(text: str) -> list[YearRange]:
    """All ranges of years that a message names, in its order; spans do not overlap, the most specific reading wins.

    Times that are no times of release are left out: "set in the 50s", "in her thirties", "80s vibes".
    """
    text = _LOOKING_FOR.sub(lambda m: m[1] + " " * len(m[2]), text)
    found: list[YearRange] = []

    def add(match: re.Match[str], low: int | None, high: int | None) -> None:
        if low is not None and high is not None and low > high:
            low, high = high, low
        found.append(YearRange(low, high, match.start(), match.end(), is_negated(text, match.start())))

    for match in _SHORT.finditer(text):
        add(match, int(match["year1"]), int(match["year1"][:2] + match["short"]))
    for pattern, reading in _READERS:
        for match in pattern.finditer(text):
            if any(match.start() < r.end and r.start < match.end() for r in found):
                continue
            before = text[max(0, match.start() - 40) : match.start()]
            amount = match.group()[-1].isdecimal() and _AMOUNT_BEFORE.search(before)
            if not amount and not _NO_RELEASE_BEFORE.search(before) and not _NO_RELEASE_AFTER.match(text, match.end()):
                add(match, *reading(*_whens(match)))
    return sorted(found, key=lambda r: r.start)


def _whens(match: re.Match[str]) -> list[tuple[int, int]]:
    """What each WHEN of a match spans: a year itself, a decade its ten years or the named part of them."""
    said = match.groupdict()
    spans = []
    for n in "12":
        if said.get(f"year{n}"):
            spans.append((int(said[f"year{n}"]), int(said[f"year{n}"])))
        elif said.get(f"decade{n}"):
            first = _decade(said[f"decade{n}"])
            early, late = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}.get((said[f"part{n}"] or "").lower(), (0, 9))
            spans.append((first + early, first + late))
    return spans


def _decade(word: str) -> int:
    word = word.lower()
    if word in DECADES:
        return DECADES[word]
    digits = int(re.sub(r"[^0-9]", "", word))
    if digits >= 100:
        return digits
    return 2000 + digits if digits < 20 else 1900 + digits
