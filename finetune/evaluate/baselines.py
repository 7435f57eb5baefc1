"""The systems that every table holds. Each learns from the histories of a split and scores the whole catalogue.

A person without a history gets the most popular items from each of them, so that nobody goes without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.extras import how_to_install
from agent.progress import Progress, silent
from agent.retrieval.transitions import RECENCY_DECAY, recency
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import Known, Positions, Split
from finetune.retrieval import transitions_of

Floats = NDArray[np.float64]


def known_as_matrix(known: Known, n_items: int, decay: float = 1.0) -> Any:  # noqa: ANN401
    """Sparse (people x items): 1 for the most recent item of a history, `decay` times the next for each one before it.

    What shares a time shares its weight, as in `agent.retrieval.transitions`.
    """
    from scipy.sparse import csr_array

    items = np.concatenate([*known.histories, np.zeros(0, dtype=np.int64)])
    weights = np.concatenate([*(recency(times, decay) for times in known.times), np.zeros(0)])
    starts = np.concatenate([[0], np.cumsum([len(h) for h in known.histories], dtype=np.int64)])
    return csr_array((weights, items, starts), shape=(len(known), n_items))


def popularity_of(training: Known, n_items: int) -> NDArray[np.int64]:
    """How many people came to each item."""
    return np.bincount(np.concatenate([*training.histories, np.zeros(0, dtype=np.int64)]), minlength=n_items)


def _or_popular(scores: Floats, histories: Sequence[Positions], popularity: Floats) -> Floats:
    scores[[row for row, history in enumerate(histories) if not len(history)]] = popularity
    return scores


class Popularity:
    """The same list for everyone: what most people came to. Nothing to tune."""

    name = "popularity"

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Count."""
        del seed, progress
        self._popularity = popularity_of(split.learned, dataset.n_items).astype(np.float64)

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        return np.tile(self._popularity, (len(known), 1))


class ItemKNN:
    """Items that the same people came to: cosine with shrinkage, the nearest neighbours of each item only.

    Sarwar et al., WWW 2001; shrinkage as in Bell and Koren, ICDM 2007. `decay` weighs the history by recency.
    """

    name = "item-knn"

    def __init__(self, neighbours: int = 100, shrink: float = 10.0, decay: float = 0.9) -> None:
        self._neighbours, self._shrink, self._decay = neighbours, shrink, decay

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Compare every pair of items that someone came to both of."""
        del seed, progress
        seen = known_as_matrix(split.learned, dataset.n_items)
        both = (seen.T @ seen).tocsr()
        size = np.sqrt(both.diagonal())
        rows = np.repeat(np.arange(dataset.n_items), np.diff(both.indptr))
        both.data = both.data / (size[rows] * size[both.indices] + self._shrink)
        both.setdiag(0)
        self._similar = _largest(both, self._neighbours)
        self._popularity = size**2

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        weights = known_as_matrix(known, len(self._popularity), self._decay)
        return _or_popular((weights @ self._similar.T).toarray(), known.histories, self._popularity)


def _largest(matrix: Any, k: int) -> Any:  # noqa: ANN401
    """The k largest entries of each row."""
    for row in range(matrix.shape[0]):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        if end - start > k:
            smaller = np.argpartition(-matrix.data[start:end], k)[k:]
            matrix.data[start + smaller] = 0
    matrix.eliminate_zeros()
    return matrix


class Ease:
    """A linear item-to-item model in closed form.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. `decay` weighs the history by recency when a
    person is asked about, not when it is learned.
    """

    name = "ease"

    def __init__(self, l2: float = 250.0, decay: float = 0.9) -> None:
        self._l2, self._decay = l2, decay

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Invert the (items x items) matrix of counts: 0.5 s for 1,700 items, a minute for 10,000."""
        del seed, progress
        seen = known_as_matrix(split.learned, dataset.n_items)
        gram = (seen.T @ seen).toarray()
        self._popularity = gram.diagonal().copy()
        gram[np.diag_indices_from(gram)] += self._l2
        inverse = np.linalg.inv(gram)
        self._weights = inverse / -np.diag(inverse)
        self._weights[np.diag_indices_from(gram)] = 0

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        weights = known_as_matrix(known, len(self._popularity), self._decay)
        return _or_popular(np.asarray(weights @ self._weights), known.histories, self._popularity)


