"""What a list says to somebody else: titles, facts and reasons, and nothing of the person unless they want it.

A reason stays as it was written only where the claim checker accepts it on the evidence that may be told, for then it
says nothing beyond that; else a plain sentence of that evidence takes its place. Who tells what they asked for tells
conditions and wishes; what they like, also where the request names it, is told only by those who want that told too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.justification.chinese import phrase_in_chinese
from agent.justification.claims import check
from agent.justification.planning import plan_list
from agent.schema import Evidence, Recommendation, Reply
from agent.understanding.texts import Language
from agent.workspace.catalogue import Catalogue

_OF_REQUEST = ("constraint", "wish")


@dataclass(frozen=True, slots=True)
class Told:
    """What is told beside titles and facts: what was asked for, and what the person likes."""

    request: bool = False
    likes: bool = False


def may_be_told(evidence: Evidence, told: Told) -> bool:
    """Whether a fact says nothing of the person beyond what is told."""
    if evidence.kind in _OF_REQUEST:
        return told.request
    if evidence.kind == "nearest":
        of_history, of_request = ("history" in evidence.source, "request" in evidence.source)
        return (told.likes or not of_history) and (told.request or not of_request)
    return told.likes or evidence.kind in ("property", "popular")


def may_be_asked(key: str, told: Told) -> bool:
    """Whether a part of the intent may be told, by its key, see `agent.understanding.parts`."""
    kind = key.partition(":")[0]
    return (told.request and kind in ("filter", "wish", "avoid")) or (told.likes and kind in ("like", "dislike"))


def reasons(reply: Reply, told: Told, noun: str, catalogue: Catalogue, language: Language) -> Mapping[str, str]:
    """By item id, what may be said of each item of a list; nothing where no reason was given or none may be told."""
    given = [one for one in reply.recommendations if one.justification and one.verified]
    public = {one.item.item_id: [e for e in one.evidence if may_be_told(e, told)] for one in given}
    kept = {one.item.item_id: one.justification for one in given if _holds(one, public[one.item.item_id], catalogue)}
    others = [one for one in given if one.item.item_id not in kept and public[one.item.item_id]]
    plans = plan_list([one.item for one in others], [public[one.item.item_id] for one in others], noun, catalogue)
    if language == "zh":
        plain = [phrased.text for phrased in phrase_in_chinese(plans, noun, catalogue)]
    else:
        plain = [plan.plain for plan in plans]
    return kept | {one.item.item_id: said for one, said in zip(others, plain, strict=True)}


def _holds(one: Recommendation, public: Sequence[Evidence], catalogue: Catalogue) -> bool:
    """Whether a reason rests on what may be told alone."""
    everything = len(public) == len(one.evidence)
    return everything or (bool(public) and check(one.justification, one.item, public, catalogue).ok)


def page_of(
    reply: Reply,
    asked: Sequence[str],
    facts: Mapping[str, str],
    said: Mapping[str, str],
    noun: str,
    language: Language,
) -> dict[str, Any]:
    """What the page of a shared list holds, in plain types; `facts` and `said` are by item id."""
    return {
        "language": language,
        "noun": noun,
        "asked": list(asked),
        "items": [
            {
                "title": one.item.title,
                "facts": facts.get(one.item.item_id, ""),
                "reason": said.get(one.item.item_id, ""),
            }
            for one in reply.recommendations
        ],
    }
