"""Small English: lists, articles, verbs and the case of words, for evidence and plain sentences."""

from __future__ import annotations

from collections.abc import Iterable

# What a person did with a thing, by what the catalogue calls it.
VERBS = {
    "film": "watched", "movie": "watched", "show": "watched", "series": "watched", "book": "read", "article": "read",
    "game": "played", "song": "played", "album": "played", "artist": "heard", "restaurant": "visited",
}  # fmt: skip
# Attributes whose values are common nouns, which English writes small.
_COMMON = frozenset(
    "genre genres category categories type types style styles tag tags keyword keywords mood moods theme themes".split()
)


def listed(words: Iterable[str], joint: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    said = list(words)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {joint} {said[-1]}" if said else ""


def spoken(word: str, attribute: str = "") -> str:
    """A value as it stands in a sentence; an attribute's name with spaces."""
    if not attribute:
        return word.replace("_", " ")
    return word.lower() if attribute in _COMMON else word


def with_article(phrase: str) -> str:
    """ "an action film", "a comedy"."""
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def verb_of(noun: str) -> str:
    """What one did with such a thing, in the past."""
    return VERBS.get(noun.lower(), "chose")
