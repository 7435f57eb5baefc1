"""Values of the catalogue's attributes in a message ("comedies", "in French"), and the conditions they make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent.schema import Filter
from agent.understanding.cues import EVERYDAY, FILLER, Stance, scopes, stance
from agent.understanding.names import all_at_once, longest_name, singulars, values_named
from agent.understanding.places import countries_said
from agent.understanding.spans import WITHIN, Span, phrases_in
from agent.understanding.surnames import roles_cued, surname_at
from agent.workspace.catalogue import Catalogue, phrase_key
from agent.workspace.roles import PEOPLE, role_of

MANY_VALUES = 60  # an attribute with more of them holds names (authors, actors), and a name is told by its capital
_COMPOUND = re.compile(r"[\w'’]+(?:-[\w'’]+)*")
_PART = re.compile(r"[\w'’]+")
# What a story is about; "how about a comedy?" only proposes one.
_NO_STORY = r"(?!(?:by|directed|featuring|from|starring|with|without|written)\b)"  # who made it, or plays in it
_ABOUT = re.compile(
    rf"(?<!\bhow )(?<!\bwhat )\babout\s+(?:(?:the|an?|one|two|some)\s+)?(?:{_NO_STORY}\w+\s+){{0,2}}$", re.IGNORECASE
)
_BY = re.compile(r"\b(?:by|with|starring|from|of|like)\s+$", re.IGNORECASE)
_JOINT = re.compile(r"(?:[\s,&/]|\band\b|\bor\b)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One value of an attribute, said at text[start:end]."""

    attribute: str
    value: str
    start: int
    end: int
    stance: Stance | None
    plural: bool


def find_words(text: str, said: str, catalogue: Catalogue) -> list[Word]:
    """Values that the text names, longest first where they overlap; `said` is the message in which cues are sought.

    A word that may be meant otherwise is left alone: what a story is about, an everyday word or a very short one that
    does not stand beside the attribute's name, a name in lower case, a part of a topic of another kind.
    """
    units = list(_units(text, catalogue))
    topics = list(phrases_in(text, catalogue.topics, catalogue.topic_starts))
    found: list[Word] = []
    roles: frozenset[str] = frozenset()
    i = 0
    while i < len(units):
        joined = found and _JOINT.fullmatch(text, found[-1].end, units[i][0])
        roles_here = roles_cued(text, units[i][0]) or (roles if joined else frozenset())
        words, step = _longest_at(text, units[i:], said, catalogue, roles_here)
        words = [w for w in words if not _is_other_topic(w, topics, catalogue)]
        if words:
            found += words
            roles = roles_here
        i += step if words else 1
    return found


def contrasted(words: Sequence[Word], refused: Sequence[tuple[int, int]], said: str) -> list[Word]:
    """The values of a message, less the refusal of a kind of which only some are turned down.

    In "not American comedy" and "no romantic comedies" the adjective is what is turned down. The kind right after it
    is wanted after a bare "not" and in the singular; else it is neither wanted nor refused. An adjective is a value of
    another attribute, a value by another name than its own, or one of the places `refused`, as those of years.
    """
    found: list[Word] = []
    for word in words:
        before = next((w for w in reversed(found) if w.end <= word.start and w.stance == "against"), None)
        ends = [end for _, end in refused]
        if before is not None and (before.attribute != word.attribute or not _is_own_name(before, said)):
            ends.append(before.end)
        is_modified = any(end < word.start and not said[end : word.start].strip() for end in ends)
        if word.stance == "against" and role_of(word.attribute) == "kind" and is_modified:
            cue = next((s.cue for s in reversed(scopes(said)) if s.start <= word.start < s.end), "")
            word = replace(word, stance=None if cue == "not" and not word.plural else "open")
        found.append(word)
    return found


def _is_own_name(word: Word, text: str) -> bool:
    return phrase_key(word.value) in singulars(phrase_key(text[word.start : word.end]))


def _longest_at(
    text: str, units: Sequence[tuple[int, int, bool]], said: str, catalogue: Catalogue, roles: frozenset[str]
) -> tuple[list[Word], int]:
    """The values that the longest name at the first of these units means, and how many units it takes."""
    start = units[0][0]
    reach = longest_name(phrase_key(text[start : units[0][1]]), catalogue)
    for j in range(min(reach, len(units)), 0, -1):
        if any(text[a[1] : b[0]].strip(WITHIN) for a, b in zip(units[: j - 1], units[1:j], strict=True)):
            continue
        words = list(_words_at(text, start, units[j - 1][1], said, catalogue, roles))
        if words:
            refused = any(against for _, _, against in units[:j])
            return [replace(w, stance="against") for w in words] if refused else words, j
    return [], 1


def _is_other_topic(word: Word, topics: Sequence[Span], catalogue: Catalogue) -> bool:
    """Whether a value is but a part of a topic that mostly goes without it: few films of the cold war are war films."""
    for topic in topics:
        if topic.overlaps(word.start, word.end) and not (word.start <= topic.start and topic.end <= word.end):
            items = [catalogue.items[place] for place in catalogue.topics[topic.key]]
            if 2 * sum(word.value in item.words(word.attribute) for item in items) < len(items):
                return True
    return False


def _units(text: str, catalogue: Catalogue) -> Iterator[tuple[int, int, bool]]:
    """(start, end, turned down) of the words; a compound counts as its parts only if each part is a value.

    So "comedy-drama" is two, "sci-fi" and "action-packed" are one, and "non-horror" turns horror down.
    """
    for match in _COMPOUND.finditer(text):
        if phrase_key(match.group()) in catalogue.topics:  # "anti-war" turns nothing down
            yield match.start(), match.end(), False
            continue
        parts = list(_PART.finditer(text, match.start(), match.end()))
        against = {parts[0].group().lower()} & {"non", "anti"} or {parts[-1].group().lower()} & {"free"}
        kept = [p for p in parts if p.group().lower() not in against] if len(parts) > 1 else []
        if kept and not _known(match.group(), catalogue) and all(_known(p.group(), catalogue) for p in kept):
            yield from ((p.start(), p.end(), bool(against)) for p in kept)
        else:
            yield match.start(), match.end(), False


