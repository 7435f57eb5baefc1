"""Retrieval, learned whole: transitions, the sequential model, and the weights of all sources.

One function for evaluation and for serving, so that what is measured is what is served.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.build import behaviour_folder, open_behaviour, open_meaning
from agent.errors import InputError
from agent.progress import Progress, silent
from agent.retrieval.base import Query, Retriever
from agent.retrieval.behaviour import Behaviour, as_items, probes_of
from agent.retrieval.fusion import Weights, fuse
from agent.retrieval.lexical import Lexical
from agent.retrieval.semantic import Semantic
from agent.retrieval.sequence import Shape
from agent.retrieval.trained import Manifest, read_manifest, save
from agent.retrieval.transitions import Transitions
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.index import VectorIndex
from agent.workspace.store import InteractionColumns
from agent.workspace.workspace import Workspace
from finetune.behaviour import Trained, refit, train
from finetune.evaluate.bootstrap import Interval, interval
from finetune.evaluate.data import Dataset, from_store
from finetune.evaluate.metrics import LIST
from finetune.evaluate.splits import Cases, Known, hold_out_last
from finetune.fusion import learn_weights
from finetune.training import Histories, Recipe

Floats = NDArray[np.float32]
MEMBERS = 3  # networks that stand side by side
ASKED = 2000  # people whose last interaction is held out when serving learns
DRAWN = 2  # how `hold_out_last` draws: networks that were trained by another draw know who is asked by this one


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned, and the sources that it makes; `close` lets go of their indexes."""

    transitions: Transitions
    trained: Trained
    sources: tuple[Retriever, ...]
    weights: Weights
    indexes: tuple[VectorIndex, ...]

    def close(self) -> None:
        """Close the indexes; their folders stay."""
        for index in self.indexes:
            index.close()


