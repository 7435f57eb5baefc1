"""The catalogue in memory: items by position, titles by any usual spelling, words by attribute."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError, UnknownItemError
from agent.schema import AttributeType, Filter, Item, Op
from agent.workspace.roles import PEOPLE, role_of

YEAR_SUFFIX = re.compile(r"\s*\((\d{4})\)\s*$")

_LEADING_ARTICLE = re.compile(r"\A(?:l['’]\s*|(?:the|an?|la|les?|il|lo|gli|der|das|el|los|las)\s+)(?=\w)")
# "Godfather, The (1972)" and "Godfather, The" are how catalogues file what people call "The Godfather".
_TRAILING_ARTICLE = re.compile(
    r"\s*,\s*(?:the|an?|la|les?|il|lo|gli|der|die|das|el|los|las|l['’])(?=\s*(?:\(?\d{4}\)?)?\W*$)"
)

# "12 Monkeys" and "Twelve Monkeys" are one title.
_DIGITS = {w: str(i) for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)}

_OF_SEVERAL: Mapping[Op, Op] = {"==": "in", "in": "in", "!=": "not in", "not in": "not in"}

# What a text lists after a label: "Themes: cold war, spies."
_TOPICS = re.compile(r"\b(?:tags?|keywords?|themes?|moods?|topics?|subjects?):\s*([^.\n]+)", re.IGNORECASE)


def plain(text: str) -> str:
    """Text as people type it: no case and no accents."""
    if text.isascii():
        return text.casefold()
    parted = re.sub(r"(?<=\d)(?=[¼½¾⅓⅔])", " ", text)  # "8½" is "8 1/2", not "81/2"
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", parted).casefold())
    return "".join(c for c in flat if not unicodedata.combining(c))


def phrase_key(text: str) -> str:
    """The words of a text: no case, accents or punctuation."""
    return " ".join(re.findall(r"\w+", plain(text).replace("&", " and ")))


def item_key(item: Item) -> str:
    """Its id with a mark of its title: what tells it from the items of other catalogues, which may be numbered too."""
    return f"{item.item_id}#{hashlib.sha256(title_key(item.title).encode()).hexdigest()[:8]}"


def title_key(title: str) -> str:
    """A title as people type it: no case, accents, punctuation or article around it; the year stays as a last word.

    A title without any letter or digit is its own key.
    """
    flat = plain(title)
    flat = flat[next((i for i, c in enumerate(flat) if c.isalnum()), 0) :]
    moved = _TRAILING_ARTICLE.sub("", flat)
    key = phrase_key(moved if moved != flat else _LEADING_ARTICLE.sub("", flat))
    return " ".join(_DIGITS.get(word, word) for word in key.split()) or title.strip()


def bare_key(title: str) -> str:
    """`title_key` without the year."""
    return title_key(YEAR_SUFFIX.sub("", title))


class Catalogue:
    """A snapshot of the store's items.

    Positions count from 0 in the store's order and index all arrays of the agent.
    """

    def __init__(self, items: Sequence[Item], attribute_types: Mapping[str, AttributeType]) -> None:
        self.items = tuple(items)
        self.ids = tuple(item.item_id for item in self.items)
        self.position = {item_id: place for place, item_id in enumerate(self.ids)}
        self.attribute_types = dict(attribute_types)

    def __len__(self) -> int:
        return len(self.items)

    def get(self, item_id: str) -> Item:
        """The item with this id; UnknownItemError if there is none."""
        if item_id not in self.position:
            raise UnknownItemError(item_id, self.nearest(item_id))
        return self.items[self.position[item_id]]

    def positions(self, item_ids: Iterable[str]) -> NDArray[np.int64]:
        """The positions of these ids in their order; ids that have left the catalogue are passed over."""
        return np.array([self.position[i] for i in item_ids if i in self.position], dtype=np.int64)

    # -- titles

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The `item_key` of every item, by position."""
        return tuple(item_key(item) for item in self.items)

    @cached_property
    def by_title(self) -> Mapping[str, tuple[str, ...]]:
        """Item ids by `title_key` and, where they differ, by `bare_key`, by the name in brackets and that before.

        So "Seven (Se7en) (1995)" is found as "Seven" and "Se7en" too, and "Schindler's List (1993)" as "Schindlers
        List".
        """
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            short = re.sub(r"\s*\([^()]*\)", "", item.title)
            others = re.findall(r"\(([^()]*[^\W\d_][^()]*)\)", item.title)
            keys = title_key(item.title), bare_key(item.title), title_key(short), *map(title_key, others)
            for key in dict.fromkeys((*keys, bare_key(re.sub(r"(?<=\w)['’](?=\w)", "", item.title)))):
                if key:
                    found[key].append(item.item_id)
        return {key: tuple(ids) for key, ids in found.items()}

    @cached_property
    def title_starts(self) -> Mapping[str, int]:
        """For each first word of a title's key: how many words the longest such key has."""
        return _starts(self.by_title)

    @cached_property
    def _editions(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            found[title_key(item.title)].append(item.item_id)
        return {key: tuple(ids) for key, ids in found.items()}

    @cached_property
    def works(self) -> NDArray[np.int64]:
        """By position, the position of the first item of the same work: equal where a title stands more than once."""
        first: dict[str, int] = {}
        keys = (title_key(item.title) for item in self.items)
        return np.array([first.setdefault(key, place) for place, key in enumerate(keys)], dtype=np.int64)

    def same_work(self, item_id: str) -> tuple[str, ...]:
        """All ids under which the catalogue lists this title: one work can stand in it twice."""
        item = self.items[self.position[item_id]]
        return self._editions[title_key(item.title)]

    def editions(self, item_ids: Iterable[str]) -> set[str]:
        """These items and all others of the same works; ids that have left the catalogue are passed over."""
        return {other for i in item_ids if i in self.position for other in self.same_work(i)}

    def resolve(self, given: str) -> str:
        """The item id meant by an id or a title; a title may lack its year, case, accents or article.

        Raises UnknownItemError with the nearest titles, or InputError with the choices where several works fit.
        """
        if given in self.position:
            return given
        ids = self.by_title.get(title_key(given), ())
        if not ids:
            raise UnknownItemError(given, self.nearest(given))
        works = dict.fromkeys(title_key(self.get(i).title) for i in ids)
        if len(works) > 1:
            choices = ", ".join(f'"{self.get(i).title}"' for i in ids[:6])
            raise InputError(f"Several items are called {given[:80]!r}: {choices}. Give the full title or the item id.")
        return ids[0]

    def nearest(self, given: str, n: int = 3) -> tuple[str, ...]:
        """The n titles closest to what was typed, nearest first; none when nothing is close."""
        from rapidfuzz import fuzz, process

        keys = list(self.by_title)
        found = process.extract(title_key(given[:200]), keys, scorer=fuzz.ratio, limit=4 * n, score_cutoff=55)
        titles = dict.fromkeys(self.get(item_id).title for key, _, _ in found for item_id in self.by_title[key])
        return tuple(titles)[:n]

    # -- attributes

    @cached_property
    def known(self) -> Mapping[str, int]:
        """For each attribute: of how many items it is known; 0 for one that no item has."""
        return Counter(name for item in self.items for name in item.attributes if item.words(name))

    @cached_property
    def vocabulary(self) -> Mapping[str, Mapping[str, str]]:
        """For each word or list attribute: its values by their lower-case form."""
        found: dict[str, dict[str, str]] = {n: {} for n, kind in self.attribute_types.items() if kind != "number"}
        for item in self.items:
            for name, words in found.items():
                for word in item.words(name):
                    words.setdefault(word.casefold(), word)
        return found

    @cached_property
    def phrases(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """(attribute, value) by the `phrase_key` of a value of a word or list attribute."""
        found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        for name, words in self.vocabulary.items():
            for value in words.values():
                found[phrase_key(value)][name, value] = None
        found.pop("", None)
        return {key: tuple(values) for key, values in found.items()}

    @cached_property
    def phrase_starts(self) -> Mapping[str, int]:
        """For each first word of a phrase: how many words the longest such phrase has."""
        return _starts(self.phrases)

    @cached_property
    def surnames(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """(attribute, value) by the last word of a person's name, and by its last two: "gogh" and "van gogh"."""
        found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        for name, words in self.vocabulary.items():
            for value in words.values() if role_of(name) in PEOPLE else ():
                parts = phrase_key(re.sub(r",?\s+[JS]r\.?$", "", value)).split()
                for n in (1, 2) if len(parts) > 2 else (1,):
                    if len(parts) > 1:
                        found[" ".join(parts[-n:])][name, value] = None
        return {key: tuple(values) for key, values in found.items()}

    @cached_property
    def surname_starts(self) -> Mapping[str, int]:
        """For each first word of a key of `surnames`: how many words the longest such key has."""
        return _starts(self.surnames)

    @cached_property
    def _first_names(self) -> frozenset[str]:
        people = (v for n, words in self.vocabulary.items() if role_of(n) in PEOPLE for v in words.values())
        return frozenset(parts[0] for v in people if len(parts := phrase_key(v).split()) > 1)

    def is_first_name(self, word: str) -> bool:
        """Whether the name of a person begins with this word, in lower case."""
        return word in self._first_names

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that the texts of the items have in lower case: ordinary words, and no mere names."""
        return frozenset(word for item in self.items for word in re.findall(r"\b[a-z]+\b", item.text))

    @cached_property
    def topics(self) -> Mapping[str, tuple[int, ...]]:
        """Positions of the items by the `phrase_key` of each topic that their texts list, such as "cold war"."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(self.items):
            for listed in _TOPICS.findall(item.text):
                for key in dict.fromkeys(map(phrase_key, listed.split(","))):
                    found[key].append(place)
        return {key: tuple(places) for key, places in found.items()}

    @cached_property
    def topic_starts(self) -> Mapping[str, int]:
        """For each first word of a topic: how many words the longest such topic has."""
        return _starts(self.topics)

    @cached_property
    def _counts(self) -> Mapping[tuple[str, str], int]:
        words = [n for n, kind in self.attribute_types.items() if kind != "number"]
        return Counter((name, word) for name in words for item in self.items for word in item.words(name))

    def frequency(self, attribute: str, value: str) -> int:
        """How many items have this value; at least 1."""
        return max(1, self._counts.get((attribute, value), 0))

    def canonical(self, condition: Filter) -> Filter:
        """The filter with its words spelt as in the catalogue, whatever case they came in."""
        words = self.vocabulary.get(condition.attribute)
        if words is None:
            return condition

        def spelt(value: str | float | int) -> str | float | int:
            return words.get(value.casefold(), value) if isinstance(value, str) else value

        value = condition.value
        fixed = tuple(spelt(v) for v in value) if isinstance(value, tuple) else spelt(value)
        return Filter(condition.attribute, condition.op, fixed)

    @cached_property
    def _spellings(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """By attribute and lower-case form, the values that the catalogue spells in several cases."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, word in self._counts:
            found[name, word.casefold()].append(word)
        return {key: tuple(words) for key, words in found.items() if len(words) > 1}

    def in_every_case(self, condition: Filter) -> Filter:
        """The filter on all spellings of its words that the catalogue has; itself where there is one of each."""
        name, op, value = condition.attribute, _OF_SEVERAL.get(condition.op), condition.value
        words = value if isinstance(value, tuple) else (value,)
        spelt = dict.fromkeys(s for w in words for s in self._spellings.get((name, str(w).casefold()), (w,)))
        return condition if op is None or spelt.keys() == {*words} else Filter(name, op, tuple(spelt))


def _starts(keys: Iterable[str]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for key in keys:
        words = key.split()
        if words:
            longest[words[0]] = max(longest.get(words[0], 0), len(words))
    return longest
