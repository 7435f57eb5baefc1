"""Which browser is whose: a secret in a cookie, of which the store has only a digest.

A page that is loaded again so finds its person, and no address, no script and no other person can tell who that is.
The store hears of a browser only once somebody at it has done something, and forgets it with them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.workspace import kept

if TYPE_CHECKING:
    from agent import Agent

COOKIE = "vouchrec"
DAYS = 180  # since the last visit
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)


class Browsers:
    """Who sits at a browser, by the cookies that it sends."""

    def __init__(self, agent: Agent) -> None:
        self._store = agent.workspace.store

    def person(self, cookies: Mapping[str, str]) -> str | None:
        """The person of a browser, None where nobody has done anything at it yet."""
        secret = _digest(cookies)
        if secret is None:
            return None
        with self._store.transaction(write=False) as connection:
            return kept.person_of(connection, secret)

    def settled(self, cookies: Mapping[str, str]) -> str | None:
        """The person of a browser, from now on somebody new if need be; None where the browser keeps no cookie."""
        found, secret = self.person(cookies), _digest(cookies)
        if found is not None or secret is None:
            return found
        with self._store.transaction(write=True) as connection:
            return kept.put_browser(connection, secret, f"guest-{uuid.uuid4().hex[:12]}")


class Remembered:
    """ASGI middleware: gives each browser that opens the page a secret, and prolongs the one that it has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; only the page itself sets the cookie."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        secret = _sent(scope) or secrets.token_urlsafe(32)
        secure = "; Secure" if scope["scheme"] == "https" else ""
        age = DAYS * 86_400

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append(
                    "set-cookie", f"{COOKIE}={secret}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax{secure}"
                )
                headers["cache-control"] = "no-store"  # so that no cache hands one browser's secret to another
            await send(message)

        await self._app(scope, receive, with_cookie)


def _sent(scope: Scope) -> str | None:
    """The secret that came with a request, None where none came that we can have given."""
    secret = HTTPConnection(scope).cookies.get(COOKIE, "")
    return secret if _SECRET.fullmatch(secret) else None


def _digest(cookies: Mapping[str, str]) -> str | None:
    secret = cookies.get(COOKIE)
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        return None
    return hashlib.sha256(secret.encode()).hexdigest()
