"""A conversation: an intent that grows with each message, and lists that do not repeat what was shown."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from collections.abc import Generator as PyGenerator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent import answers
from agent.errors import InputError
from agent.request import check_message, valid_unicode
from agent.schema import Event, Feedback, Intent, Recommendation, Reply
from agent.understanding.dialogue import State, Turn
from agent.understanding.intent import describe
from agent.understanding.parts import Part, parts, without
from agent.understanding.smalltalk import answer
from agent.understanding.unclear import Choice
from agent.workspace.catalogue import Catalogue

if TYPE_CHECKING:
    from agent.agent import Agent


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation stands between two messages."""

    intent: Intent
    replies: tuple[Reply, ...]
    lists: tuple[tuple[str, ...], ...]
    choices: tuple[Choice, ...]


class Conversation:
    """One person's conversation with an agent. Not for two threads at once.

    `intent` is what is understood so far and may be replaced; `replies` holds the answers, oldest first.
    """

    def __init__(self, agent: Agent, user_id: str | None = None) -> None:
        self._agent = agent
        self.user_id = user_id or f"guest-{uuid.uuid4().hex[:12]}"
        self.intent = Intent()
        self.replies: list[Reply] = []
        self._reactions: list[tuple[Feedback, Intent]] = []  # each with the intent before it
        self._lists: tuple[tuple[str, ...], ...] = ()
        self._choices: tuple[Choice, ...] = ()

    def __str__(self) -> str:
        """What is understood so far, in plain words: "year 1990 to 1999; genres Comedy; wishes: tense"."""
        return describe(self.intent, self._agent.catalogue)

    def parts(self) -> tuple[Part, ...]:
        """The intent in parts, each in plain words and with a key for `drop`."""
        return parts(self.intent, self._agent.catalogue)

    def drop(self, key: str) -> None:
        """Take one part out of the intent; InputError if it has no such part."""
        self.intent = without(self.intent, key)

    def add(self, text: str) -> None:
        """Let the intent grow by a few words as if they were said; no list is made."""
        check_message(text, self._agent.settings)
        self.intent = self._understood(text)[0].intent

    def say(self, text: str, n: int = 5) -> Reply:
        """Answer one message: it adds to what was said before, and corrects it where the two differ.

        Most messages bring a new list. One that asks about an item of the list brings that item with its reasons, one
        that can mean several things a question, and one that asks for nothing a polite sentence.
        """
        return list(self.stream(text, n))[-1]

    def stream(self, text: str, n: int = 5, *, stop: Callable[[], bool] = lambda: False) -> PyGenerator[Reply]:
        """The answer as it grows, see `Agent.stream`. The conversation moves on with the list, not with the reasons."""
        if not text.strip() and not self.replies:
            raise InputError("Say what you are in the mood for, such as 'something tense but funny, from the 90s'.")
        check_message(text, self._agent.settings)
        understood, how = self._understood(text)
        if understood.does != "list":
            yield self._answered(understood, text, how)
            return
        shown = frozenset((*(i for listed in self._lists for i in listed), *understood.seen))
        turn = self._agent.stream(self.user_id, None, understood.intent, n, excluded=shown, stop=stop, understood=how)
        first = True
        try:
            for reply in turn:
                if first:
                    self._move_on(understood, reply)
                    first = False
                self.replies[-1] = reply
                yield reply
        finally:
            turn.close()

    def again(self, intent: Intent, n: int = 5, *, stop: Callable[[], bool] = lambda: False) -> PyGenerator[Reply]:
        """The last answer once more, as it grows, for an intent that was corrected; its items may come again.

        Raises:
            InputError: there is no answer yet.
        """
        if not self.replies:
            raise InputError("There is no answer yet to make again. Say what you are in the mood for.")
        *earlier, last = self.replies
        listed = tuple(r.item.item_id for r in last.recommendations)
        lists = self._lists[:-1] if self._lists and self._lists[-1] == listed else self._lists
        turn = self._agent.stream(
            self.user_id, None, intent, n, excluded=frozenset(i for ids in lists for i in ids), stop=stop
        )
        with closing(turn) as replies:
            for reply in replies:
                listed = tuple(r.item.item_id for r in reply.recommendations)
                self.intent, self.replies, self._choices = intent, [*earlier, reply], ()
                self._lists = (*lists, listed) if listed else lists
                yield reply

    def standing(self) -> Standing:
        """How the conversation stands now, for `back_to`."""
        return Standing(self.intent, tuple(self.replies), self._lists, self._choices)

    def back_to(self, standing: Standing) -> None:
        """As if nothing had been said since; reactions to items stay, see `undo`."""
        self.intent, self.replies = standing.intent, list(standing.replies)
        self._lists, self._choices = standing.lists, standing.choices

    def feedback(self, item_id: str, event: Event, value: float | None = None, words: str = "") -> Feedback:
        """Keep a reaction to an item; durable when this returns, and effective on the next list: `Agent.feedback`."""
        turn_id = next((r.turn_id for r in reversed(self.replies) if item_id in _shown(r)), None)
        given = Feedback(self.user_id, item_id, event, turn_id, value, time.time(), words)
        kept = self._agent.feedback(given)
        self._reactions.append((kept, self.intent))
        if event == "dislike":
            self.intent = replace(self.intent, likes=tuple(i for i in self.intent.likes if i != item_id))
        return kept

    def undo(self) -> Feedback | None:
        """Take back the latest reaction of this conversation, and return it; None where there is none left."""
        if not self._reactions:
            return None
        feedback, intent = self._reactions.pop()
        self._agent.undo_feedback(feedback)
        if feedback.item_id in intent.likes and feedback.item_id not in self.intent.likes:
            self.intent = replace(self.intent, likes=(*self.intent.likes, feedback.item_id))
        return feedback

    # -- a message

    def _understood(self, text: str) -> tuple[Turn, str]:
        state = State(_still_there(self.intent, self._agent.catalogue), self._lists, self._choices)
        return self._agent.reader.turn(valid_unicode(text), state, self._agent.catalogue)

    def _move_on(self, understood: Turn, reply: Reply) -> None:
        """The list is there: from now on the message counts."""
        for item_id in understood.seen:
            self.feedback(item_id, "seen")
        self.intent, self._choices = understood.intent, ()
        self.replies.append(reply)
        listed = tuple(r.item.item_id for r in reply.recommendations)
        self._lists = (*self._lists, listed) if listed else self._lists

    def _answered(self, understood: Turn, text: str, how: str) -> Reply:
        """The reply to a message that wants no new list."""
        agent = self._agent
        self.intent, self._choices = understood.intent, understood.choices
        about = self._recommended(understood.refers) if understood.does in ("explain", "show") else ()
        message, asked = "", None
        if understood.does == "ask":
            asked = answers.question(understood.choices, bool(self._lists), agent.noun, agent.catalogue)
        elif understood.does == "talk":
            message = answer(understood.talk or "errand", agent.noun)
        else:
            message = answers.reasons(about) if understood.does == "explain" else answers.again(about)
        reply = Reply(
            uuid.uuid4().hex,
            self.user_id,
            self.intent,
            about,
            message,
            asked,
            model=agent.generator.name,
            understood=how,
        )
        agent.workspace.store.put_turn(reply.turn_id, self.user_id, {"said": text}, reply.as_dict())
        self.replies.append(reply)
        return reply

    def _recommended(self, item_ids: Sequence[str]) -> tuple[Recommendation, ...]:
        """These items as they were recommended last, in the order of the ids."""
        latest = {r.item.item_id: r for reply in self.replies for r in reply.recommendations}
        return tuple(latest[i] for i in item_ids if i in latest)


def _shown(reply: Reply) -> set[str]:
    return {r.item.item_id for r in reply.recommendations}


def _still_there(intent: Intent, catalogue: Catalogue) -> Intent:
    """The intent without items that have left the catalogue since."""
    likes, dislikes = (tuple(i for i in ids if i in catalogue.position) for ids in (intent.likes, intent.dislikes))
    return replace(intent, likes=likes, dislikes=dislikes)
