"""What a run says: metrics with intervals, pairs, groups, and how quality moves with depth, history and popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from finetune.evaluate.baselines import popularity_of
from finetune.evaluate.bootstrap import Interval, interval, paired, per_person
from finetune.evaluate.metrics import (
    DEEPEST,
    LIST,
    by_group,
    coverage,
    diversity,
    gap,
    gini,
    groups_by,
    kinds_of,
    miscalibration,
    novelty,
    ranking_metrics,
)
from finetune.evaluate.run import CHOSEN_BY, Outcome, Run

Floats = NDArray[np.float64]
Groups = tuple[dict[str, tuple[float, int]], float]
RETRIEVED = 50  # how many candidates the language model is given: the depth of the conditional score
BUCKETS = 4


@dataclass(frozen=True)
class Report:
    """What a run says; everything is computed when it is first asked for."""

    run: Run

    @cached_property
    def values(self) -> Mapping[str, tuple[Mapping[str, Floats], ...]]:
        """By system and seed: every metric that is a number for each case."""
        return {name: tuple(self._per_case(o) for o in outcomes) for name, outcomes in self.run.outcomes.items()}

    @cached_property
    def systems(self) -> Mapping[str, Mapping[str, Interval]]:
        """By system: every metric with its interval.

        The interval is over people; for coverage and Gini, which are of all lists together, it is the range over seeds.
        """
        return {name: self._summary(name) for name in self.run.outcomes}

    @cached_property
    def differences(self) -> Mapping[tuple[str, str], Interval]:
        """The paired interval of the first's ndcg@10 less the second's, for every two systems, the better one first."""
        names = self.best_first
        pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
        return {(a, b): self.difference(a, b) for a, b in pairs}

    def difference(self, first: str, second: str, metric: str = CHOSEN_BY) -> Interval:
        """The paired interval of one metric of the first less that of the second; InputError for an unknown system."""
        for name in (first, second):
            if name not in self.values:
                raise InputError(f"There is no system {name!r} in this run; there are: {', '.join(self.values)}.")
        a, b = ([v[metric] for v in self.values[name]] for name in (first, second))
        return paired(self._users(self.run.outcomes[first]), a, b)

    def groups(self, attribute: str, metric: str = CHOSEN_BY) -> Mapping[str, Groups]:
        """By system: (mean, people) of each group of people with one attribute, and the gap between best and worst."""
        dataset = self.run.plan.dataset
        found = {}
        for name, outcomes in self.run.outcomes.items():
            users, values = per_person(self._users(outcomes), [v[metric] for v in self.values[name]])
            people = [dataset.people.get(dataset.user_ids[u], {}) for u in users]
            groups = by_group(values, groups_by(people, attribute))
            found[name] = groups, gap(groups)
        return found

    def as_dict(self) -> dict[str, Any]:
        """The object of `--json`: names and numbers only, the same for the same seeds."""
        return {
            "protocol": self.run.plan.protocol,
            "data": self.run.plan.dataset.name,
            "seeds": list(self.run.plan.seeds),
            "refit": self.run.plan.refit,
            "systems": {
                name: {metric: i.as_dict() for metric, i in metrics.items()} for name, metrics in self.systems.items()
            },
        }

    def details(self) -> dict[str, Any]:
        """What else there is to know: pairs, groups, what was tuned, rates of lists, times."""
        people = self.run.plan.dataset.people.values()
        attributes = sorted({name for person in people for name in person})
        return {
            **self.as_dict(),
            "people_asked": [len(s.test) for s in self.run.splits],
            "people_left_out": [s.left_out for s in self.run.splits],
            "differences": [
                {"first": a, "second": b, "metric": CHOSEN_BY, **i.as_dict()} for (a, b), i in self.differences.items()
            ],
            "groups": {
                attribute: {
                    name: {"groups": {g: {"mean": m, "people": n} for g, (m, n) in groups.items()}, "gap": difference}
                    for name, (groups, difference) in self.groups(attribute).items()
                }
                for attribute in attributes
            },
            "tuning": {
                name: {"setting": dict(outcomes[0].setting), "trials": list(outcomes[0].tried)}
                for name, outcomes in self.run.outcomes.items()
            },
            "rates": {n: _means([o.rates for o in outcomes]) for n, outcomes in self.run.outcomes.items()},
            "weights": {n: _means([o.weights for o in outcomes]) for n, outcomes in self.run.outcomes.items()},
            "timings_ms": {n: _means([o.timings for o in outcomes]) for n, outcomes in self.run.outcomes.items()},
        }

    @property
    def best_first(self) -> list[str]:
        """The systems by their mean ndcg@10."""
        return sorted(self.systems, key=lambda name: -self.systems[name][CHOSEN_BY].mean)

    @property
    def title(self) -> str:
        """The data set and the protocol."""
        return f"{self.run.plan.dataset.name}, {self.run.plan.protocol}"

    @property
    def caption(self) -> str:
        """Who was asked what, in one paragraph."""
        plan, splits = self.run.plan, self.run.splits
        left_out = f" {splits[0].left_out:,} people were not asked, but learned from." if splits[0].left_out else ""
        chance = min(1.0, RETRIEVED / plan.dataset.n_items)
        judge = "retrieval as served" if "fused" in self.run.outcomes else "the system itself"
        learned = "and validation" if plan.refit else "alone (no refit)"
        return (
            f"{len(splits[0].test):,} people asked, {plan.dataset.n_items:,} items, {len(splits)} "
            f"{'seed' if len(splits) == 1 else 'seeds'}; learned from training {learned}; the full catalogue is "
            f"ranked, seen items left out; 95% intervals over people.{left_out} recall@{RETRIEVED} by chance: "
            f'{chance:.4f}. "If retrieved": people whose item is among the first {RETRIEVED} of {judge}.'
        )

    # -- by case

    def _per_case(self, outcome: Outcome) -> Mapping[str, Floats]:
        split = self.run.splits[self.run.plan.seeds.index(outcome.seed)]
        lists = [np.array(items, dtype=np.int64) for items in outcome.lists]
        found = ranking_metrics(outcome.as_ranks())
        within = self._was_retrieved(outcome)
        for metric in ("ndcg@10", "hr@10"):
            found[f"{metric} if retrieved"] = np.where(within, found[metric], np.nan)
        people = len(split.learned)
        found[f"novelty@{LIST}"] = novelty(lists, popularity_of(split.learned, split.n_items), people)
        dataset = self.run.plan.dataset
        if dataset.vectors is not None:
            found[f"diversity@{LIST}"] = diversity(lists, dataset.vectors)
        if self._kinds is not None:
            found[f"miscalibration@{LIST}"] = miscalibration(lists, split.test.known.histories, self._kinds)
        return found

    def _was_retrieved(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Whether a target is among the RETRIEVED first of retrieval as served; without it, of the system itself."""
        by = self.run.outcomes.get("fused")
        judge = by[self.run.plan.seeds.index(outcome.seed)] if by else outcome
        return np.array([bool(ranks) and ranks[0] <= RETRIEVED for ranks in judge.ranks])

    @cached_property
    def _kinds(self) -> Floats | None:
        types = self.run.plan.dataset.attribute_types
        lists = [name for name, kind in types.items() if kind == "list"]
        attribute = next((n for n in ("genres", "categories", "tags") if n in lists), lists[0] if lists else None)
        return None if attribute is None else kinds_of(self.run.plan.dataset.catalogue, attribute)

    def _summary(self, name: str) -> dict[str, Interval]:
        outcomes, n_items = self.run.outcomes[name], self.run.plan.dataset.n_items
        found = {}
        for metric in self.values[name][0]:
            _, values = per_person(self._users(outcomes), [v[metric] for v in self.values[name]])
            if len(values):
                found[metric] = interval(values)
        lists = [[np.array(items, dtype=np.int64) for items in o.lists] for o in outcomes]
        for metric, of in ((f"coverage@{LIST}", coverage), (f"gini@{LIST}", gini)):
            each = [of(seed, n_items) for seed in lists]
            found[metric] = Interval(float(np.mean(each)), min(each), max(each))
        return found

    def _users(self, outcomes: Sequence[Outcome]) -> list[NDArray[np.int64]]:
        return [np.array(o.users, dtype=np.int64) for o in outcomes]

    # -- along the x axes of the figure

    def by_depth(self, name: str) -> tuple[NDArray[np.int64], Floats]:
        """(depths from 1, the share of targets found by then)."""
        ranks = np.array([r for o in self.run.outcomes[name] for targets in o.ranks for r in targets])
        depths = np.unique(np.geomspace(1, DEEPEST, 40).astype(int))
        return depths, np.array([(ranks <= depth).mean() for depth in depths])

    def by_history(self, name: str) -> list[tuple[str, float, float]]:
        """(lengths, mean ndcg@10, standard error) for equal parts of the cases by the length of their history."""
        lengths = [np.array([len(h) for h in s.test.known.histories]) for s in self.run.splits]
        return self._in_buckets(name, np.concatenate(lengths).astype(np.float64))

    def by_popularity(self, name: str) -> list[tuple[str, float, float]]:
        """The same by how many people in what was learned from know the target (the best known of several)."""
        told = []
        for split in self.run.splits:
            popularity = popularity_of(split.learned, split.n_items)
            told.append([float(popularity[targets].max()) for targets in split.test.targets])
        return self._in_buckets(name, np.concatenate([np.array(t) for t in told]))

    def _in_buckets(self, name: str, by: Floats) -> list[tuple[str, float, float]]:
        values = np.concatenate([v[CHOSEN_BY] for v in self.values[name]])
        cuts = np.unique(np.quantile(by, np.linspace(0, 1, BUCKETS + 1)[1:-1], method="nearest"))
        bucket = np.searchsorted(cuts, by)
        found = []
        for place in np.unique(bucket):
            own, inside = values[bucket == place], by[bucket == place]
            low, high = inside.min(), inside.max()
            label = f"{low:.0f}" if low == high else f"{low:.0f}-{high:.0f}"
            found.append((label, float(own.mean()), float(own.std() / np.sqrt(len(own)))))
        return found


def _means(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}
