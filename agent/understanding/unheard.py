"""What of a request cannot count: letters that are no word, and lengths where the catalogue tells none.

A word that neither the catalogue nor a dictionary has may still mean something to the encoder ("wuxia"), so it stays a
wish unless its letters follow each other as in no word at all: "asdfgh".
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from agent.understanding.cues import NUMBERS
from agent.understanding.spelling import dictionary, is_known, respelled
from agent.workspace.catalogue import Catalogue, phrase_key

SHORTEST = 4  # letters of a word that can be judged
STRANGE = 0.3  # the share of its runs of three letters that stand in no word, from which on a word is none
_WORD = re.compile(r"(?<![\w'’.@/-])[a-z]+(?![\w'’@/-]|\.\w)")  # in lower case: a name that nobody knows has a capital
_N = rf"(?:\d+(?:[.,:]\d+)?|an?|half\s+an|{'|'.join(NUMBERS)})"
_ABOUT = re.compile(r"\b(?:about|in|of|for|first|last|next|every)\s+(?:the\s+)?(?:(?:first|last)\s+)?$", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:\b(?:(?:no|not|less|more|fewer)\s+(?:\w+\s+)?than|(?:shorter|longer)\s+than|under|below|over|above|within|around|roughly"
    rf"|at\s+(?:most|least)|up\s+to|max(?:imum)?|min(?:imum)?)\s+)?\b{_N}[\s-]*(?P<unit>hours?|hrs?|h|minutes?|mins?|pages?)\b"
    r"(?:\s+and\s+a\s+half|\s*\d+\s*(?:minutes?|mins?|m)?)?(?:\s+(?:long|or\s+(?:less|more|so)|max(?:imum)?|at\s+most))?",
    re.IGNORECASE,
)
_CHINESE_LENGTH = re.compile(
    r"(?:不超过|少于|超过|多于)?(?:\d+|[一二两三四五半]+)个?(?:半)?(?:小时|分钟)(?:以内|以下|以上|左右)?"
)
_NAMES = frozenset(("minutes", "runtime", "duration", "length", "hours", "pages", "running_time"))


def lengths(text: str, catalogue: Catalogue) -> list[tuple[int, int]]:
    """Where a message says how long an item may be, in a catalogue without an attribute that tells it."""
    if any(_NAMES.intersection((n.lower(), *n.lower().split("_"))) for n in catalogue.attribute_types):
        return []
    found = [m.span() for m in _LENGTH.finditer(text) if not _ABOUT.search(text[: m.start()])]
    return found + [m.span() for m in _CHINESE_LENGTH.finditer(text)]


def is_noise(word: str, catalogue: Catalogue) -> bool:
    """Whether letters are no word: none that the catalogue or a dictionary has, and unlike all of theirs."""
    if len(word) < SHORTEST or not _WORD.fullmatch(word) or is_known(word):
        return False
    lines, known = f"\n{word}\n", _known_words(catalogue)
    if lines in known:
        return False
    threes = [lines[i : i + 3] for i in range(len(word))]
    return sum(three not in known and three not in _ordinary() for three in threes) >= STRANGE * len(threes)


def noise_in(text: str, catalogue: Catalogue) -> list[str]:
    """The letters of a message that are no word, once its slips are put right."""
    return [w for w in dict.fromkeys(_WORD.findall(respelled(text, catalogue))) if is_noise(w, catalogue)]


@cache
def _ordinary() -> str:
    return "\n" + "\n".join(word.lower() for word in dictionary()) + "\n"


@lru_cache(maxsize=2)
def _known_words(catalogue: Catalogue) -> str:
    """Every word of the catalogue on a line of its own."""
    said: set[str] = set()
    for item in catalogue.items:
        values = (word for attribute in item.attributes for word in item.words(attribute))
        said.update(phrase_key(" ".join((item.title, *values))).split())
    return "\n" + "\n".join(sorted(said | catalogue.words)) + "\n"
