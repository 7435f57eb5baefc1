"""What an edit of the prompts does: two versions answer the same held-out people, side by side.

Retrieval is asked once for both, so they rank the same candidates and explain the same items; every second person asks
for what they went on to choose in words made of its facts. Differences are paired by person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agent.build import behaviour_folder
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet
from agent.justification.phrasing import asking, attempt
from agent.listing import Lister
from agent.progress import Progress, silent
from agent.retrieval.base import Query
from agent.retrieval.fusion import Fused, fuse
from agent.retrieval.trained import read_manifest
from agent.schema import Intent, Item, Profile, matches
from agent.settings import Settings
from agent.understanding.intent import parse_intent
from agent.understanding.moods import as_kinds
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.evaluate.bootstrap import Interval, interval
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import Cases, Known, hold_out_last
from finetune.explained import Explained
from finetune.gate import Judged, gains
from finetune.requests import write_request
from finetune.retrieval import ASKED, held_out, query_of

PEOPLE, LISTS, REASONS = 100, 10, 5  # who ranks, how many lists get reasons, and how many reasons each
OWN, FUSED, TRUE = "ndcg@10, model alone", "ndcg@10, as served", "reasons true at first try"
RANK_TOKENS, REASON_TOKENS = "tokens of rank", "tokens of justify"
RANK_MS, REASON_MS = "ms to rank", "ms to write the reasons"
BETTER: dict[str, Literal["more", "less"]] = {
    OWN: "more", FUSED: "more", TRUE: "more",
    RANK_TOKENS: "less", REASON_TOKENS: "less", RANK_MS: "less", REASON_MS: "less",
}  # fmt: skip
Count = Callable[[Sequence[Message]], int]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row: the mean with what serves and with the edit, and the paired change with its 95% interval."""

    name: str
    served: Interval
    edited: Interval
    change: Interval

    @property
    def verdict(self) -> Literal["better", "worse", "same", "unclear"]:
        """What can be said of it: only a change whose interval leaves out 0 is one."""
        if self.change.low == self.change.high == 0:
            return "same"
        if not self.change.is_clear:
            return "unclear"
        return "better" if (self.change.mean > 0) == (BETTER[self.name] == "more") else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out. `people` ranked, of whom `asked` asked in words, and for `found` the choice was a candidate.

    `lists` of them were given reasons; `weight` is how much the model counts in the order as served.
    """

    people: int
    asked: int
    found: int
    lists: int
    weight: float
    measures: tuple[Measure, ...]

    @property
    def is_worse(self) -> bool:
        """Whether lists or reasons are clearly worse; tokens and time are a price, to be paid or not."""
        return any(m.verdict == "worse" and BETTER[m.name] == "more" for m in self.measures)

    def as_dict(self) -> dict[str, Any]:
        """Every figure by name."""
        told = {
            m.name: {
                "served": m.served.as_dict(), "edited": m.edited.as_dict(), "change": m.change.as_dict(),
                "verdict": m.verdict,
            }
            for m in self.measures
        }  # fmt: skip
        counts = {"people": self.people, "asked": self.asked, "found": self.found, "lists": self.lists}
        return {**counts, "weight": self.weight, "measures": told}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One held-out person with what both versions are given."""

    profile: Profile
    intent: Intent
    query: Query
    fused: Fused
    target: int


@dataclass(slots=True)
class _Side:
    """A version of the prompts, and what was measured with it by name, one value a person."""

    prompts: PromptSet
    noun: str
    found: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.found.setdefault(name, []).append(value)

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.note(name, 1000 * (time.perf_counter() - begun))


def compare(
    workspace: Workspace,
    encoder: Encoder,
    settings: Settings,
    generator: Generator[Any, Any, Any],
    count: Count,
    served: PromptSet,
    edited: PromptSet,
    people: int = PEOPLE,
    lists: int = LISTS,
    progress: Progress = silent,
) -> Comparison:
    """Rank and explain for the same held-out people with two versions of the prompts.

    Args:
        workspace: whose people are asked; the last thing that each chose is what should be found.
        encoder: that of the workspace.
        settings: as it serves.
        generator: the model that serves.
        count: how many tokens it makes of a conversation.
        served: the version to compare with.
        edited: the version in question.
        people: how many are asked, the same ones every time.
        lists: how many of them are given reasons.
        progress: what is told how far it has come.

    Raises:
        InputError: nobody is held out, because nobody has two interactions or the workspace has changed since
            `vouchrec finetune behaviour`.
        PromptError: a version that cannot be rendered.
    """
    trial = _Trial(workspace, encoder, settings, generator, count, progress)
    said = settings.noun or str(workspace.store.get_meta("noun") or "")
    sides = [_Side(version, said or version.noun or "item") for version in (served, edited)]
    asked = list(trial.asked(people))
    for row, person in enumerate(asked):
        progress("rank and explain with both", row, len(asked))
        if row == 0:
            for side in sides:  # the first pass of a model is slow, whoever's it is
                trial.lister.read(trial.prompt(side, person), person.query)
        for side in sides if row % 2 else sides[::-1]:
            trial.answer(side, person, explained=row < lists)
    progress("rank and explain with both", len(asked), len(asked))
    before, after = ({name: np.array(values) for name, values in side.found.items()} for side in sides)
    told = [name for name in BETTER if name in before]  # without lists there are no reasons
    measures = [Measure(n, interval(before[n]), interval(after[n]), interval(after[n] - before[n])) for n in told]
    return Comparison(
        people=len(asked),
        asked=sum(bool(one.intent.text) for one in asked),
        found=sum(bool((one.fused.positions == one.target).any()) for one in asked),
        lists=min(lists, len(asked)),
        weight=trial.lister.model_weight(settings.model_weight),
        measures=tuple(measures),
    )


