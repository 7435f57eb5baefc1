"""A message in Chinese becomes an intent, by the catalogue's own vocabulary; nothing is segmented that it cannot name.

Chinese sets no spaces, so words are found by longest match: titles first, then years and counts, then values of the
catalogue and the cues around them (chinese_words.py). What is left between them is a wish, without the filler at its
ends. It needs a catalogue with Chinese titles or values; of an English one it knows the kinds in `KINDS`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from agent.schema import Filter, Intent
from agent.understanding.ages import without_chinese_ages
from agent.understanding.chinese_words import (
    AFTER_A_TITLE,
    BEFORE_A_TITLE,
    CLOSING,
    CUES,
    KINDS,
    MOODS,
    ONLY_BEFORE_A_VALUE,
    OPENING,
    SOME_WORDS,
    Cue,
)  # fmt: skip
from agent.understanding.chinese_years import GENERATION, find_count, find_years
from agent.understanding.naming import how_named
from agent.understanding.spans import blank
from agent.understanding.unheard import lengths
from agent.understanding.years import YearRange
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue
from agent.workspace.roles import is_year, role_of

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(rf"[{HAN}]")
_KANA = re.compile(r"[\u3041-\u30ff\uac00-\ud7af]")  # Japanese and Korean have words of their own
_BREAK = re.compile(r"[,.。!?;:\n…]|--")
_JOIN = re.compile(r"[、/\s]*(?:和|与|跟|或者|或|还是|以及|及)?[、/\s]*(?:片|电影|类)?[、/\s]*")
_CHOICE = re.compile(r"或|还是|、|和|与|跟|及|/")
_SUFFIX = re.compile(r"(?<=..)(?:片|类|剧|电影|小说|音乐)$")
_ROLE_AFTER = (
    (re.compile(r"(?:的)?(?:执导|导演|导的|拍的|拍摄)"), "directed"),
    (re.compile(r"(?:主演|出演|演的|参演|领衔)"), "stars"),
    (re.compile(r"(?:写的|著|所写|编剧)"), "written"),
    (re.compile(r"(?:唱的|演唱)"), "by"),
)
_ROLE_BEFORE = ((re.compile(r"导演(?:是|为|:)?$"), "directed"), (re.compile(r"(?:主演|演员)(?:是|为|有|:)?$"), "stars"))
LONGEST = 80  # letters of a name that is looked for in a message
_NEEDS_A_SIGN = 3  # a title of fewer Chinese letters may be an ordinary word

Stance = Literal["against", "less", "also", "open"] | None
_STANCES: Mapping[Cue, Stance] = {
    "against": "against", "lacking": "against", "less": "less", "also": "also", "open": "open", "turn": None,
}  # fmt: skip
_UNTIL_OF = ("lacking", "less")


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What a catalogue names, by NFKC form without case: ids of titles, (attribute, value) pairs of values."""

    titles: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[tuple[str, str], ...]]
    longest: int


@dataclass(frozen=True, slots=True)
class _Token:
    """A stretch of the message that says something; `ids`, `values` or `years` by its kind."""

    kind: Literal["title", "value", "year", "cue", "words", "break"]
    text: str
    start: int
    end: int
    ids: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    years: YearRange | None = None
    stance: Stance = None


def is_chinese(text: str, catalogue: Catalogue) -> bool:
    """Whether a message is in Chinese, rather than in English with a Chinese title or name in it."""
    if not _HAN.search(text):
        return False
    text, known = _form(text), _vocabulary(catalogue)
    named = [(t.start, t.end) for t in _named(text, known)]
    rest = blank(text, named)
    return not _KANA.search(rest) and (_HAN.search(rest) is not None or not re.search(r"[a-z]", rest))


def parse_chinese(text: str, catalogue: Catalogue) -> Intent:
    """What one message in Chinese asks for. Never fails: what it does not understand stays among the wishes."""
    said, known = without_chinese_ages(_form(text)), _vocabulary(catalogue)
    titles = list(_titles(said, known, catalogue))
    rest = blank(said, [(t.start, t.end) for t in titles])
    attribute = next((a for a, kind in catalogue.attribute_types.items() if kind == "number" and is_year(a)), None)
    years = [_Token("year", "", y.start, y.end, years=y) for y in find_years(rest)] if attribute else []
    rest = blank(rest, [*((t.start, t.end) for t in years), *(m.span() for m in GENERATION.finditer(rest))])
    n, counted = find_count(rest)
    rest = blank(rest, [counted, *lengths(rest, catalogue)])
    tokens = sorted([*titles, *years, *_rest(rest, known)], key=lambda t: t.start)
    meant = [token for clause in _clauses(tokens) for token in _with_stances(clause)]
    wishes, avoids = _wishes(meant)
    named = [(t.start, t.end, i) for t in meant if t.stance in (None, "also") for i in t.ids]
    hows = how_named(blank(said, [(t.start, t.end) for t in titles]), [(start, end) for start, end, _ in named])
    told = {i: how for (*_, i), how in zip(named, hows, strict=True)}
    return Intent(
        text=text.strip(),
        likes=_ids(meant, None),
        dislikes=_ids(meant, "against"),
        filters=(*_year_filters(meant, attribute or ""), *_value_filters(meant, said, catalogue)),
        wishes=wishes,
        avoids=avoids,
        n=n,
        examples=tuple(i for i, how in told.items() if how == "example"),
        met=tuple(i for i, how in told.items() if how == "met"),
    )


