"""What a mood asks for where a catalogue only knows kinds: "funny" looks for comedies. A leaning, never a condition."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.understanding.chinese_words import KINDS, MOODS

# Mood words by the kind that they lean to. Only kinds that the catalogue has are used.
_MOODS: Mapping[str, str] = {
    "comedy": "funny funnier hilarious humorous witty silly laugh laughs amusing lighthearted light-hearted goofy",
    "thriller": "tense suspense suspenseful thrilling gripping nail-biting edge-of-your-seat twisty",
    "horror": "scary scarier creepy frightening terrifying spooky gory",
    "romance": "romantic love lovely date-night",
    "drama": "moving touching serious emotional heartbreaking sad tearjerker melancholy thoughtful",
    "action": "fast-paced explosive adrenaline action-packed explosions",
    "adventure": "adventurous swashbuckling epic quest",
    "sci-fi": "futuristic space aliens robots spaceship dystopian mind-bending cyberpunk",
    "mystery": "mysterious puzzling whodunit enigmatic detective",
    "crime": "gangster gangsters heist mafia mob",
    "fantasy": "magical magic enchanted fairy-tale dreamlike",
    "children's": "child-friendly family-friendly wholesome",
    "musical": "singing dancing songs",
    "western": "cowboy cowboys gunslinger",
    "war": "soldiers battle battlefield",
    "documentary": "true real-life factual",
    "film-noir": "hardboiled hard-boiled",
}
_KIND_OF = {mood: kind for kind, moods in _MOODS.items() for mood in moods.split()}
MOOD_WORDS = frozenset(_KIND_OF)


def kinds_of(wishes: str, vocabulary: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, str]]:
    """The (attribute, value) that each mood word of the wishes leans to, in the order of the words.

    `vocabulary` is the catalogue's: for each attribute its values by their lower-case form.
    """
    found = {}
    for word in re.findall(r"[\w'-]+", wishes.casefold()):
        kind = _KIND_OF.get(word)
        attribute = next((name for name, values in vocabulary.items() if kind in values), None)
        if kind is not None and attribute is not None:
            found[word] = (attribute, vocabulary[attribute][kind])
    return found


def leanings(wishes: str, vocabulary: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, str]]:
    """As `kinds_of`, and the same for what Chinese has for moods: 好笑 leans to comedies."""
    found = kinds_of(wishes, vocabulary)
    for mood, kind in MOODS.items():
        names = (kind, *KINDS.get(kind, ()))
        told = next(((a, values[n]) for n in names for a, values in vocabulary.items() if n in values), None)
        if mood in wishes and told is not None and not any(mood in word for word in found):
            found[mood] = told
    return found


def with_kinds(wishes: str, vocabulary: Mapping[str, Mapping[str, str]]) -> str:
    """The wishes, and behind them the kinds that Chinese moods among them lean to, for a catalogue in English."""
    kinds = [kind for mood, (_, kind) in leanings(wishes, vocabulary).items() if mood in MOODS]
    return " ".join(dict.fromkeys((wishes, *kinds))) if kinds else wishes


def as_kinds(wishes: str, vocabulary: Mapping[str, Mapping[str, str]]) -> str:
    """The wishes with each mood word replaced by the kind it leans to: "tense robots" becomes "Thriller Sci-Fi"."""
    kinds, wishes = kinds_of(wishes, vocabulary), with_kinds(wishes, vocabulary)
    words = [kinds[word.casefold()][1] if word.casefold() in kinds else word for word in re.findall(r"[\w'-]+", wishes)]
    return " ".join(dict.fromkeys(words))
