"""Places in a message: where known phrases stand, and gaps that what is taken out leaves."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from agent.workspace.catalogue import phrase_key

_PART = re.compile(r"[^\W_]+|&")
WITHIN = " -&.'’/"  # what may stand between the words of one phrase


class Span(NamedTuple):
    """text[start:end], and its `phrase_key`."""

    start: int
    end: int
    key: str

    def holds(self, start: int, end: int) -> bool:
        """Whether text[start:end] lies in it and is shorter."""
        return self.start <= start and end <= self.end and (start, end) != (self.start, self.end)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the two share a place."""
        return start < self.end and self.start < end


def phrases_in(text: str, phrases: Container[str], starts: Mapping[str, int]) -> Iterator[Span]:
    """Where phrases of several words stand in a text; `starts` has the longest phrase by its first word."""
    parts = list(_PART.finditer(text))
    for i, first in enumerate(parts):
        reach = starts.get(phrase_key(first.group()), 0)
        for j in range(i + 1, min(i + reach, len(parts))):
            if text[parts[j - 1].end() : parts[j].start()].strip(WITHIN):
                break
            key = phrase_key(text[first.start() : parts[j].end()])
            if key in phrases:
                yield Span(first.start(), parts[j].end(), key)


def spaced(pattern: str) -> re.Pattern[str]:
    """A rule for whole words in any case; a space in it is any white space."""
    return re.compile(r"(?<![\w'’-])(?:" + pattern.replace(" ", r"\s+") + r")(?![\w'’-])", re.IGNORECASE)


def blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with spans overwritten by a mark that no rule reads, so that all positions stay."""
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text
