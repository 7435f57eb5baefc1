"""Who is signed in: a secret of 256 random bits that the browser keeps, of which the store has the hash and two times.

A sign-in ends after 3 days without a request, after 30 days in any case (the limit of NIST SP 800-63B for its first
level), when the person signs out, and when the password or the account is changed. It outlives a restart.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.workspace.accounts import Account, Accounts

DAY = 86_400.0  # seconds
IDLE, LONGEST = 3 * DAY, 30 * DAY
_NOTICE = 600.0  # seconds between two notes of the same sign-in being in use: a write each time would be too many


class Sessions:
    """The sign-ins of a store. Any thread may call."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._clock = clock

    def begin(self, name: str) -> str:
        """Sign the account of this name in; gives the secret, which nobody can show again."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        self._accounts.sign_in(_hash(secret), name, now, began_after=now - LONGEST, seen_after=now - IDLE)
        return secret

    def find(self, secret: str) -> Account | None:
        """Who is signed in by this secret; None for nobody, and for one whose time is over."""
        found, now = self._accounts.signed_in(_hash(secret)), self._clock()
        if found is None or now - found.began >= LONGEST or now - found.seen >= IDLE:
            return None
        if now - found.seen >= _NOTICE:
            self._accounts.see(_hash(secret), now)
        return found.account

    def end(self, secret: str) -> None:
        """Sign out; nothing happens where nobody is signed in by this secret."""
        self._accounts.sign_out(_hash(secret))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
