"""Grounded writing: the model chooses the words, but only from words that the evidence covers.

A small model left free invents directors, plots and prizes; told its facts, it still garbles them. Here it may use a
short list of neutral words, and the titles, names, genres and numbers of the evidence as whole units that cannot be
bent. Each unit of evidence may be used a limited number of times, which also ends the loops that small models fall
into. What relations the words state is left to the claim checker (`agent.justification.claims`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

FINAL_MARKS = (".", "!")
_UNIT = -1  # key of a trie node under which the unit that ends there is kept; no token has this number


class WordMask:
    """Which tokens may come next for one row of writing. Not thread-safe; one per row.

    Args:
        words: each allowed word or phrase and how often it may appear; 0 means without limit.
        encode: text to token ids, without special tokens. Words are tried with a space before them, marks without.
        end: the token that ends the message; allowed only after a final mark.
        least: how many words must be written before the sentence may end.
    """

    def __init__(
        self, words: Mapping[str, int], encode: Callable[[str], list[int]], end: int, *, least: int = 3
    ) -> None:
        self._units = {word: tuple(encode(word if not word[0].isalnum() else f" {word}")) for word in words}
        self._left = {word: limit if limit > 0 else 10**9 for word, limit in words.items()}
        self._end = end
        self._least = least
        self._written = 0
        self._last = ""
        self._over = False
        self._root = self._trie()
        self._active: list[dict[int, Any]] = []
        self._at_boundary = True

    def allowed(self) -> list[int]:
        """The tokens that may come next; never empty."""
        if self._over:
            return [self._end]
        tokens = {token for node in self._active for token in node if token != _UNIT}
        if self._at_boundary:
            tokens.update(self._starts())
        return sorted(tokens) or [self._end]

    def advance(self, token: int) -> None:
        """Take the token that was chosen."""
        if token == self._end:
            self._over = True
            return
        nodes = [node[token] for node in self._active if token in node]
        if self._at_boundary and token in self._root:
            nodes.append(self._root[token])
        self._active = nodes
        ended = [node[_UNIT] for node in nodes if _UNIT in node]
        self._at_boundary = bool(ended)
        for word in ended[:1]:
            self._count(word)

    def _starts(self) -> list[int]:
        starts = []
        for token, node in self._root.items():
            only = node.get(_UNIT) if len(node) == 1 else None
            if only is not None and (only == self._last or (only in FINAL_MARKS and self._written < self._least)):
                continue
            if only == "," and (self._last == "" or not self._last[0].isalnum()):
                continue
            starts.append(token)
        return starts

    def _count(self, word: str) -> None:
        self._last = word
        self._written += word[0].isalnum()
        self._left[word] -= 1
        if word in FINAL_MARKS:
            self._over = True
        if self._left[word] == 0:
            self._root = self._trie()

    def _trie(self) -> dict[int, Any]:
        root: dict[int, Any] = {}
        for word, tokens in self._units.items():
            if self._left[word] <= 0 or not tokens:
                continue
            node = root
            for token in tokens:
                node = node.setdefault(token, {})
            node[_UNIT] = word
        return root
