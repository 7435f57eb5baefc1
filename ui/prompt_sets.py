"""Prompt sets as folders: a copy that can be edited, and the one that serves. For the commands and the workshop."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import InputError

if TYPE_CHECKING:
    from agent.generation.prompting import PromptSet


def copy_set(begun: PromptSet, folder: Path, names: Sequence[str] = ()) -> None:
    """Copy prompts of a set into a folder, with the cases beside them; all of them where none is named.

    A set.yaml says what the prompts alone do not: where the rest comes from, the noun and the language.

    Raises:
        InputError: one of the files is there already; then nothing is copied.
        PromptError: there is no such prompt.
    """
    from agent.generation.prompting import SET_FILE

    names = tuple(names) or begun.names()
    files = [file for name in names for file in _files(begun, name)]
    if taken := [file.name for file in files if (folder / file.name).exists()]:
        raise InputError(f"{folder} has {' and '.join(taken)} already. Name another folder, or edit what is there.")
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    said = set_file(begun, is_whole=set(begun.names()) <= set(names))
    if said and not (folder / SET_FILE).exists():
        (folder / SET_FILE).write_text(said, encoding="utf-8")


def set_file(begun: PromptSet, *, is_whole: bool) -> str:
    """The set.yaml of a copy: what it rests on, unless it is whole, and what it calls things; empty if that is all."""
    from prompts import locate, shipped

    name = begun.folder.name
    base = name if name in shipped() and locate(name) == begun.folder else str(begun.folder.resolve())
    said = {"base": "" if is_whole else base, "noun": begun.noun, "language": begun.language}
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items() if value)


def put_in_service(chosen: str, home: Path) -> str:
    """Let a set serve a workspace from its next opening on; gives its name, as the settings there have it from now on.

    Raises:
        InputError: a case does not hold, it lacks a prompt that a turn needs, the adapter in service there was tuned
            with another text, or there is no workspace in `home`.
        PromptError: there is no such set.
    """
    from agent.build import adapters_in
    from agent.files import replacing
    from agent.generation.prompting import PromptSet
    from agent.settings import SETTINGS_FILE
    from prompts import shipped

    found = PromptSet.named(chosen)
    wrong = [f"{row.name}: {row.message}" for row in found.check() if not row.ok]
    if missing := [name for name in ("rank", "justify") if name not in found.names()]:
        wrong.append(f"it has no prompt {' and no '.join(missing)}")
    if wrong:
        raise InputError(f"{chosen} cannot serve: {'; '.join(wrong)}. Correct that, then do this again.")
    if not home.is_dir():
        raise InputError(f"There is no workspace in {home}. Make one with `vouchrec init`, or name one with -w.")
    adapter = adapters_in(home).in_service
    if adapter is not None and (changed := adapter.manifest.unlike(found)):
        raise InputError(
            f"The adapter {adapter.manifest.name!r} is in service, and was tuned with another text of "
            f"{' and '.join(changed)}, so both cannot serve together. Tune with these prompts first (`vouchrec "
            "finetune sft`), or take it out of service (`vouchrec adapters use base`)."
        )
    file = home / SETTINGS_FILE
    said = file.read_text(encoding="utf-8") if file.exists() else ""
    name = chosen if chosen in shipped() else str(found.folder.resolve())
    with replacing(file) as draft:
        draft.write_text(_with_setting(said, "prompts", name), encoding="utf-8")
    return name


def _files(begun: PromptSet, name: str) -> list[Path]:
    if name not in begun.names():
        begun.get(name)  # says that there is no such prompt, and which there are
    path, cases = begun.path(name), begun.folder / f"{name}.cases.yaml"
    beside = cases if cases.exists() else path.with_name(cases.name)
    return [path, *([beside] if beside.exists() else [])]


def _with_setting(text: str, key: str, value: str) -> str:
    """A TOML text of plain settings with one of them put in place; comments and the rest stay."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    lines = text.splitlines()
    at = next((n for n, one in enumerate(lines) if re.match(rf"\s*{key}\s*=", one)), None)
    lines = [line, *lines] if at is None else [*lines[:at], line, *lines[at + 1 :]]
    written = "\n".join(lines) + "\n"
    tomllib.loads(written)
    return written
