"""Facts of an item as phrases of a request: "90s", "thriller", "with Tom Hanks", "under $50".

Only what can be asked for in plain words becomes one: no codes, no sentences, no word that would be read as something
which the item is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from agent.justification.wording import is_year, listed, number, plural, role_of, spoken
from agent.schema import Item
from agent.understanding.cues import EVERYDAY, FILLER
from agent.understanding.intent import YEAR_ATTRIBUTES
from agent.understanding.years import DECADES
from agent.workspace.catalogue import Catalogue, bare_key, phrase_key
from finetune import request_words as tables

T = TypeVar("T")
Place = Literal["before", "kind", "after"]

_VALUE = re.compile(r"[^\W\d_](?:[^\W\d_]|[.'’& -])*(?<=[^\W_.'’& -])[.]?")  # no digits: a code, a size, a time
_LABELLED = re.compile(rf"\b({'|'.join(tables.TOPICS)}):\s*([^.\n]+)", re.IGNORECASE)
_LONGEST_VALUE, _MOST_WORDS = 40, 4  # characters, words
_FIRST_YEAR, _LAST_YEAR = 1800, 2099  # what is read as a year
_VOWEL = re.compile(r"(?!uni(?![nm])|eu|one\b|once|use|us\b|uk)[aeiou]|hour|heir|honest|8|18\d\d|11\b", re.IGNORECASE)
_WORD_DECADES = {first: word for word, first in DECADES.items()}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words for facts of one attribute, and where they stand beside the noun.

    `many` is a kind's plural, `key` what is typed as a mere keyword, `order` the place among words before the noun,
    and `adjective` whether the words can follow "something".
    """

    facts: tuple[tuple[str, str], ...]
    place: Place
    one: str
    many: str = ""
    key: str = ""
    order: int = 0
    adjective: bool = False


def pick(random: np.random.Generator, choices: Sequence[T]) -> T:
    """One of them, each as likely as the others."""
    return choices[int(random.integers(len(choices)))]


def with_article(phrase: str) -> str:
    """The phrase after its article, as it sounds: "an 80s film", "a union"."""
    return f"{'an' if _VOWEL.match(phrase) else 'a'} {phrase}"


def sort_of(attribute: str, catalogue: Catalogue) -> str:
    """What an attribute says: "year", "number", "topic", or its role."""
    if catalogue.attribute_types.get(attribute) == "number":
        return "year" if is_year(attribute) or attribute in YEAR_ATTRIBUTES else "number"
    return "topic" if attribute.lower() in tables.TOPICS else role_of(attribute)


