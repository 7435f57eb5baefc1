"""Years and counts in Chinese: 1994年, 九十年代, 八九十年代, 2000年以后, 三部. On text in NFKC form."""

from __future__ import annotations

import re

from agent.understanding.years import YearRange

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_D = "零〇○一二三四五六七八九"
_YEAR = rf"(?:(?<!\d)(?:18|19|20)\d\d(?!\d)(?!\s*(?:元|块|页|分钟|人|米|公里|集|字))|[一二][{_D}]{{3}}(?=年))年?"
_CENTURY = r"(?:上个?世纪|二十世纪|20世纪|19世纪|十九世纪|21世纪|本世纪)?的?"
_DECADE = (
    rf"(?P<century#>{_CENTURY})(?P<decade#>(?:18|19|20)?\d0|[二三四五六七八九]{{1,2}}十|零零|〇〇)年代"
    r"(?P<part#>初期?|早期|前期|中期|末期?|后期|晚期)?"
)
_WHEN = rf"(?:{_DECADE}|(?P<year#>{_YEAR}))"
_FIRST, _SECOND = _WHEN.replace("#", "1"), _WHEN.replace("#", "2")
_RANGE = re.compile(rf"(?:从|在)?{_FIRST}(?:到|至|-|~|—|–|和|与)+{_SECOND}(?:之?间)?")
_ONE = re.compile(
    rf"{_FIRST}(?:(?P<since>以来|至今|起|开始)|(?P<after>以后|之后|过后|后(?!期))|(?P<before>以前|之前|前(?!期)))?"
)
_NEW_CENTURY = re.compile(r"(?:新世纪|本世纪|21世纪|二十一世纪|千禧年)(?:以来|以后|之后|后)?")
GENERATION = re.compile(r"(?<!\d)[5-9]0后|[五六七八九]零后")  # people born then, no time of release
_PARTS = {"初": (0, 4), "早": (0, 4), "前": (0, 4), "中": (3, 7), "末": (5, 9), "后": (5, 9), "晚": (5, 9)}

_COUNT = re.compile(
    r"(?<![第这那哪每上下\d.])(?P<n>\d{1,2}|[一二两三四五六七八九十]{1,3})\s*"
    r"(?P<measure>[部本首张篇款件](?!曲|分)|个(?=推荐|电影|影片|片|就|$|[,.!?。]))"
)


def find_years(text: str) -> list[YearRange]:
    """All ranges of years, in the order of the message; none is marked as turned down. 后 includes the year named."""
    found: list[YearRange] = []
    for match in _RANGE.finditer(text):
        (low, _), (_, high) = _when(match, "1"), _when(match, "2")
        found.append(YearRange(min(low, high), max(low, high), *match.span(), negated=False))
    for match in (*_ONE.finditer(text), *_NEW_CENTURY.finditer(text)):
        if any(match.start() < r.end and r.start < match.end() for r in found):
            continue
        if match.re is _NEW_CENTURY:
            found.append(YearRange(2000, None, *match.span(), negated=False))
        elif not GENERATION.match(text, match.start()):
            found.append(YearRange(*_window(match), *match.span(), negated=False))
    return sorted(found, key=lambda r: r.start)


def _window(match: re.Match[str]) -> tuple[int | None, int | None]:
    low, high = _when(match, "1")
    if match["since"]:
        return low, None
    if match["after"]:
        return (high + 1 if match["decade1"] else low), None
    return (None, low - 1) if match["before"] else (low, high)


def _when(match: re.Match[str], n: str) -> tuple[int, int]:
    if match[f"year{n}"]:
        year = int("".join(str(_DIGITS.get(c, c)) for c in match[f"year{n}"].rstrip("年")))
        return year, year
    said, century = match[f"decade{n}"], match[f"century{n}"].rstrip("的")
    tens = [int(said[-2]) if said.isdigit() else _DIGITS[c] for c in ("0" if said.isdigit() else said.rstrip("十"))]
    if said in ("零零", "〇〇"):
        tens = [0]
    if said.isdigit() and len(said) == 4:
        first = last = int(said)
    else:
        base = _century(century, tens[0])
        first, last = base + 10 * tens[0], base + 10 * tens[-1]
    early, late = _PARTS[match[f"part{n}"][0]] if match[f"part{n}"] else (0, 9)
    return first + early, last + late


def _century(said: str, tens: int) -> int:
    if said in ("19世纪", "十九世纪"):
        return 1800
    if said in ("21世纪", "本世纪"):
        return 2000
    return 1900 if said or tens > 1 else 2000  # 10年代 and 零零年代 are of this century


def find_count(text: str) -> tuple[int | None, tuple[int, int]]:
    """How many are asked for, and where that stands; 一部 is an article and counts only after 只 or 就."""
    for match in _COUNT.finditer(text):
        n = number(match["n"])
        if n and (n > 1 or text[: match.start()].endswith(("只要", "只", "就", "就要"))):
            return n, match.span()
    return None, (0, 0)


def number(said: str) -> int:
    """The number of a numeral up to 99, in digits or Chinese; of 三四 the larger one."""
    if said.isdigit():
        return int(said)
    before, ten, after = said.partition("十")
    if not ten:
        return _DIGITS[said[-1]]
    return 10 * (_DIGITS[before[-1]] if before else 1) + (_DIGITS[after[0]] if after else 0)
