"""How long each stage of a turn took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Milliseconds by stage, in the order in which stages first began; a stage entered twice adds up."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._times: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside."""
        begun = time.perf_counter()
        self._times.setdefault(stage, 0.0)
        try:
            yield
        finally:
            self._times[stage] += 1000 * (time.perf_counter() - begun)

    def mark(self, name: str) -> None:
        """Note the time since the start under a name."""
        self._times[name] = 1000 * (time.perf_counter() - self._start)

    def timings(self) -> dict[str, float]:
        """A copy, in milliseconds to one decimal."""
        return {stage: round(ms, 1) for stage, ms in self._times.items()}
