"""From ranks and lists to numbers.

The standard ranking metrics come from ir-measures with its pytrec-eval provider, each distinct outcome computed once.
What it does not offer is written out here with its source. Higher is better except for Gini, calibration and the rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.schema import Item

Floats = NDArray[np.float64]
Lists = Sequence[NDArray[np.int64]]

LIST = 10  # the length of the lists that are judged as a whole
DEPTHS = (1, 5, 10, 20, 50, 100, 200)  # of recall; the other metrics stop at CUTS
CUTS = (5, 10, 20)
DEEPEST = max(DEPTHS)
SMOOTHING = 0.01  # the share of the history's distribution that calibration mixes into that of the list


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where each case's targets stand: ranks from 1 among `candidates`, ascending; one row of both for each case."""

    targets: tuple[tuple[int, ...], ...]
    candidates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)


def joined(parts: Sequence[Ranks]) -> Ranks:
    """The cases of several parts as one."""
    return Ranks(tuple(t for part in parts for t in part.targets), np.concatenate([part.candidates for part in parts]))


def ranking_metrics(ranks: Ranks) -> dict[str, Floats]:
    """By metric, one number for each case: hr, precision, recall, f1, ndcg and mrr at k, recall at all DEPTHS, auc."""
    outcomes = sorted({_outcome(targets) for targets in ranks.targets})
    row = {outcome: place for place, outcome in enumerate(outcomes)}
    rows = np.array([row[_outcome(targets)] for targets in ranks.targets], dtype=np.int64)
    found = {name: values[rows] for name, values in _measured(outcomes).items()}
    for k in CUTS:
        precision, recall = found[f"precision@{k}"], found[f"recall@{k}"]
        found[f"f1@{k}"] = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        found[f"mrr@{k}"] = np.where(found["mrr"] >= 1 / k - 1e-12, found["mrr"], 0.0)
    del found["mrr"]
    found["auc"] = _auc(ranks)
    return dict(sorted(found.items(), key=lambda pair: _place(pair[0])))


def _outcome(targets: tuple[int, ...]) -> tuple[int, ...]:
    """How many targets there were, then the ranks of those that were found by DEEPEST."""
    return (len(targets), *(r for r in targets if r <= DEEPEST))


def _measured(outcomes: Sequence[tuple[int, ...]]) -> dict[str, Floats]:
    from ir_measures import RR, P, R, Success, nDCG
    from ir_measures.providers import PytrecEvalProvider

    # This provider has RR without a cutoff only (with one it answers 0), so `ranking_metrics` cuts it.
    names = {RR: "mrr"} | {R @ k: f"recall@{k}" for k in DEPTHS}
    for k in CUTS:
        names |= {Success @ k: f"hr@{k}", P @ k: f"precision@{k}", nDCG @ k: f"ndcg@{k}"}
    # Targets are named t<place>; what stands on the other ranks is filler, which no metric tells apart.
    wanted = {str(q): {f"t{place}": 1 for place in range(count)} for q, (count, *_) in enumerate(outcomes)}
    run = {}
    for q, (_, *places) in enumerate(outcomes):
        at = {rank: f"t{place}" for place, rank in enumerate(places)}
        run[str(q)] = {at.get(rank, f"f{rank}"): float(-rank) for rank in range(1, DEEPEST + 1)}
    found = {name: np.zeros(len(outcomes)) for name in names.values()}
    for metric in PytrecEvalProvider().evaluator(list(names), wanted).iter_calc(run):
        found[names[metric.measure]][int(metric.query_id)] = metric.value
    return found


def _auc(ranks: Ranks) -> Floats:
    """The share of pairs of a target and another candidate in which the target stands first."""
    values = np.ones(len(ranks))
    for case, (targets, candidates) in enumerate(zip(ranks.targets, ranks.candidates.tolist(), strict=True)):
        others = candidates - len(targets)
        if others > 0:
            ahead = sum(rank - 1 - place for place, rank in enumerate(sorted(targets)))
            values[case] = 1 - ahead / (others * len(targets))
    return values


def _place(name: str) -> tuple[int, int]:
    kind, _, k = name.partition("@")
    return ("ndcg", "hr", "recall", "precision", "f1", "mrr", "auc").index(kind), int(k or 0)


# -- lists as a whole: one number for all cases


def coverage(lists: Lists, n_items: int) -> float:
    """The share of the catalogue that stands in at least one list."""
    return len(np.unique(np.concatenate([*lists, np.zeros(0, dtype=np.int64)]))) / n_items


def gini(lists: Lists, n_items: int) -> float:
    """How unequally places in lists fall to items: 0 when all items have the same number, near 1 when few have all.

    Over the whole catalogue; the formula is that of Fleder and Hosanagar, "Blockbuster Culture's Next Rise or Fall",
    Management Science 2009.
    """
    places = np.bincount(np.concatenate([*lists, np.zeros(0, dtype=np.int64)]), minlength=n_items)
    if not places.sum():
        return 0.0
    share = np.sort(places) / places.sum()
    return float(((2 * np.arange(1, n_items + 1) - n_items - 1) * share).sum() / n_items)


