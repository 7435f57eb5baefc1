"""One network under training, step by step: it can be put down after any epoch and taken up again.

Every place in a history trains what is asked at its end, with full cross-entropy over the catalogue: sampled negatives
are what makes published SASRec weak (Klenitskiy and Vasilev, "Turning Dross Into Gold Loss", RecSys 2023; Petrov and
Macdonald, "gSASRec", RecSys 2023). Interactions that share a time are put in a new order in every epoch, for theirs is
not known. Items that nobody in training touched are left out of the loss, which would only push them down. What is
kept is an average of the weights over the last steps (Polyak and Juditsky, 1992), at the best epoch of validation.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.files import replacing
from agent.retrieval.sequence import AT_ONCE, Encoder, Shape, network, windows

Positions = NDArray[np.int64]
Times = NDArray[np.float64]
Floats = NDArray[np.float32]

VERSION = 1  # of how training goes: raise it, and no file from before is read again
WARM_UP = 100  # steps over which the rate rises, but a tenth of all at most
AVERAGE = 0.995  # of the weights over the steps: how much of the average stays at each


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; it ends `patience` epochs after the best one on validation people."""

    rate: float = 2e-3
    weight_decay: float = 1e-2
    batch: int = 16
    epochs: int = 60
    patience: int = 8
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


