"""What can mean several things: a title that several works have, a surname of several people; the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter
from agent.understanding.mentions import Mention, ids_called
from agent.understanding.pointers import positions
from agent.understanding.spelling import is_close
from agent.workspace.catalogue import Catalogue, phrase_key, title_key
from agent.workspace.roles import is_year

Choice = str | Filter  # an item id, or the condition that somebody of this name makes
MOST_WORKS = 8
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_WHICH = (
    (re.compile(r"\bthe\s+((?:18|19|20)\d\d)(?:\s+(?:film|movie|version\s+of|one\s+of))?\s+$", re.IGNORECASE), None),
    (re.compile(r"\b(?:the\s+)?(?:original|old|older|first)(?:\s+version\s+of)?\s+$", re.IGNORECASE), 0),
    (re.compile(r"\bthe\s+(?:remake\s+of|new|newer)(?:\s+version\s+of)?\s+$", re.IGNORECASE), -1),
)
_WHICH_AFTER = re.compile(
    r"""["”'’]?\s*[,(]?\s*(?:(?:from|of)\s+)?(?:the\s+)?(?:one\s+from\s+)?(?:(?P<year>(?:18|19|20)\d\d)(?:\s+(?:one|version|film|movie))?(?!\d|\s*s\b)
    |(?:the\s+)?(?P<old>original|old\s+one|older\s+one)|(?:the\s+)?(?P<new>remake|new\s+one|newer\s+one))\b\)?""",
    re.IGNORECASE | re.VERBOSE,
)
_BY_AGE = (
    (re.compile(r"^(\W*(?:from\s+)?)((?:18|19|20)\d\d)(?=\W*(?:please\W*)?$)", re.IGNORECASE), r"\1the \2 one"),
    (
        re.compile(r"\bthe\s+(?:older|oldest|old|original|earlier)(?:\s+(?:one|version|film|movie))?\b", re.I),
        "the first",
    ),
    (
        re.compile(r"\bthe\s+(?:newer|newest|new|later|latest|remake)(?:\s+(?:one|version|film|movie))?\b", re.I),
        "the last",
    ),
)


@dataclass(frozen=True, slots=True)
class Unclear:
    """text[start:end] may mean any of these."""

    start: int
    end: int
    choices: tuple[Choice, ...]


def dated(text: str, catalogue: Catalogue) -> str:
    """The text in which a title of several works has its year where the message tells it: "the 1954 sabrina"."""
    words = list(_WORD.finditer(text))
    for i in range(len(words) - 1, -1, -1):
        for j in range(min(i + catalogue.title_starts.get(phrase_key(words[i].group()), 0), len(words)), i, -1):
            start, end = words[i].start(), words[j - 1].end()
            works = works_called(text[start:end], catalogue)
            told = _told(text, start, end, works, catalogue) if len(works) > 1 else None
            if told is not None:
                text = text[: told[0]] + catalogue.get(told[2]).title + text[told[1] :]
                break
    return text


def _told(text: str, start: int, end: int, works: Sequence[str], catalogue: Catalogue) -> tuple[int, int, str] | None:
    """(start, end, item id) of a title with the words beside it that say which work is meant."""
    for pattern, place in _WHICH:
        before = pattern.search(text[:start])
        if before is not None:
            which = works[place] if place is not None else _of_year(works, before[1], catalogue)
            return (before.start(), end, which) if which is not None else None
    after = _WHICH_AFTER.match(text, end)
    if after is None:
        return None
    year = after["year"]
    which = _of_year(works, year, catalogue) if year else works[0 if after["old"] else -1]
    return (start, after.end(), which) if which is not None else None


def _of_year(works: Sequence[str], year: str, catalogue: Catalogue) -> str | None:
    return next((i for i in works if _year(i, catalogue) == int(year)), None)


def works_called(said: str, catalogue: Catalogue) -> tuple[str, ...]:
    """An id of each different work that has this title, oldest first."""
    works = {title_key(catalogue.get(i).title): i for i in reversed(ids_called(said, catalogue))}
    return tuple(sorted(works.values(), key=lambda i: (_year(i, catalogue), catalogue.get(i).title)))


def by_place(text: str) -> str:
    """An answer to "which of these?" by age as one by place: choices stand oldest first."""
    for pattern, place in _BY_AGE:
        text = pattern.sub(place, text)
    return text


def unclear_titles(
    text: str, mentions: Sequence[Mention], liked: Sequence[str], catalogue: Catalogue
) -> Iterator[Unclear]:
    """Titles named as liked that several works have, unless one of these works is among the liked ones already."""
    for m in mentions:
        works = works_called(text[m.start : m.end], catalogue)
        if 1 < len(works) <= MOST_WORKS and not m.negated and not set(works) & set(liked):
            yield Unclear(m.start, m.end, works)


def answered(text: str, choices: Sequence[Filter], catalogue: Catalogue) -> tuple[tuple[Filter, ...], str]:
    """Whom of these people a message picks, as conditions, and the message without the words that do."""
    if not choices:
        return (), text
    names = [str(c.value) for c in choices]
    every = re.search(r"\b(?:both|either|all)\b(?:\s+of\s+them)?", text, re.IGNORECASE)
    if every is not None:
        values = {c.attribute: tuple(str(d.value) for d in choices if d.attribute == c.attribute) for c in choices}
        found = [Filter(a, "in" if choices[0].op == "==" else "not in", v) for a, v in values.items()]
        return tuple(found), _blanked(text, *every.span())
    for pointer in positions(text, names, catalogue, True):
        if pointer.is_clear:
            picked = tuple(c for c in choices if str(c.value) in pointer.item_ids)
            return picked, _blanked(text, pointer.start, pointer.end)
    for name, choice in zip(names, choices, strict=True):
        own = set(phrase_key(name).split()) - {w for n in names if n != name for w in phrase_key(n).split()}
        for word in _WORD.finditer(text):
            key = phrase_key(word.group())
            if key in own or any(is_close(key, w) for w in own):
                start, end = _whole_name(text, *word.span(), phrase_key(name).split())
                return (choice,), _blanked(text, start, end)
    return (), text


def _whole_name(text: str, start: int, end: int, parts: Sequence[str]) -> tuple[int, int]:
    for word in _WORD.finditer(text):
        if phrase_key(word.group()) in parts and (0 <= word.start() - end < 3 or 0 <= start - word.end() < 3):
            start, end = min(start, word.start()), max(end, word.end())
    return start, end


def _blanked(text: str, start: int, end: int) -> str:
    before = re.search(r"\b(?:(?:the\s+one\s+)?(?:with|by)|(?:i\s+)?mean(?:t)?|the)\s+$", text[:start], re.IGNORECASE)
    start = before.start() if before else start
    return text[:start] + " " * (end - start) + text[end:]


def _year(item_id: str, catalogue: Catalogue) -> float:
    values = (v for a, v in catalogue.get(item_id).attributes.items() if is_year(a))
    return next((float(v) for v in values if isinstance(v, int | float)), 0.0)
