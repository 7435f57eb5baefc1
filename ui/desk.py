"""Who may use the model now: lists before reasons, and among equals whoever came first.

One model serves everybody. Left to its lock, whoever holds it tends to take it again; and a person who waits for a
list waits for the reasons of others. Here a turn holds the desk while it computes and not while its reply is being
sent; it makes way for lists after every step of its writing. At most `Turns.at_once` turns are open, so a turn that
writes is never passed by more than that many lists.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager

from agent.schema import Reply

LIST, REASONS = 0, 1
GLANCE = 0.1  # seconds after which someone who waits looks whether they are still wanted

Stop = Callable[[], bool]
Start = Callable[[Stop], Generator[Reply]]
"""Begins a turn, which asks after every step whether it is to stop."""


class Desk:
    """One place at the model, for any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._taken = False
        self._open = 0
        self._tickets = itertools.count()

    @property
    def open_turns(self) -> int:
        """How many turns wait or are under way."""
        return self._open

    def turn(self, start: Start, stop: Stop) -> Generator[Reply]:
        """The replies of a turn, computed in turn with all others at this desk.

        Ends early once `stop` says yes, also while it waits. Closing it closes the turn.
        """
        ticket, phase = next(self._tickets), LIST

        def step() -> bool:
            if phase == REASONS and self._has_lists():
                self._give()
                self._take((REASONS, ticket), lambda: False)
            return stop()

        with self._counted(), closing(start(step)) as replies:
            while (reply := self._next(replies, (phase, ticket), stop)) is not None:
                phase = REASONS
                yield reply

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1

    def _next(self, replies: Iterator[Reply], place: tuple[int, int], stop: Stop) -> Reply | None:
        with self._at_desk(place, stop) as is_mine:
            return next(replies, None) if is_mine else None

    @contextmanager
    def _at_desk(self, place: tuple[int, int], stop: Stop) -> Iterator[bool]:
        is_mine = self._take(place, stop)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._give()

    def _take(self, place: tuple[int, int], stop: Stop) -> bool:
        """Wait for the desk; False where `stop` said yes before it was free."""
        with self._changed:
            self._waiting.append(place)
            try:
                while self._taken or min(self._waiting) != place:
                    if stop():
                        return False
                    self._changed.wait(GLANCE)
                self._taken = True
                return True
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()

    def _give(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def _has_lists(self) -> bool:
        with self._changed:
            return any(phase == LIST for phase, _ in self._waiting)
