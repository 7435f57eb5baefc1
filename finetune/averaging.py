"""What goes on beside the steps of tuning: an average of the weights, a score after each pass, the best one kept.

The average moves less than the weights do (Polyak and Juditsky, 1992); it is what is scored and what is kept. It is
saved with each checkpoint, so that a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agent.progress import Progress

AVERAGE = "average.safetensors"


def watcher(
    model: Any,  # noqa: ANN401 - peft's model
    score: Callable[[Any], float],
    average: float,
    patience: int,
    progress: Progress,
) -> Any:  # noqa: ANN401 - a callback of transformers
    """A callback that averages the weights, asks for a score after each pass, keeps the best, and stops in time."""
    from safetensors import safe_open
    from safetensors.torch import save_file
    from transformers import TrainerCallback

    weights = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}

    class Watch(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.epoch = self.best = 0
            self.scores: list[float] = []
            self.losses: list[float] = []  # of each pass
            self.speed = 0.0  # places read in a second, in this run
            self.now: list[float] = []  # the losses of the pass under way
            self.places = 0
            self._begun = time.perf_counter()
            self._mean = _copied(weights)
            self._kept = _copied(weights)

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            if state.global_step:
                self._load(_average_file(args, state))

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            self.epoch = round(state.epoch or 0)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            share = min(average, (1 + state.global_step) / (10 + state.global_step))
            for name, tensor in weights.items():
                self._mean[name].lerp_(tensor.detach(), 1 - share)
            self.speed = self.places / (time.perf_counter() - self._begun)
            progress(f"tune, loss {np.mean(self.now[-20:]):.3f}", state.global_step, state.max_steps)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            self.losses.append(float(np.mean(self.now)))
            self.now.clear()
            latest = _copied(weights)
            _put(weights, self._mean)
            self.scores.append(score(model))
            if self.scores[-1] > max(self.scores[:-1], default=-math.inf):
                self.best, self._kept = len(self.scores), _copied(weights)
            _put(weights, latest)
            control.should_training_stop |= len(self.scores) - self.best >= patience

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            tensors = {f"{kind}.{n}": t for kind in ("mean", "kept") for n, t in getattr(self, f"_{kind}").items()}
            said = {"scores": self.scores, "losses": self.losses, "best": self.best}
            save_file(
                {n: t.contiguous() for n, t in tensors.items()}, _average_file(args, state), {"said": json.dumps(said)}
            )

        def _load(self, file: Path) -> None:
            with safe_open(file, "pt") as opened:
                said = json.loads(opened.metadata()["said"])
                self._mean = {name: opened.get_tensor(f"mean.{name}") for name in weights}
                self._kept = {name: opened.get_tensor(f"kept.{name}") for name in weights}
            self.scores, self.losses, self.best = said["scores"], said["losses"], said["best"]

        def take_best(self) -> None:
            """Leave the model as it was at its best pass."""
            _put(weights, self._kept)

    return Watch()


def _average_file(args: Any, state: Any) -> Path:  # noqa: ANN401
    return Path(args.output_dir) / f"checkpoint-{state.global_step}" / "average.safetensors"


def _copied(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def _put(weights: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for name, tensor in weights.items():
        tensor.data.copy_(values[name])
