"""The guests by session: several people at one server, each with a page, a history and conversations of their own."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.errors import UnknownPersonError
from ui.api.keys import Keys
from ui.desk import Desk
from ui.guest import Guest
from ui.past import FRESH
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent
    from ui.api.talks import Talks


class Guests:
    """The guests by session, one for each open page. The page that was quiet longest makes room when there are `most`.

    `person` is who sits at the browser of a page, None where that is not known: then the page is a person of its own.
    Several pages of one person may show the same guest, that is, the same conversation.
    """

    def __init__(
        self,
        agent: Agent,
        most: int = 200,
        desk: Desk | None = None,
        signed_in: bool = False,
        talks: Talks | None = None,
    ) -> None:
        self._agent = agent
        self._talks = talks  # of the service beside the page, which end with whoever is forgotten
        self.signed_in = signed_in  # whether people sign in: a browser alone is nobody then
        self._most = most
        self._desk = desk or Desk()
        self._guests: OrderedDict[str, Guest] = OrderedDict()
        self._people: dict[str, str | None] = {}  # who sat at the browser of each session
        self._closed: set[str] = set()  # sessions whose page was closed; their guest stays, to be gone on with
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._guests)

    def get(self, session: str, person: str | None = None, words: Words = ENGLISH) -> Guest:
        """The guest of a session; where its browser is not that person's (any more), or it is new, one with `words`."""
        with self._lock:
            guest = self._guests.get(session)
            if guest is None or self._people[session] != person:
                guest = Guest(self._agent, self._desk, person, words if guest is None else guest.words)
            return self._seated(session, person, guest)

    def arrive(self, session: str, person: str | None, words: Words = ENGLISH) -> Guest:
        """The guest of a page that was just loaded: goes on where the person was, if that is not long ago."""
        if person is None:
            return self.get(session, None, words)
        with self._lock:
            here = next((one for one in reversed(self._guests.values()) if one.user_id == person), None)
            if here is None:
                recent = [one for one in self._agent.conversations(person)[:1] if one.changed > time.time() - FRESH]
                here = Guest(self._agent, self._desk, person, words, recent[0].conversation_id if recent else None)
            here.words = words
            return self._seated(session, person, here)

    def open(self, session: str, person: str | None, conversation_id: str) -> Guest:
        """Go on with a kept conversation of the person of a session; InputError where they have none such."""
        with self._lock:
            before = self.get(session, person)
            found = [one for one in self._all(before.user_id) if one.conversation_id == conversation_id]
            given = (self._agent, self._desk, before.user_id, before.words, conversation_id)
            return self._seated(session, person, found[0] if found else Guest(*given))

    def renew(self, session: str, person: str | None = None) -> Guest:
        """A new conversation of the same person in a session; the one before is kept."""
        with self._lock:
            before = self.get(session, person)
            return self._seated(session, person, Guest(self._agent, self._desk, before.user_id, before.words))

    def delete(self, session: str, person: str | None, conversation_id: str) -> Guest:
        """Delete a conversation of the person of a session for good, wherever it is open; InputError as in `open`."""
        before = self.get(session, person)
        self._end([one for one in self._all(before.user_id) if one.conversation_id == conversation_id])
        self._agent.workspace.store.delete_entry(before.user_id, f"conversation:{conversation_id}")
        with self._lock:
            guest = self._guests.get(session) or Guest(self._agent, self._desk, before.user_id, before.words)
            return self._seated(session, person, guest)

    def forget(self, session: str, person: str | None = None) -> Guest:
        """Remove all that is stored of the person of a session, for good, with their keys; begin with somebody new."""
        before = self.get(session, person)
        self._end(self._all(before.user_id))
        if self._talks is not None:
            self._talks.forget(before.user_id)
        with suppress(UnknownPersonError):  # of whom nothing was stored yet
            Keys(self._agent.settings.home).forget_after(before.user_id, self._agent.forget)
        return self.get(session, None, before.words)

    def stop(self, session: str) -> None:
        """End the present answer of a session, if there is one."""
        with self._lock:
            guest = self._guests.get(session)
        if guest is not None:
            guest.stop()

    def close(self, session: str) -> None:
        """A page was closed: its answer ends, unless another page shows it too."""
        with self._lock:
            guest = self._guests.get(session)
            if guest is None:
                return
            self._closed.add(session)
            is_seen = any(one is guest for name, one in self._guests.items() if name not in self._closed)
        if not is_seen:
            guest.stop()

    def stop_all(self) -> None:
        """End every answer, so that the server can go."""
        with self._lock:
            for guest in self._guests.values():
                guest.leave()

    def _all(self, user_id: str) -> list[Guest]:
        with self._lock:
            return [one for one in self._guests.values() if one.user_id == user_id]

    def _seated(self, session: str, person: str | None, guest: Guest) -> Guest:
        """The guest, who is at this session from now on; whoever nobody looks at any more leaves."""
        left = [self._guests.pop(session, guest)]
        self._guests[session], self._people[session] = guest, person
        self._closed.discard(session)
        while len(self._guests) > self._most:
            oldest, gone = self._guests.popitem(last=False)
            del self._people[oldest]
            self._closed.discard(oldest)
            left.append(gone)
        for one in left:
            if not any(one is here for here in self._guests.values()):
                one.leave()
        return guest

    def _end(self, guests: list[Guest]) -> None:
        """Show nothing of these any more, wherever they are, and wait until nothing is stored of them any more."""
        with self._lock:
            for session in [name for name, one in self._guests.items() if one in guests]:
                del self._guests[session], self._people[session]
                self._closed.discard(session)
        for guest in guests:
            guest.leave()
        for guest in guests:
            guest.settle()