class ImplicitALS:
    """Matrix factors with weighted squares: Hu, Koren and Volinsky, ICDM 2008, by the library `implicit`.

    A person's factor is solved anew from the history that is asked about, weighed by recency.
    """

    name = "ials"

    def __init__(self, factors: int = 64, l2: float = 0.1, alpha: float = 10.0, decay: float = 0.9) -> None:
        self._factors, self._l2, self._alpha, self._decay = factors, l2, alpha, decay

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Alternate 15 times.

        Raises:
            InputError: the library is not installed.
        """
        try:
            from implicit.cpu.als import AlternatingLeastSquares
        except ImportError as error:
            raise InputError(f"The baseline iALS needs the extra `eval`: run {how_to_install('eval')}.") from error
        from scipy.sparse import csr_matrix
        from threadpoolctl import threadpool_limits

        del progress
        seen = csr_matrix(known_as_matrix(split.learned, dataset.n_items), dtype=np.float32)
        self._popularity = np.asarray(seen.sum(axis=0), dtype=np.float64).ravel()
        with threadpool_limits(1, "blas"):  # implicit has threads of its own, and warns of those of BLAS
            self._model = AlternatingLeastSquares(
                factors=self._factors, regularization=self._l2, alpha=self._alpha, random_state=seed
            )
            self._model.fit(seen, show_progress=False)

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        from scipy.sparse import csr_matrix
        from threadpoolctl import threadpool_limits

        weights = csr_matrix(known_as_matrix(known, len(self._popularity), self._decay), dtype=np.float32)
        with threadpool_limits(1, "blas"):
            people = self._model.recalculate_user(np.arange(len(known)), weights)
        scores = (np.asarray(people) @ np.asarray(self._model.item_factors).T).astype(np.float64)
        return _or_popular(scores, known.histories, self._popularity)


class DecayedTransitions:
    """Decayed transitions, as `agent.retrieval.behaviour` serves them. Its constants were tuned once (docs/log.md)."""

    name = "transitions"

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Count and damp."""
        del seed, progress
        self._learned = transitions_of(split.learned, dataset)

    @property
    def transitions(self) -> Any:  # noqa: ANN401
        """What was learned, for the audit: sparse (items x items)."""
        return self._learned.transitions

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        weights = known_as_matrix(known, len(self._learned.popularity), RECENCY_DECAY)
        scores = (weights @ self._learned.transitions).toarray()
        return _or_popular(scores, known.histories, self._learned.popularity.astype(np.float64))


class TextSimilarity:
    """Meaning only: cosine between an item's text vector and the history's, weighed by recency."""

    name = "text"

    def __init__(self, decay: float = 0.9) -> None:
        self._decay = decay

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Nothing is learned.

        Raises:
            InputError: the data set has no text vectors.
        """
        del seed, progress
        self._vectors = vectors_of(dataset)
        self._popularity = popularity_of(split.learned, dataset.n_items).astype(np.float64)

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        taste = known_as_matrix(known, len(self._vectors), self._decay) @ self._vectors
        return _or_popular(np.asarray(taste @ self._vectors.T, np.float64), known.histories, self._popularity)


def vectors_of(dataset: Dataset) -> NDArray[np.float32]:
    """The text vectors of a data set; InputError when nothing was encoded."""
    if dataset.vectors is None:
        raise InputError(f"{dataset.name!r} has no text vectors. Encode its catalogue first, or leave this system out.")
    return dataset.vectors
