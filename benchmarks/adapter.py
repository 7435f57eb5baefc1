"""What tuning is worth on people who were in no part of it: tune, let others choose the weight, then ask once.

Everyone's last interaction is taken out of the data before anything is learned (leave-one-out, ties in time broken by a
seeded shuffle). The rest is tuned on as in `vouchrec finetune sft` and weighed as in `vouchrec finetune promote`, on
people whose last remaining interaction is held out in turn; only then are the last interactions asked for, with the
weight that was chosen so. NDCG@10 and HR@10 of the final order beside fused retrieval alone, over all people and over
those whose item is among the candidates, with paired intervals over people (each the mean of their seeds): once with
retrieval as a new workspace has it, and once as `vouchrec finetune behaviour` learns it, with a weight for each; and
what the model names without candidates.

    python benchmarks/adapter.py --preset items --seeds 5 --json out.json
    python benchmarks/adapter.py --data ml-latest-small --core 5 --seed 0

Every seed learns anew. It goes on where it was killed, and seeds that were asked one by one (`--seed 3`) are not asked
again. With `--ship` the gate also compares with what serves, which takes the untuned model a second a person, and what
passes in a new workspace on the first seed comes with the package from then on.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import describe_run, open_data, write_json  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tuned import (  # type: ignore[import-not-found]
    RETRIEVALS,
    Ground,
    adapters_tuned,
    each_person,
    learned_of_example,
    lister_with,
)

from agent.build import DATASETS
from agent.generation.adapters import RECORD, Adapter, Adapters, save_manifest
from agent.retrieval.fusion import Weights
from agent.shipped import FOLDER
from agent.stopwatch import Stopwatch
from finetune.evaluate.bootstrap import Interval, interval
from finetune.evaluate.metrics import LIST
from finetune.evaluate.splits import Split, make_split
from finetune.gate import PEOPLE, Judged, places
from finetune.learned import Learned
from finetune.recipe import read_config
from finetune.retrieval import learn_retrieval
from finetune.training import Recipe
from ui.terminal import Terminal

Floats = NDArray[np.float64]
ORDERS = ("retrieval", "model", "final")  # by retrieval alone, by the model alone, by both


def main() -> None:
    """Tune, judge, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="items")
    parser.add_argument("--data", type=Path, help="a folder as `vouchrec evaluate --data` takes it, for the example")
    parser.add_argument("--texts", type=Path, help="texts of its items, by their ids")
    parser.add_argument("--core", type=int, default=1, help="only people and items with so many interactions")
    parser.add_argument("--seeds", type=int, default=1, help="so many, from 0 on")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--judged", type=int, default=PEOPLE, help="validation people who choose the weight")
    parser.add_argument("--ship", action="store_true", help="let the gate compare, and package what passes")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    seeds = range(arguments.seeds) if arguments.seed is None else (arguments.seed,)
    adapters: list[dict[str, Adapter]] = []
    asked = []
    with Terminal().progress(keep=True) as progress:
        ground = Ground(*open_data(arguments.data, arguments.texts, arguments.core, progress), progress)
        for config in (read_config(arguments.preset, seed=seed) for seed in seeds):
            split = make_split(ground.dataset, "leave-one-out", config.seed)
            preset, people = Path(arguments.preset).stem, arguments.judged
            judged = adapters_tuned(ground, split, config, preset, people, gated=arguments.ship)
            adapters.append(judged)
            asked.append({called: _answers(ground, split, called, judged[called], config.seed) for called in judged})
    weights = {called: [one[called].manifest.model_weight for one in adapters] for called in RETRIEVALS}
    figures = report(asked, weights)
    gates = {called: [one[called].manifest.measures for one in adapters] for called in RETRIEVALS}
    write_json(
        arguments.json,
        {**describe_run(), "config": config.model_dump(), "weights": weights, "gates": gates, **figures},
    )
    if arguments.ship:
        split = make_split(ground.dataset, "leave-one-out", seeds[0])
        ship(**adapters[0], figures=figures, learned_from=learned_of_example(ground, split, seeds[0]))


def _answers(ground: Ground, split: Split, called: str, adapter: Adapter, seed: int) -> dict[str, Floats]:
    """What `_ask` found with the weight that was chosen, kept so that it is asked once."""
    file, weight = ground.kept / f"answers-{adapter.manifest.name}-{called}.npz", adapter.manifest.model_weight
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            if float(kept["weight"]) == weight:
                return {name: kept[name] for name in kept.files}
    answers = {"weight": np.array(weight), **_ask(ground, split, called, adapter, seed)}
    np.savez(file, **answers)  # type: ignore[arg-type]
    return answers


