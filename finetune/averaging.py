"""What goes on beside the steps of tuning: an average of the weights, a score after each pass, the best one kept.

The average moves less than the weights do (Polyak and Juditsky, 1992); it is what is scored and what is kept. It is
saved with each checkpoint, so that a run that was killed goes on as if nothing had happened. It is the last that is
written there, in one step: a checkpoint with it is whole.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agent.files import replacing
from agent.progress import Progress

FILE = "average.safetensors"


class Averaging:
    """Beside the weights of one model, from its first step to its best pass.

    Args:
        weights: the tensors in training, by name; they are read after each step, and replaced while a score is taken.
        score: asked after each pass, with the average in the weights' place; higher is better.
        stays: how much of the average stays at each step, once there were many.
        patience: how many passes after the best one it is enough.
        progress: is told the step, out of all.
        start: the score of the weights as they are, if they are to be kept unless a pass is better; `best` is 0 then.
    """

    def __init__(
        self,
        weights: Mapping[str, Any],
        score: Callable[[], float],
        stays: float,
        patience: int,
        progress: Progress,
        start: float = -math.inf,
    ) -> None:
        self._weights, self._score, self._progress = weights, score, progress
        self._start = start
        self._stays, self._patience = stays, patience
        self._mean, self._kept = _copied(weights), _copied(weights)
        self._stage = "tune"
        self._now: list[float] = []  # losses of the pass under way
        self._begun, self._places = time.perf_counter(), 0
        self.scores: list[float] = []
        self.losses: list[float] = []  # of each pass
        self.best = 0

    @property
    def is_over(self) -> bool:
        """Whether the best pass is long past."""
        return len(self.scores) - self.best >= self._patience

    @property
    def places_per_second(self) -> float:
        """Tokens and items read in a second, scores left out of neither side."""
        return self._places / max(1e-9, time.perf_counter() - self._begun)

    def met(self, loss: float, places: int) -> None:
        """One batch was read."""
        self._now.append(loss)
        self._places += places

    def step(self, number: int, total: int) -> None:
        """The weights have moved. The average forgets faster while there are few steps to speak of."""
        share = min(self._stays, (1 + number) / (10 + number))
        for name, tensor in self._weights.items():
            self._mean[name].lerp_(tensor.detach(), 1 - share)
        told = f"loss {np.mean(self._now):.3f}, {self.places_per_second:,.0f} tokens/s"
        self._progress(self._stage, number, total, told)

    def end_pass(self) -> None:
        """All people were met once."""
        self.losses.append(float(np.mean(self._now)))
        self._now.clear()
        latest = _copied(self._weights)
        _put(self._weights, self._mean)
        self.scores.append(self._score())
        if self.scores[-1] > max([self._start, *self.scores[:-1]]):
            self.best, self._kept = len(self.scores), _copied(self._weights)
        _put(self._weights, latest)

    def take_best(self) -> None:
        """Leave the weights as they were at the best pass."""
        _put(self._weights, self._kept)

    def save(self, checkpoint: Path) -> None:
        """Beside a checkpoint of the weights themselves."""
        from safetensors.torch import save_file

        tensors = {f"mean.{n}": t for n, t in self._mean.items()} | {f"kept.{n}": t for n, t in self._kept.items()}
        said = {"scores": self.scores, "losses": self.losses, "best": self.best}
        with replacing(checkpoint / FILE) as draft:
            save_file({n: t.contiguous() for n, t in tensors.items()}, draft, {"said": json.dumps(said)})

    def load(self, checkpoint: Path) -> None:
        """Go on from there."""
        from safetensors import safe_open

        with safe_open(checkpoint / FILE, "pt") as file:
            said = json.loads(file.metadata()["said"])
            self._mean = {name: file.get_tensor(f"mean.{name}").to(t.device) for name, t in self._weights.items()}
            self._kept = {name: file.get_tensor(f"kept.{name}").to(t.device) for name, t in self._weights.items()}
        self.scores, self.losses, self.best = said["scores"], said["losses"], said["best"]
        self._stage = f"tune, going on from step {_step_of(checkpoint)}"


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint of a run, None where there is none. All others are removed, whole or not."""
    found = {_step_of(path): path for path in folder.glob("checkpoint-*")}
    last = max((step for step, path in found.items() if (path / FILE).is_file()), default=None)
    for step, path in found.items():
        if step != last:
            shutil.rmtree(path)
    return None if last is None else found[last]


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _copied(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def _put(weights: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for name, tensor in weights.items():
        tensor.data.copy_(values[name])