def askable(item: Item, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """The values that can be asked for, by attribute. Topics that the text lists after a label are among them.

    "Themes: revenge, small town." in a text is an attribute "themes". Of several attributes that hold years only one
    is left, the one that a request is read by.
    """
    found: dict[str, list[str]] = {}
    for name, kind in catalogue.attribute_types.items():
        if kind == "number":
            found[name] = _numbers(item.attributes.get(name))
        else:
            found[name] = [v for v in item.words(name) if _is_askable(v, name, item, catalogue)]
    for label, values in _LABELLED.findall(item.text):
        said = [v.strip() for v in values.split(",")]
        found.setdefault(label.lower(), []).extend(v for v in said if _is_askable(v, label, item, catalogue))
    years = [name for name in found if found[name] and sort_of(name, catalogue) == "year"]
    read = [name for name in YEAR_ATTRIBUTES if name in years] or years
    return {
        name: tuple(dict.fromkeys(values))
        for name, values in found.items()
        if values and (name not in years or (name == read[0] and _FIRST_YEAR <= float(values[0]) <= _LAST_YEAR))
    }


def is_plain(value: str) -> bool:
    """Whether a value is a few words that mean themselves: no code, no sentence, no everyday word."""
    key = phrase_key(value)
    short = len(value) <= _LONGEST_VALUE and 0 < len(key.split()) <= _MOST_WORDS
    return bool(short and _VALUE.fullmatch(value) and len(key) >= 3 and key not in FILLER and key not in EVERYDAY)


def _is_askable(value: str, attribute: str, item: Item, catalogue: Catalogue) -> bool:
    if not is_plain(value) or phrase_key(value) == bare_key(item.title):
        return False
    # Of several attributes with the same word a request means the one in which it is most frequent.
    rivals = catalogue.phrases.get(phrase_key(value), ())
    meant = max(rivals, key=lambda v: catalogue.frequency(*v), default=None)
    return meant is None or meant[0] == attribute or meant[1] in item.words(meant[0])


def _numbers(value: object) -> list[str]:
    return [number(value)] if isinstance(value, int | float) and 0.01 <= value < 1e7 else []


def phrase(
    attribute: str, values: Sequence[str], catalogue: Catalogue, noun: str, random: np.random.Generator
) -> Phrase | None:
    """One way to ask for these values of an attribute, as `askable` gives them; None where there is none."""
    sort = sort_of(attribute, catalogue)
    if sort == "year":
        return _year(attribute, values[0], noun, random)
    if sort == "number":
        return _number(attribute, values[0], random)
    special: Mapping[str, Callable[..., Phrase]] = {"kind": _kind, "topic": _topic}
    return special.get(sort, _named)(attribute, values, noun, random)


# -- kinds and topics


def kind_names(value: str, noun: str, random: np.random.Generator) -> tuple[str, str]:
    """One name of a kind, in the singular and in the plural: ("war film", "war films"), ("comedy", "comedies")."""
    said = value.lower()
    default = (
        ((said, said),) if said.endswith("s") and "'" not in said else ((f"{said} {{noun}}", f"{said} {{nouns}}"),)
    )
    one, many = pick(random, tables.KINDS.get(said, default))
    return one.format(noun=noun), many.format(nouns=plural(noun))


def _kind(attribute: str, values: Sequence[str], noun: str, random: np.random.Generator) -> Phrase:
    *others, last = sorted(values, key=_place_of_kind)
    one, many = kind_names(last, noun, random)
    before = "".join(f"{tables.MODIFIERS.get(v.lower(), v.lower())} " for v in others)
    facts = tuple((attribute, v) for v in values)
    return Phrase(facts, "kind", before + one, before + many, before + last.lower())


def _place_of_kind(value: str) -> int:
    said = value.lower()
    if said in tables.KINDS_FIRST:
        return tables.KINDS_FIRST.index(said) - len(tables.KINDS_FIRST)
    return tables.KINDS_LAST.index(said) + 1 if said in tables.KINDS_LAST else 0


def _topic(attribute: str, values: Sequence[str], noun: str, random: np.random.Generator) -> Phrase:
    said = spoken(values[0], attribute)
    facts = ((attribute, values[0]),)
    if said in tables.COMPOUNDS:
        return Phrase(facts, "before", said, key=said)
    if said in tables.ADJECTIVES or said.endswith(("ful", "ous", "ish", "less", "able")):
        return Phrase(facts, "before", said, key=said, adjective=True)
    many = said.endswith("s") and not said.endswith(("ss", "us", "is"))
    if said.endswith(tables.SOMEBODY) and said.split()[-1] not in tables.NOBODY:
        return Phrase(facts, "after", f"about {with_article(said)}", key=said)
    if len(said.split()) > 2:
        return Phrase(facts, "after", f"about {said}", key=said)
    bare = many or said in tables.UNCOUNTED or said.endswith(tables.UNCOUNTED_ENDS)
    if bare and (many or random.random() < 0.6):
        before = pick(random, ("about {}", "with {}") if many else ("about {}",))
        return Phrase(facts, "after", before.format(said), key=said)
    return Phrase(facts, "before", said, key=said, order=5)


# -- people, places and what else has a name


def _named(attribute: str, values: Sequence[str], noun: str, random: np.random.Generator) -> Phrase:
    role = "by" if attribute.lower() in tables.MAKERS else role_of(attribute)
    facts = tuple((attribute, v) for v in values)
    key = " ".join(values)
    said = listed(f"the {v}" if v.casefold().startswith(tables.WITH_THE) and role == "place" else v for v in values)
    if role == "place" and len(values) == 1 and values[0].casefold() in tables.OF_PLACE and random.random() < 0.4:
        people = tables.OF_PLACE[values[0].casefold()]
        return Phrase(facts, "before", people, key=people, order=2, adjective=True)
    before = {"other": 0.7, "place": 0.0, "language": 0.3, "by": 0.4}.get(role, 0.12)
    if len(values) == 1 and random.random() < before:
        return Phrase(facts, "before", said, key=key, order=4 if role == "other" else 3)
    after = pick(random, tables.AFTER[role]).format(v=said, name=spoken(attribute), made=tables.MADE.get(noun, "made"))
    return Phrase(facts, "after", after, key=key)


# -- numbers


def _year(attribute: str, value: str, noun: str, random: np.random.Generator) -> Phrase:
    year = int(float(value))
    first, facts = year // 10 * 10, ((attribute, value),)
    name = decade_name(first, random)
    if random.random() < 0.4:
        before = pick(random, (name, name, name, f"{_part(year)} {name}", str(year)))
        return Phrase(facts, "before", before, key=before, order=1)
    low, high = year - int(random.integers(1, 6)), year + int(random.integers(1, 6))
    made = tables.MADE.get(noun, "made")
    after = pick(
        random,
        (
            f"from the {name}", f"from the {name}", f"from the {_part(year)} {name}", f"from {year}", f"from {year}",
            f"{made} between {low} and {high}", f"from {low} to {high}", f"from {low} or later", f"{made} after {low}",
            f"from before {high}", f"older than {high}", f"from around {year}", f"{made} since {low}",
        ),
    )  # fmt: skip
    return Phrase(facts, "after", after, key=name)


def decade_name(first: int, random: np.random.Generator) -> str:
    """A name of the decade that begins with this year: "1990s", "90s", "nineties"; none that means another too."""
    names = [f"{first}s", f"{first}s"]
    names += [f"{first % 100:02d}s"] * 3 if 1920 <= first <= 2000 else []
    names += [f"{first}'s", f"{first % 100}'s"] if 1930 <= first < 2000 else []
    names += [_WORD_DECADES[first]] if first in _WORD_DECADES else []
    return pick(random, names)


def _part(year: int) -> str:
    return "early" if year % 10 < 4 else "mid" if year % 10 < 7 else "late"


def _number(attribute: str, value: str, random: np.random.Generator) -> Phrase | None:
    words = attribute.lower().split("_")
    step = 10 ** math.floor(math.log10(float(value))) / 2
    steps = float(value) / step
    high, low = (math.floor(steps) + pick(random, (1, 1, 2))) * step, (math.ceil(steps) - 1) * step
    if low <= 0:
        return None
    sign = next((tables.MONEY[w] for w in words if w in tables.MONEY), pick(random, ("$", "$", "")))
    ranges = next((tables.RANGES[w] for w in words if w in tables.RANGES), tables.RANGES[""])
    said = pick(random, ranges).format(
        s=sign,
        name=spoken(attribute),
        low=number(round(low, 6)),
        high=number(round(high, 6)),
        near=number(round(round(steps) * step, 6)),
    )
    return Phrase(((attribute, value),), "after", said, key=said)
