"""All interactions as numpy columns, which is what learning needs."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class InteractionColumns:
    """All interactions as columns, in insertion order; what is missing is NaN.

    `users` (int32) indexes `user_ids`, `items` (int32) indexes `item_ids` (the whole catalogue, in the order of
    `Store.items`), `events` (int32) indexes `event_names`. Timestamps are seconds since 1970.
    """

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    event_names: tuple[str, ...]
    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    events: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]
    timestamps: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.users)


def read_columns(connection: sqlite3.Connection) -> InteractionColumns:
    """The columns of a store, through a connection that is in a transaction, so that they fit each other."""
    users = connection.execute("SELECT code, user_id FROM users ORDER BY code").fetchall()
    items = connection.execute("SELECT position, item_id FROM items ORDER BY position").fetchall()
    events = [row[0] for row in connection.execute("SELECT DISTINCT event FROM interactions ORDER BY event")]
    codes = {event: code for code, event in enumerate(events)}
    # SQLite has no NaN: 9e999 is infinity, which no stored number is, and stands for "missing" on the way.
    rows = connection.execute(
        "SELECT user, item, event, ifnull(value, 9e999), ifnull(timestamp, 9e999) FROM interactions ORDER BY position"
    )
    fields = [("user", "i8"), ("item", "i8"), ("event", "i4"), ("value", "f8"), ("timestamp", "f8")]
    table = np.fromiter(((u, i, codes[e], v, t) for u, i, e, v, t in rows), dtype=fields)
    for name in ("value", "timestamp"):
        table[name][np.isinf(table[name])] = np.nan
    return InteractionColumns(
        user_ids=tuple(row[1] for row in users),
        item_ids=tuple(row[1] for row in items),
        event_names=tuple(events),
        users=np.searchsorted([row[0] for row in users], table["user"]).astype(np.int32),
        items=np.searchsorted([row[0] for row in items], table["item"]).astype(np.int32),
        events=table["event"].astype(np.int32),
        values=table["value"].copy(),
        timestamps=table["timestamp"].copy(),
    )
