"""How like one item all others are: in what is told of them, in who likes them, and in what their attributes share."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Scores
from agent.retrieval.transitions import Transitions
from agent.workspace.catalogue import Catalogue

COMMON = 0.5  # the share of the catalogue whose likeness says nothing
FEWEST_LIKES = 5  # with fewer, who likes an item says little of it


class Likeness:
    """Likeness in texts and in who likes what, each from where an item stands out: what many reach says nothing.

    What was found is kept: a turn asks twice, and so do others who said the same.

    Args:
        transitions: knows who likes what.
        vectors: float32 (items, dimension), unit rows, by catalogue position: those of the items' texts.
    """

    def __init__(self, transitions: Transitions, vectors: NDArray[np.float32]) -> None:
        self._transitions = transitions
        self._vectors = vectors
        self.to = lru_cache(maxsize=64)(self._to)

    def _to(self, place: int) -> Scores:
        """(items,) from 0 to 1: how like each item is to the one at this position."""
        told = standing_out(self._vectors @ self._vectors[place])
        return (told + standing_out(self._transitions.liked_alike(place, FEWEST_LIKES))) / 2


class Shared:
    """Likeness in the values of attributes that are words; a rare one, such as a director, counts more than a kind."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def to(self, place: int) -> Scores:
        """(items,) from 0, nothing in common, to 1, the same: the cosine between values weighted by their rarity."""
        return np.asarray((self._rows @ self._rows[[place]].T).toarray()).ravel()

    @cached_property
    def _rows(self) -> Any:  # noqa: ANN401 - scipy is imported where it is used
        """Sparse (items x values), rows of length 1 or 0."""
        from scipy.sparse import coo_array, diags_array

        known, rows, columns, weights = self._catalogue, [], [], []
        column: dict[tuple[str, str], int] = {}
        for place, item in enumerate(known.items):
            for name in (name for name, kind in known.attribute_types.items() if kind != "number"):
                for value in dict.fromkeys(item.words(name)):
                    rows.append(place)
                    columns.append(column.setdefault((name, value), len(column)))
                    weights.append(np.log(len(known) / max(known.frequency(name, value), 1)))
        counted = coo_array((np.array(weights), (rows, columns)), shape=(len(known), max(len(column), 1))).tocsr()
        lengths = np.sqrt(np.asarray(counted.power(2).sum(axis=1)).ravel())
        return (diags_array(1 / np.maximum(lengths, 1e-9)) @ counted).tocsr()


def standing_out(likeness: NDArray[np.floating]) -> Scores:
    """From 0, as like as half of the catalogue is, to 1, the same."""
    common = float(np.quantile(likeness, COMMON)) if len(likeness) else 0.0
    scale = max(1.0 - common, 1e-9)
    return np.asarray(np.clip((likeness.astype(np.float64) - common) / scale, 0.0, 1.0))
