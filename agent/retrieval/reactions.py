"""What a person said of items moves the next list, without training: like what they liked, unlike what they did not.

After Rocchio, "Relevance feedback in information retrieval", 1971: what was judged relevant pulls, what was judged
irrelevant pushes. Two items are alike in what is told of them (text vectors) and in who likes them (the cosine between
the sets of people). Everything counts from where an item stands out: likeness that half of the catalogue reaches
says nothing. Reactions of one kind add up as chances do, 1 - (1 - a)(1 - b), so many never outweigh everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query, Scores
from agent.retrieval.transitions import Transitions
from agent.workspace.encoder import Encoder

DECAY = 0.9  # how much a reaction counts beside the one that came after it
COMMON = 0.5  # the share of the catalogue whose likeness says nothing
WORDS = 0.5  # how much words count beside the item that they were said of
FEWEST_LIKES = 5  # with fewer, who likes an item says little of it


class Reactions:
    """A `Retriever` that names nothing by itself: it moves what others name, up or down.

    Args:
        transitions: knows who likes what.
        encoder: makes vectors of words.
        vectors: float32 (items, dimension), unit rows, by catalogue position: those of the items' texts.
    """

    name = "reactions"

    def __init__(self, transitions: Transitions, encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        self._transitions = transitions
        self._encoder = encoder
        self._vectors = vectors
        # A turn asks twice, the next one again, and so do others who said the same.
        self._alike = lru_cache(maxsize=64)(self._alike_to)
        self._about = lru_cache(maxsize=64)(self._about_words)

    def best(self, query: Query, k: int) -> Positions:
        """None: a reaction to one item is no wish for its likes alone."""
        return np.zeros(0, dtype=np.int64)

    def score(self, query: Query, positions: Positions) -> Scores:
        """From -1, like what was turned down, to 1, like what was liked."""
        pull, push = (self._together(query, feeling)[positions] for feeling in (1, -1))
        return np.asarray(pull - push)

    def _together(self, query: Query, feeling: int) -> Scores:
        said = [place for place, felt in query.reactions if felt == feeling]
        words = [text for text, felt in query.remarks if felt == feeling]
        left = _left([self._alike(place) for place in said], len(self._vectors))
        return 1 - left * _left([WORDS * self._about(text) for text in words], len(self._vectors))

    def _alike_to(self, place: int) -> Scores:
        """(items,) from 0 to 1: how like each item is to this one."""
        told = _standing_out(self._vectors @ self._vectors[place])
        return (told + _standing_out(self._transitions.liked_alike(place, FEWEST_LIKES))) / 2

    def _about_words(self, words: str) -> Scores:
        return _standing_out(self._vectors @ self._encoder.encode([words])[0])


def _left(parts: Sequence[Scores], items: int) -> Scores:
    """(items,): the product of 1 - each part, oldest first, the older the weaker."""
    left = np.ones(items)
    for age, part in enumerate(reversed(parts)):
        left *= 1 - DECAY**age * part
    return left


def _standing_out(likeness: NDArray[np.floating]) -> Scores:
    """From 0, as like as half of the catalogue is, to 1, the same."""
    common = float(np.quantile(likeness, COMMON)) if len(likeness) else 0.0
    scale = max(1.0 - common, 1e-9)
    return np.asarray(np.clip((likeness.astype(np.float64) - common) / scale, 0.0, 1.0))
