"""The trainer of trl over our batches: its schedule, checkpoints and devices are kept, the loss is the model's own.

Histories and preferences go through the same one. DPOTrainer of trl would want each pair as two texts, read each on its
own, and add up the log-probabilities of their tokens; here what is compared are two logits of one state, and all pairs
of a person stand on one reading of their history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.files import writing
from agent.progress import Progress
from agent.quiet import quiet_transformers
from finetune.averaging import Averaging, newest
from finetune.recipe import Steps
from finetune.several import first_before_others, is_first, processes, told_by_first, wait_for_others

CURVES = "curves"  # the folder of TensorBoard's files, beside checkpoints and then in the adapter
AGAIN = "Free some space and run the same command again: it goes on where it was."
Part = Mapping[str, NDArray[np.generic]]
Drawn = Callable[[int, Sequence[int]], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A tuned model (peft's): its loss and validation score by pass, the best pass (from 1), and how fast it went.

    `start` is the score before the first pass, where that was asked for, and then `best` is 0 if no pass was better. A
    place is a token or an item. `folder` holds the checkpoints and the curves.
    """

    model: Any
    losses: tuple[float, ...]
    scores: tuple[float, ...]
    best: int
    places_per_second: float
    folder: Path
    start: float | None = None


def train(
    model: Any,  # noqa: ANN401 - peft's model, whose forward gives the loss of a batch in parts
    examples: int,
    drawn: Drawn,
    config: Steps,
    score: Callable[[], float],
    folder: Path,
    progress: Progress,
    start: float | None = None,
) -> Tuned:
    """Train what can be trained in a model, and leave it as the average was after the best pass.

    Args:
        model: what is tuned.
        examples: how many make a pass.
        drawn: from the pass, from 0, and the numbers of some examples to the parts of a batch: arrays by name, among
            them `there`, which is 1 at every place.
        config: how.
        score: asked after each pass, with the average in the weights' place; higher is better.
        folder: keeps checkpoints, from which a run that was killed goes on.
        progress: is told the step, out of all.
        start: the score of the model as it is, if it is to stay so unless a pass is better.

    Raises:
        InputError: the loss is not a number.
        AdapterError: the folder cannot be written, as where the disk is full.
    """
    weights = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
    begins = () if start is None else (start,)
    averaging = Averaging(weights, told_by_first(score), config.average, config.patience, progress, *begins)
    with quiet_transformers(), writing("What tuning needs to go on", folder, AGAIN, alone=False):
        with first_before_others():
            last = newest(folder)
        trainer = trainer_of(model, examples, drawn, config, folder, averaging)
        if last is not None:
            averaging.load(last)
        if not averaging.is_over:  # it is where patience had ended, and then the adapter could not be written
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
    averaging.take_best()
    scores, losses = tuple(averaging.scores), tuple(averaging.losses)
    return Tuned(model, losses, scores, averaging.best, averaging.places_per_second, folder, start)


