"""Who may use the model now: lists before reasons, and among equals whoever came first.

One model serves everybody. Left to its lock, whoever holds it tends to take it again; and a person who waits for a
list waits for the reasons of others. Here a turn holds the desk while it computes and not while its reply is being
sent; whoever writes gives way after every step of it, to lists first, then to others who write. The model makes each
step for all who write at once (`agent.generation.writing`), so those who come next mostly find theirs made. However
many lists wait, every fifth place goes to whoever has waited longest to write.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager

from agent.schema import Reply

LIST, REASONS = 0, 1
IN_A_ROW = 4  # lists after which somebody writes a step, if anybody waits to
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
        self._lists_in_a_row = 0
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
        seat, phase = _Seat(self, stop), LIST

        def step() -> bool:
            if phase == REASONS and self._is_waited_for():
                seat.leave()
                if not seat.take(REASONS):
                    return True
            return stop()

        with self._counted(), closing(start(step)) as replies:
            while (reply := self._next(replies, seat, phase)) is not None:
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

    def _next(self, replies: Iterator[Reply], seat: _Seat, phase: int) -> Reply | None:
        try:
            return next(replies, None) if seat.take(phase) else None
        finally:
            seat.leave()

    def _take(self, phase: int, stop: Stop) -> bool:
        """Wait for the desk, behind all of the same phase; False where `stop` said yes before it was free."""
        with self._changed:
            place = (phase, next(self._tickets))
            self._waiting.append(place)
            try:
                while self._taken or self._first() != place:
                    if stop():
                        return False
                    self._changed.wait(GLANCE)
                self._taken = True
                self._lists_in_a_row = self._lists_in_a_row + 1 if phase == LIST else 0
                return True
            finally:
                self._waiting.remove(place)
                self._changed.notify_all()

    def _first(self) -> tuple[int, int]:
        """The place whose turn it is, of those that wait."""
        writing = [place for place in self._waiting if place[0] == REASONS]
        return min(writing if writing and self._lists_in_a_row >= IN_A_ROW else self._waiting)

    def _give(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def _is_waited_for(self) -> bool:
        with self._changed:
            return bool(self._waiting)


class _Seat:
    """One turn's place at the desk, which it has or has not."""

    def __init__(self, desk: Desk, stop: Stop) -> None:
        self._desk = desk
        self._stop = stop
        self._is_mine = False

    def take(self, phase: int) -> bool:
        """Wait for it; False where the turn was stopped before it was free."""
        self._is_mine = self._desk._take(phase, self._stop)
        return self._is_mine

    def leave(self) -> None:
        """Give it back, if this turn has it."""
        if self._is_mine:
            self._is_mine = False
            self._desk._give()
