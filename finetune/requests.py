"""Requests in plain words, phrased from the facts of an item: what a person who would be glad of it might type.

They are pairs of a request and its answer for training, and requests with a known answer for tests. So a request must
be true of its item, and the agent must read it so: each one is parsed as it would be in a turn, and one whose
conditions the item does not meet is phrased anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np

from agent.justification.wording import plural, role_of, verb_of
from agent.schema import Item, matches
from agent.understanding.cues import NUMBERS
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue
from finetune import request_frames as frames
from finetune import request_words as tables
from finetune.request_contrasts import differences, refusable, said_title
from finetune.request_phrases import Phrase, askable, kind_names, phrase, pick, sort_of, with_article

TRIES = 12  # phrasings, before an item is given up
SHARE_SHORT, SHARE_LIKE, SHARE_REFUSING, SHARE_COUNTED, SHARE_TWO_VALUES = 0.3, 0.4, 0.15, 0.1, 0.2
HOW_MANY_FACTS = (0.3, 0.45, 0.25)  # one, two or three
# How readily people ask for what, by `sort_of`.
WEIGHTS = {"kind": 3.0, "year": 2.0, "topic": 2.0, "stars": 1.5, "directed": 1.2, "written": 2.0, "number": 1.5}
WEIGHTS = {**WEIGHTS, "place": 0.6, "language": 0.6}
ALIKE = ("kind", "directed", "written", "stars", "by", "other")  # roles in which alike things share values
_COUNTS = (*NUMBERS, *(str(n) for n in range(2, 13)), "15", "20")

Slots = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """A request for an item. `facts` are the (attribute, value) pairs of the item that the text asks for.

    What it turns down is not among them. `like` is the id of an item that the text names as one that is liked.
    """

    text: str
    facts: tuple[tuple[str, str], ...]
    like: str | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A request before it is read: its frame, what fills it, and what it says."""

    frame: str
    slots: Slots
    facts: tuple[tuple[str, str], ...]
    like: str | None = None


def write_request(
    item: Item, catalogue: Catalogue, random: np.random.Generator, liked: Sequence[str] = (), noun: str = "item"
) -> Written | None:
    """A request that this item answers, the same for the same state of `random`.

    Args:
        item: what is asked for; it must be in the catalogue.
        catalogue: whose words and titles the request is read by.
        random: decides what is asked for and how.
        liked: ids of items that may be named as liked; one that shares nothing with the item is not.
        noun: what such a thing is called in the singular.

    Returns:
        None when the item has no facts that can be asked for, or none that would be understood rightly.
    """
    facts = askable(item, catalogue)
    if not facts:
        return None
    for _ in range(TRIES):
        draft = _draft(item, facts, catalogue, random, liked, noun)
        if draft is not None:
            text = _typed(draft.frame, draft.slots, random)
            if _is_read_rightly(text, draft, item, catalogue):
                return Written(text, draft.facts, draft.like)
    return None


def _is_read_rightly(text: str, draft: _Draft, item: Item, catalogue: Catalogue) -> bool:
    """Whether the item meets the request as the agent reads it, with no title in it but the liked one."""
    intent = parse_intent(text, catalogue)
    wanted = () if draft.like is None else (draft.like,)
    counts = (None, _count(draft.slots["n"])) if "{n}" in draft.frame else (None,)
    named_rightly = intent.likes == wanted and not intent.dislikes
    return named_rightly and intent.n in counts and matches(item, intent.filters)


def _count(said: str) -> int:
    return NUMBERS.get(said) or int(said)


# -- what is asked for


def _draft(
    item: Item,
    facts: Mapping[str, tuple[str, ...]],
    catalogue: Catalogue,
    random: np.random.Generator,
    liked: Sequence[str],
    noun: str,
) -> _Draft | None:
    called = pick(random, tables.NOUNS.get(noun, (noun,)))
    phrases = list(_phrases(facts, catalogue, called, random))
    if not phrases:
        return None
    slots = {**_doing(noun), **_phrase_slots(phrases, called, random), "n": pick(random, _COUNTS[1:])}
    asked = tuple(fact for p in phrases for fact in p.facts)
    other = _alike(item, catalogue, liked, random) if liked and random.random() < SHARE_LIKE else None
    if other is not None:
        return _like_draft(item, other, slots, asked, catalogue, called, random)
    frame = _frame(_group(random), slots, random)
    return _Draft(*_refusing(frame, slots, item, catalogue, called, random), asked)


def _phrases(
    facts: Mapping[str, tuple[str, ...]], catalogue: Catalogue, noun: str, random: np.random.Generator
) -> Iterator[Phrase]:
    names = list(facts)
    sorts = {name: sort_of(name, catalogue) for name in names}
    weights = np.array([WEIGHTS.get(sorts[name], 1.0) for name in names])
    wanted = 1 + int(random.choice(3, p=HOW_MANY_FACTS))
    drawn = random.choice(len(names), size=min(wanted, len(names)), replace=False, p=weights / weights.sum())
    once: set[str] = set()  # no two genres from two attributes, no two prices
    for name in (names[i] for i in drawn):
        if sorts[name] in once:
            continue
        once.add(sorts[name])
        several = sorts[name] in ("kind", "stars") and len(facts[name]) > 1 and random.random() < SHARE_TWO_VALUES
        places = random.choice(len(facts[name]), size=1 + several, replace=False)
        found = phrase(name, [facts[name][i] for i in places], catalogue, noun, random)
        if found is not None:
            yield found


