"""Meaning: cosine between item vectors and what was asked, else what was named or liked; searched in Chroma."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query, Scores
from agent.retrieval.nearest import nearest
from agent.retrieval.transitions import recency
from agent.workspace.encoder import Encoder
from agent.workspace.index import VectorIndex

AVOID = 0.5  # how far "not gloomy" pushes the query away from "gloomy"
RECENCY_DECAY = 0.9


class Semantic:
    """A `Retriever` over the item vectors.

    Args:
        index: the vectors in Chroma.
        encoder: the one that made them.
        ids: item ids by catalogue position.
        vectors: float32 (items, dimension), unit rows, by catalogue position: the same vectors, to score any candidate.
    """

    name = "semantic"

    def __init__(self, index: VectorIndex, encoder: Encoder, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._index = index
        self._encoder = encoder
        self._place = {item_id: place for place, item_id in enumerate(ids)}
        self._vectors = vectors
        # Naming and scoring ask for the same vector within a turn; a few requests may be under way at once.
        self._encoded = lru_cache(maxsize=8)(self._encode)

    def best(self, query: Query, k: int) -> Positions:
        """The nearest allowed items."""
        vector = self._vector(query)
        return np.zeros(0, dtype=np.int64) if vector is None else nearest(self._index, self._place, vector, k, query)

    def score(self, query: Query, positions: Positions) -> Scores:
        """Cosine between the query and each item, from -1 to 1."""
        vector = self._vector(query)
        if vector is None:
            return np.zeros(len(positions))
        return np.asarray(self._vectors[positions] @ vector, dtype=np.float64)

    def _vector(self, query: Query) -> NDArray[np.float32] | None:
        """What was asked for; without words, what the named titles or else the history are about; None without all."""
        asked = self._asked(query)
        return asked if asked is not None else self._taste(query)

    def _asked(self, query: Query) -> NDArray[np.float32] | None:
        return self._encoded(query.wishes, query.avoids) if query.wishes or query.avoids else None

    def _encode(self, wishes: str, avoids: str) -> NDArray[np.float32] | None:
        wanted, unwanted = self._encoder.encode([wishes or "anything", avoids or "nothing"])
        return _unit(wanted - AVOID * unwanted) if avoids else _unit(wanted)

    def _taste(self, query: Query) -> NDArray[np.float32] | None:
        if not len(query.history):
            return None
        recent = len(query.named) or len(query.history)
        weights = recency(query.times[-recent:], RECENCY_DECAY).astype(np.float32)
        return _unit(weights @ self._vectors[query.history[-recent:]])


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32] | None:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-6 else None
