"""Replies on the screen: drawn again while reasons come in, printed once when they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from agent.schema import Reply
from ui.listing import ASCII, Marks, footer, legend, listing, understood, width_of, wrapped
from ui.terminal import Terminal

if TYPE_CHECKING:
    from agent import Agent


def follow(
    terminal: Terminal,
    agent: Agent,
    snapshots: Iterator[Reply],
    *,
    stoppable: bool = False,
    trace: bool = True,
    signs: bool = True,
) -> Reply | None:
    """Draw snapshots over each other while they come, print the last one, and give it back.

    The moving picture is on stderr and leaves nothing behind; stdout gets the finished list alone. Ctrl-C ends the
    writing; where `stoppable`, what is there by then is shown and the program goes on. `trace` and
    `signs` are those of `show`.
    """
    last: Reply | None = None
    marks = marks_of(terminal)
    try:
        if terminal.is_live:
            waiting = Spinner("dots" if marks is not ASCII else "line", Text("Looking for what fits", style="dim"))
            with Live(waiting, console=terminal.err, transient=True, refresh_per_second=10) as live:
                for snapshot in snapshots:
                    last = snapshot
                    live.update(Group(Text(), listing(terminal.err, last, marks, scores=trace)))
        else:
            for snapshot in snapshots:
                last = snapshot
    except KeyboardInterrupt:
        if not stoppable:
            raise
        terminal.note("Stopped.", style="dim")
        last = replace(last, complete=True) if last is not None else None
    finally:
        close = getattr(snapshots, "close", None)
        if close is not None:
            close()
    if last is not None:
        show(terminal, agent, last, trace=trace, signs=signs)
    return last


def show(terminal: Terminal, agent: Agent, reply: Reply, *, trace: bool = True, signs: bool = True) -> None:
    """Print a reply: what was understood, and the list; neither a question nor a word of thanks has more to it.

    `trace` adds scores, how they were made and where the time went, and `signs` what the marks before reasons mean.
    """
    marks = marks_of(terminal)
    is_turn = bool(reply.timings_ms)  # a list, or why there is none; what is merely answered took no stages
    told = understood(reply.intent, agent.catalogue, marks) if is_turn else ""
    if told:
        terminal.say(wrapped(terminal.out, f"Understood: {told}", width_of(terminal.out), style="dim"))
        terminal.say()
    terminal.say(listing(terminal.out, reply, marks, scores=trace))
    below = Text()
    if is_turn and trace:
        below = footer(terminal.out, reply, marks)
    elif is_turn and signs:
        below = legend(terminal.out, reply, marks)
    if below:
        terminal.say()
        terminal.say(below)


def marks_of(terminal: Terminal) -> Marks:
    """The marks that the reader's terminal can show."""
    return Marks() if terminal.has_unicode else ASCII
