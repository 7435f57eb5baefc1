"""What a message points at in the last list: "more like the second", "not that one", "why the third?".

Pure: from message, list and catalogue to places in the message, the items meant there, and how they are meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.understanding.comparing import WORDS as COMPARATIVES
from agent.understanding.cues import scopes, stance
from agent.understanding.pointers import Pointer, find_pointers
from agent.workspace.catalogue import Catalogue

How = Literal["like", "against", "seen", "why", "again", "than", "apart"]
# like:    more of this kind.          "more like the second"
# against: none of this kind.          "not that one"
# seen:    known already, no verdict.  "I've seen the first"
# why:     a reason is asked for.      "why the third?"
# again:   to be shown once more.      "the first one again"
# than:    compared with.              "newer than the first"
# apart:   merely left behind.         "something different from these"

_THE = r"(?:(?:the|both|all|film|movie|book)\s+)*[\"“'‘]?$"
_THAN = re.compile(
    rf"\b(?:(?:{COMPARATIVES}|\w+er|(?:more|less)\s+\w+)\s+than|(?:as|so)\s+\w+\s+as)\s+(?:(?:all|any)\s+of\s+)?{_THE}",
    re.IGNORECASE,
)
_APART = re.compile(rf"\bdifferent\s+(?:from|than|to)\s+(?:all\s+of\s+)?{_THE}", re.IGNORECASE)
_KNOWN = r"(?:seen|watched|saw|read|played|heard|tried|know|own|bought)"
_SEEN = re.compile(
    rf"(?:\b(?:{_KNOWN}|(?:have|got|had)\s+already|already\s+(?:have|got|own|had))\s+(?:already\s+)?(?:(?:all|both|any)\s+(?:of\s+)?)?{_THE})",
    re.I,
)
_UNSEEN = re.compile(rf"(?:\bnever|n['’]?t|\bnot)\s+(?:yet\s+)?{_KNOWN}\s+{_THE}", re.IGNORECASE)
SEEN_AFTER = re.compile(
    rf"[\"”'’]?\s*,?\s*(?:i\s+)?(?:i['’]?ve\s+|have\s+)?(?:already\s+)?{_KNOWN}\b(?!\s+(?:the|by))", re.I
)
_WHY = re.compile(
    r"\bwhy\b(?!\s+not\b)|\bhow\s+come\b|\bwhat\s+makes\b|\bexplain\b|\breasons?\s+(?:for|behind)\b|\bdescribe\b"
    r"|\b(?:tell|more|details?|info|information|know|hear)\b(?:\s+(?:me|us|more|something|details?))*\s+about\b"
    r"|\bwhat(?:['’]?s|\s+is|\s+are)\s+(?=(?:the|that|this|these|those|it|\x00|number|#)\b)[^.;!]*\babout\b",
    re.IGNORECASE,
)  # fmt: skip
_AGAIN = re.compile(r"[\"”'’]?(?:\s+(?:one|film|movie|please|to\s+me))*\s+(?:again|once\s+more)\b", re.IGNORECASE)
_BACK = re.compile(rf"\b(?:back|return)\s+to\s+{_THE}", re.IGNORECASE)
_VERB = (
    r"[\"”'’]?\s+(?:was|is|were|are|looks?|sounds?|seems?|feels?)\s+"
    r"(?:(?:so|really|too|very|just|a\s+bit|pretty|rather|quite)\s+){0,3}"
)
_BAD = re.compile(
    _VERB + r"(?:bad|awful|terrible|horrible|boring|dull|overrated|ugly|lame|rubbish|stupid|no\s+good|not\s+\w+"
    r"(?:\s+\w+)?)\b",
    re.IGNORECASE,
)
_GOOD = re.compile(
    _VERB
    + r"(?:good|great|amazing|brilliant|perfect|nice|interesting|fine|excellent|fun|cool|promising|right|best|lovely"
    r"|wonderful)\b",
    re.I,
)
_DISLIKED = re.compile(
    r"\b(?:hat(?:e[ds]?|ing)|dislik|loath|detest|(?:stand|like|love|enjoy|into|keen|care|fan|tired|sick|bored|fed)\b)",
    re.I,
)
_NO = re.compile(
    rf"(?:^|[.,;!?\s])(?:not|no|nope|without|skip|except|but\s+not|remove|drop|lose|ditch|replace|swap)\s+{_THE}", re.I
)
_TOO = re.compile(
    r"[\"”'’]?\s+(?:was|is|were|are|looks?|sounds?|seems?|feels?)\s+(?:\w+\s+){0,2}too\s+\w", re.IGNORECASE
)
_PASS = re.compile(
    r"[\"”'’]?\s*[?,:–-]+\s*(?:no|nope|nah|pass|hard\s+pass|no\s+thanks|skip)(?=\W*$|\s*[,.;!?])", re.IGNORECASE
)
# "any of these with Tom Hanks?"
_ASKED_FOR = re.compile(r"\b(?:any|one|some)\s+of\b", re.IGNORECASE)
_HAVING = re.compile(r"\s*(?:with|by|from|in|that|which|have|has)\b", re.IGNORECASE)
# "who directed the third?", "is the second any good?"
_QUESTION = re.compile(
    r"\s*(?:and\s+|but\s+)?(?:who|when|where|what|how|which|is|are|was|were|does|did)\b", re.IGNORECASE
)
_NO_QUESTION = re.compile(
    r"\b(?:like|similar|than|how\s+about|(?:is|are|was|were)\s+there|else|more|same)\b", re.IGNORECASE
)
_SPREADS: frozenset[How] = frozenset(("seen", "why", "again"))  # "seen the first and casino"
_JOIN = re.compile(r"[\"”'’]?\s*(?:,|&|\band\b|\bor\b)+\s*(?:and\s+)?[\"“'‘]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """text[start:end] means these items in this way; `choices` holds several where it is not clear which."""

    start: int
    end: int
    item_ids: tuple[str, ...]
    how: How
    choices: tuple[str, ...] = ()
    is_clear: bool = True


def find_references(text: str, shown: Sequence[str], catalogue: Catalogue, *, answers: bool = False) -> list[Reference]:
    """All references of a message, in its order; their places do not overlap.

    Args:
        text: the message.
        shown: item ids of the last list, in its order; or the choices of the last question.
        catalogue: where the items stand.
        answers: whether the message may be the answer to a question, so that a bare name is one of the choices.
    """
    found: list[Reference] = []
    for pointer in find_pointers(text, shown, catalogue, answers=answers):
        earlier = next((r for r in reversed(found) if r.is_clear), None)
        if pointer.is_pronoun and earlier is not None:  # "seen the second, loved it"
            pointer = replace(pointer, item_ids=earlier.item_ids)
        one = _reference(text, pointer)
        if (
            found
            and one.how == "like"
            and found[-1].how in _SPREADS
            and _JOIN.fullmatch(text, found[-1].end, one.start)
        ):
            one = replace(one, how=found[-1].how)
        found.append(one)
    told = {i for r in found if r.how in ("like", "against") for i in r.item_ids}
    return [replace(r, how="apart") if r.how == "seen" and told.issuperset(r.item_ids) else r for r in found]


def blanks(text: str, references: Sequence[Reference]) -> Iterator[tuple[int, int]]:
    """What of the message has been understood by its references: they themselves, their cues and verdicts."""
    for r in references:
        start, end = r.start, r.end
        from_ = max(0, start - 40)
        cued = _SEEN.search(text[from_:start]) or _NO.search(text[from_:start])
        start = from_ + cued.start() if cued is not None else start
        cue = next((s for s in reversed(scopes(text)) if s.cue_start <= start < s.end), None)
        if cue is not None and start - cue.start < 16 and r.how in ("against", "seen"):
            start = cue.cue_start
        for pattern in (_BAD, _GOOD, _PASS, _AGAIN, SEEN_AFTER):
            told = pattern.match(text, r.end)
            end = max(end, told.end() if told else end)
        yield start, end


def is_disliked(text: str, reference: Reference) -> bool:
    """Whether what is turned down is said to be bad: "I hated the first", and not a mere "not the first one"."""
    if _BAD.match(text, reference.end) or _TOO.match(text, reference.end):
        return True
    scope = next((s for s in reversed(scopes(text)) if s.start <= reference.start < s.end), None)
    said = f"{scope.cue} {text[scope.cue_start : reference.start]}" if scope is not None else ""
    return _DISLIKED.search(said) is not None


def _reference(text: str, pointer: Pointer) -> Reference:
    how = _how(text, pointer.start, pointer.end)
    return Reference(
        pointer.start, pointer.end, pointer.item_ids if pointer.is_clear else (), how,
        () if pointer.is_clear else pointer.item_ids, pointer.is_clear,
    )  # fmt: skip


def _how(text: str, start: int, end: int) -> How:
    before = text[max(0, start - 80) : start]
    if _THAN.search(before):
        return "than"
    if _APART.search(before):
        return "apart"
    if _AGAIN.match(text, end) or _BACK.search(before):
        return "again"
    if _is_asked_why(text, start):
        return "why"
    if (_SEEN.search(before) and not _UNSEEN.search(before)) or SEEN_AFTER.match(text, end):
        return "seen"
    if _ASKED_FOR.match(text, start) and _HAVING.match(text, end):
        return "apart"
    if _TOO.match(text, end):
        return (
            "apart" if re.match(r"these|those|all|both|that$|this$|it$", text[start:end], re.IGNORECASE) else "against"
        )
    if (
        text[start:end].lower().startswith(("none", "neither"))
        or _BAD.match(text, end)
        or _PASS.match(text, end)
        or _NO.search(before)
        or stance(text, start) in ("against", "less")
    ):
        return "against"
    return "like"


def _is_asked_why(text: str, start: int) -> bool:
    """Whether the sentence asks for a reason before, or asks something of what it points at and wants nothing else."""
    begin = max((text.rfind(c, 0, start) for c in ".;!?\n"), default=-1) + 1
    asked = _WHY.search(text, begin)
    if asked is not None and asked.start() < start:
        return True
    end = min((place for c in ".;!?\n" if (place := text.find(c, start)) >= 0), default=len(text))
    sentence = text[begin:end]
    about = _QUESTION.match(sentence) or re.search(r",\s*(?:is|are|was)\s+(?:it|they|that)\b", sentence)
    return bool(about and not _NO_QUESTION.search(sentence))
