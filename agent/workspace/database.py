"""One SQLite file: its connections, its transactions, its schema, and what is left of deleted rows: nothing.

Writers take turns on one connection, readers have connections of their own and do not wait.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from agent.errors import InputError, WorkspaceError
from agent.workspace.tables import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, explain, newer_than

UNSCRUBBED = "deleted, and not yet wiped"  # in `meta`
_log = logging.getLogger("vouchrec.store")


class Database:
    """A file of our schema. Creates it when absent; raises WorkspaceError when it is damaged, foreign or newer."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()  # held while writing
        self._pool = threading.Lock()  # held for moments: guards the idle reading connections
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        with self._explained():
            self._writer = self._connect()
            try:
                self._prepare()
                self._scrub_what_is_left()
            except BaseException:
                self._writer.close()
                raise

    def integrity_problems(self) -> list[str]:
        """What SQLite's own full check finds wrong with the file; empty when it is sound. Reads everything."""
        with self._reading() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        return [line for line in found if line != "ok"] + [f"a row of {row[0]} points at nothing" for row in orphans]

    def close(self) -> None:
        """Close every connection; calling it again does nothing."""
        with self._lock, self._pool:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def transaction(self, *, write: bool) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction, for tables that have a module of their own, see `agent.workspace.kept`."""
        return self._writing() if write else self._reading()

    def alone(self) -> AbstractContextManager[bool]:
        """No other thread writes meanwhile: what is found out within still holds when it is written."""
        return self._lock

    def _scrub(self) -> None:
        """Leave nothing of what was deleted: `secure_delete` misses what balancing a tree left in the gaps of pages.

        WorkspaceError where that cannot be; it is done when the file is opened next.
        """
        try:
            with self._lock, self._explained():
                self._wipe()
                self._writer.execute("DELETE FROM meta WHERE key = ?", (UNSCRUBBED,))
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except WorkspaceError as error:
            raise WorkspaceError(
                f"What was to be deleted is gone from every list and answer, but {self.path} still holds traces of it, "
                f"for want of room to write the file anew ({error.__cause__}). Free as much space as the file takes; "
                "it is wiped when the workspace is opened next."
            ) from error

    def _wipe(self) -> None:
        self._writer.execute("VACUUM")

    @contextmanager
    def _deleting(self, after: Callable[[], None] = lambda: None) -> Iterator[sqlite3.Connection]:
        """A transaction, and then `after`; nothing of what is deleted is left in the file in the end."""
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, 'true')", (UNSCRUBBED,))
            yield connection
        after()
        self._scrub()

    def _scrub_what_is_left(self) -> None:
        """Of deletions after which there was no room; where there is none yet, the log says so."""
        if self._writer.execute("SELECT count(*) FROM meta WHERE key = ?", (UNSCRUBBED,)).fetchone()[0]:
            try:
                self._scrub()
            except WorkspaceError as error:
                _log.warning("%s", error)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # `forget` must leave nothing in free pages
        return connection

    def _prepare(self) -> None:
        connection = self._writer
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if owner != APPLICATION_ID and tables:
            raise WorkspaceError(
                f"{self.path} is an SQLite file of another program. Give a folder made by `vouchrec init`."
            )
        if version > SCHEMA_VERSION:
            raise WorkspaceError(
                f"{self.path} has schema version {version}; this Vouchrec reads up to {SCHEMA_VERSION}. "
                "A newer Vouchrec wrote it: take the newest Vouchrec, or another workspace."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not tables or version < SCHEMA_VERSION:
            with self._writing():
                for statement in SCHEMA if not tables else newer_than(version):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._require_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite itself rolls back on some errors, a full disk among them
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own, in a transaction, so that several queries see one state."""
        with self._explained():
            self._require_open()
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _require_open(self) -> None:
        if self._closed:
            raise WorkspaceError(f"{self.path} is closed. Open the workspace again before using it.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as error:
            raise InputError(f"A text holds a lone surrogate ({error.object[:40]!r}). Give valid Unicode.") from error
        except sqlite3.DatabaseError as error:
            raise WorkspaceError(explain(self.path, error)) from error