def learn_retrieval(
    dataset: Dataset,
    encoder: Encoder,
    training: Known,
    validation: Cases,
    *,
    indexes: Path,
    shape: Shape | None = None,
    recipe: Recipe | None = None,
    members: int = MEMBERS,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Learned:
    """Learn from the training histories; the validation cases say when to stop and how much each source counts.

    Args:
        dataset: with its text vectors.
        encoder: the one that made them.
        training: what is learned from.
        validation: what comes after, for people or for items that were held out.
        indexes: a folder for the vector indexes.
        shape: the sizes of the network, but for `items` and `text`; None takes the defaults.
        recipe: how to train it.
        members: how many networks stand side by side.
        folder: keeps what training had come to when it was killed.
        progress: what is told how far it has come.
    """
    assert dataset.vectors is not None, "text vectors come first"
    transitions = transitions_of(training, dataset)
    trained = train_sequence(
        dataset, training, validation, dataset.vectors, shape, recipe, folder, progress, members=members
    )
    catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
    by_text = _index(dataset, dataset.vectors, None, indexes / "text", progress)
    behaviour, by_behaviour = _behaviour(dataset, trained, indexes / "behaviour", progress)
    sources: tuple[Retriever, ...] = (
        transitions,
        behaviour,
        Semantic(by_text, encoder, catalogue.ids, dataset.vectors),
        Lexical(dataset.catalogue),
    )
    habit = learn_weights(sources[:-1], _asked(catalogue, validation, progress))
    weights = Weights() if habit is None else Weights(habit=habit)
    return Learned(transitions, trained, sources, weights, (by_text, by_behaviour))


def refit_retrieval(
    learned: Learned,
    dataset: Dataset,
    everything: Known,
    *,
    indexes: Path,
    recipe: Recipe | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Learned:
    """Learn what was held out, too: transitions count all of it, the networks go on over it, the weights stay.

    Arguments as in `learn_retrieval`; `everything` holds the training histories and what followed them. What comes back
    also holds the indexes of `learned`, and is what to close.
    """
    transitions = transitions_of(everything, dataset)
    trained = refit_sequence(learned.trained, everything, dataset.vectors, recipe, folder, progress)
    behaviour, index = _behaviour(dataset, trained, indexes / "refit", progress)
    sources = (transitions, behaviour, *learned.sources[2:])
    return Learned(transitions, trained, sources, learned.weights, (*learned.indexes, index))


def _behaviour(dataset: Dataset, trained: Trained, folder: Path, progress: Progress) -> tuple[Behaviour, VectorIndex]:
    index = _index(dataset, as_items(trained.encoder.items), probes_of(trained.encoder), folder, progress)
    return Behaviour(index, trained.encoder, [item.item_id for item in dataset.catalogue]), index


def _index(dataset: Dataset, vectors: Floats, probes: Floats | None, folder: Path, progress: Progress) -> VectorIndex:
    ids, attributes = zip(*((item.item_id, item.attributes) for item in dataset.catalogue), strict=True)
    return VectorIndex.build(
        folder, ids, vectors, attributes, dataset.attribute_types, probes=probes, progress=progress
    )  # fmt: skip


def keep(workspace: Workspace, learned: Learned, dataset: Dataset, encoder: str, told: Mapping[str, Any]) -> Manifest:
    """Put what was learned in a workspace, where it serves from the next opening on; `told` is how it came about.

    Raises:
        WorkspaceError: the folder cannot be written; then what was there before stays in force.
    """
    trained = learned.trained
    manifest = Manifest(
        shape=trained.shape,
        encoder=encoder,
        item_ids=tuple(item.item_id for item in dataset.catalogue),
        habit=dict(learned.weights.habit),
        members=len(trained.networks),
        voices=trained.voices,
        untouched=tuple(dataset.catalogue[place].item_id for place in np.flatnonzero(~trained.touched)),
        training={**told, "best_epochs": trained.best_epochs, "log-probability": trained.validation},
    )
    save(behaviour_folder(workspace), manifest, trained.networks)
    return manifest


def tune(
    workspace: Workspace,
    encoder: Encoder,
    *,
    shape: Shape | None = None,
    recipe: Recipe | None = None,
    members: int = MEMBERS,
    progress: Progress = silent,
) -> Manifest:
    """Learn retrieval from a workspace, and keep it there: `vouchrec finetune behaviour`.

    The last interaction of up to ASKED people is held out: it says when to stop and how much each source counts, and
    is what the measures of the manifest are of. A run that was killed goes on where it was.

    Raises:
        InputError: nobody has two interactions.
        WorkspaceError: the folder cannot be written.
    """
    begun = time.perf_counter()
    recipe = recipe or Recipe()
    dataset = from_store(workspace.store, workspace.path.name)
    dataset = replace(dataset, vectors=workspace.vectors(encoder, progress)[1])
    training, validation = hold_out_last(dataset, recipe.seed, ASKED)
    with tempfile.TemporaryDirectory(prefix="vouchrec-") as indexes:
        learned = learn_retrieval(
            dataset, encoder, training, validation, indexes=Path(indexes), shape=shape, recipe=recipe, members=members,
            folder=behaviour_folder(workspace), progress=progress,
        )  # fmt: skip
        try:
            told = {
                "interactions": len(dataset),
                "data": dataset.fingerprint(),
                "asked": len(validation),
                "seed": recipe.seed,
                "drawn": DRAWN,
                "seconds": round(time.perf_counter() - begun),
                "ndcg@10": {name: i.as_dict() for name, i in _measured(learned, dataset, validation, progress).items()},
            }
        finally:
            learned.close()
    return keep(workspace, learned, dataset, encoder.name, told)


def _measured(learned: Learned, dataset: Dataset, cases: Cases, progress: Progress) -> dict[str, Interval]:
    """NDCG@10 on the validation cases: each source alone, then all of them."""
    catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
    gains: dict[str, list[float]] = {}
    for query, targets in _asked(catalogue, cases, progress, "measure"):
        lists = {source.name: source.best(query, LIST) for source in learned.sources[:-1]}
        lists["fused"] = fuse(learned.sources, query, LIST, learned.weights).positions
        for name, listed in lists.items():
            at = np.flatnonzero(np.isin(listed, targets))
            gains.setdefault(name, []).append(float(1 / np.log2(at[0] + 2)) if len(at) else 0.0)
    return {name: interval(np.array(values)) for name, values in gains.items()}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Retrieval as a workspace has it, but for what was held out."""

    transitions: Transitions
    sources: tuple[Retriever, ...]
    weights: Weights

    def untrained(self) -> HeldOut:
        """The same without trained behaviour, as a new workspace has it; itself where it has none."""
        sources = tuple(source for source in self.sources if source.name != Behaviour.name)
        return self if sources == self.sources else HeldOut(self.transitions, sources, Weights())


def held_out(
    workspace: Workspace, encoder: Encoder, dataset: Dataset, training: Known, seed: int, progress: Progress = silent
) -> HeldOut:
    """The sources that a workspace serves with, none of which has seen more than the training histories.

    Raises:
        InputError: the trained behaviour has: it was trained on other data, or with another seed.
    """
    manifest = read_manifest(behaviour_folder(workspace))
    learned = None if manifest is None else [manifest.training.get(name) for name in ("data", "seed", "drawn")]
    if learned is not None and learned != [dataset.fingerprint(), seed, DRAWN]:
        raise InputError(
            "The trained behaviour of this workspace has learned from people who are to be held out here. Run "
            f"`vouchrec finetune behaviour --seed {seed}` first."
        )
    meaning = open_meaning(workspace, encoder, dataset.catalogue, progress)
    texts = meaning.whole.vectors
    behaviour, weights = open_behaviour(workspace, encoder.name, dataset.catalogue, texts, progress)
    transitions = transitions_of(training, dataset)
    trained = () if behaviour is None else (behaviour,)
    return HeldOut(transitions, (transitions, *trained, meaning, Lexical(dataset.catalogue)), weights)


def train_sequence(
    dataset: Dataset,
    training: Known,
    validation: Cases,
    texts: Floats | None,
    shape: Shape | None = None,
    recipe: Recipe | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
    name: str = "behaviour",
    members: int = 1,
) -> Trained:
    """Train the sequential model alone; see `finetune.behaviour.train`."""
    shape = replace(shape or Shape(), items=dataset.n_items, text=0 if texts is None else texts.shape[1])
    data = Histories(training.histories, training.times, validation.known.histories, validation.targets)
    return train(data, texts, shape, recipe or Recipe(), folder=folder, progress=progress, name=name, members=members)


def refit_sequence(
    trained: Trained,
    everything: Known,
    texts: Floats | None,
    recipe: Recipe | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
    name: str = "behaviour",
) -> Trained:
    """Let the sequential model learn what was held out, too; see `finetune.behaviour.refit`."""
    data = Histories(everything.histories, everything.times, (), ())
    return refit(trained, data, texts, recipe or Recipe(), folder=folder, progress=progress, name=name)


def transitions_of(training: Known, dataset: Dataset) -> Transitions:
    """The transitions that serving would learn from these histories in their order."""
    lengths = [len(h) for h in training.histories]
    total = sum(lengths)
    times = np.concatenate([*training.times, np.zeros(0)])
    # Learning sorts by time; the order of the histories stands where there is none.
    return Transitions.learn(
        InteractionColumns(
            user_ids=dataset.user_ids,
            item_ids=tuple(item.item_id for item in dataset.catalogue),
            event_names=("rating",),
            users=np.repeat(training.users, lengths).astype(np.int32),
            items=np.concatenate(training.histories).astype(np.int32),
            events=np.zeros(total, dtype=np.int32),
            values=np.concatenate(training.values),
            timestamps=times,
        )
    )


def query_of(catalogue: Catalogue, history: NDArray[np.int64], times: NDArray[np.float64]) -> Query:
    """A request without words: only the history speaks, and no edition of what it holds is allowed."""
    allowed = np.ones(len(catalogue), dtype=bool)
    allowed[catalogue.positions(catalogue.editions(catalogue.ids[p] for p in history))] = False
    return Query(history, times, "", "", "", (), allowed, 1.0)


def _asked(
    catalogue: Catalogue, cases: Cases, progress: Progress, stage: str = "weigh the sources"
) -> Iterator[tuple[Query, NDArray[np.int64]]]:
    asked = zip(cases.known.histories, cases.known.times, cases.targets, strict=True)
    for done, (history, times, targets) in enumerate(asked):
        if done % 50 == 0:
            progress(stage, done, len(cases))
        yield query_of(catalogue, history, times), targets
    progress(stage, len(cases), len(cases))