# -- lists one by one: a number for each case


def novelty(lists: Lists, popularity: NDArray[np.int64], n_people: int) -> Floats:
    """The mean of -log2 of the share of people who know an item, in bits; one nobody knows counts as known to one.

    Vargas and Castells, "Rank and Relevance in Novelty and Diversity Metrics for Recommender Systems", RecSys 2011.
    """
    known = np.log2(np.maximum(popularity, 1) / max(n_people, 1))
    return np.array([-known[items].mean() if len(items) else 0.0 for items in lists])


def diversity(lists: Lists, vectors: NDArray[np.float32]) -> Floats:
    """The mean of 1 - cosine over all pairs of a list; 0 for a list of one.

    Ziegler et al., "Improving Recommendation Lists Through Topic Diversification", WWW 2005. `vectors` has unit rows.
    """
    values = np.zeros(len(lists))
    for case, items in enumerate(lists):
        n = len(items)
        if n > 1:
            total = vectors[items].sum(axis=0, dtype=np.float64)
            values[case] = 1 - (total @ total - n) / (n * (n - 1))
    return values


def miscalibration(lists: Lists, histories: Lists, kinds: Floats) -> Floats:
    """How far the kinds in a list are from those in the history: KL divergence in nats, 0 is perfectly calibrated.

    Steck, "Calibrated Recommendations", RecSys 2018, formulas 2 to 4 with uniform weights and alpha = SMOOTHING.
    `kinds` is (items, kinds), each row the share of an item's kinds, or all zeros where it has none. NaN where the
    history or the list has no kinds.
    """
    values = np.full(len(lists), np.nan)
    for case, (items, history) in enumerate(zip(lists, histories, strict=True)):
        wanted, given = kinds[history].sum(axis=0), kinds[items].sum(axis=0)
        if wanted.sum() and given.sum():
            p, q = wanted / wanted.sum(), given / given.sum()
            q = (1 - SMOOTHING) * q + SMOOTHING * p
            there = p > 0
            values[case] = float((p[there] * np.log(p[there] / q[there])).sum())
    return values


def kinds_of(catalogue: Sequence[Item], attribute: str) -> Floats:
    """(items, kinds): each item's words of one attribute as shares that add up to 1."""
    words = sorted({word for item in catalogue for word in item.words(attribute)})
    column = {word: place for place, word in enumerate(words)}
    shares = np.zeros((len(catalogue), len(words)))
    for row, item in enumerate(catalogue):
        own = item.words(attribute)
        for word in own:
            shares[row, column[word]] += 1 / len(own)
    return shares


def list_rates(
    lists: Sequence[Sequence[str]], known: Sequence[frozenset[str]], catalogue: frozenset[str]
) -> Mapping[str, float]:
    """Of all places in lists of item ids: the share not in the catalogue, named before in the list, or already seen."""
    places = max(sum(len(ids) for ids in lists), 1)
    return {
        "off_catalogue": sum(i not in catalogue for ids in lists for i in ids) / places,
        "repeat": sum(len(ids) - len(set(ids)) for ids in lists) / places,
        "seen": sum(i in seen for ids, seen in zip(lists, known, strict=True) for i in ids) / places,
    }


# -- groups of people


def groups_by(people: Sequence[Mapping[str, object]], attribute: str) -> list[str]:
    """The group of each person: the word, or for an attribute of more than ten numbers one of four equal parts.

    Raises InputError when nobody has the attribute.
    """
    told = [person.get(attribute) for person in people]
    if all(value is None for value in told):
        known = sorted({name for person in people for name in person})
        raise InputError(f"Nobody has the attribute {attribute!r}. People have: {', '.join(known) or 'none'}.")
    numbers = [_number(value) for value in told]
    there = sorted({n for n in numbers if n is not None})
    if len(there) <= 10 or any(n is None and v is not None for n, v in zip(numbers, told, strict=True)):
        return ["unknown" if value is None else str(value) for value in told]
    ordered = np.array([n for n in numbers if n is not None])
    cuts = np.quantile(ordered, [0.25, 0.5, 0.75], method="nearest")
    names = [f"<= {cuts[0]:g}", *(f"{low:g} < .. <= {high:g}" for low, high in zip(cuts, cuts[1:], strict=False))]
    names.append(f"> {cuts[-1]:g}")
    return ["unknown" if n is None else names[int(np.searchsorted(cuts, n))] for n in numbers]


def by_group(values: Floats, groups: Sequence[str], smallest: int = 20) -> dict[str, tuple[float, int]]:
    """(mean, people) by group, for the groups with at least `smallest` people."""
    names = np.array(groups)
    return {
        str(name): (float(values[names == name].mean()), int((names == name).sum()))
        for name in np.unique(names)
        if (names == name).sum() >= smallest
    }


def gap(groups: Mapping[str, tuple[float, int]]) -> float:
    """The best group's mean less the worst one's; 0 where there are fewer than two groups."""
    means = [mean for mean, _ in groups.values()]
    return max(means) - min(means) if means else 0.0


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
