"""The gate: an adapter serves only after it has shown, on held-out people, that it makes nothing worse.

What serves now and the adapter rank the same candidates of the same people, and write reasons for the same lists. How
much the adapter's scores count is chosen on one half of the people and judged on the other, both ways round, so that
nobody judges what was chosen for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.assets import language_model
from agent.build import adapter_in_service, adapters_of, check_adapter
from agent.generation.adapters import Adapter, save_manifest
from agent.generation.base import Generator, Message
from agent.generation.local import LocalGenerator
from agent.generation.prompting import PromptSet
from agent.justification.phrasing import asking, attempt
from agent.listing import Lister
from agent.progress import Progress, silent
from agent.ranking.scoring import standardised
from agent.retrieval.fusion import fuse
from agent.schema import Candidate, Intent, Profile
from agent.settings import Settings
from agent.stages import noun_of
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace
from finetune.evaluate.bootstrap import Interval, interval
from finetune.evaluate.data import from_store
from finetune.evaluate.metrics import LIST
from finetune.evaluate.splits import Known, hold_out_last
from finetune.explained import Explained
from finetune.fusion import likeliest
from finetune.learned import asked_of_both, fairly_asked
from finetune.retrieval import ASKED, HeldOut, held_out, query_of

Floats = NDArray[np.float64]
MOST = 2.0  # that the model's scores count, beside 1 of retrieval
# Who ranks, how many lists get reasons, and how many reasons each. Of five adapters that gain .010 on test people, 300
# people refused two, for their mean strays by .005 (docs/log.md).
PEOPLE, LISTS, REASONS = 1000, 20, 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found; NDCG@10 on `people` people, and the share of reasons that pass the checker at first try.

    `before` is what serves now, `after` the adapter, the gains are paired, `weight` is how much the adapter's scores
    should count beside those of retrieval as it serves, `weight_new` beside retrieval without trained behaviour.
    `again` says that the adapter is in service already; `before` is then the base model alone.
    """

    people: int
    before: Interval
    after: Interval
    gain: Interval
    grounded_before: Interval
    grounded_after: Interval
    grounded_gain: Interval
    weight: float
    weight_new: float
    again: bool = False

    @property
    def passed(self) -> bool:
        """The adapter counts for something, the lists are no worse in the mean, and the reasons not clearly so."""
        return self.weight > 0 and self.gain.mean >= 0 and self.grounded_gain.high >= 0

    def as_dict(self) -> dict[str, Any]:
        """Every figure by name, for the manifest."""
        names = ("before", "after", "gain", "grounded_before", "grounded_after", "grounded_gain")
        return {"people": self.people, "passed": self.passed, **{n: getattr(self, n).as_dict() for n in names}}


@dataclass(frozen=True, slots=True)
class Judged:
    """One person's candidates: both scores on one scale, and the place of what was chosen, -1 if it was not found."""

    retrieval: Floats
    model: Floats
    chosen: int

    @classmethod
    def of(cls, candidates: Sequence[Candidate], wanted: Collection[str]) -> Judged:
        """From scored candidates; `wanted` holds the ids of what was chosen."""
        chosen = next((place for place, c in enumerate(candidates) if c.item.item_id in wanted), -1)
        retrieval, model = (np.array([c.scores[name] for c in candidates]) for name in ("retrieval", "model"))
        return cls(standardised(retrieval), standardised(model), chosen)


def promote(
    workspace: Workspace,
    encoder: Encoder,
    settings: Settings,
    name: str,
    people: int = PEOPLE,
    progress: Progress = silent,
    *,
    others: bool = False,
) -> Verdict:
    """Compare an adapter with what serves now, write what was found into its manifest, and put it in service if passed.

    The one in service is compared with the base model alone, which would serve without it; if it does not pass, nothing
    is written, and it goes on serving as it was. `others` says that nobody here is among the people whom an adapter
    from elsewhere was tuned on.

    Raises:
        AdapterError: there is no such adapter, or it or the one in service belongs to another model, prompt or encoder.
        InputError: nobody is held out from it, whom it has learned from is not known, or trained behaviour has learned
            from people who are to be held out.
    """
    adapters = adapters_of(workspace)
    adapter = adapters.get(name)
    verdict = _Gate(workspace, encoder, settings, adapter, people, progress, others).compare()
    if verdict.again and not verdict.passed:
        return verdict
    found = {"model_weight": verdict.weight, "weight_new": verdict.weight_new, "measures": verdict.as_dict()}
    save_manifest(adapter.folder, replace(adapter.manifest, **found))
    if verdict.passed:
        adapters.use(name)
    return verdict


