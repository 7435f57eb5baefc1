"""The guests by session: several people at one server, each with a page, a history and a conversation of their own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.errors import UnknownPersonError
from ui.desk import Desk
from ui.guest import Guest
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent


class Guests:
    """The guests by session. The one who was quiet longest makes room when there are `most`."""

    def __init__(self, agent: Agent, most: int = 200, desk: Desk | None = None) -> None:
        self._agent = agent
        self._most = most
        self._desk = desk or Desk()
        self._guests: OrderedDict[str, Guest] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._guests)

    def get(self, session: str, words: Words = ENGLISH) -> Guest:
        """The guest of a session, if need be a new one, who is spoken to in these words."""
        with self._lock:
            if session not in self._guests:
                self._guests[session] = Guest(self._agent, self._desk, words=words)
            self._guests.move_to_end(session)
            while len(self._guests) > self._most:
                self._guests.popitem(last=False)[1].leave()
            return self._guests[session]

    def stop(self, session: str) -> None:
        """End the present answer of a session, if there is one."""
        with self._lock:
            guest = self._guests.get(session)
        if guest is not None:
            guest.stop()

    def renew(self, session: str) -> Guest:
        """A new conversation of the same person in a session: what they think of items stays known."""
        return self._replaced(session, keep_person=True)

    def forget(self, session: str) -> Guest:
        """Remove all that is stored of the person of a session, for good, and begin with somebody new."""
        before = self.get(session)
        guest = self._replaced(session, keep_person=False)
        before.settle()
        with suppress(UnknownPersonError):  # of whom nothing was stored yet
            self._agent.forget(before.user_id)
        return guest

    def _replaced(self, session: str, *, keep_person: bool) -> Guest:
        with self._lock:
            before = self._guests.pop(session, None)
            user_id = before.user_id if before is not None and keep_person else None
            words = before.words if before is not None else ENGLISH
            guest = self._guests[session] = Guest(self._agent, self._desk, user_id, words)
        if before is not None:
            before.leave()
        return guest

    def stop_all(self) -> None:
        """End every answer, so that the server can go."""
        with self._lock:
            for guest in self._guests.values():
                guest.leave()
