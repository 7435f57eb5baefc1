"""Fit, tune, rank, keep: one small file for each system and seed, so that a run that was killed goes on where it was.

A file is named after what decided it (data, split, system, settings), so that nothing stale is ever read, and it holds
ranks and lists, not metrics: those are computed from it in a moment (report.py).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError, VouchrecError
from agent.files import replacing
from agent.progress import Progress, silent
from finetune.evaluate.audit import audit_prompts, audit_split, audit_transitions, require_clean
from finetune.evaluate.choose import Contender, Setting
from finetune.evaluate.data import Dataset
from finetune.evaluate.metrics import DEEPEST, LIST, Ranks, joined, list_rates, ranking_metrics
from finetune.evaluate.splits import Cases, Split, make_split
from finetune.evaluate.systems import System

VERSION = 2  # of what a file holds and of how it comes about: raise it, and nothing from before is read again
CHOSEN_BY = "ndcg@10"
AT_ONCE = 256  # people whose scores are held in memory together


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run. `people` limits who is asked (None: everyone); `folder` keeps what was done.

    `refit` says whether every system also learns what was held out for validation before test people are asked.
    """

    dataset: Dataset
    protocol: str
    seeds: tuple[int, ...]
    contenders: tuple[Contender, ...]
    folder: Path
    people: int | None = None
    refit: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one system did with one seed. All sequences are by case.

    `ranks` are those of the targets from 1 (ascending) among `candidates` items; `lists` hold the LIST best positions;
    `tried` is the validation score by setting in the order of trials (on seed 0), `rates`
    and `timings` (median milliseconds by stage) are of the lists as they were served; `weights` are those of
    the sources that were fused, as learned.
    """

    system: str
    seed: int
    setting: Setting
    tried: tuple[float, ...]
    users: tuple[int, ...]
    ranks: tuple[tuple[int, ...], ...]
    candidates: tuple[int, ...]
    lists: tuple[tuple[int, ...], ...]
    rates: Mapping[str, float]
    timings: Mapping[str, float]
    weights: Mapping[str, float]

    def as_ranks(self) -> Ranks:
        """The ranks as the metrics take them."""
        return Ranks(self.ranks, np.array(self.candidates, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was run: splits by seed, and outcomes by system, one for each seed in the order of the plan."""

    plan: Plan
    splits: tuple[Split, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]]


def run(plan: Plan, progress: Progress = silent) -> Run:
    """Run what is not in the folder yet, and read the rest from there.

    Raises:
        InputError: the plan asks for nothing, or the split is empty.
        LeakError: what is to be found can be read somewhere.
    """
    if not plan.seeds or not plan.contenders:
        raise InputError("There is nothing to run: give at least one seed and one system.")
    plan.folder.mkdir(parents=True, exist_ok=True)
    splits = tuple(split_of(plan, seed) for seed in plan.seeds)
    data = plan.dataset.fingerprint()
    # Always on the same split, so that one seed alone gives the row that it gives among others.
    first = splits[plan.seeds.index(0)] if 0 in plan.seeds else split_of(plan, 0)
    tuning = replace(first, refit=None)  # what is asked while tuning must not be learned
    total = len(plan.contenders) * len(splits)
    outcomes: dict[str, tuple[Outcome, ...]] = {}
    for number, contender in enumerate(plan.contenders):
        setting, tried = _chosen(contender, plan, tuning, data, progress)
        found = []
        for place, split in enumerate(splits):
            progress("evaluate", number * len(splits) + place, total)
            found.append(_outcome(contender, setting, tried, plan, split, data, progress))
        outcomes[contender.name] = tuple(found)
    progress("evaluate", total, total)
    return Run(plan, splits, outcomes)


def split_of(plan: Plan, seed: int) -> Split:
    """The split of a seed, audited."""
    split = make_split(plan.dataset, plan.protocol, seed, refit=plan.refit)
    require_clean(audit_split(split, plan.dataset))
    return split if plan.people is None else split.sampled(plan.people)


def ranked(scores: NDArray[np.float64], cases: Cases, split: Split) -> tuple[Ranks, list[NDArray[np.int64]]]:
    """Ranks of the targets and the DEEPEST best positions, for (people, items) scores.

    What a history holds is left out. Equal scores fall in an order drawn from the seed, the same for every system: the
    order of a catalogue may follow popularity, and would flatter a system that cannot tell items apart.

    Raises:
        VouchrecError: a score is NaN, or the shape is not (people, items).
    """
    if scores.shape != (len(cases), split.n_items) or np.isnan(scores).any():
        raise VouchrecError(
            f"A system gave scores of shape {scores.shape} with {int(np.isnan(scores).sum())} NaN; expected "
            f"({len(cases)}, {split.n_items}) without NaN. This is a fault of the system, not of the data."
        )
    drawn = np.random.default_rng([split.seed, 5]).permutation(split.n_items)
    targets, candidates, best = [], [], []
    for row, (history, wanted) in enumerate(zip(cases.known.histories, cases.targets, strict=True)):
        order = drawn[np.argsort(-scores[row, drawn], kind="stable")]
        order = order[~np.isin(order, history)]
        place = np.empty(split.n_items, dtype=np.int64)
        place[order] = np.arange(1, len(order) + 1)
        targets.append(tuple(sorted(int(place[item]) for item in wanted)))
        candidates.append(len(order))
        best.append(order[:DEEPEST])
    return Ranks(tuple(targets), np.array(candidates, dtype=np.int64)), best


