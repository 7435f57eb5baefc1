"""What tuning is worth on people who were in no part of it: tune, let the gate choose the weight, then ask once.

Everyone's last interaction is taken out of the workspace before anything is learned (leave-one-out, ties in time broken
by a seeded shuffle). The rest is tuned on as in `vouchrec finetune sft` and judged as in `vouchrec finetune promote`,
on people whose last remaining interaction is held out in turn; only then are the last interactions asked for, with the
weight that the gate chose. NDCG@10 of the final order beside fused retrieval alone, over all people and over those
whose item is among the candidates, with paired intervals: once with retrieval as `vouchrec finetune behaviour` learns
it, and once as a new workspace has it; and NDCG@10 of what the model names without candidates.

    python benchmarks/adapter.py --preset items --seed 0 --json out.json

It goes on where it was killed. With `--ship` what has passed the gate becomes the adapter that comes with the package.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import describe_run, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.assets import language_model
from agent.build import DATASETS, adapters_of, behaviour_folder, open_encoder
from agent.generation.adapters import Adapter, Adapters, save_manifest
from agent.generation.local import LocalGenerator
from agent.listing import Lister, Messages
from agent.retrieval.base import Query
from agent.retrieval.fusion import Weights
from agent.retrieval.trained import read_manifest
from agent.schema import Intent, Interaction, Profile
from agent.shipped import FOLDER
from agent.stopwatch import Stopwatch
from agent.workspace.workspace import STORE, Workspace
from finetune.behaviour import Recipe
from finetune.evaluate.bootstrap import Interval, interval
from finetune.evaluate.data import Dataset, from_store
from finetune.evaluate.metrics import LIST
from finetune.evaluate.splits import Split, make_split
from finetune.gate import Judged, gains, promote
from finetune.language import tune_language
from finetune.learned import RECORD
from finetune.recipe import read_config
from finetune.retrieval import learn_retrieval, query_of, tune
from ui.terminal import Terminal

WEIGHTLESS = 0.0  # retrieval alone


def main() -> None:
    """Tune, judge, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="items")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--people", type=int, default=None, help="test people asked; all if not given")
    parser.add_argument("--ship", action="store_true", help="put the adapter, if it has passed, into the package")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = read_config(arguments.preset, seed=arguments.seed)
    with open_example() as agent, Terminal().progress(keep=True) as progress:
        encoder = open_encoder(agent.settings)
        vectors = agent.workspace.vectors(encoder)[1]
        dataset = replace(from_store(agent.workspace.store, "example"), vectors=vectors)
        split = make_split(dataset, "leave-one-out", arguments.seed)
        kept = agent.settings.cache / "benchmarks"
        home = kept / f"without-test-{arguments.seed}"
        name = f"{arguments.preset}-{arguments.seed}".replace("/", "-")
        with _without_test(home, dataset, split) as workspace:
            adapters = adapters_of(workspace)
            if name not in adapters.names():
                tune_language(workspace, encoder, agent.settings, config, name, progress)
            if read_manifest(behaviour_folder(workspace)) is None:
                tune(workspace, encoder, recipe=Recipe(seed=arguments.seed), progress=progress)
            if not adapters.get(name).manifest.measures:
                promote(workspace, encoder, agent.settings, name, people=len(split.test), progress=progress)
            adapter = adapters.get(name)
        learned = learn_retrieval(
            dataset, encoder, split.training, split.validation, indexes=kept / "indexes",
            recipe=Recipe(seed=arguments.seed), folder=kept, progress=progress,
        )  # fmt: skip
        folder = language_model(agent.settings.model, agent.settings.cache)
        generator = LocalGenerator(folder, dtype=agent.settings.dtype, adapter=adapter)
        if arguments.people is not None:
            split = split.sampled(arguments.people)
        figures: dict[str, Any] = {}
        for called, sources, weights in (
            ("learned", learned.sources, learned.weights),
            ("new", [source for source in learned.sources if source.name != "behaviour"], Weights()),
        ):
            lister = Lister(agent.catalogue, vectors, sources, weights, generator)
            judged = list(_asked(agent, lister, split))
            figures[called] = report(called, judged, adapter.manifest.model_weight)
        alone = interval(np.array(list(_without_candidates(agent, lister, split))))
        learned.close()
    print(f"by the model alone, without candidates: NDCG@10 {alone.mean:.4f} ({alone.low:.4f} to {alone.high:.4f})")
    figures["without candidates"] = alone.as_dict()
    told = {"config": config.model_dump(), "weight": adapter.manifest.model_weight, "gate": adapter.manifest.measures}
    write_json(arguments.json, {**describe_run(), **told, **figures})
    if arguments.ship:
        ship(adapter, figures)


