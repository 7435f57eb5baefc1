"""Which of several builds in a folder is the complete one. The answer is swapped by one rename."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Set
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import WorkspaceError

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete build: its folder's name, what it was built from, and the recall that it was measured to have."""

    name: str
    fingerprint: str = ""
    recall: float = 1.0


def current_generation(folder: Path) -> Generation | None:
    """The complete build in a folder, or None when there is none yet; WorkspaceError when its folder is gone."""
    try:
        found = json.loads((folder / CURRENT).read_text(encoding="utf-8"))
        generation = Generation(str(found["name"]), str(found["fingerprint"]), float(found["recall"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(must_rebuild(folder, f"does not say which of its builds is complete ({error})")) from error
    if not generation.name.startswith("generation-") or not (folder / generation.name).is_dir():
        raise WorkspaceError(
            must_rebuild(folder, f"says that {generation.name[:60]!r} is complete, which is not there")
        )
    return generation


def new_generation(folder: Path) -> Path:
    """An empty folder to build in."""
    path = folder / f"generation-{uuid.uuid4().hex[:12]}"
    path.mkdir(parents=True)
    return path


def make_current(folder: Path, generation: Generation) -> None:
    """From now on this build is the complete one."""
    draft = folder / f"{CURRENT}.{generation.name}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(generation), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, folder / CURRENT)


def remove_other_generations(folder: Path, keep: Set[Path]) -> None:
    """Delete what builds left behind, except the complete one and those in `keep`."""
    current = current_generation(folder)
    for path in folder.glob("generation-*"):
        if (current is None or path.name != current.name) and path not in keep:
            shutil.rmtree(path, ignore_errors=True)
    for draft in folder.glob(f"{CURRENT}.*"):
        draft.unlink(missing_ok=True)


def must_rebuild(folder: Path, what: str) -> str:
    """The message of every damaged index."""
    return f"The vector index in {folder} {what}. Run `vouchrec index rebuild`: it is made again from the store."