def trainer_of(
    model: Any,  # noqa: ANN401
    examples: int,
    drawn: Drawn,
    config: Steps,
    folder: Path,
    averaging: Averaging,
) -> Any:  # noqa: ANN401
    """A `SFTTrainer` that draws its batches and keeps the average beside the weights; see `train`."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    class Trainer(SFTTrainer):  # type: ignore[misc]
        loss_is_scaled_for_ga = False  # ours is the mean of a batch

        def compute_loss(
            self,
            model: Any,  # noqa: ANN401
            inputs: Any,  # noqa: ANN401
            return_outputs: Any = False,  # noqa: ANN401
            num_items_in_batch: Any = None,  # noqa: ANN401
        ) -> Any:  # noqa: ANN401
            loss = model(**inputs)["loss"]
            if not torch.isfinite(loss):
                raise InputError(
                    f"The loss is {float(loss.detach())} at step {self.state.global_step + 1}: tuning cannot go on, "
                    f"and nothing was put in service. Try a lower rate (now {config.rate}) or item_rate (now "
                    f"{config.item_rate})."
                )
            places = sum(int(part["there"].sum()) for part in inputs["parts"])
            averaging.met(float(loss.detach()), places * processes())
            return (loss, {}) if return_outputs else loss

        def create_optimizer(self, *_: Any) -> Any:  # noqa: ANN401
            named = [(name, weights) for name, weights in self.model.named_parameters() if weights.requires_grad]
            groups = [
                {"params": [w for n, w in named if ".items." not in n], "lr": config.rate, "weight_decay": 0.0},
                {"params": [w for n, w in named if ".items." in n], "lr": config.item_rate, "weight_decay": 0.01},
            ]
            self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
            return self.optimizer

        def _save_checkpoint(self, *given: Any) -> None:  # noqa: ANN401
            checkpoint = folder / f"checkpoint-{self.state.global_step}"
            with writing("A checkpoint", checkpoint, AGAIN):
                super()._save_checkpoint(*given)
                wait_for_others()  # each has written a file of its own
                if is_first():
                    averaging.save(checkpoint)

    told = _told(averaging)

    def collated(batch: Sequence[dict[str, int]]) -> dict[str, list[dict[str, torch.Tensor]]]:
        parts = drawn(told.epoch, [example["number"] for example in batch])
        return {"parts": [{name: torch.from_numpy(values) for name, values in part.items()} for part in parts]}

    numbers = Dataset.from_dict({"number": list(range(examples))})  # what each stands for is drawn when it is met
    settings = SFTConfig(
        output_dir=str(folder), num_train_epochs=config.epochs,
        per_device_train_batch_size=max(1, config.batch // processes()),
        learning_rate=config.rate, lr_scheduler_type="cosine", warmup_steps=0.05, max_grad_norm=1.0, seed=config.seed,
        bf16=next(model.parameters()).dtype == torch.bfloat16, use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False, save_strategy="epoch", save_total_limit=2,
        logging_strategy="no" if config.report_to == "none" else "steps", logging_steps=10, report_to="none",
        project="vouchrec", run_name="-".join(folder.parts[-2:]),
        disable_tqdm=True, remove_unused_columns=False, max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True}, dataloader_pin_memory=False,
        ddp_find_unused_parameters=processes() > 1,  # what only ranks leaves the last layers alone
    )  # fmt: skip
    # Of several GPUs that one process sees it takes the first: the loss stands on one device (several: `accelerate`).
    settings._n_gpu = min(1, settings.n_gpu)
    learned = [(weights, weights.data) for weights in model.parameters() if weights.requires_grad]
    trainer = Trainer(model=model, args=settings, train_dataset=numbers, data_collator=collated, callbacks=[told])
    for weights, precise in learned:  # trl rounds them where the base has 4 bits: too coarse for vectors of items
        weights.data = precise
    trainer.remove_callback(PrinterCallback)  # the terminal is told by `averaging`
    if config.report_to != "none":
        trainer.add_callback(_reporter(config.report_to, folder))
        told.log = trainer.log
    return trainer


def _reporter(report_to: str, folder: Path) -> Any:  # noqa: ANN401 - a callback of transformers
    """Draws curves: TensorBoard from files beside the checkpoints, Trackio in a project of this machine."""
    from transformers.integrations import TensorBoardCallback, TrackioCallback

    if report_to == "trackio":
        return TrackioCallback()
    board = TensorBoardCallback()
    board.logging_dir = str(folder / CURVES)  # its own choice would hold the name of the machine
    return board


def _told(averaging: Averaging) -> Any:  # noqa: ANN401
    """A callback of transformers that hands on what happens; `epoch` is the one under way, from 0.

    `log`, where there is one, is told the score of each pass, and the loss at its end.
    """
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]
        epoch = 0
        log: Callable[[dict[str, float]], None] | None = None

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            self.epoch = round(state.epoch or 0)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            averaging.step(state.global_step, state.max_steps)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            averaging.end_pass()
            if self.log is not None:
                self.log({"eval_score": averaging.scores[-1]})
                control.should_log = True
            control.should_training_stop |= averaging.is_over

    return Told()
