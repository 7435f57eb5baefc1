"""Exact words: BM25 (bm25s) over title, attributes and text, as the share of the request's information that matched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Positions, Query, Scores, top
from agent.retrieval.substance import substance
from agent.schema import Item

LENGTH = 0.3  # b of BM25, by default .75: texts here are short because little is known of an item, not for being terse
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]{3,}")


class Lexical:
    """A `Retriever` over the words of the catalogue. Built in memory: 20,000 items take about a second."""

    name = "lexical"

    def __init__(self, items: Sequence[Item]) -> None:
        import bm25s

        self._count, self._substance = len(items), substance(items)
        self._tokenizer = bm25s.tokenization.Tokenizer(stopwords="en")
        self._index: Any = None
        texts = [_words(item) for item in items]
        tokens = self._tokenizer.tokenize(texts, update_vocab=True, show_progress=False, return_as="ids")
        if any(len(t) for t in tokens):
            self._index = bm25s.BM25(method="lucene", b=LENGTH)
            self._index.index((tokens, self._tokenizer.get_vocab_dict()), show_progress=False)

    def best(self, query: Query, k: int) -> Positions:
        """The items whose words match the wishes best."""
        return top(self._scores(query), query.allowed, k)

    def score(self, query: Query, positions: Positions) -> Scores:
        """From 0 to 1: the BM25 score over the most that these words can reach in this catalogue, by substance."""
        return self._scores(query)[positions]

    def count_known(self, text: str) -> int:
        """How many different words of a text stand anywhere in the catalogue; the commonest of the language aside."""
        return len(self._known(text))

    def _known(self, text: str) -> list[int]:
        if self._index is None or not text:
            return []
        found = self._tokenizer.tokenize([_spaced(text)], update_vocab="never", show_progress=False, return_as="ids")[0]
        return sorted({int(t) for t in found if t < len(self._index.scores["indptr"]) - 1})

    def mentions(self, word: str, allowed: NDArray[np.bool_]) -> bool | None:
        """Whether an allowed item has this word, or a pair of its letters in Chinese; None for a word such as "the"."""
        parts = [p for p in self._tokenizer.splitter(_spaced(word).lower()) if p not in self._tokenizer.stopwords]
        if not parts or self._index is None:
            return False if parts else None
        starts, items = self._index.scores["indptr"], self._index.scores["indices"]
        known = [i for p in parts if (i := self._tokenizer.get_vocab_dict().get(p)) is not None and i < len(starts) - 1]
        return any(bool(allowed[items[starts[i] : starts[i + 1]]].any()) for i in known)

    def _scores(self, query: Query) -> Scores:
        none = np.zeros(self._count)
        if not (known := self._known(query.words)):
            return none
        data, starts = self._index.scores["data"], self._index.scores["indptr"]
        most = sum(float(data[starts[t] : starts[t + 1]].max(initial=0.0)) for t in known)
        scores = self._index.get_scores_from_ids(known).astype(np.float64)
        return scores / most * self._substance if most > 0 else none


def _words(item: Item) -> str:
    return _spaced(" ".join([item.title, *(w for name in item.attributes for w in item.words(name)), item.text]))


def _spaced(text: str) -> str:
    """Chinese sets no spaces between words, so each pair of letters counts as one, as in Lucene's CJK analyser."""
    return _HAN.sub(lambda m: " ".join(m[0][i : i + 2] for i in range(len(m[0]) - 1)), text)
