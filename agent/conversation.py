"""A conversation: an intent that grows with each message, and lists that do not repeat what was shown."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from collections.abc import Generator as PyGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.errors import InputError
from agent.request import check_message, valid_unicode
from agent.schema import EVENTS, Event, Feedback, Intent, Reply
from agent.understanding.intent import follow_up, parse_intent

if TYPE_CHECKING:
    from agent.agent import Agent


class Conversation:
    """One person's conversation with an agent. Not for two threads at once.

    `intent` is what is understood so far and may be replaced; `replies` holds the answers, oldest first.
    """

    def __init__(self, agent: Agent, user_id: str | None = None) -> None:
        self._agent = agent
        self.user_id = user_id or f"guest-{uuid.uuid4().hex[:12]}"
        self.intent = Intent()
        self.replies: list[Reply] = []

    def say(self, text: str, n: int = 5) -> Reply:
        """Answer one message: it adds to what was said before, and corrects it where the two differ."""
        return list(self.stream(text, n))[-1]

    def stream(self, text: str, n: int = 5, *, stop: Callable[[], bool] = lambda: False) -> PyGenerator[Reply]:
        """The answer as it grows, see `Agent.stream`. The conversation moves on with the list, not with the reasons."""
        if not text.strip() and not self.replies:
            raise InputError("Say what you are in the mood for, such as 'something tense but funny, from the 90s'.")
        check_message(text, self._agent.settings)
        intent = follow_up(self.intent, parse_intent(valid_unicode(text), self._agent.catalogue))
        shown = frozenset(r.item.item_id for reply in self.replies for r in reply.recommendations)
        turn = self._agent.stream(self.user_id, None, intent, n, excluded=shown, stop=stop)
        first = True
        try:
            for reply in turn:
                if first:
                    self.intent = intent
                    self.replies.append(reply)
                    first = False
                self.replies[-1] = reply
                yield reply
        finally:
            turn.close()

    def feedback(self, item_id: str, event: Event, value: float | None = None) -> None:
        """Keep a reaction to an item; durable when this returns, and effective on the next list."""
        if event not in EVENTS:
            raise InputError(f"There is no reaction {event!r}; there are: {', '.join(EVENTS)}.")
        turn_id = next((r.turn_id for r in reversed(self.replies) if item_id in _shown(r)), None)
        self._agent.feedback(Feedback(self.user_id, item_id, event, turn_id, value, time.time()))
        against = event == "dislike"
        likes = tuple(i for i in self.intent.likes if not (against and i == item_id))
        self.intent = replace(self.intent, likes=likes)


def _shown(reply: Reply) -> set[str]:
    return {r.item.item_id for r in reply.recommendations}
