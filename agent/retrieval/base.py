"""What every source of candidates can do: name its best, and score anyone's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.schema import Filter
from agent.workspace.exact import largest

Scores = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of retrieval, in catalogue positions.

    `history` is oldest first and ends with the items that the request names, which are `named` besides; `times` says
    when, in seconds, NaN where nobody knows: what shares a time has no order. `wishes` and `avoids` are free text,
    `words` are the wishes with moods replaced by the kinds that they lean to;
    `allowed` marks, by position, the items that meet every filter and were not seen. `filters` repeat the conditions
    for sources that search before they score. `reactions` are what the person said of items, 1 liked and -1 turned
    down, and `remarks` words that they found for them, towards (1) or against (-1); both oldest first.
    """

    history: Positions
    times: NDArray[np.float64]
    wishes: str
    words: str
    avoids: str
    filters: tuple[Filter, ...]
    allowed: NDArray[np.bool_]
    habit: float
    reactions: tuple[tuple[int, int], ...] = ()
    remarks: tuple[tuple[str, int], ...] = ()
    named: Positions = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def has_words(self) -> bool:
        """Whether it asks for something in words, beside filters and titles."""
        return bool(self.wishes or self.avoids)


class Retriever(Protocol):
    """One source. Scores lie on a fixed scale that neither k nor the filters move; higher is better."""

    name: str

    def best(self, query: Query, k: int) -> Positions:
        """The positions of up to k allowed items, best first; none when the source has nothing to go by."""
        ...

    def score(self, query: Query, positions: Positions) -> Scores:
        """The score of each position; 0 where the source knows nothing of it."""
        ...


def score_many(source: Retriever, queries: Sequence[Query], positions: Positions) -> Scores:
    """(queries, positions): the scores of the same positions under several queries, at once by a source that can."""
    at_once = getattr(source, "score_many", None)
    if at_once is not None:
        return np.asarray(at_once(queries, positions))
    return np.array([source.score(query, positions) for query in queries])


def top(scores: Scores, allowed: NDArray[np.bool_], k: int) -> Positions:
    """Positions of the k largest positive scores among the allowed, best first, ties by position."""
    return largest(scores, np.flatnonzero(allowed & (scores > 0)), k)
