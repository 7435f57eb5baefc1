"""Edits that are not saved yet, by set and prompt, and a set as it would be with them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import InputError, PromptError
from ui.prompt_sets import copy_set

if TYPE_CHECKING:
    from agent.generation.prompting import PromptSet

_WHERE = re.compile(r".*?(?P<file>[^/\\\s]+\.(?:prompty|yaml)):(?P<line>\d+): (?P<text>.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an edit: `line` counts from 1 and is None where no line is to blame."""

    text: str
    file: str = ""
    line: int | None = None

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """Read out of an error that begins with "file:line: "."""
        found = _WHERE.fullmatch(str(error)) if isinstance(error, PromptError) else None
        return cls(str(error)) if found is None else cls(found["text"], found["file"], int(found["line"]))


class Drafts:
    """The edits of one owner. They are kept while the workshop is open, whatever page or prompt is looked at."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}

    def text(self, chosen: PromptSet, name: str) -> str:
        """The edit, or the file where it was not edited."""
        edits = self._of(chosen)
        return edits[name] if name in edits else read(chosen, name)

    def put(self, chosen: PromptSet, name: str, text: str) -> None:
        """Keep an edit; the very text of the file is none."""
        edits = self._texts.setdefault(str(chosen.folder), {})
        edits.pop(name, None)
        if text != read(chosen, name):
            edits[name] = text

    def discard(self, chosen: PromptSet, name: str | None = None) -> None:
        """Forget the edit of a prompt, or those of the whole set."""
        edits = self._of(chosen)
        for edited in [name] if name else list(edits):
            edits.pop(edited, None)

    def edited(self, chosen: PromptSet) -> tuple[str, ...]:
        """The prompts of a set that were edited, in alphabetical order."""
        return tuple(sorted(self._of(chosen)))

    def has_edits(self, folder: Path) -> bool:
        """Whether a prompt of the set in this folder was edited."""
        return bool(self._texts.get(str(folder)))

    @contextmanager
    def applied(self, chosen: PromptSet) -> Iterator[PromptSet]:
        """The set as it would be with its edits and the cases beside them; it is gone when the context ends."""
        from agent.generation.prompting import PromptSet

        with tempfile.TemporaryDirectory(prefix="vouchrec-") as temporary:
            folder = Path(temporary) / chosen.folder.name
            copy_set(chosen, folder)
            for name, text in self._of(chosen).items():
                (folder / f"{name}.prompty").write_text(text, encoding="utf-8", errors="replace", newline="")
            yield PromptSet(folder)

    def save(self, chosen: PromptSet, folder: Path) -> None:
        """Write the set with its edits into a new folder; the edits are then no more.

        Raises:
            InputError: its name is none for a set, or it is taken: a version that is saved is never written again.
            PromptError: an edit that cannot be read; with file and line.
        """
        from prompts import shipped

        if not _NAME.fullmatch(folder.name) or folder.name in shipped():
            raise InputError(
                f"A version cannot be called {folder.name[:80]!r}: up to 64 letters, digits, dashes and underscores, "
                "beginning with a letter or digit, and not the name of a set that ships."
            )
        if folder.exists():
            raise InputError(f"There is a version called {folder.name!r} already. Give another name.")
        with self.applied(chosen) as drafted:
            for name in drafted.names():
                drafted.get(name)
            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(prefix=".draft-", dir=folder.parent) as aside:
                    whole = Path(aside) / "set"
                    copy_set(drafted, whole)
                    whole.rename(folder)
            except OSError as error:
                raise InputError(f"{folder} cannot be written ({error}). Free some space or check it.") from error
        self.discard(chosen)

    def _of(self, chosen: PromptSet) -> dict[str, str]:
        return self._texts.get(str(chosen.folder), {})


def read(chosen: PromptSet, name: str) -> str:
    """The file of a prompt as it is, line ends as in the editor; what is no UTF-8 is marked."""
    text = chosen.path(name).read_text(encoding="utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def next_name(chosen: PromptSet, folder: Path) -> str:
    """A name for the next version of a set that is free in a folder: "recommend-2", "recommend-3"."""
    stem = re.sub(r"-\d+$", "", chosen.folder.name)
    numbers = (n for n in range(2, 10_000) if not (folder / f"{stem}-{n}").exists())
    return f"{stem}-{next(numbers)}"
