"""Interactions and feedback become a profile: what a person did, liked, disliked, and must not be shown again."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.schema import Feedback, Interaction, Profile

LARGEST_RATING = 10  # values above it are counts (plays, clicks), and a count says nothing about liking
LIKE_SHARE, DISLIKE_SHARE = 0.8, 0.4  # of the best rating: 4 and 2 stars of 5
NOT_NOW_SECONDS = 24 * 3600.0


def best_rating(values: NDArray[np.float64]) -> float | None:
    """The top of the rating scale that these values are on, or None where they are counts or there are none."""
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) and 1 < known.max() <= LARGEST_RATING else None


def feelings(events: NDArray[np.str_], values: NDArray[np.float64], best: float | None) -> NDArray[np.int8]:
    """1 liked, -1 disliked, 0 neither, for each event: by its name, or for a rating by its share of the best one."""
    felt = np.zeros(len(events), dtype=np.int8)
    if best is not None:
        felt[values >= LIKE_SHARE * best] = 1
        felt[values <= DISLIKE_SHARE * best] = -1
    felt[events == "like"] = 1
    felt[events == "dislike"] = -1
    return felt


def build_profile(
    user_id: str | None,
    interactions: Sequence[Interaction],
    feedback: Sequence[Feedback] = (),
    *,
    best: float | None = None,
    now: float | None = None,
) -> Profile:
    """A person's profile; both sequences oldest first, `best` is the top of the rating scale, `now` in seconds.

    Feedback is the later word: it overrules the rating of the same item; a mere "seen" says nothing of a liking and
    leaves it as it was. Disliked items leave the history that asks for more of the same, but stay seen. "Not now"
    holds an item back for a day.
    """
    now = time.time() if now is None else now
    felt: dict[str, int] = {}
    times: dict[str, float] = {}
    held_back: set[str] = set()
    events: list[Interaction | Feedback] = [*interactions, *(f for f in feedback if f.event != "not_now")]
    scores = feelings(
        np.array([e.event for e in events], dtype=np.str_),
        np.array([np.nan if e.value is None else e.value for e in events], dtype=np.float64),
        best,
    )
    said = {f.item_id for f in feedback if f.event == "dislike"}
    for event, score in zip(events, scores, strict=True):
        earlier = felt.get(event.item_id, 0)
        if isinstance(event, Feedback):
            felt.pop(event.item_id, None)  # the item moves to the recent end
        felt[event.item_id] = int(score) if score or event.value is not None else earlier
        if event.timestamp is not None and (isinstance(event, Feedback) or event.item_id not in times):
            times[event.item_id] = event.timestamp
    for answer in feedback:
        age = 0.0 if answer.timestamp is None else now - answer.timestamp
        if answer.event == "not_now" and age < NOT_NOW_SECONDS:
            held_back.add(answer.item_id)
    return Profile(
        user_id=user_id,
        history=tuple(i for i, score in felt.items() if not (score < 0 and i in said)),
        likes=tuple(i for i, score in felt.items() if score > 0),
        dislikes=tuple(i for i, score in felt.items() if score < 0),
        seen=frozenset(felt) | held_back,
        times=times,
    )
