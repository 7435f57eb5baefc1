"""People at the browser: a conversation for each open page, what that page shows, and a Stop that reaches the model."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agent.errors import InputError
from agent.schema import Event, Reply
from agent.understanding.intent import describe
from ui.desk import Desk
from ui.terminal import clean

if TYPE_CHECKING:
    from agent import Agent

State = Literal["new", "looking", "writing", "done", "stopped", "failed"]

REACTIONS: Mapping[Event, str] = {"like": "Like", "dislike": "Dislike", "seen": "Seen"}
SORRY = (
    "Sorry, that went wrong on our side. The log of the server says what happened. Try again, or begin a new "
    "conversation."
)
_NOTED: Mapping[Event, str] = {
    "like": "you like {}",
    "dislike": "you do not like {}",
    "seen": "you know {} already",
}
_SHOWN = 300  # characters of a person's message that the page repeats
_log = logging.getLogger("ui.guests")


@dataclass(frozen=True, slots=True)
class View:
    """What the page of one guest shows: what was said as (role, text), and the latest list.

    `turn` counts the messages, `marked` holds the reactions by item id, `note` the latest news in one sentence, and
    `draft` a message that was refused and goes back into the box.
    """

    talk: tuple[tuple[str, str], ...] = ()
    reply: Reply | None = None
    state: State = "new"
    turn: int = 0
    marked: Mapping[str, Event] = field(default_factory=dict)
    note: str = ""
    draft: str = ""

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return self.state in ("looking", "writing")


class Guest:
    """One person's page. One thread at a time may run `answer`; `stop`, `react` and `leave` may come from any other."""

    def __init__(self, agent: Agent, desk: Desk | None = None) -> None:
        self._agent = agent
        self._desk = desk or Desk()
        self._conversation = agent.conversation()
        self._talk: list[tuple[str, str]] = []
        self._reply: Reply | None = None
        self._state: State = "new"
        self._turn = 0
        self._marked: dict[str, Event] = {}
        self._note = ""
        self._stop = threading.Event()  # of the present turn: each turn has its own
        self._gone = False

    def view(self, draft: str = "") -> View:
        """What the page shows now."""
        return View(tuple(self._talk), self._reply, self._state, self._turn, dict(self._marked), self._note, draft)

    def answer(self, text: str) -> Generator[View]:
        """Answer one message: a view at once, one with the list, one for each reason, and the last when all is over.

        Never raises for a message that cannot be answered: the talk says why. Closing the generator stops the model;
        so does `stop`, within one step of its writing.
        """
        stop = self._stop = threading.Event()
        before, draft = (list(self._talk), self._reply, self._state), ""
        self._begin(text)
        try:
            yield self.view()
            say = self._conversation.stream
            with closing(self._desk.turn(lambda stops: say(text, stop=stops), stop.is_set)) as replies:
                for reply in replies:
                    self._take(reply)
                    if stop.is_set():
                        break
                    if not reply.complete:
                        yield self.view()
        except InputError as error:
            self._talk, self._reply, self._state = before
            self._talk.append(("assistant", _line(str(error))))
            self._state, draft = "done" if self._state == "new" else self._state, text
        except Exception:  # whatever it is, the person gets a sentence and the server goes on
            _log.exception("a message could not be answered")
            self._talk.append(("assistant", SORRY))
            self._state = "failed"
        finally:
            if self._state in ("looking", "writing"):
                self._state = "stopped"
        if not self._gone:
            yield self.view(draft)

    def stop(self) -> None:
        """End the present answer; nothing happens where there is none."""
        self._stop.set()

    def leave(self) -> None:
        """End the present answer and show nothing of it any more."""
        self._gone = True
        self._stop.set()

    def react(self, item_id: str, event: str) -> View:
        """Keep what the person said of an item of the list that is shown; anything else is ignored."""
        shown = {r.item.item_id: r.item for r in self._reply.recommendations} if self._reply is not None else {}
        known = next((one for one in REACTIONS if one == event), None)
        if item_id not in shown or known is None or self._marked.get(item_id) == known:
            return self.view()
        try:
            self._conversation.feedback(item_id, known)
        except Exception:
            _log.exception("a reaction could not be kept")
            self._note = "That could not be noted; the log of the server says why."
            return self.view()
        self._marked[item_id] = known
        self._note = f"Noted: {_NOTED[known].format(_line(shown[item_id].title))}. The next list takes it into account."
        return self.view()

    def _begin(self, text: str) -> None:
        """The last list moves up into the talk as a few lines, and the message follows it."""
        if self._reply is not None and self._reply.recommendations:
            titles = [f"{r.rank}. {_line(r.item.title)}" for r in self._reply.recommendations]
            self._talk.append(("assistant", "\n".join(titles)))
        said = _line(text) or ("More, please." if self._reply is not None else "…")
        self._talk.append(("user", said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"))
        self._reply, self._note, self._state = None, "", "looking"
        self._turn += 1

    def _take(self, reply: Reply) -> None:
        told = describe(reply.intent, self._agent.catalogue)
        parts = (reply.message, f"Understood: {told}." if told else "", reply.question or "")
        if self._state == "looking":
            self._talk.append(("assistant", ""))
        self._talk[-1] = ("assistant", "\n".join(_line(part) for part in parts if part) or "Here is what fits.")
        self._reply, self._state = reply, "done" if reply.complete else "writing"


class Guests:
    """The guests by session. The one who was quiet longest makes room when there are `most`."""

    def __init__(self, agent: Agent, most: int = 200, desk: Desk | None = None) -> None:
        self._agent = agent
        self._desk = desk or Desk()
        self._most = most
        self._guests: OrderedDict[str, Guest] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._guests)

    def get(self, session: str) -> Guest:
        """The guest of a session, a new one if need be."""
        with self._lock:
            if session not in self._guests:
                self._guests[session] = Guest(self._agent, self._desk)
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
        """A new conversation in a session; what was said before is forgotten."""
        with self._lock:
            before = self._guests.pop(session, None)
        if before is not None:
            before.leave()
        return self.get(session)

    def stop_all(self) -> None:
        """End every answer, so that the server can go."""
        with self._lock:
            for guest in self._guests.values():
                guest.leave()


def _line(text: str) -> str:
    """Text without line breaks, control characters and turns of the writing direction."""
    return " ".join(clean(text).split())
