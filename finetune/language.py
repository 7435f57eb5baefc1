"""The language model of a workspace, tuned on its histories: `vouchrec finetune sft`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from agent.build import adapters_of
from agent.errors import InputError
from agent.generation.adapters import Adapter
from agent.generation.items import ItemShape
from agent.generation.loading import context_of
from agent.progress import Progress, silent
from agent.settings import Settings
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.context import readable
from finetune.continuing import News, configured, go_on, shape_of
from finetune.evaluate.splits import Cases
from finetune.ground import Ground, Skills
from finetune.learned import SEEN
from finetune.ready import require_ready
from finetune.recipe import SftConfig
from finetune.several import first_before_others
from finetune.sft import Score, loss_of, next_items, tune_model, with_lora
from finetune.training import log_probabilities, touched_in

FEWEST = 20  # people with a history, below which nothing is to be learned
ASKED_OFTEN = 300  # held-out people who are asked after each pass, which takes as long as a third of it for 943


def tune_language(
    workspace: Workspace,
    encoder: Encoder,
    settings: Settings,
    config: SftConfig,
    name: str,
    progress: Progress = silent,
) -> Adapter:
    """Tune an adapter on a workspace and keep it there. It does not serve before the gate has let it through.

    The last interaction of up to ASKED people is held out, the same ones as for `finetune.retrieval.tune` with this
    seed: they say when to stop. A run that was killed goes on where it was.

    Raises:
        InputError: too few histories, a model whose context holds too little of them, a loss that is not a number, 4
            bits without a GPU, or the extra `train` or what is to draw curves is not installed.
        AdapterError: the name is taken, or the folder cannot be written.
        AssetError: the language model cannot be had.
    """
    import torch

    require_ready(workspace, name, report_to=config.report_to, bits=config.bits)
    with first_before_others():
        ground = Ground(workspace, encoder, settings, config.seed, name, None, progress)
    if (able := sum(len(history) >= 2 for history in ground.training.histories)) < FEWEST:
        raise InputError(
            f"Only {able} people here have a history of two or more items; "
            f"tuning needs at least {FEWEST}. Import more interactions with `vouchrec init --update`."
        )
    base, chat = ground.load(config.bits)
    context = context_of(base)
    config = config.model_copy(update={"depth": _depth(config.depth, base.config.num_hidden_layers)})
    examples = ground.examples(ground.training, chat, ground.explained(), config, context)
    config = _readable(config, context, examples.plain)
    touched = touched_in(ground.training.histories, len(ground.texts))
    model = with_lora(base, torch.from_numpy(ground.texts), torch.from_numpy(~touched), config)
    tuned = tune_model(
        model, examples, config, _scored(ground, examples.plain, config), ground.work(config), chat.end, progress
    )
    shape = ItemShape(len(ground.texts), ground.texts.shape[1], base.config.hidden_size, config.width, config.depth)
    return ground.keep(tuned, config, ground.rows.record(ground.validation), shape, config.window, Skills.of(config))


def tune_further(
    workspace: Workspace,
    encoder: Encoder,
    settings: Settings,
    config: SftConfig,
    start: str,
    name: str,
    progress: Progress = silent,
) -> Adapter:
    """Tune an adapter from another one, on what has come since that was tuned and a share of what came before.

    What LoRA and the item vectors look like, how much of a history is read and who is held out are as they were there.
    Items that came since get a row of their own, which begins at zero, so that their texts speak for them; those of
    items that are gone are left out. Where no pass is better than the start, the weights stay as they were (`best` 0).

    Raises:
        InputError: nothing has come since, what the start has learned is not known, or the loss is not a number.
        AdapterError: there is no such start, it belongs to another model, prompt or encoder, or the name is taken.
        AssetError: the language model cannot be had.
    """
    import torch

    require_ready(workspace, name, start=start, report_to=config.report_to, bits=config.bits)
    adapter = adapters_of(workspace).get(start)
    config = configured(config, adapter)
    with first_before_others():
        ground = Ground(workspace, encoder, settings, config.seed, name, adapter, progress)
    fresh = ground.rows.fresh(ground.training, ground.before)
    news = News.found(ground.training, fresh, config.window)
    base, chat = ground.load(config.bits)
    model = go_on(base, adapter, ground.catalogue.keys)
    touched = touched_in(ground.training.histories, len(ground.texts))
    base.forward = loss_of(base, torch.from_numpy(ground.texts), torch.from_numpy(~touched), config)
    explained = ground.explained()
    context, plain = context_of(base), ground.plain(chat)
    examples = news.examples(lambda known: ground.examples(known, chat, explained, config, context), config)
    config = _readable(config, context, plain)
    score, work = _scored(ground, plain, config), ground.work(config)
    tuned = tune_model(model, examples, config, score, work, chat.end, progress, start=score(base))
    # Weights that stayed as they were have learned nothing, so that the next run begins where this one did.
    learned = ground.rows.record(ground.validation) if tuned.best else ground.before
    shape = replace(shape_of(adapter), items=len(ground.texts))
    told = {"new": news.count, "people": min(ASKED_OFTEN, len(ground.validation))}
    if not tuned.best and SEEN in adapter.manifest.training:
        told[SEEN] = adapter.manifest.training[SEEN]
    return ground.keep(tuned, config, learned, shape, config.window, Skills.of(adapter.manifest), **told)


def _readable(config: SftConfig, context: int, plain: Any) -> SftConfig:  # noqa: ANN401 - an array of tokens
    """The same settings with a window that the model can read: what is scored and served is no longer."""
    return config.model_copy(update={"window": readable(config.window, context, len(plain))})


def _depth(asked: int | None, layers: int) -> int | None:
    """So many layers of those that a model has, None for all of them. InputError where it has fewer."""
    if asked is not None and asked > layers:
        raise InputError(
            f"The recipe tells the next item after {asked} layers, and the model has {layers}. Say fewer with --set "
            f"depth=N, or take all of them with --set depth=null."
        )
    return None if asked == layers else asked


def _scored(ground: Ground, plain: Any, config: SftConfig) -> Score:  # noqa: ANN401 - an array of tokens
    """What is asked after each pass: the likelihood of what up to ASKED_OFTEN held-out people went on to."""
    asked = np.random.default_rng([config.seed, 8]).permutation(len(ground.validation))[:ASKED_OFTEN]
    validation = ground.validation.only(np.sort(asked))
    return lambda now: likelihood(now, plain, validation, ground.texts, config)


def likelihood(base: Any, prompt: Any, cases: Cases, texts: Any, config: SftConfig) -> float:  # noqa: ANN401
    """The mean log-probability of what each person went on to, with what they have seen left out."""
    histories = cases.known.histories
    logits = next_items(base, prompt, histories, texts, config.window, config.depth)
    return float(np.mean(log_probabilities(logits.astype(np.float64), histories, cases.targets)))
