"""Tuning by several processes at once, one for each device, as `accelerate launch` starts them.

Each reads the same workspace and draws its own share of every batch; the first alone holds the workspace, keeps
checkpoints, says when to stop, and writes what comes out. In a single process all of this is nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.build import open_workspace
from agent.workspace.workspace import Workspace


def processes() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the one that writes."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def shared_workspace(path: Path) -> Iterator[Workspace]:
    """A workspace that the first process holds while the others read in it.

    Nobody goes out before all are done: what the first holds is what the others read.
    """
    if processes() == 1:
        with open_workspace(path) as workspace:
            yield workspace
        return
    from accelerate import PartialState

    with first_before_others():  # what it opens may have to be made, or refused
        workspace = open_workspace(path, alone=is_first())
    with workspace:
        yield workspace
        PartialState().wait_for_everyone()


@contextmanager
def first_before_others() -> Iterator[None]:
    """What stands inside is done by the first process, and then by the others, who find what it has made."""
    if processes() == 1:
        yield
        return
    from accelerate import PartialState

    with PartialState().main_process_first():
        yield


def wait_for_others() -> None:
    """Until all have come here."""
    if processes() > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def told_by_first(asked: Callable[[], float]) -> Callable[[], float]:
    """A number that the first process finds out and all others are told, so that none decides on another."""
    if processes() == 1:
        return asked
    from accelerate.utils import broadcast_object_list

    def told() -> float:
        return float(broadcast_object_list([asked() if is_first() else None])[0])

    return told
