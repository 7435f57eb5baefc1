"""What a model's context holds of an example: the oldest items of a history give way, prompt and answer never do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agent.errors import InputError

if TYPE_CHECKING:
    from finetune.examples import Example

MOST_LOST = 0.01  # of all places


class Row(NamedTuple):
    """How long something to be read is: all its `places`, and `words`, those of them that are no items of a history.

    `often` is how often it stands for others of its kind.
    """

    task: str
    places: int
    words: int
    often: float = 1.0


def fitted(example: Example, context: int | None) -> Example | None:
    """An example without the oldest items that do not fit; None where it is too long even without a history."""
    if context is None or (over := len(example) - context) <= 0:
        return example
    history = np.flatnonzero(example.items >= 0)
    if over > len(history):
        return None
    gone = history[:over]
    return replace(
        example,
        tokens=np.delete(example.tokens, gone),
        items=np.delete(example.items, gone),
        next_items=np.delete(example.next_items, gone - 1),  # what comes next is told one place before it is read
        next_tokens=np.delete(example.next_tokens, gone - 1),
    )


def readable(window: int, context: int, prompt: int) -> int:
    """How many items of a history can be read after a prompt of so many tokens: a window, or what is left of it."""
    return min(window, context - prompt)


def require_fit(rows: Iterable[Row], context: int, window: int) -> None:
    """InputError where a context is too short for more than MOST_LOST of all places.

    What is too long without any history is lost as a whole. `window` is how many items of a history were to be read.
    """
    told = list(rows)
    places, words, often = (np.array([getattr(row, name) for row in told]) for name in ("places", "words", "often"))
    lost = np.where(words > context, places, np.maximum(places - context, 0))
    if (share := (often @ lost) / (often @ places)) <= MOST_LOST:
        return
    longest = max(told, key=lambda row: row.places)
    raise InputError(
        f"The base model reads {context} tokens and items at once, and the longest row ({longest.task}) has "
        f"{longest.places}, {longest.places - longest.words} of them items of a history: {share:.1%} of what is to be "
        f"learned would be lost, and at most {MOST_LOST:.0%} may be. Tune with a smaller `window` (now {window}), with "
        "shorter prompts, without that task, or on a model with a longer context."
    )
