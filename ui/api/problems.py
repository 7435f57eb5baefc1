"""Every error as problem details (RFC 9457): what came, what was expected, what to do, and nothing of our insides."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from agent.errors import UnknownItemError, UnknownPersonError, VouchrecError
from agent.wire import URN, kind_of

MEDIA_TYPE = "application/problem+json"
SHOWN = 5  # faults of one request that are told
_log = logging.getLogger("ui.api")

STATUS: Mapping[str, tuple[int, str]] = {  # the errors that only a service has; the others are `agent.wire.KINDS`
    "malformed": (400, "The request cannot be read"),
    "unauthorised": (401, "A key is needed"),
    "forbidden": (403, "Not for this caller"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "Not with this method"),
    "slow": (408, "The request came too slowly"),
    "conflict": (409, "Something else is under way"),
    "too-large": (413, "The request is too large"),
    "invalid": (422, "The request does not fit"),
    "rate": (429, "Too many requests"),
    "internal": (500, "A fault of the service"),
    "busy": (503, "Too many turns at once"),
    "timeout": (504, "It took too long"),
}
_BY_STATUS = {400: "malformed", 404: "not-found", 405: "method", 413: "too-large"}
_ADVICE = {
    "malformed": "The request cannot be read. Send JSON in UTF-8 with the header Content-Type: application/json.",
    "not-found": "There is nothing at this address. GET /openapi.json lists what there is.",
    "method": "This address takes another method; the header Allow names it.",
}
SORRY = "Something went wrong in the service, not in the request. Its log says what happened."
UNAVAILABLE = "The service cannot answer now for a reason of its own. Its log says what happened."


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An error of the service itself; `slug` is one of `STATUS`."""

    def __init__(self, slug: str, detail: str, headers: Mapping[str, str] | None = None, **members: object) -> None:
        self.slug, self.detail = slug, detail
        self.headers = dict(headers or {})
        self.members = members
        super().__init__(detail)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.slug][0]

    def as_dict(self) -> dict[str, object]:
        """The object that is sent."""
        status, title = STATUS[self.slug]
        return {"type": URN + self.slug, "title": title, "status": status, "detail": self.detail, **self.members}


def describe(error: Exception) -> tuple[dict[str, object], dict[str, str]]:
    """The problem object and the headers for any exception. What is not for the caller goes to the log instead."""
    if isinstance(error, Problem):
        return error.as_dict(), error.headers
    if isinstance(error, VouchrecError):
        return _ours(error), {}
    if isinstance(error, RequestValidationError):
        return _invalid(error).as_dict(), {}
    if isinstance(error, HTTPException):
        slug = _BY_STATUS.get(error.status_code)
        if slug is not None:
            return Problem(slug, _ADVICE.get(slug, STATUS[slug][1])).as_dict(), dict(error.headers or {})
        title = HTTPStatus(error.status_code).phrase
        return {"type": "about:blank", "title": title, "status": error.status_code}, dict(error.headers or {})
    _log.error("a request could not be answered", exc_info=error)
    return Problem("internal", SORRY).as_dict(), {}


def respond(error: Exception, /, **members: object) -> Response:
    """The answer to a request that failed; `members` are added to the problem object."""
    problem, headers = describe(error)
    # ASCII, as the text may hold half a surrogate pair, which UTF-8 does not take.
    body = json.dumps({**problem, **members}, ensure_ascii=True)
    return Response(body, int(str(problem["status"])), headers, MEDIA_TYPE)


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Let an application with these routes answer with problem details when one of them raises what it may."""

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": _allowed(routes, request.url.path)}
        if request.url.path.endswith("/chat/completions"):
            problem, _ = describe(error)
            said = {"message": problem.get("detail", problem["title"]), "type": problem["type"], "code": None}
            return respond(error, error=said)  # where clients of that interface look for it
        return respond(error)

    for kind in (VouchrecError, Problem, RequestValidationError, HTTPException):  # any other is the guard's
        app.add_exception_handler(kind, answer)


def _allowed(routes: Sequence[BaseRoute], path: str) -> str:
    """The methods of an address; the router itself names those of the first route that fits, and there may be more."""
    fitting = [route for route in routes if isinstance(route, Route) and route.path_regex.match(path)]
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _ours(error: VouchrecError) -> dict[str, object]:
    kind = kind_of(error)
    problem: dict[str, object] = {"type": URN + kind.slug, "title": kind.title, "status": kind.status}
    if not kind.told:
        _log.error("the agent cannot serve", exc_info=error)
        return {**problem, "detail": UNAVAILABLE}
    problem["detail"] = str(error)
    if isinstance(error, UnknownItemError):
        return {**problem, "given": error.given[:200], "nearest": list(error.nearest)}
    return {**problem, "given": error.given[:200]} if isinstance(error, UnknownPersonError) else problem


def _invalid(error: RequestValidationError) -> Problem:
    """The faults that pydantic found, each with the place, what was expected and what came."""
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        place = found[0]["loc"][-1]
        return Problem("malformed", f"The body is no JSON: it cannot be read from character {place} on. Correct it.")
    faults = [_fault(fault) for fault in found[:SHOWN]]
    told = "; ".join(f"{f['at']}: {f['expected']}" + (f", got {f['came']}" if f["came"] else "") for f in faults)
    return Problem("invalid", f"{told}. GET /openapi.json shows what this address takes.", errors=faults)


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    where = [str(part) for part in fault["loc"] if part != "body"]
    came = fault.get("input")
    shown = "" if fault["type"] == "missing" else repr(came)[:80]
    if isinstance(came, bytes):
        shown = "a body that is not declared as application/json"
    return {
        "at": ".".join(where) or "the body",
        "expected": str(fault["msg"]).removeprefix("Value error, "),
        "came": shown,
    }
