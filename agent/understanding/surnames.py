"""People by their surname alone: "spielberg adventures", "with hanks"; and surnames that several people have.

A surname that is an ordinary word too needs a cue that somebody is meant; one that is not does without.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter, Op
from agent.understanding.cues import EVERYDAY, FILLER, stance
from agent.understanding.names import people_named, values_named
from agent.understanding.spans import phrases_in
from agent.understanding.spelling import NOTED, is_ordinary
from agent.workspace.catalogue import Catalogue, phrase_key
from agent.workspace.roles import role_of

MOST_NAMESAKES = 5
_BY_SOMEBODY = re.compile(
    r"\b(?:by|with|starring|featuring|from|director|actor|actress|author)\s+(?:the\s+)?$", re.IGNORECASE
)
_PLACE = re.compile(
    r"\b(?:in|to|at|of|about|near|on|the|around|into|mr|mrs|ms|dr|miss|king|queen|saint|st|lake|mount)\.?\s+$", re.I
)
_WORKS = re.compile(r"(?:['’]s)?\s+(?:films?|movies?|books?|novels?|stuff|pictures?)\b", re.IGNORECASE)
_SURELY_SOMEBODY = re.compile(r"\b(?:by|starring|featuring|director|actor|actress|author)\s+$", re.IGNORECASE)
_NEXT = re.compile(r"\s+([^\W\d_]+(?:-[^\W\d_]+)*)(?:\s+([^\W\d_]+))?")
_GOES_ON = "|".join((*sorted(FILLER), "if", "not", "but", "without", "instead", "rather", "early", "late"))
_NOTHING_HANGS = re.compile(rf"(?:['’]s)?\s*(?:$|[^\w\s]|\x00|\d|(?:{_GOES_ON})\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# What somebody did, by the words before the name, as `role_of` calls it.
_ROLE_CUES = tuple(
    (re.compile(rf"\b(?:{cue})\s+$", re.IGNORECASE), frozenset(roles.split()))
    for cue, roles in (
        (r"(?:directed|shot)\s+by|director", "directed"),
        (r"written\s+by|author|writer", "written"),
        (r"played\s+by|starring|stars?|featuring|features?|with", "stars"),
        (r"by|from", "directed written by"),
    )
)


@dataclass(frozen=True, slots=True)
class Namesakes:
    """text[start:end] is a surname of several people; each of the choices means one of them, the best known first."""

    start: int
    end: int
    choices: tuple[Filter, ...]


def surname_at(
    text: str, start: int, end: int, roles: frozenset[str], catalogue: Catalogue
) -> tuple[tuple[str, str], ...]:
    """(attribute, value) of the one person whom a surname means, where somebody is meant."""
    people = _people_at(text, start, end, roles, catalogue)
    return people if len({phrase_key(value) for _, value in people}) == 1 else ()


def find_namesakes(text: str, catalogue: Catalogue) -> Iterator[Namesakes]:
    """Surnames in a message that several people have, as "hepburn"; a whole name is none."""
    whole = list(phrases_in(text, catalogue.phrases, catalogue.phrase_starts))
    for word in _WORD.finditer(text):
        if any(span.overlaps(*word.span()) for span in whole):
            continue
        people = _people_at(text, *word.span(), roles_cued(text, word.start()), catalogue)
        if 1 < len({phrase_key(value) for _, value in people}) <= MOST_NAMESAKES:
            op: Op = "!=" if stance(text, word.start()) == "against" else "=="
            yield Namesakes(*word.span(), as_choices(people, op, catalogue))


def as_choices(people: Sequence[tuple[str, str]], op: Op, catalogue: Catalogue) -> tuple[Filter, ...]:
    """A condition for each of these people (attribute, value), the best known first, by what they did most often."""
    items: Counter[str] = Counter()
    for attribute, value in people:
        items[value] += catalogue.frequency(attribute, value)
    best = {v: max((a for a, x in people if x == v), key=lambda a: catalogue.frequency(a, v)) for v in items}
    return tuple(Filter(best[v], op, v) for v, _ in items.most_common())


def roles_cued(text: str, start: int) -> frozenset[str]:
    """What somebody named at `start` must have done, as the words before say: "starring", "directed by"."""
    before = text[max(0, start - 30) : start]
    return next((roles for cue, roles in _ROLE_CUES if cue.search(before)), frozenset())


def _people_at(
    text: str, start: int, end: int, roles: frozenset[str], catalogue: Catalogue
) -> tuple[tuple[str, str], ...]:
    """Whom a surname may mean, none where it need not mean anybody."""
    span, key = text[start:end], phrase_key(text[start:end].removesuffix("'s").removesuffix("’s"))
    before = text[max(0, start - 20) : start]
    made = _WORKS.match(text, end) is not None or _is_kind(_NEXT.match(text, end), catalogue)
    cued = bool(roles or _BY_SOMEBODY.search(before) or made)
    people = people_named(key, catalogue) or (people_named(key.removesuffix("s"), catalogue) if cued else ())
    if not people or key in FILLER or key in EVERYDAY or _belongs_to_other(text, start, catalogue):
        return ()
    noted = max(catalogue.frequency(*person) for person in people) >= NOTED
    free = not _PLACE.search(before)
    if span.islower() and is_ordinary(key):
        told = _SURELY_SOMEBODY.search(before) is not None or key not in catalogue.words
        meant = cued and noted and free and told
    else:
        capital = span[:1].isupper() and not text.isupper() and not is_ordinary(key)
        bare = noted and not catalogue.is_first_name(key) and _NOTHING_HANGS.match(text, end) is not None
        meant = cued or (free and (capital or bare))
    return (tuple(p for p in people if role_of(p[0]) in roles) or people) if meant else ()


def _is_kind(following: re.Match[str] | None, catalogue: Catalogue) -> bool:
    """Whether one of the two words after a surname is a kind of item: "a hanks comedy", "kubrick space films"."""
    words = (following[1], following[2] or "") if following is not None else ()
    return any(role_of(a) == "kind" for w in words for a, _, _ in values_named(phrase_key(w), catalogue))


def _belongs_to_other(text: str, start: int, catalogue: Catalogue) -> bool:
    """Whether a word before makes it the name of somebody whom the catalogue does not have: "bruce lee"."""
    before = re.search(r"([^\W\d_]{2,})\s+$", text[:start])
    return (
        before is not None and catalogue.is_first_name(before[1].casefold()) and not is_ordinary(before[1].casefold())
    )
