"""The stages of a turn, each by itself: `agent/turn.py` runs them in order, and an explanation some of them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.described import told
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet
from agent.justification.chinese import phrase_in_chinese
from agent.justification.evidence import Facts, gather
from agent.justification.phrasing import Phrased, asking, phrase
from agent.justification.planning import plan_list
from agent.listing import Lister
from agent.reader import Reader
from agent.request import Request
from agent.retrieval.base import Query, Retriever
from agent.retrieval.fusion import Weights
from agent.retrieval.query import allowed_for, query_for
from agent.schema import Candidate, Intent, Profile, Recommendation, Reply
from agent.serving import Serving
from agent.settings import Settings
from agent.stopwatch import Stopwatch
from agent.understanding.profile import build_profile
from agent.understanding.texts import Language, language_of
from agent.workspace.catalogue import Catalogue
from agent.workspace.store import Store


def noun_of(settings: Settings, store: Store, prompts: PromptSet) -> str:
    """What an item is called: as set, else as the catalogue was imported, else as these prompts call it."""
    return settings.noun or str(store.get_meta("noun") or prompts.noun or "item")


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages over what serves at one moment: a turn ends with what it began with, whatever changes meanwhile.

    `reader` and `serving.lister` use the model of `generator`; see `using`. `keep` is given a request and its reply
    when that is finished or broken off.
    """

    store: Store
    settings: Settings
    serving: Serving
    generator: Generator[Any, Any, Any]
    prompts: PromptSet
    noun: str
    reader: Reader
    keep: Callable[[Request, Reply], None]

    def using(self, lister: Lister) -> Stages:
        """The same stages, which rank, read and write with the model of this lister."""
        return replace(
            self,
            serving=replace(self.serving, lister=lister),
            generator=lister.generator,
            reader=Reader(self.settings.understanding, lister.generator, self.prompts, self.noun),
        )

    @property
    def catalogue(self) -> Catalogue:
        """The items."""
        return self.serving.catalogue

    @property
    def lister(self) -> Lister:
        """Makes lists of them."""
        return self.serving.lister

    @property
    def sources(self) -> Sequence[Retriever]:
        """Those of retrieval."""
        return self.lister.sources

    @property
    def weights(self) -> Weights:
        """How much each source counts."""
        return self.lister.weights

    # -- profile and intent

    def known(self, user_id: str) -> Profile:
        """What the store knows of a person."""
        store, best = self.store, self.serving.best_rating
        return build_profile(user_id, store.interactions(user_id), store.feedback(user_id), best=best)

    def profile(self, request: Request) -> Profile:
        """Who asks: what is known of them, and the history that comes with the request, as the newest part."""
        known = self.known(request.user_id) if request.user_id is not None else Profile()
        if not request.history:
            return known
        older = tuple(i for i in known.history if i not in request.history)
        return replace(known, history=older + request.history, seen=known.seen | frozenset(request.history))

    def intent(self, request: Request) -> tuple[Intent, str]:
        """What is wanted, and how that was read."""
        said = request.intent
        intent, how = self.reader.intent(said, self.catalogue) if isinstance(said, str) else (said, "")
        intent = told(intent, self.catalogue, self.serving.lexical)
        return replace(intent, filters=tuple(dict.fromkeys((*intent.filters, *request.filters)))), how

    def language(self, intent: Intent) -> Language:
        """That of the request; without words, that of the prompts."""
        return language_of(intent.text, self.catalogue) or self.prompts.language or "en"

    # -- retrieve and rank

    def allowed(self, profile: Profile, intent: Intent, excluded: Iterable[str] = ()) -> NDArray[np.bool_]:
        """By position, which items may be recommended."""
        return allowed_for(profile, intent, excluded, self.catalogue, self.serving.index)

    def query(self, profile: Profile, intent: Intent, allowed: NDArray[np.bool_]) -> Query:
        """What retrieval is asked."""
        return query_for(profile, intent, allowed, self.catalogue)

    def prompt(self, profile: Profile, intent: Intent) -> tuple[Message, ...]:
        """What the model reads before it ranks."""
        shown = self.settings.history_in_prompt
        return self.lister.prompt(self.prompts.get("rank"), profile, intent, shown, self.noun)

    def model_weight(self, query: Query) -> float:
        """How much the model counts beside retrieval."""
        return self.lister.model_weight(self.settings.model_weight, is_asked=query.has_words)

    def ranked(self, query: Query, profile: Profile, intent: Intent) -> list[Candidate]:
        """The candidates, best first, in the order of retrieval and model together."""
        prompt, k = self.prompt(profile, intent), self.settings.candidates
        return self.lister.retrieved(query, prompt, k, self.model_weight(query), Stopwatch())[0]

    # -- gather evidence and justify

    def facts(self, request: Request, intent: Intent) -> Facts:
        """What reasons can rest on, for the person of a request whose profile is known."""
        return Facts(
            self.catalogue, self.serving.transitions, request.profile, intent, self.noun, said=self._liked_here(request)
        )

    def _liked_here(self, request: Request) -> frozenset[str]:
        """The items of which the person said here that they like them."""
        given = self.store.feedback(request.user_id) if request.user_id is not None else ()
        return frozenset(one.item_id for one in given if one.event == "like")

    def listed(self, chosen: Sequence[Candidate], facts: Facts) -> tuple[Recommendation, ...]:
        """The chosen ones in their order, each with its evidence and no reason yet."""
        return tuple(
            Recommendation(rank, c.item, c.scores["final"], evidence=gather(c.item, facts))
            for rank, c in enumerate(chosen, 1)
        )

    def reasons(
        self, request: Request, reply: Reply, prompt: tuple[Message, ...], prefix: object, stop: Callable[[], bool]
    ) -> PyGenerator[Phrased]:
        """A reason for each place of a list, as they are verified; `prefix` is what the model has read of `prompt`."""
        listed = reply.recommendations
        given = [r.item for r in listed], [r.evidence for r in listed]
        plans = plan_list(*given, self.noun, self.catalogue, before=len(request.excluded))
        if self.language(reply.intent) == "zh":
            return phrase_in_chinese(plans, self.noun, self.catalogue)
        asked = asking(self.prompts.get("justify"), prompt, self.noun)
        return phrase(self.generator, prefix, plans, asked, self.noun, self.catalogue, seed=request.seed, stop=stop)
