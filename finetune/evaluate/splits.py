"""Who is asked what: training histories, and for validation and test a history with the targets that follow it.

Always the full catalogue is ranked and what the history holds is left out; sampled negatives are not offered
(Krichene and Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020). A person's repeated interaction with an
item counts once, at its first time. Interactions of one person that share a time are put in order by a seeded shuffle:
in MovieLens-100K three quarters of the rows share theirs, so the file's order would decide the numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from finetune.evaluate.data import Dataset, restricted

Positions = NDArray[np.int64]
Values = NDArray[np.float64]

PROTOCOLS = (
    "leave-one-out", "global-time", "cold-people-0", "cold-people-1", "cold-people-3", "cold-people-5", "cold-items"
)  # fmt: skip
TRAINED_UNTIL, TUNED_UNTIL = 0.8, 0.9  # of all interactions by time: the two cuts of the global-time split
COLD_SHARE = 0.2  # of people or of items; half of them are for validation
COLD_TARGETS = 10  # what a cold person did next: so many interactions at most


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some people: for each, the row of the data set's `user_ids` and a history, oldest first.

    `values` holds the rating of each interaction and `times` its time, NaN where there was none. There are no targets
    here: this is all that a system is given when it is asked.
    """

    users: Positions
    histories: tuple[Positions, ...]
    values: tuple[Values, ...]
    times: tuple[Values, ...]

    def __len__(self) -> int:
        return len(self.users)

    def only(self, rows: NDArray[np.int64]) -> Known:
        """Those at these places."""
        columns = (self.histories, self.values, self.times)
        return Known(self.users[rows], *(tuple(column[r] for r in rows) for column in columns))


@dataclass(frozen=True, slots=True)
class Cases:
    """People to be asked, and for each the items that they went on to, one or more."""

    known: Known
    targets: tuple[Positions, ...]

    def __len__(self) -> int:
        return len(self.known)

    def only(self, rows: NDArray[np.int64]) -> Cases:
        """Those at these places."""
        return Cases(self.known.only(rows), tuple(self.targets[r] for r in rows))


NOBODY = Cases(Known(np.zeros(0, dtype=np.int64), (), (), ()), ())


@dataclass(frozen=True, slots=True)
class Split:
    """One protocol with one seed. `left_out` people had too few interactions to be asked; they are learned from.

    `refit` holds the training data and what validation people went on to: to be learned when validation has said all
    that it is asked, and before test people are. None when the training data alone are to be learned from.
    """

    protocol: str
    seed: int
    n_items: int
    training: Known
    validation: Cases
    test: Cases
    left_out: int = 0
    refit: Known | None = None

    @property
    def learned(self) -> Known:
        """All that a system has learned from when test people are asked."""
        return self.training if self.refit is None else self.refit

    def without_test(self) -> Split:
        """What a system may learn and tune from: nothing of the test is in it."""
        return replace(self, test=NOBODY)

    def sampled(self, people: int, seed: int = 0) -> Split:
        """At most this many people asked, in validation and in test, the same for every seed of the split."""
        return replace(self, validation=_sampled(self.validation, people, seed), test=_sampled(self.test, people, seed))

    def fingerprint(self) -> str:
        """Tells one split from another."""
        digest = hashlib.sha256(f"{self.protocol} {self.seed} {self.n_items}".encode())
        refit = () if self.refit is None else (self.refit,)
        for known in (self.training, self.validation.known, self.test.known, *refit):
            digest.update(known.users.tobytes())
            for history, times in zip(known.histories, known.times, strict=True):
                digest.update(history.tobytes() + times.tobytes() + b"|")
        for cases in (self.validation, self.test):
            digest.update(b"targets")
            for targets in cases.targets:
                digest.update(targets.tobytes() + b"|")
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Person:
    user: int
    items: Positions
    values: Values
    times: Values

    def until(self, n: int) -> _Piece:
        return self.user, self.items[:n], self.values[:n], self.times[:n]

    def where(self, kept: NDArray[np.bool_]) -> _Piece:
        return self.user, self.items[kept], self.values[kept], self.times[kept]


_Piece = tuple[int, Positions, Values, Values]
_Case = tuple[_Piece, Positions]
_Parts = tuple[list[_Piece], list[_Case], list[_Case]]


def make_split(dataset: Dataset, protocol: str, seed: int, *, refit: bool = False) -> Split:
    """Split by one of PROTOCOLS; `refit` says whether what is held out for validation is learned before the test.

    Raises:
        InputError: there is no such protocol, or nobody is left to be asked (each person needs, for leave-one-out,
            three interactions), or times are missing where they are needed.
    """
    if protocol not in _SPLITS:
        raise InputError(f"There is no protocol {protocol!r}; there are: {', '.join(PROTOCOLS)}.")
    people = _in_order(dataset, seed)
    training, validation, test = _SPLITS[protocol](dataset, people, seed)
    if not training or not test or not validation:
        raise InputError(
            f"The split {protocol} of {dataset.name!r} is empty: {len(training)} people to learn from, "
            f"{len(validation)} to tune on and {len(test)} to test with, out of {len(people)} people with "
            f"{len(dataset)} interactions ({min(len(p.items) for p in people)} to "
            f"{max(len(p.items) for p in people)} each). {_NEEDS[protocol.rstrip('-0135')]}"
        )
    asked = {case[0][0] for case in (*validation, *test)}
    return Split(
        protocol,
        seed,
        dataset.n_items,
        _known(training),
        _cases(validation),
        _cases(test),
        left_out=len(people) - len(asked),
        refit=_known(_before_the_test(people, training, validation, test)) if refit else None,
    )


