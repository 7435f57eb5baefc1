"""The sequential model, trained whole: `vouchrec finetune behaviour`. One network by itself is `finetune.training`'s.

Unlike networks stand side by side, each counting as much as validation people say. Once they have said when to stop,
what was held out for them can be learned too: `refit` goes on from what was kept, as in the second of the two ways of
Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 7.8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.progress import Progress, silent
from agent.retrieval.sequence import Encoder, Shape
from finetune.fusion import learn_voices
from finetune.training import Floats, Histories, Recipe, Training, touched_in

SEEDS_APART = 1000  # between the seeds of networks that stand side by side
REFIT_EPOCHS, REFIT_RATE = 3, 0.25  # over all that may be learned, and the share of the rate that they begin with


@dataclass(frozen=True, slots=True)
class Trained:
    """Trained networks of one shape, and for each the best epoch with its mean log-probability on validation.

    `touched` says of each item whether it was in a history that was learned from, `voices` how much each network
    counts.
    """

    networks: tuple[Any, ...]
    shape: Shape
    best_epochs: tuple[int, ...]
    validation: tuple[float, ...]
    touched: NDArray[np.bool_]
    voices: tuple[float, ...]

    @property
    def encoder(self) -> Encoder:
        """Ready to be asked."""
        return Encoder(self.networks, self.shape, self.touched, self.voices)


def train(
    data: Histories,
    texts: Floats | None,
    shape: Shape,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
    name: str = "behaviour",
    members: int = 1,
) -> Trained:
    """Train until validation no longer gains, and give back the best epoch. The same seed gives the same networks.

    Args:
        data: positions below `shape.items`.
        texts: float32 (items, shape.text), or None for items without text.
        shape: the sizes of the networks.
        recipe: how to train.
        folder: keeps how far training came after each epoch, in a file named after everything that decides it. A run
            that was killed goes on from it, and one that was finished is not repeated.
        progress: is told the epoch, out of those that there can be.
        name: what the progress and the file are called.
        members: how many networks, each with a seed of its own. The first reads the texts; the others go by ids alone,
            by turns with half the dropout and with all of it: unlike networks err less alike (docs/log.md). How much
            each counts is learned from the same validation people.
    """
    found = [
        _train_one(data, texts, member, members, shape, recipe, folder, progress, "train", name)
        for member in range(members)
    ]
    networks, epochs, scores = zip(*found, strict=True)
    touched = touched_in(data.training, shape.items)
    alone = [Encoder([network], shape, touched) for network in networks]
    return Trained(networks, shape, epochs, scores, touched, learn_voices(alone, data.asked, data.targets))


def refit(
    trained: Trained,
    data: Histories,
    texts: Floats | None,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
    name: str = "behaviour",
) -> Trained:
    """Go on over all that may be learned, for REFIT_EPOCHS at a small rate that falls to 0; nobody is asked any more.

    Best epochs, validation and voices stay those of `trained`, which is not changed. Arguments as in `train`; `recipe`
    is the one that `trained` was trained with.
    """
    short = replace(recipe, rate=REFIT_RATE * recipe.rate, epochs=REFIT_EPOCHS)
    everything, members = replace(data, asked=(), targets=()), len(trained.networks)
    networks = tuple(
        _train_one(everything, texts, m, members, trained.shape, short, folder, progress, "refit", name, start)[0]
        for m, start in enumerate(trained.networks)
    )
    return replace(trained, networks=networks, touched=touched_in(data.training, trained.shape.items))


def _train_one(
    data: Histories,
    texts: Floats | None,
    member: int,
    members: int,
    shape: Shape,
    recipe: Recipe,
    folder: Path | None,
    progress: Progress,
    what: str,
    name: str,
    start: Any = None,  # noqa: ANN401 - a network of the same shape
) -> tuple[Any, int, float]:
    import torch

    stage = f"{what} {name}" + (f" {member + 1} of {members}" if members > 1 else "")
    recipe = replace(recipe, seed=recipe.seed + SEEDS_APART * member)
    shape = replace(shape, dropout=shape.dropout / 2) if member % 2 else shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        training = Training(data, texts if member == 0 else None, shape, recipe, start)
        file = None if folder is None else folder / f"training-{name}-{training.identity}.safetensors"
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file():
                training.load(file)
        while not training.is_over:
            progress(stage, training.epoch, recipe.epochs)
            training.one_epoch()
            if file is not None:
                training.save(file)
        progress(stage, recipe.epochs, recipe.epochs)
    training.network.load_state_dict(training.kept)
    return training.network, training.best_epoch, training.best
