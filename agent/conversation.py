"""A conversation: an intent that grows with each message, and lists that do not repeat what was shown.

It is kept in the store as it goes, and can be gone on with by its id: `Agent.conversation`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from collections.abc import Generator as PyGenerator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agent import answers
from agent.errors import InputError
from agent.feedback import feeling
from agent.request import Request, check_message, read_request, valid_unicode
from agent.saved import as_kept, reply_of
from agent.schema import Event, Feedback, Intent, Recommendation, Reply
from agent.stages import Stages
from agent.turn import answer
from agent.understanding import smalltalk
from agent.understanding.dialogue import State, Turn
from agent.understanding.intent import describe
from agent.understanding.parts import Part, parts, without
from agent.understanding.texts import language_of
from agent.understanding.unclear import Choice
from agent.undo import Mark, Reaction, marks_of, noted, reacted, reactions_of, same, undone
from agent.workspace import kept
from agent.workspace.catalogue import Catalogue

if TYPE_CHECKING:
    from agent.agent import Agent


@dataclass(frozen=True, slots=True)
class Step:
    """One message: what was said, the turn that answered it, whether that made a list, and what stood before it."""

    said: str
    turn_id: str
    listed: bool
    before: Intent
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands between two messages."""

    intent: Intent
    replies: tuple[Reply, ...]
    choices: tuple[Choice, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """What is kept of a conversation beside its turns; `turns` are all that were made in it, also those taken back."""

    intent: Intent
    choices: tuple[Choice, ...] = ()
    steps: tuple[Step, ...] = ()
    turns: tuple[str, ...] = ()
    reactions: tuple[Mark, ...] = ()


_STATE = TypeAdapter(_State)


class Conversation:
    """One person's conversation with an agent. Not for two threads at once.

    `intent` is what is understood so far and may be replaced; `replies` holds the answers, oldest first.
    """

    def __init__(self, agent: Agent, user_id: str | None = None) -> None:
        self._agent = agent
        self.user_id = user_id or f"guest-{uuid.uuid4().hex[:12]}"
        self.conversation_id = uuid.uuid4().hex
        self.intent = Intent()
        self.replies: list[Reply] = []
        self._steps: list[Step] = []  # one for each reply
        self._turns: list[str] = []
        self._reactions: list[Reaction] = []
        self._choices: tuple[Choice, ...] = ()
        self._began = agent.workspace.store.forgets
        self._is_stored = self._is_deleted = False

    @classmethod
    def reopen(cls, agent: Agent, user_id: str, conversation_id: str) -> Conversation:
        """A kept conversation of this person as it was, less what has been deleted since; see `Agent.conversation`."""
        store, catalogue = agent.workspace.store, agent.catalogue
        with store.transaction(write=False) as connection:
            text = kept.state_of(connection, conversation_id, user_id)
        if text is None:
            raise InputError(
                f"{user_id[:60]!r} has no conversation {conversation_id[:60]!r}. `Agent.conversations` lists them."
            )
        state, self = _STATE.validate_json(text), cls(agent, user_id)
        turns = {step.turn_id: store.turn(step.turn_id) for step in state.steps}
        self.conversation_id, self._is_stored = conversation_id, True
        self.intent, self._choices = _still_there(state.intent, catalogue), _chosen(state.choices, catalogue)
        for step in state.steps:
            if (turn := turns[step.turn_id]) is not None:
                self._steps.append(replace(step, before=_still_there(step.before, catalogue)))
                reply = reply_of(turn, catalogue)
                self.replies.append(replace(reply, intent=_still_there(reply.intent, catalogue)))
        self._turns = list(state.turns)
        self._reactions = reactions_of(state.reactions, store.feedback(user_id))
        return self

    def __str__(self) -> str:
        """What is understood so far, in plain words: "year 1990 to 1999; genres Comedy; wishes: tense"."""
        return describe(self.intent, self._agent.catalogue)

    def parts(self) -> tuple[Part, ...]:
        """The intent in parts, each in plain words and with a key for `drop`."""
        return parts(self.intent, self._agent.catalogue)

    def drop(self, key: str) -> None:
        """Take one part out of the intent; InputError if it has no such part."""
        self.intent = without(self.intent, key)
        self._save()

    def add(self, text: str) -> None:
        """Let the intent grow by a few words as if they were said; no list is made."""
        check_message(text, self._agent.settings)
        understood, _ = self._understood(text, self._agent.stages())
        self.intent = understood.intent
        self._note_seen(understood)
        self._save()

    def say(self, text: str, n: int = 5, adapter: str | None = None) -> Reply:
        """Answer one message: it adds to what was said before, and corrects it where the two differ.

        Most messages bring a new list. One that asks about an item of the list brings that item with its reasons, one
        that can mean several things a question, and one that asks for nothing a polite sentence.

        `adapter` answers this message alone, see `Agent.recommend`; no list repeats that of another adapter either.
        """
        return list(self.stream(text, n, adapter=adapter))[-1]

    def stream(
        self, text: str, n: int = 5, *, stop: Callable[[], bool] = lambda: False, adapter: str | None = None
    ) -> PyGenerator[Reply]:
        """The answer as it grows, see `Agent.stream`. The conversation moves on with the list, not with the reasons."""
        if not text.strip() and not self.replies:
            raise InputError("Say what you are in the mood for, such as 'something tense but funny, from the 90s'.")
        check_message(text, self._agent.settings)
        now = self._stages(adapter)
        understood, how = self._understood(text, now)
        if understood.does != "list":
            yield self._answered(understood, text, how)
            return
        shown = frozenset((*(i for listed in self.lists for i in listed), *understood.seen))
        request = read_request(now.catalogue, now.settings, self.user_id, intent=understood.intent, n=n, excluded=shown)
        turn = answer(now, request, stop, how)
        first = True
        try:
            for reply in turn:
                if first:
                    self._move_on(understood, reply, text)
                    first = False
                self.replies[-1] = reply
                yield reply
        finally:
            turn.close()  # which keeps the turn that is referred to
            self._save()

    def again(self, intent: Intent, n: int = 5, *, stop: Callable[[], bool] = lambda: False) -> PyGenerator[Reply]:
        """The last answer once more, as it grows, for an intent that was corrected; its items may come again.

        Raises:
            InputError: there is no answer yet.
        """
        if not self.replies:
            raise InputError("There is no answer yet to make again. Say what you are in the mood for.")
        before = self.standing()
        *earlier, last = before.steps
        shown = frozenset(i for ids in _lists(earlier, self.replies) for i in ids)
        now = self._stages()
        intent = _still_there(intent, now.catalogue)
        request = read_request(now.catalogue, now.settings, self.user_id, intent=intent, n=n, excluded=shown)
        try:
            with closing(answer(now, request, stop)) as replies:
                for reply in replies:
                    self.intent, self._choices = intent, ()
                    self.replies = [*before.replies[:-1], reply]
                    self._steps = [*earlier, replace(last, turn_id=reply.turn_id, listed=True)]
                    self._note(reply)
                    yield reply
        finally:
            self._save()

    def standing(self) -> Standing:
        """How the conversation stands now, for `back_to`."""
        return Standing(self.intent, tuple(self.replies), self._choices, tuple(self._steps))

    def back_to(self, standing: Standing) -> None:
        """As if nothing had been said since; reactions to items stay, see `undo`."""
        self.intent, self.replies, self._choices = standing.intent, list(standing.replies), standing.choices
        self._steps = list(standing.steps)
        self._save()

    def history(self) -> PyGenerator[tuple[Standing, Step, Reply]]:
        """Each message with its reply, oldest first, and how the conversation stood before it."""
        for at, (step, reply) in enumerate(zip(self._steps, self.replies, strict=True)):
            before = Standing(step.before, tuple(self.replies[:at]), step.choices, tuple(self._steps[:at]))
            yield before, step, reply

    @property
    def reactions(self) -> tuple[Feedback, ...]:
        """The reactions of this conversation that `undo` can take back, oldest first."""
        return tuple(one.given for one in self._reactions)

    def rename(self, title: str) -> None:
        """Give the conversation another title than its first message; InputError before anything was said."""
        self._agent.rename_conversation(self.user_id, self.conversation_id, title)

    def delete(self) -> None:
        """Delete the conversation for good, its turns and shared lists with it; what is said from now on is not kept.

        Reactions to items stay: they belong to what is known of the person. InputError before anything was said.
        """
        with self._agent.workspace.store.alone():
            self._agent.workspace.store.delete_entry(self.user_id, f"conversation:{self.conversation_id}")
            self._is_deleted = True

    def feedback(self, item_id: str, event: Event, value: float | None = None, words: str = "") -> Feedback:
        """Keep a reaction to an item; durable when this returns, and effective on the next list: `Agent.feedback`."""
        turn_id = next((r.turn_id for r in reversed(self.replies) if item_id in _shown(r)), None)
        given = Feedback(self.user_id, item_id, event, turn_id, value, time.time(), words)
        replaced = same(given, self._agent.workspace.store.feedback(self.user_id))
        given = self._agent.feedback(given)
        felt = feeling(given, self._agent.serving.best_rating)
        reaction, self.intent = reacted(given, replaced, felt, self.intent)
        self._reactions = noted(self._reactions, reaction)
        self._save()
        return given

    def undo(self) -> Feedback | None:
        """Take back the latest reaction of this conversation, and return it; None where there is none left.

        What it took the place of, such as an earlier rating, is there again.
        """
        if not self._reactions:
            return None
        reaction = self._reactions.pop()
        if self._agent.undo_feedback(reaction.given) and reaction.replaced is not None:
            self._agent.workspace.store.put_feedback(reaction.replaced)
        self.intent = undone(reaction, self.intent)
        self._save()
        return reaction.given

    # -- a message

    def _stages(self, adapter: str | None = None) -> Stages:
        """Those of the agent; a turn is kept with the conversation that names it, or not at all."""
        now = self._agent.stages(adapter)

        def keep(request: Request, reply: Reply) -> None:
            self._note(reply)
            self._save(lambda: now.keep(request, reply))

        return replace(now, keep=keep)

    def _understood(self, text: str, now: Stages) -> tuple[Turn, str]:
        catalogue = now.catalogue
        lists = tuple(tuple(i for i in listed if i in catalogue.position) for listed in self.lists)
        state = State(_still_there(self.intent, catalogue), lists, _chosen(self._choices, catalogue))
        return now.reader.turn(valid_unicode(text), state, catalogue)

    def _move_on(self, understood: Turn, reply: Reply, text: str) -> None:
        """The list is there: from now on the message counts."""
        self._step(text, reply, listed=True)
        self.intent, self._choices = understood.intent, ()
        self._note_seen(understood)

    def _note_seen(self, understood: Turn) -> None:
        """What a message says is known already is a reaction; none of whom was forgotten while it was answered."""
        with self._agent.workspace.store.alone():
            for item_id in understood.seen if not self._is_forgotten else ():
                self.feedback(item_id, "seen")

    def _step(self, text: str, reply: Reply, *, listed: bool) -> None:
        self._steps.append(Step(valid_unicode(text), reply.turn_id, listed, self.intent, self._choices))
        self.replies.append(reply)
        self._note(reply)

    def _note(self, reply: Reply) -> None:
        if reply.turn_id not in self._turns:
            self._turns.append(reply.turn_id)

    def _answered(self, understood: Turn, text: str, how: str) -> Reply:
        """The reply to a message that wants no new list."""
        agent = self._agent
        about = self._recommended(understood.refers) if understood.does in ("explain", "show") else ()
        message, asked = "", None
        language = language_of(text, agent.catalogue) or "en"
        if understood.does == "ask":
            asked = answers.question(understood.choices, bool(self.lists), agent.noun, agent.catalogue, language)
        elif understood.does == "talk":
            message = smalltalk.answer(understood.talk or "errand", agent.noun)
        else:
            message = (
                answers.reasons(about, self.replies, agent.catalogue, agent.noun, language)
                if understood.does == "explain"
                else answers.again(about, language)
            )
        intent = understood.intent
        reply = Reply(
            uuid.uuid4().hex, self.user_id, intent, about, message, asked, model=agent.generator.name, understood=how
        )
        request = {"said": valid_unicode(text), "intent": asdict(intent)}
        self._step(text, reply, listed=False)
        self.intent, self._choices = intent, understood.choices
        self._note_seen(understood)
        self._save(lambda: agent.workspace.store.put_turn(reply.turn_id, self.user_id, request, as_kept(reply)))
        return reply

    def _recommended(self, item_ids: Sequence[str]) -> tuple[Recommendation, ...]:
        """These items as they were recommended last, in the order of the ids."""
        latest = {r.item.item_id: r for reply in self.replies for r in reply.recommendations}
        return tuple(latest[i] for i in item_ids if i in latest)

    @property
    def lists(self) -> tuple[tuple[str, ...], ...]:
        """The ids of each list that was shown, the oldest list first."""
        return _lists(self._steps, self.replies)

    @property
    def _is_forgotten(self) -> bool:
        return self._agent.workspace.store.was_forgotten(self.user_id, self._began)

    def _save(self, keep_turn: Callable[[], None] = lambda: None) -> None:
        """Keep how things stand, once something was said, and a turn.

        Nothing where the conversation was deleted, or its person forgotten since it began.
        """
        with self._agent.workspace.store.alone():
            if not self._is_forgotten:
                self._put()
                if not self._is_deleted:
                    keep_turn()

    def _put(self) -> None:
        """Store how things stand; a conversation that was deleted does not come back."""
        if self._is_deleted or not (self._steps or self._is_stored):
            return
        reactions = marks_of(self._reactions)
        state = _State(self.intent, self._choices, tuple(self._steps), tuple(self._turns), reactions)
        row = (self.conversation_id, self.user_id, _STATE.dump_json(state).decode())
        with self._agent.workspace.store.transaction(write=True) as connection:
            self._is_deleted = not kept.put_conversation(connection, *row, is_new=not self._is_stored)
        self._is_stored = True


def _lists(steps: Sequence[Step], replies: Sequence[Reply]) -> tuple[tuple[str, ...], ...]:
    """Of the first replies, one for each step, those that made a list of at least one item."""
    made = (reply for step, reply in zip(steps, replies, strict=False) if step.listed)
    return tuple(tuple(r.item.item_id for r in reply.recommendations) for reply in made if reply.recommendations)


def _chosen(choices: tuple[Choice, ...], catalogue: Catalogue) -> tuple[Choice, ...]:
    """What was asked of last, unless some of it has left the catalogue since."""
    gone = any(isinstance(choice, str) and choice not in catalogue.position for choice in choices)
    return () if gone else choices


def _shown(reply: Reply) -> set[str]:
    return {r.item.item_id for r in reply.recommendations}


def _still_there(intent: Intent, catalogue: Catalogue) -> Intent:
    """The intent without items that have left the catalogue since."""
    likes, dislikes = (tuple(i for i in ids if i in catalogue.position) for ids in (intent.likes, intent.dislikes))
    return replace(intent, likes=likes, dislikes=dislikes)
