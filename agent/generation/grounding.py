"""Grounded writing: the model chooses the words, but only from words that the evidence covers.

A small model left free invents directors, plots and prizes; told its facts, it still garbles them. Here it may use a
short list of words and phrases, as whole units that cannot be bent; a unit may be all that is left of a reason, and one
that ends in a full stop is the last. Each may be used a limited number of times, which also ends the loops that small
models fall into. What relations the words state is left to the claim checker (`agent.justification.claims`).
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
        self._units = {word: tuple(encode(f" {word}" if _is_said(word) else word)) for word in words}
        self._left = {word: limit if limit > 0 else 10**9 for word, limit in words.items()}
        self._end = end
        self._least = least
        self._written = 0
        self._last = self._last_word = ""
        self._over = False
        self._open: list[dict[int, Any]] = [self._words()]

    def allowed(self) -> list[int]:
        """The tokens that may come next; never empty."""
        if self._over:
            return [self._end]
        tokens = {token for node in self._open for token in node if token != _UNIT}
        return sorted(tokens) or [self._end]

    def advance(self, token: int) -> None:
        """Take the token that was chosen."""
        if token == self._end:
            self._over = True
            return
        self._open = [node[token] for node in self._open if token in node]
        ended = next((node[_UNIT] for node in self._open if _UNIT in node), None)
        if ended is not None:
            self._count(ended)
            # Where one word begins another ("film", "film-noir") both ways stay open.
            self._open.append(self._words())

    def _count(self, word: str) -> None:
        self._last = word
        if _is_said(word):
            self._last_word = word
            self._written += 1
        self._left[word] -= 1
        self._over = word.endswith(FINAL_MARKS)

    def _words(self) -> dict[int, Any]:
        """A trie of the words that may begin here."""
        root: dict[int, Any] = {}
        for word, tokens in self._units.items():
            if not tokens or not self._may_begin(word):
                continue
            node = root
            for token in tokens:
                node = node.setdefault(token, {})
            node[_UNIT] = word
        return root

    def _may_begin(self, word: str) -> bool:
        if self._left[word] <= 0 or word in (self._last, self._last_word):
            return False
        if word in FINAL_MARKS:
            return self._written >= self._least and self._last[:1].isalnum()
        return _is_said(word) or (self._last[:1].isalnum() and self._is_more_to_say())  # a comma joins two words

    def _is_more_to_say(self) -> bool:
        return any(left > 0 and _is_said(word) and word != self._last_word for word, left in self._left.items())


def _is_said(word: str) -> bool:
    """Whether it is a word or more, and no mark."""
    return any(c.isalnum() for c in word)
