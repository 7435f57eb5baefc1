"""What a new person is asked about first: items that many know, that people feel differently about, and no two alike.

Popularity times entropy, after Rashid et al., "Getting to Know You: Learning New User Preferences in Recommender
Systems", IUI 2002: the logarithm of how many know an item, times the entropy of whether they like it. What everybody
likes is soon answered and tells nothing. Then maximal marginal relevance over texts and over who likes what, so that a
few answers tell tastes apart. A catalogue that nobody has touched begins with what lies near its middle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.ranking.diversity import diversify
from agent.retrieval.transitions import Transitions
from agent.schema import Item
from agent.workspace.catalogue import Catalogue, title_key
from agent.workspace.exact import largest

POOL = 100  # of the most telling items, from which varied ones are taken
DIVERSITY = 0.5


def openers(
    catalogue: Catalogue,
    transitions: Transitions,
    vectors: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    n: int,
) -> list[Item]:
    """Up to n allowed items, the most telling first.

    Args:
        catalogue: the items.
        transitions: knows who touched and who likes what.
        vectors: float32 (items, dimension), unit rows: the text vectors by position.
        allowed: bool (items,).
        n: how many.
    """
    telling = how_telling(transitions)
    if not telling.any():
        telling = np.asarray(vectors @ vectors.mean(axis=0), dtype=np.float64) if len(vectors) else telling
    pool = largest(telling, np.flatnonzero(allowed), max(POOL, n))
    tastes = transitions.liked[:, pool].toarray().T.astype(np.float32)  # (pool, people)
    rows = np.hstack([vectors[pool], _unit(tastes)]) / np.sqrt(2)
    works = [title_key(catalogue.items[p].title) for p in pool]
    chosen = diversify(telling[pool], rows, works, n, diversity=DIVERSITY)
    return [catalogue.items[pool[place]] for place in chosen]


def how_telling(transitions: Transitions) -> NDArray[np.float64]:
    """(items,): log(1 + how many touched it) times the entropy of liking; by the first alone where nobody likes any."""
    touched = transitions.popularity.astype(np.float64)
    share = np.clip(np.asarray(transitions.liked.sum(axis=0)).ravel() / np.maximum(touched, 1), 1e-9, 1 - 1e-9)
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    return np.log1p(touched) * (entropy if transitions.liked.nnz else 1.0)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
