"""Tuned models and the people who ask them: what adapter.py and wished.py share.

Everyone's last interaction is left out of what is tuned on. Validation people then choose how much the adapter counts
beside either retrieval.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from common import example_home  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.progress import track

from agent.assets import language_model
from agent.build import adapters_of, behaviour_folder, open_workspace
from agent.generation.adapters import Adapter, save_manifest
from agent.generation.local import LocalGenerator
from agent.generation.prompting import PromptSet
from agent.listing import Lister, Messages
from agent.progress import Progress
from agent.retrieval.base import Query, Retriever
from agent.retrieval.fusion import Weights
from agent.retrieval.trained import read_manifest
from agent.schema import Intent, Interaction, Profile
from agent.settings import Settings
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.evaluate.data import Dataset, from_store
from finetune.evaluate.splits import Cases, Split, hold_out_last
from finetune.gate import promote, weigh
from finetune.language import tune_language
from finetune.learned import Learned, Rows
from finetune.recipe import SftConfig
from finetune.retrieval import ASKED, query_of, tune
from finetune.training import Recipe

Positions = NDArray[np.int64]

RETRIEVALS = ("new", "learned")  # as a new workspace has it, and as `vouchrec finetune behaviour` learns it


@dataclass(frozen=True, slots=True)
class Ground:
    """What is measured on, with its text vectors; `kept` holds what was learned, a folder a seed."""

    dataset: Dataset
    settings: Settings
    encoder: Encoder
    kept: Path
    progress: Progress


def adapters_tuned(
    ground: Ground, split: Split, config: SftConfig, preset: str, people: int, *, gated: bool = False
) -> dict[str, Adapter]:
    """Tuned without the test interactions, with the weight that validation people choose, for each of RETRIEVALS.

    With `gated` each is also compared with what serves, as `vouchrec finetune promote` does it.
    """
    name, home, judge = f"{preset}-{config.seed}", _home(ground, config.seed), _judged if gated else _weighed
    with _without_test(home, ground.dataset, split) as workspace:
        if name not in adapters_of(workspace).names():
            tune_language(workspace, ground.encoder, ground.settings, config, name, ground.progress)
        if read_manifest(behaviour_folder(workspace)) is None:
            tune(workspace, ground.encoder, recipe=Recipe(seed=config.seed), progress=ground.progress)
        learned = judge(ground, workspace, name, people)
    with _without_test(home.with_name(f"{home.name}-new"), ground.dataset, split) as workspace:
        if name not in (adapters := adapters_of(workspace)).names():
            added = adapters.add(learned.folder, name)
            weight = learned.manifest.weight_new or 0.0  # what was measured was other retrieval
            save_manifest(added.folder, replace(added.manifest, model_weight=weight, measures={}))
        return {"new": judge(ground, workspace, name, people), "learned": learned}


def learned_of_example(ground: Ground, split: Split, seed: int) -> Learned:
    """What an adapter of this seed has learned from, by the rows of the whole example instead of its own workspace."""
    with _without_test(_home(ground, seed), ground.dataset, split) as workspace:
        shown = from_store(workspace.store, "example")
    _, cases = hold_out_last(shown, seed, ASKED)
    number = {user: row for row, user in enumerate(ground.dataset.user_ids)}
    people = [number[shown.user_ids[user]] for user in cases.known.users]
    with open_workspace(example_home(ground.progress)) as workspace:
        rows = Rows(workspace.store, ground.dataset)
    asked = [*zip(people, cases.targets, strict=True), *zip(split.test.known.users, split.test.targets, strict=True)]
    held_out = {row for user, targets in asked for row in rows.of(int(user), targets).tolist()}
    return Learned(rows.store, rows.last, tuple(sorted(held_out)))


def _judged(ground: Ground, workspace: Workspace, name: str, people: int) -> Adapter:
    adapters = adapters_of(workspace)
    if not adapters.get(name).manifest.measures:
        promote(workspace, ground.encoder, ground.settings, name, people=people, progress=ground.progress)
    return adapters.get(name)


def _weighed(ground: Ground, workspace: Workspace, name: str, people: int) -> Adapter:
    adapters = adapters_of(workspace)
    if (adapter := adapters.get(name)).manifest.weight_new is None:
        weight, new = weigh(workspace, ground.encoder, ground.settings, name, people, ground.progress)
        save_manifest(adapter.folder, replace(adapter.manifest, model_weight=weight, weight_new=new))
    return adapters.get(name)


def _home(ground: Ground, seed: int) -> Path:
    return ground.kept / f"without-test-{seed}"


def _without_test(path: Path, dataset: Dataset, split: Split) -> Workspace:
    """A workspace of everything but the test interactions; it stands there whole or not at all."""
    if path.is_dir():
        return Workspace.open(path)
    hidden = {(int(u), int(t[0])) for u, t in zip(split.test.known.users, split.test.targets, strict=True)}

    def remaining() -> Iterator[Interaction]:
        columns = zip(dataset.users, dataset.items, dataset.values, dataset.timestamps, strict=True)
        for user, item, value, time in columns:
            if (int(user), int(item)) not in hidden:
                ids = dataset.user_ids[user], dataset.catalogue[item].item_id
                yield Interaction(*ids, "rating", float(value), float(time))

    begun = path.with_suffix(".begun")
    shutil.rmtree(begun, ignore_errors=True)
    with Workspace.create(begun) as workspace:
        workspace.store.put_attribute_types(dataset.attribute_types)
        workspace.store.put_items(dataset.catalogue)
        workspace.store.put_interactions(remaining())
        workspace.store.set_meta("noun", dataset.noun)
        workspace.store.set_meta("import_complete", True)
    begun.rename(path)
    return Workspace.open(path)


def lister_with(
    ground: Ground, dataset: Dataset, sources: Sequence[Retriever], weights: Weights, adapter: Adapter
) -> Lister:
    """Lists out of these sources with an adapter beside them."""
    assert dataset.vectors is not None
    folder = language_model(ground.settings.model, ground.settings.cache)
    generator = LocalGenerator(folder, dtype=ground.settings.dtype, adapter=adapter)
    return Lister(Catalogue(dataset.catalogue, dataset.attribute_types), dataset.vectors, sources, weights, generator)


def each_person(
    ground: Ground, lister: Lister, cases: Cases, called: str
) -> Iterator[tuple[Query, Messages, Positions]]:
    """Each person's query and prompt, with no words of their own, and the positions of what they went on to."""
    rank, known = PromptSet.named(ground.settings.prompts).get("rank"), cases.known
    noun, ids = ground.settings.noun or ground.dataset.noun, lister.catalogue.ids
    asked = zip(known.histories, known.times, cases.targets, strict=True)
    for history, times, targets in track(asked, description=called, total=len(cases)):
        profile = Profile(history=tuple(ids[p] for p in history))
        prompt = lister.prompt(rank, profile, Intent(), ground.settings.history_in_prompt, noun)
        yield query_of(lister.catalogue, history, times), prompt, targets
