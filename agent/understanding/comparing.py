"""Comparisons with items, as "newer than the first", "something cheaper": each becomes a bound on a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter
from agent.understanding.cues import is_negated
from agent.understanding.numbers import number_meant
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year

# What is said, whether it asks for more or less, and of what: a hint as `number_meant` takes it, or "year".
_KINDS = (
    ("year", True, r"newer|more\s+(?:recent|modern|current)|later|too\s+old"),
    ("year", False, r"older|earlier|less\s+(?:recent|modern)|too\s+(?:new|recent|modern)"),
    ("price", False, r"cheaper|(?:less|too)\s+(?:expensive|pricey|costly|dear)|more\s+affordable"),
    ("price", True, r"pricier|dearer|more\s+(?:expensive|pricey)|too\s+cheap"),
    ("pages", False, r"shorter|too\s+long"),
    ("pages", True, r"longer|too\s+short"),
    ("rating", True, r"(?:better|higher)[\s-]rated|(?:better|higher)\s+ratings?|too\s+low[\s-]rated"),
    ("rating", False, r"(?:worse|lower)[\s-]rated"),
)  # fmt: skip
_HINTS = {"pages": ("pages", "minutes")}
_ADVERB = r"(?:(?:(?:a\s+)?(?:bit|little|lot)|even|much|far|slightly|somewhat|still|way|any)\s+){0,2}"
WORDS = "|".join(pattern for _, _, pattern in _KINDS)
_COMPARED = re.compile(
    _ADVERB + "(?:" + "|".join(rf"(?P<k{i}>\b(?:{pattern})\b)" for i, (_, _, pattern) in enumerate(_KINDS)) + ")",
    re.IGNORECASE,
)
_CHAIN = re.compile(rf"(?:(?:\s*,|\s+and|\s+or)\s+{_ADVERB}(?:\w+er|{WORDS}))*\s+than\s+(?:\x00|$)", re.IGNORECASE)
_THAN = re.compile(r"\s+than\b", re.IGNORECASE)
# "an older man" compares no items.
_ALONE = re.compile(
    r"\s*(?:$|[.,;!?)\x00]|(?:and|but|or|please|pls|ones?|films?|movies?|books?|items?|things?|stuff|with|without|if|too"
    r"|though|instead|now|then|thanks|less|more|not|for\s+me)\b)",
    re.IGNORECASE,
)
_OF_A_NUMBER = re.compile(r"\d\S*(?:\s+[^\W\d_]+)?\s+(?:or|and)\s+$", re.IGNORECASE)  # "from 1980 or later"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A bound that text[start:end] asks for."""

    start: int
    end: int
    bound: Filter


def find_comparisons(
    text: str, than: Sequence[tuple[int, tuple[str, ...]]], others: Sequence[str], catalogue: Catalogue
) -> Iterator[Comparison]:
    """What a message asks for by comparing.

    Args:
        text: the message, in which references to items are blanked.
        than: where what is compared with begins, and its item ids: "newer than ...".
        others: the ids that a comparison is with that names nothing, one of them or a whole list.
        catalogue: where the numbers stand.
    """
    for match in _COMPARED.finditer(text):
        if is_negated(text, match.start()):
            continue
        bounds = _OF_A_NUMBER.search(text[: match.start()])
        hint, more, _ = _KINDS[int(next(n for n, said in match.groupdict().items() if said)[1:])]
        named = next((ids for start, ids in than if _CHAIN.fullmatch(text, match.end(), start)), None)
        if named is None and bounds:
            continue
        if named is None and (_THAN.match(text, match.end()) or not _ALONE.match(text, match.end())):
            continue
        bound = _bound(hint, more, named or others, catalogue, every=named is not None)
        if bound is not None:
            yield Comparison(*match.span(), bound)


def _bound(hint: str, more: bool, ids: Sequence[str], catalogue: Catalogue, *, every: bool) -> Filter | None:
    """Beyond every one of these items, or beyond the middle one: of an even number the one that demands more."""
    attribute = _attribute(hint, catalogue)
    values = sorted(
        v for i in ids if isinstance(v := catalogue.get(i).attributes.get(attribute or ""), int | float) and v == v
    )
    if attribute is None or not values:
        return None
    if every:
        value = values[-1] if more else values[0]
    else:
        value = values[len(values) // 2] if more else values[(len(values) - 1) // 2]
    if is_year(attribute):
        return Filter(attribute, ">=" if more else "<=", int(value) + (1 if more else -1))
    return Filter(attribute, ">" if more else "<", value)


def _attribute(hint: str, catalogue: Catalogue) -> str | None:
    numbers = [name for name, kind in catalogue.attribute_types.items() if kind == "number"]
    if hint == "year":
        return next((name for name in numbers if is_year(name)), None)
    return next((found for h in _HINTS.get(hint, (hint,)) if (found := number_meant(h, catalogue))), None)
