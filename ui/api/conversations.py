"""`/v1/conversations`: begin or go on, list, say, react, end."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from agent.schema import Feedback, Reply
from agent.workspace.kept import SavedConversation
from ui.api.bodies import Id, Opened, Reaction, Said
from ui.api.recommend import STREAMED, streamed, whole
from ui.api.service import Calling, Serving, problems

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


class Begun(BaseModel):
    """A conversation; `user_id` is a guest's where nobody was named.

    `conversation_id` is known here alone and ends with the service; under `kept` the person finds the conversation
    again. `replies` are those before, oldest first.
    """

    conversation_id: str
    user_id: str
    kept: str
    replies: tuple[Reply, ...] = ()


@router.post("", status_code=201, responses=problems())
def begin(opened: Opened, service: Serving, caller: Calling) -> Begun:
    """Begin a conversation, or go on with one that is kept. It is open until it is ended or the service stops."""
    talk = service.talks.begin(caller, caller.speaking_for(opened.user_id), opened.kept)
    now = talk.conversation
    before = tuple(replace(reply, candidates=()) for reply in now.replies)  # as they travel elsewhere
    return Begun(conversation_id=talk.talk_id, user_id=now.user_id, kept=now.conversation_id, replies=before)


@router.get("", responses=problems())
def kept(user_id: Annotated[Id, Query()], service: Serving, caller: Calling) -> list[SavedConversation]:
    """The conversations of a person that are kept, the latest first."""
    return service.agent.conversations(caller.speaking_for(user_id) or user_id)


@router.post("/{conversation_id}/say", response_model=Reply, responses=problems("not-found", "conflict", "timeout"))
async def say(conversation_id: str, said: Said, request: Request, service: Serving, caller: Calling) -> Response:
    """Answer one message: it adds to what was said before, and corrects it where the two differ."""
    talk = service.talks.get(caller, conversation_id)
    return await whole(request, service, talk.answer(said.text, said.n, said.adapter))


@router.post(
    "/{conversation_id}/say/stream",
    response_class=StreamingResponse,
    responses=STREAMED | problems("not-found", "conflict"),
)
async def say_stream(conversation_id: str, said: Said, request: Request, service: Serving, caller: Calling) -> Response:
    """The same as it grows, see `/v1/recommend/stream`."""
    talk = service.talks.get(caller, conversation_id)
    return await streamed(request, service, talk.answer(said.text, said.n, said.adapter))


@router.post("/{conversation_id}/feedback", responses=problems("not-found"))
def react(conversation_id: str, reaction: Reaction, service: Serving, caller: Calling) -> Feedback:
    """Keep a reaction to an item; on the disk when this returns, and effective on the next list."""
    talk = service.talks.get(caller, conversation_id)
    return talk.conversation.feedback(reaction.item_id, reaction.event, reaction.value, reaction.words)


@router.delete("/{conversation_id}", status_code=204, responses=problems("not-found"))
def end(conversation_id: str, service: Serving, caller: Calling) -> None:
    """End a conversation, and what is being answered in it."""
    service.talks.drop(caller, conversation_id)
