"""What every request to the page passes where people sign in: from our own page, and by somebody who is signed in."""

from __future__ import annotations

import re
from collections import OrderedDict
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.api.app import is_of_service
from ui.auth.sessions import Sessions

SIGN_IN, SIGN_OUT, LOOK = "/sign-in", "/sign-out", "/signed-in"
# Beside the pages of the door: what a browser asks for without its cookies, and what gradio asks of itself at start.
OPEN = (SIGN_IN, SIGN_OUT, "/manifest.json", "/gradio_api/startup-events")
CHALLENGE = 'Session realm="vouchrec"'  # by this the script of the page knows that it is over
MOST_STREAMS = 10_000
_READS = ("GET", "HEAD", "OPTIONS")
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)")


class Gate:
    """ASGI middleware around page and service; puts `account` into the scope of what it lets pass.

    The service is let pass as it is: keys guard it. Everything else that is not in OPEN needs a sign-in, also what
    gradio leaves open beside its own sign-in, such as /gradio_api/cancel, and web sockets.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, has_service: bool) -> None:
        self._app = app
        self._has_service = has_service
        self._sessions = sessions
        self._streams: OrderedDict[str, str] = OrderedDict()  # whose events a session of gradio carries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or answer it."""
        if scope["type"] == "lifespan" or (self._has_service and is_of_service(scope["path"])):
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not is_own(headers, reads=scope.get("method") in _READS):
            return PlainTextResponse(
                "This did not come from a page of this server. If a proxy stands before it, it must pass on the header "
                "Host as it came.",
                403,
            )
        if scope["path"] in OPEN:
            return None
        cookie = HTTPConnection(scope).cookies.get(cookie_name(scope), "")
        account = await run_in_threadpool(self._sessions.find, cookie) if cookie else None
        if account is None:
            return _to_sign_in(scope, headers, bool(cookie))
        if not self._is_theirs(scope, account.user_id):
            return PlainTextResponse("These events are another person's. Load the page again.", 403)
        scope["account"] = account
        return None

    def _is_theirs(self, scope: Scope, user_id: str) -> bool:
        """Whether a stream of events is this person's: it belongs to whoever asked for it first."""
        found = _HEARTBEAT.match(scope["path"])
        names = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash", [])
        for name in [*names, *(found.groups() if found else ())]:
            if self._streams.setdefault(name, user_id) != user_id:
                return False
            self._streams.move_to_end(name)
        while len(self._streams) > MOST_STREAMS:
            self._streams.popitem(last=False)
        return True


def is_own(headers: Headers, reads: bool) -> bool:
    """Whether a page of this server sent a request, as its browser says, or somebody follows a link.

    What only reads may say nothing about it, as older browsers do; what changes something must have said so.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none") or (reads and headers.get("sec-fetch-mode") == "navigate")
    if origin is None:
        return reads
    return urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold()


def cookie_name(scope: Scope) -> str:
    """One for each port, as browsers send a cookie to every port; over TLS, one that no other server can have set."""
    port = (scope.get("server") or ("", 0))[1]
    return f"{'__Host-' if is_encrypted(scope) else ''}vouchrec-{port}"


def is_encrypted(scope: Scope) -> bool:
    """Whether the browser speaks TLS, with us or with a proxy that may say so."""
    return scope["scheme"] in ("https", "wss")


def _to_sign_in(scope: Scope, headers: Headers, was_signed_in: bool) -> Response:
    """A person who opens the page is shown the way; a script is told that it is over."""
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", ""):
        where = scope["path"].count("/") - 1  # relative, as a proxy may serve us under a path of its own
        return RedirectResponse("../" * where + SIGN_IN[1:] + ("?ended" if was_signed_in else ""), 303)
    return PlainTextResponse("Sign in first.", 401, {"WWW-Authenticate": CHALLENGE})


def _unframed(send: Send) -> Send:
    """Pages of people who are signed in are kept by no cache and shown in no frame."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                headers["cache-control"] = "no-store"
                headers["x-frame-options"] = "DENY"
        await send(message)

    return sent
