"""Files that are whole or not there: a kill at any moment leaves what was before, or what comes after."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft beside this path, to write to: it takes the path's place when the block ends well, else it goes."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A draft in a new or empty folder, to write files to: they come out when the block ends well, else all goes.

    A kill leaves the draft, in which nothing looks for anything.
    """
    draft, was_there = folder / ".draft", folder.exists()
    try:
        draft.mkdir(parents=True)
        yield draft
        for file in sorted(draft.iterdir()):
            os.replace(file, folder / file.name)
        draft.rmdir()
    except BaseException:
        shutil.rmtree(draft if was_there else folder, ignore_errors=True)
        raise
