"""The trainer of trl over our examples: its schedule, checkpoints and devices are kept, the loss is the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import InputError
from finetune.averaging import Averaging
from finetune.examples import Examples, of_like_length, padded
from finetune.recipe import SftConfig


def trainer_of(
    model: Any,  # noqa: ANN401 - peft's model, whose forward gives the loss of a batch in parts
    examples: Examples,
    config: SftConfig,
    folder: Path,
    end: int,
    averaging: Averaging,
) -> Any:  # noqa: ANN401
    """A `SFTTrainer` that draws its batches from the examples and keeps the average beside the weights.

    Args:
        model: what is tuned.
        examples: what is learned.
        config: how.
        folder: for checkpoints, one a pass.
        end: the token that fills up.
        averaging: told of every batch, step and pass; it says when to stop.
    """
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
            averaging.met(float(loss.detach()), sum(int(part["there"].sum()) for part in inputs["parts"]))
            return (loss, {}) if return_outputs else loss

        def create_optimizer(self, *_: Any) -> Any:  # noqa: ANN401
            named = [(name, weights) for name, weights in self.model.named_parameters() if weights.requires_grad]
            groups = [
                {"params": [w for n, w in named if ".items." not in n], "lr": config.rate, "weight_decay": 0.0},
                {"params": [w for n, w in named if ".items." in n], "lr": config.item_rate, "weight_decay": 0.01},
            ]
            self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
            return self.optimizer

    told = _told(averaging, folder)

    def drawn(people: Sequence[dict[str, int]]) -> dict[str, list[dict[str, torch.Tensor]]]:
        batch = [examples.draw(told.epoch, person["number"]) for person in people]
        parts = (padded(part, end) for part in of_like_length(batch))
        return {"parts": [{name: torch.from_numpy(values) for name, values in part.items()} for part in parts]}

    numbers = Dataset.from_dict({"number": list(range(len(examples)))})  # what each stands for is drawn when it is met
    settings = SFTConfig(
        output_dir=str(folder), num_train_epochs=config.epochs, per_device_train_batch_size=config.batch,
        learning_rate=config.rate, lr_scheduler_type="cosine", warmup_steps=0.05, max_grad_norm=1.0, seed=config.seed,
        bf16=next(model.parameters()).dtype == torch.bfloat16, use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False, save_strategy="epoch", save_total_limit=2, logging_strategy="no",
        report_to=config.report_to, disable_tqdm=True, remove_unused_columns=False, max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True}, dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = Trainer(model=model, args=settings, train_dataset=numbers, data_collator=drawn, callbacks=[told])
    trainer.remove_callback(PrinterCallback)  # the terminal is told by `averaging`
    return trainer


def _told(averaging: Averaging, folder: Path) -> Any:  # noqa: ANN401
    """A callback of transformers that hands on what happens; `epoch` is the one under way, from 0."""
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]
        epoch = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            if state.global_step:
                averaging.load(folder / f"checkpoint-{state.global_step}")

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            self.epoch = round(state.epoch or 0)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            averaging.step(state.global_step, state.max_steps)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            averaging.end_pass()
            control.should_training_stop |= averaging.is_over

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            averaging.save(folder / f"checkpoint-{state.global_step}")

    return Told()
