"""What every tuning of a language model stands on: data, prompts, encoder, and the folder of the adapter to be."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.assets import language_model
from agent.build import adapters_of, check_adapter
from agent.errors import InputError
from agent.files import writing
from agent.generation.adapters import (
    FORMAT,
    RECORD,
    Adapter,
    AdapterManifest,
    base_fingerprint,
    read_adapter,
    save_manifest,
    weights_hash,
)
from agent.generation.chat import Chat
from agent.generation.items import ItemShape
from agent.generation.loading import load_model
from agent.generation.prompting import PromptSet
from agent.progress import Progress
from agent.reader import PROMPT, with_intent
from agent.settings import Settings
from agent.stages import noun_of
from agent.versions import versions
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.context import require_fit
from finetune.evaluate.audit import audit_evidence, audit_history, audit_pairs, audit_training, require_clean
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import NOBODY, Known, Split, hold_out_last
from finetune.examples import Examples
from finetune.explained import Explained
from finetune.learned import Learned, Rows, learned_by, seen_by
from finetune.recipe import SftConfig, Steps
from finetune.retrieval import ASKED, transitions_of
from finetune.several import first_before_others, is_first, processes
from finetune.trainer import AGAIN, CURVES, Tuned

Positions = NDArray[np.int64]
PROMPTS = ("rank", "justify")  # what an adapter is bound to; one that ranks alone to the first


@dataclass(frozen=True, slots=True)
class Skills:
    """What an adapter has learned beside ranking: to phrase reasons freely, to fill in what a message asks for.

    `ranks_alone` says that it has learned no words at all.
    """

    writes: bool
    fills: bool
    ranks_alone: bool

    @classmethod
    def of(cls, learned: SftConfig | AdapterManifest) -> Skills:
        """Those of a run, or of the adapter that is tuned further."""
        if isinstance(learned, AdapterManifest):
            return cls(learned.writes, learned.fills, learned.ranks_alone)
        writes, fills = (learned.shares.get(task, 0) > 0 for task in ("justify", "understand"))
        return cls(writes, fills, learned.ranks_alone)


class Ground:
    """The ground of one tuning. The language model is not loaded before `load`.

    Args:
        workspace: whose histories are learned from.
        encoder: makes the text vectors.
        settings: name the model and the prompts.
        seed: with it the last interaction of up to ASKED people is held out, the same ones as for
            `finetune.retrieval.tune`; for an adapter that is tuned further, the seed of that one.
        name: of the adapter that is to be; see `finetune.ready`.
        start: the adapter that it is tuned from, None for none.
        progress: what is told how far it has come.

    `training` is what is learned from, `held_out` is not; `validation` is the part of that which `start` has not
    learned from either, and `before` says what it has.

    Raises:
        InputError: nobody has two interactions, or what `start` has learned is not known.
        AdapterError: `start` belongs to another model, prompt or encoder.
        AssetError: the language model cannot be had.
        LeakError: what is held out can be read in what is learned from.
    """

    def __init__(
        self,
        workspace: Workspace,
        encoder: Encoder,
        settings: Settings,
        seed: int,
        name: str,
        start: Adapter | None,
        progress: Progress,
    ) -> None:
        self._begun = time.perf_counter()
        self._adapters = adapters_of(workspace)
        self._folder = self._adapters.path(name)
        self.name, self.start, self.seed, self._settings, self._encoder = name, start, seed, settings, encoder
        self.dataset = from_store(workspace.store, workspace.path.name)
        self._base_folder = language_model(settings.model, settings.cache, progress)
        if start is not None:
            check_adapter(start, settings, self._base_folder, encoder.name)
        self.texts = workspace.vectors(encoder, progress)[1]
        self.training, self.held_out = hold_out_last(self.dataset, seed, ASKED)
        self._split = Split("leave-one-out", seed, self.dataset.n_items, self.training, NOBODY, self.held_out)
        require_clean([*audit_history(self.held_out), *audit_training(self.training, self._split)])
        self.rows = Rows(workspace.store, self.dataset)
        self.before = Learned(self.rows.store) if start is None else learned_by(start, self.rows, self.dataset)
        seen = self.before if start is None else seen_by(start, self.rows, self.dataset)
        self.validation = self.rows.unknown(self.held_out, seen)
        if not len(self.validation):
            raise InputError(
                "Nobody can be held out to say when to stop: what it goes on from has learned from all that is stored. "
                "Add interactions with `vouchrec init --update` first."
            )
        self.catalogue = Catalogue(self.dataset.catalogue, self.dataset.attribute_types)
        self.prompts = PromptSet.named(settings.prompts)
        self._noun = noun_of(settings, workspace.store, self.prompts)

    def load(self, bits: int | None = None) -> tuple[Any, Chat]:
        """The language model (transformers' own), in so many bits or whole, and its tokenizer.

        It stands where the trainer would put it, for it is scored before that, and its weights averaged beside it.
        """
        import torch

        model, tokenizer = load_model(self._base_folder, self._settings.dtype, bits)
        if bits is None and torch.cuda.is_available():
            model.to("cuda")
        return model, Chat(tokenizer)

    def explained(self) -> Explained:
        """What makes reasons, from the training histories alone. LeakError where they tell what is held out."""
        transitions = transitions_of(self.training, self.dataset)
        require_clean(audit_evidence(transitions, self._split))
        return Explained(self.catalogue, self.training, transitions, self._noun)

    def require_clean(self, users: Positions, items: Positions) -> None:
        """LeakError where one of these pairs of a person and an item, (pairs,) each, is held out."""
        require_clean(audit_pairs(users, items, self._split))

    def examples(self, known: Known, chat: Chat, explained: Explained, config: SftConfig, context: int) -> Examples:
        """What these histories have to teach. InputError where a context of so many places holds too little of it."""
        examples = Examples(
            self.catalogue, known, chat, self.prompts, explained,
            noun=self._noun, shares=config.shares, window=config.window, seed=config.seed, context=context,
        )  # fmt: skip
        require_fit(examples.rows(), context, config.window)
        return examples

    def plain(self, chat: Chat) -> Positions:
        """The tokens of the prompt without a request."""
        messages = self.prompts.get("rank").render(history=[], request="", noun=self._noun)
        return np.array(chat.encode(chat.render(messages)), dtype=np.int64)

    def work(self, config: Steps, learned: Any = None) -> Path:  # noqa: ANN401 - any JSON value
        """Where a run keeps its checkpoints: a folder named after all that decides it, `learned` beside histories."""
        start = None if self.start is None else weights_hash(self.start.folder)
        base, data = base_fingerprint(self._base_folder), self.dataset.fingerprint()
        read = [self.prompts.get(name).hash for name in PROMPTS] + [with_intent(self.prompts).get(PROMPT).hash]
        served = [read, self._noun, self._encoder.name, self._settings.dtype, versions()]
        decided = [config.model_dump(mode="json"), data, base, start, learned, served, processes()]
        said = hashlib.sha256(json.dumps(decided).encode()).hexdigest()
        return self._adapters.root / ".tuning" / self.name / said[:12]

    def keep(
        self,
        tuned: Tuned,
        config: Steps,
        learned: Learned,
        shape: ItemShape,
        window: int,
        skills: Skills,
        **told: Any,  # noqa: ANN401 - any JSON value
    ) -> Adapter:
        """Write the weights, then the manifest; what a run needs to go on is removed at the very end.

        Of several processes the first writes, and the others read what it wrote.
        """
        manifest = AdapterManifest(
            name=self.name,
            base=base_fingerprint(self._base_folder),
            base_name=self._settings.model,
            prompts={name: self.prompts.get(name).hash for name in (PROMPTS[:1] if skills.ranks_alone else PROMPTS)},
            encoder=self._encoder.name,
            shape=shape,
            items=self.catalogue.keys,
            window=window,
            writes=skills.writes,
            fills=skills.fills,
            ranks_alone=skills.ranks_alone,
            versions=versions(),
            format=FORMAT,
            training={
                "config": config.model_dump(mode="json"),
                "losses": tuned.losses,
                "scores": tuned.scores,
                "best": tuned.best,
                "places_per_second": round(tuned.places_per_second),
                "data": self.dataset.fingerprint(),
                RECORD: learned.as_dict(),
                **({} if self.start is None else {"from": self.start.manifest.name, "start": tuned.start}),
                **told,
                "seconds": round(time.perf_counter() - self._begun),
            },
        )
        with first_before_others():
            if is_first():
                self._write(tuned, manifest)
            return read_adapter(self._folder)

    def _write(self, tuned: Tuned, manifest: AdapterManifest) -> None:
        for lora in tuned.model.peft_config.values():
            lora.base_model_name_or_path = manifest.base_name  # and not a path of this machine
        with writing("The adapter", self._folder, AGAIN):
            tuned.model.save_pretrained(self._folder, safe_serialization=True)
            (self._folder / "README.md").unlink(missing_ok=True)  # peft's, with nothing in it
            if (curves := tuned.folder / CURVES).is_dir():
                shutil.copytree(curves, self._folder / CURVES, dirs_exist_ok=True)
        save_manifest(self._folder, replace(manifest, sha256=weights_hash(self._folder)))
        shutil.rmtree(self._adapters.root / ".tuning" / self.name, ignore_errors=True)  # of other settings too
