"""Tuning of the language model: LoRA and item vectors, on the histories of a workspace. `vouchrec finetune sft`.

One sequence carries all of a history, so a pass over a person trains every place of it: full cross-entropy over the
items after each, and over the tokens of the title that is spelled at its end. The base model stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.generation.items import ItemShape, item_vectors, only_layers, states_at
from agent.progress import Progress, silent
from agent.quiet import quiet_transformers
from finetune.examples import Example, of_like_length, padded
from finetune.recipe import SftConfig
from finetune.trainer import Tuned, train

Floats = NDArray[np.float32]
Score = Callable[[Any], float]


class Drawable(Protocol):
    """What a pass is drawn from, such as `finetune.examples.Examples`."""

    def __len__(self) -> int:
        """How many examples make a pass."""

    def draw(self, epoch: int, number: int) -> Example:
        """One of them, always the same one."""


def tune_model(
    model: Any,  # noqa: ANN401 - peft's model, whose forward is the loss of a batch
    examples: Drawable,
    config: SftConfig,
    score: Score,
    folder: Path,
    end: int,
    progress: Progress = silent,
    start: float | None = None,
) -> Tuned:
    """Tune a language model with LoRA; the base model's own weights stay as they are.

    Args:
        model: as `with_lora` gives it, or `finetune.continuing.go_on` with the same forward.
        examples: what is learned.
        config: how.
        score: asked after each pass, with the base model as the average has it; higher is better.
        folder: keeps checkpoints, from which a run that was killed goes on.
        end: the token that fills up.
        progress: is told the step, out of all.
        start: the score of the model as it is, if it is to stay so unless a pass is better.

    Raises:
        InputError: the loss is not a number.
    """
    base = model.get_base_model()

    def drawn(epoch: int, numbers: Sequence[int]) -> list[dict[str, NDArray[np.int64]]]:
        batch = [examples.draw(epoch, number) for number in numbers]
        return [padded(part, end) for part in of_like_length(batch)]

    return train(model, len(examples), drawn, config, lambda: score(base), folder, progress, start)


def with_lora(base: Any, texts: Any, untouched: Any, config: SftConfig) -> Any:  # noqa: ANN401 - torch, transformers
    """A language model made ready for tuning: peft's model, whose forward is the loss of a batch.

    Args:
        base: the language model; it gains `items`.
        texts: (items, dimension), by catalogue position.
        untouched: (items,), True for items that nobody in training chose: they are left out of the loss.
        config: how.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(config.seed)
    quick_on_cpu(base)
    shape = ItemShape(len(texts), texts.shape[1], base.config.hidden_size, config.width, config.depth)
    base.items = item_vectors(shape)
    base.items.begin(texts, float(base.get_input_embeddings().weight.detach().float().std()))
    base.items.to(base.device)  # a base in 4 bits stands on its device already
    lora = LoraConfig(
        r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=list(config.targets),
        layers_to_transform=list(range(config.depth)) if config.depth and config.ranks_alone else None,
        use_rslora=config.rslora, use_dora=config.dora, modules_to_save=["items"], task_type="CAUSAL_LM",
    )  # fmt: skip
    with quiet_transformers():
        model = get_peft_model(base, lora)
    base.forward = loss_of(base, texts, untouched, config)
    return model


def quick_on_cpu(base: Any) -> None:  # noqa: ANN401
    """Attention as it is fastest to train: on short rows of a CPU, plain backward takes a third less than fused."""
    if base.device.type == "cpu":
        base.set_attn_implementation("eager")


def with_items(base: Any, part: Mapping[str, Any], read: Any) -> Any:  # noqa: ANN401
    """(rows, places, hidden): what a language model reads of a batch's `tokens` and, where they stand, `items`."""
    import torch

    embedded = base.get_input_embeddings()(part["tokens"])
    placed = read[part["items"].clamp(min=0)].to(embedded.dtype)
    return torch.where((part["items"] >= 0)[..., None], placed, embedded)


def loss_of(base: Any, texts: Any, untouched: Any, config: SftConfig) -> Callable[..., dict[str, Any]]:  # noqa: ANN401
    """The forward of a model in tuning: from the parts of a batch (see `padded`) to its loss, over items and tokens.

    Only where something is to come are states multiplied out, so the wide head of the tokens is paid for a few places.
    """
    import torch
    from torch.nn.functional import cross_entropy, dropout

    def forward(parts: Sequence[Mapping[str, torch.Tensor]], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - of peft
        device = parts[0]["tokens"].device
        vectors = base.items
        rows = torch.arange(len(texts), device=device)
        table = vectors.table(texts.to(device), rows, config.forget if base.training else 0.0)
        read = dropout(vectors.read(table), config.item_dropout, base.training)
        items, tokens = table.new_zeros(()), table.new_zeros(())
        for part in parts:
            embedded = with_items(base, part, read)
            spells = config.token_weight > 0 and bool((part["next_tokens"] >= 0).any())
            with only_layers(base.model, None if spells else config.depth):
                depth = config.depth if spells else None
                output, states = states_at(
                    base.model, depth, inputs_embeds=embedded, attention_mask=part["there"], use_cache=False
                )
            if (chosen := part["next_items"] >= 0).any():
                logits = vectors.answer(states[chosen], table).masked_fill(untouched.to(device), -torch.inf)
                items = items + cross_entropy(logits, part["next_items"][chosen], reduction="sum")
            if spells:
                spelled = part["next_tokens"] >= 0
                logits = base.lm_head(output.last_hidden_state[spelled]).float()
                tokens = tokens + cross_entropy(logits, part["next_tokens"][spelled], reduction="sum")
        n_items = sum(int((part["next_items"] >= 0).sum()) for part in parts)
        n_tokens = sum(int((part["next_tokens"] >= 0).sum()) for part in parts)
        return {"loss": items / max(1, n_items) + config.token_weight * tokens / max(1, n_tokens)}

    return forward


def next_items(
    base: Any,  # noqa: ANN401 - the language model with its `items`
    prompt: NDArray[np.int64],
    histories: Sequence[NDArray[np.int64]],
    texts: Floats,
    window: int,
    depth: int | None = None,
    at_once: int = 32,
) -> Floats:
    """(people, items): logits of what comes next, after the prompt's tokens and the recent part of each history."""
    import torch

    found = np.empty((len(histories), len(texts)), dtype=np.float32)
    recent = [history[-window:] for history in histories]
    order = np.argsort([len(history) for history in recent], kind="stable")
    device = base.device
    was_training = base.training
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
            with only_layers(base.model, depth):
                states = base.model(inputs_embeds=embedded, use_cache=False).last_hidden_state
            ends = torch.tensor([len(prompt) + len(recent[p]) - 1 for p in people], device=device)
            logits = base.items.answer(states[torch.arange(len(people), device=device), ends], table)
            found[people] = logits.float().cpu().numpy()  # what stands behind an end is never looked at from there
    base.train(was_training)
    return found
