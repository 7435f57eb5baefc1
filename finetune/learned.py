"""What an adapter has learned from, kept so that it can be tuned further and nobody is judged by what it knows.

An interaction is named by the number of its row in the store, which stays with it and says nothing of anybody. A person
and an item that met more than once count as one, by the first row, as they do in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.generation.adapters import RECORD, Adapter
from agent.workspace.catalogue import item_key
from agent.workspace.store import Store
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import Cases, Known

Positions = NDArray[np.int64]
SEEN = "seen"  # in `training`, for an adapter that was tuned on pairs: all that it has seen, those included


@dataclass(frozen=True, slots=True)
class Learned:
    """The rows of one store up to number `through`, without those held out; `store` tells it from every other one."""

    store: str
    through: int = 0
    held_out: tuple[int, ...] = ()

    def knows(self, numbers: Positions) -> NDArray[np.bool_]:
        """Whether each of these rows was learned from."""
        return (numbers <= self.through) & ~np.isin(numbers, self.held_out)

    def as_dict(self) -> dict[str, Any]:
        """For the manifest of an adapter."""
        return {"store": self.store, "through": self.through, "held_out": list(self.held_out)}


class Rows:
    """The row number of each pair of a person and an item in a data set that was read from this store."""

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self.store = store.identity
        numbers = store.interaction_numbers()
        self._keys, first = np.unique(dataset.users * dataset.n_items + dataset.items, return_index=True)
        self._numbers, self._n_items, self.last = numbers[first], dataset.n_items, int(numbers[-1])

    def of(self, user: int, items: Positions) -> Positions:
        """The numbers of what one person, by the row of `user_ids`, did with these items."""
        return self._numbers[np.searchsorted(self._keys, user * self._n_items + items)]

    def unknown(self, cases: Cases, before: Learned) -> Cases:
        """Those who went on to what an adapter has not learned from."""
        asked = zip(cases.known.users, cases.targets, strict=True)
        fair = [not before.knows(self.of(int(user), targets)).any() for user, targets in asked]
        return cases.only(np.flatnonzero(fair))

    def fresh(self, known: Known, before: Learned) -> list[NDArray[np.bool_]]:
        """For each history, which of its items an adapter has not learned from."""
        people = zip(known.users, known.histories, strict=True)
        return [~before.knows(self.of(int(user), history)) for user, history in people]

    def record(self, cases: Cases) -> Learned:
        """All that is stored now, but for what these people went on to."""
        asked = zip(cases.known.users, cases.targets, strict=True)
        held_out = [number for user, targets in asked for number in self.of(int(user), targets).tolist()]
        return Learned(self.store, self.last, tuple(sorted(held_out)))


def learned_by(adapter: Adapter, rows: Rows, dataset: Dataset) -> Learned:
    """What an adapter has learned from in this store: nothing, if it comes from one with other items.

    Raises:
        InputError: it has learned from people here, and from whom is not known.
    """
    if (known := _recorded(adapter, rows, RECORD)) is not None:
        return known
    if _knows_no_item(adapter, dataset):
        return Learned(rows.store)
    name = adapter.manifest.name
    raise InputError(
        f"The adapter {name!r} was tuned on these items elsewhere, or before records were kept: what it has "
        "learned from is not known, so nobody could be held out. Tune one from the start: `vouchrec finetune sft`."
    )


def seen_by(adapter: Adapter, rows: Rows, dataset: Dataset) -> Learned:
    """What nobody may be asked of an adapter: what it has learned from, or its pairs were drawn from.

    Raises:
        InputError: as `learned_by`.
    """
    seen = _recorded(adapter, rows, SEEN)
    return learned_by(adapter, rows, dataset) if seen is None else seen


def fairly_asked(adapter: Adapter, store: Store, dataset: Dataset, cases: Cases, others: bool = False) -> Cases:
    """Those of some held-out people whom an adapter, and those it was tuned from, have not learned from.

    If it was tuned in this store, the numbers of its rows tell, whatever has come since. Else all of them, where it
    knows no item here, was tuned on just these data, or `others` says that nobody here is among its people.

    Raises:
        InputError: there are none, or who they are is not known.
    """
    rows = Rows(store, dataset)
    if _recorded(adapter, rows, RECORD) is None:
        if others or _knows_no_item(adapter, dataset) or _was_tuned_on(adapter, dataset):
            return cases
        raise InputError(
            f"The adapter {adapter.manifest.name!r} was tuned on items that are here too, in another workspace or "
            "before records were kept: people here may be among those it has learned from. If none of them is, say so "
            "with --other-people (in Python others=True); else tune one here with `vouchrec finetune sft`."
        )
    if not len(fair := rows.unknown(cases, seen_by(adapter, rows, dataset))):
        raise InputError(
            f"Nobody is held out from {adapter.manifest.name!r}: it has learned from all that is stored. Tune one from "
            "the start with `vouchrec finetune sft`, or wait for new interactions and tune further."
        )
    return fair


def asked_of_both(adapter: Adapter, rival: Adapter, store: Store, dataset: Dataset, cases: Cases) -> Cases:
    """Those of some people who may be asked of an adapter of whom its rival has not learned either, as far as is known.

    Raises:
        InputError: there are none.
    """
    rows = Rows(store, dataset)
    seen = _recorded(rival, rows, SEEN) or _recorded(rival, rows, RECORD)
    if seen is None:
        return cases
    if not len(fair := rows.unknown(cases, seen)):
        raise InputError(
            f"{rival.manifest.name!r}, which serves, has learned from everybody who is held out from "
            f"{adapter.manifest.name!r}, so nobody can judge both. Tune with the seed of "
            f"{rival.manifest.name!r}, or take that out of service first: `vouchrec adapters use base`."
        )
    return fair


def _recorded(adapter: Adapter, rows: Rows, name: str) -> Learned | None:
    """A record of this name, None where there is none of this store."""
    told: Mapping[str, Any] | None = adapter.manifest.training.get(name)
    if told is None or told["store"] != rows.store:
        return None
    return Learned(rows.store, int(told["through"]), tuple(told["held_out"]))


def _knows_no_item(adapter: Adapter, dataset: Dataset) -> bool:
    return set(adapter.manifest.items).isdisjoint(map(item_key, dataset.catalogue))


def _was_tuned_on(adapter: Adapter, dataset: Dataset) -> bool:
    """Whether on these very data from the start, so that its seed tells whom it has not learned from."""
    told = adapter.manifest.training
    return "from" not in told and told.get("data") == dataset.fingerprint()
