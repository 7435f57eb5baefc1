"""The text vectors of a catalogue in one file, so that only what changed is encoded again.

An item is put into words in two ways, the views: whole, with its title and lists, and as what it is about.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.errors import WorkspaceError
from agent.progress import Progress, silent
from agent.schema import Item
from agent.workspace.encoder import Encoder

Matrix = npt.NDArray[np.float32]

WORDS_OF_A_LIST = 12  # of one attribute: a cast of hundreds would push the text out of the encoder's window


@dataclass(frozen=True, slots=True)
class VectorFile:
    """What the file holds: `vectors` is (n, dimension) float32 in the order of `ids`; `hashes` tell the texts."""

    encoder: str
    ids: tuple[str, ...]
    hashes: tuple[str, ...]
    vectors: Matrix

    @property
    def sound(self) -> npt.NDArray[np.bool_]:
        """For each row, whether it is finite and of length 1."""
        whole: npt.NDArray[np.bool_] = np.abs(np.linalg.norm(self.vectors, axis=1) - 1.0) < 1e-3  # NaN is not
        return whole


def item_text(item: Item) -> str:
    """What is encoded of an item: the title, then its lists of words (genres, people), then its text, a line each."""
    lists = [", ".join(v[:WORDS_OF_A_LIST]) for v in item.attributes.values() if isinstance(v, tuple) and v]
    return "\n".join(part for part in (item.title, *lists, item.text) if part)


def about(item: Item) -> str:
    """What a wish in words is compared with: the text alone, or all there is where it has none.

    With its title in it, "a slow sad love story" is near to every title with "love" in it, whatever happens there.
    """
    return item.text.strip() or item_text(item)


@dataclass(frozen=True, slots=True)
class View:
    """One way to put items into words: the file of its vectors, the folder of its index, and how checks call both."""

    text: Callable[[Item], str]
    vectors: str
    index: str
    called: str = ""

    def hash(self, item: Item) -> str:
        """Tells one text from another."""
        return hashlib.sha256(self.text(item).encode()).hexdigest()[:32]


WHOLE = View(item_text, "vectors.npz", "chroma")
ABOUT = View(about, "vectors-about.npz", "chroma-about", "text ")


def cached_vectors(
    path: Path, items: Sequence[Item], encoder: Encoder, progress: Progress = silent, view: View = WHOLE
) -> Matrix:
    """The vectors of these items, (n, dimension) in their order; encodes what the file lacks and writes it there."""
    hashes = [view.hash(item) for item in items]
    file = read_vectors(path) if path.exists() else None
    known = _usable(file, encoder)
    missing = [place for place, text in enumerate(hashes) if text not in known]
    matrix = np.empty((len(items), encoder.dimension), dtype=np.float32)
    for place, text in enumerate(hashes):
        if text in known:
            matrix[place] = known[text]
    if missing:
        encoded = np.asarray(encoder.encode([view.text(items[place]) for place in missing], progress), np.float32)
        matrix[missing] = encoded
    ids = tuple(item.item_id for item in items)
    if missing or file is None or (file.ids, file.hashes) != (ids, tuple(hashes)):
        write_vectors(path, VectorFile(encoder.name, ids, tuple(hashes), matrix))
    return matrix


def read_vectors(path: Path) -> VectorFile:
    """Read the file; WorkspaceError when it is absent or damaged."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            vectors = np.asarray(file["vectors"], dtype=np.float32)
        found = VectorFile(str(about["encoder"]), tuple(about["ids"]), tuple(about["hashes"]), vectors)
    except FileNotFoundError:
        raise WorkspaceError(f"There are no vectors in {path} yet. Run `vouchrec index rebuild`.") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise WorkspaceError(f"{path} is damaged ({str(error)[:100]}). Run `vouchrec index rebuild`.") from error
    if vectors.ndim != 2 or not len(found.ids) == len(found.hashes) == len(vectors):
        raise WorkspaceError(f"{path} is damaged (its parts differ in length). Run `vouchrec index rebuild`.")
    return found


def write_vectors(path: Path, file: VectorFile) -> None:
    """Write the file in place of the old one, whole or not at all."""
    about = json.dumps({"encoder": file.encoder, "ids": file.ids, "hashes": file.hashes}).encode()
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as target:
            np.savez(target, about=np.frombuffer(about, dtype=np.uint8), vectors=file.vectors)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkspaceError(f"{path} cannot be written: {error}. Free some space and repeat the command.") from error


def _usable(file: VectorFile | None, encoder: Encoder) -> dict[str, Matrix]:
    """Vectors by the hash of their text: those that are whole and of this encoder."""
    if file is None or file.encoder != encoder.name or file.vectors.shape[1] != encoder.dimension:
        return {}
    return {text: row for text, row, whole in zip(file.hashes, file.vectors, file.sound, strict=True) if whole}
