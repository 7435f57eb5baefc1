"""Names and passwords: what one must be, and how it is kept. The only module that imports argon2.

Argon2id by argon2-cffi with its own defaults, the second choice of RFC 9106: 3 passes over 64 MiB in 4 lanes.
"""

from __future__ import annotations

import logging
import secrets
import unicodedata
from typing import TYPE_CHECKING

from agent.errors import InputError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256  # characters
LONGEST_NAME = 64
_DISTINCT = 5  # characters that differ, at least
_log = logging.getLogger("vouchrec")


def folded(name: str) -> str:
    """A name as accounts have it: without spaces around it, and in small letters."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def checked(password: str, name: str) -> str:
    """The password, if an account of this name may have it; InputError says what is asked of one."""
    if not password:
        raise InputError(f"No password was given. Type one of {SHORTEST} to {LONGEST} characters; some words do well.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"The password has {len(password)} characters. Give {SHORTEST} to {LONGEST}; some words in a row do well."
        )
    if len(set(password)) < _DISTINCT or (len(name) > 3 and name in password.casefold()):
        raise InputError(
            f"The password is easy to guess. Use at least {_DISTINCT} different characters, and leave the name out."
        )
    return password


class Passwords:
    """Makes hashes and compares with them; either takes time and 64 MiB of memory on purpose."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        if hasher is None:
            from argon2 import PasswordHasher as Argon2

            hasher = Argon2()
        self._hasher = hasher
        self._nobody = hasher.hash(secrets.token_bytes(16))

    def hash(self, password: str) -> str:
        """What is kept of a password, salted."""
        return self._hasher.hash(_bytes(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether this is the password. None stands for nobody, whom nothing fits after just as long a time."""
        from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

        try:
            self._hasher.verify(self._nobody if kept is None else kept, _bytes(password))
        except VerifyMismatchError:
            return False
        except (Argon2Error, InvalidHashError):
            _log.exception("the hash of a password cannot be read; `vouchrec accounts password NAME` makes a new one")
            return False
        return kept is not None

    def is_dated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than those in force now."""
        return self._hasher.check_needs_rehash(kept)


def _bytes(password: str) -> bytes:
    """The same letters are the same password, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
