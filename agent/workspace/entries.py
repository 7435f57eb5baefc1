"""Single entries of what is stored of a person, each by a name that stays.

"history:12", "feedback:3", "turn:4f...", "conversation:9c..." (its turns and shared lists go with it), "share:Xk...".
"""

from __future__ import annotations

import sqlite3

from agent.errors import InputError
from agent.workspace import kept
from agent.workspace.tables import number

TABLES = {"history": "interactions", "feedback": "feedback"}
_NUMBERED = (
    "SELECT {table}.position FROM {table} JOIN users ON user = code WHERE user_id = ? ORDER BY {time}, {table}.position"
)


def names(connection: sqlite3.Connection, user_id: str, kind: str) -> list[str]:
    """The names of all entries of one kind, in the order in which the store gives them."""
    query = _NUMBERED.format(table=TABLES[kind], time="arrived" if kind == "feedback" else "timestamp")
    return [f"{kind}:{row[0]}" for row in connection.execute(query, (user_id,))]


def delete(connection: sqlite3.Connection, user_id: str, entry: str) -> None:
    """Delete one entry; InputError where this person has none of that name."""
    kind, _, name = entry.partition(":")
    if kind == "turn":
        done = connection.execute("DELETE FROM turns WHERE turn_id = ? AND user_id = ?", (name, user_id))
        kept.leave_out_turn(connection, user_id, name)
    elif kind == "vote":
        done = connection.execute("DELETE FROM votes WHERE vote_id = ? AND user_id = ?", (name, user_id))
    elif kind in ("conversation", "share"):
        done = kept.delete(connection, user_id, kind, name)
    else:
        done = connection.execute(f"DELETE FROM {_table(entry)} WHERE {_OWN}", (name, user_id))
    _require(done, user_id, entry)


def edit(connection: sqlite3.Connection, user_id: str, entry: str, value: float | None, words: str | None) -> None:
    """Change the value of an entry, or the words of feedback; what is None stays. InputError as in `delete`."""
    kind, _, name = entry.partition(":")
    if words is not None and kind != "feedback":
        raise InputError(f"Only feedback has words; {entry!r} has none. Give a value, or delete it.")
    changes = {"value": number(value, "a value"), "words": words}
    given = {column: new for column, new in changes.items() if new is not None}
    if not given:
        raise InputError(f"Say what is to change in {entry!r}: a value, or words.")
    columns = ", ".join(f"{column} = ?" for column in given)
    done = connection.execute(f"UPDATE {_table(entry)} SET {columns} WHERE {_OWN}", (*given.values(), name, user_id))
    _require(done, user_id, entry)


_OWN = "position = ? AND user = (SELECT code FROM users WHERE user_id = ?)"


def _table(entry: str) -> str:
    kind, _, name = entry.partition(":")
    if kind not in TABLES or not name.isdecimal():
        raise InputError(
            f"There is no entry {entry[:60]!r} that this can be done with. `vouchrec people show` has them."
        )
    return TABLES[kind]


def _require(done: sqlite3.Cursor, user_id: str, entry: str) -> None:
    if not done.rowcount:
        raise InputError(f"{user_id[:60]!r} has no entry {entry[:60]!r}. `vouchrec people export` lists all of them.")
