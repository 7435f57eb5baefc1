"""Training of the sequential model: `vouchrec finetune behaviour`.

Every place in a history trains what is asked at its end, with full cross-entropy over the catalogue: sampled negatives
are what makes published SASRec weak (Klenitskiy and Vasilev, "Turning Dross Into Gold Loss", RecSys 2023; Petrov and
Macdonald, "gSASRec", RecSys 2023). Interactions that share a time are put in a new order in every epoch, for theirs is
not known. Items that nobody in training touched are left out of the loss, which would only push them down.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.progress import Progress, silent
from agent.retrieval.sequence import Encoder, Shape, network, windows

Positions = NDArray[np.int64]
Times = NDArray[np.float64]
Floats = NDArray[np.float32]

VERSION = 1  # of how training goes: raise it, and no file from before is read again
WARM_UP = 100  # steps over which the rate rises
DEEPEST = 10  # of the NDCG that stops training


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; it ends `patience` epochs after the best one on validation people."""

    rate: float = 1e-3
    weight_decay: float = 1e-2
    batch: int = 64
    epochs: int = 200
    patience: int = 10
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Histories:
    """What is learned from, and who is asked when to stop. All positions; histories are oldest first.

    `times` are those of `training`, NaN where unknown. Each person of `asked` went on to `targets`, one or more.
    """

    training: Sequence[Positions]
    times: Sequence[Times]
    asked: Sequence[Positions]
    targets: Sequence[Positions]


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network with its sizes, and the epoch and the NDCG@10 on validation people that chose it."""

    network: Any
    shape: Shape
    best_epoch: int
    validation: float

    @property
    def encoder(self) -> Encoder:
        """Ready to be asked."""
        return Encoder(self.network, self.shape)


def train(
    data: Histories,
    texts: Floats | None,
    shape: Shape,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
    name: str = "behaviour",
) -> Trained:
    """Train until validation no longer gains, and give back the best epoch. The same seed gives the same model.

    Args:
        data: positions below `shape.items`.
        texts: float32 (items, shape.text), or None for items without text.
        shape: the sizes of the network.
        recipe: how to train.
        folder: keeps how far training came after each epoch, in a file named after everything that decides it. A run
            that was killed goes on from it, and one that was finished is not repeated.
        progress: is told the epoch, out of those that there can be.
        name: what the progress and the file are called.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        training = _Training(data, texts, shape, recipe)
        file = None if folder is None else folder / f"training-{name}-{training.identity}.safetensors"
        if file is not None and file.is_file():
            training.load(file)
        while not training.is_over:
            progress(f"train {name}", training.epoch, recipe.epochs)
            training.one_epoch()
            if file is not None:
                training.save(file)
        progress(f"train {name}", recipe.epochs, recipe.epochs)
    training.network.load_state_dict(training.kept)
    return Trained(training.network, shape, training.best_epoch, training.best)


