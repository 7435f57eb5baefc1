"""The page to sign in on, and what comes of it. No script is needed for it."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ui.address import LOCAL
from ui.auth.attempts import Attempts
from ui.auth.gate import LOOK, SIGN_IN, SIGN_OUT, Gate, cookie_name, is_encrypted
from ui.auth.passwords import LONGEST as LONGEST_PASSWORD
from ui.auth.passwords import LONGEST_NAME, Passwords, folded
from ui.auth.sessions import LONGEST, Sessions
from ui.words import Words, chosen

if TYPE_CHECKING:
    from agent.workspace.accounts import Account, Accounts

HERE = Path(__file__).parent
FREE_BY_NAME, FREE_BY_ADDRESS = 5, 20  # wrong passwords without a wait; many people may share an address
AT_A_TIME = 2  # passwords that are compared at once: each takes 64 MiB
LARGEST_FORM = 4096  # bytes
BODY_SECONDS = 10.0
_NOTES = ("ended", "out")  # why somebody comes to the page
_STYLE = (HERE / "sign_in.css").read_text(encoding="utf-8")
_PAGE = Environment(autoescape=True).from_string((HERE / "sign_in.html").read_text(encoding="utf-8"))
_AGAIN = f'<!doctype html><title>Vouchrec</title><meta http-equiv="refresh" content="0;url={SIGN_IN[1:]}">'
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; base-uri 'none'; form-action 'self'; "
    f"frame-ancestors 'none'; style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
    "Referrer-Policy": "same-origin",  # with no referrer at all, browsers hide the origin of a form as well
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_log = logging.getLogger("ui.auth")


class Door:
    """Sign-in for a page over the accounts of a store: routes, and the gate before everything else."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords | None = None,
        sessions: Sessions | None = None,
        by_name: Attempts | None = None,
        by_address: Attempts | None = None,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords or Passwords()
        self._sessions = sessions or Sessions(accounts)
        self._by_name = by_name or Attempts(FREE_BY_NAME)
        self._by_address = by_address or Attempts(FREE_BY_ADDRESS)
        self._comparing = asyncio.Semaphore(AT_A_TIME)

    def middleware(self, has_service: bool) -> Middleware:
        """The gate, which comes before everything else but the service for programs, where there is one."""
        return Middleware(Gate, sessions=self._sessions, has_service=has_service)

    def routes(self) -> Sequence[Route]:
        """The addresses of the door itself."""
        return (
            Route(SIGN_IN, self._show, methods=["GET"]),
            Route(SIGN_IN, self._enter, methods=["POST"]),
            Route(SIGN_OUT, self._leave, methods=["POST"]),
            Route(LOOK, _nothing, methods=["GET"]),
        )

    # -- what is asked of it

    async def _show(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            # Who follows a link of another site comes without the cookie; a step from our own page brings it along.
            return HTMLResponse(_AGAIN, headers=_HEADERS)
        if await run_in_threadpool(self._sessions.find, _secret(request)):
            return RedirectResponse("./", 303)
        return _page(request, note=next((why for why in request.query_params if why in _NOTES), ""))

    async def _enter(self, request: Request) -> Response:
        form = await _form(request)
        name, password = folded(form.get("name", "")), form.get("password", "")
        if not 0 < len(name) <= LONGEST_NAME or not 0 < len(password) <= LONGEST_PASSWORD:
            return _page(request, 400, error="incomplete", name=name)
        address = _address(request)
        if wait := self._wait(name, address):
            return _too_many(request, name, wait)
        self._by_name.begin(name)
        self._by_address.begin(address)
        account = await self._fitting(name, password)
        if account is None:
            wait = self._wait(name, address)
            if wait:
                _log.warning("a sign-in from %s failed and must wait %d s", address, wait)
            return _too_many(request, name, wait, "wrong") if wait else _page(request, 403, error="wrong", name=name)
        self._by_name.forgive(name)
        self._by_address.take_back(address)
        await run_in_threadpool(self._sessions.end, _secret(request))
        secret = await run_in_threadpool(self._sessions.begin, account.name)
        return _with_cookie(request, RedirectResponse("./", 303), secret)

    async def _leave(self, request: Request) -> Response:
        await run_in_threadpool(self._sessions.end, _secret(request))
        return _with_cookie(request, RedirectResponse(f"{SIGN_IN[1:]}?out", 303), "")

    # -- steps

    def _wait(self, name: str, address: str) -> int:
        return max(self._by_name.wait(name), self._by_address.wait(address))

    async def _fitting(self, name: str, password: str) -> Account | None:
        """The account that this name and this password open; for a name that nobody has it takes as long."""
        async with self._comparing:
            return await run_in_threadpool(self._compared, name, password)

    def _compared(self, name: str, password: str) -> Account | None:
        account = self._accounts.get(name)
        if not self._passwords.fits(account.password if account else None, password) or account is None:
            return None
        if self._passwords.is_dated(account.password):
            self._accounts.change(name, self._passwords.hash(password), stay=True)
        return account


def notes(host: str, auth: bool, accounts: int) -> list[str]:
    """What whoever starts a server should know about who can come in."""
    if not auth:
        told = [f"Everyone who can reach {host} can talk to it; there is no password."] if host not in LOCAL else []
        return [*told, "There are accounts; `--auth` asks people to sign in with them."] if accounts else told
    told = [] if accounts else ["Nobody can sign in yet: `vouchrec accounts add NAME` makes an account."]
    if host not in LOCAL:
        told.append(
            "Passwords come over plain HTTP unless a proxy with TLS stands before it. Have one, and let it alone reach "
            "this port."
        )
    return told


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, empty where it is too large, too slow or none."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_FORM:
                    return {}
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
    except (TimeoutError, ValueError):
        return {}
    return {name: values[0] for name, values in fields.items()}


def _secret(request: Request) -> str:
    return request.cookies.get(cookie_name(request.scope), "")


def _address(request: Request) -> str:
    """Where a request comes from; of IPv6 the network, as one machine has all the addresses of it."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{found}/64", strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def _page(
    request: Request, status: int = 200, *, note: str = "", error: str = "", name: str = "", wait: int = 0
) -> Response:
    """The page, in the visitor's language: `note` or `error` names what it says, and `wait` in seconds for how long."""
    words = _words(request)
    said = [words(f"sign_in.{error}")] if error else []
    if wait:
        said.append(words("sign_in.seconds", n=wait) if wait < 100 else words("sign_in.minutes", n=-(-wait // 60)))
    html = _PAGE.render(
        style=_STYLE,
        words=words,
        note=words(f"sign_in.{note}") if note else "",
        error=" ".join(said),
        name=name,
        is_open=not is_encrypted(request.scope) and request.url.hostname not in (*LOCAL, "::1"),
    )
    return HTMLResponse(html, status, {**_HEADERS, **({"Retry-After": str(wait)} if wait else {})})


def _words(request: Request) -> Words:
    return chosen(request.query_params, request.cookies, request.headers)


def _too_many(request: Request, name: str, wait: int, before: str = "often") -> Response:
    return _page(request, 429, error=before, name=name, wait=wait)


def _with_cookie(request: Request, answer: Response, secret: str) -> Response:
    """An answer that gives the browser its secret, or takes it away where it is empty."""
    answer.set_cookie(
        cookie_name(request.scope), secret, max_age=int(LONGEST) if secret else 0, path="/", httponly=True,
        samesite="strict", secure=is_encrypted(request.scope),
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _nothing(request: Request) -> Response:
    return Response(status_code=204)
