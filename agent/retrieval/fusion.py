"""All sources fused: candidates are the union of what each names, and every source scores all of them.

Filters and seen items are applied before this point, in every source; scores lie on fixed scales and weights are fixed,
so neither the length of the list nor the filters move the order of two items. (Rank fusion and min-max scaling, which
public systems offer, both do: docs/design.md.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.retrieval.base import Positions, Query, Retriever, Scores

# By source: (weight of the habit, of the request), chosen on validation people and written requests (docs/log.md).
WEIGHTS: Mapping[str, tuple[float, float]] = {
    "behaviour": (1.0, 0.2),
    "semantic": (0.2, 2.0),
    "lexical": (0.0, 1.5),
}


@dataclass(frozen=True, slots=True)
class Fused:
    """Candidates best first: `positions` (k), `score` (k) and, by source, `by_source` (k)."""

    positions: Positions
    score: Scores
    by_source: Mapping[str, Scores]


def fuse(sources: Sequence[Retriever], query: Query, k: int) -> Fused:
    """Up to k candidates of the union, by the weighted sum of all sources; ties by position."""
    named = [source.best(query, 2 * k) for source in sources]
    positions = np.unique(np.concatenate([*named, np.zeros(0, dtype=np.int64)]))
    if len(positions) < k:
        # Too few were named (a narrow filter, a new catalogue): everything allowed is in the running.
        positions = np.flatnonzero(query.allowed) if query.allowed.sum() <= 50 * k else positions
    by_source = {source.name: source.score(query, positions) for source in sources}
    habit = _habit(query)
    score = np.zeros(len(positions))
    for name, values in by_source.items():
        of_habit, of_request = WEIGHTS[name]
        score += (habit * of_habit + (1 - habit) * of_request) * values
    best = np.lexsort((positions, -score))[:k]
    return Fused(positions[best], score[best], {name: values[best] for name, values in by_source.items()})


def _habit(query: Query) -> float:
    """A request without words leaves only habit; no history leaves only the request."""
    if not (query.wishes or query.avoids):
        return 1.0
    return query.habit if len(query.history) else 0.0