# -- the vocabulary


def _form(text: str) -> str:
    """One form of every letter: full-width digits and signs become the usual ones; no case."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=2)
def _vocabulary(catalogue: Catalogue) -> _Vocabulary:
    titles: dict[str, dict[str, None]] = defaultdict(dict)
    values: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for item in catalogue.items:
        bare = YEAR_SUFFIX.sub("", item.title)
        halves = re.match(rf"([{HAN}][{HAN}\d:·!?,]*)\s+[a-zA-Z].*", bare)  # "霸王别姬 Farewell My Concubine"
        for name in (item.title, bare, *bare.split(" / "), *(halves.groups() if halves else ())):
            titles[_form(name).strip()][item.item_id] = None
    for attribute, words in catalogue.vocabulary.items():
        for value in words.values():
            for key in (_form(value), _SUFFIX.sub("", _form(value))):
                values[key][attribute, value] = None
    for kind, others in KINDS.items():
        if kind not in values and (other := next((o for o in others if o in values), None)):
            values[kind] |= values[other]
    kept = {key: tuple(found) for key, found in values.items() if len(key) > 1}
    named = {key: tuple(ids) for key, ids in titles.items() if key}
    return _Vocabulary(named, kept, min(LONGEST, max(map(len, (*kept, *named, *CUES)))))


def _longest(text: str, at: int, known: Mapping[str, object], longest: int) -> int:
    """Where the longest known word that begins at `at` ends; `at` itself if there is none. Latin words stay whole."""
    if 0 < at < len(text) and _is_latin(text[at]) and _is_latin(text[at - 1]):
        return at
    for end in range(min(len(text), at + longest), at, -1):
        if text[at:end] in known and not (end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end])):
            return end
    return at


def _is_latin(letter: str) -> bool:
    return letter.isalnum() and not _HAN.match(letter)


# -- what stands where


def _named(text: str, known: _Vocabulary) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        end = max(_longest(text, at, known.titles, known.longest), _longest(text, at, known.values, known.longest))
        if end > at:
            yield _Token("value", text[at:end], at, end)
        at = max(end, at + 1)


def _titles(text: str, known: _Vocabulary, catalogue: Catalogue) -> Iterator[_Token]:
    """Titles that are meant as such; a short one, or one that is a value too, needs a sign."""
    at, before = 0, -1
    while at < len(text):
        end = _longest(text, at, known.titles, known.longest)
        if end > at:
            marked = at > 0 and text[at - 1] in '《〈「"“'
            beside = before >= 0 and _JOIN.fullmatch(text[before:at].strip("》《")) is not None
            if marked or (beside and text[before:at]) or _is_meant(text, at, end, known):
                start, stop = (at - 1, min(len(text), end + 1)) if marked else (at, end)
                ids = _right_year(known.titles[text[at:end]], text[end : end + 8], catalogue)
                yield _Token("title", text[at:end], start, stop, ids=ids)
                at = before = stop
                continue
        at += 1


def _is_meant(text: str, at: int, end: int, known: _Vocabulary) -> bool:
    name = text[at:end]
    letters = len(_HAN.findall(name))
    if name not in known.values and not name.isdigit():
        if letters >= _NEEDS_A_SIGN or (not letters and len(name) > 1):
            return True
    alike = text.startswith(AFTER_A_TITLE, end)
    after = any(text.endswith(cue, 0, at) and (alike or cue not in SOME_WORDS) for cue in BEFORE_A_TITLE)
    alone = not _BREAK.sub("", text[:at] + text[end:]).strip()
    return after or (alike and name not in known.values) or (alone and name not in known.values)


def _right_year(ids: tuple[str, ...], after: str, catalogue: Catalogue) -> tuple[str, ...]:
    year = re.match(r"》?\s*\(?(\d{4})", after)
    if year is None:
        return ids[:1]
    return tuple(i for i in ids if year[1] in catalogue.get(i).title[-7:])[:1] or ids[:1]


def _rest(text: str, known: _Vocabulary) -> Iterator[_Token]:
    """Values, cues, breaks, and the words between them."""
    at = begun = 0
    while at <= len(text):
        token = _token_at(text, at, known) if at < len(text) else None
        if token is None and at < len(text):
            at += 1
            continue
        if text[begun:at].strip():
            yield _Token("words", text[begun:at], begun, at)
        if token is None:
            return
        if token.text or token.kind == "break":
            yield token
        at = begun = token.end


def _token_at(text: str, at: int, known: _Vocabulary) -> _Token | None:
    if found := _BREAK.match(text, at):
        return _Token("break", found[0], at, found.end())
    if text[at] == "\x00":  # what was taken before parts the words around it
        return _Token("words", "", at, at + 1)
    value, cue = _longest(text, at, known.values, known.longest), _longest(text, at, CUES, known.longest)
    if value > at and value >= cue:
        return _Token("value", text[at:value], at, value, values=known.values[text[at:value]])
    if cue == at:
        return None
    said = text[at:cue]
    short = said in ONLY_BEFORE_A_VALUE and _longest(text, cue, known.values, known.longest) == cue
    if not CUES[said] or short:  # it begins a word, and says nothing by itself
        return None if short else _Token("words", said, at, cue)
    return _Token("cue", said, at, cue)


# -- what is meant


def _clauses(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    clause: list[_Token] = []
    for token in tokens:
        if token.kind == "break":
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


def _with_stances(clause: Sequence[_Token]) -> list[_Token]:
    """The clause without its cues, each part with the stance towards it."""
    found: list[_Token] = []
    stance: Stance = None
    until, unseen, open_cue = "", False, False
    for place, token in enumerate(clause):
        cue = CUES.get(token.text, "") if token.kind == "cue" else ""
        if token.kind != "cue":
            for part in _parted(token, until):
                found.append(replace(part, stance=stance))
                says = part.kind != "words" or bool(_stripped(part.text))
                open_cue = open_cue and not says
                if until and part.text.endswith(until):
                    stance, until = None, ""
            if token.kind == "title" and unseen:
                found.pop()
        elif cue == "bad":
            found = [replace(t, stance="against") if t.kind == "title" else t for t in found]
        elif cue == "back":
            found = _turned_down(found)
        elif cue == "except":
            also = any(re.search("还|也", t.text) for t in clause[place:])
            stance, until = ("also" if also else "against"), "外"
        elif cue in _STANCES:
            stance, until, open_cue = _STANCES[cue], "的" if cue in _UNTIL_OF else "", cue == "against"
        unseen = cue == "unseen" or (unseen and token.kind == "words")
    found = _turned_down(found) if open_cue else found  # "恐怖片不要"
    found = _contrasted(found)
    refused = any(t.kind == "value" and t.stance == "against" for t in found)
    # "不要90年代的喜剧" does not forbid the years; filters cannot say "not both".
    return [t for t in found if not (t.kind == "year" and t.stance == "against" and refused)]


def _contrasted(tokens: Sequence[_Token]) -> list[_Token]:
    """The tokens, a kind no longer refused of which only some are: 不要美国喜剧 turns down what is American."""
    found: list[_Token] = []
    for token in tokens:
        roles, before = {role_of(a) for a, _ in token.values}, found[-1] if found else token
        beside = before.stance == token.stance == "against" and before.end == token.start
        of_another = before.values and not {a for a, _ in before.values} & {a for a, _ in token.values}
        found.append(replace(token, stance="open") if roles == {"kind"} and beside and of_another else token)
    return found


def _parted(token: _Token, until: str) -> Iterator[_Token]:
    """Words in two parts where the reach of a cue ends within them."""
    place = token.text.find(until) + 1 if until and token.kind == "words" else 0
    if place:
        yield replace(token, text=token.text[:place], end=token.start + place)
        token = replace(token, text=token.text[place:], start=token.start + place)
    yield token


def _turned_down(tokens: Sequence[_Token]) -> list[_Token]:
    return [replace(t, stance="against") if t.stance is None and t.kind != "words" else t for t in tokens]


def _ids(tokens: Sequence[_Token], stance: Stance) -> tuple[str, ...]:
    wanted = (stance,) if stance else (None, "also")
    return tuple(dict.fromkeys(i for t in tokens if t.stance in wanted for i in t.ids))


def _stripped(words: str) -> str:
    """Words without the filler at their ends."""
    words = words.strip("《》〈〉「」\"“”'()[] 、\x00")
    before = None
    while words != before:
        before = words
        for size in range(min(6, len(words)), 0, -1):
            if words[:size] in OPENING:
                words = words[size:].strip()
                break
        for size in range(min(6, len(words)), 0, -1):
            if words[-size:] in CLOSING:
                words = words[:-size].strip()
                break
    return words


def _wishes(tokens: Sequence[_Token]) -> tuple[str, str]:
    """(wished for, refused): the words that nothing took, and the values that are no condition."""
    wished: dict[str, None] = {}
    refused: dict[str, None] = {}
    for token in tokens:
        if token.stance == "open" or token.kind not in ("words", "value"):
            continue
        if token.kind == "value" and token.stance in (None, "against"):
            continue
        parts = map(_stripped, re.split(r"[的、/又]|而且", token.text))
        for word in parts if token.kind == "words" else [token.text]:
            if len(word) < 2 and word not in MOODS:
                continue
            into = refused if token.stance in ("against", "less") else wished
            into[word] = None
    return " ".join(wished), " ".join(w for w in refused if w not in wished)


# -- conditions


def _year_filters(tokens: Sequence[_Token], attribute: str) -> tuple[Filter, ...]:
    """Windows open one choice, bounds narrow it, refused years are cut out."""
    wanted = [t.years for t in tokens if t.years is not None and t.stance is None]
    windows = [y for y in wanted if y.low is not None and y.high is not None]
    lows = [y.low for y in wanted if y.low is not None and y.high is None]
    highs = [y.high for y in wanted if y.high is not None and y.low is None]
    lows += [min(y.low or 0 for y in windows)] if windows else []
    highs += [max(y.high or 0 for y in windows)] if windows else []
    gone = {year for y in windows for year in range(min(lows), max(highs) + 1)} if windows else set()
    gone -= {year for y in windows for year in range(y.low or 0, (y.high or 0) + 1)}
    for token in tokens:
        if token.years is None or token.stance != "against":
            continue
        low, high = token.years.low, token.years.high
        lows += [high + 1] if high is not None and low is None else []
        highs += [low - 1] if low is not None and high is None else []
        gone |= set(range(low, high + 1)) if low is not None and high is not None else set()
    filters = [Filter(attribute, ">=", max(lows))] if lows else []
    filters += [Filter(attribute, "<=", min(highs))] if highs else []
    filters += [Filter(attribute, "not in", tuple(sorted(gone)))] if 0 < len(gone) <= 120 else []
    return tuple(filters)


def _value_filters(tokens: Sequence[_Token], said: str, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Conditions of the named values: a choice where the words between say so, else all of them at once."""
    groups: dict[str, list[tuple[_Token, list[str]]]] = defaultdict(list)
    refused: dict[str, list[str]] = defaultdict(list)
    for token in (t for t in tokens if t.kind == "value" and t.stance in (None, "against")):
        for attribute, values in _meant(token, said, catalogue).items():
            if token.stance == "against":
                refused[attribute] += values
                continue
            last = groups[attribute][-1] if groups[attribute] else None
            one = catalogue.attribute_types[attribute] == "word"
            if last is not None and (one or _CHOICE.search(said[last[0].end : token.start])):
                groups[attribute][-1] = (token, [*last[1], *values])
            else:
                groups[attribute].append((token, values))
    filters = [_one_of(name, "==", "in", values) for name, found in groups.items() for _, values in found]
    filters += [_one_of(name, "!=", "not in", values) for name, values in refused.items()]
    return tuple(dict.fromkeys(filters))


def _meant(token: _Token, said: str, catalogue: Catalogue) -> dict[str, list[str]]:
    """The values of the attribute that is meant: as a word beside it says, else the one that most items have it in."""
    cues = [role for cue, role in _ROLE_AFTER if cue.match(said, token.end)]
    cues += [role for cue, role in _ROLE_BEFORE if cue.search(said[max(0, token.start - 5) : token.start])]
    attributes = dict.fromkeys(a for a, _ in token.values)
    asked = [a for a in attributes if role_of(a) in cues]
    if not asked:
        asked = [max(attributes, key=lambda a: sum(catalogue.frequency(*v) for v in token.values if v[0] == a))]
    return {a: [value for attribute, value in token.values if attribute == a] for a in asked}


def _one_of(name: str, one: Literal["==", "!="], several: Literal["in", "not in"], values: Sequence[str]) -> Filter:
    found = tuple(dict.fromkeys(values))
    return Filter(name, one, found[0]) if len(found) == 1 else Filter(name, several, found)