def weigh(
    workspace: Workspace, encoder: Encoder, settings: Settings, name: str, people: int, progress: Progress = silent
) -> tuple[float, float]:
    """The two weights of a `Verdict` without one: nothing is compared, nothing written, and the base model not asked.

    Raises:
        AdapterError, InputError: as `promote`.
    """
    adapter = adapters_of(workspace).get(name)
    judged = _Gate(workspace, encoder, settings, adapter, people, progress, others=False).tuned(lists=0).judged
    return best_weight(judged[0]), best_weight(judged[-1])


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side came to: people's candidates by retrieval, its reasons, its weight in force."""

    judged: tuple[list[Judged], ...]
    reasons: list[float]
    weight: float

    @property
    def grounded(self) -> Floats:
        """(lists,): the share of the reasons that pass at first try."""
        return np.array(self.reasons)


class _Gate:
    """The people, their candidates and their lists, the same for both sides."""

    def __init__(
        self,
        workspace: Workspace,
        encoder: Encoder,
        settings: Settings,
        adapter: Adapter,
        people: int,
        progress: Progress,
        others: bool,
    ) -> None:
        self._adapter, self._settings, self._progress = adapter, settings, progress
        self._folder = language_model(settings.model, settings.cache, progress)
        self._prompts = PromptSet.named(settings.prompts)
        check_adapter(adapter, settings, self._folder, encoder.name)
        fitting = settings.model_copy(update={"encoder": encoder.name})
        self._serving = adapter_in_service(workspace, fitting, self._folder)
        dataset = from_store(workspace.store, workspace.path.name)
        self._dataset = replace(dataset, vectors=workspace.vectors(encoder, progress)[1])
        seed = int(adapter.manifest.training["config"]["seed"])
        self._training, cases = hold_out_last(self._dataset, seed, ASKED)
        cases = fairly_asked(adapter, workspace.store, dataset, cases, others)
        if self._serving is not None and self._serving.folder != adapter.folder:
            cases = asked_of_both(adapter, self._serving, workspace.store, dataset, cases)
        rows = np.sort(np.random.default_rng([seed, 7]).permutation(len(cases))[:people])
        self._cases = cases.only(rows)
        self._catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
        self._noun = noun_of(settings, workspace.store, self._prompts)
        self._retrieval = held_out(workspace, encoder, self._dataset, self._training, seed, progress)
        self._explained = Explained(self._catalogue, self._training, self._retrieval.transitions, self._noun)

    def compare(self) -> Verdict:
        """Both sides, one after the other."""
        again = self._serving is not None and self._serving.folder == self._adapter.folder
        rival = None if again else self._serving
        # Untuned, it reads the title of every candidate.
        called = "the base model (minutes)" if rival is None else "what serves now"
        now, new = self._side(rival, called, (self._retrieval,)), self.tuned()
        before, after = gains(now.judged[0], now.weight), cross_fitted(new.judged[0])
        return Verdict(
            people=len(before),
            before=interval(before),
            after=interval(after),
            gain=interval(after - before),
            grounded_before=interval(now.grounded),
            grounded_after=interval(new.grounded),
            grounded_gain=interval(new.grounded - now.grounded),
            weight=best_weight(new.judged[0]),
            weight_new=best_weight(new.judged[-1]),
            again=again,
        )

    def tuned(self, lists: int = LISTS) -> _Side:
        """That of the adapter: beside retrieval as it serves, and as it is without trained behaviour."""
        served, bare = self._retrieval, self._retrieval.untrained()
        retrievals = (served,) if bare is served else (served, bare)
        return self._side(self._adapter, self._adapter.manifest.name, retrievals, lists)

    def _side(self, adapter: Adapter | None, called: str, retrievals: Sequence[HeldOut], lists: int = LISTS) -> _Side:
        """What this adapter comes to beside each of these, with reasons for the first so many lists."""
        generator = LocalGenerator(self._folder, dtype=self._settings.dtype, name=self._settings.model, adapter=adapter)
        assert self._dataset.vectors is not None
        listers = [
            Lister(self._catalogue, self._dataset.vectors, retrieval.sources, retrieval.weights, generator)
            for retrieval in retrievals
        ]
        side = _Side(tuple([] for _ in listers), [], listers[0].model_weight(None))
        for row, known in enumerate(_each(self._cases.known)):
            self._progress(f"rank by {called}", row, len(self._cases))
            profile = self._explained.profile(known.histories[0], known.values[0])
            query = query_of(self._catalogue, known.histories[0], known.times[0])
            prompt = listers[0].prompt(
                self._prompts.get("rank"), profile, Intent(), self._settings.history_in_prompt, self._noun
            )
            prefix = listers[0].read(prompt, query)
            wanted = {self._catalogue.ids[p] for p in self._cases.targets[row]}
            for lister, judged in zip(listers, side.judged, strict=True):
                fused = fuse(lister.sources, query, self._settings.candidates, lister.weights)
                judged.append(Judged.of(lister.ranked(fused, prefix, 0.0), wanted))
            if row < lists:  # reasons for what transitions name, which is the same on both sides
                listed = self._retrieval.transitions.best(query, REASONS)
                side.reasons.append(self._grounded(generator, prefix, prompt, profile, listed))
        self._progress(f"rank by {called}", len(self._cases), len(self._cases))
        return side

    def _grounded(
        self,
        generator: Generator[Any, Any, Any],
        prefix: object,
        prompt: tuple[Message, ...],
        profile: Profile,
        listed: NDArray[np.int64],
    ) -> float:
        """The share of the reasons for a list, by catalogue position, that pass at first try."""
        if not len(listed):
            return 1.0
        plans = self._explained.plans(profile, "", listed.tolist())
        render = asking(self._prompts.get("justify"), prompt, self._noun)
        freely = generator.writes_reasons
        rows = [place for place, plan in enumerate(plans) if freely or plan.is_open]
        tried = attempt(generator, prefix, plans, rows, render, self._noun, self._catalogue, freely=freely)
        return sum(one is not None and one[2] for one in tried) / len(rows) if rows else 1.0


