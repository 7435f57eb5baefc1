"""Retrieval scores and the model's log-probabilities, on one scale, become one order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.generation.base import TitleScores

Scores = NDArray[np.float64]


def standardised(scores: Scores) -> Scores:
    """Mean 0 and standard deviation 1 over the candidates; all zeros where they do not differ."""
    spread = float(scores.std()) if len(scores) else 0.0
    return (scores - scores.mean()) / spread if spread > 1e-12 else np.zeros(len(scores))


def final_scores(retrieval: Scores, model: TitleScores, model_weight: float) -> Scores:
    """standardised(retrieval) + model_weight * standardised(mean log-probability per token).

    The mean is the fairest of seven readings of an untuned model that were tried (sum, mean, with and without the end
    mark, three shares of the title's prior): a sum ranks short titles first, and the prior takes popularity away with
    it (docs/log.md). Both parts have one scale, so the weight says how much the model counts, whatever its size.
    """
    return standardised(retrieval) + model_weight * standardised(model.mean)


def order(scores: Scores, ids: tuple[str, ...]) -> list[int]:
    """Places of the candidates, best first; ties by item id, so that no order of arrival can show."""
    return sorted(range(len(ids)), key=lambda place: (-scores[place], ids[place]))
