"""What is given to an index: checked before anything is written, and compared with what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import InputError
from agent.schema import AttributeValue
from agent.workspace.exact import ROUNDING

Matrix = npt.NDArray[np.float32]


def checked(
    ids: Sequence[str], vectors: Matrix, attributes: Sequence[Mapping[str, AttributeValue]], dimension: int
) -> Matrix:
    """The vectors as float32 (n, dimension); InputError where something cannot be kept."""
    matrix = np.asarray(vectors, dtype=np.float32)
    if matrix.shape != (len(ids), dimension) or len(attributes) != len(ids):
        raise InputError(
            f"Expected one vector of {dimension} numbers and one set of attributes for each of {len(ids)} "
            f"ids; got vectors of shape {matrix.shape} and {len(attributes)} sets of attributes."
        )
    if len(set(ids)) != len(ids):
        raise InputError(f"Ids must be given once each; got {Counter(ids).most_common(1)[0][0]!r} more than once.")
    broken = [i for i in ids if not i or not _is_unicode(i)]
    if broken:
        raise InputError(f"An id must be a non-empty text of valid Unicode; got {broken[0]!r}.")
    # NaN fails the comparison too: Chroma would take it in without a word.
    wrong = np.flatnonzero(~(np.abs(np.linalg.norm(matrix, axis=1) - 1.0) < 1e-3))
    if len(wrong):
        norm = float(np.linalg.norm(matrix[wrong[0]]))
        raise InputError(f"Vectors must be finite and of length 1; that of {ids[wrong[0]]!r} has length {norm:.4g}.")
    return matrix


def differs(vector: Matrix, row: Mapping[str, Any], held: tuple[Matrix, Mapping[str, Any]] | None) -> bool:
    """Whether an item is not held like this; Chroma leaves out an attribute that is None."""
    if held is None or not np.allclose(vector, held[0], atol=ROUNDING):
        return True
    return {name: value for name, value in row.items() if value is not None} != dict(held[1])


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
