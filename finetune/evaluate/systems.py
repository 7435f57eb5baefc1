"""What can be compared: the protocol, retrieval as served, and the whole agent. The baselines are in baselines.py."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.agent import Agent
from agent.generation.base import Generator, Message
from agent.progress import Progress, silent
from agent.retrieval.fusion import fuse
from agent.schema import Interaction
from agent.settings import Settings
from agent.stopwatch import Stopwatch
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.vectors import item_text
from agent.workspace.workspace import Workspace
from finetune.evaluate.baselines import vectors_of
from finetune.evaluate.data import Dataset
from finetune.evaluate.metrics import DEEPEST, LIST
from finetune.evaluate.splits import Known, Split
from finetune.retrieval import Learned, keep, learn_retrieval, query_of, refit_retrieval
from finetune.training import Recipe

Floats = NDArray[np.float64]
FAR = 1e6  # lifts what was listed above everything that was not


class System(Protocol):
    """Anything that can be compared. It learns from a split without its test, and never sees a target of a case.

    A system may also have `transitions` (sparse, for the audit), `prompts` (the texts that a model read, by case of the
    last call of `scores`), `lists` (item ids as they were served, by case of that call), `timings` (milliseconds by
    stage, a list each) and `weights` (of the sources that it fuses).
    """

    name: str

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Learn all of `split.learned`; what stops early does so on `split.training` and `split.validation` before.

        One seed, one model.
        """
        ...

    def scores(self, known: Known) -> Floats:
        """(people, items) over the full catalogue, higher is better; the runner leaves out what was seen. No NaN."""
        ...


