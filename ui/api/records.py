"""What is kept: feedback, items, people, and why something was listed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from agent.schema import Feedback, Item
from ui.api.bodies import FeedbackBody, ItemBody, Items, ToExplain
from ui.api.guard import Caller
from ui.api.problems import Problem
from ui.api.service import Calling, Serving, problems

router = APIRouter(prefix="/v1")
PathId = Annotated[str, Path(min_length=1, max_length=200)]  # ids may hold slashes


class Counted(BaseModel):
    """How many items were concerned."""

    items: int


class Undone(BaseModel):
    """Whether there was anything to take back."""

    undone: bool


class Forgotten(BaseModel):
    """How many rows of each kind were removed, and how many keys that spoke for the person."""

    removed: dict[str, int]
    keys: int


@router.post("/feedback", tags=["people"], responses=problems("not-found"))
def feedback(said: FeedbackBody, service: Serving, caller: Calling) -> Feedback:
    """Keep what a person said of an item; on the disk when this returns, and effective on the next list.

    Returns it as it is kept. The same person, item, event and turn again is the same feedback.
    """
    return service.agent.feedback(said.feedback(_whose(said, caller)))


@router.delete("/feedback", tags=["people"], responses=problems())
def undo_feedback(said: FeedbackBody, service: Serving, caller: Calling) -> Undone:
    """Take feedback back, as if it had never been given."""
    return Undone(undone=service.agent.undo_feedback(said.feedback(_whose(said, caller))))


def _whose(said: FeedbackBody, caller: Caller) -> str:
    user_id = caller.speaking_for(said.user_id)
    if user_id is None:
        raise Problem("invalid", "user_id: it is missing; say whose feedback this is.")
    return user_id


@router.get("/people/{user_id:path}", tags=["people"], responses=problems("not-found"))
def export(user_id: PathId, service: Serving, caller: Calling) -> dict[str, Any]:
    """Everything that is stored of a person."""
    caller.speaking_for(user_id)
    return service.agent.known_of(user_id)


@router.delete("/people/{user_id:path}", tags=["people"], responses=problems("not-found"))
def forget(user_id: PathId, service: Serving, caller: Calling) -> Forgotten:
    """Remove everything that is stored of a person, for good, their conversations and keys included."""
    caller.speaking_for(user_id)
    service.talks.forget(user_id)
    removed, keys = service.keys.forget_after(user_id, service.agent.forget)
    return Forgotten(removed=removed, keys=keys)


@router.get("/items/{item_id:path}", tags=["items"], responses=problems("not-found"))
def item(item_id: PathId, service: Serving, caller: Calling) -> Item:
    """One item of the catalogue."""
    return service.agent.catalogue.get(item_id)


@router.post("/items", tags=["items"], responses=problems())
def add(items: Items, service: Serving, caller: Calling) -> Counted:
    """Add items, all of them or none; an id that is taken is refused. The next call can recommend them."""
    caller.for_everybody()
    return Counted(items=service.agent.add_items([one.item(one.item_id) for one in items.items]))


@router.put("/items/{item_id:path}", tags=["items"], responses=problems("not-found"))
def put(item_id: PathId, body: ItemBody, service: Serving, caller: Calling) -> Counted:
    """Add one item, or put it in the place of the one with this id; what people did with that stays."""
    caller.for_everybody()
    agent = service.agent
    change = agent.update_items if item_id in agent.catalogue.position else agent.add_items
    return Counted(items=change([body.item(item_id)]))


@router.delete("/items/{item_id:path}", tags=["items"], responses=problems("not-found"))
def remove(item_id: PathId, service: Serving, caller: Calling) -> Counted:
    """Remove one item, with the interactions and feedback on it."""
    caller.for_everybody()
    return Counted(items=service.agent.remove_items([item_id]))


@router.post("/explain", tags=["recommend"], responses=problems("not-found"))
def explain(what: ToExplain, service: Serving, caller: Calling) -> dict[str, Any]:
    """Why an item stands where it does in the list of a turn: what happens to it where one thing is left out."""
    turn = service.agent.workspace.store.turn(what.turn_id)
    if turn is None or (caller.person is not None and turn["user_id"] != caller.person):
        raise Problem(
            "not-found",
            "There is no such turn. Give the turn_id of a reply, letter by letter; what is forgotten is gone.",
        )
    return service.agent.explain(what.turn_id, what.item).as_dict()
