"""Tuning on what people liked better than what: `vouchrec finetune preference`.

Direct preference optimisation (Rafailov et al., "Direct Preference Optimization: Your Language Model is Secretly a
Reward Model", 2023) over items, as S-DPO has it for recommendation (Chen et al., "On Softmax Direct Preference
Optimization for Recommendation", 2024), with its beta of 1. All items are answered by one softmax: its sum cancels
between the two of a pair, and what is left are two logits of one state, c and r, beside those of the adapter that it
starts from, read once before the first step. The loss of a pair is -log sigmoid(beta * ((c - r) - (c0 - r0))).

The pairs alone say nothing of all other items, and are known to push down what was chosen too, only less (trl #800); so
a little of its log-likelihood is asked for as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.build import adapters_of
from agent.errors import InputError
from agent.generation.adapters import Adapter
from agent.generation.loading import context_of
from agent.progress import Progress, silent
from agent.settings import Settings
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.context import readable, require_fit
from finetune.continuing import go_on, seed_of, shape_of
from finetune.evaluate.bootstrap import interval
from finetune.examples import of_like_length
from finetune.ground import Ground, Skills
from finetune.learned import SEEN
from finetune.pairs import Preferences, preferences
from finetune.passages import Reader, passages, rows
from finetune.ready import require_ready
from finetune.recipe import PreferenceConfig
from finetune.trainer import train
from finetune.training import touched_in

FEWEST = 50  # pairs, below which nothing is to be learned


def tune_preference(
    workspace: Workspace,
    encoder: Encoder,
    settings: Settings,
    config: PreferenceConfig,
    name: str,
    start: str | None = None,
    progress: Progress = silent,
) -> Adapter:
    """Tune an adapter from another one, the one in service if none is named, on what was liked and disliked.

    It does not serve before the gate has let it through. What the gate holds out is in no pair and in no history.
    Where no pass is better than the start, the weights stay the start's (`best` is 0).

    Raises:
        InputError: there are fewer pairs than FEWEST, what the start has learned from is not known, or the context of
            the model holds too little of the histories.
        AdapterError: there is no start, it belongs to another model, prompt or encoder, or the name is taken.
        AssetError: the language model cannot be had.
        LeakError: what is held out can be read in what is learned from.
    """
    require_ready(workspace, name, start=start, report_to=config.report_to)
    kept = adapters_of(workspace)
    adapter = kept.in_service if start is None else kept.get(start)
    if adapter is None:
        raise InputError(
            "No adapter is in service, and preferences are learned on top of one. Tune one with `vouchrec finetune "
            "sft`, and let it serve with `vouchrec finetune promote` or name it with --from."
        )
    shape = replace(shape_of(adapter), items=workspace.store.count_items())
    config = config.model_copy(update={"seed": seed_of(adapter)})
    ground = Ground(workspace, encoder, settings, config.seed, name, adapter, progress)
    known = _enough(preferences(workspace.store, ground.dataset, ground.training, ground.held_out))
    ground.require_clean(*known.touched())
    order = np.random.default_rng([config.seed, 10]).permutation(len(known.pairs))
    pairs, apart = [known.pairs[place] for place in order], max(1, round(config.apart * len(order)))
    base, chat = ground.load()
    plain, context, window = ground.plain(chat), context_of(base), adapter.manifest.window
    require_fit(rows(passages(known.histories, pairs, window), len(plain)), context, window)
    window = readable(window, context, len(plain))
    asked, learned = (passages(known.histories, part, window) for part in (pairs[:apart], pairs[apart:]))
    model = go_on(base, adapter, ground.catalogue.keys)
    reader = Reader(base, plain, ground.texts, shape.depth, chat.end)
    before = np.concatenate(reader.margins(asked))
    references = reader.margins(learned, progress=progress)
    learned = [replace(passage, reference=margins) for passage, margins in zip(learned, references, strict=True)]
    touched = touched_in([*ground.training.histories, *(passage.chosen for passage in learned)], len(ground.texts))
    base.forward = reader.loss(touched, config)

    def drawn(_: int, numbers: Sequence[int]) -> list[dict[str, NDArray[Any]]]:
        return [reader.padded(part) for part in of_like_length([learned[number] for number in numbers])]

    def score() -> float:
        gained = np.concatenate(reader.margins(asked)) - before
        return float(-np.logaddexp(0, -config.beta * gained).mean())

    work = ground.work(config, [astuple(pair) for pair in pairs])
    tuned = train(model, len(learned), drawn, config, score, work, progress, start=-math.log(2))
    told = {
        "pairs": len(pairs),
        "said": sum(pair.said for pair in pairs),
        "apart": apart,
        "ordered_before": _ordered(before),
        "ordered_after": _ordered(np.concatenate(reader.margins(asked))),
        SEEN: ground.rows.record(ground.validation).as_dict(),
    }
    skills = Skills.of(adapter.manifest)
    return ground.keep(tuned, config, ground.before, shape, window, skills, **told)


def _enough(known: Preferences) -> Preferences:
    if (count := len(known.pairs)) < FEWEST:
        raise InputError(
            f"There are {count} pairs of something liked and something disliked by the same person; learning from them "
            f"takes at least {FEWEST}. Say more of what is recommended, or import ratings, and run it again."
        )
    return known


def _ordered(margins: NDArray[np.float64]) -> dict[str, float]:
    """The share of pairs whose chosen one stands before the rejected one, with its interval."""
    return interval((margins > 0).astype(float)).as_dict()