class _Training:
    """All that changes while training goes on, so that it can be put down and taken up again."""

    def __init__(self, data: Histories, texts: Floats | None, shape: Shape, recipe: Recipe) -> None:
        import torch

        self._data, self._shape, self._recipe = data, shape, recipe
        self.identity = _identity(data, texts, shape, recipe)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network(shape, texts).to(self._device)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98)
        )
        self._random = np.random.default_rng([recipe.seed, 4])
        touched = np.zeros(shape.items, dtype=bool)
        touched[np.concatenate([*data.training, np.zeros(0, dtype=np.int64)])] = True
        self._untouched = torch.from_numpy(~touched).to(self._device)
        self.epoch = self._steps = self.best_epoch = 0
        self.best = -1.0
        self.kept = _copy(self.network)

    @property
    def is_over(self) -> bool:
        return self.epoch >= self._recipe.epochs or self.epoch - self.best_epoch >= self._recipe.patience

    def one_epoch(self) -> None:
        import torch

        self.network.train()
        for batch in self._batches():
            self._steps += 1
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.rate * min(1.0, self._steps / WARM_UP)
            loss = self._loss(batch)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimizer.step()
        self.epoch += 1
        score = self._validated()
        if score > self.best:
            self.best, self.best_epoch, self.kept = score, self.epoch, _copy(self.network)

    def _batches(self) -> Iterator[list[Positions]]:
        """Every history once, ties in a new order; a long one by a part of it that ends at a random place."""
        order, longest = self._random.permutation(len(self._data.training)), self._shape.window + 1
        for start in range(0, len(order), self._recipe.batch):
            batch = []
            for place in order[start : start + self._recipe.batch]:
                history = _ties_shuffled(self._data.training[place], self._data.times[place], self._random)
                spare = max(0, len(history) - longest)
                end = len(history) - int(self._random.integers(0, spare + 1))
                batch.append(history[max(0, end - longest - 1) : end])
            yield batch

    def _loss(self, batch: Sequence[Positions]) -> Any:  # noqa: ANN401 - a torch scalar
        import torch

        longest = min(max(len(h) for h in batch), self._shape.window + 1) + 1
        items = torch.from_numpy(windows(batch, self._shape, longest)).to(self._device)
        inputs, targets = items[:, :-1], items[:, 1:]
        there = (inputs != self._shape.items) & (targets < self._shape.items)
        table = self.network.table()
        logits = self.network.logits(self.network.states(inputs, table)[there], table)
        return torch.nn.functional.cross_entropy(logits.masked_fill(self._untouched, -torch.inf), targets[there])

    def _validated(self) -> float:
        """NDCG@10, what the history holds left out; with several targets, by the best placed of them."""
        encoder = Encoder(self.network, self._shape)
        scores = encoder.queries(self._data.asked) @ encoder.items.T
        gains = []
        for row, history, targets in zip(scores, self._data.asked, self._data.targets, strict=True):
            best = row[targets].max()
            row[history] = -np.inf
            rank = 1 + int((row > best).sum())
            gains.append(1 / math.log2(rank + 1) if rank <= DEEPEST else 0.0)
        return float(np.mean(gains))

    # -- on disk

    def save(self, path: Path) -> None:
        """Everything, in one safetensors file, whole or not at all."""
        import torch
        from safetensors.torch import save_file

        tensors = {f"now.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"kept.{name}": tensor for name, tensor in self.kept.items()}
        for place, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"step.{place}.{name}": torch.as_tensor(value) for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        said = {name: getattr(self, name) for name in ("epoch", "_steps", "best_epoch", "best")}
        said |= {"random": self._random.bit_generator.state}
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        save_file(tensors, draft, metadata={"said": json.dumps(said)})
        os.replace(draft, path)

    def load(self, path: Path) -> None:
        """Go on from there; InputError when the file is damaged."""
        import torch
        from safetensors import safe_open

        try:
            with safe_open(path, "pt") as file:
                said = json.loads(file.metadata()["said"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        except Exception as error:
            raise InputError(f"{path} is damaged ({error}). Delete it and run the same command again.") from error
        for name in ("epoch", "_steps", "best_epoch", "best"):
            setattr(self, name, said[name])
        self._random.bit_generator.state = said["random"]
        self.network.load_state_dict({n.removeprefix("now."): t for n, t in tensors.items() if n.startswith("now.")})
        self.kept = {n.removeprefix("kept."): t.to(self._device) for n, t in tensors.items() if n.startswith("kept.")}
        optimizer = self._optimizer.state_dict()
        for name in (n for n in tensors if n.startswith("step.")):
            _, place, field = name.split(".")
            optimizer["state"].setdefault(int(place), {})[field] = tensors[name]
        self._optimizer.load_state_dict(optimizer)
        torch.set_rng_state(tensors["random"])


def _identity(data: Histories, texts: Floats | None, shape: Shape, recipe: Recipe) -> str:
    """Tells one training from another."""
    digest = hashlib.sha256(json.dumps([VERSION, asdict(shape), asdict(recipe)]).encode())
    for arrays in (data.training, data.times, data.asked, data.targets, [] if texts is None else [texts]):
        for array in arrays:
            digest.update(array.tobytes() + b"|")
        digest.update(b"||")
    return digest.hexdigest()[:12]


def _copy(model: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _ties_shuffled(history: Positions, times: Times, random: np.random.Generator) -> Positions:
    """The history with what shares a time in a random order. Unknown times keep their places."""
    drawn = random.random(len(history))
    group = np.cumsum(np.append(True, times[1:] != times[:-1]))[: len(history)]
    return history[np.lexsort((drawn, group))]
