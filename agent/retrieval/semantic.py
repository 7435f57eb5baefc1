"""Meaning: cosine between item vectors and what was asked, else what was named or liked; searched in Chroma.

What was asked in words is compared with what items are about; what somebody likes, with whole items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Space:
    """Item vectors: in Chroma, float32 (items, dimension) with unit rows by catalogue position, and what each counts.

    `counts` (items,) multiplies the cosines of a request in words.
    """

    index: VectorIndex
    vectors: Floats
    counts: Floats


class Semantic:
    """A `Retriever` over the item vectors.

    Args:
        index: the vectors in Chroma.
        encoder: the one that made them.
        ids: item ids by catalogue position.
        vectors: float32 (items, dimension), unit rows, by catalogue position: the same vectors, to score any candidate.
        about: what items are about, for requests in words; None takes the same vectors.
    """

    name = "semantic"

    def __init__(
        self, index: VectorIndex, encoder: Encoder, ids: Sequence[str], vectors: Floats, about: Space | None = None
    ) -> None:
        self.whole = Space(index, vectors, np.ones(len(ids), np.float32))
        self.about = about or self.whole
        self._encoder = encoder
        self._place = {item_id: place for place, item_id in enumerate(ids)}
        # Naming and scoring ask for the same vector within a turn; a few requests may be under way at once.
        self._encoded = lru_cache(maxsize=8)(self._encode)

    def best(self, query: Query, k: int) -> Positions:
        """The nearest allowed items."""
        space, vector = self._sought(query)
        if vector is None:
            return np.zeros(0, dtype=np.int64)
        deep = k if space is self.whole else 2 * k  # what says little comes later than the index has it
        found = nearest(space.index, self._place, vector, deep, query)
        return found[np.argsort(-self.score(query, found), kind="stable")][:k]

    def score(self, query: Query, positions: Positions) -> Scores:
        """Cosine between the query and each item, from -1 to 1; a little less where a text says little."""
        space, vector = self._sought(query)
        if vector is None:
            return np.zeros(len(positions))
        return np.asarray((space.vectors[positions] @ vector) * space.counts[positions], dtype=np.float64)

    def _sought(self, query: Query) -> tuple[Space, Floats | None]:
        """What was asked for; without words, what the named titles or else the history are about; None without all."""
        asked = self._asked(query)
        return (self.about, asked) if asked is not None else (self.whole, self._taste(query))

    def _asked(self, query: Query) -> Floats | None:
        return self._encoded(query.wishes, query.avoids) if query.has_words else None

    def _encode(self, wishes: str, avoids: str) -> Floats | None:
        wanted, unwanted = self._encoder.encode([wishes or "anything", avoids or "nothing"])
        return _unit(wanted - AVOID * unwanted) if avoids else _unit(wanted)

    def _taste(self, query: Query) -> Floats | None:
        if not len(query.history):
            return None
        recent = len(query.named) or len(query.history)
        weights = recency(query.times[-recent:], RECENCY_DECAY).astype(np.float32)
        return _unit(weights @ self.whole.vectors[query.history[-recent:]])


def _unit(vector: Floats) -> Floats | None:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-6 else None
