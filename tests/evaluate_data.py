"""A small made-up data set whose right answers are known."""

import numpy as np

from agent.schema import Item
from finetune.evaluate.data import Dataset


def dataset(histories: list[list[int]], n_items: int | None = None, times: list[list[float]] | None = None) -> Dataset:
    """Person p<i> did these items in this order, at these times or one after another."""
    n = n_items or max(max(h) for h in histories) + 1
    rows = [
        (person, item, times[person][step] if times else float(step))
        for person, history in enumerate(histories)
        for step, item in enumerate(history)
    ]
    table = np.array(rows, dtype=np.float64)
    catalogue = tuple(
        Item(f"item{i}", f"Title {i}", "", {"genres": ("Even",) if i % 2 == 0 else ("Odd",)}) for i in range(n)
    )
    return Dataset(
        "made-up",
        catalogue,
        {"genres": "list"},
        tuple(f"p{i}" for i in range(len(histories))),
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        np.full(len(table), 5.0),
        table[:, 2].copy(),
        {f"p{i}": {"gender": "F" if i % 2 else "M"} for i in range(len(histories))},
    )


def walkers(people: int = 60, n_items: int = 12, length: int = 6) -> Dataset:
    """Everyone walks round the catalogue from somewhere: the next item is always the one after the last."""
    return dataset([[(start + step) % n_items for step in range(length)] for start in range(people)], n_items)
