"""SQLite: items, interactions, feedback and turns. The only source of truth of a workspace.

Every write is one transaction that is on the disk when the call returns (WAL, `synchronous=FULL`), or leaves nothing.
Any thread may call, see `agent.workspace.database`.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from agent.errors import UnknownItemError
from agent.schema import AttributeType, AttributeValue, Feedback, Interaction, Item
from agent.votes import Vote
from agent.workspace import entries
from agent.workspace import feedback as feedback_table
from agent.workspace import votes as votes_table
from agent.workspace.accounts import Accounts
from agent.workspace.columns import InteractionColumns, read_columns
from agent.workspace.database import Database
from agent.workspace.tables import from_json, number, to_json, word

__all__ = ["InteractionColumns", "Store"]

_Row = TypeVar("_Row")

BATCH = 10_000  # rows in memory at a time while a long import is written


class Store(Database):
    """One `store.sqlite`. Creates it when absent; raises WorkspaceError when it is damaged, foreign or newer."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self._forgotten: list[str] = []  # whoever was since this was opened
        self.accounts = Accounts(self._reading, self._writing)

    # -- items

    def put_items(self, items: Iterable[Item]) -> int:
        """Add or replace items by id; returns how many were given. A replaced item keeps its place in the order."""
        statement = (
            "INSERT INTO items (item_id, title, text, attributes) VALUES (?, ?, ?, ?) ON CONFLICT (item_id) DO UPDATE "
            "SET title = excluded.title, text = excluded.text, attributes = excluded.attributes"
        )
        count = 0
        with self._writing() as connection:
            for batch in _batches(items):
                connection.executemany(statement, [_item_row(item) for item in batch])
                count += len(batch)
        return count

    def items(self) -> list[Item]:
        """The whole catalogue in the order in which items were first added."""
        with self._reading() as connection:
            rows = connection.execute("SELECT item_id, title, text, attributes FROM items ORDER BY position").fetchall()
        return [Item(i, title, text, _attributes(attributes)) for i, title, text, attributes in rows]

    def remove_items(self, item_ids: Iterable[str]) -> int:
        """Remove items together with the interactions and feedback on them; returns how many were there."""
        with self._writing() as connection:
            ids = [(i,) for i in item_ids]
            return connection.executemany("DELETE FROM items WHERE item_id = ?", ids).rowcount if ids else 0

    def count_items(self) -> int:
        """How many items the catalogue has."""
        return self._count("items")

    # -- interactions and people

    def put_interactions(self, interactions: Iterable[Interaction]) -> int:
        """Add interactions in one transaction; returns how many were given.

        The same person, item, event and timestamp again is the same interaction with a newer value, so that importing
        a file twice changes nothing. An unknown item raises UnknownItemError, and then nothing is written.
        """
        statement = (
            "INSERT INTO interactions (user, item, event, value, timestamp) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (user, item, event, ifnull(timestamp, -1e300)) DO UPDATE SET value = excluded.value"
        )
        codes: dict[str, int] = {}
        places: dict[str, int] = {}
        count = 0
        with self._writing() as connection:
            for batch in _batches(interactions):
                _learn_users(connection, codes, [i.user_id for i in batch])
                _learn_items(connection, places, [i.item_id for i in batch])
                rows = [
                    (codes[i.user_id], places[i.item_id], word(i.event, "an event"))
                    + (number(i.value, "a value"), number(i.timestamp, "a timestamp"))
                    for i in batch
                ]
                connection.executemany(statement, rows)
                count += len(batch)
        return count

    def interactions(self, user_id: str) -> list[Interaction]:
        """What one person did, oldest first; equal times keep insertion order, a missing time counts as oldest."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT user_id, item_id, event, value, timestamp FROM interactions JOIN users ON user = code "
                "JOIN items ON item = items.position WHERE user_id = ? ORDER BY timestamp, interactions.position",
                (_key(user_id),),
            ).fetchall()
        return [Interaction(*row) for row in rows]

    def interaction_columns(self) -> InteractionColumns:
        """All interactions as numpy columns, for learning: about 32 bytes each, read from one consistent state."""
        with self._reading() as connection:
            return read_columns(connection)

    def interaction_numbers(self) -> npt.NDArray[np.int64]:
        """The number of each row of `interaction_columns`: it stays with the row, and later rows have higher ones."""
        with self._reading() as connection:
            rows = connection.execute("SELECT position FROM interactions ORDER BY position")
            return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def user_ids(self) -> list[str]:
        """Everyone who has an interaction, feedback or attributes, in the order in which they first came."""
        with self._reading() as connection:
            return [row[0] for row in connection.execute("SELECT user_id FROM users ORDER BY code")]

    def find_users(self, part: str, n: int) -> list[str]:
        """Up to n people whose id has this part, whoever is called just so first, then in the order of coming."""
        with self._reading() as connection:
            query = "SELECT user_id FROM users WHERE instr(user_id, ?) ORDER BY user_id != ?, code LIMIT ?"
            return [row[0] for row in connection.execute(query, (part, part, n))]

    def has_user(self, user_id: str) -> bool:
        """Whether anything is stored of this person."""
        with self._reading() as connection:
            query = "SELECT 1 FROM users WHERE user_id = ?"
            return connection.execute(query, (_key(user_id),)).fetchone() is not None

    def count_interactions(self) -> int:
        """How many interactions are stored."""
        return self._count("interactions")

    def count_users(self) -> int:
        """How many people are known."""
        return self._count("users")

    def put_person(self, user_id: str, attributes: Mapping[str, AttributeValue]) -> None:
        """Store what is known of a person beside their history, in place of what was stored before."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO users (user_id, attributes) VALUES (?, ?) "
                "ON CONFLICT (user_id) DO UPDATE SET attributes = excluded.attributes",
                (word(user_id, "a user id"), to_json(dict(attributes), f"the attributes of the person {user_id!r}")),
            )

    def person(self, user_id: str) -> dict[str, AttributeValue] | None:
        """The attributes of a person: empty when none were given, None when the person is unknown."""
        with self._reading() as connection:
            row = connection.execute("SELECT attributes FROM users WHERE user_id = ?", (_key(user_id),)).fetchone()
        return None if row is None else _attributes(row[0])

    def forget(self, user_id: str) -> dict[str, int]:
        """Remove a person: attributes, interactions, feedback, turns, votes, all they kept; gives rows of each.

        What is deleted is overwritten, in the file and in its log, so that nothing can be read back.
        """
        counts = {}
        # Not before they are gone: who asks in between still reads of them.
        with self.alone(), self._deleting(after=lambda: self._forgotten.append(user_id)) as connection:
            for table in ("interactions", "feedback"):
                query = f"DELETE FROM {table} WHERE user = (SELECT code FROM users WHERE user_id = ?)"
                counts[table] = connection.execute(query, (_key(user_id),)).rowcount
            for table in ("turns", "votes", "conversations", "shares", "browsers", "accounts", "users"):
                counts[table] = connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,)).rowcount
        return counts

    @property
    def forgets(self) -> int:
        """How often somebody was forgotten so far: a moment, for `was_forgotten`."""
        return len(self._forgotten)

    def was_forgotten(self, user_id: str | None, since: int) -> bool:
        """Whether a person was forgotten after that moment; it stays true or false within `alone`."""
        return user_id in self._forgotten[since:]

    def entry_names(self, user_id: str, kind: str) -> list[str]:
        """The names of a person's entries of a kind, "history" or "feedback", in the order in which they are given."""
        with self._reading() as connection:
            return entries.names(connection, _key(user_id), kind)

    def delete_entry(self, user_id: str, entry: str) -> None:
        """Delete one entry of a person for good, see `agent.workspace.entries`; InputError where there is none."""
        with self._deleting() as connection:
            entries.delete(connection, _key(user_id), _key(entry))

    def edit_entry(self, user_id: str, entry: str, value: float | None = None, words: str | None = None) -> None:
        """Change the value or the words of one entry; what was there is gone for good. InputError where it cannot."""
        with self._deleting() as connection:
            entries.edit(connection, _key(user_id), _key(entry), value, words)

    # -- feedback and turns

    def put_feedback(self, feedback: Feedback) -> None:
        """Store what a person said; it is on the disk when this returns.

        The same person, item, event and turn again replaces the earlier row. An unknown item raises UnknownItemError.
        """
        codes: dict[str, int] = {}
        places: dict[str, int] = {}
        with self._writing() as connection:
            _learn_users(connection, codes, [feedback.user_id])
            _learn_items(connection, places, [feedback.item_id])
            feedback_table.put(connection, feedback, codes[feedback.user_id], places[feedback.item_id])

    def remove_feedback(self, feedback: Feedback) -> bool:
        """Remove what the person said of this item by this event in this turn; whether there was any."""
        with self._writing() as connection:
            return feedback_table.remove(connection, feedback)

    def feedback(self, user_id: str) -> list[Feedback]:
        """What one person said, oldest first; feedback without a timestamp stands where it arrived."""
        with self._reading() as connection:
            return feedback_table.of(connection, _key(user_id))

    def count_feedback(self) -> int:
        """How many pieces of feedback are stored."""
        return self._count("feedback")

    def put_turn(self, turn_id: str, user_id: str | None, request: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        """Store a turn so that its answer can be reproduced; the same id again replaces it."""
        row = (
            word(turn_id, "a turn id"),
            user_id,
            to_json(dict(request), "a request"),
            to_json(dict(reply), "a reply"),
        )
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO turns (turn_id, user_id, request, reply) VALUES (?, ?, ?, ?)", row
            )

    def turn(self, turn_id: str) -> dict[str, Any] | None:
        """A stored turn as {"turn_id", "user_id", "request", "reply"}, or None. Tuples come back as lists."""
        with self._reading() as connection:
            query = "SELECT turn_id, user_id, request, reply FROM turns WHERE turn_id = ?"
            row = connection.execute(query, (_key(turn_id),)).fetchone()
        if row is None:
            return None
        return {"turn_id": row[0], "user_id": row[1], "request": from_json(row[2]), "reply": from_json(row[3])}

    def turns(self, user_id: str) -> list[dict[str, Any]]:
        """What one person asked and was answered, in the order in which it was stored; see `turn`."""
        with self._reading() as connection:
            query = "SELECT turn_id, request, reply FROM turns WHERE user_id = ? ORDER BY rowid"
            rows = connection.execute(query, (_key(user_id),)).fetchall()
        return [{"turn_id": t, "request": from_json(asked), "reply": from_json(said)} for t, asked, said in rows]

    def turn_ids(self, beginning: str = "", user_id: str | None = None, n: int = 2) -> list[str]:
        """The ids of up to n turns that begin so, the latest kept first; with `user_id`, of that person alone."""
        with self._reading() as connection:
            query = (
                "SELECT turn_id FROM turns WHERE substr(turn_id, 1, length(:beginning)) = :beginning "
                "AND (:user_id IS NULL OR user_id = :user_id) ORDER BY rowid DESC LIMIT :n"
            )
            given = {"beginning": beginning, "user_id": user_id, "n": n}
            return [row[0] for row in connection.execute(query, given)]

    def count_turns(self) -> int:
        """How many turns are stored."""
        return self._count("turns")

    # -- votes

    def put_vote(self, vote: Vote) -> None:
        """Store a vote; it is on the disk when this returns. InputError where it was cast already."""
        with self._writing() as connection:
            votes_table.put(connection, vote)

    def votes(self, user_id: str | None = None) -> list[Vote]:
        """All votes in the order in which they were cast; with `user_id`, those on lists for that person."""
        with self._reading() as connection:
            return votes_table.cast(connection, user_id)

    # -- what the workspace declares

    def put_attribute_types(self, types: Mapping[str, AttributeType]) -> None:
        """Declare the attributes that items may have, in place of what was declared before."""
        self.set_meta("attribute_types", dict(types))

    def attribute_types(self) -> dict[str, AttributeType]:
        """The declared attributes; empty before the first import."""
        types: dict[str, AttributeType] = self.get_meta("attribute_types", {})
        return types

    def set_meta(self, key: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Store one JSON value under a name."""
        row = (word(key, "a name"), to_json(value, f"the value of {key!r}"))
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", row)

    def get_meta(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - any JSON value
        """The JSON value stored under a name, or the default."""
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (_key(key),)).fetchone()
        return default if row is None else from_json(row[0])

    @property
    def identity(self) -> str:
        """Tells this store from every other one; drawn when it is first asked for."""
        if (known := self.get_meta("store_id")) is None:
            self.set_meta("store_id", known := uuid.uuid4().hex)
        return str(known)

    def _count(self, table: str) -> int:
        with self._reading() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _item_row(item: Item) -> tuple[str, str, str, str]:
    name = f"the item {item.item_id!r}"
    attributes = to_json(dict(item.attributes), f"the attributes of {name}")
    return word(item.item_id, "an item id"), word(item.title, f"the title of {name}"), item.text, attributes


def _attributes(text: str) -> dict[str, AttributeValue]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in from_json(text).items()}


def _learn_users(connection: sqlite3.Connection, codes: dict[str, int], user_ids: Sequence[str]) -> None:
    """Make sure that `codes` has every one of these people, adding the new ones in the order in which they come."""
    new = [u for u in dict.fromkeys(user_ids) if u not in codes]
    rows = [(word(user_id, "a user id"),) for user_id in new]
    connection.executemany("INSERT INTO users (user_id) VALUES (?) ON CONFLICT DO NOTHING", rows)
    for user_id in new:
        codes[user_id] = connection.execute("SELECT code FROM users WHERE user_id = ?", (user_id,)).fetchone()[0]


def _learn_items(connection: sqlite3.Connection, places: dict[str, int], item_ids: Sequence[str]) -> None:
    """Make sure that `places` has every one of these items, or raise UnknownItemError."""
    for item_id in dict.fromkeys(i for i in item_ids if i not in places):
        row = connection.execute("SELECT position FROM items WHERE item_id = ?", (_key(item_id),)).fetchone()
        if row is None:
            raise UnknownItemError(str(item_id))
        places[item_id] = row[0]


def _key(given: str) -> str:
    """An id to look up. SQLite would quietly find the text "5" for the number 5; what is no text is refused instead."""
    return word(given, "an id")
