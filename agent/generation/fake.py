"""The shipped fake: a generator without a model, for tests and for trying an application. Deterministic, instant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.generation.base import Branch, Message, Piece, TitleScores
from agent.generation.measured import Measured

_SMALL = frozenset({"a", "an", "and", "too"})


class FakeGenerator:
    """Prefers titles that share words with the prompt; writes what it is told to, one piece a sentence.

    Args:
        sentences: what `write` says instead of completing the opener, by row, again and again; an entry may be false,
            to see a checker at work.
        answers: what `write_within` writes, one after another; the last stays. Any text, also one that does not fit.
    """

    name = "fake"
    adapter = None
    reads_items = False
    ranks_alone = False
    measured = Measured()
    writes_reasons = False
    fills_intents = False

    def __init__(self, sentences: Sequence[str] = (), answers: Sequence[str] = ()) -> None:
        self._sentences = tuple(sentences)
        self._answers = list(answers)

    def know(self, keys: Sequence[str], texts: NDArray[np.float32]) -> None:
        """Nothing: it reads no items."""

    def read(
        self, messages: Sequence[Message], items: None = None, history: NDArray[np.int64] | None = None
    ) -> tuple[Message, ...]:
        """The messages themselves."""
        return tuple(messages)

    def count(self, messages: Sequence[Message]) -> int:
        """A word, a token."""
        return sum(len(message.content.split()) for message in messages)

    def next_items(self, prefix: tuple[Message, ...], items: None) -> NDArray[np.float64]:
        """Nothing: it reads no items."""
        return np.zeros(0)

    def score(self, prefix: tuple[Message, ...], titles: Sequence[str]) -> TitleScores:
        """Minus one per token, a little more for words that the prompt has, and a trace of the title's own hash."""
        said = set(" ".join(m.content for m in prefix).casefold().split())
        tokens = np.array([len(title.split()) + 1 for title in titles], dtype=np.int64)
        shared = np.array([len(said & set(title.casefold().split())) for title in titles], dtype=np.float64)
        trace = np.array([int(hashlib.sha256(t.encode()).hexdigest()[:6], 16) / 16**6 for t in titles])
        return TitleScores(tokens * (-1.0 + 0.1 * shared + 0.01 * trace), tokens)

    def trie(self, titles: Sequence[str]) -> tuple[str, ...]:
        """The titles themselves."""
        return tuple(titles)

    def spell(
        self, prefix: tuple[Message, ...], trie: tuple[str, ...], allowed: NDArray[np.bool_], n: int
    ) -> list[tuple[int, float]]:
        """The allowed titles that `score` likes best."""
        places = np.flatnonzero(allowed)
        means = self.score(prefix, [trie[p] for p in places]).mean if len(places) else np.zeros(0)
        best = sorted(zip(places.tolist(), means.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
        return best[:n]

    def write(
        self, prefix: tuple[Message, ...], branches: Sequence[Branch], *, seed: int | None = None
    ) -> Iterator[Piece]:
        """Each branch in two pieces: its opener, then the opener with one of its facts behind it."""
        for row, branch in enumerate(branches):
            yield Piece(row, branch.opener, False)
            facts = [word for word in branch.words if word[0].isalnum() and word not in _SMALL]
            said = f"{branch.opener} {facts[-1].removesuffix('.') if facts else 'film'}."
            if self._sentences:
                said = self._sentences[row % len(self._sentences)]
            yield Piece(row, said, True)

    def grammar(self, schema: Mapping[str, Any]) -> str:
        """The schema itself, as JSON."""
        return json.dumps(schema)

    def write_within(
        self, prefix: tuple[Message, ...], messages: Sequence[Message], grammar: str, *, max_tokens: int
    ) -> str:
        """The next of the answers that it was given; without any, that nothing changes."""
        if len(self._answers) > 1:
            return self._answers.pop(0)
        return self._answers[0] if self._answers else "{}"
