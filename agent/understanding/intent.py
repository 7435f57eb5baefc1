"""A message becomes an intent: titles, years and the catalogue's own words first; what is left is a wish.

Vocabulary before model, so that 135 million parameters suffice: what a condition means is decided by the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.schema import Filter, Intent
from agent.understanding.cues import FILLER, GENRE_SYNONYMS, NUMBERS, is_negated
from agent.understanding.mentions import find_mentions
from agent.understanding.years import YearRange, find_years
from agent.workspace.catalogue import Catalogue

YEAR_ATTRIBUTES = ("year", "release_year", "publication_year", "published")
LONGEST_VALUE = 4  # words of an attribute's value looked at together
_WORD = re.compile(r"[\w'’&]+(?:-[\w'’]+)*")
_THINGS = (
    r"(?:films?|movies?|books?|games?|songs?|albums?|artists?|items?|titles?|picks?|options?|ones|things?|recommendations?"
    r"|suggestions?|results?)"
)
_COUNT = re.compile(
    r"\b(?:top|best|only|just|give me|show me|list|recommend|suggest|want)?\s*\b(?P<n>\d{1,3}|"
    + "|".join(NUMBERS)
    + r")\b"
    r"\s+(?:[\w'-]+\s+){0,3}?"
    + _THINGS
    + r"\b|\b(?:top|give me|show me)\s+(?P<m>\d{1,3})\b(?!\s*(?:hours?|minutes?|stars?))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Word:
    """One value of the catalogue's vocabulary, said at text[start:end]."""

    attribute: str
    value: str
    start: int
    end: int
    negated: bool
    plural: bool


def parse_intent(text: str, catalogue: Catalogue) -> Intent:
    """What one message asks for. Never fails: what it does not understand stays among the wishes."""
    mentions = find_mentions(text, catalogue)
    rest = _blank(text, [(m.start, m.end) for m in mentions])
    year_attribute = next((a for a in YEAR_ATTRIBUTES if catalogue.attribute_types.get(a) == "number"), None)
    ranges = find_years(rest) if year_attribute else []
    rest = _blank(rest, [(r.start, r.end) for r in ranges])
    n, rest = _count(rest)
    words = _vocabulary_words(rest, catalogue)
    if n is None:
        n, rest = _count_of(words, rest)
    filters = _year_filters(ranges, year_attribute or "") + _word_filters(words, rest, catalogue)
    wishes, avoids = _wishes(_blank(rest, [(w.start, w.end) for w in words]), text)
    return Intent(
        text=text.strip(),
        likes=tuple(dict.fromkeys(m.item_id for m in mentions if not m.negated)),
        dislikes=tuple(dict.fromkeys(m.item_id for m in mentions if m.negated)),
        filters=filters,
        wishes=wishes,
        avoids=avoids,
        n=n,
    )


def follow_up(before: Intent, now: Intent) -> Intent:
    """The intent after one more message: likes and dislikes add up, a new condition replaces the old one on its attribute.

    Wishes add up too, the newest last; a message that names no count keeps the count.
    """
    replaced = {f.attribute for f in now.filters}
    return replace(
        now,
        text=now.text,
        likes=tuple(i for i in dict.fromkeys((*before.likes, *now.likes)) if i not in now.dislikes),
        dislikes=tuple(i for i in dict.fromkeys((*before.dislikes, *now.dislikes)) if i not in now.likes),
        filters=(*(f for f in before.filters if f.attribute not in replaced), *now.filters),
        wishes=_joined(before.wishes, now.wishes, now.avoids),
        avoids=_joined(before.avoids, now.avoids, now.wishes),
        n=now.n or before.n,
    )


def describe(intent: Intent, catalogue: Catalogue) -> str:
    """What was understood, in plain words: "year 1990 to 1999; genres Comedy; not genres Horror; wishes: tense"."""
    parts = _described_filters(intent.filters)
    names = {i: catalogue.get(i).title for i in (*intent.likes, *intent.dislikes) if i in catalogue.position}
    parts += [f"like {names[i]}" for i in intent.likes if i in names]
    parts += [f"not like {names[i]}" for i in intent.dislikes if i in names]
    parts += [f"wishes: {intent.wishes}"] if intent.wishes else []
    parts += [f"without: {intent.avoids}"] if intent.avoids else []
    return "; ".join(parts)


def _described_filters(filters: Sequence[Filter]) -> list[str]:
    parts = []
    for f in filters:
        values = f.value if isinstance(f.value, tuple) else (f.value,)
        said = _said(values)
        if f.op in ("==", "in"):
            parts.append(f"{f.attribute} {said}")
        elif f.op in ("!=", "not in"):
            parts.append(f"not {f.attribute} {said}")
        else:
            sign = {">=": "from", "<=": "up to", ">": "above", "<": "below"}[f.op]
            parts.append(f"{f.attribute} {sign} {said}")
    return parts


def _said(values: Sequence[str | float | int]) -> str:
    numbers = [v for v in values if not isinstance(v, str)]
    if len(values) > 2 and len(numbers) == len(values) and max(numbers) - min(numbers) == len(values) - 1:
        return f"{min(numbers):g} to {max(numbers):g}"
    return " or ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with spans overwritten by a mark that no rule reads, so that all positions stay."""
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text


