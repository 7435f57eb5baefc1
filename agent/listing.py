"""From a query and a prompt to candidates, best first: retrieved and scored, or written by the model itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.generation.base import Generator, Message
from agent.generation.prompting import Prompt, clean_title
from agent.ranking.diversity import diversify, explored
from agent.ranking.scoring import final_scores, order, weight_in_force
from agent.retrieval.base import Positions, Query, Retriever, Scores
from agent.retrieval.behaviour import Behaviour
from agent.retrieval.fusion import Fused, Weights, fuse
from agent.schema import Candidate, Intent, Profile
from agent.stopwatch import Stopwatch
from agent.workspace.catalogue import Catalogue, title_key

Messages = tuple[Message, ...]


class Lister:
    """Makes lists over one catalogue; arrays are by catalogue position. Threads may share it."""

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: NDArray[np.float32],
        sources: Sequence[Retriever],
        weights: Weights,
        generator: Generator[Any, Any, Any],
    ) -> None:
        self.catalogue = catalogue
        self.sources = tuple(sources)
        self.weights = weights
        self.vectors = vectors
        self.generator = generator
        self._known = generator.know(catalogue.keys, vectors) if generator.reads_items else None
        self._lock = threading.Lock()

    def using(self, generator: Generator[Any, Any, Any]) -> Lister:
        """Lists of the same items, out of the same sources, with another model; itself where it is the same one."""
        if generator is self.generator:
            return self
        return Lister(self.catalogue, self.vectors, self.sources, self.weights, generator)

    def model_weight(self, wanted: float | None, *, is_asked: bool = False) -> float:
        """How much the model counts beside retrieval, with a request in words or where only a history speaks."""
        is_trained = any(source.name == Behaviour.name for source in self.sources)
        return weight_in_force(wanted, self.generator.measured, is_trained=is_trained, is_asked=is_asked)

    @cached_property
    def titles(self) -> list[str]:
        """Titles as prompts show them, by position: what is scored must be what a rendered history holds."""
        return [clean_title(item.title) for item in self.catalogue.items]

    def prompt(self, rank: Prompt, profile: Profile, intent: Intent, recent: int, noun: str) -> Messages:
        """The prompt `rank` with the words of the request, and with `recent` titles of the history.

        A generator that reads items gets them as vectors behind the prompt, and no titles.
        """
        shown = [i for i in dict.fromkeys((*profile.history, *intent.likes)) if i in self.catalogue.position]
        feelings = dict.fromkeys(profile.dislikes, "disliked") | dict.fromkeys((*profile.likes, *intent.liked), "liked")
        told = () if self._known is not None or not recent else shown[-recent:]
        history = [{"title": self.catalogue.get(i).title, "feeling": feelings.get(i, "watched")} for i in told]
        return rank.render(history=history, request=intent.text, noun=noun)

    def retrieved(
        self, query: Query, prompt: Messages, k: int, model_weight: float, watch: Stopwatch
    ) -> tuple[list[Candidate], Any]:
        """The strategy "score": k retrieved candidates in the order of retrieval and model together, and the prefix."""
        with watch("retrieve"):
            fused = fuse(self.sources, query, k, self.weights, self.catalogue.works)
        with watch("read prompt"):
            prefix = self.read(prompt, query)
        with watch("rank"):
            return self.ranked(fused, prefix, model_weight), prefix

    def ranked(self, fused: Fused, prefix: object, model_weight: float) -> list[Candidate]:
        """Candidates best first; the order in which they come in cannot matter, not even through rounding."""
        by_id = sorted(range(len(fused.positions)), key=lambda place: self.catalogue.ids[fused.positions[place]])
        positions, retrieval = fused.positions[by_id], fused.score[by_id]
        model = self._judged(prefix, positions)
        final = final_scores(retrieval, model, model_weight)
        scores = {name: values[by_id] for name, values in fused.by_source.items()}
        scores |= {"retrieval": retrieval, "model": model, "final": final}
        best = order(final, tuple(self.catalogue.ids[p] for p in positions))
        return [
            Candidate(self.catalogue.items[positions[place]], {name: float(v[place]) for name, v in scores.items()})
            for place in best
        ]

    def read(self, prompt: Messages, query: Query) -> Any:  # noqa: ANN401 - a generator's own kind of prefix
        """The prompt, and after it the history where the model reads items."""
        history = None if self._known is None else query.history
        return self.generator.read(prompt, self._known, history)

    def _judged(self, prefix: object, positions: Positions) -> Scores:
        """What the model says of each of these items, higher is better."""
        if self._known is not None:
            return self.generator.next_items(prefix, self._known)[positions]
        return self.generator.score(prefix, [self.titles[p] for p in positions]).mean

    def generated(self, query: Query, prompt: Messages, n: int, watch: Stopwatch) -> tuple[list[Candidate], Any]:
        """The strategy "generate": the model spells titles of the whole catalogue, and can spell nothing else.

        One that was tuned to rank alone names items instead, each of which is one step of it.
        """
        with watch("read prompt"):
            prefix = self.read(prompt, query)
        allowed = self._one_of_each(query.allowed)
        with watch("generate"):
            if self.generator.ranks_alone:
                found = self._named(prefix, allowed, n)
            else:
                found = self.generator.spell(prefix, self.trie, allowed, n)
        items = self.catalogue.items
        return [Candidate(items[p], {"model": score, "final": score}) for p, score in found], prefix

    def _named(self, prefix: object, allowed: NDArray[np.bool_], n: int) -> list[tuple[int, float]]:
        """The n likeliest allowed items, best first: (position, log-probability among the allowed)."""
        logits = np.where(allowed, self.generator.next_items(prefix, self._known), -np.inf)
        best = np.argsort(-logits, kind="stable")[: min(n, int(allowed.sum()))]
        return [(int(place), float(logits[place] - np.logaddexp.reduce(logits))) for place in best]

    def _one_of_each(self, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The first allowed item of each work: a title that stands twice must not take two places."""
        places = np.flatnonzero(allowed)
        _, first = np.unique(self.catalogue.works[places], return_index=True)
        mask = np.zeros(len(allowed), dtype=bool)
        mask[places[first]] = True
        return mask

    @property
    def trie(self) -> Any:  # noqa: ANN401 - a generator's own kind of trie
        """All titles as the generator's trie; made on first use, by one thread."""
        with self._lock:
            return self._trie

    @cached_property
    def _trie(self) -> Any:  # noqa: ANN401
        return self.generator.trie(self.titles)

    def varied(
        self, candidates: Sequence[Candidate], n: int, diversity: float, exploration: float = 0.0, seed: str = ""
    ) -> list[Candidate]:
        """Up to n of them, no work twice, trading score against likeness to what is already in the list.

        With exploration also against chance, drawn from the seed; the scores that the candidates carry stay.
        """
        places = self.catalogue.positions(c.item.item_id for c in candidates)
        scores = explored(np.array([c.scores["final"] for c in candidates]), exploration, seed)
        works = [title_key(c.item.title) for c in candidates]
        return [candidates[p] for p in diversify(scores, self.vectors[places], works, n, diversity=diversity)]
