"""The leak audit: looks for what is to be found in every place where it must not be, and fails the run.

Places: the history that a system is asked with, what it learned from, the transitions that it learned and who likes
what, the ids of people, cases and training rows, and the prompts that a language model read. A tuning is audited like
an evaluation (`finetune.ground`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import VouchrecError
from agent.retrieval.transitions import WINDOW, Transitions
from agent.schema import Item
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import NOBODY, Cases, Known, Split

Positions = NDArray[np.int64]
SHOWN = 3


class LeakError(VouchrecError):
    """Something that is to be found can be read somewhere. No number of such a run means anything."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing found: `place` is history, training data, transitions, evidence, ids or prompt."""

    place: str
    detail: str


def require_clean(leaks: Iterable[Leak]) -> None:
    """LeakError that names the places and the first of what was found there."""
    found = list(leaks)
    if not found:
        return
    by_place: dict[str, list[str]] = {}
    for leak in found:
        by_place.setdefault(leak.place, []).append(leak.detail)
    told = "; ".join(
        f"{place}: {', '.join(details[:SHOWN])}" + (f" and {len(details) - SHOWN} more" if len(details) > SHOWN else "")
        for place, details in by_place.items()
    )
    raise LeakError(f"The leak audit failed, so the run stops here. What is held out can be read in the {told}.")


def audit_split(split: Split, dataset: Dataset) -> list[Leak]:
    """The histories, the training data and the ids of a split."""
    refit = [] if split.refit is None else audit_training(split.refit, replace(split, validation=NOBODY))
    return [
        *audit_history(split.validation),
        *audit_history(split.test),
        *audit_training(split.training, split),
        *refit,
        *audit_future(split, dataset),
        *audit_ids([dataset.user_ids[u] for u in split.test.known.users], split.test, dataset, own=True),
    ]


def audit_history(cases: Cases) -> list[Leak]:
    """A target must not stand in the history that leads to it."""
    return [
        Leak("history", f"person {int(user)} is asked for item {int(item)}, which the history holds")
        for user, history, targets in zip(cases.known.users, cases.known.histories, cases.targets, strict=True)
        for item in np.intersect1d(history, targets)
    ]


def audit_training(training: Known, split: Split) -> list[Leak]:
    """No pair of a person and a target may be in the data that is learned from.

    `training` is the split's own, or what a system says that it learned from.
    """
    users, items = _paired(training.users, training.histories)
    return audit_pairs(users, items, split) + _cold_items_trained(training, split)


def audit_pairs(users: Positions, items: Positions, split: Split, place: str = "training data") -> list[Leak]:
    """No target may be among these pairs of a person and an item, (pairs,) each, which are read in a place."""
    n, leaks = split.n_items, []
    for name, cases in (("validation", split.validation), ("test", split.test)):
        people, targets = _paired(cases.known.users, cases.targets)
        told = np.isin(people * n + targets, users * n + items)
        leaks += [
            Leak(place, f"person {user} with item {item}, a target of the {name}")
            for user, item in zip(people[told].tolist(), targets[told].tolist(), strict=True)
        ]
    return leaks


def _paired(users: Positions, items: Sequence[Positions]) -> tuple[Positions, Positions]:
    """Each person beside each of their items."""
    return np.repeat(users, [len(own) for own in items]), np.concatenate([*items, np.zeros(0, dtype=np.int64)])


def _cold_items_trained(training: Known, split: Split) -> list[Leak]:
    if split.protocol != "cold-items":
        return []
    learned = np.unique(np.concatenate(training.histories))
    targets = np.unique(np.concatenate([*split.validation.targets, *split.test.targets]))
    return [Leak("training data", f"item {int(i)}, which counts as cold") for i in np.intersect1d(learned, targets)]


def audit_future(split: Split, dataset: Dataset) -> list[Leak]:
    """With global time, nothing that is learned from may be younger than what is to be found."""
    if split.protocol != "global-time":
        return []
    times = {
        int(u) * split.n_items + int(i): t
        for u, i, t in zip(dataset.users[::-1], dataset.items[::-1], dataset.timestamps[::-1], strict=True)
    }

    def moments(users: NDArray[np.int64], items: Sequence[NDArray[np.int64]]) -> list[float]:
        return [times[int(u) * split.n_items + int(i)] for u, own in zip(users, items, strict=True) for i in own]

    learned = max(moments(split.learned.users, split.learned.histories))
    asked = min(moments(split.test.known.users, split.test.targets))
    return [Leak("training data", f"interactions from {learned:.0f}, after {asked:.0f}")] if learned > asked else []


