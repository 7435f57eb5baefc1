"""Conversations over HTTP, kept in memory: each belongs to the caller who began it."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

from agent.schema import Reply
from ui.api.guard import Caller
from ui.api.problems import Problem
from ui.desk import Start, Stop

if TYPE_CHECKING:
    from agent import Agent
    from agent.conversation import Conversation

MOST = 500  # conversations; the one that was quiet longest makes room


class Talk:
    """A conversation as one caller opened it; one message at a time, also where it is open `beside` this."""

    def __init__(self, caller: Caller, conversation: Conversation, beside: Talk | None = None) -> None:
        self.conversation = beside.conversation if beside else conversation
        self.owner = caller.name
        self.talk_id = secrets.token_urlsafe(16)
        self._busy = beside._busy if beside else threading.Lock()
        self._dropped = threading.Event()

    @property
    def name(self) -> tuple[str, str]:
        """The person and the id under which the conversation is kept."""
        return self.conversation.user_id, self.conversation.conversation_id

    def answer(self, text: str, n: int, adapter: str | None = None) -> Start:
        """The turn that answers one message.

        Raises:
            Problem: "conflict" while another message is being answered, now or when the turn begins.
        """
        if self._busy.locked():
            raise _conflict()
        return lambda stop: self._stream(text, n, adapter, stop)

    def _stream(self, text: str, n: int, adapter: str | None, stop: Stop) -> Generator[Reply]:
        if not self._busy.acquire(blocking=False):
            raise _conflict()
        try:
            stops = lambda: stop() or self._dropped.is_set()  # noqa: E731
            with closing(self.conversation.stream(text, n, stop=stops, adapter=adapter)) as replies:
                yield from replies
        finally:
            self._busy.release()

    def drop(self) -> None:
        """End what is being answered."""
        self._dropped.set()


class Talks:
    """The conversations by id. For the server's loop and its threads."""

    def __init__(self, agent: Agent, most: int = MOST) -> None:
        self._agent = agent
        self._most = most
        self._talks: OrderedDict[str, Talk] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._talks)

    def begin(self, caller: Caller, user_id: str | None, kept: str | None = None) -> Talk:
        """A new conversation, or one that is kept; InputError where the person has none such."""
        found = self._agent.conversation(user_id, kept)
        name = found.user_id, found.conversation_id
        with self._lock:
            opened = (talk for talk in self._talks.values() if talk.name == name)
            talk = Talk(caller, found, next(opened, None))
            self._talks[talk.talk_id] = talk
            while len(self._talks) > self._most:
                self._talks.popitem(last=False)[1].drop()
        return talk

    def get(self, caller: Caller, talk_id: str) -> Talk:
        """A conversation of this caller; Problem "not-found" where there is none, or it is another's."""
        with self._lock:
            talk = self._talks.get(talk_id)
            if talk is None or talk.owner != caller.name:
                raise Problem(
                    "not-found",
                    "There is no such conversation: it never was, was deleted, or made room for others. Begin one with "
                    "POST /v1/conversations.",
                )
            self._talks.move_to_end(talk_id)
            return talk

    def drop(self, caller: Caller, talk_id: str) -> None:
        """End a conversation of this caller."""
        self.get(caller, talk_id).drop()
        with self._lock:
            self._talks.pop(talk_id, None)

    def forget(self, user_id: str) -> None:
        """End every conversation with a person."""
        with self._lock:
            for talk in [talk for talk in self._talks.values() if talk.conversation.user_id == user_id]:
                talk.drop()
                del self._talks[talk.talk_id]

    def drop_all(self) -> None:
        """End every conversation."""
        with self._lock:
            for talk in self._talks.values():
                talk.drop()
            self._talks.clear()


def _conflict() -> Problem:
    return Problem("conflict", "The message before is still being answered. Wait for it, or close its connection.")
