"""Values of the catalogue's attributes in a message ("comedies", "in French"), and the conditions they make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter
from agent.understanding.cues import EVERYDAY, FILLER, Stance, stance
from agent.workspace.catalogue import Catalogue, phrase_key

# Names of one thing: any of them stands for the one that a catalogue has as a value.
_SAME = (
    ("sci fi", "scifi", "science fiction"),
    ("film noir", "noir"),
    ("animation", "animated", "cartoon"),
    ("romance", "romantic"),
    ("comedy", "comedic"),
    ("horror", "scary movie", "scary film", "horror movie"),
    ("children s", "children", "childrens", "kids", "family", "for kids", "for children", "for the whole family",
     "kids movie", "kids film", "kid s movie", "children s film", "children s movie", "family film", "family movie"),
)  # fmt: skip
# Such a name asks for the thing only as it stands in a catalogue: "a drama about a family" is none for children.
_ONLY_AS_VALUE = frozenset(("children", "kids", "family"))
_SEVERAL = {"rom com": ("romance", "comedy"), "romcom": ("romance", "comedy"), "dramedy": ("drama", "comedy")}
_NAMES = {name: group for group in _SAME for name in group if name not in _ONLY_AS_VALUE}
_STARTS = {key.split()[0] for key in (*_NAMES, *_SEVERAL)}
_LONGEST_NAME = 4

MANY_VALUES = 60  # an attribute with more of them holds names (authors, actors), and a name is told by its capital
_COMPOUND = re.compile(r"[\w'’]+(?:-[\w'’]+)*")
_PART = re.compile(r"[\w'’]+")
# What a story is about; "how about a comedy?" only proposes one.
_ABOUT = re.compile(r"(?<!\bhow )(?<!\bwhat )\babout\s+(?:\w+\s+)?$", re.IGNORECASE)
_BY = re.compile(r"\b(?:by|with|starring|from|of|like)\s+$", re.IGNORECASE)


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
    does not stand beside the attribute's name, a name in lower case.
    """
    units = list(_units(text, catalogue))
    keys = [phrase_key(text[start:end]) for start, end, _ in units]
    longest = catalogue.phrase_starts
    found: list[Word] = []
    i = 0
    while i < len(units):
        first = keys[i].split()[:1]
        forms = _singulars(first[0]) if first else []
        reach = max((longest.get(f, _LONGEST_NAME * (f in _STARTS)) for f in forms), default=0)
        reach = max(reach, _LONGEST_NAME * bool(first and first[0] in _STARTS))
        step = 1
        for j in range(min(i + reach, len(units)), i, -1):
            start, end = units[i][0], units[j - 1][1]
            if any(text[a[1] : b[0]].strip(" -&.'’/") for a, b in zip(units[i : j - 1], units[i + 1 : j], strict=True)):
                continue
            found_here = list(_words_at(text, start, end, said, catalogue))
            if found_here:
                if any(refused for _, _, refused in units[i:j]):
                    found_here = [Word(w.attribute, w.value, w.start, w.end, "against", w.plural) for w in found_here]
                found += found_here
                step = j - i
                break
        i += step
    return found


def _units(text: str, catalogue: Catalogue) -> Iterator[tuple[int, int, bool]]:
    """(start, end, turned down) of the words; a compound counts as its parts only if each part is a value.

    So "comedy-drama" is two, "sci-fi" and "action-packed" are one, and "non-horror" turns horror down.
    """
    for match in _COMPOUND.finditer(text):
        parts = list(_PART.finditer(text, match.start(), match.end()))
        against = {parts[0].group().lower()} & {"non", "anti"} or {parts[-1].group().lower()} & {"free"}
        kept = [p for p in parts if p.group().lower() not in against] if len(parts) > 1 else []
        if kept and not _known(match.group(), catalogue) and all(_known(p.group(), catalogue) for p in kept):
            yield from ((p.start(), p.end(), bool(against)) for p in kept)
        else:
            yield match.start(), match.end(), False


def _known(said: str, catalogue: Catalogue) -> bool:
    return any(True for _ in _values(phrase_key(said), catalogue))


def _singulars(key: str) -> list[str]:
    forms = [key]
    if key.endswith("s") and not key.endswith("ss") and len(key) > 3:
        forms += [key[:-3] + "y"] if key.endswith("ies") else []
        forms += [key[:-1]] + ([key[:-2]] if key.endswith("es") else [])
    return forms


def _values(key: str, catalogue: Catalogue) -> Iterator[tuple[str, str, bool]]:
    """(attribute, value, said in the plural) for a phrase, by its own name or another name of the same thing."""
    for form in _singulars(key):
        meant = _SEVERAL.get(form, (form,))
        names = [(form,)] if form in catalogue.phrases else [_NAMES.get(m, (m,)) for m in meant]
        found = [v for group in names for name in group for v in catalogue.phrases.get(name, ())]
        if found:
            yield from ((attribute, value, form != key) for attribute, value in dict.fromkeys(found))
            return


def _words_at(text: str, start: int, end: int, said: str, catalogue: Catalogue) -> Iterator[Word]:
    span = text[start:end]
    key = phrase_key(span)
    found = list(_values(key, catalogue))
    if not found:
        return
    towards = stance(said, start)
    named = [(v, at) for v in found if (at := _after_name(text, start, v[0])) is not None]
    if named:
        yield from (Word(v[0], v[1], at, end, towards, v[2]) for v, at in named)
        return
    if len(key) < 3 or not any(c.isalpha() for c in key) or key in FILLER or key in EVERYDAY:
        return
    if _ABOUT.search(text[max(0, start - 30) : start]):
        return
    found = [v for v in found if not _may_be_no_name(text, start, span, v[0], catalogue)]
    if towards != "against":  # "drama" as a genre and as a type: the one that more items have
        best: dict[str, tuple[str, str, bool]] = {}
        for v in found:
            rival = best.get(v[1].casefold())
            if rival is None or catalogue.frequency(v[0], v[1]) > catalogue.frequency(rival[0], rival[1]):
                best[v[1].casefold()] = v
        found = list(best.values())
    yield from (Word(attribute, value, start, end, towards, plural) for attribute, value, plural in found)


def _after_name(text: str, start: int, attribute: str) -> int | None:
    """Where the attribute's name begins if it stands right before: "language: en", "of type new"."""
    name = re.escape(attribute.lower().rstrip("s")).replace("_", r"[\s_]")
    match = re.search(rf"\b{name}s?\s*(?:is\s|[:=]|of\s)?\s*$", text[max(0, start - 60) : start], re.IGNORECASE)
    return max(0, start - 60) + match.start() if match else None


def _may_be_no_name(text: str, start: int, span: str, attribute: str, catalogue: Catalogue) -> bool:
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
    if catalogue.attribute_types[first.attribute] == "word":
        return True  # an item has only one value, so both at once could never be met
    between = text[first.end : second.start].lower()
    if re.search(r"\bor\b|/", between) or ("," in between and "with" not in between):
        return True
    return "and" in between.split() and (first.plural or second.plural)