def _each(known: Known) -> Iterator[Known]:
    return (known.only(np.array([row])) for row in range(len(known)))


def gains(judged: Sequence[Judged], weight: float) -> Floats:
    """(people,): NDCG@10 of what each chose, when the model's score counts with this weight."""
    place = places(judged, weight)
    return np.where((place > 0) & (place <= LIST), 1 / np.log2(np.maximum(place, 1) + 1), 0.0)


def places(judged: Sequence[Judged], weight: float) -> Floats:
    """(people,): the place from 1 of what each chose, 0 where it is not among the candidates."""
    return np.array([_place(one, weight) for one in judged])


def _place(one: Judged, weight: float) -> float:
    if one.chosen < 0:
        return 0.0
    score = one.retrieval + weight * one.model
    return float((score >= score[one.chosen]).sum())  # equals do not help


def best_weight(judged: Sequence[Judged]) -> float:
    """The weight that makes what was chosen the likeliest, from 0 to MOST, in hundredths.

    The highest NDCG@10 of a grid of weights hangs on the few people whose choice is near the tenth place: learned on
    300 people and asked of others, it gained half as much (docs/log.md).
    """
    found = [one for one in judged if one.chosen >= 0]
    if not found:
        return 0.0
    features = [np.stack([one.retrieval, one.model], axis=1) for one in found]
    retrieval, model = likeliest(features, [one.chosen for one in found])
    return round(min(MOST, float(model) / max(float(retrieval), 1e-9)), 2)


def cross_fitted(judged: Sequence[Judged]) -> Floats:
    """(people,): gains with the weight that the other half of the people chose."""
    found = np.zeros(len(judged))
    halves = np.arange(len(judged)) % 2
    for half in (0, 1):
        others = [one for one, h in zip(judged, halves, strict=True) if h != half]
        weight = best_weight(others) if others else 0.0
        found[halves == half] = gains([one for one, h in zip(judged, halves, strict=True) if h == half], weight)
    return found
