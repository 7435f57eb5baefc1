"""Behaviour: the sequential model turns a history into a query, and Chroma finds the items that it meets best.

What the model says of an item is the product of two vectors, and Chroma compares angles. One more number on each item
makes them the same thing: it fills every item up to one length, and the query has 0 there (Bachrach et al., "Speeding
Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces", RecSys 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query, Scores
from agent.retrieval.nearest import nearest
from agent.retrieval.sequence import Encoder
from agent.workspace.exact import SAMPLE, spread
from agent.workspace.index import VectorIndex

Matrix = NDArray[np.float32]
SOFTNESS = 0.4  # the power that the odds against the best item are raised to


class Behaviour:
    """A `Retriever` by the sequential model.

    Args:
        index: `as_items` of the encoder's items, in Chroma.
        encoder: makes queries of histories, by the positions of the catalogue.
        ids: item ids by catalogue position.
    """

    name = "behaviour"

    def __init__(self, index: VectorIndex, encoder: Encoder, ids: Sequence[str]) -> None:
        self._index = index
        self._encoder = encoder
        self._place = {item_id: place for place, item_id in enumerate(ids)}
        # Naming and scoring ask for the same history within a turn; a few requests may be under way at once.
        self._logits: Any = lru_cache(maxsize=8)(self._logits_of)

    def best(self, query: Query, k: int) -> Positions:
        """The likeliest next items; for an empty history, what people begin with."""
        vector, _ = self._logits(tuple(query.history.tolist()))
        return nearest(self._index, self._place, as_query(vector), k, query)

    def score(self, query: Query, positions: Positions) -> Scores:
        """From 0 to 1: a root of how likely each is beside the likeliest in the whole catalogue."""
        _, logits = self._logits(tuple(query.history.tolist()))
        return np.asarray(softened(logits)[positions])

    def score_many(self, queries: Sequence[Query], positions: Positions) -> Scores:
        """(queries, positions): `score` for each query, the histories read by the network side by side."""
        vectors = self._encoder.queries([query.history for query in queries])
        return np.array([softened((self._encoder.items @ v).astype(np.float64))[positions] for v in vectors])

    def _logits_of(self, history: tuple[int, ...]) -> tuple[Matrix, Scores]:
        vector = self._encoder.queries([np.array(history, dtype=np.int64)])[0]
        return vector, (self._encoder.items @ vector).astype(np.float64)


def softened(logits: Scores) -> Scores:
    """(..., items) of logits to numbers from 0 to 1 whose largest is 1: probabilities drown all but the first few."""
    return np.asarray(np.exp(SOFTNESS * (logits - logits.max(axis=-1, keepdims=True))))


def as_items(vectors: Matrix) -> Matrix:
    """(items, width) to unit rows (items, width + 1), the nearer to a query the larger their product with it."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    longest = max(float(lengths.max(initial=0.0)), 1e-9)
    rest = np.sqrt(np.clip(1 - (lengths / longest) ** 2, 0, None))
    found = np.hstack([vectors / longest, rest]).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def probes_of(encoder: Encoder) -> Matrix:
    """(n, width + 1): queries as histories of one item make them, to measure an index with."""
    started = spread(np.arange(len(encoder.items)), SAMPLE)
    return as_query(encoder.queries(list(started[:, None])))


def as_query(vector: Matrix) -> Matrix:
    """(..., width) to unit vectors (..., width + 1) for an index of `as_items`."""
    lengths = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.concatenate([vector / np.maximum(lengths, 1e-9), 0 * lengths], axis=-1).astype(np.float32)
