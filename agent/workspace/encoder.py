"""Text -> unit vectors: the seam, the real thing, and a fake that ships."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.errors import AssetError
from agent.progress import Progress, silent
from agent.quiet import quiet_transformers


class Encoder(Protocol):
    """Anything that turns texts into vectors whose dot product is their cosine similarity."""

    @property
    def name(self) -> str:
        """What tells the vectors of this encoder from those of another; kept beside an index."""

    @property
    def dimension(self) -> int:
        """The length of every vector."""

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.float32]:
        """Unit vectors in the order of the texts, of shape (len(texts), dimension), also for no texts."""


class SentenceEncoder:
    """A sentence-transformers model in a folder, on a GPU where there is one. Safe to share between threads."""

    def __init__(self, folder: Path, name: str | None = None, device: str | None = None, batch: int = 64) -> None:
        """Load the model. `name` defaults to the last two parts of the folder; `batch` is in texts.

        Raises:
            AssetError: the folder holds no such model.
        """
        # Importing sentence_transformers takes 3.4 s after torch on two CPU cores: 1.4 s of it is scikit-learn, which
        # it needs, and the rest is transformers, which the language model needs as well. No variable of the
        # environment makes it shorter (none of TensorFlow, Flax or datasets is imported), so none is set here.
        from sentence_transformers import SentenceTransformer

        self.name = name or "/".join(folder.parts[-2:])
        self._batch = batch
        self._lock = threading.Lock()
        try:
            with quiet_transformers():
                self._model: Any = SentenceTransformer(
                    str(folder.resolve(strict=True)), device=device, local_files_only=True
                )
        except Exception as error:  # which one it is depends on which of a dozen files is damaged
            raise AssetError(
                f"The folder {folder} cannot be loaded as a sentence encoder: {str(error)[:300]} Expected a model "
                "saved by sentence-transformers. Give such a folder, or hf:org/name of one."
            ) from error
        self.dimension = int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.float32]:
        """Unit vectors in the order of the texts, of shape (len(texts), dimension), also for no texts.

        What the model's window cannot hold is cut off at its end; lone surrogates count as unknown characters.

        Raises:
            AssetError: the model gives a vector that is not finite or has no direction.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of one length together waste no padding; the longest first, so that too little memory shows at once.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        for start in range(0, len(order), self._batch):
            places = order[start : start + self._batch]
            clean = [_without_lone_surrogates(texts[i]) for i in places]
            with self._lock:  # a fast tokenizer used by two threads at once gives wrong lengths without saying so
                rows = self._model.encode(clean, batch_size=self._batch, show_progress_bar=False, convert_to_numpy=True)
            vectors[places] = _unit(np.asarray(rows, dtype=np.float32), clean, self.name)
            progress("encoding", start + len(places), len(texts))
        return vectors


class HashEncoder:
    """The fake that ships: a bag of hashed words. Texts that share words are similar; no model, no randomness."""

    def __init__(self, dimension: int = 64) -> None:
        if dimension < 1:
            raise ValueError(f"The dimension of a HashEncoder must be at least 1, not {dimension}.")
        self.dimension = dimension
        self.name = f"hash-{dimension}"

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.float32]:
        """Unit vectors in the order of the texts, of shape (len(texts), dimension), also for no texts."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            # A text without words counts as one word of its own, and counts are never negative: so no row can be zero.
            for word in re.findall(r"\w+", text.lower()) or [""]:
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
                vectors[row, int.from_bytes(digest, "big") % self.dimension] += 1
        if len(texts):
            progress("encoding", len(texts), len(texts))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _without_lone_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone halves, which no tokenizer takes, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unit(rows: NDArray[np.float32], texts: Sequence[str], name: str) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    good = np.isfinite(norms[:, 0]) & (norms[:, 0] > 1e-12)
    if not good.all():
        text = texts[int(np.argmin(good))]
        raise AssetError(
            f"The encoder {name} gives a vector without a direction (not finite, or zero) for {text[:80]!r}. Its files "
            "are damaged or its precision is too low for this device: fetch it again, or set device to 'cpu'."
        )
    return np.asarray(rows / norms, dtype=np.float32)