def _alike(item: Item, catalogue: Catalogue, liked: Sequence[str], random: np.random.Generator) -> Item | None:
    """One of the liked items of other works that share the most with the item; a country alone makes none alike."""
    same = catalogue.editions([item.item_id])
    words = [n for n, kind in catalogue.attribute_types.items() if kind != "number" and role_of(n) in ALIKE]
    others = [catalogue.get(i) for i in dict.fromkeys(liked) if i in catalogue.position and i not in same]
    shared = [sum(len(set(item.words(n)) & set(other.words(n))) for n in words) for other in others]
    if not max(shared, default=0):
        return None
    chosen = pick(random, [other for other, n in zip(others, shared, strict=True) if n == max(shared)])
    return catalogue.get(catalogue.same_work(chosen.item_id)[0])


def _like_draft(
    item: Item,
    other: Item,
    slots: Slots,
    asked: tuple[tuple[str, str], ...],
    catalogue: Catalogue,
    noun: str,
    random: np.random.Generator,
) -> _Draft | None:
    found = differences(item, other, catalogue, noun, random)
    slots = {**slots, "x": said_title(other, catalogue, random)}
    compared: tuple[tuple[str, str], ...] = ()
    if found:
        contrast = pick(random, found)
        compared = contrast.facts
        slots["more"] = contrast.one
        if contrast.adjective:
            slots |= {"newer": contrast.one, "newer_a": with_article(contrast.one)}
    frame = _frame(frames.LIKES, slots, random)
    return _Draft(frame, slots, compared if re.search(r"\{(?:more|newer)", frame) else asked, other.item_id)


# -- how it is said


def _doing(noun: str) -> Slots:
    verb = verb_of(noun)
    if verb not in tables.DOINGS:
        return dict(zip(("verb", "do", "doing", "seen"), tables.BUYING, strict=True))
    return dict(zip(("verb", "do", "doing", "seen", "when"), (verb, *tables.DOINGS[verb], "tonight"), strict=True))


def _phrase_slots(phrases: Sequence[Phrase], noun: str, random: np.random.Generator) -> Slots:
    kind = next((p for p in phrases if p.place == "kind"), None)
    before = sorted((p for p in phrases if p.place == "before"), key=lambda p: p.order)
    front = "".join(f"{p.one} " for p in before)
    after = " ".join(p.one for p in phrases if p.place == "after")
    one, many = (front + kind.one, front + kind.many) if kind else (front + noun, front + plural(noun))
    article = f"some {one}" if one == many else with_article(one)
    keys = [phrases[i].key for i in random.permutation(len(phrases))]
    said = {"a": f"{article} {after}", "many": f"{many} {after}", "bare": f"{one} {after}"}
    said |= {"keys": pick(random, (" ", ", ")).join(keys), "noun": noun, "nouns": plural(noun)}
    if kind and after:
        said |= {"kind": article, "kinds": many, "post": after}
    if not kind and all(p.adjective for p in before):
        said["some"] = front + after
    return {name: " ".join(text.split()) for name, text in said.items()}


def _group(random: np.random.Generator) -> str:
    if random.random() < SHARE_COUNTED:
        return frames.COUNTED
    return frames.SHORT if random.random() < SHARE_SHORT else frames.ASKS


def _frame(group: str, slots: Slots, random: np.random.Generator) -> str:
    """A frame of the group for which there are all phrases; every group has one that needs only {a} or {many}."""
    lines = group.strip("\n").split("\n")
    return pick(
        random, [line for line in lines if {name for _, name, _, _ in Formatter().parse(line) if name} <= set(slots)]
    )


def _refusing(
    frame: str, slots: Slots, item: Item, catalogue: Catalogue, noun: str, random: np.random.Generator
) -> tuple[str, Slots]:
    """The frame and its phrases, sometimes with a kind that is turned down and that the item is not."""
    ends = re.fullmatch(r"(.*\})([?]?)", frame)
    refused = refusable(item, catalogue) if ends and random.random() < SHARE_REFUSING else []
    if not ends or not refused:
        return frame, slots
    kind = pick(random, refused)
    one, many = kind_names(kind, noun, random)
    said = {**slots, "no_a": one if one == many else with_article(one), "no_many": many}
    if "'" not in kind and kind.lower() not in tables.THINGS:
        said["no_mass"] = kind.lower()
    return ends[1] + _frame(frames.REFUSALS, said, random) + ends[2], said


def _typed(frame: str, slots: Slots, random: np.random.Generator) -> str:
    """The request as somebody types it: with care, in small letters, or without any marks as well."""
    care = random.random()
    if care < 0.2:
        frame = re.sub(r"[.,:?!']", "", frame)
    text = frame.format_map(slots)
    if care < 0.45:
        return text.lower()
    text = re.sub(r"(?:^|[.?!]\s+)\w", lambda match: match.group().upper(), text) if care > 0.6 else text
    return f"{text}." if care > 0.8 and text[-1] not in ".?!" else text
