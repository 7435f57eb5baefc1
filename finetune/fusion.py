"""The weights of retrieval's sources, learned: which mixture makes what people chose next the likeliest?

A conditional logit (McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974): of the candidates
that the sources name for a person, the one that was chosen has the probability softmax(sum of weight * score). One
weight for each source, none below 0, fitted by maximum likelihood on choices that no source has learned from. Three
numbers from hundreds of people: there is nothing to overfit, and anyone can read them. The networks that stand side by
side in one of the sources are weighed in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Query, Retriever
from agent.retrieval.fusion import scored
from agent.retrieval.sequence import AT_ONCE, Encoder

DEPTH = 100  # candidates that each source names
PENALTY = 1e-3  # on squared weights: keeps a source that never differs from running away

Floats = NDArray[np.float64]


def learn_weights(
    sources: Sequence[Retriever], asked: Iterable[tuple[Query, NDArray[np.int64]]]
) -> dict[str, float] | None:
    """By source, its weight towards the habit; they sum to 1. None when no one's choice was among the candidates.

    `asked` holds queries without words, each with the items that the person went on to.
    """
    names = [source.name for source in sources]
    features: list[Floats] = []
    chosen: list[int] = []
    for query, targets in asked:
        positions, by_source = scored(sources, query, DEPTH)
        for target in np.flatnonzero(np.isin(positions, targets)):
            features.append(np.stack([by_source[name] for name in names], axis=1))
            chosen.append(int(target))
    if not features:
        return None
    weights = likeliest(features, chosen)
    # Only ratios matter to an order; the sum is that of the weights of the request's side divided among more sources.
    return dict(zip(names, (weights / max(weights.sum(), 1e-12)).tolist(), strict=True))


def learn_voices(
    networks: Sequence[Encoder], asked: Sequence[NDArray[np.int64]], targets: Sequence[NDArray[np.int64]]
) -> tuple[float, ...]:
    """How much each of several networks counts beside the others, learned as `learn_weights` learns; they sum to 1.

    Each names its DEPTH best, and what counts are its logits. All count alike where nobody's choice was named.

    Args:
        networks: each by itself.
        asked: histories of positions, oldest first, that none of them has learned what follows.
        targets: what followed each, one or more.
    """
    alike = (1 / len(networks),) * len(networks)
    if len(networks) == 1:
        return alike
    features: list[Floats] = []
    chosen: list[int] = []
    for start in range(0, len(asked), AT_ONCE):
        histories = asked[start : start + AT_ONCE]
        said = np.stack([n.queries(histories) @ n.items.T for n in networks], axis=2).astype(np.float64)
        for logits, history, wanted in zip(said, histories, targets[start : start + AT_ONCE], strict=True):
            logits[history] = -np.inf
            positions = np.unique(np.argsort(-logits, axis=0, kind="stable")[:DEPTH])
            positions = positions[np.isfinite(logits[positions, 0])]
            for target in np.flatnonzero(np.isin(positions, wanted)):
                features.append(logits[positions])
                chosen.append(int(target))
    weights = likeliest(features, chosen) if features else np.zeros(len(networks))
    return tuple((weights / weights.sum()).tolist()) if weights.any() else alike


def likeliest(features: Sequence[Floats], chosen: Sequence[int]) -> Floats:
    """(sources,): the weights, none below 0, that make the choices the likeliest.

    Args:
        features: of each choice what each source says of its candidates, (candidates, sources).
        chosen: of each choice the place of what was chosen.
    """
    from scipy.optimize import minimize

    rows = np.concatenate(features)
    starts = np.concatenate([[0], np.cumsum([len(f) for f in features])[:-1]])
    person = np.repeat(np.arange(len(features)), [len(f) for f in features])
    wanted = rows[starts + np.array(chosen)]

    def loss(weights: Floats) -> tuple[float, Floats]:
        utility = rows @ weights
        utility -= np.maximum.reduceat(utility, starts)[person]
        odds = np.exp(utility)
        total = np.add.reduceat(odds, starts)
        expected = np.add.reduceat(rows * odds[:, None], starts) / total[:, None]
        missed = np.log(total) - utility[starts + np.array(chosen)]
        return (
            float(missed.mean() + PENALTY * weights @ weights),
            (expected - wanted).mean(axis=0) + 2 * PENALTY * weights,
        )

    found = minimize(loss, np.ones(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=[(0, None)] * rows.shape[1])
    return np.asarray(found.x, dtype=np.float64)
