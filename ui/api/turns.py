"""Turns of the agent for an asynchronous server: in order, bounded in number and time, ended when nobody listens."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress

from agent.schema import Reply
from ui.api.metrics import Metrics
from ui.api.problems import Problem
from ui.desk import Desk, Start

GRACE = 5.0  # seconds that a turn may take to end once its time is over
RETRY = 5  # seconds after which someone who was turned away may try again
_log = logging.getLogger("ui.api")

_End = Exception | None


class Turns:
    """The turns under way. `at_once` of them take turns at the desk, up to `waiting` wait for a place, in order.

    Args:
        desk: where the model is shared, with the chat too.
        metrics: what counts them.
        at_once: how many turns are open at a time; each holds the model's reading of its prompt in memory.
        waiting: how many more may wait; whoever comes then is told to come again.
        seconds: the time of one turn, waiting included. A list that is there by then is given as it is.
    """

    def __init__(
        self, desk: Desk, metrics: Metrics, at_once: int = 16, waiting: int = 32, seconds: float = 120.0
    ) -> None:
        self._desk = desk
        self._metrics = metrics
        self._places = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="turn")
        self._most_waiting = waiting
        self._seconds = seconds
        self._stops: set[threading.Event] = set()
        self.waiting = 0

    @property
    def running(self) -> int:
        """How many turns hold a place, those included that are just being ended."""
        return len(self._stops)

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now is turned away."""
        return self.waiting >= self._most_waiting

    def stop_all(self) -> None:
        """End every turn within one step, so that the server can go."""
        for stop in tuple(self._stops):
            stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def replies(self, start: Start) -> AsyncGenerator[Reply]:
        """The replies of one turn as they come. Closing it, or cancelling who iterates, stops the model.

        Raises:
            Problem: "busy" when too many wait, "timeout" when no list was there in time.
            VouchrecError: what the turn raises.
        """
        began = time.monotonic()
        deadline = began + self._seconds
        await self._place(deadline)
        stop, arrived = threading.Event(), asyncio.Queue[Reply | _End]()
        self._begin(start, stop, deadline, arrived)
        outcome, last = "stopped", None
        try:
            while isinstance(one := await self._next(arrived, deadline), Reply):
                if last is None:
                    self._metrics.list_seconds.observe(time.monotonic() - began)
                last = one
                yield one
            if one is not None:
                outcome = "failed"
                raise one
            if last is None:
                raise _too_late(self._seconds)
            if last.complete:
                outcome = "complete"
                self._metrics.answer_seconds.observe(time.monotonic() - began)
        finally:
            stop.set()
            self._metrics.turns.add(outcome=outcome)

    async def _place(self, deadline: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        if self.is_full:
            raise Problem(
                "busy",
                f"{self.waiting} turns wait already, which is as many as may. Try again in {RETRY} seconds.",
                headers={"Retry-After": str(RETRY)},
            )
        self.waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), deadline - time.monotonic())
        except TimeoutError as error:
            raise _too_late(self._seconds) from error
        finally:
            self.waiting -= 1

    def _begin(
        self, start: Start, stop: threading.Event, deadline: float, arrived: asyncio.Queue[Reply | _End]
    ) -> None:
        loop = asyncio.get_running_loop()

        def tell(what: Callable[..., object], *arguments: object) -> None:
            with suppress(RuntimeError):  # the server is gone
                loop.call_soon_threadsafe(what, *arguments)

        def done() -> None:
            self._stops.discard(stop)
            self._places.release()

        def work() -> None:
            end: _End = None
            try:
                with closing(self._desk.turn(start, lambda: stop.is_set() or time.monotonic() > deadline)) as replies:
                    for reply in replies:
                        tell(arrived.put_nowait, reply)
                        if stop.is_set():
                            break
            except Exception as error:
                end = error
            tell(arrived.put_nowait, end)
            tell(done)

        self._stops.add(stop)
        self._threads.submit(work)

    async def _next(self, arrived: asyncio.Queue[Reply | _End], deadline: float) -> Reply | _End:
        try:
            return await asyncio.wait_for(arrived.get(), max(deadline - time.monotonic(), 0) + GRACE)
        except TimeoutError as error:
            raise _too_late(self._seconds) from error


async def last(replies: AsyncGenerator[Reply]) -> Reply:
    """The last reply of a turn."""
    async with aclosing(replies):
        return [reply async for reply in replies][-1]


def _too_late(seconds: float) -> Problem:
    return Problem(
        "timeout",
        f"No list was ready within {seconds:g} seconds. The service is under load: try again later, or ask for less.",
        headers={"Retry-After": str(RETRY)},
    )