class Served:
    """Retrieval as served: all sources fused, learned as for serving.

    The first `candidates` are what a turn would retrieve; the next ones, to DEEPEST, what it would with a larger k; the
    rest of the catalogue follows by the same weighted sum. `kept` is a folder for what training came to.
    """

    name = "fused"

    def __init__(self, encoder: Encoder, candidates: int, kept: Path | None = None) -> None:
        self._encoder, self._candidates, self._kept = encoder, candidates, kept
        self._folder: Path | None = None
        self._learned: Learned | None = None
        self.timings: dict[str, list[float]] = defaultdict(list)

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Learn transitions, the sequential model and the weights of all sources, and index the vectors.

        The weights are those of sources that have not seen what the validation people chose.
        """
        self.close()
        vectors_of(dataset)
        self._folder = Path(tempfile.mkdtemp(prefix="vouchrec-evaluate-"))
        self._learned = learn_retrieval(
            dataset,
            self._encoder,
            split.training,
            split.validation,
            indexes=self._folder,
            recipe=Recipe(seed=seed),
            folder=self._kept,
            progress=progress,
        )
        if split.refit is not None:
            self._learned = refit_retrieval(
                self._learned, dataset, split.refit, indexes=self._folder, recipe=Recipe(seed=seed), folder=self._kept,
                progress=progress,
            )  # fmt: skip
        self._catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)

    @property
    def learned(self) -> Learned:
        """What `fit` learned."""
        assert self._learned is not None, "fit comes first"
        return self._learned

    @property
    def transitions(self) -> Any:  # noqa: ANN401
        """What was learned, for the audit: sparse (items x items)."""
        return self.learned.transitions.transitions

    @property
    def weights(self) -> dict[str, float]:
        """How much each source counts."""
        return dict(self.learned.weights.habit)

    def scores(self, known: Known) -> Floats:
        """(people, items); other editions of what was seen come last, as a turn never lists them."""
        return np.stack([self._of(*asked) for asked in zip(known.histories, known.times, strict=True)])

    def _of(self, history: NDArray[np.int64], times: Floats) -> Floats:
        query, sources, weights = query_of(self._catalogue, history, times), self.learned.sources, self.learned.weights
        watch = Stopwatch()
        with watch("retrieve"):
            first = fuse(sources, query, self._candidates, weights).positions
        self.timings["retrieve"].append(watch.timings()["retrieve"])
        every = np.arange(len(self._catalogue))
        scores = np.sum([weights.of(s.name, 1.0) * s.score(query, every) for s in sources], axis=0)
        listed = [first]
        if self._candidates < DEEPEST:
            deeper = fuse(sources, query, DEEPEST, weights).positions
            listed.append(deeper[~np.isin(deeper, first)])
        listed_first = np.concatenate(listed)
        scores[listed_first] = FAR - np.arange(len(listed_first))
        scores[~query.allowed] = -FAR
        return np.asarray(scores, dtype=np.float64)

    def close(self) -> None:
        """Let go of the indexes and remove them; calling it again does nothing."""
        if self._learned is not None:
            self._learned.close()
            self._learned = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class KnownTexts:
    """An encoder that already has the vectors of a data set's items, so that no run encodes them again."""

    def __init__(self, encoder: Encoder, dataset: Dataset) -> None:
        self._encoder = encoder
        self.name, self.dimension = encoder.name, encoder.dimension
        texts = (item_text(item) for item in dataset.catalogue)
        self._known = dict(zip(texts, vectors_of(dataset), strict=True))

    def encode(self, texts: Sequence[str], progress: Progress = silent) -> NDArray[np.float32]:
        """Unit vectors in the order of the texts."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        found = {**self._known, **dict(zip(new, self._encoder.encode(new, progress), strict=True))}
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimension)


class Reader:
    """A generator that remembers what it was given to read, for the audit."""

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self.name, self.adapter = generator.name, generator.adapter
        self.read_texts: list[str] = []

    def read(self, messages: Sequence[Message], items: Any = None, history: Any = None) -> Any:  # noqa: ANN401
        """Remember and read."""
        self.read_texts.append("\n".join(message.content for message in messages))
        return self._generator.read(messages, items, history)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the generator's
        return getattr(self._generator, name)


class WholeAgent:
    """The whole agent: an `Agent` over a workspace that holds nothing but what is known.

    The list that it serves comes first, then the other candidates in its order, then the tail as retrieved.
    """

    name = "agent"

    def __init__(
        self, encoder: Encoder, generator: Generator[Any, Any, Any], settings: Settings, kept: Path | None = None
    ) -> None:
        self._encoder, self._settings = encoder, settings
        self._reader = Reader(generator)
        self._tail = Served(encoder, settings.candidates, kept)
        self._agent: Agent | None = None
        self._asked = 0
        self.timings: dict[str, list[float]] = defaultdict(list)
        self.prompts: list[str] = []
        self.lists: list[list[str]] = []

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Make a workspace of the histories that are learned from, and open an agent on it."""
        self.close()
        self._dataset = dataset
        self._tail.fit(split, dataset, seed, progress)
        self._folder = Path(tempfile.mkdtemp(prefix="vouchrec-evaluate-"))
        workspace = Workspace.create(self._folder / "workspace")
        try:
            store = workspace.store
            store.put_attribute_types(dataset.attribute_types)
            store.put_items(dataset.catalogue)
            store.set_meta("noun", dataset.noun)
            store.put_interactions(self._interactions(split.learned, [f"p{u}" for u in split.learned.users]))
            keep(workspace, self._tail.learned, dataset, self._encoder.name, {"seed": seed})
            self._agent = Agent(workspace, self._settings, KnownTexts(self._encoder, dataset), self._reader, progress)
        except BaseException:
            workspace.close()
            raise
        self._reader.read_texts.clear()
        list(self._agent.stream(history=(), n=1))
        self.template = self._reader.read_texts[-1]

    @property
    def weights(self) -> dict[str, float]:
        """How much each source counts."""
        return self._tail.weights

    @property
    def transitions(self) -> Any:  # noqa: ANN401
        """What was learned, for the audit: sparse (items x items)."""
        assert self._agent is not None
        return self._agent.serving.transitions.transitions

    def scores(self, known: Known) -> Floats:
        """(people, items)."""
        assert self._agent is not None, "fit comes first"
        # Each case is a person of its own: the store already knows what was learned of the real one.
        names = [f"asked-{self._asked + row}" for row in range(len(known))]
        self._asked += len(known)
        self._agent.workspace.store.put_interactions(self._interactions(known, names))
        self.prompts, self.lists = [], []
        scores = self._tail.scores(known)
        for row, name in enumerate(names):
            self._reader.read_texts.clear()
            served, others = self._turn(self._agent, name)
            self.prompts.append("\n".join(self._reader.read_texts))
            self.lists.append(served)
            order = dict.fromkeys((*served, *others))
            places = self._agent.catalogue.positions(order)
            scores[row, places] = 2 * FAR - np.arange(len(places))
        return scores

    def _turn(self, agent: Agent, name: str) -> tuple[list[str], list[str]]:
        stream = agent.stream(user_id=name, n=LIST)
        try:
            reply = next(stream)  # the list; the reasons that would follow are not needed
        finally:
            stream.close()
        for stage, milliseconds in reply.timings_ms.items():
            self.timings[stage].append(milliseconds)
        return [r.item.item_id for r in reply.recommendations], [c.item.item_id for c in reply.candidates]

    def _interactions(self, known: Known, names: Sequence[str]) -> Iterator[Interaction]:
        catalogue = self._dataset.catalogue
        for name, history, values, times in zip(names, known.histories, known.values, known.times, strict=True):
            for item, value, time in zip(history, values, times, strict=True):
                told, when = (None if np.isnan(number) else float(number) for number in (value, time))
                yield Interaction(name, catalogue[item].item_id, "seen" if told is None else "rating", told, when)

    def close(self) -> None:
        """Let go of the workspace and remove it; calling it again does nothing."""
        self._tail.close()
        if self._agent is not None:
            self._agent.close()
            self._agent = None
            shutil.rmtree(self._folder, ignore_errors=True)
