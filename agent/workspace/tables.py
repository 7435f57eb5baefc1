"""The tables of `store.sqlite`, and how one value passes between Python and a cell of them."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import InputError

APPLICATION_ID = 0x564F5543  # "VOUC": tells our files from SQLite files of other programs
SCHEMA_VERSION = 6

# What people keep: conversations with their state, lists shared as pages, and which browser is whose.
_KEPT = (
    """CREATE TABLE conversations (
        conversation_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, title TEXT NOT NULL, is_named INTEGER NOT NULL,
        began REAL NOT NULL, changed REAL NOT NULL, lists INTEGER NOT NULL, state TEXT NOT NULL)""",
    "CREATE INDEX conversations_of_user ON conversations (user_id, changed)",
    """CREATE TABLE shares (
        token TEXT PRIMARY KEY, user_id TEXT NOT NULL, conversation_id TEXT NOT NULL, turn_id TEXT NOT NULL,
        made REAL NOT NULL, page TEXT NOT NULL)""",
    "CREATE INDEX shares_of_user ON shares (user_id, made)",
    "CREATE TABLE browsers (secret TEXT PRIMARY KEY, user_id TEXT NOT NULL)",
)
# Which of two lists was preferred, and what stood on either side; of one person where the lists were made for them.
_VOTES = (
    """CREATE TABLE IF NOT EXISTS votes (
        vote_id TEXT PRIMARY KEY, user_id TEXT, request TEXT NOT NULL, stood_left TEXT NOT NULL,
        stood_right TEXT NOT NULL, verdict TEXT NOT NULL, timestamp REAL NOT NULL)""",
)

# Who may sign in, and who has. Nobody signs in by what is stored here: of passwords and secrets there are only hashes.
_ACCOUNTS = (
    """CREATE TABLE accounts (
        name TEXT PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, password TEXT NOT NULL, created REAL NOT NULL)""",
    """CREATE TABLE sign_ins (
        secret TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, began REAL NOT NULL,
        seen REAL NOT NULL)""",
    "CREATE INDEX sign_ins_of_account ON sign_ins (account)",
)

# Adapters remember by its number what they have learned from, so no number is ever given again.
_INTERACTIONS = (
    """CREATE TABLE interactions (
        position INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL REFERENCES users,
        item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE, event TEXT NOT NULL, value REAL, timestamp REAL)""",
    "CREATE UNIQUE INDEX one_interaction ON interactions (user, item, event, ifnull(timestamp, -1e300))",
    "CREATE INDEX interactions_of_item ON interactions (item)",
)

# People and items stand in interactions as integers: a million rows take 74 MB with their indexes. SQLite counts two
# NULLs as different, so the unique indexes put a value in their place. They serve the look-up by person as well.
SCHEMA = (
    """CREATE TABLE items (
        position INTEGER PRIMARY KEY, item_id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
        attributes TEXT NOT NULL)""",
    """CREATE TABLE users (
        code INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL DEFAULT '{}')""",
    *_INTERACTIONS,
    """CREATE TABLE feedback (
        position INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users,
        item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE, event TEXT NOT NULL, turn_id TEXT, value REAL,
        timestamp REAL, arrived REAL NOT NULL, words TEXT NOT NULL DEFAULT '')""",
    "CREATE UNIQUE INDEX one_feedback ON feedback (user, item, event, ifnull(turn_id, ''))",
    "CREATE INDEX feedback_of_item ON feedback (item)",
    "CREATE TABLE turns (turn_id TEXT PRIMARY KEY, user_id TEXT, request TEXT NOT NULL, reply TEXT NOT NULL)",
    *_VOTES,
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    *_KEPT,
    *_ACCOUNTS,
)

_UPGRADES: Mapping[int, tuple[str, ...]] = {  # by the version they are for
    1: ("ALTER TABLE feedback ADD COLUMN words TEXT NOT NULL DEFAULT ''",),
    2: _KEPT,
    3: _VOTES,
    4: _ACCOUNTS,
    5: (
        "ALTER TABLE interactions RENAME TO old_interactions",
        "DROP INDEX one_interaction",
        "DROP INDEX interactions_of_item",
        *_INTERACTIONS,
        "INSERT INTO interactions SELECT * FROM old_interactions ORDER BY position",
        "DROP TABLE old_interactions",
    ),
}


def newer_than(version: int) -> list[str]:
    """The statements that make a store of an older version one of this."""
    return [statement for v in range(version, SCHEMA_VERSION) for statement in _UPGRADES[v]]


def to_json(value: Any, what: str) -> str:  # noqa: ANN401 - any JSON value
    """JSON with the letters as they are; InputError for NaN, infinity and anything that JSON cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Cannot store {what}: {error}. Use text, finite numbers, lists and objects of them."
        ) from error


def from_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """What `to_json` wrote; tuples come back as lists."""
    return json.loads(text)


def word(given: object, what: str) -> str:
    """The given text; InputError when it is empty or no text at all."""
    if not isinstance(given, str) or not given:
        raise InputError(f"Expected {what} that is a text of at least one character; got {given!r}.")
    return given


def number(given: float | None, what: str) -> float | None:
    """The given number, or None; InputError when it is not finite or no number at all."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise InputError(f"Expected {what} that is a finite number or absent; got {given!r}.")
    return float(given)


def explain(path: Path, error: sqlite3.DatabaseError) -> str:
    """What went wrong with the file, and what to do, in one or two sentences."""
    said = str(error)
    if "full" in said:
        return f"The disk that holds {path} is full; nothing was written. Free some space and repeat the command."
    if "locked" in said or "busy" in said:
        return f"{path} is in use by another program ({said}). Close it and repeat the command."
    if "readonly" in said or "unable to open" in said:
        return f"{path} cannot be opened for writing ({said}). Check that the folder exists and is yours to write."
    if "not a database" in said or "malformed" in said:
        return (
            f"{path} is damaged or no Vouchrec store ({said}). Restore it from a copy, or move the folder away, run "
            "`vouchrec init` and import the catalogue again."
        )
    return f"{path} could not be used: {said}. Run `vouchrec doctor` to see what is wrong."