def hold_out_last(dataset: Dataset, seed: int, people: int) -> tuple[Known, Cases]:
    """What serving learns from: everything but the last interaction of up to so many people, who say when to stop.

    Raises:
        InputError: nobody has two interactions.
    """
    persons = _in_order(dataset, seed)
    able = [place for place, person in enumerate(persons) if len(person.items) > 1]
    if not able:
        raise InputError(
            f"Nobody in {dataset.name!r} has two interactions, so there is nothing to learn an order from."
        )
    # By the name and not by the place, so that few change when people come and go.
    asked = set(sorted(able, key=lambda place: _drawn_by(seed, dataset.user_ids[persons[place].user]))[:people])
    training = [p.until(len(p.items) - (place in asked)) for place, p in enumerate(persons)]
    cases = [(persons[p].until(len(persons[p].items) - 1), persons[p].items[-1:]) for p in sorted(asked)]
    return _known(training), _cases(cases)


def _drawn_by(seed: int, name: str) -> bytes:
    """A draw that hangs on nothing but the seed and this name."""
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def k_core(dataset: Dataset, k: int) -> Dataset:
    """The largest part in which every person and every item has at least k interactions.

    Each pair is there once, at its first time.
    """
    if k < 1:
        raise InputError(f"A k-core needs k of at least 1; got {k}.")
    order = np.argsort(np.nan_to_num(dataset.timestamps, nan=-np.inf), kind="stable")
    _, first = np.unique((dataset.users * dataset.n_items + dataset.items)[order], return_index=True)
    kept = np.zeros(len(dataset), dtype=bool)
    kept[order[first]] = True
    while True:
        people = np.bincount(dataset.users[kept], minlength=len(dataset.user_ids))
        items = np.bincount(dataset.items[kept], minlength=dataset.n_items)
        smaller = kept & (people[dataset.users] >= k) & (items[dataset.items] >= k)
        if not smaller.any():
            raise InputError(f"{dataset.name!r} has no {k}-core: nothing is left. Give a smaller k.")
        if (smaller == kept).all():
            return replace(restricted(dataset, kept), name=f"{dataset.name} ({k}-core)")
        kept = smaller


def _in_order(dataset: Dataset, seed: int) -> list[_Person]:
    """Everyone's interactions, oldest first, ties shuffled, each item once; a missing time counts as oldest."""
    # By the number of the row, so that ties stay as they are when others come and go.
    numbers = np.arange(1, len(dataset) + 1) if dataset.numbers is None else dataset.numbers
    shuffled = np.random.default_rng([seed, 1]).random(int(numbers.max()))[numbers - 1]
    times = np.nan_to_num(dataset.timestamps, nan=-np.inf)
    order = np.lexsort((shuffled, times, dataset.users))
    _, first = np.unique(dataset.users[order] * dataset.n_items + dataset.items[order], return_index=True)
    order = order[np.sort(first)]
    users = dataset.users[order]
    starts = np.flatnonzero(np.append(True, users[1:] != users[:-1]))
    return [
        _Person(int(dataset.users[rows[0]]), dataset.items[rows], dataset.values[rows], dataset.timestamps[rows])
        for rows in np.split(order, starts[1:])
    ]


def _before_the_test(
    people: list[_Person], training: list[_Piece], validation: list[_Case], test: list[_Case]
) -> list[_Piece]:
    """Training and what was held out for validation, but nothing that a person did from a test target on."""
    learned: dict[int, list[Positions]] = {}
    for user, items, *_ in (*training, *(piece for piece, _ in validation)):
        learned.setdefault(user, []).append(items)
    for (user, *_), targets in validation:
        learned[user].append(targets)
    asked = {user: targets for (user, *_), targets in test}
    found = []
    for person in people:
        if person.user in learned:
            kept = np.isin(person.items, np.concatenate(learned[person.user]))
            kept &= ~np.logical_or.accumulate(np.isin(person.items, asked.get(person.user, [])))
            if kept.any():
                found.append(person.where(kept))
    return found


def _leave_one_out(dataset: Dataset, people: list[_Person], seed: int) -> _Parts:
    """The last interaction is for the test, the last but one for validation, what comes before for training."""
    del dataset, seed
    training: list[_Piece] = []
    validation: list[_Case] = []
    test: list[_Case] = []
    for person in people:
        n = len(person.items)
        if n < 3:
            training.append(person.until(n))
            continue
        training.append(person.until(n - 2))
        validation.append((person.until(n - 2), person.items[n - 2 : n - 1]))
        test.append((person.until(n - 1), person.items[n - 1 :]))
    return (training if test else []), validation, test


