"""Retrieval scores and the model's log-probabilities, on one scale, become one order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.generation.measured import Measured

Scores = NDArray[np.float64]
ROUNDING = 1e-12  # of the largest score: scores that differ by no more than that are equal
MODEL_WEIGHT = 0.3  # of a model that was not tuned, beside retrieval: chosen on validation people (docs/log.md)
# The most that counts of a model that knows the history alone, beside a request, which it does not read: chosen on
# validation people who wish in keywords of another hand for what they went on to (docs/log.md).
BESIDE_A_REQUEST = 0.4


def weight_in_force(wanted: float | None, measured: Measured, *, is_trained: bool, is_asked: bool) -> float:
    """How much the model counts: what was wanted, or else was measured, but beside a request no more than it knows of.

    `is_trained` says whether retrieval has trained behaviour, `is_asked` whether there is a request beside the history.
    """
    if wanted is not None:
        return wanted
    found = measured.weight(is_trained=is_trained)
    weight = MODEL_WEIGHT if found is None else found
    return min(weight, BESIDE_A_REQUEST) if is_asked and not measured.reads_requests else weight


def standardised(scores: Scores) -> Scores:
    """Mean 0 and standard deviation 1 over the candidates; all zeros where they do not differ."""
    mean, spread = mean_and_spread(scores)
    return (scores - mean) / spread if spread else np.zeros(len(scores))


def mean_and_spread(scores: Scores) -> tuple[float, float]:
    """The mean and the standard deviation by which scores are standardised; a spread of 0 where they do not differ."""
    spread = float(scores.std()) if len(scores) else 0.0
    differ = spread > ROUNDING * float(np.abs(scores).max(initial=0.0))
    return (float(scores.mean()), spread) if differ else (0.0, 0.0)


def final_scores(retrieval: Scores, model: Scores, model_weight: float) -> Scores:
    """standardised(retrieval) + model_weight * standardised(model).

    What a model says is a logit for each item where it was tuned to give one, and else the mean log-probability per
    token of each title: the fairest of seven readings of an untuned model that were tried (sum, mean, with and without
    the end mark, three shares of the title's prior), for a sum ranks short titles first, and the prior takes popularity
    away with it (docs/log.md). Both parts have one scale, so the weight says how much the model counts, whatever its
    size.
    """
    return standardised(retrieval) + model_weight * standardised(model)


def order(scores: Scores, ids: tuple[str, ...]) -> list[int]:
    """Places of the candidates, best first; ties by item id, so that no order of arrival can show."""
    return sorted(range(len(ids)), key=lambda place: (-scores[place], ids[place]))
