"""`/v1/chat/completions` and `/v1/models`, as the front ends of OpenAI's interface call them.

The messages are the whole conversation: what the person said is understood message by message as in a conversation of
our own, and what was listed before does not come again. Only the person's messages are read as requests; a system
message is no instruction to this model.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from agent.errors import InputError
from agent.request import check_message, valid_unicode
from agent.schema import Intent, Reply
from agent.understanding.intent import follow_up, parse_intent
from agent.workspace.catalogue import title_key
from ui.api.bodies import ChatAsked, ChatMessage
from ui.api.problems import Problem, describe
from ui.api.recommend import GONE, event_stream
from ui.api.service import Calling, Serving, problems, unless_gone
from ui.api.turns import last
from ui.desk import Stop

if TYPE_CHECKING:
    from agent import Agent

MODEL = "vouchrec"
REMEMBERED = 20  # messages of the person that are read, the latest
_LISTED = re.compile(r"^\d+\. (.+?)(?: — .*)?$", re.MULTILINE)
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "With `stream` a chunk at a time.", "content": {"text/event-stream": {}}}
}
router = APIRouter(prefix="/v1", tags=["chat"])


@router.get("/models", responses=problems())
def models(service: Serving, caller: Calling) -> dict[str, Any]:
    """`vouchrec`, which answers with what is in service, and `vouchrec/NAME` for each adapter that can be asked for."""
    told = [{"id": name, "object": "model", "created": 0, "owned_by": "vouchrec"} for name in _named(service.agent)]
    return {"object": "list", "data": told}


@router.post("/chat/completions", responses=STREAMED | problems("not-found", "timeout"))
async def complete(asked: ChatAsked, request: Request, service: Serving, caller: Calling) -> Response:
    """The list that the messages ask for, with its verified reasons, as the text of an assistant."""
    user_id = caller.speaking_for(asked.user)
    agent, messages, seed = service.agent, asked.messages, asked.seed

    def start(stop: Stop) -> Generator[Reply]:
        adapter = _adapter_of(asked.model, agent)
        intent, shown = understood(agent, messages)
        return agent.stream(user_id, None, intent, seed=seed, excluded=shown, stop=stop, adapter=adapter)

    replies = service.turns.replies(start)
    if asked.stream:
        first = await unless_gone(request, anext(replies))
        return Response(status_code=GONE) if first is None else event_stream(_chunks(first, replies, asked.model))
    reply = await unless_gone(request, last(replies))
    if reply is None:
        return Response(status_code=GONE)
    message = {"role": "assistant", "content": text_of(reply, ended=True)}
    choice = {"index": 0, "message": message, "finish_reason": _reason(reply)}
    return JSONResponse({**_head("chat.completion", reply.turn_id, asked.model), "choices": [choice]})


def _named(agent: Agent) -> dict[str, str | None]:
    """The adapters by the names of models that ask for them; None is what is in service."""
    return {MODEL: None, **{f"{MODEL}/{name}": name for name in agent.adapted.names()}}


def _adapter_of(model: str, agent: Agent) -> str | None:
    """The adapter that a model's name asks for; Problem "not-found" where there is no such model."""
    if model == MODEL:  # what most ask for, without a look at the disk
        return None
    named = _named(agent)
    if model not in named:
        raise Problem("not-found", f"There is no model {model[:80]!r}; there are {', '.join(named)}.")
    return named[model]


def understood(agent: Agent, messages: Sequence[ChatMessage]) -> tuple[Intent, frozenset[str]]:
    """What the person wants after all messages, and the ids of what was listed in them.

    Raises:
        InputError: the person said nothing, or a message is too long.
    """
    said = [message.said() for message in messages if message.role == "user"][-REMEMBERED:]
    if not said:
        raise InputError("No message is the person's. Send at least one with the role 'user'.")
    intent = Intent()
    for text in said:
        check_message(text, agent.settings)
        intent = follow_up(intent, parse_intent(valid_unicode(text), agent.catalogue))
    told = [message.said() for message in messages if message.role == "assistant"][-REMEMBERED:]
    titles = {title for text in told for title in _LISTED.findall(text)}
    found = [agent.catalogue.by_title.get(title_key(title), ()) for title in titles]
    return intent, frozenset(item_id for ids in found for item_id in ids)


def text_of(reply: Reply, *, ended: bool = False) -> str:
    """The reply as text, as far as it will not change any more: each later text of the same turn begins with it.

    A line names one item; the text stops at the first one whose reason is not there, unless the reply has `ended`.
    """
    parts = [reply.message] if reply.message else []
    parts += [] if reply.recommendations or reply.message else ["Nothing fits."]
    lines = []
    for one in reply.recommendations:
        lines.append(f"{one.rank}. {one.item.title}" + (f" — {one.justification}" if one.justification else ""))
        if not one.justification and not ended:
            break
    return "\n\n".join([*parts, "\n".join(lines)] if lines else parts)


async def _chunks(first: Reply, replies: AsyncGenerator[Reply], model: str) -> AsyncIterator[bytes]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _data({**_head("chat.completion.chunk", first.turn_id, model), "choices": [choice]})

    async with aclosing(replies):
        text, latest = text_of(first), first
        yield chunk({"role": "assistant", "content": text})
        try:
            async for latest in replies:
                longer = text_of(latest)
                if longer != text:
                    yield chunk({"content": longer[len(text) :]})
                    text = longer
            if rest := text_of(latest, ended=True)[len(text) :]:
                yield chunk({"content": rest})
            yield chunk({}, _reason(latest))
        except Exception as error:
            problem, _ = describe(error)
            yield _data({"error": {"message": problem["detail"], "type": problem["type"], "code": None}})
        yield b"data: [DONE]\n\n"


def _head(kind: str, turn_id: str, model: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{turn_id or uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
    }


def _reason(reply: Reply) -> str:
    return "stop" if reply.complete else "length"


def _data(what: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(what, ensure_ascii=False).encode() + b"\n\n"
