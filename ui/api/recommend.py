"""`/v1/recommend` and `/v1/recommend/stream`: a list and its reasons, whole or as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from agent.schema import Reply
from agent.wire import recommendation_to_json, reply_to_json
from ui.api.bodies import Asked, IntentBody
from ui.api.guard import Caller
from ui.api.problems import describe
from ui.api.service import Calling, Service, Serving, problems, unless_gone
from ui.api.turns import last
from ui.desk import Start

GONE = 499  # for the count only: whoever asked is not there to read it
EVENTS = (
    "Server-sent events: `list` holds the reply without reasons, each `reason` one place of it with its reason, in the "
    "order in which they are verified, `done` the whole reply; `problem` ends a stream that failed. Closing the "
    "connection stops the model."
)
STREAMED: dict[int | str, dict[str, Any]] = {200: {"description": EVENTS, "content": {"text/event-stream": {}}}}
router = APIRouter(prefix="/v1", tags=["recommend"])


@router.post("/recommend", response_model=Reply, responses=problems("not-found", "timeout"))
async def recommend(asked: Asked, request: Request, service: Serving, caller: Calling) -> Response:
    """A ranked list with verified reasons, when it is complete. `complete` is false where time ran out before."""
    return await whole(request, service, asked_of(service, caller, asked))


@router.post("/recommend/stream", response_class=StreamingResponse, responses=STREAMED | problems("not-found"))
async def stream(asked: Asked, request: Request, service: Serving, caller: Calling) -> Response:
    """The same as it grows: the list first, then each reason as it is verified."""
    return await streamed(request, service, asked_of(service, caller, asked))


def asked_of(service: Service, caller: Caller, asked: Asked) -> Start:
    """The turn that a body asks for."""
    user_id = caller.speaking_for(asked.user_id)
    intent = asked.intent.intent() if isinstance(asked.intent, IntentBody) else asked.intent
    where = [f.filter() for f in asked.where] if isinstance(asked.where, list) else asked.where
    rest = (asked.n, where, asked.strategy, asked.seed, asked.excluded)
    return lambda stop: service.agent.stream(user_id, asked.history, intent, *rest, stop=stop, adapter=asked.adapter)


async def whole(request: Request, service: Service, start: Start) -> Response:
    """The last reply of a turn as JSON."""
    reply = await unless_gone(request, last(service.turns.replies(start)))
    return (
        Response(status_code=GONE) if reply is None else Response(reply_to_json(reply), media_type="application/json")
    )


async def streamed(request: Request, service: Service, start: Start) -> Response:
    """The replies of a turn as events. What fails before the list is answered as a problem, with its status."""
    replies = service.turns.replies(start)
    first = await unless_gone(request, anext(replies))
    if first is None:
        return Response(status_code=GONE)
    return event_stream(_events(first, replies))


def event_stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Events that no cache keeps and no proxy gathers."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(first: Reply, replies: AsyncGenerator[Reply]) -> AsyncIterator[bytes]:
    async with aclosing(replies):
        yield _event("list", reply_to_json(first))
        latest = first
        try:
            async for reply in replies:
                for before, now in zip(latest.recommendations, reply.recommendations, strict=True):
                    if now is not before:
                        yield _event("reason", recommendation_to_json(now))
                latest = reply
            yield _event("done", reply_to_json(latest))
        except Exception as error:
            yield _event("problem", json.dumps(describe(error)[0]).encode())


def _event(name: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)  # JSON has no bare line break
