"""The turn, start to finish: profile, intent, retrieve, rank, diversify, justify, reply. The file to read first."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator as PyGenerator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent import build
from agent.assets import language_model
from agent.conditions import Where, read_where
from agent.errors import InputError
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet, clean_title, continued
from agent.justification.evidence import Facts, gather
from agent.justification.phrasing import phrase, plan_list
from agent.progress import Progress, silent
from agent.ranking.diversity import diversify
from agent.ranking.scoring import final_scores, order
from agent.retrieval.base import Query
from agent.retrieval.fusion import fuse
from agent.retrieval.lexical import Lexical
from agent.retrieval.semantic import Semantic
from agent.schema import Candidate, Feedback, Intent, Item, Profile, Recommendation, Reply, Strategy
from agent.settings import Settings, load_settings
from agent.stopwatch import Stopwatch
from agent.understanding.intent import parse_intent
from agent.understanding.profile import best_rating, build_profile
from agent.understanding.relaxing import nothing_fits
from agent.workspace.catalogue import Catalogue, title_key
from agent.workspace.encoder import Encoder
from agent.workspace.workspace import Workspace

if TYPE_CHECKING:
    from agent.conversation import Conversation


class Agent:
    """A recommender over one workspace. Make it with `Agent.open`; it is a context manager; threads may share it."""

    def __init__(
        self, workspace: Workspace, settings: Settings, encoder: Encoder, generator: Generator[Any, Any],
        progress: Progress = silent,
    ) -> None:  # fmt: skip
        self.workspace = workspace
        self.settings = settings
        self.generator = generator
        store = workspace.store
        self.catalogue = Catalogue(store.items(), store.attribute_types())
        self.noun = settings.noun or str(store.get_meta("noun", "item"))
        self.prompts = PromptSet.named(settings.prompts)
        self._ids, self._vectors = workspace.vectors(encoder, progress)
        self._behaviour = build.open_behaviour(workspace, progress)
        self._best_rating = best_rating(store.interaction_columns().values)
        self._index = workspace.index(encoder, progress)
        self._sources = (
            self._behaviour,
            Semantic(self._index, encoder, self._ids, self._vectors),
            Lexical(self.catalogue.items),
        )
        self._trie_lock = threading.Lock()

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
        """
        settings = load_settings(Path(path) if path is not None else None, **flags)
        workspace = build.open_workspace(settings.home)
        try:
            encoder = build.open_encoder(settings, progress)
            folder = language_model(settings.model, settings.cache, progress)
            progress("load the language model", 0, 1)
            from agent.generation.local import LocalGenerator

            generator = LocalGenerator(folder, dtype=settings.dtype, name=_short_name(settings.model))
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

    # -- what people call

    def recommend(
        self, user_id: str | None = None, history: Sequence[str] | None = None, intent: str | Intent | None = None,
        n: int = 5, where: Where | None = None, strategy: Strategy = "score", seed: int | None = None,
    ) -> Reply:  # fmt: skip
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

        Raises:
            UnknownItemError: a title that the catalogue lacks, with the nearest ones.
            FilterError: a condition on an attribute that does not exist, or of the wrong type.
            InputError: a message that is too long, an n out of range.
        """
        return list(self.stream(user_id, history, intent, n, where, strategy, seed))[-1]

    def stream(
        self, user_id: str | None = None, history: Sequence[str] | None = None, intent: str | Intent | None = None,
        n: int = 5, where: Where | None = None, strategy: Strategy = "score", seed: int | None = None,
        excluded: Iterable[str] = (),
    ) -> PyGenerator[Reply]:  # fmt: skip
        """The same reply as it grows: first the list, then with each reason that is verified; the last is complete.

        `excluded` holds ids that must not come. Closing the iterator stops the model; the reply as far as it came is
        kept under its turn id.
        """
        return self._turn(self._request(user_id, history, intent, n, where, strategy, seed, excluded))

    def recommend_many(self, requests: Iterable[Mapping[str, Any]], progress: Progress = silent) -> list[Reply]:
        """`recommend` for many requests, each a mapping of its arguments, in their order."""
        asked = list(requests)
        replies = []
        for done, request in enumerate(asked):
            replies.append(self.recommend(**request))
            progress("recommend", done + 1, len(asked))
        return replies

    def conversation(self, user_id: str | None = None) -> Conversation:
        """A conversation with one person; without an id, with a guest of whom only this conversation is known."""
        from agent.conversation import Conversation

        return Conversation(self, user_id)

    def feedback(self, feedback: Feedback) -> None:
        """Keep what a person said of an item; durable when this returns, and effective on the next list."""
        self.catalogue.get(feedback.item_id)
        self.workspace.store.put_feedback(feedback)

    def check_message(self, text: str) -> None:
        """InputError when a message is longer than is read."""
        if len(text) > self.settings.max_message_chars:
            raise InputError(
                f"The message has {len(text):,} characters; at most {self.settings.max_message_chars:,} are read. Shorten it."
            )

    # -- the turn

    def _turn(self, request: Request) -> PyGenerator[Reply]:
        """One turn. Each stage is timed under its own name; "list" and "answer" are the times since the start."""
        watch = Stopwatch()
        with watch("profile"):
            profile = self._profile(request)
        with watch("intent"):
            intent = self._intent(request)
            n = min(intent.n or request.n, self.settings.max_n)
        reply = Reply(
            uuid.uuid4().hex, request.user_id, intent, model=self.generator.name, adapter=self.generator.adapter,
            prompt=self._prompt_name(),
        )  # fmt: skip
        with watch("retrieve"):
            allowed = self._allowed(profile, intent, request.excluded)
            query = self._query(profile, intent, allowed)
        if not allowed.any():
            message = nothing_fits(intent, lambda i: int(self._allowed(profile, i, request.excluded).sum()))
            yield self._kept(replace(reply, message=message, timings_ms=watch.timings()), request)
            return
        prompt = self._rank_prompt(profile, intent)
        if request.strategy == "generate":
            candidates, prefix = self._generated(query, prompt, n, watch)
        else:
            candidates, prefix = self._ranked(query, prompt, max(self.settings.candidates, n), watch)
        with watch("diversify"):
            diversity = self.settings.diversity if request.strategy == "score" else 0.0
            chosen = self._varied(candidates, n, diversity)
            facts = Facts(self.catalogue, self._behaviour, profile, intent, self.noun)
            gathered = [gather(c.item, facts) for c in chosen]
        listed = tuple(
            Recommendation(rank, c.item, c.scores["final"], evidence=evidence)
            for rank, (c, evidence) in enumerate(zip(chosen, gathered, strict=True), 1)
        )
        watch.mark("list")
        reply = replace(
            reply, recommendations=listed, candidates=tuple(candidates), message=_greeting(profile, intent, len(listed), n),
            timings_ms=watch.timings(), complete=False,
        )  # fmt: skip
        yield from self._justified(reply, request, prompt, prefix, watch)

    def _justified(
        self, reply: Reply, request: Request, prompt: tuple[Message, ...], prefix: object, watch: Stopwatch
    ) -> PyGenerator[Reply]:
        plans = plan_list(
            [r.item for r in reply.recommendations],
            [r.evidence for r in reply.recommendations],
            self.noun,
            self.catalogue,
        )
        justify = self.prompts.get("justify")

        def render(item: Item, facts: Sequence[str]) -> tuple[Message, ...]:
            return continued(prompt, justify.render(title=item.title, facts=list(facts), noun=self.noun))

        finished = False
        phrases = phrase(self.generator, prefix, plans, render, self.noun, self.catalogue, seed=request.seed)
        try:
            yield reply
            with watch("justify"):
                for phrased in phrases:
                    reply = _with_reason(reply, phrased.row, phrased.text, phrased.phrased_by)
                    yield reply
            finished = True
        finally:
            phrases.close()
            watch.mark("answer")
            reply = self._kept(replace(reply, timings_ms=watch.timings(), complete=finished), request)
        yield reply

    # -- stages

    def _profile(self, request: Request) -> Profile:
        store = self.workspace.store
        if request.user_id is None:
            known = Profile()
        else:
            known = build_profile(
                request.user_id, store.interactions(request.user_id), store.feedback(request.user_id),
                best=self._best_rating,
            )  # fmt: skip
        if not request.history:
            return known
        return replace(
            known,
            history=tuple(dict.fromkeys((*(i for i in known.history if i not in request.history), *request.history))),
            seen=known.seen | frozenset(request.history),
        )

    def _intent(self, request: Request) -> Intent:
        said = request.intent
        intent = parse_intent(said, self.catalogue) if isinstance(said, str) else said
        return replace(intent, filters=(*read_where(intent.filters, self.catalogue), *request.filters))

    def _allowed(
        self, profile: Profile, intent: Intent, excluded: frozenset[str]
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which items may be recommended: they meet all filters, and no edition of them was seen or named."""
        allowed = np.ones(len(self.catalogue), dtype=bool)
        if intent.filters:
            allowed[:] = False
            allowed[self.catalogue.positions(self._index.ids_where(intent.filters))] = True
        gone = {*profile.seen, *profile.history, *intent.likes, *intent.dislikes, *excluded}
        editions = (other for i in gone if i in self.catalogue.position for other in self.catalogue.same_work(i))
        allowed[self.catalogue.positions(editions)] = False
        return allowed

    def _query(self, profile: Profile, intent: Intent, allowed: np.ndarray[Any, np.dtype[np.bool_]]) -> Query:
        place = self.catalogue.positions
        recent = [i for i in profile.history if i not in intent.likes and i not in intent.dislikes]
        return Query(
            history=place((*recent, *intent.likes)),
            liked=place((*profile.likes, *intent.likes)),
            disliked=place((*profile.dislikes, *intent.dislikes)),
            wishes=intent.wishes,
            avoids=intent.avoids,
            filters=intent.filters,
            allowed=allowed,
            habit=intent.habit,
        )

    def _rank_prompt(self, profile: Profile, intent: Intent) -> tuple[Message, ...]:
        shown = [i for i in dict.fromkeys((*profile.history, *intent.likes)) if i in self.catalogue.position]
        limit = self.settings.history_in_prompt
        feelings = dict.fromkeys(profile.dislikes, "disliked") | dict.fromkeys((*profile.likes, *intent.likes), "liked")
        history = [
            {"title": self.catalogue.get(i).title, "feeling": feelings.get(i, "watched")}
            for i in shown[-limit:]
            if limit
        ]
        return self.prompts.get("rank").render(history=history, request=intent.text, noun=self.noun)

    def _ranked(
        self, query: Query, prompt: tuple[Message, ...], k: int, watch: Stopwatch
    ) -> tuple[list[Candidate], object]:
        """The strategy "score": retrieved candidates in the order of retrieval and model together, best first."""
        with watch("retrieve"):
            fused = fuse(self._sources, query, k)
        with watch("read prompt"):
            prefix = self.generator.read(prompt)
        with watch("rank"):
            # In the order of their ids whatever retrieval said, so that even rounding cannot depend on the order.
            ids = [self.catalogue.ids[p] for p in fused.positions]
            by_id = sorted(range(len(ids)), key=lambda place: ids[place])
            titles = self.generator.score(prefix, [self._titles[fused.positions[p]] for p in by_id])
            scores = final_scores(fused.score[by_id], titles, self.settings.model_weight)
            candidates = [
                Candidate(
                    self.catalogue.items[fused.positions[p]],
                    {name: float(values[p]) for name, values in fused.by_source.items()}
                    | {
                        "retrieval": float(fused.score[p]),
                        "model": float(titles.mean[place]),
                        "final": float(scores[place]),
                    },
                )
                for place, p in enumerate(by_id)
            ]
            return [candidates[place] for place in order(scores, tuple(c.item.item_id for c in candidates))], prefix

    def _generated(
        self, query: Query, prompt: tuple[Message, ...], n: int, watch: Stopwatch
    ) -> tuple[list[Candidate], object]:
        """The strategy "generate": the model spells titles of the whole catalogue, and can spell nothing else."""
        with watch("read prompt"):
            prefix = self.generator.read(prompt)
        with watch("generate"):
            found = self.generator.spell(prefix, self._trie, query.allowed, n)
        items = self.catalogue.items
        return [Candidate(items[p], {"model": score, "final": score}) for p, score in found], prefix

    @cached_property
    def _titles(self) -> list[str]:
        """Titles as prompts show them, by position: what is scored must be what a rendered history would hold."""
        return [clean_title(item.title) for item in self.catalogue.items]

    @cached_property
    def _titles_trie(self) -> object:
        return self.generator.trie(self._titles)

    @property
    def _trie(self) -> object:
        with self._trie_lock:
            return self._titles_trie

    def _varied(self, candidates: Sequence[Candidate], n: int, diversity: float) -> list[Candidate]:
        places = self.catalogue.positions(c.item.item_id for c in candidates)
        scores = np.array([c.scores["final"] for c in candidates])
        works = [title_key(c.item.title) for c in candidates]
        return [candidates[p] for p in diversify(scores, self._vectors[places], works, n, diversity=diversity)]

    # -- around the turn

    def _request(
        self, user_id: str | None, history: Sequence[str] | None, intent: str | Intent | None, n: int,
        where: Where | None, strategy: Strategy, seed: int | None, excluded: Iterable[str] = (),
    ) -> Request:  # fmt: skip
        """The arguments of a turn, checked before anything is computed."""
        if isinstance(history, str):
            raise InputError(
                f"The history is a list of titles or ids; got one text: {history[:80]!r}. Put it in a list."
            )
        if not 1 <= n <= self.settings.max_n:
            raise InputError(f"A list has from 1 to {self.settings.max_n} items; got n = {n}.")
        if strategy not in ("score", "generate"):
            raise InputError(f'There is no strategy {strategy!r}; there are "score" and "generate".')
        said = intent if isinstance(intent, Intent) else (intent or "")
        self.check_message(said.text if isinstance(said, Intent) else said)
        if isinstance(said, Intent):
            said = replace(said, likes=self._resolved(said.likes), dislikes=self._resolved(said.dislikes))
        if not len(self.catalogue):
            raise InputError("The catalogue of this workspace is empty. Import items with `vouchrec init --update`.")
        return Request(
            user_id, self._resolved(history or ()), said, n, read_where(where, self.catalogue), strategy, seed,
            frozenset(excluded),
        )  # fmt: skip

    def _resolved(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.catalogue.resolve(str(name)) for name in names))

    def _kept(self, reply: Reply, request: Request) -> Reply:
        asked = {
            "history": list(request.history), "n": request.n, "strategy": request.strategy, "seed": request.seed,
            "filters": [str(f) for f in request.filters],
        }  # fmt: skip
        ranked = [{"item_id": c.item.item_id, **c.scores} for c in reply.candidates]
        self.workspace.store.put_turn(reply.turn_id, reply.user_id, asked, {**reply.as_dict(), "candidates": ranked})
        return reply

    def _prompt_name(self) -> str:
        used = [self.prompts.get(name) for name in ("rank", "justify")]
        return f"{self.prompts.folder.name}/" + "+".join(f"{p.name}@{p.hash}" for p in used)


