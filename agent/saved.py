"""Replies as they are kept with their turns, and back again; a conversation is reopened from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from agent.explaining.asked import as_asked
from agent.request import Request
from agent.schema import AttributeValue, Candidate, Evidence, Intent, Item, Recommendation, Reply
from agent.workspace.catalogue import Catalogue
from agent.workspace.store import Store

_INTENT = TypeAdapter(Intent)
_EVIDENCE = TypeAdapter(tuple[Evidence, ...])


def keep(store: Store, since: int, request: Request, reply: Reply) -> None:
    """Keep a turn that made a list, or found none: what it went by, and its reply.

    Nothing is kept of a person who was forgotten since the turn began, a moment of `Store.forgets`.
    """
    asked = {**request.as_dict(), **as_asked(request.profile, reply.intent)}
    with store.alone():
        if not store.was_forgotten(reply.user_id, since):
            store.put_turn(reply.turn_id, reply.user_id, asked, as_kept(reply))


def as_kept(reply: Reply) -> dict[str, Any]:
    """A reply with everything that `reply_of` needs, in plain types; its intent is kept with the request."""
    said = reply.as_dict()
    for one, recommendation in zip(said["recommendations"], reply.recommendations, strict=True):
        one["evidence"] = [asdict(evidence) for evidence in recommendation.evidence]
    ranked = [{"item_id": c.item.item_id, **c.scores} for c in reply.candidates]
    return {**said, "candidates": ranked, "complete": reply.complete}


def reply_of(turn: Mapping[str, Any], catalogue: Catalogue) -> Reply:
    """The reply of a stored turn. Items are those of the catalogue; one that has left it has no text any more."""
    said = turn["reply"]
    listed = tuple(_recommendation(one, catalogue) for one in said["recommendations"])
    ranked = [(row["item_id"], row) for row in said.get("candidates", ()) if row["item_id"] in catalogue.position]
    candidates = (
        Candidate(catalogue.get(i), {name: score for name, score in row.items() if name != "item_id"})
        for i, row in ranked
    )
    return Reply(
        turn_id=turn["turn_id"],
        user_id=said["user_id"],
        intent=_INTENT.validate_python(turn["request"]["intent"]),
        recommendations=listed,
        message=said["message"],
        question=said["question"],
        timings_ms=said["timings_ms"],
        model=said["model"],
        adapter=said["adapter"],
        prompt=said["prompt"],
        understood=said.get("understood", ""),
        candidates=tuple(candidates),
        complete=said["complete"],
        model_weight=said.get("model_weight"),
    )


def _recommendation(one: Mapping[str, Any], catalogue: Catalogue) -> Recommendation:
    item_id = one["item_id"]
    attributes: dict[str, AttributeValue] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in one["attributes"].items()
    }
    known = catalogue.get(item_id) if item_id in catalogue.position else Item(item_id, one["title"], "", attributes)
    score = -math.inf if one["score"] is None else one["score"]
    return Recommendation(
        one["rank"], known, score, one["justification"], one["verified"], one["phrased_by"],
        _EVIDENCE.validate_python(one["evidence"]),
    )  # fmt: skip
