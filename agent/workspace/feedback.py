"""Feedback in the tables of the store. The same person, item, event and turn is one piece of feedback."""

from __future__ import annotations

import sqlite3
import time

from agent.schema import Feedback
from agent.workspace.tables import number, word

_KEY = "user = ? AND item = ? AND event = ? AND ifnull(turn_id, '') = ifnull(?, '')"


def put(connection: sqlite3.Connection, feedback: Feedback, user: int, item: int) -> None:
    """Store it, in place of what has the same key; `user` and `item` are their numbers."""
    moment = number(feedback.timestamp, "a timestamp")
    connection.execute(
        "INSERT OR REPLACE INTO feedback (user, item, event, turn_id, value, words, timestamp, arrived) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (user, item, word(feedback.event, "an event"), feedback.turn_id, number(feedback.value, "a value"))
        + (feedback.words, moment, time.time() if moment is None else moment),
    )


def remove(connection: sqlite3.Connection, feedback: Feedback) -> bool:
    """Remove what has its key; whether there was any."""
    found = connection.execute(
        "SELECT (SELECT code FROM users WHERE user_id = ?), (SELECT position FROM items WHERE item_id = ?)",
        (feedback.user_id, feedback.item_id),
    ).fetchone()
    key = (*found, feedback.event, feedback.turn_id)
    return connection.execute(f"DELETE FROM feedback WHERE {_KEY}", key).rowcount > 0


def of(connection: sqlite3.Connection, user_id: str) -> list[Feedback]:
    """What one person said, oldest first; what has no timestamp stands where it arrived."""
    rows = connection.execute(
        "SELECT user_id, item_id, event, turn_id, value, timestamp, words FROM feedback JOIN users ON user = code "
        "JOIN items ON item = items.position WHERE user_id = ? ORDER BY arrived, feedback.position",
        (user_id,),
    )
    return [Feedback(*row) for row in rows]
