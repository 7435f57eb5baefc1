"""What people keep in the store: conversations to go on with, lists shared as pages, and which browser is whose.

The functions take a connection within a transaction of `Store`; whose a row is, is asked in every one of them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.workspace.tables import from_json, to_json, word

LONGEST_TITLE = 80  # characters
UNTITLED = "…"


@dataclass(frozen=True, slots=True)
class SavedConversation:
    """A conversation as it is listed: `began` and `changed` are seconds since 1970, `lists` counts its lists."""

    conversation_id: str
    title: str
    began: float
    changed: float
    lists: int


@dataclass(frozen=True, slots=True)
class Share:
    """A list that is shared as a page, whoever knows the token; `page` holds all that the page says."""

    token: str
    user_id: str
    conversation_id: str
    turn_id: str
    made: float
    page: Mapping[str, Any]


def title_of(said: str) -> str:
    """A title from what somebody said or named: one line without control characters, cut after a word."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    if len(line) <= LONGEST_TITLE:
        return line or UNTITLED
    cut = line[:LONGEST_TITLE]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[LONGEST_TITLE // 2 :] else cut}…"


# -- conversations


def put_conversation(
    connection: sqlite3.Connection, conversation_id: str, user_id: str, state: str, *, is_new: bool
) -> bool:
    """Store how a conversation stands, a JSON object with `steps`; False where it was deleted since it was stored."""
    now, steps = time.time(), json.loads(state)["steps"]
    title, lists = _title(steps), sum(step["listed"] for step in steps)
    if is_new:
        row = (conversation_id, word(user_id, "a user id"), title, now, now, lists, state)
        connection.execute("INSERT INTO conversations VALUES (?, ?, ?, 0, ?, ?, ?, ?)", row)
        return True
    done = connection.execute(
        "UPDATE conversations SET title = iif(is_named, title, ?), changed = ?, lists = ?, state = ? "
        "WHERE conversation_id = ? AND user_id = ?",
        (title, now, lists, state, conversation_id, user_id),
    )
    return done.rowcount > 0


def conversations(connection: sqlite3.Connection, user_id: str) -> list[SavedConversation]:
    """The conversations of a person in which something was said, the latest first."""
    rows = connection.execute(
        "SELECT conversation_id, title, began, changed, lists FROM conversations WHERE user_id = ? AND title != '' "
        "ORDER BY changed DESC, conversations.rowid DESC",
        (user_id,),
    )
    return [SavedConversation(*row) for row in rows]


def state_of(connection: sqlite3.Connection, conversation_id: str, user_id: str) -> str | None:
    """How a conversation of this person stands, as it was stored; None where they have none of that id."""
    query = "SELECT state FROM conversations WHERE conversation_id = ? AND user_id = ?"
    row = connection.execute(query, (conversation_id, user_id)).fetchone()
    return None if row is None else str(row[0])


def rename(connection: sqlite3.Connection, conversation_id: str, user_id: str, title: str) -> bool:
    """Give a conversation another title; False where this person has none of that id."""
    query = "UPDATE conversations SET title = ?, is_named = 1 WHERE conversation_id = ? AND user_id = ?"
    return connection.execute(query, (title, conversation_id, user_id)).rowcount > 0


def leave_out_turn(connection: sqlite3.Connection, user_id: str, turn_id: str) -> None:
    """Take a turn that was deleted out of the conversation that holds it, with the words of its message."""
    query = "SELECT conversation_id, state FROM conversations WHERE user_id = ? AND instr(state, ?)"
    for conversation_id, text in connection.execute(query, (user_id, turn_id)).fetchall():
        state = json.loads(text)
        state["steps"] = [step for step in state["steps"] if step["turn_id"] != turn_id]
        state["turns"] = [turn for turn in state["turns"] if turn != turn_id]
        put_conversation(connection, conversation_id, user_id, json.dumps(state, ensure_ascii=False), is_new=False)


def _title(steps: list[dict[str, Any]]) -> str:
    return title_of(steps[0]["said"]) if steps else ""


# -- lists shared as pages


def put_share(connection: sqlite3.Connection, share: Share) -> None:
    """Store a shared list under its token."""
    connection.execute(
        "INSERT INTO shares VALUES (?, ?, ?, ?, ?, ?)",
        (share.token, share.user_id, share.conversation_id, share.turn_id, share.made)
        + (to_json(dict(share.page), "a shared list"),),
    )


def share(connection: sqlite3.Connection, token: str) -> Share | None:
    """The list that is shared under a token, None where there is none (any more)."""
    rows = connection.execute("SELECT * FROM shares WHERE token = ?", (token,))
    return next((_share(row) for row in rows), None)


def shares(connection: sqlite3.Connection, user_id: str) -> list[Share]:
    """What a person shares, the latest first."""
    rows = connection.execute("SELECT * FROM shares WHERE user_id = ? ORDER BY made DESC, rowid DESC", (user_id,))
    return [_share(row) for row in rows]


def _share(row: tuple[Any, ...]) -> Share:
    token, user_id, conversation_id, turn_id, made, page = row
    return Share(token, user_id, conversation_id, turn_id, made, from_json(page))


# -- browsers


def person_of(connection: sqlite3.Connection, secret: str) -> str | None:
    """Whose browser it is that keeps a secret, by the digest of that; None where nobody is known."""
    row = connection.execute("SELECT user_id FROM browsers WHERE secret = ?", (secret,)).fetchone()
    return None if row is None else str(row[0])


def put_browser(connection: sqlite3.Connection, secret: str, user_id: str) -> str:
    """From now on the browser that keeps this secret is that person's, unless it is somebody's already; says whose."""
    connection.execute("INSERT OR IGNORE INTO browsers VALUES (?, ?)", (secret, word(user_id, "a user id")))
    return person_of(connection, secret) or user_id


# -- to give out, to delete


def known_of(connection: sqlite3.Connection, user_id: str) -> dict[str, Any]:
    """The conversations and shared lists of a person, each with the name of its entry."""
    query = "SELECT conversation_id, title, began, changed, state FROM conversations WHERE user_id = ? ORDER BY began"
    told = [
        {"entry": f"conversation:{i}", "title": title, "began": began, "changed": changed, "state": from_json(state)}
        for i, title, began, changed, state in connection.execute(query, (user_id,))
    ]
    shared = [
        {"entry": f"share:{one.token}", "turn_id": one.turn_id, "time": one.made, "page": dict(one.page)}
        for one in shares(connection, user_id)
    ]
    return {"conversations": told, "shares": shared}


def delete(connection: sqlite3.Connection, user_id: str, kind: str, name: str) -> sqlite3.Cursor:
    """Delete a "share", or a "conversation" with its turns and what was shared of it; the cursor counts the rows."""
    if kind == "share":
        return connection.execute("DELETE FROM shares WHERE token = ? AND user_id = ?", (name, user_id))
    state = state_of(connection, name, user_id)
    turns = from_json(state)["turns"] if state is not None else []
    connection.executemany("DELETE FROM turns WHERE turn_id = ? AND user_id = ?", [(turn, user_id) for turn in turns])
    connection.execute("DELETE FROM shares WHERE conversation_id = ? AND user_id = ?", (name, user_id))
    return connection.execute("DELETE FROM conversations WHERE conversation_id = ? AND user_id = ?", (name, user_id))
