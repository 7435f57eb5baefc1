"""Whether anything that may be recommended is near to what was wished in words: a list comes either way, and says so.

Neither words nor meaning tell alone: descriptions say "funny" in other words, and an encoder finds something near to
any string of letters. So both must fail.
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Query
from agent.retrieval.lexical import Lexical
from agent.retrieval.semantic import Semantic
from agent.understanding.cues import FILLER
from agent.understanding.feelings import forms, is_feeling

UNKNOWN = 0.5  # the share of the words that no item has, from which on a wish may be weak
NEAR = 0.62  # how near the best item must come, in units of how near items come to each other
_SAMPLE, _OTHERS = 200, 20_000  # enough for a median
_IDLE = FILLER | frozenset("quite rather over than".split())
_WORD = re.compile(r"[^\W_][\w'-]*")


class Fit:
    """Judges wishes by the words of the catalogue and by its vectors: float32 (items, dimension), unit rows."""

    def __init__(self, meaning: Semantic, lexical: Lexical, vectors: NDArray[np.float32]) -> None:
        self._meaning = meaning
        self._lexical = lexical
        self._vectors = vectors

    def unmet(self, query: Query) -> tuple[str, ...]:
        """The wished words that no allowed item has, where no allowed item is near to the wish either; else none."""
        said = list(dict.fromkeys(_WORD.findall(query.wishes.casefold())))
        has = {word: known for word in said if (known := self._knows(word, query)) is not None}
        unknown = tuple(word for word, known in has.items() if not known)
        if not unknown or len(unknown) < UNKNOWN * len(has):
            return ()
        return () if self._is_near(query) else unknown

    def _knows(self, word: str, query: Query) -> bool | None:
        """None for a word that says nothing by itself."""
        if word in _IDLE:
            return None
        if word.isdigit() or is_feeling(word):
            return True
        found = [self._lexical.mentions(form, query.allowed) for form in forms(word)]
        return None if found[0] is None else any(found)

    def _is_near(self, query: Query) -> bool:
        best = self._meaning.score(query, np.flatnonzero(query.allowed)).max(initial=-1.0)
        return bool(best >= NEAR * self._among_items)

    @cached_property
    def _among_items(self) -> float:
        """The median cosine of an item with the item nearest to it: what is "near" to this encoder, here."""
        count = len(self._vectors)
        some = self._vectors[:: max(1, count // _SAMPLE)]
        others = self._vectors[:: max(1, count // _OTHERS)]
        cosines = some @ others.T
        cosines[cosines > 1 - 1e-4] = -1.0  # itself, and what reads the same
        return float(np.median(cosines.max(axis=1)))