class Training:
    """All that changes while training goes on, so that it can be put down and taken up again.

    With nobody to ask, it goes through all epochs and keeps the last. `start` is a network to go on from.
    """

    def __init__(
        self,
        data: Histories,
        texts: Floats | None,
        shape: Shape,
        recipe: Recipe,
        start: Any = None,  # noqa: ANN401
    ) -> None:
        import torch
        from torch.optim.swa_utils import AveragedModel

        self._data, self._shape, self._recipe = data, shape, recipe
        begun = {} if start is None else _copy(start)
        self.identity = _identity(data, texts, shape, recipe, begun)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network(shape, texts).to(self._device)
        if begun:
            self.network.load_state_dict(begun)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98)
        )
        self._random = np.random.default_rng([recipe.seed, 4])
        self._untouched = torch.from_numpy(~touched_in(data.training, shape.items)).to(self._device)
        self._averaged = AveragedModel(self.network, multi_avg_fn=_averaged)
        self.epoch = self._steps = self.best_epoch = 0
        self.best = -math.inf
        self.kept = _copy(self.network)

    @property
    def is_over(self) -> bool:
        """Whether all epochs are gone through, or validation has not gained for long enough."""
        return self.epoch >= self._recipe.epochs or self.epoch - self.best_epoch >= self._recipe.patience

    def one_epoch(self) -> None:
        """Go once through all histories, and ask validation."""
        import torch

        self.network.train()
        for batch in self._batches():
            self._steps += 1
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.rate * self._share_of_rate()
            loss = self._loss(batch)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimizer.step()
            self._averaged.update_parameters(self.network)
        self.epoch += 1
        score = self._validated() if self._data.asked else float(self.epoch)
        if score > self.best:
            self.best, self.best_epoch, self.kept = score, self.epoch, _copy(self._averaged.module)

    def _share_of_rate(self) -> float:
        """A rise from 0, then half a cosine to 0 at the last step of all epochs."""
        steps = self._recipe.epochs * math.ceil(len(self._data.training) / self._recipe.batch)
        risen = min(1.0, self._steps / min(WARM_UP, 1 + steps // 10))
        return risen * (1 + math.cos(math.pi * self._steps / steps)) / 2

    def _batches(self) -> Iterator[list[Positions]]:
        """Every history once, ties in a new order; a long one by a part of it that ends at a random place."""
        order, longest = self._random.permutation(len(self._data.training)), self._shape.window + 1
        for start in range(0, len(order), self._recipe.batch):
            batch = []
            for place in order[start : start + self._recipe.batch]:
                history = ties_shuffled(self._data.training[place], self._data.times[place], self._random)
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
        """The mean log-probability of the targets, what the history holds left out.

        It moves less from epoch to epoch than NDCG@10 does, which hangs on a few people.
        """
        encoder = Encoder([self._averaged.module], self._shape)
        found = []
        for start in range(0, len(self._data.asked), AT_ONCE):
            asked = self._data.asked[start : start + AT_ONCE]
            logits = encoder.queries(asked) @ encoder.items.T
            found += log_probabilities(logits, asked, self._data.targets[start : start + AT_ONCE])
        return float(np.mean(found))

    # -- on disk

    def save(self, path: Path) -> None:
        """Everything, in one safetensors file, whole or not at all."""
        import torch
        from safetensors.torch import save_file

        tensors = {f"now.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"kept.{name}": tensor for name, tensor in self.kept.items()}
        tensors |= {f"mean.{name}": tensor for name, tensor in self._averaged.state_dict().items()}
        for place, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"step.{place}.{name}": torch.as_tensor(value) for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        said = {name: getattr(self, name) for name in ("epoch", "_steps", "best_epoch", "best")}
        said |= {"random": self._random.bit_generator.state}
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        with replacing(path) as draft:
            save_file(tensors, draft, metadata={"said": json.dumps(said)})

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
        self.network.load_state_dict(_part(tensors, "now."))
        self._averaged.load_state_dict(_part(tensors, "mean."))
        self.kept = {name: tensor.to(self._device) for name, tensor in _part(tensors, "kept.").items()}
        optimizer = self._optimizer.state_dict()
        for name in (n for n in tensors if n.startswith("step.")):
            _, place, field = name.split(".")
            optimizer["state"].setdefault(int(place), {})[field] = tensors[name]
        self._optimizer.load_state_dict(optimizer)
        torch.set_rng_state(tensors["random"])


def log_probabilities(logits: NDArray[Any], seen: Sequence[Positions], targets: Sequence[Positions]) -> list[float]:
    """For each row (items,) of logits, the mean log-probability of its targets, what was seen left out; overwrites."""
    for row, history in zip(logits, seen, strict=True):
        row[history] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits).sum(axis=1))
    return [np.mean(row[t]) - whole for row, t, whole in zip(logits, targets, total, strict=True)]


def touched_in(histories: Sequence[Positions], n_items: int) -> NDArray[np.bool_]:
    """(items,): whether each item is in one of the histories."""
    touched = np.zeros(n_items, dtype=bool)
    touched[np.concatenate([*histories, np.zeros(0, dtype=np.int64)])] = True
    return touched


def _identity(data: Histories, texts: Floats | None, shape: Shape, recipe: Recipe, start: Mapping[str, Any]) -> str:
    """Tells one training from another."""
    digest = hashlib.sha256(json.dumps([VERSION, asdict(shape), asdict(recipe)]).encode())
    for arrays in (data.training, data.times, data.asked, data.targets, [] if texts is None else [texts]):
        for array in arrays:
            digest.update(array.tobytes() + b"|")
        digest.update(b"||")
    for tensor in start.values():
        digest.update(tensor.cpu().numpy().tobytes() + b"|")
    return digest.hexdigest()[:12]


def _averaged(averaged: Sequence[Any], current: Sequence[Any], steps: Any) -> None:  # noqa: ANN401
    """Move the average, which forgets faster while there are few steps to speak of."""
    share = min(AVERAGE, (1 + float(steps)) / (10 + float(steps)))
    for mean, now in zip(averaged, current, strict=True):
        mean.lerp_(now, 1 - share)


def _part(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _copy(model: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def ties_shuffled(history: Positions, times: Times, random: np.random.Generator) -> Positions:
    """The history with what shares a time in a random order. Unknown times keep their places."""
    drawn = random.random(len(history))
    group = np.cumsum(np.append(True, times[1:] != times[:-1]))[: len(history)]
    return history[np.lexsort((drawn, group))]
