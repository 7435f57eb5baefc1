"""Who may call: keys, of which only hashes are kept, in `keys.json` beside the workspace's store.

A key is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.errors import InputError, UnknownPersonError, WorkspaceError
from agent.files import replacing

FILE = "keys.json"
PREFIX = "vr_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Key(BaseModel):
    """A key as it is kept. One with a `person` speaks for that person alone; one without, for all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str
    created: str
    person: str | None = None


_KEYS = TypeAdapter(list[Key])


class Keys:
    """The keys of a workspace. The file is read again when it changes, so a key that is removed is refused at once."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._by_hash: dict[str, Key] = {}

    def all(self) -> list[Key]:
        """Every key, oldest first.

        Raises:
            WorkspaceError: the file is damaged. Nobody is served then, for it may have held keys.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp != self._seen:
                self._by_hash = {} if stamp is None else {key.sha256: key for key in self._read()}
                self._seen = stamp
            return list(self._by_hash.values())

    def find(self, secret: str) -> Key | None:
        """The key with this secret."""
        self.all()
        return self._by_hash.get(_hash(secret))

    def add(self, name: str, person: str | None = None) -> str:
        """Make a key and give its secret, which nobody can show again.

        Raises:
            InputError: a name that is taken or cannot be one.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"A key cannot be called {name[:60]!r}. Give up to 40 letters, digits, dots, dashes or underscores."
            )
        if person is not None and not person.strip():
            raise InputError("The person of a key is empty. Give an id, or leave it out for a key to all people.")
        known = self.all()
        if any(key.name == name for key in known):
            raise InputError(f"There is a key {name!r} already. Remove it first, or give another name.")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write([*known, Key(name=name, sha256=_hash(secret), created=now, person=person)])
        return secret

    def remove(self, name: str) -> None:
        """Refuse a key from now on; InputError where there is none of that name."""
        known = self.all()
        left = [key for key in known if key.name != name]
        if len(left) == len(known):
            names = ", ".join(key.name for key in known) or "none"
            raise InputError(f"There is no key {name[:60]!r}; there are: {names}.")
        self._write(left)

    def forget_after(self, person: str, forget: Callable[[str], dict[str, int]]) -> tuple[dict[str, int], int]:
        """Have a person forgotten, then remove the keys that speak for them; gives what `forget` does, and how many.

        Raises:
            UnknownPersonError: there was neither.
        """
        try:
            removed = forget(person)
        except UnknownPersonError:
            if not (count := self._forget(person)):
                raise
            return {}, count
        return removed, self._forget(person)

    def _forget(self, person: str) -> int:
        known = self.all()
        left = [key for key in known if key.person != person]
        if len(left) < len(known):
            self._write(left)
        return len(known) - len(left)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> list[Key]:
        try:
            return _KEYS.validate_json(self.path.read_bytes())
        except (OSError, ValidationError) as error:
            raise WorkspaceError(
                f"{self.path} cannot be read as a list of keys, so nobody is served. Restore it, or delete it and make "
                "new keys with `vouchrec keys add`."
            ) from error

    def _write(self, keys: list[Key]) -> None:
        """Replace the file in one step; only its owner may read it."""
        try:
            with replacing(self.path) as draft:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
                    json.dump([key.model_dump() for key in keys], opened, indent=2)
                    opened.flush()
                    os.fsync(opened.fileno())
        except OSError as error:
            raise WorkspaceError(
                f"{self.path} cannot be written ({error.strerror}). Give a workspace that is yours to write to."
            ) from error


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
