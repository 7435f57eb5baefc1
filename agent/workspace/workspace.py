"""One folder for each catalogue: the store, which is the truth, and caches that are made again from it.

store.sqlite       items, interactions, feedback, turns (store.py)
vouchrec.toml      settings, where a person wrote some
workspace.lock     held while a process has the workspace open; workspace.holder says which
behaviour/         what `vouchrec finetune behaviour` trained, if it was run
cache/             vectors.npz (text vectors), chroma/ (the index over them), and what others cache
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from agent.errors import WorkspaceError
from agent.progress import Progress, silent
from agent.schema import AttributeType, Item
from agent.workspace.checks import Check, check_counts, check_index, check_store, check_vectors
from agent.workspace.conditions import LAYOUT
from agent.workspace.encoder import Encoder
from agent.workspace.generations import Generation, current_generation
from agent.workspace.index import VectorIndex
from agent.workspace.store import Store
from agent.workspace.vectors import ABOUT, WHOLE, View, cached_vectors

Matrix = npt.NDArray[np.float32]

STORE = "store.sqlite"
LOCK = "workspace.lock"
HOLDER = "workspace.holder"


class Workspace:
    """An open workspace, held by this process alone until `close`. Use `open` or `create`; it is a context manager."""

    def __init__(self, path: Path, lock: FileLock | None, store: Store) -> None:
        self.path = path
        self.store = store
        self._lock = lock
        self._indexes: list[VectorIndex] = []

    @classmethod
    def create(cls, path: Path | str) -> Workspace:
        """Make a new workspace and open it; WorkspaceError when there is one already."""
        path = Path(path).resolve()
        if (path / STORE).exists():
            raise WorkspaceError(f"{path} is a workspace already. Use it as it is, or give another folder.")
        try:
            (path / "cache").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"{path} cannot be made: {error.strerror}. Give a folder that is yours to write."
            ) from error
        return cls._attach(path)

    @classmethod
    def open(cls, path: Path | str, alone: bool = True) -> Workspace:
        """Open a workspace; WorkspaceError when it is absent, damaged or in use.

        Not `alone`, it is opened beside the process that holds it, by one that is to ask its store and nothing else.
        """
        path = Path(path).resolve()
        if not (path / STORE).is_file():
            raise WorkspaceError(f"There is no workspace in {path}. Make one with `vouchrec init`.")
        return cls._attach(path, alone)

    @classmethod
    def _attach(cls, path: Path, alone: bool = True) -> Workspace:
        lock = _take_lock(path) if alone else None
        try:
            return cls(path, lock, Store(path / STORE))
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    @property
    def cache(self) -> Path:
        """The folder of what can be made again; it is there."""
        folder = self.path / "cache"
        folder.mkdir(exist_ok=True)
        return folder

    def vectors(
        self,
        encoder: Encoder,
        progress: Progress = silent,
        view: View = WHOLE,
        items: Sequence[Item] | None = None,
    ) -> tuple[tuple[str, ...], Matrix]:
        """The ids of all items in the store's order, and their unit vectors (n, dimension) in the same order.

        Only items whose text changed since they were last encoded, or all after a change of encoder, are encoded.
        `items` are those of the store, here and below, where they have been read already.
        """
        items = self.store.items() if items is None else items
        file = self.cache / _told_apart(view, items).vectors
        return tuple(item.item_id for item in items), cached_vectors(file, items, encoder, progress, view)

    def index(
        self,
        encoder: Encoder,
        progress: Progress = silent,
        view: View = WHOLE,
        items: Sequence[Item] | None = None,
    ) -> VectorIndex:
        """The Chroma index of the store as it is now: opened if it is up to date, else built. `close` closes it.

        Raises WorkspaceError when it is damaged: it is not made again in silence, for damage has a cause.
        """
        return self._text_index(encoder, progress, view, self.store.items() if items is None else items)

    def index_of(
        self,
        name: str,
        made_by: str,
        dimension: int,
        vectors: Callable[[], Matrix],
        probes: Callable[[], Matrix | None] = lambda: None,
        progress: Progress = silent,
        items: Sequence[Item] | None = None,
    ) -> VectorIndex:
        """A second index of the same items by other vectors: opened if it is up to date, else built. `close` closes it.

        Args:
            name: of its folder in the cache.
            made_by: whatever decides the vectors, beside the items.
            dimension: how many numbers a vector has.
            vectors: gives unit vectors (n, dimension) in the store's order; called only where they are needed.
            probes: gives unit vectors such as queries will be, to measure its recall with; likewise.
            progress: what is told how far it has come.
            items: those of the store, where they have been read already.
        """
        items = self.store.items() if items is None else items
        return self._open(self.cache / name, [made_by, dimension], dimension, items, vectors, progress, probes)

    def rebuild(self, encoder: Encoder, progress: Progress = silent) -> None:
        """Make the vectors and the index again from the store alone, whatever is there now."""
        items = self.store.items()
        for view in _views(items):
            (self.cache / view.vectors).unlink(missing_ok=True)
            self._text_index(encoder, progress, view, items, anew=True)

    def check(self, encoder: Encoder | None = None, sample: int = 100, seed: int = 0) -> list[Check]:
        """What `vouchrec doctor` shows. `sample` items spread over the catalogue are queried for themselves.

        With an encoder, vectors that another encoder made count as a fault; it is not asked to encode anything.
        """
        items = self.store.items()
        name = encoder.name if encoder else None
        found = [check_store(self.store), check_counts(self.store)]
        for view in _views(items):
            vectors = self.cache / view.vectors
            found += [
                check_vectors(vectors, items, name, view),
                check_index(self.cache / view.index, vectors, items, sample, seed, view.called),
            ]
        return found

    def close(self) -> None:
        """Close the store and the indexes, and let others open the workspace; calling it again does nothing."""
        while self._indexes:
            self._indexes.pop().close()
        self.store.close()
        if self._lock is not None and self._lock.is_locked:
            (self.path / HOLDER).unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _text_index(
        self, encoder: Encoder, progress: Progress, view: View, items: Sequence[Item], anew: bool = False
    ) -> VectorIndex:
        return self._open(
            self.cache / _told_apart(view, items).index,
            [encoder.name, encoder.dimension],
            encoder.dimension,
            items,
            lambda: self.vectors(encoder, progress, view, items)[1],
            progress,
            anew=anew,
        )

    def _open(
        self,
        folder: Path,
        made_by: Sequence[object],
        dimension: int,
        items: Sequence[Item],
        vectors: Callable[[], Matrix],
        progress: Progress,
        probes: Callable[[], Matrix | None] = lambda: None,
        anew: bool = False,
    ) -> VectorIndex:
        types = self.store.attribute_types()
        wanted = _fingerprint(items, types, made_by)
        current = None if anew else current_generation(folder)  # anew: whatever is there now, even if damaged
        if current is not None and current.fingerprint == wanted:
            return self._opened(folder, current) or self._keep(VectorIndex(folder, dimension, types))
        ids, attributes = [item.item_id for item in items], [item.attributes for item in items]
        matrix = vectors()
        serving = None if current is None else self._opened(folder, current)
        if serving is not None and (serving.dimension, serving.attribute_types) == (dimension, types):
            if serving.become(ids, matrix, attributes, wanted):
                return serving
        return self._keep(
            VectorIndex.build(
                folder, ids, matrix, attributes, types, fingerprint=wanted, probes=probes(), progress=progress
            )
        )

    def _opened(self, folder: Path, generation: Generation) -> VectorIndex | None:
        """The index that is open on this build already."""
        path = (folder / generation.name).resolve()
        return next((index for index in self._indexes if index.path == path and not index.closed), None)

    def _keep(self, index: VectorIndex) -> VectorIndex:
        self._indexes.append(index)
        return index


def _told_apart(view: View, items: Sequence[Item]) -> View:
    """The view itself, or the whole one where no item has a text, so that both say the same."""
    return view if view is WHOLE or any(item.text.strip() for item in items) else WHOLE


def _views(items: Sequence[Item]) -> tuple[View, ...]:
    return tuple(dict.fromkeys((WHOLE, _told_apart(ABOUT, items))))


def _fingerprint(items: Sequence[Item], types: Mapping[str, AttributeType], made_by: Sequence[object]) -> str:
    """What an index was built from: another fingerprint, another index."""
    digest = hashlib.sha256(json.dumps([LAYOUT, *made_by, sorted(types.items())]).encode())
    for item in items:
        digest.update(json.dumps([item.item_id, WHOLE.hash(item), dict(item.attributes)]).encode())
    return digest.hexdigest()[:32]


def _take_lock(path: Path) -> FileLock:
    # Not thread-local: the thread that closes a workspace need not be the one that opened it.
    lock = FileLock(path / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceError(_held(path)) from None
    except OSError as error:
        raise WorkspaceError(
            f"{path / LOCK} cannot be locked: {error}. Check that the folder is yours to write."
        ) from error
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:3]])[:200]
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    draft = path / f"{HOLDER}.{os.getpid()}"
    draft.write_text(json.dumps({"pid": os.getpid(), "command": command, "since": since}), encoding="utf-8")
    draft.replace(path / HOLDER)
    return lock


def _as_said(moment: str) -> str:
    """A moment in ISO format as people say it, by the clock of this place: "14:05", "yesterday, 14:05"."""
    then = datetime.fromisoformat(moment).astimezone()
    days = (datetime.now().astimezone().date() - then.date()).days
    clock = f"{then:%H:%M}"
    if days == 0:
        return clock
    return (
        f"yesterday, {clock}" if days == 1 else f"{then.day} {then:%B}{f' {then.year}' if days > 300 else ''}, {clock}"
    )


def _held(path: Path) -> str:
    try:
        holder = json.loads((path / HOLDER).read_text(encoding="utf-8"))
        pid, command, since = holder["pid"], holder["command"], _as_said(holder["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"The workspace {path} is in use by another process. Close that one first, or give another folder."
    if pid == os.getpid():
        return (
            f"The workspace {path} is open in this process already (since {since}). Close it first, or share that one."
        )
    return (
        f"The workspace {path} has been in use since {since}: `{command}` (process {pid}) has it open. Close that one "
        "first, or give another folder."
    )
