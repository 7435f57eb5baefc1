"""How often one caller may ask: a bucket of tokens each, refilled steadily."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000  # callers that are remembered; one who was quiet longest has a full bucket by then
ROUNDING = 1e-9  # tokens: who waited as long as was said must not be refused for the last bit of a sum


class Rates:
    """At most `per_minute` requests a minute for each caller, all of them at once if they like; 0 sets no limit.

    For one thread: the server's loop.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was so

    def wait(self, caller: str) -> int:
        """Take one token: 0 when there was one, else the seconds after which there will be."""
        if not self._most:
            return 0
        now = self._clock()
        tokens, since = self._buckets.pop(caller, (float(self._most), now))
        tokens = min(self._most, tokens + (now - since) * self._most / 60)
        granted = tokens >= 1 - ROUNDING
        self._buckets[caller] = (tokens - granted, now)
        while len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return 0 if granted else max(1, math.ceil((1 - tokens) * 60 / self._most))
