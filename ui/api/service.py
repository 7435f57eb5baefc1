"""What the routes share, and how one of them gets at it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from ui.api.guard import Caller
from ui.api.keys import Keys
from ui.api.metrics import Metrics
from ui.api.problems import MEDIA_TYPE, STATUS
from ui.api.turns import Turns

if TYPE_CHECKING:
    from agent import Agent
    from ui.api.talks import Talks

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Service:
    """One agent and all that stands between it and the network."""

    agent: Agent
    turns: Turns
    talks: Talks
    keys: Keys
    metrics: Metrics

    def close(self) -> None:
        """End what is under way, so that the server can go."""
        self.talks.drop_all()
        self.turns.stop_all()


class ProblemBody(BaseModel):
    """Problem details, RFC 9457. Some kinds have more members, such as `nearest` for an unknown item."""

    type: str
    title: str
    status: int
    detail: str


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def _caller(request: Request) -> Caller:
    found: Caller = request.scope["caller"]
    return found


Serving = Annotated[Service, Depends(_service)]
Calling = Annotated[Caller, Depends(_caller)]


async def unless_gone(request: Request, work: Awaitable[_T]) -> _T | None:
    """What `work` gives; None when the client left first, and then the work is cancelled."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """The errors of a route for its documentation, beside those that every route can have."""
    every = ("malformed", "unauthorised", "forbidden", "slow", "too-large", "invalid", "rate", "internal", "busy")
    named: Mapping[int, str] = {STATUS[slug][0]: STATUS[slug][1] for slug in (*every, *slugs)}
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {
        status: {"description": title, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, title in sorted(named.items())
    }
