"""Counters and times in the text format of Prometheus (version 0.0.4), by hand: three kinds of line need no library."""

from __future__ import annotations

import threading
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)  # upper bounds of the buckets
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_Labels = tuple[tuple[str, str], ...]


class Counter:
    """What only grows, by labels."""

    kind = "counter"

    def __init__(self, name: str, about: str) -> None:
        self.name, self.about = name, about
        self._counts: Counts[_Labels] = Counts()
        self._lock = threading.Lock()

    def add(self, amount: int = 1, **labels: str) -> None:
        """Count one more, or an amount more."""
        with self._lock:
            self._counts[tuple(labels.items())] += amount

    def lines(self) -> Iterator[str]:
        """One line for each set of labels."""
        with self._lock:
            counts = dict(self._counts)
        for labels, count in counts.items():
            yield f"{self.name}{_said(labels)} {count}"


class Gauge:
    """What is read when somebody asks."""

    kind = "gauge"

    def __init__(self, name: str, about: str, read: Callable[[], float]) -> None:
        self.name, self.about = name, about
        self._read = read

    def lines(self) -> Iterator[str]:
        """One line."""
        yield f"{self.name} {self._read()}"


class Histogram:
    """How long something took, in buckets of seconds."""

    kind = "histogram"

    def __init__(self, name: str, about: str) -> None:
        self.name, self.about = name, about
        self._buckets = [0] * len(SECONDS)
        self._count, self._sum = 0, 0.0
        self._lock = threading.Lock()

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        with self._lock:
            self._count += 1
            self._sum += seconds
            for place, bound in enumerate(SECONDS):
                self._buckets[place] += seconds <= bound

    def lines(self) -> Iterator[str]:
        """The buckets, the sum and the count."""
        with self._lock:
            buckets, total, count = list(self._buckets), self._sum, self._count
        for bound, below in zip(SECONDS, buckets, strict=True):
            yield f'{self.name}_bucket{{le="{bound}"}} {below}'
        yield f'{self.name}_bucket{{le="+Inf"}} {count}'
        yield f"{self.name}_sum {total}"
        yield f"{self.name}_count {count}"


class Metrics:
    """What the service counts of itself. No label holds anything of a person."""

    def __init__(self) -> None:
        self.requests = Counter("vouchrec_requests_total", "Requests by route, method and status.")
        self.turns = Counter("vouchrec_turns_total", "Turns by outcome: complete, stopped, failed.")
        self.list_seconds = Histogram("vouchrec_list_seconds", "From a request to its list, waiting included.")
        self.answer_seconds = Histogram("vouchrec_answer_seconds", "From a request to its last reason.")

    def text(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> str:
        """All of it; `gauges` are read now, as name -> (what it is, how to read it)."""
        read = [Gauge(name, about, value) for name, (about, value) in gauges.items()]
        parts: tuple[Counter | Histogram | Gauge, ...] = (
            self.requests,
            self.turns,
            self.list_seconds,
            self.answer_seconds,
            *read,
        )
        return "".join(
            f"# HELP {part.name} {part.about}\n# TYPE {part.name} {part.kind}\n"
            + "".join(f"{line}\n" for line in part.lines())
            for part in parts
        )


def _said(labels: _Labels) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}" if labels else ""
