"""The door of the workshop: nobody gets in without the token of the address that was printed when it opened.

The address is exchanged once for a cookie of this browser and leaves no token behind in its history. Only this machine
is served, whatever the chat beside it is open to.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.errors import InputError
from ui.address import LOCAL

PATH = "/workshop"
COOKIE = "vouchrec-workshop"
LARGEST_BODY = 4_000_000  # bytes: a prompt that is far too long is still read, and answered with what is allowed
CLOSED = (
    "The workshop is open for its owner alone: open the address with the token that `vouchrec serve --workshop` "
    "printed in the terminal. It holds until that command ends."
)


def only_here(host: str) -> None:
    """InputError where a server on this address can be reached from another machine."""
    if host not in LOCAL:
        raise InputError(
            f"The workshop is for its owner on this machine, and --host {host} is open to others. Leave --host out; "
            "from elsewhere, come through `ssh -L 7860:127.0.0.1:7860`. Or leave --workshop out."
        )


class Gate:
    """ASGI middleware before the page. `token` goes into the address, `opened` is called before the first request."""

    def __init__(self, app: ASGIApp, opened: Callable[[], None] = lambda: None) -> None:
        self.token = secrets.token_urlsafe(24)
        self._pass = secrets.token_urlsafe(24)  # another secret than the token, which may have been seen on a screen
        self._app = app
        self._opened = opened
        self._is_open = False

    @property
    def address(self) -> str:
        """What follows the address of the server."""
        return f"{PATH}/?token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: let in with the cookie, given the cookie for the token, else turned away."""
        if scope["type"] != "http":
            return  # the page has no websockets, and a connection that nobody answers is refused
        headers = Headers(scope=scope)
        if not _is_here(scope):
            await PlainTextResponse(CLOSED, 403)(scope, receive, send)
        elif _matches(HTTPConnection(scope).cookies.get(COOKIE, ""), self._pass):
            await self._inside(scope, receive, send, headers)
        elif _matches(parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0], self.token):
            answer = RedirectResponse(f"{PATH}/", 303, {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
            answer.set_cookie(COOKIE, self._pass, path=PATH, httponly=True, samesite="lax")
            await answer(scope, receive, send)
        else:
            await PlainTextResponse(CLOSED, 403)(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        origin, size = headers.get("origin"), headers.get("content-length", "0")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            await PlainTextResponse("A page of another site cannot ask here.", 403)(scope, receive, send)
        elif not size.isdecimal() or int(size) > LARGEST_BODY:
            await PlainTextResponse("That is more than the workshop reads at once.", 413)(scope, receive, send)
        elif scope["path"] == PATH:
            await RedirectResponse(f"{PATH}/", 303)(scope, receive, send)
        else:
            if not self._is_open:
                self._is_open = True
                self._opened()
            await self._app(scope, receive, send)


class WorkshopRoute(Mount):
    """The workshop among the routes of the chat: takes its own addresses and leaves all others."""

    def __init__(self, gate: Gate) -> None:
        super().__init__("", gate)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the workshop."""
        path = scope.get("path", "")
        if path != PATH and not path.startswith(f"{PATH}/"):
            return Match.NONE, {}
        return super().matches(scope)


def _matches(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _is_here(scope: Scope) -> bool:
    """Whether who asks is on this machine."""
    client = scope.get("client")
    if client is None:
        return True  # a socket of this machine, which has no address
    try:
        found = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
