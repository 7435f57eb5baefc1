"""What is kept: feedback, items, people, and why something was listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from agent.errors import UnknownItemError
from agent.schema import Item
from ui.api.bodies import FeedbackBody, ItemBody, Items, ToExplain
from ui.api.problems import Problem
from ui.api.service import Calling, Service, Serving, problems

router = APIRouter(prefix="/v1")
PathId = Annotated[str, Path(min_length=1, max_length=200)]  # ids may hold slashes


class Counted(BaseModel):
    """How many items were concerned."""

    items: int


class Forgotten(BaseModel):
    """How many rows of each kind were removed, and how many keys that spoke for the person."""

    removed: dict[str, int]
    keys: int


@router.post("/feedback", status_code=204, tags=["people"], responses=problems("not-found"))
def feedback(said: FeedbackBody, service: Serving, caller: Calling) -> None:
    """Keep what a person said of an item; on the disk when this returns, and effective on the next list."""
    user_id = caller.speaking_for(said.user_id)
    if user_id is None:
        raise Problem("invalid", "user_id: it is missing; say whose feedback this is.")
    service.agent.feedback(said.feedback(user_id))


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
    removed = service.agent.forget(user_id)
    return Forgotten(removed=removed, keys=service.keys.forget(user_id))


@router.get("/items/{item_id:path}", tags=["items"], responses=problems("not-found"))
def item(item_id: PathId, service: Serving, caller: Calling) -> Item:
    """One item of the catalogue."""
    return service.agent.catalogue.get(item_id)


@router.post("/items", tags=["items"], responses=problems("not-built"))
def add(items: Items, service: Serving, caller: Calling) -> Counted:
    """Add items, or replace those whose ids are there already; all of them or none."""
    caller.for_everybody()
    add_items = _offered(service, "add_items")
    return Counted(items=add_items([one.item(one.item_id) for one in items.items]))


@router.put("/items/{item_id:path}", tags=["items"], responses=problems("not-found", "not-built"))
def put(item_id: PathId, body: ItemBody, service: Serving, caller: Calling) -> Counted:
    """Add one item, or replace it."""
    caller.for_everybody()
    return Counted(items=_offered(service, "add_items")([body.item(item_id)]))


@router.delete("/items/{item_id:path}", tags=["items"], responses=problems("not-found", "not-built"))
def remove(item_id: PathId, service: Serving, caller: Calling) -> Counted:
    """Remove one item, with the interactions and feedback on it."""
    caller.for_everybody()
    count = int(_offered(service, "remove_items")([item_id]))
    if not count:
        raise UnknownItemError(item_id, service.agent.catalogue.nearest(item_id))
    return Counted(items=count)


@router.post("/explain", tags=["recommend"], responses=problems("not-found", "not-built"))
def explain(what: ToExplain, service: Serving, caller: Calling) -> dict[str, Any]:
    """Why an item stands where it does in the list of a turn: its scores, its evidence, what was checked."""
    explaining = _offered(service, "explain")
    turn = service.agent.workspace.store.turn(what.turn_id)
    if turn is None or (caller.person is not None and turn["user_id"] != caller.person):
        raise Problem(
            "not-found",
            "There is no such turn. Give the turn_id of a reply, letter by letter; what is forgotten is gone.",
        )
    told: dict[str, Any] = explaining(what.turn_id, what.item).as_dict()
    return told


def _offered(service: Service, name: str) -> Callable[..., Any]:
    """A method that the agent may not have yet."""
    method = getattr(service.agent, name, None)
    if method is None:
        raise Problem(
            "not-built", f"The agent of this version has no `{name}`. Upgrade with `pip install -U vouchrec`."
        )
    found: Callable[..., Any] = method
    return found
