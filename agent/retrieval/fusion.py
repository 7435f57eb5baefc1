"""All sources fused: candidates are the union of what each names, and every source scores all of them.

Filters and seen items are applied before this point, in every source; scores lie on fixed scales and weights are fixed,
so neither the length of the list nor the filters move the order of two items. (Rank fusion and min-max scaling, which
public systems offer, both do: docs/design.md.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.retrieval.base import Positions, Query, Retriever, Scores
from agent.workspace.exact import largest


@dataclass(frozen=True, slots=True)
class Weights:
    """By source, how much its score counts towards the habit and towards the request; 0 for one that is not named.

    Those of the habit are learned on validation people (`finetune.fusion`) and kept in the workspace; without that they
    are these, chosen on validation people of MovieLens-100K. Those of the request were chosen by looking at the answers
    to written requests, for no public data says what people meant (docs/log.md). `reactions` is how much
    what a person said of items counts beside all of these together, chosen on simulated validation people.
    """

    habit: Mapping[str, float] = field(default_factory=lambda: {"transitions": 1.0, "semantic": 0.2})
    request: Mapping[str, float] = field(
        default_factory=lambda: {"transitions": 0.1, "behaviour": 0.1, "semantic": 2.0, "lexical": 1.5, "named": 5.0}
    )
    reactions: float = 1.0

    def of(self, source: str, habit: float) -> float:
        """The weight of a source where the habit has this share."""
        if source == "reactions":  # a share of all the others together, for those of the habit are learned on any scale
            return self.reactions * (habit * sum(self.habit.values()) + (1 - habit) * sum(self.request.values()))
        return habit * self.habit.get(source, 0.0) + (1 - habit) * self.request.get(source, 0.0)


@dataclass(frozen=True, slots=True)
class Fused:
    """Candidates best first: `positions` (k), `score` (k) and, by source, `by_source` (k)."""

    positions: Positions
    score: Scores
    by_source: Mapping[str, Scores]


def fuse(sources: Sequence[Retriever], query: Query, k: int, weights: Weights, works: Positions | None = None) -> Fused:
    """Up to k candidates of the union, by the weighted sum of all sources; ties by position.

    Where the sources name too few (a narrow filter, a new catalogue), everything allowed is in the running. `works`
    has by position the same number for items that are one work: of these the best alone is a candidate.
    """
    positions, by_source = scored(sources, query, 2 * k)
    works = np.arange(len(query.allowed)) if works is None else works
    if len(np.unique(works[positions])) < k and len(positions) < query.allowed.sum():
        positions = np.concatenate([positions, _others(query, positions)])
        by_source = {source.name: source.score(query, positions) for source in sources}
    score = summed(contributions(by_source, query, weights), len(positions))
    best = largest(score, _best_of_each(works[positions], score), k)
    return Fused(positions[best], score[best], {name: values[best] for name, values in by_source.items()})


def scored(sources: Sequence[Retriever], query: Query, k: int) -> tuple[Positions, dict[str, Scores]]:
    """The union of the k best of each source, by position, and what each source says of all of them."""
    named = [source.best(query, k) for source in sources]
    positions = np.unique(np.concatenate([*named, np.zeros(0, dtype=np.int64)]))
    return positions, {source.name: source.score(query, positions) for source in sources}


def _others(query: Query, named: Positions) -> Positions:
    """What is allowed beside these, in an order that is always the same and not that of the file: ties keep it."""
    mixed = np.random.default_rng(0).permutation(len(query.allowed))
    return mixed[query.allowed[mixed] & ~np.isin(mixed, named)]


def _best_of_each(works: Positions, score: Scores) -> Positions:
    """The places of the best-scored item of each work, ascending; of equals the first."""
    order = np.argsort(-score, kind="stable")
    _, first = np.unique(works[order], return_index=True)
    return np.sort(order[first])


def contributions(by_source: Mapping[str, Scores], query: Query, weights: Weights) -> dict[str, Scores]:
    """What each source adds to the fused scores of some positions: its own scores times its weight for this query."""
    habit = _habit(query)
    return {name: weights.of(name, habit) * values for name, values in by_source.items()}


def summed(parts: Mapping[str, Scores], n: int) -> Scores:
    """The fused scores of n positions from what each source adds."""
    score = np.zeros(n)
    for part in parts.values():
        score += part
    return score


def _habit(query: Query) -> float:
    """A request without words or titles leaves only habit; no history but those titles leaves only the request."""
    if not (query.has_words or len(query.named)):
        return 1.0
    return query.habit if len(query.history) > len(query.named) else 0.0
