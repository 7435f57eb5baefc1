"""Words that point at items of a list: "the second", "#3", "1 and 4", "that one", "all of them", "the French one"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.understanding.cues import EVERYDAY, FILLER, NUMBERS
from agent.understanding.mentions import TOLD_AFTER
from agent.understanding.names import people_named, values_named
from agent.understanding.places import countries_said
from agent.understanding.spelling import is_close
from agent.workspace.catalogue import Catalogue, bare_key, phrase_key, title_key
from agent.workspace.roles import is_year, role_of

_ORDINALS = {
    word: place
    for place, words in enumerate(
        "first,1st|second,2nd|third,3rd|fourth,4th|fifth,5th|sixth,6th|seventh,7th|eighth,8th|ninth,9th|tenth,10th".split(
            "|"
        ),
        1,
    )
    for word in words.split(",")
}
_SMALL = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}
NOUN = (
    r"(?:ones?|films?|movies?|books?|items?|products?|titles?|picks?|options?|results?|suggestions?|recommendations?)"
)
# What may follow a reference: "the first, please", and not "the first world war".
AFTER = re.compile(
    r"""["”'’]?\s*(?:$|[.,;!?:)\x00&]|(?:and|but|or|nor|is|are|was|were|looks?|sounds?|seems?|feels?|again|please|pls|too
    |instead|more|less|not|so|already|on|with|without|though|then|thanks|now|because|only|really|very|yesterday|before
    |except|than|i['’]?ve|if|from|better|about|as|there|here|one|in\s+(?:(?:the|your|this)\s+list|there|here|it)|for
    |doing|made|ended|(?:i|we)['’]?ve|i\s+(?:have|already|saw|know|hated|loved|liked|do)|last\s+(?:week|night|year|month)|recently|any\s+good|ok|okay|suitable|safe|any\s?more|once|up|either|that\s+i|newer|older|cheaper|shorter
    |longer|lacks?|has|it\s+is)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
# What stands before a bare word that points: "like that", "seen 2"; a title in short needs such a word too.
_BEFORE = re.compile(
    r"""(?:^|[.,;!?\x00]|\b(?:like|likes|liked|love|loved|loves|hate|hated|hates|enjoyed|dislike|disliked|than|not|why|seen
    |watched|saw|read|skip|pick|picked|chose|choose|suggest|suggested|recommend|recommended|about|of|have|own|know|from|to
    |and|or|nor|but|explain|describe|did|is|was|are|already|show\s+me|take|avoid|prefer|want|forget|again|show|makes|come
    |remove|drop|lose|ditch|replace|swap|with|directed|as|what['’]?s|who['’]?s|where['’]?s|earth|hell))\s*(?:(?:the|that|film|movie|book|both)\s+)*["“'‘]?$""",
    re.IGNORECASE | re.VERBOSE,
)
_ORDINAL = re.compile(
    rf"(?P<the>\b(?:the|that|your)\s+)?(?:very\s+)?\b(?P<which>{'|'.join(_ORDINALS)}|last|final)\b"
    rf"(?:\s+(?P<several>{'|'.join(_SMALL)})\b)?(?:\s+{NOUN}\b)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:#\s?|\b(?:no\.|nr\.?|numbers?|option|item|pick|nos?\.)\s*)(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight"
    r"|nine|ten)\b(?:\s+one\b)?",
    re.IGNORECASE,
)
_BARE_AFTER = "like liked than loved love hate hated why seen watched saw read not about skip of as".split()
_BARE = re.compile(
    rf"(?:{'|'.join(f'(?<={word} )' for word in _BARE_AFTER)}|^)"
    r"(?P<n>\d{1,2})(?P<more>(?:\s*(?:,|and|or|&|\+)\s*(?:and\s+)?#?\d{1,2}\b)*)",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"\b(?:(?:all|any|none|both|either|neither)\s+(?:of\s+)?(?:these|those|them)(?:\s+{NOUN})?|(?:these|those)(?:\s+{NOUN})?"
    rf"|both(?:\s+{NOUN})?|them(?:\s+all)?|(?:the\s+)?(?:whole|entire)\s+list|all\s+{NOUN}\s+(?:here|above))\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(rf"\b(?:that|this)\s+{NOUN}\b|\b(?:that|this|it)\b", re.IGNORECASE)
_VERDICT = re.compile(
    r"\s+(?:was|looks?|sounds?|seems?)\s+(?:\w+\s+){0,2}(?:boring|bad|awful|great|good|perfect|terrible|dull|amazing|nice|brilliant)\b",
    re.I,
)
_PRONOUN_BEFORE = re.compile(
    r"\b(?:like|liked|love|loved|hate|hated|enjoyed|dislike|disliked|than|not|why|seen|watched|read|pick|picked|choose|chose|suggest|suggested"
    r"|recommend|recommended|about|have|own|know|from|did|of|already|is|was)\s+$",
    re.IGNORECASE,
)
_DESCRIBED = re.compile(
    rf"\b(?:the|that)\s+(?P<what>[\w'’.&-]+(?:\s+[\w'’.&-]+){{0,3}}?)\s+{NOUN}\b|\b(?:the|that)\s+{NOUN}\s+(?:with|from|by|about|of|starring|in|called|directed\s+by)\s+(?:the\s+)?"
    r"(?P<with>[\w'’.-]+(?:\s+[\w'’.-]+){0,3}?)(?=\s*(?:$|[.,;!?)]|\b(?:and|but|or|please|again|was|is|looks|sounds|about|doing)\b))"
    r"|\bthe\s+(?P<kind>[\w'’-]+)",
    re.IGNORECASE,
)
_ADJECTIVE_ENDS = re.compile(r"\s+(?:\w+\s+)?\w+\s*\?")  # "is the third scary?"
_WORD = re.compile(r"[\w'’]+(?:[-.:&][\w'’]+)*")
_LONGEST = 8  # words of a title in short
_MOST_CHOICES = 8


@dataclass(frozen=True, slots=True)
class Pointer:
    """text[start:end] points at these items; where it is not clear at which, they are the choices, perhaps none."""

    start: int
    end: int
    item_ids: tuple[str, ...]
    is_clear: bool = True
    is_pronoun: bool = False


def find_pointers(text: str, shown: Sequence[str], catalogue: Catalogue, *, answers: bool = False) -> list[Pointer]:
    """Everything in a message that points at items, in its order; a description counts before a mere position."""
    found: list[Pointer] = []
    for read in (_described, _titles, positions, _pronouns):
        for pointer in read(text, shown, catalogue, answers):
            if not any(pointer.start < p.end and p.start < pointer.end for p in found):
                found.append(pointer)
    return sorted(found, key=lambda p: p.start)


def positions(text: str, shown: Sequence[str], catalogue: Catalogue, answers: bool) -> Iterator[Pointer]:
    """Places of the list, "the second" and "#3", as pointers at what of `shown` stands there."""
    for match in _ORDINAL.finditer(text):
        free = match["the"] or _BEFORE.search(text[: match.start()])
        asked = re.search(r"\b(?:is|was)\s+$", text[: match.start()], re.I) and _ADJECTIVE_ENDS.match(text, match.end())
        if free and (asked or AFTER.match(text, match.end())):
            yield _at(match.start(), match.end(), _places(match, len(shown)), shown)
    for match in _NUMBERED.finditer(text):
        yield _at(match.start(), match.end(), [NUMBERS.get(match["n"].lower()) or int(match["n"])], shown)
    for match in _BARE.finditer(text):
        places = [int(n) for n in re.findall(r"\d+", match.group())]
        opens = match.start() == 0 and not match["more"]
        verdict = (
            not opens or re.match(r"\s+(?:but|looks?|sounds?|is|was|again)\b", text[match.end() :], re.I) or answers
        )
        if shown and max(places) <= 10 and verdict and AFTER.match(text, match.end()):
            yield _at(match.start(), match.end(), places, shown)


def _places(match: re.Match[str], n: int) -> list[int]:
    """Positions, from 1, that an ordinal means in a list of n."""
    several = _SMALL.get((match["several"] or "").lower(), 1)
    which = match["which"].lower()
    if which in ("last", "final"):
        return list(range(n - several + 1, n + 1)) if n else [0]
    first = _ORDINALS[which]
    return list(range(first, first + several))


def _at(start: int, end: int, places: Sequence[int], shown: Sequence[str]) -> Pointer:
    if all(1 <= p <= len(shown) for p in places):
        return Pointer(start, end, tuple(shown[p - 1] for p in places))
    return Pointer(start, end, tuple(shown), is_clear=False)


def _pronouns(text: str, shown: Sequence[str], catalogue: Catalogue, answers: bool) -> Iterator[Pointer]:
    if not shown:
        return
    for match in _ALL.finditer(text):
        bare = match.group().lower() == "both" and len(shown) != 2
        if not bare and _BEFORE.search(text[: match.start()]) and AFTER.match(text, match.end()):
            yield Pointer(match.start(), match.end(), tuple(shown), is_pronoun=match.group().lower() == "them")
    for match in _PRONOUN.finditer(text):
        named = " " in match.group()
        before = _PRONOUN_BEFORE.search(text[: match.start()])
        if (
            (before and AFTER.match(text, match.end()))
            or (named and AFTER.match(text, match.end()))
            or _VERDICT.match(text, match.end())
        ):
            yield Pointer(match.start(), match.end(), (shown[0],), is_pronoun=True)


def _titles(text: str, shown: Sequence[str], catalogue: Catalogue, answers: bool) -> Iterator[Pointer]:
    """Titles of the list, whole or in a clear short form, where a word before says that one is meant."""
    words, taken = list(_WORD.finditer(text)), 0
    for i, word in enumerate(words):
        if word.start() < taken:
            continue
        for j in range(min(i + _LONGEST, len(words)), i, -1):
            start, end = word.start(), words[j - 1].end()
            ids = _called(text[start:end], shown, catalogue)
            whole = text.strip(" .!?\"'") == text[start:end]
            if ids and (_is_pointed(text, start, end) or (whole and answers)):
                yield Pointer(start, end, ids if len(ids) == 1 else ids, is_clear=len(ids) == 1)
                taken = end
                break


def _is_pointed(text: str, start: int, end: int) -> bool:
    """Whether words of a title are meant as one: a cue right before, and nothing that hangs on them."""
    again = re.match(r"\s+again\b", text[end:], re.IGNORECASE)
    opens = not text[:start].strip() and not re.match(r"\s+(?:but|was|looks?|sounds?|is)\b", text[end:], re.IGNORECASE)
    cued = not opens and _BEFORE.search(text[:start])
    told = TOLD_AFTER.match(text, end) and (not text[:start].strip() or _BEFORE.search(text[:start]))
    return bool(again or told or (cued and AFTER.match(text, end)))


def _called(said: str, shown: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The items of the list that these words are the title of, or else a telling part of it."""
    key = title_key(said)
    words = key.split()
    if said.strip().isdecimal():
        return ()
    if not [w for w in words if len(w) > 3 and w not in FILLER and w not in EVERYDAY and w not in _ORDINALS]:
        exact = tuple(i for i in shown if key == title_key(catalogue.get(i).title))
        return exact if len(words) > 1 else ()
    titles = {i: (title_key(catalogue.get(i).title), bare_key(catalogue.get(i).title)) for i in shown}
    whole = tuple(i for i, keys in titles.items() if key in keys)
    if whole:
        return whole
    known = len(words) == 1 and phrase_key(said) in catalogue.phrases  # "comedy" is a kind before it is a title
    part = () if known else tuple(i for i, keys in titles.items() if f" {key} " in f" {keys[0]} ")
    return part or tuple(i for i, keys in titles.items() if is_close(key, keys[1]))


def _described(text: str, shown: Sequence[str], catalogue: Catalogue, answers: bool) -> Iterator[Pointer]:
    """Items told by what only they have: "the French one", "the one with Tom Hanks", "the comedy"."""
    for match in _DESCRIBED.finditer(text):
        what = match["what"] or match["with"] or match["kind"]
        at = next(g for g in ("what", "with", "kind") if match[g])
        if not _tells(what) or not AFTER.match(text, match.end()) or not _BEFORE.search(text[: match.start()]):
            continue
        ids = tuple(i for i in shown if _fits(text, *match.span(at), i, catalogue, kind_only=bool(match["kind"])))
        if not ids and not match["kind"] and what.lower() not in EVERYDAY:
            ids = _anywhere(what, catalogue)
        if ids:
            yield Pointer(match.start(), match.end(), ids[:_MOST_CHOICES], is_clear=len(ids) == 1)


def _tells(what: str) -> bool:
    words = phrase_key(what).split()
    idle = (
        FILLER
        | set(_ORDINALS)
        | {"last", "final", "other", "others", "rest", "right", "wrong", "same", "whole", "next", *_SMALL}
    )
    return bool(words) and not all(w in idle for w in words)


def _fits(text: str, start: int, end: int, item_id: str, catalogue: Catalogue, *, kind_only: bool) -> bool:
    """Whether an item has what text[start:end] says: a value, its year, or a word of its title."""
    item, key = catalogue.get(item_id), phrase_key(text[start:end])
    values = [v[:2] for v in values_named(key, catalogue)]
    if kind_only:
        return any(role_of(a) == "kind" and v in item.words(a) for a, v in values)
    values += [*countries_said(text, start, end, catalogue), *people_named(key, catalogue)]
    if any(v in item.words(a) for a, v in values):
        return True
    if key.isdecimal() and any(is_year(a) and str(v) == key for a, v in item.attributes.items()):
        return True
    return f" {key} " in f" {title_key(item.title)} "


def _anywhere(what: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Items of the whole catalogue with these words in their title or a person of this name, the oldest first."""
    key = phrase_key(what)
    found = {i for title, ids in catalogue.by_title.items() if f" {key} " in f" {title} " for i in ids}
    people = people_named(key, catalogue)
    found |= {i.item_id for i in catalogue.items if any(v in i.words(a) for a, v in people)} if not found else set()
    return tuple(sorted(found, key=lambda i: (_year(i, catalogue), catalogue.get(i).title)))


def _year(item_id: str, catalogue: Catalogue) -> float:
    values = (v for a, v in catalogue.get(item_id).attributes.items() if is_year(a))
    return next((float(v) for v in values if isinstance(v, int | float)), 0.0)
