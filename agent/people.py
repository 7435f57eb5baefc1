"""What a workspace knows of a person: all of it in one object, and all of it gone."""

from __future__ import annotations

from typing import Any

from agent import build
from agent.errors import UnknownPersonError
from agent.workspace.workspace import Workspace


def known_of(workspace: Workspace, user_id: str) -> dict[str, Any]:
    """Everything: attributes, history and feedback (oldest first, with titles), turns as they were asked and answered.

    Raises:
        UnknownPersonError: nothing is stored of this person.
    """
    store = workspace.store
    turns = store.turns(user_id)
    if not store.has_user(user_id) and not turns:
        raise UnknownPersonError(user_id)
    titles = {item.item_id: item.title for item in store.items()}
    return {
        "user_id": user_id,
        "attributes": {k: list(v) if isinstance(v, tuple) else v for k, v in (store.person(user_id) or {}).items()},
        "history": [
            {"item_id": i.item_id, "title": titles[i.item_id], "event": i.event, "value": i.value, "time": i.timestamp}
            for i in store.interactions(user_id)
        ],
        "feedback": [
            {
                "item_id": f.item_id,
                "title": titles[f.item_id],
                "event": f.event,
                "value": f.value,
                "time": f.timestamp,
                "turn_id": f.turn_id,
            }
            for f in store.feedback(user_id)
        ],
        "turns": turns,
    }


def forget(workspace: Workspace, user_id: str) -> dict[str, int]:
    """Remove a person from the store and from what was learned; returns how many rows of each table there were.

    What was counted from everybody's behaviour is counted again without them. A trained network keeps its weights: no
    id and no history can be read in them; train it again (`vouchrec finetune behaviour`) to be without their influence.

    Raises:
        UnknownPersonError: nothing is stored of this person.
    """
    counts = workspace.store.forget(user_id)
    if not any(counts.values()):
        raise UnknownPersonError(user_id)
    build.open_transitions(workspace)
    build.remove_training(workspace)
    return counts
