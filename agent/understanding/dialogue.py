"""One message of a conversation: what it does, what it points at, and the intent after it. Pure; no model is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agent.schema import Filter, Intent
from agent.understanding.chatter import without_asides, without_sounds
from agent.understanding.chinese import is_chinese
from agent.understanding.chinese_references import find_chinese_references, intent_beside
from agent.understanding.comparing import find_comparisons
from agent.understanding.forgetting import forgotten
from agent.understanding.intent import Manner, follow_up, parse_intent
from agent.understanding.leaning import find_leanings, leant
from agent.understanding.mentions import Mention, find_mentions
from agent.understanding.naming import how_named
from agent.understanding.references import SEEN_AFTER, Reference, blanks, find_references, is_disliked
from agent.understanding.sharing import find_shared
from agent.understanding.smalltalk import Kind, without_talk
from agent.understanding.spans import blank
from agent.understanding.spelling import respelled
from agent.understanding.surnames import find_namesakes
from agent.understanding.unclear import Choice, Unclear, answered, by_place, dated, unclear_titles
from agent.workspace.catalogue import Catalogue

Act = Literal["list", "explain", "show", "ask", "talk"]

# "or a drama", "dramas too", "dramas are fine as well"
_EITHER = re.compile(
    r"^\W*(?:(?:and\s+|or\s+|maybe\s+)?(?:or|also|and|plus)\b)(?!\s+with\b)|\b(?:too|as\s+well|also)\W*(?:please)?\W*$"
    r"|\b(?:is|are|would\s+be)\s+(?:also\s+)?(?:fine|ok|okay|good|great|welcome)(?:\s+(?:too|as\s+well|also))?\W*$",
    re.IGNORECASE,
)
# "with some romance", "make it romantic", "an animated one"
_BOTH = re.compile(
    r"^\W*(?:but\s+|and\s+|maybe\s+)?(?:with|plus\s+some|add)\b|\b(?:make\s+it|but|more|an?|some|the)\s+(?:romantic|animated|comedic)"
    r"(?:\s+(?:ones?|too))?\W*$",
    re.IGNORECASE,
)
_CORRECTS = re.compile(r"^\W*(?:no|nope|nah|sorry|wait|i\s+mean|i\s+meant)\b(?!\s+\w+s\b)", re.IGNORECASE)
_SEEN = re.compile(
    r"(?:\b(?:have|has|i['’]?ve|we['’]?ve)\s+(?:already\s+)?|\balready\s+)(?:seen|watched|read|played|heard)\s+(?:both\s+)?$",
    re.IGNORECASE,
)
_MORE_OF_IT = re.compile(
    r"\b(?:like|similar\s+to|liked|loved|enjoyed)\s+(?:it|that|this|them|those|these|both)\b", re.I
)
_THAN = re.compile(r"\bthan\s+(?:the\s+(?:film|movie|book)\s+)?[\"“'‘]?$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?:(?:\b(?:dr|mr|mrs|ms|st|vs|jr|[a-z])\.)|[^.!?\n]|[.](?=\w))+", re.IGNORECASE)
_TAKES_BACK = re.compile(
    r"(?<=[,.;!?–-])\s*(?:(?:nah|nope|no\s+wait|wait|scratch\s+that|actually|or\s+rather|i\s+mean(?:t)?|make\s+that"
    r"|on\s+second\s+thoughts?)\b|no(?=,))",
    re.IGNORECASE,
)
_JOIN = re.compile(r"[\"”'’]?\s*(?:,|and|&|or)+\s*(?:and\s+)?[\"“'‘]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class State:
    """A conversation so far: the intent, the lists shown (item ids, oldest list first), the choices last asked of."""

    intent: Intent = field(default_factory=Intent)
    lists: tuple[tuple[str, ...], ...] = ()
    choices: tuple[Choice, ...] = ()

    def after(self, turn: Turn) -> State:
        """The state once a message was understood."""
        return replace(self, intent=turn.intent, choices=turn.choices)

    def showing(self, item_ids: Sequence[str]) -> State:
        """The state once a list is shown."""
        return replace(self, lists=(*self.lists, tuple(item_ids)))


@dataclass(frozen=True, slots=True)
class Turn:
    """What a message does.

    `does` is "list" (a new list is wanted), "explain" (why `refers` are there), "show" (`refers` again), "ask" (which
    of `choices` is meant; none where no list was) or "talk" (of the kind `talk`; nothing is wanted).
    `refers` and `seen` hold item ids: what of the last list the message points at, and what is known already.
    """

    does: Act
    intent: Intent
    refers: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    talk: Kind | None = None


def understand(text: str, state: State, catalogue: Catalogue) -> Turn:
    """What a message means after what was said and shown before. Never fails: what is not understood is a wish."""
    if is_chinese(text, catalogue):
        return _in_chinese(text, state, catalogue)
    said = dated(respelled(unicodedata.normalize("NFC", text), catalogue), catalogue)
    last = state.lists[-1] if state.lists else ()
    rest, kind = without_talk(without_sounds(said, catalogue))
    rest = by_place(rest) if _asked_of(state) else rest
    people, rest = answered(rest, [c for c in state.choices if isinstance(c, Filter)], catalogue)
    rest, only = without_asides(rest, _asked_of(state) or last, catalogue)
    only = only and not people
    if only or (re.search(r"\w", said) and not re.search(r"\w", rest) and not people):
        return Turn("talk", state.intent, talk=kind or "aside")
    before, rest = forgotten(state.intent, rest, catalogue)
    references = _references(rest, state, catalogue)
    refers = _ids(references, "like", "against", "seen", "why", "again", "than", "apart")
    asked = _asked(references, refers, state)
    if asked is not None:
        return asked
    seen = list(_seen(rest, references, catalogue))
    unclear = list(_unclear(rest, references, seen, before, catalogue))
    rest = blank(rest, [(u.start, u.end) for u in unclear])
    now = _now(rest, references, seen, state, catalogue)
    now = replace(now, filters=(*people, *now.filters))
    known = tuple(dict.fromkeys((*_ids(references, "seen"), *(m.item_id for m in seen))))
    if _CORRECTS.match(rest) and now.likes:
        before = replace(before, likes=())
    after = replace(leant(_added(before, now, rest, catalogue), find_leanings(rest)), text=text.strip())
    asked_of = [r.choices for r in references if not r.is_clear] + [u.choices for u in unclear]
    if asked_of:
        return Turn("ask", after, refers, known, choices=asked_of[0])
    if kind is not None and _is_same(after, state.intent) and not refers:
        return Turn("talk", state.intent, talk=kind)
    return Turn("list", after, refers, known)


def _in_chinese(text: str, state: State, catalogue: Catalogue) -> Turn:
    last = state.lists[-1] if state.lists else ()
    references = find_chinese_references(text, _asked_of(state) or last)
    refers = _ids(references, "like", "against", "seen", "why", "apart")
    asked = _asked(references, refers, state)
    if asked is not None:
        return asked
    after = follow_up(state.intent, intent_beside(text, references, catalogue))
    unclear = [r.choices for r in references if not r.is_clear]
    known = _ids(references, "seen")
    return Turn("ask", after, refers, known, choices=unclear[0]) if unclear else Turn("list", after, refers, known)


def _asked_of(state: State) -> tuple[str, ...]:
    """The items last asked of."""
    return tuple(c for c in state.choices if isinstance(c, str))


def _unclear(
    text: str, references: Sequence[Reference], seen: Sequence[Mention], before: Intent, catalogue: Catalogue
) -> Iterator[Unclear]:
    """Titles and surnames that can mean several things, and what of the message they are."""
    free = [m for m in find_mentions(text, catalogue) if not _overlaps(m, references) and m not in seen]
    yield from unclear_titles(text, free, before.likes, catalogue)
    plain = blank(text, [*((r.start, r.end) for r in references), *((m.start, m.end) for m in free)])
    told = {f.value for f in before.filters}
    for one in find_namesakes(plain, catalogue):
        if not any(c.value in told for c in one.choices):
            yield Unclear(one.start, one.end, one.choices)


def _references(text: str, state: State, catalogue: Catalogue) -> list[Reference]:
    """What a message points at: among the choices just asked of, else in the last list, for "again" in any list."""
    last = state.lists[-1] if state.lists else ()
    if _asked_of(state):
        found = find_references(text, _asked_of(state), catalogue, answers=True)
        if any(r.is_clear for r in found):
            return found
    found = find_references(text, last, catalogue)
    if not last and find_mentions(text, catalogue):
        return [r for r in found if r.is_clear or r.choices]
    older = tuple(dict.fromkeys(i for shown in reversed(state.lists) for i in shown))
    again = [r for r in find_references(text, older, catalogue) if r.how == "again"] if not found and older else []
    return found or again


def _asked(references: Sequence[Reference], refers: tuple[str, ...], state: State) -> Turn | None:
    """The turn of a message that asks about items, or asks to see them again; it leaves the intent alone."""
    about: tuple[tuple[str, Act], ...] = (("why", "explain"), ("again", "show"))
    for how, act in about:
        asked = [r for r in references if r.how == how]
        ids = tuple(i for r in asked for i in r.item_ids)
        if ids:
            return Turn(act, state.intent, ids)
        if asked:
            return Turn("ask", state.intent, choices=asked[0].choices)
    return None


def _now(
    text: str, references: Sequence[Reference], seen: Sequence[Mention], state: State, catalogue: Catalogue
) -> Intent:
    """What this message alone asks for."""
    mentions = [m for m in find_mentions(text, catalogue) if not _overlaps(m, references)]
    than = [(r.start, r.item_ids) for r in references if r.how == "than"]
    than += [(m.start, (m.item_id,)) for m in mentions if _THAN.search(text[: m.start])]
    gone = [*blanks(text, references), *((m.start, m.end) for m in seen)]
    gone += [(m.start, m.end) for m in mentions if _THAN.search(text[: m.start])]
    plain = blank(text, gone)
    likes = _ids(references, "like")
    named = tuple(m.item_id for m in find_mentions(plain, catalogue) if not m.negated)
    models = tuple(dict.fromkeys((*likes, *named)))
    last = state.lists[-1] if state.lists else ()
    others = models if len(models) == 1 else last
    titled = blank(plain, [(m.start, m.end) for m in find_mentions(plain, catalogue)])
    compared = list(find_comparisons(titled, than, others, catalogue))
    places = [(r.start, r.end, r.item_ids) for r in references] + [(m.start, m.end, (m.item_id,)) for m in mentions]
    shared = list(find_shared(titled, places, others, catalogue))
    plain = blank(plain, [*((c.start, c.end) for c in compared), *((s.start, s.end) for s in shared)])
    now = parse_intent(plain, catalogue)
    bounds = (*(c.bound for c in compared), *(f for s in shared for f in s.filters))
    likes = _ids(
        [r for r in references if not any(s.at is not None and r.start <= s.at < r.end for s in shared)], "like"
    )
    told = _liked(text, references)
    return replace(
        now,
        likes=tuple(dict.fromkeys((*likes, *now.likes))),
        examples=tuple(i for i in dict.fromkeys((*likes, *now.examples)) if i not in (*told, *now.liked)),
        met=tuple(i for i in now.met if i not in told),
        dislikes=tuple(dict.fromkeys((*_ids(references, "against"), *now.dislikes))),
        declined=_ids([r for r in references if not is_disliked(text, r)], "against"),
        filters=tuple(dict.fromkeys((*now.filters, *bounds))),
    )


def _liked(text: str, references: Sequence[Reference]) -> tuple[str, ...]:
    """The items of which the message says that they are liked, where it points at them."""
    hows = how_named(blank(text, [(r.start, r.end) for r in references]), [(r.start, r.end) for r in references])
    return tuple(i for r, found in zip(references, hows, strict=True) if found == "liked" for i in r.item_ids)


def _seen(text: str, references: Sequence[Reference], catalogue: Catalogue) -> Iterator[Mention]:
    """Titles of the catalogue that the message says are known, such as "I've already seen Heat and Fargo"."""
    liked = [s.span() for s in _SENTENCE.finditer(text) if _MORE_OF_IT.search(s.group())]
    last: Mention | Reference | None = next((r for r in references if r.how == "seen"), None)
    for m in find_mentions(text, catalogue):
        joined = last is not None and _JOIN.fullmatch(text, last.end, m.start)
        told = joined or _SEEN.search(text[: m.start]) or SEEN_AFTER.match(text, m.end)
        if told and not _overlaps(m, references) and not m.negated and not any(s <= m.start < e for s, e in liked):
            yield m
            last = m


def _overlaps(mention: Mention, references: Sequence[Reference]) -> bool:
    return any(r.start < mention.end and mention.start < r.end for r in references)


def _ids(references: Sequence[Reference], *hows: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for r in references if r.how in hows for i in r.item_ids))


def _manner(text: str) -> Manner:
    if _BOTH.search(text):
        return "both"
    return "either" if _EITHER.search(text) else "instead"


def _added(before: Intent, now: Intent, text: str, catalogue: Catalogue) -> Intent:
    """The intent after a message; where its sentences add in different manners, or one takes another back, one by one.

    "Dramas too. Nothing sad." widens by dramas only, and "a comedy, nah, a horror film" asks for horror.
    """
    cuts = [0, *(m.start() for m in _TAKES_BACK.finditer(text)), len(text)]
    sentences = [m.span() for a, b in zip(cuts, cuts[1:], strict=False) for m in _SENTENCE.finditer(text, a, b)]
    sentences = [(start, end) for start, end in sentences if re.search(r"\w", text[start:end])]
    manners = [_manner(text[start:end]) for start, end in sentences]
    takes_back = len(cuts) > 2
    if len(sentences) < 2 or (set(manners) == {"instead"} and not takes_back):
        return follow_up(before, now, _manner(text))
    left = now.filters
    for (start, end), manner in zip(sentences, manners, strict=True):
        said = parse_intent(blank(text, [(0, start), (end, len(text))]), catalogue).filters
        every = manner == "either" or takes_back
        own = tuple(f for f in said if every or f in left)
        read = {f.attribute for f in own if every}
        left = tuple(f for f in left if f not in own and f.attribute not in read)
        before = follow_up(before, Intent(filters=own), manner)
    return follow_up(before, replace(now, filters=left))


def _is_same(a: Intent, b: Intent) -> bool:
    return replace(a, text="") == replace(b, text="")
