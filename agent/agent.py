"""The door: what people call. The turn itself stands in `agent/turn.py`: read that first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent import build, changes, people
from agent.adapted import Adapted
from agent.assets import language_model
from agent.conditions import Where
from agent.errors import InputError
from agent.explaining.asked import Asked, recall
from agent.explaining.explanation import Explanation, explain
from agent.feedback import checked
from agent.generation.adapters import BASE
from agent.generation.base import Generator
from agent.generation.prompting import PromptSet
from agent.listing import Lister
from agent.openers import openers
from agent.progress import Progress, silent
from agent.reader import Reader
from agent.request import read_request
from agent.saved import keep
from agent.schema import Feedback, Intent, Item, Reply, Strategy
from agent.serving import open_serving
from agent.settings import Settings, load_settings
from agent.stages import Stages, noun_of
from agent.turn import answer
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
        self.noun = noun_of(settings, workspace.store, self.prompts)
        self._encoder = encoder
        self._changing = threading.Lock()  # held while the store's people or items change together with what serves
        self.serving = open_serving(workspace, encoder, generator, progress)
        load = partial(build.generator_with, workspace, settings, encoder.name, generator.name)
        self.adapted = Adapted(workspace, self.prompts, load)
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
            agent = cls(workspace, settings, encoder, generator, progress)
            if adapter is not None:
                agent.prompts.bind(adapter.manifest.prompts, adapter.manifest.name)
            return agent
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
        return self.serving.catalogue

    @property
    def lister(self) -> Lister:
        """Makes lists of the items as they are now."""
        return self.serving.lister

    @property
    def model_weight(self) -> float:
        """How much the model counts beside retrieval where only a history speaks; a reply says what counted in it."""
        return self.lister.model_weight(self.settings.model_weight)

    def stages(self, adapter: str | None = None) -> Stages:
        """The stages of a turn over what serves now, with the model of another adapter where one is named.

        Raises:
            InputError, AdapterError: that adapter cannot be asked for.
        """
        now = Stages(
            store=self.workspace.store,
            settings=self.settings,
            serving=self.serving,
            generator=self.generator,
            prompts=self.prompts,
            noun=self.noun,
            reader=self.reader,
            keep=partial(keep, self.workspace.store, self.workspace.store.forgets),
        )
        if adapter is None or adapter == (self.generator.adapter or BASE):
            return now
        return now.using(self.adapted.lister(adapter, now.lister))

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
            seed: makes the wording vary; None gives the likeliest words. The order of the list depends on it with
                `Intent.exploration` alone.
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
        now = self.stages(adapter)
        asked = (user_id, history, intent, n, where, strategy, seed, excluded)
        return answer(now, read_request(now.catalogue, now.settings, *asked), stop)

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
        now = self.stages()
        request = read_request(now.catalogue, now.settings, user_id, n=n)
        allowed = now.allowed(now.profile(request), Intent())
        return openers(now.catalogue, now.serving.transitions, now.lister.vectors, allowed, n)

    def feedback(self, feedback: Feedback) -> Feedback:
        """Keep what a person said of an item; durable when this returns, and effective on the next list.

        Returns it as it is kept, with its time; hand that to `undo_feedback` to take it back. The same person, item,
        event and turn again is the same feedback, so sending it twice changes nothing.

        Raises:
            UnknownItemError: there is no such item.
            InputError: there is no such reaction, a rating off the scale, a remark without words.
        """
        self.catalogue.get(feedback.item_id)
        kept = checked(feedback, self.serving.best_rating, self.settings)
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
            with_model: rank anew for every thing that is left out, with the adapter of the turn, which takes the
                model's time for each.

        Raises:
            InputError: no such turn, or it is not that person's; with the model, its adapter cannot be asked for.
            UnknownItemError: no such item, with the nearest titles.
        """
        asked = recall(self.workspace.store, turn_id, user_id)
        stages = self._stages_of(asked) if with_model else self.stages()
        return explain(asked, item, stages, with_model=with_model)

    def _stages_of(self, asked: Asked) -> Stages:
        """The stages with the model that ranked a kept turn."""
        try:
            return self.stages(asked.adapter or BASE)
        except InputError as error:
            told = f"What ranked this turn cannot rank again. {error} Without the model it can be explained."
            raise InputError(told) from error

    def known_of(self, user_id: str) -> dict[str, Any]:
        """Everything that is stored of a person, see `agent.people.known_of`; UnknownPersonError where nothing is."""
        return people.known_of(self.workspace, user_id)

    def forget(self, user_id: str) -> dict[str, int]:
        """Remove a person from everywhere, for good, see `agent.people.forget`; the next list knows nothing of them.

        A turn that is under way ends as it began, and a `Conversation` goes on; but nothing of either is kept any more.
        """
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
            self.serving = open_serving(self.workspace, self._encoder, self.generator)
        return changed


def _short_name(reference: str) -> str:
    return reference.rstrip("/").rsplit("/", 1)[-1].split("#")[0].removesuffix(".gguf")
