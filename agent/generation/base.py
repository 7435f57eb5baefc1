"""The seam between the agent and a causal language model: what every generator can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.generation.measured import Measured

PrefixT = TypeVar("PrefixT")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a rendered prompt. `role` is "system", "user" or "assistant"; a last assistant one is open."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class TitleScores:
    """Log-probabilities of titles after a prefix, in the order of the titles that were asked for.

    `total` is the natural-log probability of each title and its end mark, `tokens` the number of tokens that it sums.
    """

    total: NDArray[np.float64]
    tokens: NDArray[np.int64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Log-probability per token: long titles are not punished for being long."""
        return self.total / self.tokens


@dataclass(frozen=True, slots=True)
class Branch:
    """One justification to write: what follows the prefix, how the sentence opens, and the words that it may use.

    `words` maps each allowed word or phrase to how often it may appear (0 = without limit). An empty mapping lets the
    model write freely; the claim checker reads the result either way.
    """

    messages: tuple[Message, ...]
    opener: str = ""
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def only(self) -> str | None:
        """The text that it must become, where there is nothing to choose."""
        return f"{self.opener} {next(iter(self.words))}" if list(self.words.values()) == [1] else None


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of writing: `text` is all that row `row` has written so far; `done` once it will write no more."""

    row: int
    text: str
    done: bool


TrieT = TypeVar("TrieT")
ItemsT = TypeVar("ItemsT")


class Generator(Protocol[PrefixT, TrieT, ItemsT]):
    """A causal language model that reads a prompt once and then ranks, spells and writes after it.

    `read` returns an opaque prefix; the other methods leave it as it was, so it can be used any number of times.
    `reads_items` says whether it was tuned to read items as vectors; only then may `know` and `next_items` be called;
    `ranks_alone` that it was tuned to tell the next item and nothing else, so that what it spells knows no history.
    `measured` is how much its scores count beside those of retrieval, where that was measured. `writes_reasons` says
    whether it was tuned to phrase reasons, and so may do it in its own words before the checker looks, and
    `fills_intents` whether it is large enough, or was tuned, to fill in what a message asks for.
    """

    name: str
    adapter: str | None
    reads_items: bool
    ranks_alone: bool
    measured: Measured
    writes_reasons: bool
    fills_intents: bool

    def know(self, keys: Sequence[str], texts: NDArray[np.float32]) -> ItemsT:
        """A catalogue's items as this model reads them, by their keys; `texts` are text vectors, (items, dimension)."""
        ...

    def read(
        self, messages: Sequence[Message], items: ItemsT | None = None, history: NDArray[np.int64] | None = None
    ) -> PrefixT:
        """Read a prompt whose last message is an open assistant message, and after it a history of known items."""
        ...

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens a conversation with an open last message has, items not counted."""
        ...

    def next_items(self, prefix: PrefixT, items: ItemsT) -> NDArray[np.float64]:
        """(items,): logits of what comes next, for all known items at once."""
        ...

    def score(self, prefix: PrefixT, titles: Sequence[str]) -> TitleScores:
        """The log-probability of each title; no title sees another, so their order cannot matter."""
        ...

    def trie(self, titles: Sequence[str]) -> TrieT:
        """The titles as a trie of this model's tokens, made once for a catalogue."""
        ...

    def spell(self, prefix: PrefixT, trie: TrieT, allowed: NDArray[np.bool_], n: int) -> list[tuple[int, float]]:
        """Write up to n different allowed titles, best first: (position in the trie's titles, mean log-probability)."""
        ...

    def write(self, prefix: PrefixT, branches: Sequence[Branch], *, seed: int | None = None) -> Iterator[Piece]:
        """Write all branches side by side; greedy without a seed, sampled with one. Closing the iterator stops it."""
        ...

    def grammar(self, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a generator's own kind of grammar
        """A JSON schema as a grammar of this model's tokens, made once for a catalogue. InputError if it cannot be."""
        ...

    def write_within(
        self,
        prefix: PrefixT,
        messages: Sequence[Message],
        grammar: Any,  # noqa: ANN401
        *,
        max_tokens: int,
    ) -> str:
        """The likeliest JSON within a grammar, after a conversation that continues the prefix and ends open.

        A text that `max_tokens` cut off is returned as far as it came.
        """
        ...
