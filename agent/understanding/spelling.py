"""Slips of the finger: "comdy", "by Tarrantino", "Pulp Ficton". Conservative: a correct English word stays as it is.

A word is changed only where no dictionary has it, one known word is nearer than all others, and that word then means
something here: a value by itself, a part of a longer name or title that stands there whole, or a name after "by".
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from weakref import WeakKeyDictionary

from agent.understanding.cues import EVERYDAY, FILLER, NUMBERS
from agent.understanding.names import OTHER_NAMES, singulars
from agent.understanding.places import ADJECTIVES
from agent.understanding.sounds import SHORTHAND
from agent.workspace.catalogue import Catalogue, phrase_key, plain
from agent.workspace.roles import role_of

SHORTEST, LONG = 5, 9  # letters; a long word may have two slips
MANY_VALUES = 60
NOTED = 3  # items of somebody whose surname is known without a cue
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NAME_BEFORE = re.compile(r"\b(?:by|with|starring|featuring|from|director|author|actor|actress)\s+$", re.I)
_TITLE_BEFORE = re.compile(
    r"\b(?:like|liked|love|loved|hate|hated|enjoyed|seen|watched|saw|read|than|of|to|and|was)\s+(?:the\s+)?[\"“'‘]?$",
    re.IGNORECASE,
)
_WITH = re.compile(r"(?<!\w)w/(?!o\b)\s*", re.IGNORECASE)
_ORDINAL_BEFORE = re.compile(r"\bthe\s+$", re.IGNORECASE)
_ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth".split())


@cache
def dictionary() -> frozenset[str]:
    """Words of 3 to 16 letters: the ENABLE list (public domain); capitalised what BERT's vocabulary has besides."""
    packed = files("agent.understanding").joinpath("english.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("ascii").split())


def is_ordinary(word: str) -> bool:
    """Whether a word in lower case is an ordinary English word, such as "hunt", and no mere name."""
    return word in dictionary()


def is_known(word: str) -> bool:
    """Whether a dictionary has a word in lower case, as an ordinary word or a name."""
    return word in dictionary() or word.capitalize() in dictionary()


def is_close(said: str, name: str) -> bool:
    """Whether one is the other with a slip or two: at most one in a short name, two in a long one."""
    return min(len(said), len(name)) >= SHORTEST and 0 < _slips(said, name) <= _allowed(said, name)


def _slips(said: str, name: str) -> int:
    """How many letters were left out, added, changed, or swapped with the next; 3 stands for more than 2."""
    from rapidfuzz.distance import OSA

    return int(OSA.distance(said, name, score_cutoff=2))


@dataclass(frozen=True)
class _Known:
    """Words that a catalogue knows: by first letter, and which of them stand alone, name people, or are titles."""

    by_letter: Mapping[str, tuple[str, ...]]
    alone: frozenset[str]
    surnames: frozenset[str]
    noted: frozenset[str]  # surnames of people with several items
    titles: frozenset[str]
    phrases: Mapping[str, frozenset[str]]  # of several words, by each of these words


_KNOWN: WeakKeyDictionary[Catalogue, _Known] = WeakKeyDictionary()


def respelled(text: str, catalogue: Catalogue) -> str:
    """The text with slips in names, values and titles put right."""
    known = _KNOWN.get(catalogue)
    if known is None:
        known = _KNOWN[catalogue] = _known(catalogue)
    text = _WITH.sub("with ", text)
    words = list(_WORD.finditer(text))
    keys = [phrase_key(w.group()).replace(" ", "") for w in words]
    changes: list[tuple[int, int, str]] = []
    for i, word in enumerate(words):
        right = _corrected(text, word.start(), keys, i, known)
        if right is not None:
            changes.append((*word.span(), right.capitalize() if word.group()[:1].isupper() else right))
    for start, end, right in reversed(changes):
        text = text[:start] + right + text[end:]
    return text


def _corrected(text: str, start: int, keys: list[str], i: int, known: _Known) -> str | None:
    said = keys[i]
    free = text[start].islower() or not text[:start].strip()  # "Ty Cobb", "the U.S."
    if said in SHORTHAND and free and not re.match(r"\w+[.-]\w", text[start:]) and not _completes(said, keys, i, known):
        return SHORTHAND[said]
    if len(said) < SHORTEST - 1 or said in FILLER or said in EVERYDAY or said in NUMBERS:
        return None
    if said in known.alone or said in known.surnames or said in known.phrases or said in known.titles:
        return None
    near = [w for w in known.by_letter.get(said[0], ()) if _slips(said, w) <= _allowed(said, w)]
    if not near:
        return None
    complete = [w for w in near if _completes(w, keys, i, known)]
    if len(complete) == 1:
        return complete[0]
    if len(said) < SHORTEST or is_known(said):
        return None
    before = text[max(0, start - 40) : start]
    fits = [w for w in near if w in known.alone]
    fits = fits or [w for w in near if w in known.surnames and _NAME_BEFORE.search(before)]
    fits = fits or [w for w in near if w in known.noted and len(w) >= 6]
    fits = fits or [w for w in near if w in known.titles and len(w) >= 6 and _TITLE_BEFORE.search(before)]
    fits = fits or [w for w in near if w in _ORDINALS and _ORDINAL_BEFORE.search(before)]
    best = min((_slips(said, w) for w in fits), default=0)
    fits = [w for w in fits if _slips(said, w) == best]
    one_thing = {min(singulars(w), key=len) for w in fits}
    return fits[0] if fits and len(one_thing) == 1 else None


def _allowed(said: str, word: str) -> int:
    return 1 if min(len(said), len(word)) < LONG else 2


def _completes(word: str, keys: list[str], i: int, known: _Known) -> bool:
    """Whether a word in place i makes a phrase of the catalogue whole; an English word in its place needs two more."""
    at_least = 3 if is_known(keys[i]) or len(keys[i]) < SHORTEST else 2
    for phrase in known.phrases.get(word, ()):
        parts = phrase.split()
        if len(parts) < at_least:
            continue
        for k, part in enumerate(parts):
            if part == word and keys[max(i - k, 0) : i - k + len(parts)] == [*parts[:k], keys[i], *parts[k + 1 :]]:
                return i - k >= 0
    return False


def _known(catalogue: Catalogue) -> _Known:
    alone: set[str] = {w for w in ADJECTIVES if " " not in w} if _has_places(catalogue) else set()
    surnames: set[str] = set()
    noted: set[str] = set()
    phrases: set[str] = set(OTHER_NAMES)
    for name, values in catalogue.vocabulary.items():
        for value in values.values():
            key = phrase_key(value)
            parts = key.split()
            if len(parts) > 1:
                phrases.add(key)
            if len(values) <= MANY_VALUES and len(parts) == 1:
                alone.update(_with_plural(key))
            elif len(values) > MANY_VALUES or role_of(name) in ("written", "directed", "stars", "by"):
                surnames.add(parts[-1] if parts else "")
                noted.update(parts[-1:] if len(parts) > 1 and catalogue.frequency(name, value) >= NOTED else ())
    alone.update(w for w in OTHER_NAMES if " " not in w)
    titles = set(catalogue.by_title)
    phrases.update(t for t in titles if " " in t)
    by_word: dict[str, set[str]] = defaultdict(set)
    for phrase in phrases:
        for word in phrase.split():
            by_word[word].add(phrase)
    single = frozenset(t for t in titles if " " not in t)
    letters: dict[str, list[str]] = defaultdict(list)
    for word in sorted(_long({*alone, *surnames, *single, *by_word, *_ORDINALS})):
        letters[word[0]].append(word)
    return _Known(
        {k: tuple(v) for k, v in letters.items()}, frozenset(alone), frozenset(surnames), frozenset(noted), single,
        {k: frozenset(v) for k, v in by_word.items()},
    )  # fmt: skip


def _has_places(catalogue: Catalogue) -> bool:
    return any(role_of(name) == "place" for name in catalogue.attribute_types)


def _with_plural(key: str) -> Iterator[str]:
    yield key
    yield key[:-1] + "ies" if key.endswith("y") else key + "s"


def _long(words: Iterable[str]) -> Iterator[str]:
    return (w for w in words if len(w) >= SHORTEST and plain(w).isalpha())
