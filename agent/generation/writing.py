"""Writing for several requests at a time: whoever needs the next token makes it for all, in one forward pass.

There is no window in which requests are gathered and no thread of its own: a request that writes alone waits for
nobody, and one that comes while others write joins them with the next step. What each writes is the same in any
company (see `agent.generation.packing`), and an error goes to the request that it belongs to.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.generation.base import Branch, Piece
from agent.generation.chat import Chat
from agent.generation.grounding import WordMask
from agent.generation.packing import Fed, Packed, read_together

if TYPE_CHECKING:
    import torch

TEMPERATURE = 0.7  # of writing with a seed: enough to differ, not enough to ramble
AHEAD = 4  # steps that are made for a request before it has taken the first of them
OPENED = 512  # tokens that are read of new branches in one pass, or one branch: others wait no longer than that


@dataclass(slots=True)
class _Row:
    """One branch: what of it is still to be read, and what has been written."""

    opener: str
    unread: list[int]
    mask: WordMask | None
    written: list[int] = field(default_factory=list)
    state: torch.Tensor | None = None  # the hidden state of its last token, once that is read
    done: bool = False


class Writing:
    """What one request writes: its rows, and the steps that it has not taken yet, each the pieces of its open rows.

    Args:
        model: transformers' own causal model.
        chat: its tokenizer.
        prefix: the cache after which all branches stand.
        texts: what each branch adds to the prefix before it writes.
        branches: their openers and words.
        seed: greedy without one.
        max_tokens: what a row writes at most.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - transformers' own classes
        chat: Chat,
        prefix: Any,  # noqa: ANN401
        texts: Sequence[str],
        branches: Sequence[Branch],
        seed: int | None,
        max_tokens: int,
    ) -> None:
        import torch

        self._model = model
        self._chat = chat
        self._rows = [
            _Row(b.opener, chat.encode(text), WordMask(b.words, chat.encode, chat.end) if b.words else None)
            for b, text in zip(branches, texts, strict=True)
        ]
        self._packed = Packed(prefix, sum(len(row.unread) + max_tokens for row in self._rows))
        self._random = torch.Generator().manual_seed(seed) if seed is not None else None
        self._most = max_tokens
        self.steps: deque[list[Piece]] = deque()
        self.failed: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Whether all branches have been read, so that a step is one token of each."""
        return all(row.state is not None for row in self._rows)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to write."""
        return self.failed is not None or all(row.done for row in self._rows)

    def feed(self) -> Fed:
        """The tokens that are to be read next."""
        tokens: list[int] = []
        branches: list[int] = []
        for place, row in enumerate(self._rows):
            if row.done or not row.unread or (tokens and len(tokens) + len(row.unread) > OPENED):
                continue
            tokens += row.unread
            branches += [place] * len(row.unread)
        return Fed(self._packed, tokens, branches)

    def take(self, fed: Fed, states: torch.Tensor) -> None:
        """They were read: (tokens, width). Where nothing is left to be read, every open row writes a token."""
        try:
            for place, state in zip(fed.branches, states, strict=True):
                self._rows[place].state = state  # the last one counts
                self._rows[place].unread = []
            if self.is_open:
                self.steps.append(self._write())
        except Exception as error:
            self.failed = error

    def _write(self) -> list[Piece]:
        rows = [place for place, row in enumerate(self._rows) if not row.done]
        pieces = []
        for place, token in zip(rows, self._choose([self._rows[p] for p in rows]), strict=True):
            pieces.append(Piece(place, self._spell(self._rows[place], token), self._rows[place].done))
        return pieces

    def _spell(self, row: _Row, token: int) -> str:
        """Write a token, and all after which there is no choice: they are read together with it. Gives the text."""
        while True:
            row.written.append(token)
            row.unread.append(token)
            text = row.opener + self._chat.decode(row.written)
            row.done = token == self._chat.end or "\n" in text or len(row.written) == self._most
            if row.mask is not None:
                row.mask.advance(token)
            if row.done or row.mask is None or len(allowed := row.mask.allowed()) > 1:
                return text.strip()
            token = allowed[0]

    def _choose(self, rows: Sequence[_Row]) -> list[int]:
        import torch

        head = self._model.lm_head
        chosen = []
        for row in rows:
            assert row.state is not None
            if row.mask is None:
                logits, tokens = head(row.state[None])[0].float().cpu(), None
            else:
                tokens = row.mask.allowed()
                if len(tokens) == 1:
                    chosen.append(tokens[0])
                    continue
                # Only what may come is compared: a few rows of the head instead of the whole vocabulary.
                logits = (head.weight[tokens].float() @ row.state.float()).cpu()
                if getattr(head, "bias", None) is not None:
                    logits += head.bias[tokens].float().cpu()
            if self._random is None:
                place = int(logits.argmax())
            else:
                chances = torch.softmax(logits / TEMPERATURE, -1)
                place = int(torch.multinomial(chances, 1, generator=self._random))
            chosen.append(place if tokens is None else tokens[place])
        return chosen


class Writers:
    """All that is being written with one model, behind its lock."""

    def __init__(self, model: Any, lock: threading.RLock) -> None:  # noqa: ANN401 - transformers' own classes
        self._model = model
        self._lock = lock
        self._all: list[Writing] = []

    def write(self, start: Callable[[], Writing]) -> Generator[Piece]:
        """The pieces of one request, step by step. Closing the iterator leaves it out of the next step."""
        with self._lock:
            writing = start()
            self._all.append(writing)
        try:
            while (pieces := self._next(writing)) is not None:
                yield from pieces
        finally:
            with self._lock:
                self._all.remove(writing)

    def _next(self, writing: Writing) -> list[Piece] | None:
        while True:
            with self._lock:
                if writing.steps:
                    return writing.steps.popleft()
                if writing.failed is not None:
                    raise writing.failed
                if writing.is_over:
                    return None
                self._step(writing)

    def _step(self, leader: Writing) -> None:
        """Read what is next of everyone who writes; new branches are read alone, for that gains nothing by company."""
        import torch

        together = [leader]
        if leader.is_open:
            others = (one for one in self._all if one is not leader and one.is_open and not one.is_over)
            together += [one for one in others if len(one.steps) < AHEAD]
        with torch.inference_mode():
            fed = [one.feed() for one in together]
            try:
                read = read_together(self._model, fed)
            except Exception:
                # Whatever it was, such as memory: nobody else's tokens may cost this request its own.
                if len(together) == 1:
                    raise
                together, fed = [leader], [fed[0]]
                read = read_together(self._model, fed)
            for one, given, states in zip(together, fed, read, strict=True):
                one.take(given, states)
