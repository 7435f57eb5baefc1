"""How often a wrong password may be given: a few times at will, and then after a wait that doubles each time."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FIRST, MOST = 30.0, 900.0  # seconds of the first wait and of the longest
QUIET = 3600.0  # seconds after a wait until failures are forgotten
REMEMBERED = 10_000  # keys; the one that was quiet longest is forgotten first


@dataclass(slots=True)
class _Failures:
    count: int
    until: float  # when the next attempt may be made


class Attempts:
    """Counts by key, such as a name or an address. For one thread: the server's loop.

    An attempt counts as failed from its beginning on, so that many at a time gain nothing over one after the other.
    """

    def __init__(self, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, key: str) -> int:
        """The seconds until an attempt may be made; 0 for now."""
        known = self._failures.get(key)
        return 0 if known is None else max(0, math.ceil(known.until - self._clock()))

    def begin(self, key: str) -> None:
        """An attempt is made, and has failed until it is forgiven or taken back."""
        now = self._clock()
        known = self._failures.pop(key, None)
        count = 1 if known is None or known.until + QUIET < now else known.count + 1
        self._failures[key] = _Failures(count, now + self._pause(count))
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def forgive(self, key: str) -> None:
        """The right password came: all that failed before is forgotten."""
        self._failures.pop(key, None)

    def take_back(self, key: str) -> None:
        """The attempt succeeded, but what failed before still counts."""
        known = self._failures.pop(key, None)
        if known is not None and known.count > 1:
            self._failures[key] = _Failures(known.count - 1, self._clock())

    def _pause(self, count: int) -> float:
        return 0.0 if count < self._free else min(MOST, FIRST * 2.0 ** min(count - self._free, 30))