def _global_time(dataset: Dataset, people: list[_Person], seed: int) -> _Parts:
    """Two moments cut time for everyone; the last interaction of each person within a window is the target.

    Learning ends at the first moment; histories grow on. Gusak et al., "Time to Split: Exploring Data Splitting
    Strategies for Offline Evaluation of Sequential Recommenders", RecSys 2025, with "last" targets.
    """
    del seed
    if not np.isfinite(dataset.timestamps).all():
        missing = int((~np.isfinite(dataset.timestamps)).sum())
        raise InputError(
            f"A split by global time needs a time for every interaction; {missing} of {len(dataset)} have none. "
            "Use leave-one-out, or map the column that holds the time."
        )
    first, second = np.quantile(dataset.timestamps, [TRAINED_UNTIL, TUNED_UNTIL])
    training: list[_Piece] = []
    validation: list[_Case] = []
    test: list[_Case] = []
    for person in people:
        learned, tuned = (int(np.searchsorted(person.times, t, side="right")) for t in (first, second))
        n = len(person.items)
        if learned:
            training.append(person.until(learned))
        if tuned > learned and tuned > 1:
            validation.append((person.until(tuned - 1), person.items[tuned - 1 : tuned]))
        if n > tuned and n > 1:
            test.append((person.until(n - 1), person.items[n - 1 :]))
    return training, validation, test


def _cold_people(known: int) -> Callable[[Dataset, list[_Person], int], _Parts]:
    def split(dataset: Dataset, people: list[_Person], seed: int) -> _Parts:
        """A share of people is never learned from; of each only the first interactions are known."""
        del dataset
        cold = _drawn(len(people), seed)
        training = [person.until(len(person.items)) for person, part in zip(people, cold, strict=True) if not part]
        asked: dict[int, list[_Case]] = {1: [], 2: []}
        for person, part in zip(people, cold, strict=True):
            if part and len(person.items) > known:
                asked[part].append((person.until(known), person.items[known : known + COLD_TARGETS]))
        return training, asked[1], asked[2]

    return split


def _cold_items(dataset: Dataset, people: list[_Person], seed: int) -> _Parts:
    """A share of items is never learned from; the last of them that a person came to is the target.

    Nothing that a person did after a target is learned from, and histories hold no withheld item.
    """
    part = np.array(_drawn(dataset.n_items, seed))
    training: list[_Piece] = []
    asked: dict[int, list[_Case]] = {1: [], 2: []}
    for person in people:
        of_item = part[person.items]
        warm, end = of_item == 0, len(person.items)
        for number in (1, 2):
            at = np.flatnonzero(of_item == number)
            before = warm & (np.arange(len(warm)) < (at[-1] if len(at) else 0))
            if before.any():
                asked[number].append((person.where(before), person.items[at[-1:]]))
                end = min(end, int(at[-1]))
        learned = warm & (np.arange(len(warm)) < end)
        if learned.any():
            training.append(person.where(learned))
    return training, asked[1], asked[2]


def _drawn(n: int, seed: int) -> list[int]:
    """For each of n: 0 to learn from, 1 withheld for validation, 2 withheld for the test."""
    order = np.random.default_rng([seed, 2]).permutation(n)
    half = round(n * COLD_SHARE / 2)
    part = np.zeros(n, dtype=int)
    part[order[:half]], part[order[half : 2 * half]] = 1, 2
    return part.tolist()


_SPLITS: Mapping[str, Callable[[Dataset, list[_Person], int], _Parts]] = {
    "leave-one-out": _leave_one_out,
    "global-time": _global_time,
    **{f"cold-people-{known}": _cold_people(known) for known in (0, 1, 3, 5)},
    "cold-items": _cold_items,
}
_NEEDS = {
    "leave-one-out": "A person needs three interactions: to learn from, to tune on and to test with.",
    "global-time": "There must be interactions before, between and after the two moments that cut time.",
    "cold-people": "There must be ten people or more, and more interactions of each than are known.",
    "cold-items": "There must be ten items or more, and people who came to a withheld one after another.",
}


def _known(pieces: list[_Piece]) -> Known:
    users = np.array([piece[0] for piece in pieces], dtype=np.int64)
    return Known(users, *(tuple(piece[column] for piece in pieces) for column in (1, 2, 3)))


def _cases(cases: list[_Case]) -> Cases:
    return Cases(_known([piece for piece, _ in cases]), tuple(targets for _, targets in cases))


def _sampled(cases: Cases, people: int, seed: int) -> Cases:
    if len(cases) <= people:
        return cases
    # By the person and not by the row, so that the same people are asked whatever the seed of the split.
    ranks = np.random.default_rng([seed, 3]).random(int(cases.known.users.max()) + 1)
    return cases.only(np.sort(np.argsort(ranks[cases.known.users], kind="stable")[:people]))