@dataclass(frozen=True, slots=True)
class Request:
    """The checked arguments of one turn; `excluded` holds further ids that must not come, such as what was just shown."""

    user_id: str | None
    history: tuple[str, ...]
    intent: str | Intent
    n: int
    filters: tuple[Any, ...]
    strategy: Strategy
    seed: int | None
    excluded: frozenset[str] = frozenset()


def _with_reason(reply: Reply, row: int, text: str, phrased_by: Any) -> Reply:  # noqa: ANN401
    told = [
        replace(r, justification=text, verified=True, phrased_by=phrased_by) if place == row else r
        for place, r in enumerate(reply.recommendations)
    ]
    return replace(reply, recommendations=tuple(told))


def _greeting(profile: Profile, intent: Intent, found: int, n: int) -> str:
    said = []
    if profile.user_id is not None and not profile.history and not profile.seen:
        said.append("I know nothing of this person yet, so this goes by the request and by what others chose.")
    elif not profile.history and intent.is_empty:
        said.append("Nothing was said or is known yet, so this is what most people chose.")
    if found < n:
        said.append(f"Only {found} of the {n} wished for fit.")
    return " ".join(said)


def _short_name(reference: str) -> str:
    return reference.rstrip("/").rsplit("/", 1)[-1].split("#")[0].removesuffix(".gguf")
