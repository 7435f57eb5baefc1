"""A list that does not say the same thing five times: repeats out, then maximal marginal relevance.

Source of the formula: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR 1998.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def diversify(
    scores: NDArray[np.float64],
    vectors: NDArray[np.float32],
    works: Sequence[str],
    n: int,
    *,
    diversity: float,
) -> list[int]:
    """Places of up to n candidates in list order, at most one of each work.

    Args:
        scores: (k,) final scores, higher is better, in any order.
        vectors: (k, dimension) unit rows.
        works: (k,) the same word for candidates that are one work.
        n: the length of the list.
        diversity: 0 keeps the order of the scores; 1 looks at nothing but difference from what is already chosen.
    """
    relevance = _from_0_to_1(scores)
    likeness = np.zeros(len(scores))
    chosen: list[int] = []
    left = set(range(len(scores)))
    while left and len(chosen) < n:
        best = min(left, key=lambda p: (-((1 - diversity) * relevance[p] - diversity * likeness[p]), -scores[p], p))
        chosen.append(best)
        left = {p for p in left if works[p] != works[best]}
        likeness = np.maximum(likeness, vectors @ vectors[best])
    return chosen


def _from_0_to_1(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(scores) or scores.max() <= scores.min():
        return np.zeros(len(scores))
    return np.asarray((scores - scores.min()) / (scores.max() - scores.min()))
