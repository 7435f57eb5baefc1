"""Which titles of the catalogue a message names, and in what mood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agent.understanding.cues import EVERYDAY, FILLER, is_cue, is_negated
from agent.understanding.spans import phrases_in
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue, phrase_key, title_key

_WORD = re.compile(r"[\w'’]+(?:[-.:&][\w'’]+)*")
_OPEN, _CLOSE = "\"“”„«‘'", "\"”“»’'"

# What stands right before a title that is meant as one.
_CUE = re.compile(
    r"""\b(?: (?:like|love|hate|dislike|adore) [ds]? | enjoy(?:ed)? | saw | seen | watch(?:ed)? | read | played | heard
            | bought | recommend | such\s+as | similar\s+to | unlike | than | (?:fan|fond|more|tired|sick)\s+of )
        \s+ (?: the\s+(?:film|movie|book|game|show)\s+ )? ["“„«‘']? $""",
    re.IGNORECASE | re.VERBOSE,
)
_UNSEEN = re.compile(r"(?:\bnever|n['’]?t|\bnot)\s+(?:yet\s+)?(?:seen|watched|heard|read|tried|played)\s+\W?$", re.I)
# What stands right after one.
TOLD_AFTER = re.compile(
    r"""["”'’]?\s*(?: [,:?–-]?\s+(?:i|we)(?:['’]?ve)?\s+(?:(?:really|just|absolutely|always|already|so|have)\s+)*
      (?: hated? | loved? | liked? | enjoyed? | disliked? | saw | seen | watched | read | can['’]?t\s+stand
        | did(?:n['’]?t|nt)\s+(?:like|enjoy) )\b
    | \s*[,:?–-]\s*(?:(?:really|just|absolutely|already)\s+)?
      (?:hated?|loved?|liked?|enjoyed|disliked|saw|seen|watched|can['’]?t\s+stand)\s+(?:it|them|that) )
    (?= \s*(?: $ | [.,;!?] | (?:but|and|so|already|it|too|please|yesterday|recently|last)\b ) )""",
    re.IGNORECASE | re.VERBOSE,
)
_WAS = r"""["”'’]?\s+(?:was|is|were)\s+(?:(?:so|really|too|very|just)\s+){0,3}"""
_BAD = re.compile(_WAS + r"(?:bad|awful|terrible|horrible|boring|dull|overrated|not\s+(?:good|for\s+me))\b", re.I)
_GOOD = re.compile(_WAS + r"(?:good|great|amazing|brilliant|perfect)\b", re.I)
_COMPARED = re.compile(r"""["”'’]?(?:\s+(?:but|meets|vibes?|style)\b|-(?:like|style|esque)\b)""", re.I)
_YEAR_AFTER = re.compile(r"""["”'’»]?[\s,]*\((\d{4})\)""")
_ENDS = re.compile(
    r"""["”'’»]?\s*(?:$|[.,;!?\n)]|(?:and|or|but|because|so|very|too|please|from|more|again|yesterday
        |now|then|here|lately|recently|tonight|just|any|i|what|which|is\s+there|do\s+you|can|could)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_BEGINS = re.compile(r"(?:^|[.,;!?\n(]|\b(?:and|or|nor|but|not|no|like|than))\s*$", re.I)
_LIST_JOIN = re.compile(r"""["”'’»]?\s*(?:,\s*)?(?:(?:and|or|nor|&)\s+)?(?:also\s+|both\s+)?["“„«‘']?""", re.I)


@dataclass(frozen=True, slots=True)
class Mention:
    """One title in a message: where it stands, and whether the person speaks against it."""

    start: int
    end: int
    item_id: str
    negated: bool


def find_mentions(text: str, catalogue: Catalogue) -> list[Mention]:
    """Titles named in a message, in its order, longest first where they overlap.

    Many titles are ordinary words ("Speed", "The Game"), so a title counts only with a sign that it is meant as one:
    a year, quotation marks, a verb of liking or seeing before it, capitals as in the title, a length that no ordinary
    phrase shares, or a place in a list beside a title that has such a sign.
    """
    meant: list[Mention] = []
    unsure: list[Mention] = []
    for mention, sure in _titles(text, catalogue):
        (meant if sure else unsure).append(mention)
    meant = _with_neighbours(text, meant, unsure)
    hidden = text
    for m in meant:  # "No Country for Old Men" turns nothing down
        hidden = hidden[: m.start] + "\x00" * (m.end - m.start) + hidden[m.end :]
    found = []
    for m in meant:
        if not _UNSEEN.search(text[max(0, m.start - 40) : m.start]):
            bad = _BAD.match(text, m.end)
            found.append(replace(m, negated=is_negated(hidden, m.start) or bool(bad), end=bad.end() if bad else m.end))
    return found


def _titles(text: str, catalogue: Catalogue) -> Iterator[tuple[Mention, bool]]:
    """Every title in the text with whether it is surely meant; sure ones do not overlap, the longest is taken."""
    # A loose accent ("e" and "´" as two letters) is a part of its word.
    words = list(_WORD.finditer("".join("'" if unicodedata.combining(c) else c for c in text)))
    keys = [title_key(text[w.start() : w.end()]).split() for w in words]
    starts, taken = catalogue.title_starts, 0
    values = list(phrases_in(text, catalogue.phrases, catalogue.phrase_starts))
    for i, word in enumerate(words):
        if word.start() < taken:
            continue
        # An article is no part of a key, so the key may begin with the word after it.
        openings = [starts.get(k[0], 0) for k in keys[i : i + 2] if k]
        reach = min(i + max(openings, default=0) + 1, len(words))
        unsure = None
        for j in range(reach, i, -1):
            start, end = word.start(), words[j - 1].end()
            item_id = _title_at(text, start, end, catalogue)
            if item_id is None:
                continue
            end = end + 1 if text[end : end + 1] == ")" and "(" in text[start:end] else end
            dated = _YEAR_AFTER.match(text, end)
            end = dated.end() if dated else end
            mention = Mention(start, end, item_id, False)
            if not dated and not _is_quoted(text, start, end) and any(v.holds(start, end) for v in values):
                continue  # "Michael Douglas" is not the film "Michael"
            if dated or _is_meant(text, start, end, words) or _is_compared(text, start, end, catalogue):
                yield mention, True
                taken, unsure = end, None
                break
            unsure = unsure or mention
        if unsure and _is_free(text, unsure):
            yield unsure, False


def ids_called(said: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The items of this title; where only some have it with the article said, those: "the little princess"."""
    ids = catalogue.by_title.get(title_key(said), ())
    exact = tuple(i for i in ids if phrase_key(YEAR_SUFFIX.sub("", catalogue.get(i).title)) == phrase_key(said))
    return exact or ids


def _title_at(text: str, start: int, end: int, catalogue: Catalogue) -> str | None:
    """The item whose title this is; of several works with one name the first, unless a year after it says which."""
    ids = ids_called(text[start:end], catalogue)
    dated = _YEAR_AFTER.match(text, end)
    if not dated:
        return ids[0] if ids else None
    for item_id in ids:
        item = catalogue.get(item_id)
        known = item.attributes.get("year")
        if dated[1] in item.title or known is None or known == int(dated[1]):
            return item_id
    return None


def _is_meant(text: str, start: int, end: int, words: Sequence[re.Match[str]]) -> bool:
    span = text[start:end]
    said = span.split()
    if len(said) > 1 and re.search(r"\b\d{4}\)?$", span):
        return True
    if _is_quoted(text, start, end):
        return True
    telling = _telling(said)
    capital = not text.isupper() and all(not w[:1].islower() for w in telling or said) and span != span.lower()
    if _CUE.search(text[max(0, start - 60) : start]) or TOLD_AFTER.match(text, end):
        return (
            capital
            or len(telling) > 1
            or len(said) > 3
            or (bool(telling) and len(span) > 3 and (_ENDS.match(text, end) or TOLD_AFTER.match(text, end)) is not None)
        )
    alone = _BEGINS.search(text[max(0, start - 20) : start]) and _ENDS.match(text, end)
    if len(telling) > 2 or (len(telling) > 1 and (alone or _COMPARED.match(text, end))):
        return True
    if text.strip(" .!?\"'") == span:
        return capital and span.lower() not in FILLER
    if not capital:
        return False
    if _BAD.match(text, end) or _GOOD.match(text, end):
        return True
    # At the start of a sentence, and where every word has one, a capital says nothing.
    opens = not text[:start].strip() or text[:start].rstrip()[-1] in ".!?\n:"
    if opens:
        return len([w for w in telling if w[:1].isupper()]) > 1
    return any(w.group()[:1].islower() for w in words if not start <= w.start() < end)


def _is_quoted(text: str, start: int, end: int) -> bool:
    return bool(start and text[start - 1] in _OPEN and re.match(rf"[.,!?]?[{_CLOSE}]", text[end:]))


def _telling(words: Sequence[str]) -> list[str]:
    return [w for w in words if w.lower() not in FILLER and w.lower() not in _SMALL]


def _is_compared(text: str, start: int, end: int, catalogue: Catalogue) -> bool:
    """Whether a message begins with a title from which it departs: "philadelphia but older", not "funny but dark"."""
    said = text[start:end].lower().split()
    opens = not text[:start].strip() and re.match(r"\s+but\b", text[end:], re.IGNORECASE) is not None
    known = phrase_key(text[start:end]) in catalogue.phrases or is_cue(text, start)
    return opens and not known and (len(said) > 2 or bool(set(_telling(said)) - EVERYDAY))


def _is_free(text: str, mention: Mention) -> bool:
    """Whether an unsure title could be a member of a list: no everyday word, and nothing hangs on it."""
    span = text[mention.start : mention.end].lower()
    return span not in FILLER and len(span) > 2 and _ENDS.match(text, mention.end) is not None


def _with_neighbours(text: str, meant: list[Mention], unsure: Sequence[Mention]) -> list[Mention]:
    """The titles that are meant, and those beside them in a list: "I loved alien and blade runner"."""
    for candidates in (unsure, unsure[::-1]):
        for one in candidates:
            if any(one.start < m.end and m.start < one.end for m in meant):
                continue
            gaps = (text[min(one.end, m.end) : max(one.start, m.start)] for m in meant)
            if any(gap.strip() and len(gap) < 12 and _LIST_JOIN.fullmatch(gap) for gap in gaps):
                meant = [*meant, one]
    return sorted(meant, key=lambda m: m.start)


_SMALL = frozenset("the a an of and in on to for with from at by or is it".split())
