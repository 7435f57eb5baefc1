"""Places in a message: what is taken out of it leaves a gap of the same length, so that all positions stay."""

from __future__ import annotations

from collections.abc import Sequence


def blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with spans overwritten by a mark that no rule reads, so that all positions stay."""
    for start, end in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text