def _without_test(path: Path, dataset: Dataset, split: Split) -> Workspace:
    """A workspace of everything but the test interactions."""
    if (path / STORE).is_file():
        return Workspace.open(path)
    hidden = {(int(u), int(t[0])) for u, t in zip(split.test.known.users, split.test.targets, strict=True)}

    def remaining() -> Iterator[Interaction]:
        columns = zip(dataset.users, dataset.items, dataset.values, dataset.timestamps, strict=True)
        for user, item, value, time in columns:
            if (int(user), int(item)) not in hidden:
                ids = dataset.user_ids[user], dataset.catalogue[item].item_id
                yield Interaction(*ids, "rating", float(value), float(time))

    workspace = Workspace.create(path)
    workspace.store.put_attribute_types(dataset.attribute_types)
    workspace.store.put_items(dataset.catalogue)
    workspace.store.put_interactions(remaining())
    workspace.store.set_meta("noun", dataset.noun)
    workspace.store.set_meta("import_complete", True)
    return workspace


def _asked(agent: Agent, lister: Lister, split: Split) -> Iterator[Judged]:
    """Retrieval's and the model's scores of each test person's candidates."""
    for query, prompt, wanted in _people(agent, lister, split, "test people"):
        candidates, _ = lister.retrieved(query, prompt, agent.settings.candidates, WEIGHTLESS, Stopwatch())
        yield Judged.of(candidates, wanted)


def _without_candidates(agent: Agent, lister: Lister, split: Split) -> Iterator[float]:
    """NDCG@10 of each test person's list by the model alone, out of the whole catalogue."""
    for query, prompt, wanted in _people(agent, lister, split, "without candidates"):
        named, _ = lister.generated(query, prompt, LIST, Stopwatch())
        place = next((place for place, one in enumerate(named) if one.item.item_id in wanted), None)
        yield 0.0 if place is None else float(1 / np.log2(place + 2))


def _people(agent: Agent, lister: Lister, split: Split, called: str) -> Iterator[tuple[Query, Messages, set[str]]]:
    """Each test person's query and prompt, and what they went on to."""
    rank, known = agent.prompts.get("rank"), split.test.known
    asked = zip(known.histories, known.times, split.test.targets, strict=True)
    for history, times, targets in track(asked, description=called, total=len(split.test)):
        profile = Profile(history=tuple(agent.catalogue.ids[p] for p in history))
        prompt = lister.prompt(rank, profile, Intent(), agent.settings.history_in_prompt, agent.noun)
        yield query_of(agent.catalogue, history, times), prompt, {agent.catalogue.ids[p] for p in targets}


def report(called: str, judged: list[Judged], weight: float) -> dict[str, Any]:
    """Print a table; its figures."""
    found = np.array([one.chosen >= 0 for one in judged])
    alone, final = gains(judged, WEIGHTLESS), gains(judged, weight)
    model = gains([replace(one, retrieval=0 * one.retrieval) for one in judged], 1.0)
    table = Table(
        title=f"retrieval: {called}; {len(judged)} test people, item among candidates: {found.mean():.3f}; "
        f"weight {weight:g}"
    )
    for column in ("NDCG@10", "retrieval alone", "model alone", "final", "gain of final (95% interval)", "relative"):
        table.add_column(column, justify="right")
    figures = {}
    for name, people in (("all", np.ones(len(judged), dtype=bool)), ("item among candidates", found)):
        columns = {
            "retrieval": interval(alone[people]),
            "model": interval(model[people]),
            "final": interval(final[people]),
            "gain": interval((final - alone)[people]),
        }
        relative = columns["gain"].mean / columns["retrieval"].mean
        figures[name] = {**{n: i.as_dict() for n, i in columns.items()}, "relative": relative}
        cells = [f"{columns[n].mean:.4f}" for n in ("retrieval", "model", "final")]
        table.add_row(name, *cells, _gain(columns["gain"]), f"{relative:+.1%}")
    Console().print(table)
    return figures


def ship(adapter: Adapter, figures: Mapping[str, Any]) -> None:
    """Put an adapter that has passed the gate into the package."""
    tuned = adapter.manifest
    if not tuned.measures.get("passed"):
        raise SystemExit(f"{tuned.name} has not passed the gate, so it is not shipped.")
    shutil.rmtree(FOLDER / DATASETS[0], ignore_errors=True)
    Adapters(FOLDER).add(adapter.folder, DATASETS[0])
    training = {name: told for name, told in tuned.training.items() if name != RECORD}  # of a store that nobody has
    manifest = replace(
        tuned, name=DATASETS[0], shipped=True, training=training, measures={**tuned.measures, "test": figures}
    )
    save_manifest(FOLDER / DATASETS[0], manifest)


def _gain(gain: Interval) -> str:
    return f"{gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"


if __name__ == "__main__":
    main()
