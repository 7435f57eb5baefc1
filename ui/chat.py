"""A conversation in the terminal: the list at once, its reasons as they come, and a few commands about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from agent.errors import InputError
from agent.schema import Event, Recommendation, Reply
from ui.listing import listing, understood, why
from ui.screen import follow, marks_of
from ui.terminal import Terminal

if TYPE_CHECKING:
    from agent import Agent

EVENTS: dict[str, Event] = {"/like": "like", "/dislike": "dislike", "/seen": "seen", "/later": "not_now"}
_NOTED: dict[Event, str] = {
    "like": "you like {}",
    "dislike": "{} is not for you",
    "seen": "you know {}; it will not be listed again",
    "not_now": "not {} now",
}
HELP = """\
Say what you feel like: "something like Alien but funny, from the 90s".
Then go on from there: "newer ones", "more like the second", "why the third?".
  /like 2  /dislike 3  /seen 1  /later 4   what you think of a place in the list
  /rate 2 4.5   a rating;   /note 3 too slow   a few words on it;   /undo   the last of these taken back
  /state    what is understood so far
  /why 2    all that speaks for it
  /trace    scores, models and times under each list; once more, and they are gone
  /new      begin a new conversation
  /quit     leave, as Ctrl-D does; Ctrl-C only stops the writing"""


class Chat:
    """One person, one terminal. `run` reads until the input ends."""

    def __init__(
        self,
        terminal: Terminal,
        agent: Agent,
        user_id: str | None = None,
        n: int = 5,
        resume: bool = False,
        *,
        trace: bool = False,
    ) -> None:
        """With `resume`, the latest conversation of the person is gone on with; InputError where they have none."""
        self._terminal = terminal
        self._agent = agent
        self._user_id = user_id
        self._n = n
        self._trace = trace
        self._last: Reply | None = None
        self._conversation = agent.conversation(user_id, self._latest() if resume else None)
        if resume:
            self._last = next((reply for reply in reversed(self._conversation.replies) if reply.candidates), None)

    def run(self) -> None:
        """Read lines and answer them until the input ends or the person leaves."""
        self._terminal.note(f"Vouchrec, with {len(self._agent.catalogue):,} items. /help tells what you can do.")
        if self._last is not None:
            self._terminal.note(f"Going on with: {self._conversation}", style="dim")
            self._terminal.say(listing(self._terminal.out, self._last, marks_of(self._terminal), scores=self._trace))
        while (line := self._read()) is not None:
            if line in ("/quit", "/exit"):
                return
            if line.startswith("/"):
                self._command(line)
            elif line:
                self._turn(line)

    def _latest(self) -> str:
        """The id of the person's latest conversation."""
        if self._user_id is None:
            raise InputError("Whose conversation? Say who you are: vouchrec chat --user ID --resume")
        saved = self._agent.conversations(self._user_id)
        if not saved:
            raise InputError(f"There is no conversation of {self._user_id!r} yet. Leave --resume out to begin one.")
        return saved[0].conversation_id

    def _read(self) -> str | None:
        """The next line, or None where the input ends. Ctrl-C empties the line that is being typed."""
        at_keyboard = sys.stdin.isatty()
        if at_keyboard:
            with suppress(ImportError):  # line editing; Windows has its own
                import readline  # noqa: F401
        while True:
            try:
                if not at_keyboard:
                    line = sys.stdin.readline()
                    return line.strip() if line else None
                return input("\n› " if self._terminal.has_unicode else "\n> ").strip()
            except EOFError:
                self._terminal.say()
                return None
            except KeyboardInterrupt:
                if not at_keyboard:
                    raise
                self._terminal.note("\nCtrl-D leaves.", style="dim")

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """A request that cannot be answered is explained, and the conversation goes on."""
        try:
            yield
        except InputError as error:
            self._terminal.note(str(error), style="yellow")

    def _turn(self, text: str) -> None:
        if not sys.stdin.isatty():
            self._terminal.say(f"> {text}", style="bold")
        with self._explaining():
            snapshots = self._conversation.stream(text, self._n)
            first = self._last is None  # what the marks mean is said once
            reply = follow(self._terminal, self._agent, snapshots, stoppable=True, trace=self._trace, signs=first)
            if reply is not None and reply.candidates:  # else no new list: a question, a reason, a word of thanks
                self._last = reply
        if not sys.stdin.isatty():
            self._terminal.say()

    def _command(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name == "/help":
            self._terminal.note(HELP)
        elif name == "/new":
            self._conversation = self._agent.conversation(self._user_id)
            self._last = None
            self._terminal.note("A new conversation. What do you feel like?")
        elif name in (simple := {"/state": self._state, "/trace": self._toggle, "/undo": self._undo}):
            simple[name]()
        elif name in ("/rate", "/note"):
            place, _, said = rest.strip().partition(" ")
            one = self._entry(place, name)
            if one is not None:
                self._tell(name, one, said.strip())
        elif name == "/why" or name in EVENTS:
            one = self._entry(rest, name)
            if one is not None and name == "/why" and self._last is not None:
                self._terminal.say(why(self._terminal.out, self._last, one, marks_of(self._terminal)))
            elif one is not None:
                self._feedback(one, EVENTS[name])
        else:
            self._terminal.note(f"There is no command {name[:40]}; /help lists them.", style="yellow")

    def _feedback(self, one: Recommendation, event: Event) -> None:
        with self._explaining():
            self._conversation.feedback(one.item.item_id, event)
            self._terminal.note(f"Noted: {_NOTED[event].format(one.item.title)}. The next list takes it into account.")

    def _tell(self, name: str, one: Recommendation, said: str) -> None:
        """Keep a rating, or words, on an entry of the list."""
        try:
            value = float(said) if name == "/rate" else None
        except ValueError:
            self._terminal.note("Give a place and a rating: /rate 2 4.5", style="yellow")
            return
        with self._explaining():
            event: Event = "remark" if value is None else "rating"
            self._conversation.feedback(one.item.item_id, event, value, "" if event == "rating" else said)
            self._terminal.note(f"Noted of {one.item.title}: {said}. The next list takes it into account.")

    def _state(self) -> None:
        said = understood(self._conversation.intent, self._agent.catalogue, marks_of(self._terminal))
        self._terminal.note(said or "Nothing so far.")

    def _toggle(self) -> None:
        self._trace = not self._trace
        self._terminal.note("Scores, models and times are " + ("shown." if self._trace else "no longer shown."))

    def _undo(self) -> None:
        taken = self._conversation.undo()
        if taken is None:
            self._terminal.note("There is nothing to take back.")
        else:
            self._terminal.note(f"Taken back: what you said of {self._agent.catalogue.get(taken.item_id).title}.")

    def _entry(self, text: str, command: str) -> Recommendation | None:
        """The entry of the last list that a command means, or None after saying what is wrong."""
        shown = self._last.recommendations if self._last is not None else ()
        ranks = {str(one.rank): one for one in shown}
        if text.strip() in ranks:
            return ranks[text.strip()]
        if not shown:
            self._terminal.note(f"There is no list yet for {command}. Say what you feel like first.", "yellow")
        else:
            self._terminal.note(f"Give a place of the last list, 1 to {len(shown)}: {command} 1", "yellow")
        return None
