"""Item vectors in Chroma: nearest items under hard filters.

Each build has a folder of its own (generations.py), so that a kill during a build leaves the old index, or none, but
never half of one; and so that Chroma, which remembers open systems by path, never answers out of an old one.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import InputError, WorkspaceError
from agent.progress import Progress, silent
from agent.schema import AttributeType, AttributeValue, Filter
from agent.workspace.chroma import COLLECTION, LARGEST_BATCH, create_collection, explained, open_client
from agent.workspace.conditions import metadata, where
from agent.workspace.exact import ENOUGH_RECALL, ROUNDING, SAMPLE, nearest, recall_of, spread
from agent.workspace.generations import (
    Generation,
    current_generation,
    make_current,
    must_rebuild,
    new_generation,
    remove_other_generations,
)
from agent.workspace.given import checked, differs
from agent.workspace.leftovers import clear_leftovers

Matrix = npt.NDArray[np.float32]

PROBES = 8  # items that are queried for themselves whenever an index is opened
MOST_CHANGED = 0.1  # of the items: beyond it, an index is built anew

_open_paths: Counter[Path] = Counter()  # generations that someone in this process has open: not to be removed


class VectorIndex:
    """The vectors of a catalogue, opened for queries; made empty where the folder has no complete index.

    `attribute_types` declares what filters may ask for; None means those that the index was built with. `fingerprint`
    is what `build` was given, "" for an index that was made empty. Raises WorkspaceError when the folder is damaged or
    was built for another dimension or other attributes. Close it when done; it is a context manager.

    `recall` is the share of the true 50 nearest that Chroma's graph found when it was built. Where that is too little,
    `exact` is true, and queries compare with every vector instead.
    """

    path: Path  # the generation that is open
    attribute_types: dict[str, AttributeType]
    fingerprint: str
    recall: float
    _everything: tuple[tuple[str, ...], Matrix] | None  # ids and vectors in memory, for exact search
    _written: int  # how often it was written to since it was opened
    _client: Any
    _collection: Any
    _closed: bool

    def __init__(
        self, folder: Path | str, dimension: int, attribute_types: Mapping[str, AttributeType] | None = None
    ) -> None:
        self.folder = Path(folder).resolve()
        self.dimension = dimension
        current = current_generation(self.folder)
        if current is None:
            current = Generation(_start_generation(self.folder, dimension, attribute_types or {}).name)
            make_current(self.folder, current)
        self.fingerprint, self.recall = current.fingerprint, current.recall
        self._attach(self.folder / current.name)
        try:
            self._read_description(attribute_types)
            self._probe()
            with self._explained():
                clear_leftovers(self.path)
        except BaseException:
            self.close()
            raise

    @classmethod
    def build(
        cls,
        folder: Path | str,
        ids: Sequence[str],
        vectors: Matrix,
        attributes: Sequence[Mapping[str, AttributeValue]],
        attribute_types: Mapping[str, AttributeType],
        *,
        fingerprint: str = "",
        probes: Matrix | None = None,
        progress: Progress = silent,
    ) -> VectorIndex:
        """A new index of these items in place of the old one, which goes on serving whoever has it open.

        Its recall is measured with `probes` as queries, (n, dimension) of length 1, or else with a spread of the items.
        """
        folder = Path(folder).resolve()
        dimension = int(np.asarray(vectors).shape[-1])
        path = _start_generation(folder, dimension, attribute_types)
        building = cls.__new__(cls)
        building.folder, building.dimension = folder, dimension
        try:
            building._attach(path)
            try:
                building._read_description(attribute_types)
                building.upsert(ids, vectors, attributes, progress)
                matrix = np.asarray(vectors, dtype=np.float32)
                queries = spread(matrix, SAMPLE) if probes is None else probes
                recall = recall_of(building._distances, matrix, queries)
            finally:
                building.close()
            make_current(folder, Generation(path.name, fingerprint, recall))
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        remove_other_generations(folder, keep={p for p, n in _open_paths.items() if n > 0})
        return cls(folder, dimension, attribute_types)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def exact(self) -> bool:
        """Whether queries compare with every vector, because the graph would miss too many."""
        return self.recall < ENOUGH_RECALL

    def upsert(
        self,
        ids: Sequence[str],
        vectors: Matrix,
        attributes: Sequence[Mapping[str, AttributeValue]],
        progress: Progress = silent,
    ) -> None:
        """Add or replace items: `vectors` is (n, dimension), each of length 1, in the order of `ids`.

        Everything is checked before anything is written. Only declared attributes are kept: filters see no others.
        """
        matrix = checked(ids, vectors, attributes, self.dimension)
        rows = [metadata(item_id, a, self.attribute_types) for item_id, a in zip(ids, attributes, strict=True)]
        with self._explained():
            step = min(LARGEST_BATCH, self._client.get_max_batch_size())
            for start in range(0, len(ids), step):
                part = slice(start, start + step)
                metadatas = rows[part] if self.attribute_types else None
                self._collection.upsert(ids=list(ids[part]), embeddings=matrix[part], metadatas=metadatas)
                progress("index", min(start + step, len(ids)), len(ids))
            clear_leftovers(self.path)
        self._forget_copy()

    def become(
        self,
        ids: Sequence[str],
        vectors: Matrix,
        attributes: Sequence[Mapping[str, AttributeValue]],
        fingerprint: str,
    ) -> bool:
        """Hold these items and no others, by writing only what differs; whoever queries meanwhile finds old or new.

        False, and nothing is written, where more than MOST_CHANGED of the items differ: such an index is to be built,
        for its recall must be measured again.
        """
        matrix = checked(ids, vectors, attributes, self.dimension)
        held = self._held()
        rows = [metadata(item_id, a, self.attribute_types) for item_id, a in zip(ids, attributes, strict=True)]
        differ = [p for p, item_id in enumerate(ids) if differs(matrix[p], rows[p], held.get(item_id))]
        given = set(ids)
        gone = [item_id for item_id in held if item_id not in given]
        if len(differ) + len(gone) > MOST_CHANGED * len(held):
            return False
        make_current(self.folder, Generation(self.path.name, "", self.recall))  # a kill from here on: it is built anew
        self.fingerprint = ""
        if differ:
            self.upsert([ids[p] for p in differ], matrix[differ], [attributes[p] for p in differ])
        self.delete(gone)
        make_current(self.folder, Generation(self.path.name, fingerprint, self.recall))
        self.fingerprint = fingerprint
        return True

    def query(self, vector: Matrix, k: int, filters: Sequence[Filter] = ()) -> list[tuple[str, float]]:
        """The k items nearest to a vector of shape (dimension,) that meet all filters: (item_id, cosine), best first.

        Fewer than k when fewer meet them. Raises FilterError for a filter that does not fit the attributes.
        """
        given = np.asarray(vector, dtype=np.float32)
        if given.shape != (self.dimension,) or not np.isfinite(given).all() or not given.any():
            raise InputError(
                f"Expected a finite, non-zero vector of shape ({self.dimension},); got shape {given.shape}."
            )
        if k < 1:
            raise InputError(f"Expected k of at least 1; got {k}.")
        condition = where(filters, self.attribute_types)
        if self.exact:
            return self._exact(given, k, self.ids_where(filters) if filters else None)
        with self._explained():
            n = min(k, self._collection.count())
            if n == 0:
                return []
            found = self._collection.query(
                query_embeddings=given[None], n_results=n, where=condition, include=["distances"]
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(item_id, 1.0 - float(distance)) for item_id, distance in pairs]

    def ids_where(self, filters: Sequence[Filter]) -> set[str]:
        """The ids of all items that meet every filter; of all items when there is none."""
        condition = where(filters, self.attribute_types)
        with self._explained():
            return set(self._collection.get(where=condition, include=[])["ids"])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove items; ids that are not there are passed over."""
        with self._explained():
            for start in range(0, len(ids), LARGEST_BATCH):
                self._collection.delete(ids=list(ids[start : start + LARGEST_BATCH]))
        self._forget_copy()

    def count(self) -> int:
        """How many items the index says it holds. Proves nothing of the vectors: query for that."""
        with self._explained():
            return int(self._collection.count())

    def vectors(self, ids: Sequence[str]) -> Matrix:
        """The stored vectors of these items, float32 (n, dimension) in the order asked; InputError if one is absent."""
        rows: dict[str, Any] = {}
        with self._explained():
            for start in range(0, len(ids), LARGEST_BATCH):
                found = self._collection.get(ids=list(ids[start : start + LARGEST_BATCH]), include=["embeddings"])
                rows.update(zip(found["ids"], found["embeddings"], strict=True))
        absent = [i for i in ids if i not in rows]
        if absent:
            raise InputError(f"The index has no vector of {absent[0]!r} ({len(absent)} of {len(ids)} ids are absent).")
        return np.array([rows[i] for i in ids], dtype=np.float32).reshape(len(ids), self.dimension)

    def close(self) -> None:
        """Let go of the files; calling it again does nothing."""
        if not self._closed:
            self._closed = True
            _open_paths[self.path] -= 1
            self._client.close()

    def __enter__(self) -> VectorIndex:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _attach(self, path: Path) -> None:
        self.path, self._closed, self._everything, self._written = path, False, None, 0
        with self._explained():
            self._client = open_client(path)
        _open_paths[path] += 1

    def _read_description(self, attribute_types: Mapping[str, AttributeType] | None) -> None:
        with self._explained():
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
            about = self._collection.metadata
            self.attribute_types = json.loads(about["attribute_types"])
            held = int(about["dimension"])
        if held != self.dimension:
            raise WorkspaceError(must_rebuild(self.folder, f"holds {held}-dimensional vectors, not {self.dimension}"))
        if attribute_types is not None and dict(attribute_types) != self.attribute_types:
            raise WorkspaceError(must_rebuild(self.folder, "was built for other attributes than the store declares"))

    def _probe(self) -> None:
        """Query a few items for themselves, so that damage shows on opening and not in a turn."""
        with self._explained():
            some = self._collection.get(limit=PROBES, include=["embeddings"])
            if self.exact or not len(some["ids"]):
                return
            found = self._collection.query(query_embeddings=some["embeddings"], n_results=1, include=["distances"])
        lost = sum(not row or row[0] > ROUNDING for row in found["distances"])
        if lost > len(some["ids"]) / 2:
            raise WorkspaceError(must_rebuild(self.folder, "does not find its own items"))

    def _held(self) -> dict[str, tuple[Matrix, Mapping[str, Any]]]:
        """The vector and the attributes of every item."""
        with self._explained():
            found = self._collection.get(include=["embeddings", "metadatas"])
        rows = zip(found["embeddings"], found["metadatas"], strict=True)
        return {i: (vector, about or {}) for i, (vector, about) in zip(found["ids"], rows, strict=True)}

    def _forget_copy(self) -> None:
        self._written += 1
        self._everything = None

    def _distances(self, queries: Matrix, k: int) -> Sequence[Sequence[float]]:
        """By query: those of the k nearest that the graph finds."""
        with self._explained():
            found = self._collection.query(query_embeddings=queries, n_results=k, include=["distances"])
        distances: Sequence[Sequence[float]] = found["distances"]
        return distances

    def _exact(self, vector: Matrix, k: int, allowed: set[str] | None) -> list[tuple[str, float]]:
        everything, written = self._everything, self._written
        if everything is None:
            with self._explained():
                found = self._collection.get(include=["embeddings"])
            matrix = np.asarray(found["embeddings"], dtype=np.float32).reshape(-1, self.dimension)
            everything = tuple(found["ids"]), matrix
            if written == self._written:  # else it may be of before the change
                self._everything = everything
        return nearest(*everything, vector, k, allowed)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        if self._closed:
            raise WorkspaceError(f"The vector index in {self.folder} is closed. Open it again before using it.")
        with explained(self.folder):
            yield


def _start_generation(folder: Path, dimension: int, types: Mapping[str, AttributeType]) -> Path:
    path = new_generation(folder)
    create_collection(path, {"dimension": dimension, "attribute_types": json.dumps(dict(types))})
    return path
