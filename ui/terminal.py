"""What every command shares: where text goes, how the agent is opened, and what becomes of an error."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from ui.progress import TerminalProgress

if TYPE_CHECKING:
    from agent import Agent
    from agent.progress import Progress

Opener = Callable[[Path | None, "Progress"], AbstractContextManager["Agent"]]

Command = TypeVar("Command", bound=Callable[..., None])

_DIRECTION = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def open_agent(workspace: Path | None, progress: Progress) -> Agent:
    """The agent of a workspace, of the default one where None is given."""
    from agent import Agent

    return Agent.open(workspace, progress=progress)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # again what rich is handling when it calls this: `Terminal.guarding` knows what to do with it


def _stdout() -> Console:
    return _Console(highlight=False, markup=False, emoji=False)


def _stderr() -> Console:
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


@dataclass
class Terminal:
    """Results go to `out` (stdout), everything said about them to `err` (stderr)."""

    out: Console = field(default_factory=_stdout)
    err: Console = field(default_factory=_stderr)
    opener: Opener = open_agent
    debug: bool = False

    @property
    def is_live(self) -> bool:
        """Whether someone is watching a screen on which lines can be drawn again."""
        return self.out.is_terminal and self.err.is_terminal and not self.err.is_dumb_terminal

    @property
    def has_unicode(self) -> bool:
        """Whether marks beyond ASCII reach the reader."""
        return self.out.encoding.startswith("utf")

    @contextmanager
    def agent(self, workspace: Path | None) -> Iterator[Agent]:
        """The agent of a workspace; how far the opening has come is shown on stderr."""
        with self.progress() as progress:
            opening = self.opener(workspace, progress)
        with opening as opened:
            yield opened

    def progress(self, keep: bool = False) -> TerminalProgress:
        """Bars for the stages of some work; `keep` leaves the finished ones on the screen."""
        return TerminalProgress(self.err, keep=keep)

    def note(self, text: str, style: str = "") -> None:
        """One paragraph for the person, on stderr."""
        self._paragraph(self.err, Text(clean(text, keep_lines=True), style=style))

    def say(self, text: str | Text = "", style: str = "") -> None:
        """A line or more of the result, on stdout."""
        told = text if isinstance(text, Text) else Text(clean(text, keep_lines=True), style=style)
        self.out.print(told, overflow="ignore", crop=False)  # a path that is longer than a line stays whole

    @staticmethod
    def _paragraph(console: Console, text: Text) -> None:
        """Words in lines; a path that is longer than one stays whole, and a log gets all of it as one line."""
        console.print(text, soft_wrap=not console.is_terminal, overflow="ignore", crop=False)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Turns what a command raises into one paragraph and an exit code.

        2: something given cannot be used (VouchrecError). 1: our fault. 130: Ctrl-C. 141: the reader of a pipe left.
        """
        from agent.errors import VouchrecError

        try:
            yield
            sys.stdout.flush()  # so that a pipe that broke says so here, and not while Python ends
        except VouchrecError as error:
            self._fail(f"{error}", 2, error)
        except BrokenPipeError as error:
            _discard(sys.stdout)
            raise typer.Exit(141) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(130) from error
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            self._fail(
                f"{type(error).__name__}: {error}\nThis is a fault in Vouchrec, not in what you gave. To see where it "
                "happened, put --debug after `vouchrec` and run the command again; a report that includes that text is "
                "welcome.",
                1,
                error,
            )

    def _fail(self, message: str, code: int, error: Exception) -> None:
        if self.debug:
            self.err.print(Text(clean("".join(traceback.format_exception(error)), keep_lines=True), style="dim"))
        told = Text.assemble(("Error: ", "bold red"), clean(message, keep_lines=True))
        self._paragraph(self.err, told)
        raise typer.Exit(code) from error


def guarded(command: Command) -> Command:
    """A command (its first argument is the context) inside `Terminal.guarding`."""

    @wraps(command)
    def inside(ctx: typer.Context, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the command
        with ctx.obj.guarding():
            return command(ctx, *args, **kwargs)

    return inside  # type: ignore[return-value]


def clean(text: str, keep_lines: bool = False) -> str:
    """Text that cannot command the terminal: no escape, no control character, no turn of the writing direction."""
    return "".join(
        letter if (keep_lines and letter == "\n") or not _commands(letter) else (" " if letter in "\t\n\r" else "")
        for letter in text
    )


def _commands(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc" or letter in _DIRECTION or letter in "\u2028\u2029"


def _discard(stream: Any) -> None:  # noqa: ANN401 - sys.stdout, or what a test put there
    """Let what is still buffered for a reader who left go nowhere, so that Python ends without a complaint."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def log_to_stderr() -> None:
    """What goes wrong while somebody is answered is told on stderr, with its traceback."""
    log = logging.getLogger("ui")
    if not log.handlers:
        told = logging.StreamHandler()
        told.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(told)
        log.setLevel(logging.WARNING)
        log.propagate = False
