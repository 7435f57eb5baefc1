"""One person at the browser: their conversation, what their page shows, and a Stop that reaches the model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.conversation import Standing
from agent.errors import InputError
from agent.explaining.explanation import Explanation
from agent.schema import Feedback, Intent, Reply
from ui.desk import Desk, Start
from ui.facts import facts_said
from ui.suggestions import suggestions
from ui.terminal import clean
from ui.understood import corrected, told
from ui.view import COUNTS, REACTIONS, State, View
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent

WAITING = 24  # answers that may be asked for at a time, all people together
_SHOWN = 300  # characters of a person's message that the page repeats
_STEP = 0.05  # seconds between two looks at an answer that was told to end
_log = logging.getLogger("ui.guests")


@dataclass(frozen=True, slots=True)
class _Before:
    """How things stood before a message, and the message."""

    text: str
    talk: tuple[tuple[str, str], ...]
    reply: Reply | None
    intent: Intent | None
    state: State
    said: Standing


class Guest:
    """One person's page, in the language of `words`, which may change at any time.

    `answer`, `adjust` and `retry` take turns; everything else may come from any other thread.
    """

    def __init__(
        self,
        agent: Agent,
        desk: Desk | None = None,
        user_id: str | None = None,
        words: Words = ENGLISH,
        conversation_id: str | None = None,
    ) -> None:
        """With the id of a conversation, that one is gone on with; InputError where the person has none such."""
        self.words = words
        self._agent = agent
        self._desk = desk or Desk()
        self._conversation = agent.conversation(user_id, conversation_id)
        self._talk: list[tuple[str, str]] = []
        self._reply: Reply | None = None
        self._intent: Intent | None = None  # what is understood of the answer that is shown or being made
        self._state: State = "new"
        self._turn = 0
        self._marked: dict[str, Feedback] = {}
        self._note = ""
        self._ahead = 0
        self._before: list[_Before] = []
        self._swayed: dict[tuple[str, str], Explanation] = {}  # by the turn and item that were asked about
        self._stop = threading.Event()  # of the present turn: each turn has its own
        self._answering = threading.Lock()
        self._gone = False
        self._replay()

    @property
    def user_id(self) -> str:
        """Under which name the store knows this person."""
        return self._conversation.user_id

    @property
    def conversation_id(self) -> str:
        """Under which id the conversation is kept, once something was said."""
        return self._conversation.conversation_id

    @property
    def said(self) -> Intent:
        """What is understood of all that was said, without what was taken back."""
        return self._conversation.intent

    @property
    def shown(self) -> Reply | None:
        """The list on the page, once its answer is over; None where there is none."""
        is_over = self._state not in ("looking", "writing")
        return self._reply if is_over and self._reply is not None and self._reply.recommendations else None

    def view(self, draft: str = "") -> View:
        """What the page shows now."""
        reply, marked = self._reply, {item_id: given.event for item_id, given in self._marked.items()}
        return View(
            tuple(self._talk), reply, self._state, self._turn, marked, self._note, draft,
            intent=self._intent,
            parts=told(self._intent, self._agent.catalogue, self.words) if self._intent is not None else (),
            next=suggestions(self._agent, reply, marked, self.words) if reply is not None else (),
            ahead=self._ahead,
            can_undo=bool(self._before),
            facts=facts_said(self._agent, reply, self.words) if reply is not None else {},
            words=self.words,
            swayed={item: found for (turn, item), found in self._swayed.items() if turn == _turn_of(reply)},
        )  # fmt: skip

    # -- answers

    def answer(self, text: str) -> Generator[View]:
        """Answer one message: a view at once, one with the list, one for each reason, and the last when all is over.

        Never raises for a message that cannot be answered: the talk says why. Closing the generator stops the model;
        so does `stop`, within one step of its writing. A message while another is answered goes back into the box, but
        for the very one that is: that was a double click.
        """
        if not self._answering.acquire(blocking=False):
            yield self.view("" if self._before and self._before[-1].text == text else text)
            return
        try:
            if self._gone:
                return
            before = self._standing(text)
            self._before.append(before)
            self._say(text)
            self._intent = None
            stop = self._begin()
            sent = text if text.strip() or not self._conversation.replies else self.words("say.more")
            yield from self._followed(before, stop, lambda stops: self._conversation.stream(sent, stop=stops))
        finally:
            self._answering.release()

    def adjust(self, change: str, value: str) -> Generator[View]:
        """The last answer once more, with what was understood corrected; an answer under way makes room for it.

        `change` is "drop" (the value is the key of a part), "habit" (in percent) or "n" (one of COUNTS); anything else,
        or a value that does not fit, changes nothing.
        """
        intent = self._adjusted(change, value)
        if intent is None:
            yield self.view()
            return
        self._intent = intent
        self._stop.set()
        while not self._answering.acquire(timeout=_STEP):
            yield self.view()
        try:
            if self._gone:  # while it waited: who was forgotten must not be kept anew
                return
            before = self._standing("")
            while self._talk and self._talk[-1][0] == "assistant":  # what was said with the answer that is made again
                self._talk.pop()
            self._intent = intent
            stop = self._begin()
            yield from self._followed(before, stop, lambda stops: self._conversation.again(intent, stop=stops))
        finally:
            self._answering.release()

    def retry(self) -> Generator[View]:
        """Take the last message back and say it again."""
        text = self._before[-1].text if self._before and not self._answering.locked() else None
        if text is None:
            yield self.view()
            return
        self.undo()
        yield from self.answer(text)

    def undo(self) -> View:
        """Take the last message back, with its answer; the view's draft is that message."""
        if not self._before or not self._answering.acquire(blocking=False):
            return self.view()
        try:
            if self._gone:
                return self.view()
            before = self._before.pop()
            self._restore(before)
            return self.view(before.text)
        finally:
            self._answering.release()

    def follow(self) -> Generator[View]:
        """The view now and, while an answer is under way that another page asked for, each that follows."""
        shown = None
        while True:
            is_over, view = not self._answering.locked(), self.view()
            if view != shown:
                yield view
            if is_over or self._gone:
                return
            shown = view
            time.sleep(_STEP)

    def stop(self) -> None:
        """End the present answer; nothing happens where there is none."""
        self._stop.set()

    def leave(self) -> None:
        """End the present answer and show nothing of it any more."""
        self._gone = True
        self._stop.set()

    def settle(self) -> None:
        """Wait until the present answer has ended and is stored, so that nothing is stored of it later."""
        with self._answering:
            pass

    # -- reactions

    def react(self, item_id: str, event: str) -> View:
        """Keep what the person said of an item of the list, or take it back if it is said again; ignore the rest."""
        shown = {r.item.item_id: r.item for r in self._reply.recommendations} if self._reply is not None else {}
        known = next((one for one in REACTIONS if one == event), None)
        if item_id not in shown or known is None:
            return self.view()
        title = _line(shown[item_id].title)
        try:
            before = self._marked.get(item_id)
            if before is not None:
                self._agent.undo_feedback(before)
                del self._marked[item_id]
            if before is not None and before.event == known:
                self._note = self.words("noted.back", title=title)
                return self.view()
            self._marked[item_id] = self._conversation.feedback(item_id, known)
        except Exception:
            _log.exception("a reaction could not be kept")
            self._note = self.words("noted.failed")
            return self.view()
        self._note = self.words(f"noted.{known}", title=title)
        return self.view()

    def unmark(self, item_id: str) -> None:
        """What was said of an item was removed elsewhere."""
        self._marked.pop(item_id, None)

    def take_back(self, key: str) -> bool:
        """Take one part out of what was said, for the next list; False while an answer is made, or without the part."""
        if not self._answering.acquire(blocking=False):
            return False
        try:
            if self._gone:
                return False
            self._conversation.drop(key)
            self._intent = self._intent and self._without(self._intent, key)
        except InputError:
            return False
        finally:
            self._answering.release()
        return True

    def sway(self, item_id: str) -> View:
        """Find out what moved an item of the list; what cannot be found out is told by the view's note."""
        shown = self.shown
        if shown is None or item_id not in {r.item.item_id for r in shown.recommendations}:
            return self.view()
        try:
            found = self._agent.explain(self._listed_in(item_id) or shown.turn_id, item_id, self.user_id)
            self._swayed[(shown.turn_id, item_id)] = found
            self._note = self.words("sway.where", title=_line(found.item.title), place=found.place)
        except InputError:  # the turn was deleted, or the item has left the catalogue
            self._note = self.words("sway.failed")
        return self.view()

    def _listed_in(self, item_id: str) -> str | None:
        """The turn that made the latest list with an item: a reply that only speaks of it went by nothing."""
        lists = [reply for _, step, reply in self._conversation.history() if step.listed]
        return next(
            (r.turn_id for r in reversed(lists) if item_id in {o.item.item_id for o in r.recommendations}), None
        )

    # -- steps of an answer

    def _replay(self) -> None:
        """Bring the page to where a conversation that is gone on with stands."""
        for standing, step, reply in self._conversation.history():
            now = (tuple(self._talk), self._reply, self._intent, self._state)
            self._before.append(_Before(step.said, *now, standing))
            self._say(step.said)
            self._begin()
            self._take(reply)
            self._state = "done" if reply.complete else "stopped"
        self._intent = self._intent and self._conversation.intent  # some of it may be taken back since the last answer
        self._marked = {one.item_id: one for one in self._conversation.reactions if one.event in REACTIONS}

    def _followed(self, before: _Before, stop: threading.Event, start: Start) -> Generator[View]:
        """The views of an answer: one at once, then those of each reply; however it ends, the last one tells."""
        draft = ""
        try:
            self._ahead = self._desk.open_turns
            if self._ahead >= WAITING:
                raise InputError(self.words("error.busy", n=self._ahead))
            self._check(before.text)
            yield self.view()
            yield from self._replies(stop, start)
        except InputError as error:
            draft = before.text
            self._restore(before)
            if self._before and self._before[-1] is before:
                self._before.pop()
            self._talk.append(("assistant", _line(str(error))))
            self._state = "done" if self._state == "new" else self._state
        except Exception:  # whatever it is, the person gets a sentence and the server goes on
            _log.exception("a message could not be answered")
            self._talk.append(("assistant", self.words("error.sorry")))
            self._state = "failed"
        finally:
            if self._state in ("looking", "writing"):
                self._state = "stopped"
        if not self._gone:
            yield self.view(draft)

    def _check(self, text: str) -> None:
        """InputError, in the words of the page, for a message that the agent would refuse."""
        most = self._agent.settings.max_message_chars
        if len(text) > most:
            raise InputError(self.words("error.long", n=len(text), most=most))
        if not text.strip() and not self._conversation.replies:
            raise InputError(self.words("error.empty"))

    def _replies(self, stop: threading.Event, start: Start) -> Generator[View]:
        with closing(self._desk.turn(start, stop.is_set)) as replies:
            for reply in replies:
                self._take(reply)
                if stop.is_set():
                    return
                if not reply.complete:
                    yield self.view()

    def _adjusted(self, change: str, value: str) -> Intent | None:
        """The present intent with one change, or None where it changes nothing."""
        intent = self._intent
        if intent is None or not self._conversation.replies:
            return None
        if change == "drop":
            changed = self._without(intent, value)
        elif change == "n":
            changed = replace(intent, n=next((n for n in COUNTS if str(n) == value), intent.n))
        elif change == "habit":
            steps = {str(percent): percent / 100 for percent in range(0, 101, 5)}
            changed = replace(intent, habit=steps.get(value, intent.habit))
        else:
            changed = intent
        return None if changed == intent else changed

    def _without(self, intent: Intent, key: str) -> Intent:
        try:
            return corrected(intent, key, self._agent.catalogue, self.words)
        except InputError:  # it was taken out already
            return intent

    def _standing(self, text: str) -> _Before:
        now = (tuple(self._talk), self._reply, self._intent, self._state)
        return _Before(text, *now, self._conversation.standing())

    def _restore(self, before: _Before) -> None:
        self._talk, self._reply = list(before.talk), before.reply
        self._intent, self._state = before.intent, before.state
        self._conversation.back_to(before.said)
        self._note = ""

    def _say(self, text: str) -> None:
        """The last list moves up into the talk as a few lines, and the message follows it."""
        if self._reply is not None and self._reply.recommendations:
            titles = [f"{r.rank}. {_line(r.item.title)}" for r in self._reply.recommendations]
            self._talk.append(("assistant", "\n".join(titles)))
        said = _line(text) or (self.words("say.more") if self._reply is not None else "…")
        self._talk.append(("user", said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"))

    def _begin(self) -> threading.Event:
        self._reply, self._note, self._state = None, "", "looking"
        self._turn += 1
        self._stop = threading.Event()
        return self._stop

    def _take(self, reply: Reply) -> None:
        words = "\n".join(_line(part) for part in (reply.message, reply.question or "") if part)
        if self._state == "looking" and words:
            self._talk.append(("assistant", words))
        self._reply, self._intent = reply, reply.intent
        self._state = "done" if reply.complete else "writing"


def _turn_of(reply: Reply | None) -> str:
    return "" if reply is None else reply.turn_id


def _line(text: str) -> str:
    """Text without line breaks, control characters and turns of the writing direction."""
    return " ".join(clean(text).split())
