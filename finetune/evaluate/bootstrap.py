"""Intervals over people: first each person's values are averaged over the seeds, then people are drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError

Floats = NDArray[np.float64]
DRAWS = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the percentile bootstrap interval around it (Efron and Tibshirani 1993, chapter 13)."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0

    def as_dict(self) -> dict[str, float]:
        """The three numbers by name."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def per_person(users: Sequence[NDArray[np.int64]], values: Sequence[Floats]) -> tuple[NDArray[np.int64], Floats]:
    """(users ascending, the mean of each over all seeds in which they were asked); NaN values do not count."""
    who, what = np.concatenate(list(users)), np.concatenate(list(values))
    told = np.isfinite(what)
    people, row = np.unique(who[told], return_inverse=True)
    counts = np.bincount(row, minlength=len(people))
    return people, np.bincount(row, what[told], minlength=len(people)) / np.maximum(counts, 1)


def interval(values: Floats, seed: int = 0) -> Interval:
    """The mean of one value a person, and its interval; a fixed seed gives the same numbers again."""
    if not len(values):
        raise InputError("There is no value to make an interval of: nobody was asked.")
    rng = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for start in range(0, DRAWS, 100):  # in parts, so that a million people fit into memory
        rows = rng.integers(0, len(values), (min(100, DRAWS - start), len(values)))
        means[start : start + 100] = values[rows].mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired(
    users: Sequence[NDArray[np.int64]], first: Sequence[Floats], second: Sequence[Floats], seed: int = 0
) -> Interval:
    """The mean of first - second over the same people, one array of each for each seed, and its interval.

    Raises InputError when the two were not asked the same cases.
    """
    if [len(v) for v in first] != [len(v) for v in second] or len(first) != len(users):
        raise InputError("Only systems that were asked the same people with the same seeds can be compared in pairs.")
    _, differences = per_person(users, [a - b for a, b in zip(first, second, strict=True)])
    return interval(differences, seed)
