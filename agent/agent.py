"""The turn, start to finish: profile, intent, retrieve, rank, diversify, justify, reply. The file to read first."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent import build, changes, people
from agent.adapted import BASE, Adapted
from agent.assets import language_model
from agent.conditions import Where
from agent.described import told
from agent.explaining.asked import as_asked, recall
from agent.explaining.explanation import Explanation, explain
from agent.explaining.sensitivity import Stages, lifts
from agent.feedback import checked
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet
from agent.justification.chinese import phrase_in_chinese
from agent.justification.evidence import Facts, gather
from agent.justification.phrasing import asking, phrase
from agent.justification.planning import plan_list
from agent.listing import Lister
from agent.openers import openers
from agent.progress import Progress, silent
from agent.reader import Reader
from agent.request import Request, read_request
from agent.retrieval.base import Query
from agent.saved import as_kept
from agent.schema import Candidate, Feedback, Intent, Item, Profile, Recommendation, Reply, Strategy
from agent.serving import open_serving
from agent.settings import Settings, load_settings
from agent.stopwatch import Stopwatch
from agent.understanding.moods import as_kinds, with_kinds
from agent.understanding.profile import build_profile
from agent.understanding.relaxing import nothing_fits
from agent.understanding.texts import TEXTS, Language, greeting, language_of
from agent.understanding.weak import left_aside, only_nearest
from agent.workspace import kept
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.kept import SavedConversation
from agent.workspace.workspace import Workspace

if TYPE_CHECKING:
    from agent.conversation import Conversation

Changed = TypeVar("Changed")


class Agent:
    """A recommender over one workspace. Make it with `Agent.open`; it is a context manager; threads may share it."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        encoder: Encoder,
        generator: Generator[Any, Any, Any],
        progress: Progress = silent,
    ) -> None:
        self.workspace = workspace
        self.settings = settings
        self.generator = generator
        self.prompts = PromptSet.named(settings.prompts)
        self.noun = settings.noun or str(workspace.store.get_meta("noun") or self.prompts.noun or "item")
        self._encoder = encoder
        self._changing = threading.Lock()  # held while the store's people or items change together with what serves
        self._serving = open_serving(workspace, encoder, generator, progress)
        load = partial(build.generator_with, workspace, settings, encoder.name, generator.name)
        self.adapted = Adapted(workspace, load)
        self.reader = Reader(settings.understanding, generator, self.prompts, self.noun)
        self.reader.prepare(self.catalogue)

    @classmethod
    def open(cls, path: Path | str | None = None, *, progress: Progress = silent, **flags: Any) -> Agent:  # noqa: ANN401
        """Open a workspace with its models.

        Args:
            path: the workspace folder; None means VOUCHREC_HOME, or the default one.
            progress: what is told how far long work has come.
            flags: any field of `agent.settings.Settings`, over file and environment.

        Raises:
            WorkspaceError: there is no workspace, or another process has it open.
            AssetError: a model cannot be had.
            AdapterError: the adapter in service was tuned with another model, encoder or prompt.
        """
        from agent.generation.local import LocalGenerator

        settings = load_settings(Path(path) if path is not None else None, **flags)
        workspace = build.open_workspace(settings.home)
        try:
            encoder = build.open_encoder(settings, progress)
            folder = language_model(settings.model, settings.cache, progress)
            progress("load the language model", 0, 1)
            adapter = build.adapter_in_service(workspace, settings, folder)
            generator = LocalGenerator(folder, dtype=settings.dtype, name=_short_name(settings.model), adapter=adapter)
            progress("load the language model", 1, 1)
            return cls(workspace, settings, encoder, generator, progress)
        except BaseException:
            workspace.close()
            raise

    def close(self) -> None:
        """Let go of the workspace; calling it again does nothing."""
        self.workspace.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def catalogue(self) -> Catalogue:
        """The items as they are now."""
        return self._serving.catalogue

    @property
    def lister(self) -> Lister:
        """Makes lists of the items as they are now."""
        return self._serving.lister

    @property
    def model_weight(self) -> float:
        """How much the model counts beside retrieval where only a history speaks; a reply says what counted in it."""
        return self.lister.model_weight(self.settings.model_weight)

    # -- what people call

    def recommend(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
        where: Where | None = None,
        strategy: Strategy = "score",
        seed: int | None = None,
        adapter: str | None = None,
    ) -> Reply:
        """A ranked list with verified reasons.

        Args:
            user_id: a person of the store; someone unknown counts as new.
            history: titles or ids, oldest first, besides what the store knows.
            intent: what is wanted now, in plain words or as an `Intent`. A count in the words wins over `n`.
            n: the length of the list.
            where: hard conditions, see `agent.conditions.read_where`.
            strategy: "score" ranks retrieved candidates; "generate" lets the model write titles itself, out of the
                whole catalogue.
            seed: makes the wording vary; None gives the likeliest words. The order of the list does not depend on it.
            adapter: one that has passed the gate, or "base", instead of the one in service; the first request for it
                takes seconds, and `agent.adapted.names()` tells which there are.

        Raises:
            UnknownItemError: a title that the catalogue lacks, with the nearest ones.
            FilterError: a condition on an attribute that does not exist, or of the wrong type.
            InputError: a message that is too long, an n out of range, an adapter that there is not.
        """
        return list(self.stream(user_id, history, intent, n, where, strategy, seed, adapter=adapter))[-1]

    def stream(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
        where: Where | None = None,
        strategy: Strategy = "score",
        seed: int | None = None,
        excluded: Iterable[str] = (),
        stop: Callable[[], bool] = lambda: False,
        adapter: str | None = None,
    ) -> PyGenerator[Reply]:
        """The same reply as it grows: first the list, then with each reason that is verified; the last is complete.

        `excluded` holds ids that must not come. `stop` is asked after every step of the model's writing: once it says
        yes, the last reply follows and is not complete. Closing the iterator between two replies stops the model too.
        Either way the reply as far as it came is kept under its turn id.
        """
        return self._answer((user_id, history, intent, n, where, strategy, seed, excluded), stop, adapter=adapter)

    def recommend_many(self, requests: Iterable[Mapping[str, Any]], progress: Progress = silent) -> list[Reply]:
        """`recommend` for many requests, each a mapping of its arguments, in their order."""
        asked = list(requests)
        replies = []
        for done, request in enumerate(asked, 1):
            replies.append(self.recommend(**request))
            progress("recommend", done, len(asked))
        return replies

    def conversation(self, user_id: str | None = None, conversation_id: str | None = None) -> Conversation:
        """A conversation with one person; without an id, with a guest of whom only this conversation is known.

        It is kept as it goes; with its id it is gone on with, as it was. InputError where the person has none such.
        """
        from agent.conversation import Conversation

        if conversation_id is None:
            return Conversation(self, user_id)
        return Conversation.reopen(self, user_id or "", conversation_id)

    def conversations(self, user_id: str) -> list[SavedConversation]:
        """The conversations of a person that are kept, the latest first."""
        with self.workspace.store.transaction(write=False) as connection:
            return kept.conversations(connection, user_id)

    def rename_conversation(self, user_id: str, conversation_id: str, title: str) -> None:
        """Give a conversation another title; InputError where the person has none of that id, or the title is empty."""
        people.rename(self.workspace, user_id, conversation_id, title)

    def openers(self, n: int = 5, user_id: str | None = None) -> list[Item]:
        """What to ask a new person about: n items that many know, that tell tastes apart, see `agent.openers`.

        Of a person who is known, without what they have seen. Send the answers as feedback.
        """
        now = copy(self)
        request = read_request(now.catalogue, self.settings, user_id, None, None, n, None, "score", None, ())
        allowed = now._allowed(now._profile(request), Intent(), request.excluded)
        return openers(now.catalogue, now._serving.transitions, now.lister.vectors, allowed, n)

    def feedback(self, feedback: Feedback) -> Feedback:
        """Keep what a person said of an item; durable when this returns, and effective on the next list.

        Returns it as it is kept, with its time; hand that to `undo_feedback` to take it back. The same person, item,
        event and turn again is the same feedback, so sending it twice changes nothing.

        Raises:
            UnknownItemError: there is no such item.
            InputError: there is no such reaction, a rating off the scale, a remark without words.
        """
        self.catalogue.get(feedback.item_id)
        kept = checked(feedback, self._serving.best_rating, self.settings)
        self.workspace.store.put_feedback(kept)
        return kept

    def undo_feedback(self, feedback: Feedback) -> bool:
        """Take feedback back, as if it had never been given; False where it is not there (any more)."""
        return self.workspace.store.remove_feedback(feedback)

    def explain(self, turn_id: str, item: str, user_id: str | None = None, *, with_model: bool = False) -> Explanation:
        """Why an item stands where it stands in a kept turn, or why it is not there, see `Explanation`.

        Args:
            turn_id: of a reply, its first letters, or "last"; a turn can be explained as long as it is kept.
            item: a title or an id, of the list or not.
            user_id: whose turn it must be; None does not ask.
            with_model: rank anew for every thing that is left out, which takes the model's time for each.

        Raises:
            InputError: no such turn, or it is not that person's.
            UnknownItemError: no such item, with the nearest titles.
        """
        return explain(recall(self.workspace.store, turn_id, user_id), item, self._stages, with_model=with_model)

    def known_of(self, user_id: str) -> dict[str, Any]:
        """Everything that is stored of a person, see `agent.people.known_of`; UnknownPersonError where nothing is."""
        return people.known_of(self.workspace, user_id)

    def forget(self, user_id: str) -> dict[str, int]:
        """Remove a person from everywhere, for good, see `agent.people.forget`; the next list knows nothing of them."""
        return self._change(lambda: people.forget(self.workspace, user_id))

    def edit_entry(self, user_id: str, entry: str, value: float | None = None, words: str | None = None) -> None:
        """Correct one entry of `known_of` by its name, such as "history:12"; InputError where that cannot be done."""
        self._change(lambda: people.edit(self.workspace, user_id, entry, value, words))

    def delete_entry(self, user_id: str, entry: str) -> None:
        """Delete one entry of `known_of` for good, by its name; InputError where there is none."""
        self._change(lambda: people.delete(self.workspace, user_id, entry))

    # -- the catalogue

    def add_items(self, items: Iterable[Item]) -> int:
        """Add items while serving; the next call can recommend them, by their texts at first. Returns how many.

        Attributes that are new to the catalogue are declared by what their values are, see `agent.changes`.

        Raises:
            InputError: an id is taken or given twice, or a value has not the type of its attribute; nothing is added.
        """
        return self._change(lambda: changes.add(self.workspace.store, items))

    def update_items(self, items: Iterable[Item]) -> int:
        """Put items in the place of those with their ids; what people did with them stays. Returns how many.

        Raises:
            UnknownItemError: there is no such item; then nothing is changed.
            InputError: as `add_items`.
        """
        return self._change(lambda: changes.update(self.workspace.store, items))

    def remove_items(self, item_ids: Iterable[str]) -> int:
        """Remove items with what people did with them and said of them. Returns how many.

        Raises:
            UnknownItemError: there is no such item; then nothing is removed.
        """
        return self._change(lambda: changes.remove(self.workspace.store, item_ids))

    def _change(self, change: Callable[[], Changed]) -> Changed:
        """Change the store, then make what serves anew and put it in place at once."""
        with self._changing:
            changed = change()
            self._serving = open_serving(self.workspace, self._encoder, self.generator)
        return changed

    # -- the turn

    def _answer(
        self, given: tuple[Any, ...], stop: Callable[[], bool], understood: str = "", adapter: str | None = None
    ) -> PyGenerator[Reply]:
        """See `stream`; `understood` says how an `Intent` that is given was read, for the reply."""
        now = copy(self)  # a turn ends with what it began with, whatever changes meanwhile
        if adapter not in (None, self.generator.adapter or BASE):
            now._answer_with(self.adapted.lister(adapter, now.lister))
        return now._turn(read_request(now.catalogue, self.settings, *given), stop, understood)

    def _answer_with(self, lister: Lister) -> None:
        """Rank, read and write with the model of this lister from now on."""
        self.generator = lister.generator
        self._serving = replace(self._serving, lister=lister)
        self.reader = Reader(self.settings.understanding, lister.generator, self.prompts, self.noun)

    def _turn(self, request: Request, stop: Callable[[], bool], understood: str) -> PyGenerator[Reply]:
        """One turn. Each stage is timed under its own name; "list" and "answer" are the times since the start."""
        watch = Stopwatch()
        with watch("profile"):
            profile = self._profile(request)
            request = replace(request, profile=profile)
        with watch("intent"):
            intent, how = self._intent(request)
            n = min(intent.n or request.n, self.settings.max_n)
            aside = left_aside(intent, self.catalogue, self._language(intent))
        reply = self._empty_reply(request, intent, understood or how)
        with watch("retrieve"):
            query = self._query(profile, intent, self._allowed(profile, intent, request.excluded))
        if not query.allowed.any():
            message = nothing_fits(
                intent, lambda i: int(self._allowed(profile, i, request.excluded).sum()), self._language(intent)
            )
            message = TEXTS[self._language(intent)]["space"].join(filter(None, (message, aside)))
            yield self._kept(replace(reply, message=message, timings_ms=watch.timings()), request)
            return
        with watch("retrieve"):
            weak = self._weak(query, profile, intent, request.excluded)
        prompt = self._rank_prompt(profile, intent)
        if request.strategy == "score":
            k = max(self.settings.candidates, n)
            weight = self.lister.model_weight(self.settings.model_weight, is_asked=query.has_words)
            candidates, prefix = self.lister.retrieved(query, prompt, k, weight, watch)
            reply = replace(reply, model_weight=weight)
        else:
            candidates, prefix = self.lister.generated(query, prompt, n, watch)
        with watch("diversify"):
            diversity = self.settings.diversity if request.strategy == "score" else 0.0
            chosen = self.lister.varied(candidates, n, diversity, intent.exploration, request.drawn_from(intent))
        with watch("gather evidence"):
            facts = Facts(
                self.catalogue, self._serving.transitions, profile, intent, self.noun, said=self._said(request)
            )
            if request.strategy == "score":
                ids = [c.item.item_id for c in chosen]
                lifted = lifts(ids, facts.anchors, profile, intent, self._stages, query.allowed)
                facts = replace(facts, lifts=lifted)
            listed = self._listed(chosen, facts)
        watch.mark("list")
        message = greeting(profile, intent, bool(request.excluded), len(listed), n, self._language(intent))
        message = TEXTS[self._language(intent)]["space"].join(filter(None, (message, aside, weak)))
        reply = replace(reply, recommendations=listed, candidates=tuple(candidates), message=message)
        reply = replace(reply, timings_ms=watch.timings(), complete=False)
        yield from self._justified(reply, request, prompt, prefix, watch, stop)

    def _justified(
        self,
        reply: Reply,
        request: Request,
        prompt: tuple[Message, ...],
        prefix: object,
        watch: Stopwatch,
        stop: Callable[[], bool],
    ) -> PyGenerator[Reply]:
        """The reply as its reasons are verified. However it ends, it is kept as far as it came."""
        listed = reply.recommendations
        plans = plan_list([r.item for r in listed], [r.evidence for r in listed], self.noun, self.catalogue)
        finished = False
        if self._language(reply.intent) == "zh":
            phrases = phrase_in_chinese(plans, self.noun, self.catalogue)
        else:
            given = (plans, asking(self.prompts.get("justify"), prompt, self.noun), self.noun, self.catalogue)
            phrases = phrase(self.generator, prefix, *given, seed=request.seed, stop=stop)
        try:
            yield reply
            with watch("justify"):
                for phrased in phrases:
                    told = list(reply.recommendations)
                    told[phrased.row] = replace(
                        told[phrased.row], justification=phrased.text, verified=True, phrased_by=phrased.phrased_by
                    )
                    reply = replace(reply, recommendations=tuple(told))
                    yield reply
            finished = all(one.justification for one in reply.recommendations)
        finally:
            phrases.close()
            watch.mark("answer")
            reply = self._kept(replace(reply, timings_ms=watch.timings(), complete=finished), request)
        yield reply

    # -- stages

    def _profile(self, request: Request) -> Profile:
        store, user = self.workspace.store, request.user_id
        known = Profile()
        if user is not None:
            known = build_profile(user, store.interactions(user), store.feedback(user), best=self._serving.best_rating)
        if not request.history:
            return known
        older = tuple(i for i in known.history if i not in request.history)
        return replace(known, history=older + request.history, seen=known.seen | frozenset(request.history))

    def _said(self, request: Request) -> frozenset[str]:
        """The items of which the person said here that they like them."""
        user = request.user_id
        return frozenset(
            f.item_id for f in (self.workspace.store.feedback(user) if user is not None else ()) if f.event == "like"
        )

    def _intent(self, request: Request) -> tuple[Intent, str]:
        """What is wanted, and how that was read."""
        said = request.intent
        intent, how = self.reader.intent(said, self.catalogue) if isinstance(said, str) else (said, "")
        intent = told(intent, self.catalogue, self._serving.lexical)
        return replace(intent, filters=tuple(dict.fromkeys((*intent.filters, *request.filters)))), how

    def _allowed(self, profile: Profile, intent: Intent, excluded: Iterable[str]) -> NDArray[np.bool_]:
        """Which items may be recommended: they meet all filters, and no edition of them was seen or named."""
        allowed = np.ones(len(self.catalogue), dtype=bool)
        if intent.filters:
            allowed[:] = False
            allowed[self.catalogue.positions(self._serving.index.ids_where(intent.filters))] = True
        gone = {*profile.seen, *profile.history, *intent.likes, *intent.dislikes, *excluded}
        allowed[self.catalogue.positions(self.catalogue.editions(gone))] = False
        return allowed

    def _query(self, profile: Profile, intent: Intent, allowed: NDArray[np.bool_]) -> Query:
        place, known = self.catalogue.positions, self.catalogue.position
        felt = {i: said for i, said in profile.reactions.items() if i not in intent.likes}
        felt |= {i: -1 for i in intent.dislikes if i not in intent.declined}
        recent = [i for i in profile.history if i not in intent.likes and i not in intent.dislikes]
        times = [profile.times.get(i, np.nan) for i in recent if i in known]
        liked = place(intent.likes)
        return Query(
            history=np.concatenate([place(recent), liked]),
            times=np.concatenate([times, np.full(len(liked), np.nan)]),  # what was just named is the newest, in order
            wishes=with_kinds(intent.wishes, self.catalogue.vocabulary),
            words=as_kinds(intent.wishes, self.catalogue.vocabulary),
            avoids=with_kinds(intent.avoids, self.catalogue.vocabulary),
            filters=intent.filters,
            allowed=allowed,
            habit=intent.habit,
            reactions=tuple((known[i], said) for i, said in felt.items() if i in known),
            remarks=profile.remarks,
            named=liked,
        )

    def _weak(self, query: Query, profile: Profile, intent: Intent, excluded: Iterable[str]) -> str:
        """What to say where nothing is near to the wishes; empty where something is."""
        fit = self._serving.fit

        def is_met(relaxed: Intent) -> bool:
            return not fit.unmet(self._query(profile, relaxed, self._allowed(profile, relaxed, excluded)))

        return only_nearest(fit.unmet(query), intent, is_met, self._language(intent))

    def _rank_prompt(self, profile: Profile, intent: Intent) -> tuple[Message, ...]:
        shown = self.settings.history_in_prompt
        return self.lister.prompt(self.prompts.get("rank"), profile, intent, shown, self.noun)

    def _listed(self, chosen: Sequence[Candidate], facts: Facts) -> tuple[Recommendation, ...]:
        return tuple(
            Recommendation(rank, c.item, c.scores["final"], evidence=gather(c.item, facts))
            for rank, c in enumerate(chosen, 1)
        )

    @property
    def _stages(self) -> Stages:
        """The stages that are run again where one thing is left out."""
        return Stages(
            self.catalogue, self.lister.sources, self.lister.weights, self._allowed, self._query, self._candidates
        )

    def _candidates(self, query: Query, profile: Profile, intent: Intent) -> list[Candidate]:
        prompt, k = self._rank_prompt(profile, intent), self.settings.candidates
        weight = self.lister.model_weight(self.settings.model_weight, is_asked=query.has_words)
        return self.lister.retrieved(query, prompt, k, weight, Stopwatch())[0]

    # -- the reply

    def _language(self, intent: Intent) -> Language:
        """That of the request; without words, that of the prompts."""
        return language_of(intent.text, self.catalogue) or self.prompts.language or "en"

    def _empty_reply(self, request: Request, intent: Intent, understood: str) -> Reply:
        used = [self.prompts.get(name) for name in ("rank", "justify")]
        return Reply(
            turn_id=uuid.uuid4().hex,
            user_id=request.user_id,
            intent=intent,
            model=self.generator.name,
            adapter=self.generator.adapter,
            prompt=f"{self.prompts.folder.name}/" + "+".join(f"{p.name}@{p.hash}" for p in used),
            understood=understood,
        )

    def _kept(self, reply: Reply, request: Request) -> Reply:
        asked = {**request.as_dict(), **as_asked(request.profile, reply.intent)}
        self.workspace.store.put_turn(reply.turn_id, reply.user_id, asked, as_kept(reply))
        return reply


def _short_name(reference: str) -> str:
    return reference.rstrip("/").rsplit("/", 1)[-1].split("#")[0].removesuffix(".gguf")
