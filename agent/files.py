"""Files that are whole or not there, whenever a kill comes; and what is said where a folder cannot be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AdapterError


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


@contextmanager
def writing(
    what: str, folder: Path, remedy: str = "Free some space or check the folder.", *, alone: bool = True
) -> Iterator[None]:
    """AdapterError where what stands inside cannot be written to a folder: says how much is free there, and the remedy.

    safetensors raises an error of its own, which is no OSError. Where nothing but writing stands inside (`alone`), so
    do a bare RuntimeError, torch's, and a bare Exception, that of tokenizers, count.
    """
    from safetensors import SafetensorError

    bare = (RuntimeError, Exception) if alone else ()
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError | SafetensorError) and type(error) not in bare:
            raise
        there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
        free = shutil.disk_usage(there).free
        raise AdapterError(
            f"{what} cannot be written to {folder} ({error}); {free / 1e6:,.0f} MB are free there. {remedy}"
        ) from error
