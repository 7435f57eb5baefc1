"""Progress on stderr: a bar for each stage that takes a while; on a log, a line then, each minute, and at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

WORTH_SHOWING = 1.0  # seconds; a stage that is over sooner is not worth a line
EVERY = 60.0  # seconds between two lines of a log
SURE = 10.0  # seconds after which it can be told how long the rest takes


@dataclass
class _Stage:
    start: float
    first: float  # done when it began: work that was stopped goes on from there
    told: float  # when a log last said how far it is
    done: float = 0.0
    total: float | None = None
    task: TaskID | None = None
    finished: bool = False
    herald: threading.Timer | None = None  # on a log: says after a moment what is going on


class TerminalProgress:
    """The `Progress` callable of the agent, drawn. Any thread may call it; use it as a context manager."""

    def __init__(
        self, console: Console, *, keep: bool = False, worth_showing: float = WORTH_SHOWING, every: float = EVERY
    ) -> None:
        self._console = console
        self._worth_showing, self._every = worth_showing, every
        self._lock = threading.RLock()
        self._stages: dict[str, _Stage] = {}
        self._current: str | None = None
        self._bars = _Bars(console, keep) if console.is_terminal and not console.is_dumb_terminal else None

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if kind is None:
                self._finish_current()
            elif self._current is not None:
                _cancel(self._stages[self._current].herald)
            if self._bars is not None:
                self._bars.stop()

    def __call__(self, stage: str, done: float, total: float | None, said: str = "") -> None:
        """Draw or remember how far a stage is; it is finished at its total, or when another one begins."""
        now = time.monotonic()
        with self._lock:
            if stage != self._current:
                self._finish_current()
            known = self._stages.get(stage)
            if known is None or (known.finished and done < known.done):
                known = self._stages[stage] = _Stage(start=now, first=done, told=now)
                if self._bars is not None:
                    self._bars.start()
                    known.task = self._bars.add_task(_named(stage), total=total, left="", said="")
                else:
                    self._begin(stage, known)
            self._current = stage
            known.done, known.total = done, total
            if self._bars is not None and known.task is not None:
                self._bars.update(known.task, completed=done, total=total, left=_left(known, now), said=said)
            elif self._bars is None and now - known.told >= self._every:
                known.told = now
                self._print(stage, _counted(stage, done, total), said, _left(known, now))
            if total is not None and done >= total:
                self._finish_current()

    def _begin(self, stage: str, known: _Stage) -> None:
        """On a log: name the stage once it has taken longer than a moment, so that nobody wonders at the silence."""

        def tell() -> None:
            with self._lock:
                if not known.finished:
                    self._console.print(Text(f"{_named(stage)} ..."), soft_wrap=True)

        if self._worth_showing <= 0:
            tell()
            return
        known.herald = threading.Timer(self._worth_showing, tell)
        known.herald.daemon = True
        known.herald.start()

    def _print(self, stage: str, *told: str) -> None:
        parts = ", ".join(part for part in told if part)
        self._console.print(Text(": ".join(part for part in (_named(stage), parts) if part)), soft_wrap=True)

    def _finish_current(self) -> None:
        stage, self._current = self._current, None
        known = self._stages.get(stage) if stage is not None else None
        if stage is None or known is None or known.finished:
            return
        known.finished = True
        _cancel(known.herald)
        seconds = time.monotonic() - known.start
        if self._bars is not None and known.task is not None:
            self._bars.update(known.task, completed=max(known.done, 1), total=max(known.done, 1))
            self._bars.stop_task(known.task)
        elif self._bars is None and seconds >= self._worth_showing:
            counted = _counted(stage, known.done, known.total)
            line = ": ".join(part for part in (_named(stage), counted) if part)
            self._console.print(Text(f"{line} ({seconds:.1f} s)"), soft_wrap=True)


def _cancel(herald: threading.Timer | None) -> None:
    if herald is not None:
        herald.cancel()


class _Bars(Progress):
    def __init__(self, console: Console, keep: bool) -> None:
        super().__init__(
            SpinnerColumn(finished_text=" " if console.legacy_windows else "✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            _Count(),
            _Seconds(),
            TextColumn("{task.fields[said]}", style="dim"),
            console=console,
            transient=not keep,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        shown = [task for task in self.tasks if (task.elapsed or 0) >= WORTH_SHOWING]
        if shown:
            yield self.make_tasks_table(shown)


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(_counted(task.description, task.completed, task.total), style="dim")


class _Seconds(ProgressColumn):
    def render(self, task: Task) -> Text:
        left = "" if task.finished else task.fields["left"]
        return Text(left or f"{task.elapsed or 0:.0f} s", style="dim")


def _named(stage: str) -> str:
    return stage[:1].upper() + stage[1:]


def _left(known: _Stage, now: float) -> str:
    """How long the rest takes if it goes on like this; nothing where that cannot be told yet."""
    spent, moved = now - known.start, known.done - known.first
    if known.total is None or known.total <= known.done or moved <= 0 or spent < SURE:
        return ""
    seconds = spent / moved * (known.total - known.done)
    if seconds < 60:
        return f"{seconds:.0f} s left"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min left" if hours else f"{minutes} min left"


def _counted(stage: str, done: float, total: float | None) -> str:
    """What has been done of how much; nothing for a stage that is one step. Downloads count bytes."""
    if not total or total <= 1:
        return ""
    if stage.casefold().startswith("download"):
        return f"{done / 1e6:.0f}/{total / 1e6:.0f} MB"
    return f"{done:,.0f}" if done == total else f"{done:,.0f}/{total:,.0f}"
