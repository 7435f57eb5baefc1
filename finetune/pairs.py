"""What people liked better than what, out of a store: ratings far apart, and above all what they said of our lists.

Whoever looks on many ratings has very many pairs; each thing stands in one pair at most, with the one nearest in time
that was felt differently about, so that both could have come after the same history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.understanding.profile import DISLIKE_SHARE, LIKE_SHARE, USUAL_BEST, best_rating
from agent.workspace.store import Store
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import Cases, Known

Positions = NDArray[np.int64]
FAR = LIKE_SHARE - DISLIKE_SHARE  # of the best rating: 2 stars of 5
PER_PERSON = 20  # pairs of one person, so that nobody who rates much speaks for all


@dataclass(frozen=True, slots=True)
class Pair:
    """`chosen` was liked better than `rejected`, both by catalogue position; `before` items of a history came before.

    `person` is the row of `Preferences.histories`, `said` whether one of the two was said of a list.
    """

    person: int
    before: int
    chosen: int
    rejected: int
    said: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """People's histories, oldest first, by catalogue position, and the pairs in them.

    `users` holds the row of the data set's `user_ids` behind each history.
    """

    users: Positions
    histories: tuple[Positions, ...]
    pairs: tuple[Pair, ...]

    def touched(self) -> tuple[Positions, Positions]:
        """Each person beside each item that is read or stands in a pair of theirs: (n,) users and positions."""
        known = [(row, item) for row, history in enumerate(self.histories) for item in history.tolist()]
        known += [(pair.person, item) for pair in self.pairs for item in (pair.chosen, pair.rejected)]
        rows, items = np.array(known, dtype=np.int64).reshape(-1, 2).T
        return self.users[rows], items


@dataclass(frozen=True, slots=True)
class Felt:
    """One item in somebody's time: how much it was liked, from 0 to 1 (NaN: not told), and whether that was `said`."""

    item: int
    liked: float
    said: bool = False
    time: float = -np.inf

    @property
    def is_read(self) -> bool:
        """Whether it stays in the history: what was turned down does not, as in a profile."""
        return not (self.said and self.liked <= DISLIKE_SHARE)


def preferences(store: Store, dataset: Dataset, training: Known, held_out: Cases) -> Preferences:
    """The pairs of everyone in a store.

    Args:
        store: has the events and the feedback.
        dataset: read from it.
        training: the histories that may be learned from.
        held_out: people and what they went on to, which stands in no pair and in no history.
    """
    best = best_rating(dataset.values)
    liked = _ratings(store, dataset, best)
    rows = {int(user): row for row, user in enumerate(training.users)}
    gone = {int(u): set(t.tolist()) for u, t in zip(held_out.known.users, held_out.targets, strict=True)}
    place = {item.item_id: position for position, item in enumerate(dataset.catalogue)}
    users: list[int] = []
    histories: list[Positions] = []
    pairs: list[Pair] = []
    for user, user_id in enumerate(dataset.user_ids):
        done: list[Felt] = []
        if (row := rows.get(user)) is not None:
            times = np.nan_to_num(training.times[row], nan=-np.inf)
            felt = liked.get(user, {})
            done = [
                Felt(item, felt.get(item, np.nan), time=float(time))
                for item, time in zip(training.histories[row].tolist(), times, strict=True)
            ]
        entries = _with_feedback(done, _feedback(store, user_id, place, best))
        entries = [entry for entry in entries if entry.item not in gone.get(user, ())]
        if found := list(_matched(len(histories), entries)):
            users.append(user)
            histories.append(np.array([entry.item for entry in entries if entry.is_read], dtype=np.int64))
            pairs += found
    return Preferences(np.array(users, dtype=np.int64), tuple(histories), tuple(pairs))


def _ratings(store: Store, dataset: Dataset, best: float | None) -> dict[int, dict[int, float]]:
    """For each person, how much each item was liked by its latest rating or its event's name."""
    columns = store.interaction_columns()
    liked = dataset.values / best if best is not None else np.full(len(dataset), np.nan)
    names = np.array([*columns.event_names, ""])[columns.events]
    liked[names == "like"], liked[names == "dislike"] = 1.0, 0.0
    order = np.argsort(np.nan_to_num(dataset.timestamps, nan=-np.inf), kind="stable")
    found: dict[int, dict[int, float]] = {}
    for row in order[np.isfinite(liked[order])]:
        found.setdefault(int(dataset.users[row]), {})[int(dataset.items[row])] = float(liked[row])
    return found


def _feedback(store: Store, user_id: str, place: Mapping[str, int], best: float | None) -> dict[int, Felt]:
    """What one person said of each item of a list, the latest word."""
    found: dict[int, Felt] = {}
    for told in store.feedback(user_id):
        if told.event in ("not_now", "remark"):
            continue
        liked = {"like": 1.0, "dislike": 0.0}.get(told.event, np.nan)
        if told.event == "rating" and told.value is not None:
            liked = told.value / (best or USUAL_BEST)
        item, time = place[told.item_id], np.inf if told.timestamp is None else told.timestamp
        if np.isfinite(liked) or item not in found:
            found[item] = Felt(item, liked, bool(np.isfinite(liked)), time)
    return found


def _with_feedback(done: Sequence[Felt], said: Mapping[int, Felt]) -> list[Felt]:
    """What somebody did, in its order, with what they said of it; what they only spoke of stands where they did."""
    told = [
        Felt(entry.item, one.liked, True, entry.time) if (one := said.get(entry.item)) and one.said else entry
        for entry in done
    ]
    did = {entry.item for entry in done}
    return sorted([*told, *(one for one in said.values() if one.item not in did)], key=lambda entry: entry.time)


def _matched(person: int, entries: Sequence[Felt]) -> Iterator[Pair]:
    """What was said first, then what is recent; each with the nearest, and what was said before all others."""
    read = np.concatenate([[0], np.cumsum([entry.is_read for entry in entries])]).astype(int)
    free = {place for place, entry in enumerate(entries) if np.isfinite(entry.liked)}
    found = 0
    for low in sorted(free, key=lambda place: (not entries[place].said, -place)):
        if found == PER_PERSON:
            return
        far = entries[low].liked + FAR - 1e-9
        able = [place for place in free if entries[place].liked >= far] if low in free else []
        if not able:
            continue
        high = min(able, key=lambda place: (not entries[place].said, abs(place - low), place))
        free -= {low, high}
        found += 1
        said = entries[low].said or entries[high].said
        yield Pair(person, int(read[min(low, high)]), entries[high].item, entries[low].item, said)
