"""Who is asked in `readouts.py`, among which candidates, and what all histories but one's own say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from common import open_example  # type: ignore[import-not-found]
from numpy.typing import NDArray

from agent.assets import language_model
from agent.build import open_encoder
from agent.generation.prompting import PromptSet, clean_title
from agent.progress import Progress
from agent.retrieval.fusion import fuse
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from finetune.evaluate.data import Dataset, from_store
from finetune.evaluate.splits import Known, Split, make_split
from finetune.retrieval import learn_retrieval, query_of, transitions_of
from finetune.training import Recipe

Positions = NDArray[np.int64]
Floats = NDArray[np.float64]
CANDIDATES = 50
FOLDS = 5  # parts of the people; what is retrieved for one of them in training was learned from the other four
SOON, RECENT = 5, 10  # what counts as chosen soon after, and how many recent items are told of


@dataclass(frozen=True, slots=True)
class Asked:
    """One choice: what came before it, the candidates best first with their scores, the place of the chosen or -1.

    `followed` says how many others chose each candidate soon after that recent item after which most did.
    """

    history: Positions
    candidates: Positions
    retrieval: Floats
    chosen: int
    followed: Positions


class Ground:
    """A catalogue, training histories and validation people; nothing here has seen a test interaction.

    Args:
        dataset: with its text vectors.
        split: leave-one-out; of its test part only the fingerprint is used.
        model: the folder of the language model.
        prompts: the set that serves.
        noun: what an item is called.
        retrieved: (validation people, CANDIDATES) positions and scores, best first.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        model: Path,
        prompts: PromptSet,
        noun: str,
        retrieved: tuple[Positions, Floats],
    ) -> None:
        assert dataset.vectors is not None
        self.texts = dataset.vectors
        self.model, self.prompts, self.noun = model, prompts, noun
        self.training: Known = split.training
        self.catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
        self.titles = [clean_title(item.title) for item in self.catalogue.items]
        self.transitions = transitions_of(self.training, dataset)
        self._cases, self._retrieved = split.validation, retrieved
        parts = self.training.users % FOLDS
        elsewhere = [self.training.only(np.flatnonzero(parts != part)) for part in range(FOLDS)]
        self._transitions = [transitions_of(others, dataset) for others in elsewhere]
        self._followed = [_followed(others.histories, len(self.titles)) for others in elsewhere]
        self._all_followed = _followed(self.training.histories, len(self.titles))

    def __len__(self) -> int:
        """How many people there are to train on."""
        return len(self.training)

    def asked(self, people: int, seed: int) -> list[Asked]:
        """So many validation people drawn by a seed."""
        drawn = np.sort(np.random.default_rng([seed, 12]).permutation(len(self._cases))[:people])
        known, targets = self._cases.known, self._cases.targets
        return [
            _asked(
                known.histories[row], self._retrieved[0][row], self._retrieved[1][row], targets[row][0],
                self._all_followed,
            )
            for row in drawn
        ]  # fmt: skip

    def place(self, person: int, place: int) -> Asked:
        """The choice at a place of a training history, as it would be met by who has learned from others alone."""
        part = int(self.training.users[person]) % FOLDS
        history, times = self.training.histories[person], self.training.times[person]
        query = query_of(self.catalogue, history[:place], times[:place])
        candidates = self._transitions[part].best(query, CANDIDATES)
        scores = self._transitions[part].score(query, candidates)
        return _asked(history[:place], candidates, scores, history[place], self._followed[part])

    def found(self, random: np.random.Generator) -> Asked:
        """A random choice in training, of the kind that can be met in a turn: it is among its candidates."""
        while True:
            person = int(random.integers(len(self.training)))
            one = self.place(person, int(random.integers(1, len(self.training.histories[person]))))
            if one.chosen >= 0:
                return one


def open_ground(seed: int, progress: Progress) -> Ground:
    """MovieLens-100K, everyone's last interaction out, the last but one to be asked for; retrieval is learned once."""
    with open_example() as agent:
        encoder, settings = open_encoder(agent.settings), agent.settings
        dataset = from_store(agent.workspace.store, "example")
        dataset = replace(dataset, vectors=agent.workspace.vectors(encoder)[1])
        split = make_split(dataset, "leave-one-out", seed)
        kept = settings.cache / "benchmarks"
        file = kept / f"readouts-{split.fingerprint()}.npz"
        if not file.is_file():
            positions, scores = _retrieved(dataset, split, encoder, seed, kept, progress)
            np.savez(file, positions=positions, scores=scores)
        with np.load(file, allow_pickle=False) as stored:
            retrieved = stored["positions"], stored["scores"]
        model = language_model(settings.model, settings.cache)
        return Ground(dataset, split, model, agent.prompts, agent.noun, retrieved)


def _retrieved(
    dataset: Dataset, split: Split, encoder: Encoder, seed: int, kept: Path, progress: Progress
) -> tuple[Positions, Floats]:
    """Candidates of all validation people by everything that serves, learned from the training histories alone."""
    learned = learn_retrieval(
        dataset, encoder, split.training, split.validation, indexes=kept / "readouts", recipe=Recipe(seed=seed),
        folder=kept, progress=progress,
    )  # fmt: skip
    catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
    known = split.validation.known
    lists = [
        fuse(learned.sources, query_of(catalogue, history, times), CANDIDATES, learned.weights)
        for history, times in zip(known.histories, known.times, strict=True)
    ]
    learned.close()
    return np.array([one.positions for one in lists]), np.array([one.score for one in lists])


def _followed(histories: Sequence[Positions], n_items: int) -> NDArray[np.int32]:
    """(items, items): how many people chose the second within SOON places after the first."""
    counts = np.zeros((n_items, n_items), dtype=np.int32)
    for history in histories:  # which holds no item twice, so no person counts twice
        for distance in range(1, SOON + 1):
            counts[history[:-distance], history[distance:]] += 1
    return counts


def _asked(
    history: Positions, candidates: Positions, scores: Floats, target: int, followed: NDArray[np.int32]
) -> Asked:
    at = np.flatnonzero(candidates == target)
    chosen = int(at[0]) if len(at) else -1
    counts = followed[np.ix_(history[-RECENT:], candidates)].max(axis=0)
    return Asked(history, candidates, scores, chosen, counts.astype(np.int64))
