"""Interactions and feedback become a profile: what a person did, liked, disliked, and must not be shown again."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.schema import Feedback, Interaction, Profile
from agent.understanding.remarks import read_remark

LARGEST_RATING = 10  # values above it are counts (plays, clicks), and a count says nothing about liking
LIKE_SHARE, DISLIKE_SHARE = 0.8, 0.4  # of the best rating: 4 and 2 stars of 5
USUAL_BEST = 5.0  # the top of the scale where no stored rating tells
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
    leaves it as it was. Items that were turned down leave the history that asks for more of the same, but stay seen.
    "Not now" holds an item back for a day; a remark says nothing of the item itself.
    """
    now = time.time() if now is None else now
    answers = [f for f in feedback if f.event not in ("not_now", "remark")]
    felt: dict[str, int] = {}
    times: dict[str, float] = {}
    events: list[Interaction | Feedback] = [*interactions, *answers]
    for event, score in zip(
        events, (*_feelings(interactions, best), *_feelings(answers, best or USUAL_BEST)), strict=True
    ):
        earlier = felt.get(event.item_id, 0)
        if isinstance(event, Feedback):
            felt.pop(event.item_id, None)  # the item moves to the recent end
        felt[event.item_id] = score if score or event.value is not None else earlier
        if event.timestamp is not None and (isinstance(event, Feedback) or event.item_id not in times):
            times[event.item_id] = event.timestamp
    judged = {f.item_id for f in answers if f.event != "seen"}
    reactions = {i: score for i, score in felt.items() if score and i in judged}
    return Profile(
        user_id=user_id,
        history=tuple(i for i in felt if reactions.get(i, 1) > 0),
        likes=tuple(i for i, score in felt.items() if score > 0),
        dislikes=tuple(i for i, score in felt.items() if score < 0),
        seen=frozenset(felt) | {f.item_id for f in feedback if f.event == "not_now" and _is_fresh(f, now)},
        times=times,
        reactions=reactions,
        remarks=tuple(said for f in feedback if f.words for said in read_remark(f.words, felt.get(f.item_id, 0))),
    )


def _feelings(events: Sequence[Interaction | Feedback], best: float | None) -> list[int]:
    names = np.array([e.event for e in events], dtype=np.str_)
    values = np.array([np.nan if e.value is None else e.value for e in events], dtype=np.float64)
    return [int(score) for score in feelings(names, values, best)]


def _is_fresh(feedback: Feedback, now: float) -> bool:
    return feedback.timestamp is None or now - feedback.timestamp < NOT_NOW_SECONDS
