"""Small English: lists, articles, verbs, names and roles, for evidence and plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.generation.cleaning import clean, clean_title
from agent.workspace.roles import is_year as is_year  # a part of this vocabulary, which others know from here
from agent.workspace.roles import role_of as role_of

# What a person did with a thing, by what the catalogue calls it.
VERBS = {
    "film": "watched", "movie": "watched", "show": "watched", "series": "watched", "book": "read", "article": "read",
    "game": "played", "song": "played", "album": "played", "artist": "heard", "restaurant": "visited",
}  # fmt: skip
# Attributes whose values are common nouns, which English writes small.
_COMMON = frozenset(
    "genre genres category categories type types style styles tag tags keyword keywords mood moods theme themes".split()
)
# Kinds that are things by themselves: "a crime drama", where others need a noun, "a crime film".
COUNTED = frozenset("thriller western musical documentary biography memoir novel".split())
_THINGS = COUNTED | {"comedy", "drama", "romance", "mystery"}
_APART = frozenset(("animation", "documentary"))  # "an animation comedy" is no English
_PAIRS = (("comedy", "drama"), ("comedy", "thriller"), ("comedy", "mystery"), ("mystery", "thriller"))
VALUE_CHARS = 80
_NEEDS_THE = re.compile(r"(?:united|soviet|czech|dominican) .*|.*(?:lands|republic|kingdom|states|union)|[A-Z]{2,}")
_PLAIN_VALUE = re.compile(r"[\w&'’.,/()+! -]+")
_TELLS = re.compile(r"\b(?:you|your|people)\b.*\b(?:(?:dis)?like[ds]?|loved?|hated?|enjoyed|asked|saw|\w+ed)\b", re.I)


def listed(words: Iterable[str], joint: str = "and") -> str:
    """A list in words: "a", "a and b", "a, b and c"; nothing for no words."""
    said = list(words)
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {joint} {said[-1]}" if said else ""


def spoken(word: str, attribute: str = "") -> str:
    """A value as it stands in a sentence; an attribute's name with spaces.

    A value never leaves its place: it is one line, and one that is longer than a name stands in quotation marks.
    """
    if not attribute:
        return clean(word.replace("_", " "), VALUE_CHARS)
    said = clean(word.lower() if attribute in _COMMON else word, VALUE_CHARS)
    if role_of(attribute) == "place" and _NEEDS_THE.fullmatch(said if said.isupper() else said.lower()):
        said = f"the {said}"
    plain = len(said.split()) <= 6 and _PLAIN_VALUE.fullmatch(said) and not _TELLS.search(said)
    return said if plain else quoted(said)


def titled(title: str) -> str:
    """A title as it stands in a sentence: one line, and in quotation marks where it reads like a statement itself."""
    said = clean_title(title)
    return quoted(said) if _TELLS.search(said) else said


def quoted(said: str) -> str:
    """In quotation marks, those inside made single."""
    return '"' + re.sub(r"[\"“”]", "'", said) + '"'


def with_article(phrase: str) -> str:
    """The phrase after its article: "an action film", "a comedy", "an 80s comedy"."""
    return f"{'an' if re.match(r'[aeiou8]|1[18]', phrase, re.IGNORECASE) else 'a'} {phrase}"


def holds_noun(kind: str, noun: str) -> bool:
    """Whether a kind is called such a thing already: "film-noir" of films, "board game" of games."""
    return bool(noun) and noun in re.split(r"[ -]", kind)


def kinds_listed(values: Iterable[str], attribute: str, noun: str, joint: str = "and") -> str:
    """Values of an attribute in a row; of kinds, what holds the noun comes before those that need it."""
    said = [spoken(v, attribute) for v in values]
    if role_of(attribute) == "kind":
        said.sort(key=lambda kind: not holds_noun(kind, noun))
    return listed(said, joint)


def kinds_said(kinds: Sequence[str], noun: str, *, many: bool = False) -> str:
    """Kinds as one noun: "crime thriller", "war and action film"; the mere noun for none."""
    ending = plural if many else str
    things = [k for k in kinds if k in _THINGS] or [k for k in kinds if holds_noun(k, noun)][:1]
    plain = [k for k in kinds if k not in things]
    if len(things) == 2 and not plain and (pair := next((p for p in _PAIRS if set(p) == set(things)), None)):
        return f"{pair[0]} {ending(pair[1])}"
    if len(things) == 1 and (not plain or (len(plain) == 1 and _APART.isdisjoint(kinds))):
        return " ".join((*plain, ending(things[0])))
    return " ".join(filter(None, (listed((*plain, *things)), ending(noun))))


def decade(year: float) -> str:
    """The decade of a year as people say it: "90s", "2000s", "1910s"."""
    start = int(year) // 10 * 10
    return f"{start % 100}s" if 1920 <= start < 2000 else f"{start}s"


def verb_of(noun: str) -> str:
    """What one did with such a thing, in the past."""
    return VERBS.get(noun.lower(), "chose")


def plural(noun: str) -> str:
    """More than one of it: "films", "comedies", "series"."""
    if noun.endswith("s"):
        return noun
    return noun[:-1] + "ies" if re.search(r"[^aeiou]y$", noun) else noun + "s"


def number(value: float) -> str:
    """A number as people write it: 1996, 12.5; never 1e+06."""
    return str(int(value)) if float(value).is_integer() else str(value)


def of_this(clause: str, noun: str) -> str:
    """A clause about "it" that stands beside another title, so that it cannot be taken to mean that one."""
    return "this is" if clause == "it is" else re.sub(r"^it\b", f"this {noun}", clause)


def stated(attribute: str, said: str, noun: str = "", *, likewise: bool = False, negated: bool = False) -> str:
    """A clause, without its full stop, that says what an item has: "it is also directed by Ridley Scott".

    Args:
        attribute: whose values are said.
        said: the values, as `spoken` and `listed`.
        noun: what such a thing is called, for values that say what kind it is: "it is a war film".
        likewise: whether another item has them too.
        negated: whether the item has none of them.
    """
    no, also = "not " * negated, "also " * likewise
    role = role_of(attribute)
    if role == "kind":
        kind = with_article(with_noun(said, noun)) if noun else said
        return f"it is {no}{kind}{' too' * likewise}"
    if role in ("directed", "written", "by"):
        done = {"directed": "directed by", "written": "by", "by": "by"}[role]
        return f"it is {no}{also}{done} {said}"
    if role == "stars":
        return f"it does not star {said}" if negated else f"it {also}stars {said}"
    if role == "place":
        return f"it is {no}{also}from {said}"
    name = spoken(attribute)
    verb = ("do not include" if negated else "include") if name.endswith("s") else f"is {no}".strip()
    return f"its {name} {verb} {said}{' too' * likewise}"


def with_noun(said: str, noun: str) -> str:
    """Kinds, as `kinds_listed`, before their noun, unless they are called by it alone: "a film-noir"."""
    alone = not re.search(r",| and | or ", said) and holds_noun(said, noun)
    return said if alone or said.endswith(f" {noun}") else f"{said} {noun}".strip()


def sentence(clause: str) -> str:
    """A clause as a sentence."""
    return f"{clause[0].upper()}{clause[1:]}."


def source(*attributes: str, beside: str = "") -> str:
    """Where a fact was looked up: attributes of the catalogue, and what else it rests on."""
    catalogue = f"the catalogue: {', '.join(spoken(name) for name in attributes)}"
    return f"{beside}; {catalogue}" if beside else catalogue
