"""Exact search: what a graph's recall is measured against, and what takes its place where it misses too many.

A graph can fail its data: items with equal vectors, as those of one text have, form cliques that its long links miss,
under any setting (recall .86 to .94 over 6,000 two-word titles). So each build measures its recall with SAMPLE of its
items, and one that stays below ENOUGH_RECALL is searched exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

SAMPLE = 500
ENOUGH_RECALL = 0.98
ROUNDING = 1e-4  # a difference of cosines that means nothing


def nearest(
    ids: Sequence[str], vectors: Matrix, vector: Matrix, k: int, allowed: set[str] | None
) -> list[tuple[str, float]]:
    """The k of the allowed items (None: of all) nearest to a vector: (item_id, cosine), best first."""
    scores = vectors @ (vector / np.linalg.norm(vector))
    running = np.arange(len(ids)) if allowed is None else np.array([i in allowed for i in ids]).nonzero()[0]
    return [(ids[place], float(scores[place])) for place in largest(scores, running, k)]


def recall_of(find: Callable[[Matrix, int], Sequence[Sequence[float]]], vectors: Matrix, queries: Matrix) -> float:
    """The share of the true 50 nearest that `find` names: it gives the distances of the k nearest to each query."""
    k, hits = min(50, len(vectors)), 0
    for part in np.array_split(queries, len(queries) // 50 + 1):
        if not len(part):
            continue
        similarity = part @ vectors.T
        best = -np.sort(-np.partition(similarity, -k, axis=1)[:, -k:], axis=1)
        hits += sum(_shared(b, 1 - np.array(d)) for b, d in zip(best, find(part, k), strict=True))
    return hits / (k * len(queries)) if len(queries) else 1.0


def _shared(best: npt.NDArray[Any], found: npt.NDArray[Any]) -> int:
    """How many of the best similarities were found. Compared by value, since equal vectors may stand for each other."""
    place = count = 0
    for similarity in best:
        if place < len(found) and found[place] > similarity - ROUNDING:
            place, count = place + 1, count + 1
    return count


def largest(scores: npt.NDArray[Any], places: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    """The k of these places (ascending) whose scores are largest, best first; of equals the earlier place."""
    if len(places) > k > 0:
        # Everything tied with the last place stays in, so that partitioning cannot decide a tie.
        last = -np.partition(-scores[places], k - 1)[k - 1]
        places = places[scores[places] >= last]
    return places[np.argsort(-scores[places], kind="stable")][:k]


def spread(rows: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Up to n of these rows, evenly from the first to the last."""
    chosen: npt.NDArray[Any] = rows[np.unique(np.linspace(0, max(0, len(rows) - 1), min(len(rows), n)).astype(int))]
    return chosen
