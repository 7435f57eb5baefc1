"""Tuning of the language model: LoRA and item vectors, on the histories of a workspace. `vouchrec finetune sft`.

One sequence carries all of a history, so a pass over a person trains every place of it: full cross-entropy over the
items after each, and over the tokens of the title that is spelled at its end. The base model stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import InputError
from agent.generation.items import ItemShape, item_vectors
from agent.progress import Progress, silent
from finetune.averaging import watcher
from finetune.examples import Examples, padded

Floats = NDArray[np.float32]
Score = Callable[[Any], float]
PRESETS = Path(__file__).parent / "presets"


class SftConfig(BaseModel):
    """How to tune. Read from YAML; a name that is not here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(6, ge=1, description="Passes over all people.")
    rate: float = Field(5e-4, gt=0, description="Learning rate of LoRA, at its highest.")
    item_rate: float = Field(2e-3, gt=0, description="Learning rate of the item vectors.")
    batch: int = Field(16, ge=1, description="People in one step.")
    rank: int = Field(8, ge=1, description="Rank of LoRA.")
    alpha: float = Field(16, gt=0, description="Scale of LoRA.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Share of LoRA's inputs that is left out.")
    rslora: bool = Field(False, description="Scale by the root of the rank.")
    dora: bool = Field(False, description="Weight-decomposed LoRA; slower on a CPU.")
    targets: tuple[str, ...] = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        description="The linear maps that LoRA is put on.",
    )
    width: int = Field(128, ge=8, description="Numbers in an item's vector.")
    item_dropout: float = Field(0.2, ge=0, lt=1, description="Share of what is read of the items that is left out.")
    forget: float = Field(0.1, ge=0, lt=1, description="Share of the items whose own part is left out, each step.")
    window: int = Field(100, ge=2, description="Items of a history at most.")
    shares: dict[str, float] = Field({"next": 0.8, "request": 0.2}, description="Of each task among the examples.")
    token_weight: float = Field(0.1, ge=0, description="Of the loss on tokens beside that on items.")
    average: float = Field(0.98, ge=0, lt=1, description="How much of the average of the weights stays at each step.")
    patience: int = Field(2, ge=1, description="Stop so many passes after the best one on validation people.")
    seed: int = Field(0, ge=0, description="Decides every draw.")
    report_to: str = Field("none", description="none, tensorboard or trackio.")


def read_config(path: Path | str, **flags: Any) -> SftConfig:  # noqa: ANN401 - flags mirror the fields
    """A preset by its name, or a YAML file; flags that are not None win. InputError says what is wrong where."""
    file = PRESETS / f"{path}.yaml" if (PRESETS / f"{path}.yaml").is_file() else Path(path)
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.yaml")))
        raise InputError(f"There is no preset or file {str(path)!r}. The presets are: {known}.") from error
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{file} cannot be read as YAML: {error}.") from error
    if not isinstance(said, dict):
        raise InputError(f"{file} must hold names and values, such as 'epochs: 6'; it holds a {type(said).__name__}.")
    try:
        return SftConfig(**{**said, **{name: value for name, value in flags.items() if value is not None}})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name} in {file} cannot be {first.get('input')!r}: {first['msg']}.") from error


@dataclass(frozen=True, slots=True)
class Tuned:
    """A tuned model (peft's): its loss and validation score by pass, the best pass (from 1), and how fast it went.

    A place is a token or an item.
    """

    model: Any
    scores: tuple[float, ...]
    best: int
    losses: tuple[float, ...]
    places_per_second: float