class _Trial:
    """What is the same for both versions: the people, retrieval, the model."""

    def __init__(
        self,
        workspace: Workspace,
        encoder: Encoder,
        settings: Settings,
        generator: Generator[Any, Any, Any],
        count: Count,
        progress: Progress,
    ) -> None:
        self._settings, self._generator, self._count = settings, generator, count
        dataset = from_store(workspace.store, workspace.path.name)
        trained = read_manifest(behaviour_folder(workspace))
        self._seed = 0 if trained is None else int(trained.training["seed"])
        self._training, self._cases = hold_out_last(dataset, self._seed, ASKED)
        self._catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
        self._retrieval = held_out(workspace, encoder, dataset, self._training, self._seed, progress)
        vectors = workspace.vectors(encoder, progress)[1]
        sources, learned = self._retrieval.sources, self._retrieval.weights
        self.lister = Lister(self._catalogue, vectors, sources, learned, generator)
        self._noun = dataset.noun

    def asked(self, people: int) -> Iterator[_Asked]:
        """So many of the held-out people, in words every second one."""
        rows = np.sort(np.random.default_rng([self._seed, 7]).permutation(len(self._cases))[:people])
        cases: Cases = self._cases.only(rows)
        explained = Explained(self._catalogue, self._training, self._retrieval.transitions, self._noun)
        for row, targets in enumerate(cases.targets):
            known: Known = cases.known.only(np.array([row]))
            history, target = known.histories[0], int(targets[0])
            intent = self._intent(target, row) if row % 2 else Intent()
            query = self._query(history, known.times[0], intent)
            fused = fuse(self._retrieval.sources, query, self._settings.candidates, self._retrieval.weights)
            yield _Asked(explained.profile(history, known.values[0]), intent, query, fused, target)

    def _intent(self, target: int, row: int) -> Intent:
        random = np.random.default_rng([self._seed, 11, row])
        written = write_request(self._catalogue.items[target], self._catalogue, random, (), self._noun)
        return Intent() if written is None else parse_intent(written.text, self._catalogue)

    def _query(self, history: NDArray[np.int64], times: NDArray[np.float64], intent: Intent) -> Query:
        plain = query_of(self._catalogue, history, times)
        if intent.is_empty:
            return plain
        fits = np.array([matches(item, intent.filters) for item in self._catalogue.items], dtype=bool)
        return replace(
            plain,
            wishes=intent.wishes,
            words=as_kinds(intent.wishes, self._catalogue.vocabulary),
            avoids=intent.avoids,
            filters=intent.filters,
            allowed=plain.allowed & fits,
            habit=intent.habit,
        )

    def answer(self, side: _Side, person: _Asked, explained: bool) -> None:
        """Rank, and explain where that is wanted; the measures go to the side."""
        with side.timing(RANK_MS):
            prompt = self.prompt(side, person)
            prefix = self.lister.read(prompt, person.query)
            weight = self.lister.model_weight(self._settings.model_weight, is_asked=person.query.has_words)
            candidates = self.lister.ranked(person.fused, prefix, weight)
        side.note(RANK_TOKENS, self._count(prompt))
        judged = Judged.of(candidates, {self._catalogue.ids[person.target]})
        side.note(OWN, gains([replace(judged, retrieval=0 * judged.retrieval)], 1.0)[0])
        side.note(FUSED, gains([judged], weight)[0])
        listed = person.fused.positions[:REASONS].tolist()
        if explained:
            self._explain(side, person, prompt, prefix, listed)

    def prompt(self, side: _Side, person: _Asked) -> tuple[Message, ...]:
        """What the model reads before it ranks, as a turn would give it."""
        recent = self._settings.history_in_prompt
        return self.lister.prompt(side.prompts.get("rank"), person.profile, person.intent, recent, side.noun)

    def _explain(
        self, side: _Side, person: _Asked, prompt: tuple[Message, ...], prefix: object, listed: list[int]
    ) -> None:
        explained = Explained(self._catalogue, self._training, self._retrieval.transitions, side.noun)
        plans = explained.plans(person.profile, person.intent.text, listed)
        said, lengths = asking(side.prompts.get("justify"), prompt, side.noun), []

        def render(item: Item, facts: Sequence[str]) -> tuple[Message, ...]:
            whole = said(item, facts)
            lengths.append(self._count(whole) - self._count(prompt))
            return whole

        freely = self._generator.writes_reasons
        rows = [row for row, plan in enumerate(plans) if freely or plan.opener]
        if not rows:
            return  # all of them are said plainly, whatever the prompt
        with side.timing(REASON_MS):
            tried = list(
                attempt(self._generator, prefix, plans, rows, render, side.noun, self._catalogue, freely=freely)
            )
        side.note(TRUE, sum(one is not None and one[2] for one in tried) / len(rows))
        side.note(REASON_TOKENS, float(np.mean(lengths)))
