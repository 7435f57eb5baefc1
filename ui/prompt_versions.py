"""Versions of a prompt set: what an edit is compared with."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import PromptError

if TYPE_CHECKING:
    from agent.generation.prompting import PromptSet

_REVISION = re.compile(r"[\w.^~@/-]+")


@contextmanager
def version(spec: str, folder: Path) -> Iterator[PromptSet]:
    """A set by its name or path; "git" or "git:REVISION" is what git has of `folder`, HEAD if no revision is named.

    Raises:
        PromptError: there is no such set or revision.
    """
    from agent.generation.prompting import PromptSet

    if spec != "git" and not spec.startswith("git:"):
        yield PromptSet.named(spec)
        return
    revision = spec.partition(":")[2] or "HEAD"
    with tempfile.TemporaryDirectory(prefix="vouchrec-") as temporary:
        copy = Path(temporary) / revision.replace("/", "-")
        copy.mkdir()
        for name in _committed(folder, revision):
            (copy / name).write_bytes(_git(folder, "show", f"{revision}:./{name}"))
        yield PromptSet(copy)


def default(edited: PromptSet, in_service: str) -> str | None:
    """What an edit is compared with when nothing is said; None where there is nothing."""
    from prompts import locate

    try:
        service = locate(in_service)
    except FileNotFoundError as error:
        raise PromptError(str(error)) from error
    if edited.folder.resolve() != service.resolve():
        return in_service
    if _is_edited(edited.folder):
        return "git"
    return None if edited.folder.resolve() == locate("recommend").resolve() else "recommend"


def _is_edited(folder: Path) -> bool:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), "diff", "--quiet", "HEAD", "--", "."], capture_output=True, check=False
        ).returncode == 1  # fmt: skip
    except OSError:
        return False  # there is no git here


def _committed(folder: Path, revision: str) -> list[str]:
    if not _REVISION.fullmatch(revision) or revision.startswith("-"):
        raise PromptError(f"{revision[:80]!r} is no revision of git. Give git:REVISION, such as git:HEAD~1.")
    listed = _git(folder, "ls-tree", "-z", "--name-only", revision, "./").decode("utf-8", "replace")
    names = [name for name in listed.split("\0") if name.endswith(".prompty") or name == "set.yaml"]
    if not names:
        raise PromptError(f"git has no prompt files of {folder} in {revision}. Name another version with --against.")
    return names


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    except OSError as error:
        raise PromptError(f"git cannot be run ({error}). Name a folder with --against instead.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PromptError(
            f"git has no such version of {folder}: {said[0] if said else 'it does not say why'}. "
            "Name another version, or a folder, with --against."
        )
    return done.stdout
