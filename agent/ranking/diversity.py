"""A list that does not say the same thing five times: repeats out, then maximal marginal relevance.

Source of the formula: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from agent.ranking.scoring import standardised


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


def explored(scores: NDArray[np.float64], exploration: float, seed: str) -> NDArray[np.float64]:
    """Scores, standardised, with chance added: what is further down may come up. Equal arguments give equal scores.

    With Gumbel noise the best n are a draw without replacement from the softmax of scores / exploration (Kool, van Hoof
    and Welling, "Stochastic beams and where to find them", ICML 2019).

    Args:
        scores: (k,) final scores, higher is better.
        exploration: 0 leaves the order as it is; at 1 the noise is about as wide as the scores.
        seed: what the noise is drawn from.
    """
    if not exploration:
        return scores
    random = np.random.default_rng(np.frombuffer(sha256(seed.encode()).digest(), dtype=np.uint32))
    return np.asarray(standardised(scores) + exploration * random.gumbel(size=len(scores)))


def _from_0_to_1(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(scores) or scores.max() <= scores.min():
        return np.zeros(len(scores))
    return np.asarray((scores - scores.min()) / (scores.max() - scores.min()))
