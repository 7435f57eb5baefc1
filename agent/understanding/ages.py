"""Ages of whom an item is for: "for my 8 year old" asks for what is for kids, and never for the word "old"."""

from __future__ import annotations

import re

from agent.understanding.cues import NUMBERS

CHILD = 12  # the oldest age for which a request is one for kids
_N = rf"(?P<n>\d{{1,3}}|{'|'.join(NUMBERS)})"
_CHILD = r"(?:kids?|child(?:ren)?|sons?|daughters?|boys?|girls?|twins?|nephews?|nieces?|grand(?:son|child|kid)s?)"
_OLD = r"[\s-]*(?:years?|yrs?|y|months?)[\s-]*(?:/|of\s+age|olds?|o)"
_THING = r"(?:films?|movies?|books?|games?|songs?|albums?|items?|shows?|series|products?)"
_FOR = r"(?:for|with)\s+(?:(?:my|our|an?|the|his|her|their|some)\s+)?(?:\w+\s+(?:and|or|to)\s+(?:an?\s+)?)?"
_AGES = (
    # "for my 8 year old daughter", "for 8 to 10 year olds", "my 8-year-old"; but "a film about a 12 year old boy"
    re.compile(rf"\b(?P<whose>{_FOR}|(?:my|our)\s+)?{_N}{_OLD}\b(?!\s+{_THING}\b)(?P<who>\s+{_CHILD}\b)?", re.I),
    # "my daughter is 6", "our kids are five"
    re.compile(
        rf"\b(?P<whose>(?:my|our)\s+)(?P<who>{_CHILD})\s+(?:who\s+)?(?:is|are|turns|turned|just\s+turned)\s+"
        rf"{_N}\b(?!\s*(?:{_THING}|%))(?:{_OLD})?",
        re.I,
    ),
)


_CHINESE_AGES = re.compile(
    r"(?P<whose>给|适合|我家?)[^，。！？,.!?\d]{0,4}(?P<n>\d{1,3})岁(?:的?(?:孩子|小孩|小朋友|儿童|宝宝|儿子|女儿|男孩|女孩))?"
)


def without_ages(text: str) -> str:
    """The text in which the age of a child stands as "for kids", and any other age of a person is gone."""
    for pattern in _AGES:
        text = pattern.sub(_said, text)
    return text


def without_chinese_ages(text: str) -> str:
    """The same for a message in Chinese: 给我8岁的孩子 becomes 给儿童."""
    return _CHINESE_AGES.sub(lambda m: m["whose"] + ("儿童" if int(m["n"]) <= CHILD else ""), text)


def _said(match: re.Match[str]) -> str:
    n, whose = match["n"].lower(), match["whose"]
    if not whose:  # whom a story is about, or who speaks
        return match["who"] or ""
    return "for kids" if (NUMBERS.get(n) or int(n)) <= CHILD else ""