def tune_model(
    base: Any,  # noqa: ANN401 - a causal model of transformers
    examples: Examples,
    texts: Floats,
    touched: NDArray[np.bool_],
    config: SftConfig,
    score: Score,
    folder: Path,
    end: int,
    progress: Progress = silent,
) -> Tuned:
    """Tune a language model with LoRA; the base model's own weights stay as they are.

    Args:
        base: the language model; it gains `items`, and its forward is replaced by the loss of a batch.
        examples: what is learned.
        texts: float32 (items, dimension), by catalogue position.
        touched: bool (items,), False for items that nobody in training chose: they are left out of the loss.
        config: how.
        score: asked after each pass with the model at its average; higher is better.
        folder: keeps checkpoints, from which a run that was killed goes on.
        end: the token that fills up.
        progress: is told the step, out of all.

    Raises:
        InputError: the loss is not a number, or the checkpoint belongs to other settings.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers.trainer_utils import get_last_checkpoint

    torch.manual_seed(config.seed)
    shape = ItemShape(len(texts), texts.shape[1], base.config.hidden_size, config.width)
    base.items = item_vectors(shape)
    embeddings = base.get_input_embeddings().weight
    base.items.begin(torch.from_numpy(texts), float(embeddings.float().std()))
    model = get_peft_model(
        base,
        LoraConfig(
            r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=list(config.targets),
            use_rslora=config.rslora, use_dora=config.dora, modules_to_save=["items"], task_type="CAUSAL_LM",
        ),
    )  # fmt: skip
    base.forward = loss_of(base, torch.from_numpy(texts), torch.from_numpy(~touched), config)
    watch = watcher(model, score, config.average, config.patience, progress)
    trainer = _trainer(model, examples, config, folder, end, watch)
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    watch.take_best()
    return Tuned(model, tuple(watch.scores), watch.best, tuple(watch.losses), watch.speed)


def loss_of(base: Any, texts: Any, untouched: Any, config: SftConfig) -> Callable[..., dict[str, Any]]:  # noqa: ANN401
    """The forward of a model in tuning: from a batch of `padded` to its loss, over items and over tokens.

    Only where something is to come are states multiplied out, so the wide head of the tokens is paid for a few places.
    """
    import torch
    from torch.nn.functional import cross_entropy, dropout

    def forward(
        tokens: torch.Tensor,
        items: torch.Tensor,
        next_items: torch.Tensor,
        next_tokens: torch.Tensor,
        there: torch.Tensor,
        **_: Any,  # noqa: ANN401 - what peft adds
    ) -> dict[str, Any]:
        vectors = base.items
        rows = torch.arange(len(texts), device=tokens.device)
        table = vectors.table(texts.to(tokens.device), rows, config.forget if base.training else 0.0)
        read = dropout(vectors.read(table), config.item_dropout, base.training)
        embedded = base.get_input_embeddings()(tokens)
        embedded = torch.where((items >= 0)[..., None], read[items.clamp(min=0)].to(embedded.dtype), embedded)
        states = base.model(inputs_embeds=embedded, attention_mask=there, use_cache=False).last_hidden_state
        loss = states.new_zeros((), dtype=torch.float32)
        if (chosen := next_items >= 0).any():
            logits = vectors.answer(states[chosen], table).masked_fill(untouched.to(tokens.device), -torch.inf)
            loss = loss + cross_entropy(logits, next_items[chosen])
        if config.token_weight and (spelled := next_tokens >= 0).any():
            logits = base.lm_head(states[spelled]).float()
            loss = loss + config.token_weight * cross_entropy(logits, next_tokens[spelled])
        return {"loss": loss}

    return forward


def next_items(
    base: Any,  # noqa: ANN401 - the language model with its `items`
    prompt: NDArray[np.int64],
    histories: Sequence[NDArray[np.int64]],
    texts: Floats,
    window: int,
    at_once: int = 32,
) -> Floats:
    """(people, items): logits of what comes next, after the prompt's tokens and the recent part of each history."""
    import torch

    found = np.empty((len(histories), len(texts)), dtype=np.float32)
    recent = [history[-window:] for history in histories]
    order = np.argsort([len(history) for history in recent], kind="stable")
    device = base.device
    base.eval()
    with torch.inference_mode():
        rows = torch.arange(len(texts), device=device)
        table = base.items.table(torch.from_numpy(texts).to(device), rows)
        read = base.items.read(table)
        before = base.get_input_embeddings()(torch.from_numpy(prompt).to(device))
        for start in range(0, len(order), at_once):
            people = order[start : start + at_once]
            longest = max(len(recent[p]) for p in people)
            embedded = before.new_zeros(len(people), len(prompt) + longest, before.shape[1])
            embedded[:, : len(prompt)] = before
            for row, p in enumerate(people):
                embedded[row, len(prompt) : len(prompt) + len(recent[p])] = read[torch.from_numpy(recent[p]).to(device)]
            states = base.model(inputs_embeds=embedded, use_cache=False).last_hidden_state
            ends = torch.tensor([len(prompt) + len(recent[p]) - 1 for p in people], device=device)
            logits = base.items.answer(states[torch.arange(len(people), device=device), ends], table)
            found[people] = logits.float().cpu().numpy()  # what stands behind an end is never looked at from there
    return found


def _trainer(model: Any, examples: Examples, config: SftConfig, folder: Path, end: int, watch: Any) -> Any:  # noqa: ANN401
    """The trainer of trl over our examples: its schedule, checkpoints and devices; the loss is that of the model."""
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

    class Trainer(SFTTrainer):
        loss_is_scaled_for_ga = False  # type: ignore[assignment]  # ours is the mean of a batch

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
                    f"The loss is {float(loss)} at step {self.state.global_step + 1}: tuning cannot go on, and nothing "
                    f"was put in service. Try a lower rate (now {config.rate}) or item_rate (now {config.item_rate})."
                )
            watch.now.append(float(loss.detach()))
            watch.places += int(inputs["there"].sum())
            return (loss, {}) if return_outputs else loss

        def create_optimizer(self, *_: Any) -> Any:  # noqa: ANN401
            named = [(name, weights) for name, weights in self.model.named_parameters() if weights.requires_grad]
            groups = [
                {"params": [w for n, w in named if ".items." not in n], "lr": config.rate, "weight_decay": 0.0},
                {"params": [w for n, w in named if ".items." in n], "lr": config.item_rate, "weight_decay": 0.01},
            ]
            self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
            return self.optimizer

    def drawn(people: Sequence[dict[str, int]]) -> dict[str, torch.Tensor]:
        batch = [examples.draw(watch.epoch, person["number"]) for person in people]
        return {name: torch.from_numpy(values) for name, values in padded(batch, end).items()}

    numbers = Dataset.from_dict({"number": list(range(len(examples)))})  # what each stands for is drawn when it is met
    settings = SFTConfig(
        output_dir=str(folder), num_train_epochs=config.epochs, per_device_train_batch_size=config.batch,
        learning_rate=config.rate, lr_scheduler_type="cosine", warmup_steps=0.05, max_grad_norm=1.0, seed=config.seed,
        bf16=next(model.parameters()).dtype == torch.bfloat16, use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False, save_strategy="epoch", save_total_limit=2, logging_strategy="no",
        report_to=config.report_to, disable_tqdm=True, remove_unused_columns=False, max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True}, dataloader_pin_memory=False,
    )  # fmt: skip
    return Trainer(model=model, args=settings, train_dataset=numbers, data_collator=drawn, callbacks=[watch])