def _ask(ground: Ground, split: Split, called: str, adapter: Adapter, seed: int) -> dict[str, Floats]:
    """(people,) each: the place of what they went on to, 0 where it was not named.

    By the three orders of the candidates and by "alone", which names out of the whole catalogue; "among" says whether
    it was among the candidates.
    """
    learned = learn_retrieval(
        ground.dataset, ground.encoder, split.training, split.validation, indexes=ground.kept / f"indexes-{seed}",
        recipe=Recipe(seed=seed), folder=ground.kept, progress=ground.progress,
    )  # fmt: skip
    sources, weights = learned.sources, learned.weights
    if called == "new":
        sources, weights = tuple(source for source in sources if source.name != "behaviour"), Weights()
    lister = lister_with(ground, ground.dataset, sources, weights, adapter)
    judged, alone = [], []
    for query, prompt, targets in each_person(ground, lister, split.test, f"{called} retrieval, seed {seed}"):
        wanted = {lister.catalogue.ids[place] for place in targets}
        judged.append(
            Judged.of(lister.retrieved(query, prompt, ground.settings.candidates, 0.0, Stopwatch())[0], wanted)
        )
        named = lister.generated(query, prompt, LIST, Stopwatch())[0]
        alone.append(_place([one.item.item_id for one in named], wanted))
    learned.close()
    without = [replace(one, retrieval=0 * one.retrieval) for one in judged]
    return {
        "retrieval": places(judged, 0.0),
        "model": places(without, 1.0),
        "final": places(judged, adapter.manifest.model_weight),
        "among": np.array([float(one.chosen >= 0) for one in judged]),
        "alone": np.array(alone),
    }


def _place(named: Sequence[str], wanted: set[str]) -> float:
    return next((float(place) for place, one in enumerate(named, start=1) if one in wanted), 0.0)


METRICS = {
    "NDCG@10": lambda place: np.where((place > 0) & (place <= LIST), 1 / np.log2(np.maximum(place, 1) + 1), 0.0),
    "HR@10": lambda place: ((place > 0) & (place <= LIST)).astype(float),
}


def report(
    asked: Sequence[Mapping[str, Mapping[str, Floats]]], weights: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """Print a table for each retrieval; all figures.

    Means over seeds are taken person by person, over the seeds in which the person counts, so that the intervals are
    over people.
    """
    figures: dict[str, Any] = {"seeds": len(asked), "people": len(asked[0]["new"]["among"])}
    for called in RETRIEVALS:
        told = [one[called] for one in asked]
        among = np.array([one["among"] for one in told])
        table = Table(
            title=f"retrieval: {called}; {figures['people']} test people, {len(asked)} seeds, item among candidates: "
            f"{among.mean():.3f}; weights {', '.join(f'{weight:g}' for weight in weights[called])}"
        )
        for column in ("", "people", "retrieval", "model alone", "final", "gain of final (95% interval)", "relative"):
            table.add_column(column, justify="right")
        figures[called] = {"among candidates": float(among.mean())}
        for metric, of in METRICS.items():
            values = {order: np.array([of(one[order]) for one in told]) for order in ORDERS}
            values["gain"] = values["final"] - values["retrieval"]
            for name, counts in (("all", np.ones_like(among)), ("item among candidates", among)):
                means = {what: over_people(value, counts) for what, value in values.items()}
                relative = means["gain"].mean / means["retrieval"].mean
                kept = {**{what: one.as_dict() for what, one in means.items()}, "relative": relative}
                figures[called].setdefault(metric, {})[name] = kept
                cells = [f"{means[order].mean:.4f}" for order in ORDERS]
                table.add_row(metric, name, *cells, _gain(means["gain"]), f"{relative:+.1%}")
        Console(width=130).print(table)
    for metric, of in METRICS.items():
        alone = np.array([of(one["new"]["alone"]) for one in asked])
        mean = over_people(alone, np.ones_like(alone))
        figures.setdefault("without candidates", {})[metric] = mean.as_dict()
        print(f"by the model alone, without candidates: {metric} {mean.mean:.4f} ({mean.low:.4f} to {mean.high:.4f})")
    return figures


def over_people(values: Floats, counts: Floats) -> Interval:
    """The mean over people of (seeds, people) values, each the mean of the seeds in which the person counts."""
    people = counts.any(axis=0)
    return interval((values * counts).sum(axis=0)[people] / counts.sum(axis=0)[people])


def ship(new: Adapter, learned: Adapter, figures: Mapping[str, Any], learned_from: Learned) -> None:
    """Put an adapter that has passed the gate beside retrieval as a new workspace has it into the package.

    `learned_from` is told of every store into which the data set is imported.
    """
    tuned = new.manifest
    if not tuned.passed:
        raise SystemExit(f"{tuned.name} has not passed the gate, so it is not shipped.")
    shutil.rmtree(FOLDER / DATASETS[0], ignore_errors=True)
    Adapters(FOLDER).add(new.folder, DATASETS[0])
    training = {**tuned.training, RECORD: {**learned_from.as_dict(), "store": DATASETS[0]}}
    measures = {**tuned.measures, "test": figures}
    weights = {"model_weight": learned.manifest.model_weight, "weight_new": tuned.model_weight}
    manifest = replace(tuned, name=DATASETS[0], shipped=True, training=training, measures=measures, **weights)
    save_manifest(FOLDER / DATASETS[0], manifest)


def _gain(gain: Interval) -> str:
    return f"{gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


if __name__ == "__main__":
    main()
