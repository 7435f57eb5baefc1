"""What is promised of every reply, checked from the catalogue and the store and never by the turn that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from asking import Asked  # type: ignore[import-not-found]

from agent.agent import Agent
from agent.justification.claims import check
from agent.schema import Reply, Strategy, matches
from agent.workspace.catalogue import title_key

KINDS = (
    "crash",
    "refused without need",
    "accepted though too long",
    "not complete",
    "empty reply without a message",
    "off-catalogue",
    "repeated item",
    "repeated title",
    "already seen, by id",
    "already seen, by title",
    "a hard filter is broken",
    "the words of the request are broken",
    "list longer than asked",
    "list shorter than it could be",
    "no justification",
    "not verified",
    "a claim does not hold",
    "ranks are not 1..n",
    "a score is not finite",
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One request, its meaning where it is known, and the conditions given beside the words."""

    number: int
    user_id: str | None
    text: str
    asked: Asked | None
    where: dict[str, Any] | None
    n: int
    strategy: Strategy

    def __str__(self) -> str:
        return (
            f"request {self.number}: user {self.user_id}, {self.text[:80]!r}, where {self.where}, n {self.n}, "
            f"{self.strategy}"
        )


def faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    """Every broken promise of one reply, as (kind, detail)."""
    items = [r.item for r in reply.recommendations]
    ids, titles = [i.item_id for i in items], [title_key(i.title) for i in items]
    if not reply.complete:
        yield "not complete", reply.message
    if not items and not reply.message:
        yield "empty reply without a message", ""
    if len(set(ids)) < len(ids):
        yield "repeated item", str(ids)
    if len(set(titles)) < len(titles):
        yield "repeated title", str(titles)
    if [r.rank for r in reply.recommendations] != list(range(1, len(items) + 1)):
        yield "ranks are not 1..n", str([r.rank for r in reply.recommendations])
    yield from _length_faults(agent, drawn, reply)
    yield from _item_faults(agent, drawn, reply)
    yield from _reason_faults(agent, reply)


def _item_faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    known = {item.item_id: item for item in agent.catalogue.items}
    seen = _seen(agent, drawn.user_id)
    seen_titles = {title_key(known[i].title) for i in seen if i in known}
    for r in reply.recommendations:
        item = r.item
        if known.get(item.item_id) != item:
            yield "off-catalogue", item.title
        if item.item_id in seen:
            yield "already seen, by id", item.title
        elif title_key(item.title) in seen_titles:
            yield "already seen, by title", item.title
        if not matches(item, reply.intent.filters) or (drawn.where and not _meets(item.attributes, drawn.where)):
            yield "a hard filter is broken", f"{item.title}: {[str(f) for f in reply.intent.filters]}"
        if drawn.asked is not None and (broken := drawn.asked.broken_by(item)) is not None:
            yield "the words of the request are broken", f"{item.title} is {broken}"
        if not math.isfinite(r.score):
            yield "a score is not finite", f"{item.title}: {r.score}"


def _reason_faults(agent: Agent, reply: Reply) -> Iterator[tuple[str, str]]:
    for r in reply.recommendations:
        if not r.justification.strip():
            yield "no justification", r.item.title
        if not r.verified:
            yield "not verified", f"{r.item.title}: {r.justification}"
        elif r.justification.endswith("。"):
            continue  # plain sentences in Chinese, which the checker does not read
        elif not (verdict := check(r.justification, r.item, r.evidence, agent.catalogue)).ok:
            problems = "; ".join(verdict.problems) or "nothing is claimed"
            yield "a claim does not hold", f"{r.item.title}, by {r.phrased_by}: {r.justification!r}: {problems}"


def _length_faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    """A list is as long as asked, or holds every work that meets the filters and was neither seen nor named."""
    found, wanted = len(reply.recommendations), min(reply.intent.n or drawn.n, agent.settings.max_n)
    if found > wanted:
        yield "list longer than asked", f"{found} of {wanted}"
    if found < wanted:
        gone = {*_seen(agent, drawn.user_id), *reply.intent.likes, *reply.intent.dislikes}
        gone_titles = {title_key(agent.catalogue.get(i).title) for i in gone if i in agent.catalogue.position}
        fitting = {title_key(i.title) for i in agent.catalogue.items if matches(i, reply.intent.filters)} - gone_titles
        if found < min(wanted, len(fitting)):
            yield "list shorter than it could be", f"{found} of {wanted}, {len(fitting)} fit"


def _seen(agent: Agent, user_id: str | None) -> set[str]:
    if user_id is None:
        return set()
    store = agent.workspace.store
    return {e.item_id for e in (*store.interactions(user_id), *store.feedback(user_id))}


def _meets(attributes: Any, where: dict[str, Any]) -> bool:  # noqa: ANN401 - Item.attributes
    return where["genres"] in attributes.get("genres", ()) and attributes.get("year", 0) >= where["year"][">="]