def _chosen(
    contender: Contender, plan: Plan, split: Split, data: str, progress: Progress
) -> tuple[Setting, tuple[float, ...]]:
    """The setting that is best on the validation people of seed 0; the first of equals."""
    if len(contender.trials) == 1:
        return contender.trials[0], ()
    tried: list[float] = []
    for setting in contender.trials:
        file = plan.folder / f"{contender.name}-trial-{_key(contender, setting, split, data, plan.people)}.json"
        known = _read(file)
        if known is None:
            progress(f"tune {contender.name}", len(tried), len(contender.trials))
            known = {"validation": _validated(contender, setting, plan.dataset, split, progress)}
            _write(file, known)
        tried.append(float(known["validation"]))
    progress(f"tune {contender.name}", len(tried), len(contender.trials))
    return contender.trials[int(np.argmax(tried))], tuple(tried)


def _validated(contender: Contender, setting: Setting, dataset: Dataset, split: Split, progress: Progress) -> float:
    with _fitted(contender, setting, dataset, split, progress) as system:
        ranks = [ranked(system.scores(c.known), c, split)[0] for c in _parts(split.validation)]
    return float(ranking_metrics(joined(ranks))[CHOSEN_BY].mean())


def _outcome(
    contender: Contender,
    setting: Setting,
    tried: tuple[float, ...],
    plan: Plan,
    split: Split,
    data: str,
    progress: Progress,
) -> Outcome:
    key = _key(contender, setting, split, data, plan.people)
    file = plan.folder / f"{contender.name}-seed{split.seed}-{key}.json"
    known = _read(file)
    if known is None:
        known = asdict(_measured(contender, setting, plan.dataset, split, progress))
        _write(file, known)
    tuples = {name: tuple(known[name]) for name in ("users", "candidates")}
    nested = {name: tuple(tuple(row) for row in known[name]) for name in ("ranks", "lists")}
    return Outcome(**{**known, **tuples, **nested, "tried": tried})


def _measured(contender: Contender, setting: Setting, dataset: Dataset, split: Split, progress: Progress) -> Outcome:
    """Fit with the chosen setting, and ask the test people."""
    targets: list[tuple[int, ...]] = []
    candidates: list[int] = []
    lists: list[tuple[int, ...]] = []
    named: list[Sequence[str]] = []
    scoring: list[float] = []
    with _fitted(contender, setting, dataset, split, progress) as system:
        for part in _parts(split.test):
            begun = time.perf_counter()
            scores = system.scores(part.known)
            scoring.append(1000 * (time.perf_counter() - begun) / len(part))
            require_clean(_leaks_of(system, part, dataset, split))
            ranks, best = ranked(scores, part, split)
            targets += ranks.targets
            candidates += ranks.candidates.tolist()
            lists += [tuple(order[:LIST].tolist()) for order in best]
            named += getattr(system, "lists", None) or [
                [dataset.catalogue[p].item_id for p in order[:LIST]] for order in best
            ]
            progress(f"ask {contender.name}", len(targets), len(split.test))
        weights = getattr(system, "weights", {})
        timings = {stage: float(np.median(values)) for stage, values in getattr(system, "timings", {}).items()}
    ids = [item.item_id for item in dataset.catalogue]
    seen = [frozenset(ids[p] for p in history) for history in split.test.known.histories]
    return Outcome(
        system=contender.name,
        seed=split.seed,
        setting=setting,
        tried=(),
        users=tuple(split.test.known.users.tolist()),
        ranks=tuple(targets),
        candidates=tuple(candidates),
        lists=tuple(lists),
        rates=list_rates(named, seen, frozenset(ids)),
        timings={"score": float(np.median(scoring)), **timings},
        weights=weights,
    )


@contextmanager
def _fitted(
    contender: Contender, setting: Setting, dataset: Dataset, split: Split, progress: Progress
) -> Iterator[System]:
    system = contender.make(**setting)
    close: Callable[[], None] = getattr(system, "close", lambda: None)
    try:
        system.fit(split.without_test(), dataset, split.seed, progress)
        yield system
    finally:
        close()


def _leaks_of(system: System, cases: Cases, dataset: Dataset, split: Split) -> Iterator[Any]:
    if hasattr(system, "transitions"):
        yield from audit_transitions(system.transitions, split.learned)
    if hasattr(system, "prompts"):
        template = getattr(system, "template", "")
        yield from audit_prompts(system.prompts, cases, dataset.catalogue, template)


def _parts(cases: Cases) -> Iterator[Cases]:
    for start in range(0, len(cases), AT_ONCE):
        yield cases.only(np.arange(start, min(start + AT_ONCE, len(cases))))


def _key(contender: Contender, setting: Setting, split: Split, data: str, people: int | None) -> str:
    """What a file is named after. The number of trials is not in it: more trials go on from what is there."""
    decided = [VERSION, data, split.fingerprint(), people, contender.name, dict(setting), dict(contender.identity)]
    return hashlib.sha256(json.dumps(decided, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InputError(f"{file} is damaged ({error}). Delete it and run the same command again.") from error
    return found


def _write(file: Path, found: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    with replacing(file) as draft:
        draft.write_text(json.dumps(found), encoding="utf-8")