def _count(text: str) -> tuple[int | None, str]:
    match = _COUNT.search(text)
    if match is None:
        return None, text
    name = "n" if match["n"] else "m"
    said = match[name].lower()
    n = NUMBERS[said] if said in NUMBERS else int(said)
    if n < 1:
        return None, text
    return n, _blank(text, [match.span(name)])


def _count_of(words: Sequence[_Word], text: str) -> tuple[int | None, str]:
    """The count in "five comedies": a number right before a plural value of the catalogue."""
    for word in words:
        match = re.search(
            r"\b(\d{1,2}|" + "|".join(NUMBERS) + r")\s+(?:[\w'-]+\s+)?$", text[: word.start], re.IGNORECASE
        )
        if word.plural and not word.negated and match:
            said = match[1].lower()
            return NUMBERS.get(said) or max(1, int(said)), _blank(text, [match.span(1)])
    return None, text


def _year_filters(ranges: Sequence[YearRange], attribute: str) -> tuple[Filter, ...]:
    wanted = [r for r in ranges if not r.negated]
    filters: list[Filter] = []
    if wanted:
        # Several ranges ("the 70s or the 80s") open one window that holds them all.
        lows, highs = [r.low for r in wanted], [r.high for r in wanted]
        if all(low is not None for low in lows):
            filters.append(Filter(attribute, ">=", min(low for low in lows if low is not None)))
        if all(high is not None for high in highs):
            filters.append(Filter(attribute, "<=", max(high for high in highs if high is not None)))
    for r in ranges:
        if r.negated and r.low is not None and r.high is not None:
            filters.append(Filter(attribute, "not in", tuple(range(r.low, r.high + 1))))
        elif r.negated:
            filters.append(Filter(attribute, "<", r.low) if r.low is not None else Filter(attribute, ">", r.high or 0))
    return tuple(filters)


def _vocabulary_words(text: str, catalogue: Catalogue) -> list[_Word]:
    """Values of the catalogue's word and list attributes, longest first where they overlap."""
    words = list(_WORD.finditer(text))
    found: list[_Word] = []
    i = 0
    while i < len(words):
        step = 1
        for j in range(min(i + LONGEST_VALUE, len(words)), i, -1):
            start, end = words[i].start(), words[j - 1].end()
            values = _values(text[start:end].casefold(), catalogue)
            if values:
                negated = is_negated(text, start)
                found += [_Word(name, value, start, end, negated, plural) for name, value, plural in values]
                step = j - i
                break
        i += step
    return found


def _values(said: str, catalogue: Catalogue) -> list[tuple[str, str, bool]]:
    """(attribute, value, said in the plural) for a phrase; several where a synonym stands for several values."""
    said = re.sub(r"\s+", " ", said.replace("’", "'"))
    singular = said[:-1] if len(said) > 4 and said.endswith("s") and not said.endswith("ss") else said
    plural = said.endswith("s") and not said.endswith("ss")
    for form in dict.fromkeys((said, singular)):
        meant = GENRE_SYNONYMS.get(form, form).split("|")
        found = [(n, words[m]) for m in meant for n, words in catalogue.vocabulary.items() if m in words]
        if found and not (len(form) < 3 or form in FILLER):
            return [(name, value, plural and form not in catalogue.vocabulary[name]) for name, value in found]
    return []


def _word_filters(words: Sequence[_Word], text: str, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Conditions of the named values: "or" and plurals joined by "and" open a choice, anything else asks for both."""
    filters: list[Filter] = []
    for name in dict.fromkeys(w.attribute for w in words):
        said = [w for w in words if w.attribute == name]
        refused = tuple(dict.fromkeys(w.value for w in said if w.negated))
        groups: list[list[_Word]] = []
        for word in (w for w in said if not w.negated):
            if groups and _is_choice(groups[-1][-1], word, text, catalogue):
                groups[-1].append(word)
            else:
                groups.append([word])
        for group in groups:
            values = tuple(dict.fromkeys(w.value for w in group))
            filters.append(Filter(name, "==", values[0]) if len(values) == 1 else Filter(name, "in", values))
        if refused:
            filters.append(Filter(name, "!=", refused[0]) if len(refused) == 1 else Filter(name, "not in", refused))
    return tuple(dict.fromkeys(filters))


def _is_choice(first: _Word, second: _Word, text: str, catalogue: Catalogue) -> bool:
    if catalogue.attribute_types[first.attribute] == "word":
        return True  # an item has only one value, so both at once could never be met
    between = text[first.end : second.start].lower()
    return bool(re.search(r"\bor\b|/", between)) or ("and" in between and first.plural and second.plural)


def _wishes(rest: str, text: str) -> tuple[str, str]:
    """The words that nothing took, as (wished for, refused)."""
    wished, refused = [], []
    for match in _WORD.finditer(rest):
        word = match.group().replace("’", "'")
        if word.casefold() in FILLER or word.casefold() in _NEGATING or not any(c.isalpha() for c in word):
            continue
        (refused if is_negated(text, match.start()) else wished).append(word)
    return " ".join(wished), " ".join(refused)


_NEGATING = frozenset(
    """not no without nothing never except excluding avoid hate hated dislike disliked don't dont want didn't isn't aren't
    wasn't skip less tired sick but only instead""".split()
)


def _joined(before: str, now: str, against: str) -> str:
    gone = {w.casefold() for w in against.split()}
    words = [w for w in dict.fromkeys((*before.split(), *now.split())) if w.casefold() not in gone]
    return " ".join(words[-30:])
