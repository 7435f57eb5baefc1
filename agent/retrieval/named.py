"""What is like the titles that a request names: "something like Fargo".

A name in a request is a request. As the newest item of the history alone it would drown: one vote among all that a
person did, and for somebody new mostly a vote for what is popular (`benchmarks/named_titles.py`).
"""

from __future__ import annotations

import numpy as np

from agent.retrieval.base import Positions, Query, Scores, top
from agent.retrieval.likeness import Likeness, Shared

DECAY = 0.9  # how much a title counts beside the one that was named after it


class Named:
    """A `Retriever` by the titles of the request; without any it names nothing and says nothing."""

    name = "named"

    def __init__(self, likeness: Likeness, shared: Shared) -> None:
        self._likeness = likeness
        self._shared = shared

    def best(self, query: Query, k: int) -> Positions:
        """The items most like the titles that were named."""
        if not len(query.named):
            return np.zeros(0, dtype=np.int64)
        return top(self._scores(query), query.allowed, k)

    def score(self, query: Query, positions: Positions) -> Scores:
        """From 0, no more like them than half of the catalogue, to 1; of several titles the mean, the newest most."""
        if not len(query.named):
            return np.zeros(len(positions))
        return self._scores(query)[positions]

    def _scores(self, query: Query) -> Scores:
        weights = DECAY ** np.arange(len(query.named), dtype=np.float64)[::-1]
        likeness = [(2 * self._likeness.to(int(place)) + self._shared.to(int(place))) / 3 for place in query.named]
        return np.asarray(weights @ np.array(likeness) / weights.sum())
