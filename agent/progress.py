"""How long work reports itself: one callable, so that no stage knows what draws the bar."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with a stage name, the amount done and the total; the total is None where it is not known.

    `said` is what else there is to see at this moment, such as a loss.
    """

    def __call__(self, stage: str, done: float, total: float | None, said: str = "") -> None:
        """Take one report."""
        ...


def silent(stage: str, done: float, total: float | None, said: str = "") -> None:
    """The progress of someone who does not want to see any."""
