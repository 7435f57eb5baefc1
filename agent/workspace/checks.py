"""What `vouchrec doctor` looks at. A count proves nothing: the index is asked for items, and must find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.errors import VouchrecError, WorkspaceError
from agent.schema import Item
from agent.workspace.generations import current_generation
from agent.workspace.index import VectorIndex
from agent.workspace.store import Store
from agent.workspace.vectors import WHOLE, Matrix, VectorFile, View, read_vectors

REBUILD = "Run `vouchrec index rebuild`."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` says what to do, and is empty when all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def check_store(store: Store) -> Check:
    """SQLite's own full check of the file."""
    try:
        problems = store.integrity_problems()
    except WorkspaceError as error:
        problems = [str(error)]
    if not problems:
        return Check("store", True, "SQLite finds the file sound")
    remedy = "Restore store.sqlite from a copy, or make a new workspace with `vouchrec init` and import again."
    return Check("store", False, "; ".join(problems[:3]), remedy)


def check_counts(store: Store) -> Check:
    """How much there is; a workspace without items can recommend nothing."""
    items = store.count_items()
    counts = (
        (items, "item", "items"),
        (store.count_interactions(), "interaction", "interactions"),
        (store.count_users(), "person", "people"),
        (store.count_feedback(), "reaction", "reactions"),
        (store.count_turns(), "turn", "turns"),
    )
    detail = ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts)
    remedy = "" if items else "Import a catalogue with `vouchrec init --update --items FILE`."
    return Check("contents", items > 0, detail, remedy)


def check_vectors(path: Path, items: Sequence[Item], encoder: str | None, view: View = WHOLE) -> Check:
    """Whether every item has a vector of its present text, finite and of length 1, made by this encoder (if given)."""
    called = f"{view.called}vectors"
    try:
        file = read_vectors(path)
    except WorkspaceError as error:
        return Check(called, False, str(error), REBUILD)
    present = dict(zip(file.ids, file.hashes, strict=True))
    absent = sum(item.item_id not in present for item in items)
    outdated = sum(item.item_id in present and present[item.item_id] != view.hash(item) for item in items)
    unsound = int((~file.sound).sum())
    detail = f"{len(file.ids):,} vectors of {file.vectors.shape[1]} numbers by {file.encoder}"
    faults = [
        f"{count} {what}"
        for count, what in (
            (absent, "item has none" if absent == 1 else "items have none"),
            (outdated, "is of an older text" if outdated == 1 else "are of older texts"),
            (unsound, "is no unit vector" if unsound == 1 else "are no unit vectors"),
        )
        if count
    ]
    if encoder is not None and encoder != file.encoder:
        faults.append(f"the encoder in use is {encoder}")
    return Check(called, not faults, "; ".join([detail, *faults]), REBUILD if faults else "")


def check_index(folder: Path, vectors: Path, items: Sequence[Item], sample: int, seed: int, called: str = "") -> Check:
    """Whether a seeded sample of items, one from each stretch of the catalogue, find themselves first in the index."""
    try:
        if current_generation(folder) is None:
            return Check(f"{called}index", False, "there is none yet", REBUILD)
        file = read_vectors(vectors)
        with VectorIndex(folder, file.vectors.shape[1]) as index:
            return _query_sample(index, file, items, sample, seed, called)
    except VouchrecError as error:
        return Check(f"{called}index", False, str(error), REBUILD)


def _query_sample(
    index: VectorIndex, file: VectorFile, items: Sequence[Item], sample: int, seed: int, called: str
) -> Check:
    vectors = {item_id: row for item_id, row, sound in zip(file.ids, file.vectors, file.sound, strict=True) if sound}
    stretches = np.array_split(np.arange(len(items)), max(1, min(sample, len(items))))
    rng = np.random.default_rng(seed)
    asked = [items[int(rng.choice(stretch))].item_id for stretch in stretches if len(stretch)]
    lost = [item_id for item_id in asked if item_id not in vectors or not _finds(index, item_id, vectors[item_id])]
    count = index.count()
    found = f"{len(asked) - len(lost)} of {len(asked)} items that were asked for find themselves"
    detail = f"{found}; {count:,} entries for {len(items):,} items"
    if index.exact:
        detail += f"; searched exactly, for the graph finds only {index.recall:.0%} of what is nearest"
    if lost:
        detail += f"; not found: {', '.join(lost[:3])}"
    ok = not lost and count == len(items)
    return Check(f"{called}index", ok, detail, "" if ok else REBUILD)


def _finds(index: VectorIndex, item_id: str, vector: Matrix) -> bool:
    """Whether the item comes first for its own vector, or another with the same vector, as items of one text have."""
    first = index.query(vector, 1)
    return bool(first) and (
        first[0][0] == item_id or np.allclose(index.vectors([first[0][0]])[0], vector, rtol=0, atol=1e-5)
    )
