"""What a turn went by, as it is kept with the turn: so that it can be run again whatever was said or done since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agent.errors import InputError
from agent.schema import Filter, Intent, Profile
from agent.workspace.store import Store

LAST = "last"
LOOKED_BACK = 50  # turns, for the last one that made a list
FEWEST_LETTERS = 4
RANKED = ("retrieval", "model", "final")  # what a candidate was ranked by


@dataclass(frozen=True, slots=True)
class Listed:
    """One place of the list as it was shown, with the ids of the items that its evidence rests on."""

    item_id: str
    justification: str
    anchors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A kept turn: who and what it went by, and what came of it.

    `listed` is in the order of the list; `candidates` are ids, best first, with the scores that they were given then;
    `adapter` is the one that ranked them, None for the base model alone.
    """

    turn_id: str
    profile: Profile
    intent: Intent
    excluded: frozenset[str]
    strategy: str
    listed: tuple[Listed, ...]
    candidates: Mapping[str, Mapping[str, float]]
    adapter: str | None


def as_asked(profile: Profile, intent: Intent) -> dict[str, Any]:
    """The profile and the intent of a turn, in plain types; ids that are both in the history and seen stand once."""
    return {
        "profile": {
            "history": list(profile.history),
            "times": [profile.times.get(i) for i in profile.history],
            "likes": list(profile.likes),
            "dislikes": list(profile.dislikes),
            "seen": sorted(profile.seen.difference(profile.history)),
            "reactions": list(profile.reactions.items()),
            "remarks": list(profile.remarks),
        },
        "intent": asdict(intent),
    }


def recall(store: Store, turn_id: str, user_id: str | None = None) -> Asked:
    """A kept turn by its id, its first letters (at least four) or "last" (with a list); with `user_id`, of them alone.

    Raises:
        InputError: there is no such turn or more than one, it is another person's (told in the same words), or it was
            kept by a version that did not keep what it went by.
    """
    kept = store.turn(_found(store, turn_id, user_id))
    if kept is None:  # forgotten just now
        raise _missing(turn_id, user_id)
    request, reply = kept["request"], kept["reply"]
    if "profile" not in request:
        raise InputError(f"The turn {turn_id!r} was kept without what it went by. Ask again and explain the new one.")
    return Asked(
        kept["turn_id"],
        _profile(kept["user_id"], request["profile"]),
        _intent(request["intent"]),
        frozenset(request["excluded"]),
        request["strategy"],
        tuple(_listed(one) for one in reply["recommendations"]),
        {c["item_id"]: {name: c[name] for name in RANKED if name in c} for c in reply["candidates"]},
        reply["adapter"],
    )


def _found(store: Store, given: str, user_id: str | None) -> str:
    if given == LAST:  # of those that made a list: a thank-you has nothing to explain
        recent = store.turn_ids(user_id=user_id, n=LOOKED_BACK)
        listing = (one for one in recent if (kept := store.turn(one)) is not None and "profile" in kept["request"])
        found = [one for one in (next(listing, None), *recent[:1]) if one is not None][:1]
    else:
        found = store.turn_ids(given, user_id) if len(given) >= FEWEST_LETTERS else []
    if len(found) > 1 and given not in found:
        raise InputError(f"Several turns begin with {given!r}. Give more letters of the `turn_id`.")
    if not found:
        raise _missing(given, user_id)
    return given if given in found else found[0]


def _missing(given: str, user_id: str | None) -> InputError:
    whose = "" if user_id is None else f" of {user_id[:80]!r}"
    return InputError(
        f"No turn{whose} is kept under {given[:80]!r}. Give the `turn_id` of a reply, at least its first "
        f'{FEWEST_LETTERS} letters, or "{LAST}"; what was forgotten is gone.'
    )


def _profile(user_id: str | None, said: Mapping[str, Any]) -> Profile:
    history = tuple(said["history"])
    times = {i: t for i, t in zip(history, said["times"], strict=True) if t is not None}
    seen = frozenset((*history, *said["seen"]))
    reactions, remarks = dict(said["reactions"]), tuple((words, felt) for words, felt in said["remarks"])
    return Profile(user_id, history, tuple(said["likes"]), tuple(said["dislikes"]), seen, times, reactions, remarks)


def _intent(said: Mapping[str, Any]) -> Intent:
    lists = {name: tuple(said.get(name, ())) for name in ("likes", "dislikes", "examples", "met", "declined")}
    filters = tuple(Filter(f["attribute"], f["op"], _value(f["value"])) for f in said["filters"])
    return Intent(**{**said, **lists, "filters": filters})


def _value(value: Any) -> Any:  # noqa: ANN401 - a JSON value of a filter
    return tuple(value) if isinstance(value, list) else value


def _listed(one: Mapping[str, Any]) -> Listed:
    anchors = dict.fromkeys(i for e in one["evidence"] for i in e["item_ids"])
    return Listed(one["item_id"], one["justification"], tuple(anchors))
