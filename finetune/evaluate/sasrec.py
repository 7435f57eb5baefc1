"""The sequential model alone: as the baseline SASRec, by ids only, and as serving has it, with texts."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.progress import Progress, silent
from agent.retrieval.sequence import Encoder, Shape
from finetune.evaluate.baselines import vectors_of
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import Known, Split
from finetune.retrieval import MEMBERS, refit_sequence, train_sequence
from finetune.training import Recipe

_SIZES = {field.name for field in fields(Shape)}


class Sasrec:
    """SASRec by ids with full cross-entropy. A `System`; needs torch, on a GPU where there is one.

    Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, trained as `finetune.training` says.
    `settings` are fields of `Shape` and `Recipe`; `folder` keeps what training came to.
    """

    name = "sasrec"
    with_texts = False
    members = 1

    def __init__(self, folder: Path | None = None, **settings: float) -> None:
        self._folder = folder
        self._shape = Shape(**{k: v for k, v in settings.items() if k in _SIZES})  # type: ignore[arg-type]
        self._recipe = {k: v for k, v in settings.items() if k not in _SIZES}

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Train on the training histories; the best epoch is that of the validation cases, which are learned then."""
        recipe = Recipe(seed=seed, **self._recipe)  # type: ignore[arg-type]
        texts = vectors_of(dataset) if self.with_texts else None
        trained = train_sequence(
            dataset, split.training, split.validation, texts, self._shape, recipe, self._folder, progress, self.name,
            self.members,
        )  # fmt: skip
        if split.refit is not None:
            trained = refit_sequence(trained, split.refit, texts, recipe, self._folder, progress, self.name)
        self._encoder: Encoder = trained.encoder

    def scores(self, known: Known) -> NDArray[np.float64]:
        """(people, items): logits of the next item."""
        return (self._encoder.queries(known.histories) @ self._encoder.items.T).astype(np.float64)


class BehaviourAlone(Sasrec):
    """The sequential model as serving has it: with texts, and several networks side by side."""

    name = "behaviour"
    with_texts = True
    members = MEMBERS
