"""The resident memory of this process, watched while something runs."""

from __future__ import annotations

import gc
import threading


class PeakMemory:
    """The resident memory of this process while inside: `before` and `peak`, in MiB, looked at every 5 milliseconds."""

    def __enter__(self) -> PeakMemory:
        import psutil

        self._process = psutil.Process()
        self.before = self.peak = self._resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self.peak = max(self.peak, self._resident())

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> float:
        return float(self._process.memory_info().rss) / 2**20


def give_back() -> None:
    """Return freed memory to the system where the C library can (glibc)."""
    import ctypes
    import ctypes.util

    gc.collect()
    trim = getattr(ctypes.CDLL(ctypes.util.find_library("c")), "malloc_trim", None)
    if trim is not None:
        trim(0)
