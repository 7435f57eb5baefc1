"""Tuning that goes on from an adapter: what has come since is learned, and some of what came before is learned again.

Replay is what keeps a network from forgetting (Robins, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal", 1995).
GRU4Rec let go of its `retrain`, and Transformers4Rec cannot extend a table of items; here an item without a row of its
own has the vector of its text already, so a new row begins at zero and nothing jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import AdapterError, InputError
from agent.generation.adapters import WEIGHTS, Adapter
from agent.generation.items import ItemShape, item_vectors
from agent.quiet import quiet_transformers
from finetune.evaluate.splits import Known
from finetune.examples import NONE, Example, Examples
from finetune.recipe import WRITTEN, SftConfig
from finetune.sft import quick_on_cpu

Flags = NDArray[np.bool_]
OWN = ".items.own.weight"  # how the name of the items' own rows ends


def configured(config: SftConfig, start: Adapter) -> SftConfig:
    """The same settings with what an adapter that is tuned further decides: its sizes, its window, its seed.

    One that ranks alone learns no words here either.
    """
    shape, lora = shape_of(start), _lora_of(start)
    decided = {
        "rank": lora.r, "alpha": lora.lora_alpha, "dropout": lora.lora_dropout, "rslora": lora.use_rslora,
        "dora": lora.use_dora, "targets": tuple(sorted(lora.target_modules)), "width": shape.width,
        "depth": shape.depth, "window": start.manifest.window, "seed": seed_of(start),
    }  # fmt: skip
    if start.manifest.ranks_alone:
        decided["shares"] = {task: share for task, share in config.shares.items() if task not in WRITTEN}
    return SftConfig(**{**config.model_dump(), **decided})


def seed_of(start: Adapter) -> int:
    """The seed that says who was held out from it. AdapterError when it does not tell."""
    try:
        return int(start.manifest.training["config"]["seed"])
    except (KeyError, TypeError, ValueError) as error:
        raise AdapterError(
            f"The adapter {start.manifest.name!r} does not tell with which seed it was tuned, so who was held out from "
            "it is not known. Tune one with `vouchrec finetune sft`."
        ) from error


def shape_of(start: Adapter) -> ItemShape:
    """The sizes of its item vectors. AdapterError when it has none."""
    if (shape := start.manifest.shape) is None:
        raise AdapterError(
            f"The adapter {start.manifest.name!r} has no item vectors, so it cannot be tuned further here. Tune one "
            "with `vouchrec finetune sft`."
        )
    return shape


def go_on(base: Any, start: Adapter, keys: Sequence[str]) -> Any:  # noqa: ANN401 - a causal model of transformers
    """Peft's model over a language model with the weights of an adapter, ready to be tuned further.

    Args:
        base: the language model that the adapter was tuned on; it gains `items`.
        start: the adapter.
        keys: of all items now (`item_key`). Those that it has rows for keep them; the others have one of zeros.

    Raises:
        AdapterError: it has no item vectors, is damaged, or does not load.
    """
    import torch
    from peft import get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    start.check_weights()
    lora = _lora_of(start)
    quick_on_cpu(base)
    base.items = item_vectors(replace(shape_of(start), items=len(keys))).to(base.device)
    try:
        weights = load_file(start.folder / WEIGHTS)
        own = next(name for name in weights if name.endswith(OWN))
        row_of = {key: row for row, key in enumerate(start.manifest.items)}
        rows = torch.tensor([row_of.get(key, -1) for key in keys])
        weights[own] = weights[own][rows.clamp(min=0)] * (rows >= 0)[:, None]
        with quiet_transformers():
            model = get_peft_model(base, lora)
            if unknown := set_peft_model_state_dict(model, weights).unexpected_keys:
                raise ValueError(f"it holds {unknown[0]}, which the model has no place for")
    except Exception as error:
        raise _damaged(start, error) from error
    return model


def _lora_of(start: Adapter) -> Any:  # noqa: ANN401 - peft's
    from peft import LoraConfig

    try:
        lora = LoraConfig.from_pretrained(str(start.folder))
    except Exception as error:
        raise _damaged(start, error) from error
    lora.inference_mode = False
    return lora


def _damaged(start: Adapter, error: Exception) -> AdapterError:
    return AdapterError(f"The adapter in {start.folder} does not load ({error}). Take another, or tune it again.")


@dataclass(frozen=True, slots=True)
class News:
    """What has come and what was there: `fresh` says of each history of `recent` which of its items are new.

    `recent` holds people with news, from as long before the first of these as is read of a history; `old` everyone's
    histories as they were learned.
    """

    recent: Known
    fresh: tuple[Flags, ...]
    old: Known

    @classmethod
    def found(cls, training: Known, fresh: Sequence[Flags], window: int) -> News:
        """Take the training histories apart. InputError when there is nothing new in them to be learned."""
        whole = [slice(max(0, int(new.argmax()) - window + 1), None) if new.any() else slice(0) for new in fresh]
        recent = _parted(training, whole)
        told = np.array([len(history) >= 2 for history in recent.histories], dtype=bool)
        if not told.any():
            raise InputError(
                "Nothing has come since that adapter was tuned, so there is nothing to learn: a person's last "
                "interaction is always held out. Add interactions with `vouchrec init --update` first."
            )
        rows = np.flatnonzero(told)
        old = _parted(training, [~new for new in fresh])
        with_old = np.flatnonzero([len(history) >= 2 for history in old.histories])
        return cls(recent.only(rows), tuple(fresh[row][whole[row]] for row in rows), old.only(with_old))

    @property
    def count(self) -> int:
        """How many interactions are new."""
        return sum(int(new.sum()) for new in self.fresh)

    def examples(self, of: Callable[[Known], Examples], config: SftConfig) -> NewAndOld:
        """All that a pass is drawn from; `of` makes examples of histories."""
        old = of(self.old) if len(self.old) and config.replay else None
        return NewAndOld(of(self.recent), self, old, config)


class NewAndOld:
    """Examples of what is new, and behind them the share `config.replay` of what is old, others in each pass.

    Of somebody with news only what is new counts. Of somebody old as many places count as of somebody with news in the
    mean, so that the share is one of the loss too, and not only of the people.
    """

    def __init__(self, new: Examples, news: News, old: Examples | None, config: SftConfig) -> None:
        self._new, self._old, self._seed = new, old, config.seed
        pairs = zip(news.recent.histories, news.fresh, strict=True)
        self._fresh = [set(history[flags].tolist()) for history, flags in pairs]
        self._counted = max(1, round(news.count / len(self._new)))
        self._replayed = 0 if old is None else max(1, round(config.replay / (1 - config.replay) * len(self._new)))

    def __len__(self) -> int:
        return len(self._new) + self._replayed

    def draw(self, epoch: int, number: int) -> Example:
        """The example behind a number in one pass; always the same one."""
        if self._old is None or number < len(self._new):
            return self._only_new(self._new.draw(epoch, number), self._fresh[self._new.people[number]])
        random = np.random.default_rng([self._seed, epoch, number, 9])
        example = self._old.draw(epoch, int(random.integers(len(self._old))))
        asked = np.flatnonzero(example.next_items != NONE)
        left_out = random.permutation(asked)[self._counted :]
        return _without(example, left_out)

    def _only_new(self, example: Example, fresh: set[int]) -> Example:
        is_new = np.isin(example.next_items, list(fresh))
        return _without(example, np.flatnonzero(~is_new)) if is_new.any() else example


def _without(example: Example, places: NDArray[np.int64]) -> Example:
    next_items = example.next_items.copy()
    next_items[places] = NONE
    return replace(example, next_items=next_items)


def _parted(known: Known, kept: Sequence[slice | Flags]) -> Known:
    columns = (known.histories, known.values, known.times)
    return Known(known.users, *(tuple(h[k] for h, k in zip(column, kept, strict=True)) for column in columns))
