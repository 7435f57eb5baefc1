"""What every request passes before a route sees it: its size, its key, its rate. And what is counted of it after."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.api.keys import Keys
from ui.api.metrics import Metrics
from ui.api.problems import Problem, respond
from ui.api.rates import Rates

OPEN = ("/healthz", "/readyz")  # whoever looks after a service may ask these without a key
LARGEST_BODY = 1 << 20  # bytes
BODY_SECONDS = 30.0  # in which a body must have come
HINT = "Make one with `vouchrec keys add NAME` on the machine of the service"
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by the name of a key or from this machine; `person` is set where a key speaks for one person."""

    name: str
    person: str | None = None

    def speaking_for(self, user_id: str | None) -> str | None:
        """The person that a request is about: the one that was given, or else the key's own.

        Raises:
            Problem: "forbidden" where the key speaks for somebody else.
        """
        if self.person is None:
            return user_id
        if user_id not in (None, self.person):
            raise Problem(
                "forbidden",
                "This key speaks for one person, and the request is about another. Leave user_id out, or use a key "
                "that speaks for everybody.",
            )
        return self.person

    def for_everybody(self) -> None:
        """Refuse a key of one person where something concerns everybody."""
        if self.person is not None:
            raise Problem(
                "forbidden", "This concerns everybody, and the key speaks for one person. Use a key without --person."
            )


class Guard:
    """ASGI middleware around the whole service; puts `caller` into the scope of what it lets pass."""

    def __init__(self, app: ASGIApp, keys: Keys, rates: Rates, metrics: Metrics, keyless: bool = True) -> None:
        self._app = app
        self._keyless = keyless
        self._keys = keys
        self._rates = rates
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def counted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            if scope["path"] not in OPEN:
                scope["caller"] = self._caller(scope)
            body = await _body(Headers(scope=scope), receive)
            if body is not None:
                await self._app(scope, _again(body, receive), counted)
        except Exception as error:
            if status:  # half an answer cannot become another one; the server closes the connection
                raise
            await respond(error)(scope, receive, counted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.add(route=route, method=method, status=str(status or 499))

    def _caller(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        address = scope["client"][0] if scope.get("client") else "local"
        if self._keyless and not self._keys.all():
            self._limit(f"address {address}")
            _only_local(address, headers)
            return Caller("local")
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        key = self._keys.find(secret.strip()) if scheme.casefold() == "bearer" else None
        if key is None:
            self._limit(f"address {address}")
            came = "The key is not known" if secret else "No key came"
            raise Problem(
                "unauthorised",
                f"{came}. Send the header `Authorization: Bearer KEY`. {HINT}.",
                {"WWW-Authenticate": 'Bearer realm="vouchrec"'},
            )
        self._limit(f"key {key.name}")
        return Caller(f"key {key.name}", key.person)

    def _limit(self, caller: str) -> None:
        if seconds := self._rates.wait(caller):
            raise Problem(
                "rate",
                f"Requests come faster than this service allows one caller. Wait {seconds} s, as Retry-After says.",
                {"Retry-After": str(seconds)},
            )


def _only_local(address: str, headers: Mapping[str, str]) -> None:
    """Without keys: from this machine, under a name of this machine, and from no page of another site."""
    origin = headers.get("origin")
    is_local = _is_loopback(address) and _HOST.fullmatch(headers.get("host", ""))
    if is_local and (origin is None or _HOST.fullmatch(urlsplit(origin).netloc)):
        return
    raise Problem("forbidden", f"Without a key only programs of this machine are served. {HINT}.")


def _is_loopback(address: str) -> bool:
    if address == "local":  # a socket of this machine, which has no address
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None when the client left before it was there."""
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > LARGEST_BODY:
        raise _too_large(declared)
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > LARGEST_BODY:
                    raise _too_large(f"{size} or more")
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError as error:
        raise Problem("slow", f"The body was not there within {BODY_SECONDS:g} s. Send it at once.") from error


def _again(body: bytes, receive: Receive) -> Receive:
    """What a route receives: the body that was read, then whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _too_large(size: str) -> Problem:
    return Problem("too-large", f"The body has {size} bytes; at most {LARGEST_BODY:,} are read. Send it in parts.")