def audit_transitions(transitions: Any, training: Known) -> list[Leak]:  # noqa: ANN401 - scipy is imported where used
    """Every transition that a system learned must have been walked by someone in the training data.

    `transitions` is sparse (items x items), from the earlier item to the later; of two items that share a time, either
    may be the earlier.
    """
    from scipy.sparse import coo_array

    people, items = _paired(np.arange(len(training)), training.histories)
    times = np.concatenate([*training.times, np.zeros(0)])
    starts, ends = [], []
    for distance in range(1, WINDOW + 1):
        same = people[:-distance] == people[distance:]
        tied = (times[:-distance] == times[distance:])[same]
        earlier, later = items[:-distance][same], items[distance:][same]
        starts += [earlier, later[tied]]
        ends += [later, earlier[tied]]
    steps = np.concatenate(starts), np.concatenate(ends)
    walked = coo_array((np.ones(len(steps[0]), dtype=bool), steps), shape=transitions.shape).tocsr()
    never = ((transitions != 0) > walked).tocoo()
    return [Leak("transitions", f"from item {start} to item {end}") for start, end in zip(*never.coords, strict=True)]


def audit_evidence(transitions: Transitions, split: Split) -> list[Leak]:
    """What reasons speak of, the steps and the likes of people, must come from the training data alone.

    The rows of its likes are those of the data set's `user_ids`.
    """
    users, items = (places.astype(np.int64) for places in transitions.liked.nonzero())
    return [
        *audit_transitions(transitions.transitions, split.training),
        *audit_pairs(users, items, split, "evidence"),
    ]


def audit_ids(ids: Sequence[str], cases: Cases, dataset: Dataset, *, own: bool = False) -> list[Leak]:
    """The id of a case, of a person or of a training row must not name the item that is to be found.

    Ids may be numbers and meet by chance, so what counts is whether they meet far more often with the targets of their
    own case than with those of the cases that follow. `own` says that a whole id is the person's, and only parts of it
    can tell anything.
    """
    names = [{dataset.catalogue[i].item_id for i in targets} for targets in cases.targets]
    parts = [set(re.findall(r"[^\W_]+", given)) - ({given} if own else set()) for given in ids]

    def meeting(shift: int) -> int:
        return sum(bool(part & names[(row + shift) % len(names)]) for row, part in enumerate(parts))

    if not names:
        return []
    told = [row for row, part in enumerate(parts) if part & names[row]]
    by_chance = max((meeting(shift) for shift in range(1, min(20, len(names)))), default=0)
    if len(told) <= 3 * by_chance:
        return []
    return [Leak("ids", f"{ids[row]!r} names {sorted(parts[row] & names[row])[0]!r}") for row in told]


def audit_prompts(prompts: Sequence[str], cases: Cases, catalogue: Sequence[Item], template: str = "") -> list[Leak]:
    """A prompt must not hold the title or id of what is to be found.

    A title that stands in the history too (another edition), inside a longer title of the history, or in `template`
    (the prompt without any history) is no leak. `prompts` are by case.
    """
    leaks = []
    for row, (prompt, history, targets) in enumerate(zip(prompts, cases.known.histories, cases.targets, strict=True)):
        shown = sorted({catalogue[i].title for i in history}, key=len, reverse=True)
        rest = prompt
        for title in shown:
            rest = rest.replace(title, "\x00")
        for item in (catalogue[i] for i in targets):
            if item.title not in shown and _says(rest, item.title) > _says(template, item.title):
                leaks.append(Leak("prompt", f"{item.title!r} in that of case {row}"))
            elif not item.item_id.isdigit() and _says(rest, item.item_id) > _says(template, item.item_id):
                leaks.append(Leak("prompt", f"the id {item.item_id!r} in that of case {row}"))
    return leaks


def _says(text: str, title: str) -> int:
    """How often a text has a title as words of its own, in its own spelling."""
    return len(re.findall(rf"(?<!\w){re.escape(title)}(?!\w)", text))
