"""Who may sign in at the page, and who has: accounts by name, sign-ins by the hash of a secret that a browser keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from agent.errors import InputError
from agent.workspace.tables import word

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]

_COLUMNS = "name, user_id, password, accounts.created"


@dataclass(frozen=True, slots=True)
class Account:
    """A name to sign in with, and the person of the store who signs in; `password` is a hash, `created` in seconds."""

    name: str
    user_id: str
    password: str = field(repr=False)
    created: float


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody is signed in at one browser, since `began`, and asked something last at `seen`, both in seconds."""

    account: Account
    began: float
    seen: float


class Accounts:
    """Two tables of a store, `store.accounts`. Nothing of them is exported; who is forgotten loses the account too."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def add(self, account: Account) -> None:
        """Store a new account; InputError where the name is taken, or the person has an account already."""
        row = (word(account.name, "a name"), word(account.user_id, "a user id"), account.password, account.created)
        with self._writing() as connection:
            query = "SELECT name FROM accounts WHERE name = ? OR user_id = ?"
            taken = connection.execute(query, (account.name, account.user_id)).fetchone()
            if taken:
                raise InputError(
                    f"There is an account {taken[0]!r} already, and a person has one at most. Give another name, or "
                    f"`vouchrec accounts password {taken[0]}` for a new password."
                )
            connection.execute("INSERT INTO accounts (name, user_id, password, created) VALUES (?, ?, ?, ?)", row)

    def get(self, name: str) -> Account | None:
        """The account of this name."""
        with self._reading() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM accounts WHERE name = ?", (name,)).fetchone()
        return None if row is None else Account(*row)

    def all(self) -> list[Account]:
        """Every account, by name."""
        with self._reading() as connection:
            return [Account(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM accounts ORDER BY name")]

    def remove(self, name: str) -> bool:
        """Remove an account and end its sign-ins, whether there was one; what is known of the person stays."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount > 0

    def change(self, name: str, password: str, *, stay: bool = False) -> bool:
        """Replace the hash of a password, whether there is such an account. Its sign-ins end, unless they may stay."""
        with self._writing() as connection:
            if not stay:
                connection.execute("DELETE FROM sign_ins WHERE account = ?", (name,))
            query = "UPDATE accounts SET password = ? WHERE name = ?"
            return connection.execute(query, (password, name)).rowcount > 0

    def sign_in(self, secret: str, name: str, now: float, *, began_after: float, seen_after: float) -> None:
        """Keep a sign-in by the hash of its secret, and remove all that began or were seen too long ago."""
        with self._writing() as connection:
            connection.execute("DELETE FROM sign_ins WHERE began <= ? OR seen <= ?", (began_after, seen_after))
            connection.execute(
                "INSERT INTO sign_ins (secret, account, began, seen) VALUES (?, ?, ?, ?)", (secret, name, now, now)
            )

    def signed_in(self, secret: str) -> SignIn | None:
        """The sign-in with this hash, however old it is."""
        query = f"SELECT {_COLUMNS}, began, seen FROM sign_ins JOIN accounts ON account = name WHERE secret = ?"
        with self._reading() as connection:
            row = connection.execute(query, (secret,)).fetchone()
        return None if row is None else SignIn(Account(*row[:4]), *row[4:])

    def see(self, secret: str, now: float) -> None:
        """Note that a sign-in is in use."""
        with self._writing() as connection:
            connection.execute("UPDATE sign_ins SET seen = ? WHERE secret = ?", (now, secret))

    def sign_out(self, secret: str) -> None:
        """End a sign-in; nothing happens where there is none."""
        with self._writing() as connection:
            connection.execute("DELETE FROM sign_ins WHERE secret = ?", (secret,))
