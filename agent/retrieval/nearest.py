"""Asking a vector index for allowed items: what every source that lives in Chroma does alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query
from agent.workspace.index import VectorIndex


def nearest(
    index: VectorIndex, place: Mapping[str, int], vector: NDArray[np.float32], k: int, query: Query
) -> Positions:
    """Positions of up to k allowed items, nearest first.

    Chroma applies the filters; what was seen is asked for on top and left out. Where too few are left (a long history,
    many editions), the whole catalogue is asked for.
    """
    if not query.allowed.any():
        return np.zeros(0, dtype=np.int64)
    found = _allowed(index, place, vector, min(2 * k + len(query.history), len(place)), query)
    if len(found) < min(k, int(query.allowed.sum())):
        found = _allowed(index, place, vector, len(place), query)
    return found[:k]


def _allowed(
    index: VectorIndex, place: Mapping[str, int], vector: NDArray[np.float32], k: int, query: Query
) -> Positions:
    pairs = index.query(vector, k, query.filters)
    places = np.array([place[i] for i, _ in pairs if i in place], dtype=np.int64)
    return places[query.allowed[places]]
