"""The language model of a workspace, tuned on its histories: `vouchrec finetune sft`."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from agent.assets import language_model
from agent.build import adapters_of
from agent.errors import AdapterError, InputError
from agent.generation.adapters import Adapter, AdapterManifest, Adapters, base_fingerprint, read_adapter, save_manifest
from agent.generation.chat import Chat
from agent.generation.items import ItemShape
from agent.generation.local import load_model
from agent.generation.prompting import PromptSet
from agent.progress import Progress, silent
from agent.settings import Settings
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.behaviour import log_probabilities, touched_in
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import Cases, hold_out_last
from finetune.examples import Examples
from finetune.explained import Explained
from finetune.recipe import SftConfig
from finetune.retrieval import ASKED, transitions_of
from finetune.sft import Tuned, next_items, tune_model

FEWEST = 20  # people with a history, below which nothing is to be learned
PROMPTS = ("rank", "justify")  # what an adapter is bound to


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
        InputError: too few histories, a loss that is not a number, or the extra `train` is not installed.
        AdapterError: the name is taken, or the folder cannot be written.
        AssetError: the language model cannot be had.
    """
    begun = time.perf_counter()
    if missing := [library for library in ("trl", "datasets") if find_spec(library) is None]:
        raise InputError(f"Tuning needs {' and '.join(missing)}: run `pip install 'vouchrec[train]'`.")
    adapters = adapters_of(workspace)
    folder = adapters.path(name)
    if name in adapters.names():
        raise AdapterError(f"There is an adapter called {name!r} already. Give another name, or remove it first.")
    dataset = from_store(workspace.store, workspace.path.name)
    texts = workspace.vectors(encoder, progress)[1]
    training, validation = hold_out_last(dataset, config.seed, ASKED)
    if (able := sum(len(history) >= 2 for history in training.histories)) < FEWEST:
        raise InputError(
            f"Only {able} people here have a history of two or more items; "
            f"tuning needs at least {FEWEST}. Import more interactions with `vouchrec init --update`."
        )
    base_folder = language_model(settings.model, settings.cache, progress)
    model, tokenizer = load_model(base_folder, settings.dtype)
    prompts, chat = PromptSet.named(settings.prompts), Chat(tokenizer)
    catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
    noun = settings.noun or str(workspace.store.get_meta("noun", "item"))
    explained = Explained(catalogue, training, transitions_of(training, dataset), noun)
    examples = Examples(
        catalogue, training, chat, prompts, explained,
        noun=noun, shares=config.shares, window=config.window, seed=config.seed,
    )  # fmt: skip
    data, base = dataset.fingerprint(), base_fingerprint(base_folder)
    decided = [config.model_dump(mode="json"), data, base]
    work = adapters.root / ".tuning" / name / hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:12]
    tuned = tune_model(
        model, examples, texts, touched_in(training.histories, dataset.n_items), config,
        lambda base: likelihood(base, examples, validation, texts, config),
        work, chat.end, progress,
    )  # fmt: skip
    manifest = AdapterManifest(
        name=name,
        base=base,
        base_name=settings.model,
        prompts={prompt: prompts.get(prompt).hash for prompt in PROMPTS},
        encoder=encoder.name,
        shape=ItemShape(len(texts), texts.shape[1], model.config.hidden_size, config.width, config.depth),
        item_ids=catalogue.ids,
        window=config.window,
        writes=config.shares.get("justify", 0) > 0,
        training={**_told(tuned, config), "data": data, "seconds": round(time.perf_counter() - begun)},
    )
    return _keep(tuned, manifest, adapters, folder, work)


def likelihood(base: Any, examples: Examples, cases: Cases, texts: Any, config: SftConfig) -> float:  # noqa: ANN401
    """The mean log-probability of what each person went on to, with what they have seen left out."""
    histories = cases.known.histories
    logits = next_items(base, examples.plain, histories, texts, config.window, config.depth)
    return float(np.mean(log_probabilities(logits.astype(np.float64), histories, cases.targets)))


def _told(tuned: Tuned, config: SftConfig) -> dict[str, Any]:
    return {
        "config": config.model_dump(mode="json"),
        "losses": tuned.losses,
        "scores": tuned.scores,
        "best": tuned.best,
        "places_per_second": round(tuned.places_per_second),
    }


def _keep(tuned: Tuned, manifest: AdapterManifest, adapters: Adapters, folder: Path, work: Path) -> Adapter:
    """Write the weights, then the manifest; what a run needs to go on is removed at the very end."""
    try:
        tuned.model.save_pretrained(folder, safe_serialization=True)
    except OSError as error:
        raise AdapterError(
            f"The adapter cannot be written to {folder} ({error}). Free some space and run the same command again: it "
            "goes on where it was."
        ) from error
    (folder / "README.md").unlink(missing_ok=True)  # peft's, with nothing in it
    save_manifest(folder, manifest)
    shutil.rmtree(work.parent, ignore_errors=True)  # and what runs with other settings have left
    return read_adapter(folder)
