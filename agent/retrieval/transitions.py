"""What people did next: decayed item-to-item transitions, learned in seconds at import.

Two items of one history count as a transition with weight 0.8^(distance - 1) up to a distance of 20; where they share a
time, nobody knows which came first, and each direction gets half. Rows are divided by (their sum)^0.5 and columns by
(their sum)^0.3, so that popular items lead without drowning the rest. A history votes with its items: the most recent
with weight 1, each older one with 0.8 times the weight of the next, and what shares a time shares its weight. The
constants were chosen on validation people of two MovieLens sets (docs/log.md); they are not fitted per workspace.

A short history says little, and with one or two items its votes alone are worse than what is popular. So popularity
speaks too, the less the longer the history, and from SHORT items on no more (`benchmarks/cold_people.py`).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import WorkspaceError
from agent.files import replacing
from agent.retrieval.base import Positions, Query, Scores, top
from agent.understanding.profile import best_rating, feelings
from agent.workspace.store import InteractionColumns

WINDOW, STEP_DECAY = 20, 0.8
ROW_POWER, COLUMN_POWER = 0.5, 0.3
RECENCY_DECAY = 0.8
POPULAR, SHORT = 0.75, 15
CONSTANTS = {"window": WINDOW, "step": STEP_DECAY, "powers": [ROW_POWER, COLUMN_POWER], "recency": RECENCY_DECAY}
_PARTS = ("data", "indices", "indptr")


class Transitions:
    """What was learned from all histories; arrays are by catalogue position. A `Retriever`.

    Args:
        transitions: sparse (items x items), normalised.
        liked: sparse (people x items), 1 where a person likes an item.
        popularity: how many people interacted with each item.
        user_ids: the person of each row of `liked`.
        fingerprint: of the interactions that it was learned from.
    """

    name = "transitions"

    def __init__(
        self,
        transitions: Any,  # noqa: ANN401 - scipy is imported where it is used
        liked: Any,  # noqa: ANN401
        popularity: NDArray[np.int64],
        user_ids: tuple[str, ...],
        fingerprint: str,
    ) -> None:
        self.transitions = transitions
        self.liked = liked
        self.popularity = popularity
        self.user_ids = user_ids
        self.fingerprint = fingerprint

    @classmethod
    def learn(cls, columns: InteractionColumns, fingerprint: str = "") -> Transitions:
        """Learn from all interactions; no interactions give an empty, valid result."""
        from scipy.sparse import coo_array

        people, items = len(columns.user_ids), len(columns.item_ids)
        # Stable by person, then by time; what shares a time keeps the order of insertion.
        times = np.nan_to_num(columns.timestamps, nan=-np.inf)
        order = np.lexsort((np.arange(len(columns)), times, columns.users))
        counted = _counted(columns.users[order], columns.items[order], columns.timestamps[order], items)
        events = np.array(columns.event_names, dtype=np.str_)[columns.events] if len(columns) else np.array([], np.str_)
        likes = feelings(events, columns.values, best_rating(columns.values)) > 0
        liked = coo_array(
            (np.ones(int(likes.sum()), dtype=np.int8), (columns.users[likes], columns.items[likes])),
            shape=(people, items),
        ).tocsr()
        liked.data[:] = 1
        pairs = np.unique(columns.users.astype(np.int64) * max(items, 1) + columns.items)
        popularity = np.bincount(pairs % max(items, 1), minlength=items)
        return cls(_normalised(counted), liked, popularity, columns.user_ids, fingerprint)

    # -- as a source of candidates

    def best(self, query: Query, k: int) -> Positions:
        """The likeliest next items of the history; the most popular ones where there is no history."""
        return top(self._scores(query), query.allowed, k)

    def score(self, query: Query, positions: Positions) -> Scores:
        """From 0 to 1: the share of the best score in the whole catalogue, so filters and k do not move it."""
        return self._scores(query)[positions]

    def _scores(self, query: Query) -> Scores:
        if not len(query.history):
            return self._popular
        # A square root: votes are long-tailed, and what the tail holds must still count beside other sources.
        votes = np.sqrt(_share(self.transitions[query.history].T @ recency(query.times, RECENCY_DECAY)))
        doubt = POPULAR * max(0.0, 1 - len(query.history) / SHORT)
        return votes if not doubt else (1 - doubt) * votes + doubt * self._popular

    @cached_property
    def _popular(self) -> Scores:
        return _share(np.log1p(self.popularity.astype(np.float64)))

    # -- as evidence

    def liked_both(self, first: int, second: int, without: str | None = None) -> tuple[int, int]:
        """(how many people like both items, how many like the first), leaving out one person by id."""
        likers = self._likers(first)
        both = np.intersect1d(likers, self._likers(second), assume_unique=True)
        own = self._row.get(without, -1) if without is not None else -1
        return int(np.sum(both != own)), int(np.sum(likers != own))

    def liked_alike(self, position: int, fewest: int) -> Scores:
        """(items,) from 0 to 1: the cosine between who likes each item and who likes this one; 0 with fewer likes."""
        numbers = np.diff(self._by_item.indptr)
        both = np.asarray(self.liked[self._likers(position)].sum(axis=0)).ravel()
        sizes = np.sqrt(numbers.astype(np.float64) * numbers[position])
        known = (numbers >= fewest) & (numbers[position] >= fewest)
        return np.where(known, both / np.maximum(sizes, 1.0), 0.0)

    def _likers(self, position: int) -> NDArray[np.int64]:
        columns = self._by_item
        return np.asarray(columns.indices[columns.indptr[position] : columns.indptr[position + 1]])

    @cached_property
    def _by_item(self) -> Any:  # noqa: ANN401
        return self.liked.tocsc()

    @cached_property
    def _row(self) -> dict[str, int]:
        return {user_id: row for row, user_id in enumerate(self.user_ids)}

    # -- on disk

    def save(self, path: Path) -> None:
        """Write to one .npz without pickle, whole or not at all."""
        matrices = {"transitions": self.transitions, "liked": self.liked}
        arrays = {f"{name}_{part}": getattr(matrix, part) for name, matrix in matrices.items() for part in _PARTS}
        arrays["popularity"] = self.popularity
        arrays["user_ids"] = np.array(self.user_ids, dtype=np.str_)
        arrays["fingerprint"] = np.array(self.fingerprint)
        try:
            with replacing(path) as draft, draft.open("wb") as file:
                np.savez(file, **arrays)
        except OSError as error:
            raise WorkspaceError(f"{path} cannot be written ({error}). Free some space or check the folder.") from error

    @classmethod
    def load(cls, path: Path) -> Transitions:
        """Read what `save` wrote; WorkspaceError when it is damaged."""
        from scipy.sparse import csr_array

        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                popularity, user_ids = found["popularity"], tuple(str(u) for u in found["user_ids"])
                items, people = len(popularity), len(user_ids)
                transitions, liked = (
                    csr_array(tuple(found[f"{name}_{part}"] for part in _PARTS), shape=shape)
                    for name, shape in (("transitions", (items, items)), ("liked", (people, items)))
                )
                return cls(transitions, liked, popularity, user_ids, str(found["fingerprint"]))
        except Exception as error:
            raise WorkspaceError(
                f"What was learned from behaviour in {path} cannot be read ({error}). "
                "Run `vouchrec index rebuild`: it is made again from the store."
            ) from error


def recency(times: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    """How much each item of a history counts, oldest first: the last 1, each before it `decay` times the next.

    Items of one time share the mean of their weights; an unknown time (NaN) is shared with nothing.
    """
    weights = decay ** np.arange(len(times), dtype=np.float64)[::-1]
    _, group, size = np.unique(times, return_inverse=True, return_counts=True, equal_nan=False)
    return np.asarray((np.bincount(group, weights) / size)[group])


def _counted(users: NDArray[Any], items: NDArray[Any], times: NDArray[np.float64], n_items: int) -> Any:  # noqa: ANN401
    """Sparse (items x items): the weight of all steps from one item to another; rows of a person follow each other."""
    from scipy.sparse import coo_array

    weights, sources, targets = [], [], []
    for distance in range(1, WINDOW + 1):
        same = users[distance:] == users[:-distance]
        tied = same & (times[distance:] == times[:-distance])
        earlier, later = items[:-distance], items[distance:]
        for kept, start, end, share in (
            (same & ~tied, earlier, later, 1),
            (tied, earlier, later, 0.5),
            (tied, later, earlier, 0.5),
        ):
            sources.append(start[kept])
            targets.append(end[kept])
            weights.append(np.full(int(kept.sum()), share * STEP_DECAY ** (distance - 1)))
    steps = np.concatenate(weights), (np.concatenate(sources), np.concatenate(targets))
    return coo_array(steps, shape=(n_items, n_items)).tocsr()


def _share(scores: Scores) -> Scores:
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores


def _normalised(counted: Any) -> Any:  # noqa: ANN401
    from scipy.sparse import diags_array

    rows = np.maximum(np.asarray(counted.sum(axis=1)).ravel(), 1e-9) ** -ROW_POWER
    columns = np.maximum(np.asarray(counted.sum(axis=0)).ravel(), 1e-9) ** -COLUMN_POWER
    return (diags_array(rows) @ counted @ diags_array(columns)).tocsr()
