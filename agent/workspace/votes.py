"""Votes in the table of the store. A vote is cast once and never changed."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict

from agent.errors import InputError
from agent.votes import VERDICTS, Side, Vote
from agent.workspace.tables import from_json, number, to_json, word


def put(connection: sqlite3.Connection, vote: Vote) -> None:
    """Store it. InputError for a verdict that there is not, and for a vote that was cast already."""
    if vote.verdict not in VERDICTS:
        raise InputError(f"A vote is one of {', '.join(VERDICTS)}; got {str(vote.verdict)[:40]!r}.")
    sides = [to_json(asdict(side), "a contender") for side in (vote.left, vote.right)]
    row = (word(vote.vote_id, "a vote id"), vote.user_id, vote.request, *sides, vote.verdict)
    try:
        connection.execute("INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, number(vote.timestamp, "a time")))
    except sqlite3.IntegrityError as error:
        raise InputError("This comparison was voted on already. Ask for another one.") from error


def cast(connection: sqlite3.Connection, user_id: str | None) -> list[Vote]:
    """All of them, oldest first, or those on lists for one person."""
    rows = connection.execute(
        "SELECT vote_id, user_id, request, stood_left, stood_right, verdict, timestamp FROM votes "
        "WHERE ?1 IS NULL OR user_id = ?1 ORDER BY rowid",
        (user_id,),
    )
    return [
        Vote(v, user, asked, _side(left), _side(right), said, when) for v, user, asked, left, right, said, when in rows
    ]


def _side(text: str) -> Side:
    said = from_json(text)
    return Side(**{**said, "items": tuple(said["items"])})
