"""What a person said of items moves the next list, without training: like what they liked, unlike what they did not.

After Rocchio, "Relevance feedback in information retrieval", 1971: what was judged relevant pulls, what was judged
irrelevant pushes. How alike two items are says `agent.retrieval.likeness`. Reactions of one kind add up as chances do,
1 - (1 - a)(1 - b), so many never outweigh everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query, Scores
from agent.retrieval.likeness import Likeness, standing_out
from agent.workspace.encoder import Encoder

DECAY = 0.9  # how much a reaction counts beside the one that came after it
WORDS = 0.5  # how much words count beside the item that they were said of


class Reactions:
    """A `Retriever` that names nothing by itself: it moves what others name, up or down.

    Args:
        likeness: says how like two items are.
        encoder: makes vectors of words.
        vectors: float32 (items, dimension), unit rows, by catalogue position: those of what items are about.
    """

    name = "reactions"

    def __init__(self, likeness: Likeness, encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        self._likeness = likeness
        self._encoder = encoder
        self._vectors = vectors
        # A turn asks twice, the next one again, and so do others who said the same.
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
        left = _left([self._likeness.to(place) for place in said], len(self._vectors))
        return 1 - left * _left([WORDS * self._about(text) for text in words], len(self._vectors))

    def _about_words(self, words: str) -> Scores:
        return standing_out(self._vectors @ self._encoder.encode([words])[0])


def _left(parts: Sequence[Scores], items: int) -> Scores:
    """(items,): the product of 1 - each part, oldest first, the older the weaker."""
    left = np.ones(items)
    for age, part in enumerate(reversed(parts)):
        left *= 1 - DECAY**age * part
    return left
