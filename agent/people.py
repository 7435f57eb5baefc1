"""What a workspace knows of a person: all of it in one object, and all of it gone."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from agent import build
from agent.errors import InputError, UnknownPersonError, WorkspaceError
from agent.request import valid_unicode
from agent.schema import Feedback, Interaction
from agent.understanding.profile import best_rating
from agent.workspace import kept
from agent.workspace.store import Store
from agent.workspace.workspace import Workspace

COLUMNS = ("entry", "item_id", "title", "event", "value", "words", "time", "turn_id")


def known_of(workspace: Workspace, user_id: str) -> dict[str, Any]:
    """Everything: attributes, history and feedback (oldest first, with titles), turns, conversations, shared lists.

    And the votes on lists that were made for this person to compare, as `Vote.as_dict`.

    Each row has the name of its entry, by which it can be edited or deleted.

    Raises:
        UnknownPersonError: nothing is stored of this person.
    """
    store = workspace.store
    turns, votes = store.turns(user_id), store.votes(user_id)
    with store.transaction(write=False) as connection:
        saved = kept.known_of(connection, user_id)
    if not store.has_user(user_id) and not turns and not votes and not any(saved.values()):
        raise UnknownPersonError(user_id)
    titles = {item.item_id: item.title for item in store.items()}
    return {
        "user_id": user_id,
        "attributes": {k: list(v) if isinstance(v, tuple) else v for k, v in (store.person(user_id) or {}).items()},
        "history": [
            _row(name, i, titles)
            for name, i in zip(store.entry_names(user_id, "history"), store.interactions(user_id), strict=True)
        ],
        "feedback": [
            {**_row(name, f, titles), "words": f.words, "turn_id": f.turn_id}
            for name, f in zip(store.entry_names(user_id, "feedback"), store.feedback(user_id), strict=True)
        ],
        "turns": [{"entry": f"turn:{turn['turn_id']}", **turn} for turn in turns],
        **saved,
        "votes": [{"entry": f"vote:{vote.vote_id}", **vote.as_dict()} for vote in votes],
    }


def as_csv(known: Mapping[str, Any]) -> str:
    """`known_of` as a table with a row for each entry; of a turn, what was asked and the titles that were listed.

    Of a vote, what was asked and which list was preferred.
    """
    rows = [{"entry": f"attribute:{name}", "value": _cell(value)} for name, value in known["attributes"].items()]
    rows += [*known["history"], *known["feedback"]]
    for turn in known["turns"]:
        reply = turn["reply"]
        listed = "; ".join(one["title"] for one in reply["recommendations"])
        rows.append({"entry": turn["entry"], "title": listed, "event": "turn", "words": reply["intent"]["text"]})
    for one in known["conversations"]:
        words = "; ".join(step["said"] for step in one["state"]["steps"])
        about = {"entry": one["entry"], "title": one["title"], "event": "conversation"}
        rows.append({**about, "time": one["changed"], "words": words})
    for one in known["shares"]:
        listed = "; ".join(item["title"] for item in one["page"]["items"])
        about = {"entry": one["entry"], "title": listed, "event": "share"}
        rows.append({**about, "time": one["time"], "turn_id": one["turn_id"]})
    for vote in known["votes"]:
        rows.append(
            {"entry": vote["entry"], "event": vote["verdict"], "words": vote["request"], "time": vote["timestamp"]}
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def edit(workspace: Workspace, user_id: str, entry: str, value: float | None = None, words: str | None = None) -> None:
    """Correct one entry; what was counted from it is counted again. InputError where it cannot be.

    Where values are ratings, one off their scale is refused: everybody's are understood by that scale.
    """
    if value is not None and math.isfinite(value):  # another number is refused by the store
        _require_on_scale(workspace.store, value)
    workspace.store.edit_entry(user_id, entry, value, words)
    build.open_transitions(workspace)


def _require_on_scale(store: Store, value: float) -> None:
    values = store.interaction_columns().values
    if (best := best_rating(values)) is None:
        return
    least = min(0.0, float(np.nanmin(values)))
    if not least <= value <= best:
        raise InputError(f"A rating is a value from {least:g} to {best:g} here; got {value!r}.")


def delete(workspace: Workspace, user_id: str, entry: str) -> None:
    """Delete one entry for good; what was counted from it is counted again. InputError where there is none."""
    workspace.store.delete_entry(user_id, entry)
    build.open_transitions(workspace)


def rename(workspace: Workspace, user_id: str, conversation_id: str, title: str) -> None:
    """Give a conversation another title; InputError where this person has none of that id, or the title is empty."""
    named = kept.title_of(valid_unicode(title))
    if named == kept.UNTITLED:
        raise InputError("A conversation is called by at least one letter; got nothing that can be read.")
    with workspace.store.transaction(write=True) as connection:
        if not kept.rename(connection, conversation_id, user_id, named):
            raise InputError(f"{user_id[:60]!r} has no conversation {conversation_id[:60]!r}.")


def forget(workspace: Workspace, user_id: str) -> dict[str, int]:
    """Remove a person from the store and from what was learned; returns how many rows of each table there were.

    What was counted from everybody's behaviour is counted again without them. A trained network keeps its weights: no
    id and no history can be read in them; train it again (`vouchrec finetune behaviour`) to be without their influence.

    Raises:
        UnknownPersonError: nothing is stored of this person.
    """
    try:
        counts = workspace.store.forget(user_id)
    except WorkspaceError:  # for want of room, perhaps after they went: what was learned from them goes in any case
        build.remove_learned(workspace)
        raise
    if not any(counts.values()):
        raise UnknownPersonError(user_id)
    build.open_transitions(workspace)
    build.remove_training(workspace)
    return counts


def _row(name: str, said: Interaction | Feedback, titles: Mapping[str, str]) -> dict[str, Any]:
    about = {"entry": name, "item_id": said.item_id, "title": titles[said.item_id]}
    return {**about, "event": said.event, "value": said.value, "time": said.timestamp}


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
