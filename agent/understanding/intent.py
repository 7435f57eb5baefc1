"""A message becomes an intent: titles, years and the catalogue's own words first; what is left is a wish.

Vocabulary before model, so that 135 million parameters suffice: what a condition means is decided by the catalogue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from agent.schema import Filter, Intent
from agent.understanding.ages import without_ages
from agent.understanding.chinese import is_chinese, parse_chinese
from agent.understanding.counts import count_of, find_count
from agent.understanding.cues import FILLER, SMALL_TALK, is_cue, scopes, stance
from agent.understanding.leaning import find_leanings, leant
from agent.understanding.mentions import Mention, find_mentions
from agent.understanding.naming import Naming, how_named
from agent.understanding.numbers import find_bounds
from agent.understanding.spans import blank, phrases_in
from agent.understanding.spelling import respelled
from agent.understanding.unheard import is_noise, lengths
from agent.understanding.words import Word, contrasted, find_words, word_filters
from agent.understanding.years import YearRange, find_years
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import role_of

Manner = Literal["instead", "either", "both"]  # how a wanted value stands to the one wanted before

YEAR_ATTRIBUTES = ("year", "release_year", "publication_year", "published")
_START = Intent()
MOST_YEARS = 120  # years turned down one by one; a wider gap is none that a person means
_WORD = re.compile(r"[\w'’&]+(?:-[\w'’]+)*")
# Words that mostly are filler, and here are what a story is about: "a love story", "about music".
_SUBJECT = re.compile(
    r"love(?=\s+(?:story|stories|triangle|affairs?|at\s+first|between|and\s+(?:loss|death|war)|letters?)\b)",
    re.IGNORECASE,
)
_ARTS = frozenset("music books games films movies songs".split())
_NOUN_CUE = re.compile(r"(?:no|hate|avoid|skip|tired of|sick of|(?:do|does|don|dont)\b.*)$")


def parse_intent(text: str, catalogue: Catalogue) -> Intent:
    """What one message asks for. Never fails: what it does not understand stays among the wishes."""
    if is_chinese(text, catalogue):
        return parse_chinese(text, catalogue)
    stripped = text.strip()
    text = without_ages(respelled(unicodedata.normalize("NFC", text), catalogue))
    mentions = find_mentions(text, catalogue)
    said = blank(text, [(m.start, m.end) for m in mentions])
    leanings = find_leanings(said)
    named = _named(said, mentions)
    said = blank(said, [(one.start, one.end) for one in leanings])
    year_attribute = next((a for a in YEAR_ATTRIBUTES if catalogue.attribute_types.get(a) == "number"), None)
    bounds = find_bounds(said, catalogue)
    rest = blank(said, [(b.start, b.end) for b in bounds])
    ranges = find_years(rest) if year_attribute else []
    rest = blank(rest, [*((r.start, r.end) for r in ranges), *lengths(rest, catalogue)])
    n, rest = find_count(rest)
    words = find_words(rest, said, catalogue)
    if n is None:
        n, rest = count_of(words, rest)
    ranges = [r for r in ranges if not _belongs_to_refused(r, said, words)]
    words = contrasted(words, [(r.start, r.end) for r in ranges if r.negated], said)
    taken = [(w.start, w.end) for w in words if w.stance in (None, "against", "open")]
    wishes, avoids = _wishes(blank(rest, taken), said, catalogue)
    filters = [*_year_filters(ranges, said, year_attribute or ""), *(f for b in bounds for f in b.filters)]
    intent = Intent(
        text=stripped,
        likes=tuple(dict.fromkeys(m.item_id for m in mentions if not m.negated)),
        dislikes=tuple(dict.fromkeys(m.item_id for m in mentions if m.negated)),
        filters=(*filters, *word_filters(words, rest, catalogue)),
        wishes=wishes,
        avoids=avoids,
        n=n,
        examples=tuple(i for i, how in named.items() if how == "example"),
        met=tuple(i for i, how in named.items() if how == "met"),
    )
    return leant(intent, leanings)


def _named(said: str, mentions: Sequence[Mention]) -> dict[str, Naming]:
    """How each title is named; one that is named twice is liked, if once it is."""
    wanted = [m for m in mentions if not m.negated]
    hows = zip(wanted, how_named(said, [(m.start, m.end) for m in wanted]), strict=True)
    found: dict[str, Naming] = {}
    for m, how in hows:
        found[m.item_id] = how if found.get(m.item_id) != "liked" else "liked"
    return found


def follow_up(before: Intent, now: Intent, manner: Manner = "instead") -> Intent:
    """The intent after one more message.

    Likes, dislikes, refusals and wishes add up, the newest last, and what is said now undoes its opposite. A value or
    a window of years wanted now takes the place of the one wanted before, or with the manner "either" stands beside it
    as a choice, or with "both" is wanted too where it is a kind; a mere lower or upper bound narrows the window if it
    can. A message that names no count keeps the count. Habit and exploration stay.
    """
    wanted = _with_either(before.filters, now.filters) if manner == "either" else now.filters
    kept = before.filters if manner == "both" else ()
    kinds = tuple(f for f in kept if role_of(f.attribute) == "kind" and _BOUNDS.get(f.op) == "wanted")
    left = (*_kept([f for f in before.filters if f not in kinds], wanted), *_kept(kinds, _refusals(wanted)))
    return replace(
        now,
        likes=tuple(i for i in dict.fromkeys((*before.likes, *now.likes)) if i not in now.dislikes),
        dislikes=tuple(i for i in dict.fromkeys((*before.dislikes, *now.dislikes)) if i not in now.likes),
        filters=tuple(dict.fromkeys((*left, *wanted))),
        wishes=_joined(before.wishes, now.wishes, now.avoids),
        avoids=_joined(before.avoids, now.avoids, now.wishes),
        n=now.n or before.n,
        habit=before.habit,
        exploration=before.exploration,
        examples=_still(before.examples, now.examples, (*before.liked, *now.liked)),
        met=_still(before.met, now.met, (*before.liked, *now.liked, *now.examples)),
        declined=_still(before.declined, now.declined, (*now.likes, *_disliked(before), *_disliked(now))),
    )


def _still(before: Sequence[str], now: Sequence[str], told: Sequence[str]) -> tuple[str, ...]:
    """Titles that were named in some way, and of which nothing more was told."""
    return tuple(i for i in dict.fromkeys((*before, *now)) if i not in told)


def _disliked(intent: Intent) -> tuple[str, ...]:
    return tuple(i for i in intent.dislikes if i not in intent.declined)


def _refusals(filters: Sequence[Filter]) -> list[Filter]:
    return [f for f in filters if f.op in ("!=", "not in")]


def _with_either(before: Sequence[Filter], now: Sequence[Filter]) -> tuple[Filter, ...]:
    """What is wanted now, each value or window widened by the one wanted before of the same attribute."""
    widened = []
    for f in now:
        old = [g for g in before if g.attribute == f.attribute]
        same = [g for g in old if g.op == f.op]
        closed = all(any(g.attribute == f.attribute and g.op == op for g in now) for op in (">=", "<="))
        if f.op in ("==", "in"):
            values = [v for g in old if g.op in ("==", "in") for v in _values(g)]
            every = tuple(dict.fromkeys((*values, *_values(f))))
            f = replace(f, op="in", value=every) if len(every) > 1 else f
        elif f.op in (">=", "<=") and closed and same and isinstance(f.value, int | float):
            bounds = [f.value, *(g.value for g in same if isinstance(g.value, int | float))]
            f = replace(f, value=min(bounds) if f.op == ">=" else max(bounds))
        widened.append(f)
    return tuple(widened)


_BOUNDS = {">=": "low", ">": "low", "<=": "high", "<": "high", "==": "wanted", "in": "wanted"}


def _kept(before: Sequence[Filter], now: Sequence[Filter]) -> Iterator[Filter]:
    """The earlier conditions that the later ones leave standing."""
    for old in before:
        new = [f for f in now if f.attribute == old.attribute]
        kinds = {_BOUNDS.get(f.op, "refused") for f in new}
        kind = _BOUNDS.get(old.op, "refused")
        if kind in ("low", "high"):
            window = "wanted" in kinds or kind in kinds
            if window or any(not _overlap(old, f) for f in new if f.op in (">=", ">", "<=", "<")):
                continue
            yield old
        elif kind == "wanted" and kinds & {"wanted", "low", "high"}:
            continue
        else:
            opposite = [f for f in new if (_BOUNDS.get(f.op) == "wanted") != (kind == "wanted")]
            left = _without(old, [v for f in opposite for v in _values(f)])
            yield from [left] if left else []


def _overlap(a: Filter, b: Filter) -> bool:
    low, high = (a, b) if _BOUNDS[a.op] == "low" else (b, a)
    if isinstance(low.value, int | float) and isinstance(high.value, int | float):
        return low.value <= high.value
    return False


def _values(f: Filter) -> tuple[str | float | int, ...]:
    return f.value if isinstance(f.value, tuple) else (f.value,)


def _without(f: Filter, gone: Sequence[object]) -> Filter | None:
    if not any(v in gone for v in _values(f)):
        return f
    left = tuple(v for v in _values(f) if v not in gone)
    return replace(f, value=left) if left else None


def describe(intent: Intent, catalogue: Catalogue) -> str:
    """What was understood, in plain words: "year 1990 to 1999; genres Comedy; not genres Horror; wishes: tense"."""
    parts = describe_filters(intent.filters)
    named = (*intent.likes, *intent.dislikes)
    parts += [title_told(i, intent, catalogue) for i in named if i in catalogue.position]
    parts += [f"wishes: {intent.wishes}"] if intent.wishes else []
    parts += [f"without: {intent.avoids}"] if intent.avoids else []
    parts += [text for _, text in leanings_told(intent)]
    return "; ".join(parts)


def title_told(item_id: str, intent: Intent, catalogue: Catalogue) -> str:
    """How a title that the intent names is meant: "like Heat (1995)", "not like Heat (1995)", "without Heat (1995)"."""
    against = "without" if item_id in intent.declined else "not like"
    return f"{'like' if item_id in intent.likes else against} {catalogue.get(item_id).title}"


def leanings_told(intent: Intent) -> list[tuple[str, str]]:
    """Habit and exploration as (field, plain words), where they are not as they are at first."""
    told = []
    if intent.habit != _START.habit:
        told.append(("habit", f"{'less' if intent.habit < _START.habit else 'more'} of the usual"))
    if intent.exploration != _START.exploration:
        told.append(("exploration", "surprises welcome"))
    return told


def describe_filters(filters: Sequence[Filter]) -> list[str]:
    """Each condition in plain words; a lower and an upper bound on one attribute are one."""
    parts: list[str] = []
    done: set[Filter] = set()
    for f in filters:
        if f in done:
            continue
        high = next((g for g in filters if f.op == ">=" and g.op == "<=" and g.attribute == f.attribute), None)
        if high is not None:
            done.add(high)
            both = _said(_values(f)), _said(_values(high))
            parts.append(f"{f.attribute} {both[0]}" + (f" to {both[1]}" if both[0] != both[1] else ""))
        elif f.op in ("!=", "not in"):
            parts.append(f"not {f.attribute} {_said(_values(f))}")
        else:
            sign = {">=": "from ", "<=": "up to ", ">": "above ", "<": "below "}.get(f.op, "")
            parts.append(f"{f.attribute} {sign}{_said(_values(f))}")
    return parts


def _said(values: Sequence[str | float | int]) -> str:
    numbers = [v for v in values if not isinstance(v, str)]
    if len(values) > 2 and len(numbers) == len(values) and max(numbers) - min(numbers) == len(values) - 1:
        return f"{min(numbers):g} to {max(numbers):g}"
    return " or ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _belongs_to_refused(r: YearRange, said: str, words: Sequence[Word]) -> bool:
    """Whether a window hangs on what is turned down: "no comedies from the 80s" does not ask for the 80s.

    Nor does it forbid them all. Filters cannot say "not both", so no comedy is shown and the years are left open.
    """
    if r.negated:
        return False
    for scope in scopes(said):
        refused = any(scope.start <= w.start < scope.end for w in words)
        within = said[: scope.cue_start].lower().rstrip().endswith("with")
        if refused and not within and scope.end <= r.start and not said[scope.end : r.start].strip():
            return _NOUN_CUE.match(scope.cue) is not None
    return False


def _year_filters(ranges: Sequence[YearRange], said: str, attribute: str) -> tuple[Filter, ...]:
    """Wanted windows open one choice, bounds narrow it, refused years are cut out."""
    windows = sorted((r.low, r.high) for r in ranges if not r.negated and r.low is not None and r.high is not None)
    lows = [r.low for r in ranges if not r.negated and r.low is not None and r.high is None]
    highs = [r.high for r in ranges if not r.negated and r.high is not None and r.low is None]
    lows += [r.high + 1 for r in ranges if r.negated and r.low is None and r.high is not None]
    highs += [r.low - 1 for r in ranges if r.negated and r.high is None and r.low is not None]
    refused = {y for r in ranges if r.negated and r.low and r.high for y in range(r.low, r.high + 1)}
    if lows and highs and max(lows) > min(highs):  # "before 1960 or after 1990"
        refused |= set(range(min(highs) + 1, max(lows)))
        lows, highs = [], []
    for (_, end), (start, _) in zip(windows, windows[1:], strict=False):  # "the 70s or the 90s"
        refused |= set(range(end + 1, start))
    if windows:
        lows, highs = [*lows, windows[0][0]], [*highs, max(high for _, high in windows)]
    filters = [Filter(attribute, ">=", max(lows))] if lows else []
    filters += [Filter(attribute, "<=", min(highs))] if highs else []
    if 0 < len(refused) <= MOST_YEARS:
        years = tuple(sorted(refused))
        filters.append(Filter(attribute, "not in", years) if len(years) > 1 else Filter(attribute, "!=", years[0]))
    return tuple(filters)


def _wishes(rest: str, said: str, catalogue: Catalogue) -> tuple[str, str]:
    """The words that nothing took, as (wished for, refused); in a topic as "love triangle" none is mere filler."""
    topics = list(phrases_in(rest, catalogue.topics, catalogue.topic_starts))
    rest = blank(rest, [m.span() for m in SMALL_TALK.finditer(rest) if not any(t.overlaps(*m.span()) for t in topics)])
    wished: list[str] = []
    refused: list[str] = []
    for match in _WORD.finditer(rest):
        word = match.group().replace("’", "'").strip("'")
        filler = word.casefold() in FILLER and not any(t.overlaps(*match.span()) for t in topics)
        filler = filler and not _SUBJECT.match(rest, match.start()) and not _subject_before(rest, match)
        if is_noise(word, catalogue):
            continue
        if filler or is_cue(said, match.start()) or not re.search(r"[^\W\d]|\d{3}", word):
            continue
        towards = stance(said, match.start())
        if towards != "open":
            (wished if towards in (None, "also") else refused).append(word)
    return " ".join(wished), " ".join(refused)


def _subject_before(text: str, match: re.Match[str]) -> bool:
    return match.group().casefold() in _ARTS and text[: match.start()].casefold().endswith("about ")


def _joined(before: str, now: str, against: str) -> str:
    gone = {_root(w) for w in against.split()}
    words = [w for w in dict.fromkeys((*before.split(), *now.split())) if _root(w) not in gone]
    return " ".join(words[-30:])


def _root(word: str) -> str:
    """What "dark", "darker" and "darkest" share; good for comparing only."""
    word = word.casefold()
    stem = re.sub(r"(?<=\w{3})(?:er|est)$", "", word)
    if stem != word:
        stem = re.sub(r"i$", "y", stem)
        stem = re.sub(r"([bdgmnpt])\1$", r"\1", stem)
    return stem
