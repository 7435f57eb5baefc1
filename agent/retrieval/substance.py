"""How much the text of an item says: what is known of it in few words must not win by having few.

"Comedy film of the 1990s" is nearer to "darkly funny" than any story of a darkly funny film, and BM25 takes a short
text to be terse where it is only poor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.schema import Item
from agent.workspace.vectors import ABOUT

ENOUGH, LITTLE = 20, 0.8  # words that say what an item is about; what a match with one that has fewer counts


def substance(items: Sequence[Item]) -> NDArray[np.float32]:
    """(items,): LITTLE for an item of which little is said, else 1; all are 1 where that is so of most."""
    enough = np.array([len(ABOUT.text(item).split()) >= ENOUGH for item in items], dtype=bool)
    return np.where(enough | (2 * enough.sum() < len(items)), 1.0, LITTLE).astype(np.float32)
