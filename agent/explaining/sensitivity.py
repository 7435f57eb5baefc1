"""Leave one out: what happens to an item's score and place when one thing that was known or asked for is taken away.

No attribution by gradients or surrogates: the turn's own retrieval runs again without the thing (and its ranking, where
asked for), so each figure is what would have been. What is left out stays seen: it does not come back as a rival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.explaining.factors import FactorKind, factors, without
from agent.retrieval.base import Positions, Query, Retriever, Scores, score_many
from agent.retrieval.fusion import Weights, contributions, summed
from agent.schema import Candidate, Intent, Profile
from agent.workspace.catalogue import Catalogue

Allowed = NDArray[np.bool_]


class Rerun(Protocol):
    """The stages of a turn that leaving one out runs again, and what they work with."""

    @property
    def catalogue(self) -> Catalogue:
        """The items."""
        ...

    @property
    def sources(self) -> Sequence[Retriever]:
        """Those of retrieval."""
        ...

    @property
    def weights(self) -> Weights:
        """How much each source counts."""
        ...

    def allowed(self, profile: Profile, intent: Intent, excluded: Iterable[str]) -> Allowed:
        """By position, which items an intent leaves, without some that must not come."""
        ...

    def query(self, profile: Profile, intent: Intent, allowed: Allowed) -> Query:
        """What retrieval is asked."""
        ...

    def ranked(self, query: Query, profile: Profile, intent: Intent) -> Sequence[Candidate]:
        """The candidates of a query, best first, with the model's scores: slow."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How one item does under one query.

    `place` is by retrieval, from 1, among all items that may come and itself; `score` is the fused one and `by_source`
    its parts. `final_place` is the place among the candidates once the model has had its say: None where that was not
    asked for, or the item is no candidate.
    """

    place: int
    score: float
    by_source: Mapping[str, float]
    final_place: int | None = None


@dataclass(frozen=True, slots=True)
class Influence:
    """An item's standing without one factor. `change` is the score that the factor gives: positive where it lifts.

    It is taken with the weights of the turn. Without its only wish, or its only item, a request would be weighed
    otherwise, and then two scores differ in their scale, which is nothing that the factor gave.
    """

    kind: FactorKind
    name: str
    without: Standing
    change: float
    item_id: str | None = None
    cited: bool = False


def _parts(stages: Rerun, query: Query, positions: Positions, weighed_as: Query | None = None) -> dict[str, Scores]:
    """What each source adds to the fused score of each position, with the weights of this query or of another."""
    scores = {source.name: source.score(query, positions) for source in stages.sources}
    return contributions(scores, weighed_as or query, stages.weights)


def standings(
    item_ids: Sequence[str],
    profile: Profile,
    intent: Intent,
    stages: Rerun,
    allowed: Allowed,
    *,
    with_model: bool = False,
) -> list[Standing]:
    """How each of these items does, in their order; ties count for the item."""
    query = stages.query(profile, intent, allowed)
    parts = _parts(stages, query, np.arange(len(stages.catalogue)))
    score = summed(parts, len(stages.catalogue))
    rivals = score[allowed]
    final: dict[str, int] = {}
    if with_model:
        final = {c.item.item_id: place for place, c in enumerate(stages.ranked(query, profile, intent), 1)}
    return [
        Standing(
            int((rivals > score[at]).sum()) + 1,
            float(score[at]),
            {name: float(part[at]) for name, part in parts.items()},
            final.get(stages.catalogue.ids[at]),
        )
        for at in stages.catalogue.positions(item_ids)
    ]


def leave_one_out(
    item_id: str, profile: Profile, intent: Intent, excluded: Iterable[str], stages: Rerun, *, with_model: bool = False
) -> tuple[Standing, list[Influence]]:
    """How an item does, and how it does without each factor, those that lift it most first."""
    allowed = stages.allowed(profile, intent, excluded)
    (base,) = standings([item_id], profile, intent, stages, allowed, with_model=with_model)
    turn, at = stages.query(profile, intent, allowed), stages.catalogue.positions([item_id])
    found = []
    for factor in factors(profile, intent, stages.catalogue):
        left = stages.allowed(factor.profile, factor.intent, excluded) if factor.kind == "condition" else allowed
        (less,) = standings([item_id], factor.profile, factor.intent, stages, left, with_model=with_model)
        parts = _parts(stages, stages.query(factor.profile, factor.intent, left), at, weighed_as=turn)
        change = base.score - float(summed(parts, 1)[0])
        found.append(Influence(factor.kind, factor.name, less, change, factor.item_id))
    found.sort(key=lambda one: (base.place - one.without.place, -one.change))
    return base, found


def lifts(
    item_ids: Sequence[str], anchors: Iterable[str], profile: Profile, intent: Intent, stages: Rerun, allowed: Allowed
) -> dict[str, dict[str, float]]:
    """For each item, by anchor, the score that each anchor gives it; an anchor is an item of the history or request."""
    positions = stages.catalogue.positions(item_ids)
    anchors = list(anchors)
    asked = [(profile, intent), *(without(anchor, profile, intent) for anchor in anchors)]
    queries = [stages.query(*one, allowed) for one in asked]
    scores = {source.name: score_many(source, queries, positions) for source in stages.sources}
    fused = [
        summed(contributions({n: rows[at] for n, rows in scores.items()}, queries[0], stages.weights), len(positions))
        for at in range(len(queries))
    ]
    given = {anchor: fused[0] - left for anchor, left in zip(anchors, fused[1:], strict=True)}
    return {item_id: {a: float(change[at]) for a, change in given.items()} for at, item_id in enumerate(item_ids)}
