"""What the tests of the page share: text that must not become HTML, a model that takes its time, the last of a turn."""

from __future__ import annotations

import threading

from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{alert(3)}} \"' `"


class SlowGenerator(FakeGenerator):
    """Writes a reason in 30 steps, and knows how many steps it made and whether its writing was ended early.

    `after` is called once the given number of steps is made.
    """

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.after = {}
        self.ended_early = threading.Event()

    def write(self, prefix, branches, *, seed=None):
        finished = False
        try:
            for piece in super().write(prefix, branches, seed=seed):
                for _ in range(30 if piece.done else 0):
                    self.steps += 1
                    self.after.get(self.steps, bool)()
                    yield Piece(piece.row, "", False)
                yield piece
            finished = True
        finally:
            if not finished:
                self.ended_early.set()


def last(views):
    return list(views)[-1]