def _known(said: str, catalogue: Catalogue) -> bool:
    found = (*values_named(phrase_key(said), catalogue), *countries_said(said, 0, len(said), catalogue))
    return len(found) > 0


def _words_at(
    text: str, start: int, end: int, said: str, catalogue: Catalogue, roles: frozenset[str]
) -> Iterator[Word]:
    key = phrase_key(text[start:end])
    found = list(values_named(key, catalogue))
    towards = stance(said, start)
    named = [(v, at) for v in found if (at := _after_name(text, start, v[0])) is not None]
    if named:
        yield from (Word(v[0], v[1], at, end, towards, v[2]) for v, at in named)
        return
    if _ABOUT.search(text[max(0, start - 30) : start]):
        return
    if len(key) < 3 or not any(c.isalpha() for c in key) or key in FILLER:
        found = []
    if key in EVERYDAY:  # among colours "black" is a colour
        found = [v for v in found if v[0].lower().rstrip("s") in ("color", "colour")]
    found = [v for v in found if not _may_be_no_name(text, start, end, v[0], catalogue)]
    found = found or [(*place, False) for place in countries_said(text, start, end, catalogue)]
    found = found or [(*person, False) for person in surname_at(text, start, end, roles, catalogue)]
    cued = [v for v in found if role_of(v[0]) in roles]
    if cued or towards != "against":
        found = _commonest(cued or found, catalogue)
    else:
        found = _widest(found, catalogue)
    yield from (Word(attribute, value, start, end, towards, plural) for attribute, value, plural in found)


def _commonest(found: Sequence[tuple[str, str, bool]], catalogue: Catalogue) -> list[tuple[str, str, bool]]:
    """Of one value in several attributes, as a genre and as a type, the attribute in which more items have it.

    All spellings of the value there are kept: "P. J. Hogan" and "P.J. Hogan".
    """
    count: dict[tuple[str, str], int] = {}
    for attribute, value, _ in found:
        key = phrase_key(value), attribute
        count[key] = count.get(key, 0) + catalogue.frequency(attribute, value)
    best = {key: max((a for k, a in count if k == key), key=lambda a: count[key, a]) for key, _ in count}
    return [v for v in found if best[phrase_key(v[1])] == v[0]]


def _widest(found: Sequence[tuple[str, str, bool]], catalogue: Catalogue) -> list[tuple[str, str, bool]]:
    """The values but those whose items another has too: who never directs without a part is refused by the cast."""
    people = [(a, v) for a, v, _ in found if role_of(a) in PEOPLE]
    items = {(a, v): {i.item_id for i in catalogue.items if v in i.words(a)} for a, v in people if len(people) > 1}
    return [f for f in found if not any(items.get(f[:2], set()) < other for other in items.values() if f[:2] in items)]


def _after_name(text: str, start: int, attribute: str) -> int | None:
    """Where the attribute's name begins if it stands right before: "language: en", "of type new"."""
    name = re.escape(attribute.lower().rstrip("s")).replace("_", r"[\s_]")
    match = re.search(
        rf"\b{name}s?\s*(?:is\s|[:=]|of\s)?\s*(?:not\s+)?$", text[max(0, start - 60) : start], re.IGNORECASE
    )
    return max(0, start - 60) + match.start() if match else None


def _may_be_no_name(text: str, start: int, end: int, attribute: str, catalogue: Catalogue) -> bool:
    span = text[start:end]
    if len(catalogue.vocabulary[attribute]) <= MANY_VALUES or len(span.split()) > 1:
        return False
    return span[:1].islower() and not _BY.search(text[max(0, start - 20) : start])


def word_filters(words: Sequence[Word], text: str, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Conditions of the named values: a choice where the words between say so, else all of them at once."""
    filters: list[Filter] = []
    for name in dict.fromkeys(w.attribute for w in words):
        said = [w for w in words if w.attribute == name]
        groups: list[list[Word]] = []
        for word in (w for w in said if w.stance is None):
            if groups and _is_choice(groups[-1][-1], word, text, catalogue):
                groups[-1].append(word)
            else:
                groups.append([word])
        filters += [_one_of(name, "==", "in", group) for group in groups]
        refused = [w for w in said if w.stance == "against"]
        filters += [_one_of(name, "!=", "not in", refused)] if refused else []
    return tuple(dict.fromkeys(filters))


def _one_of(name: str, one: str, several: str, words: Sequence[Word]) -> Filter:
    values = tuple(dict.fromkeys(w.value for w in words))
    return Filter(name, one, values[0]) if len(values) == 1 else Filter(name, several, values)  # type: ignore[arg-type]


def _is_choice(first: Word, second: Word, text: str, catalogue: Catalogue) -> bool:
    """Any of both in "comedy or drama", "comedies and dramas", "comedy, drama"; both at once in "horror comedy"."""
    if (first.start, first.end) == (second.start, second.end):  # two spellings, or two countries with one people
        return not all_at_once(phrase_key(text[first.start : first.end]))
    if catalogue.attribute_types[first.attribute] == "word":
        return True  # an item has only one value, so both at once could never be met
    between = text[first.end : second.start].lower()
    if re.search(r"\bor\b|/", between) or ("," in between and "with" not in between):
        return True
    several = first.plural or second.plural or role_of(first.attribute) == "place"  # "French and Italian films"
    return "and" in between.split() and several
