"""Prompt sets of one's own: make one, see what it changes, put it in service."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ui.options import Against, PromptFolder, Workspace
from ui.prompt_commands import prompt_set
from ui.terminal import Terminal, clean

if TYPE_CHECKING:
    from agent.generation.prompting import PromptSet

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def diff(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One prompt; all of them if not given.")] = None,
    folder: PromptFolder = None,
    against: Against = None,
) -> None:
    """Show, line by line, what an edit changes in the prompt files. Lines of the edit begin with +."""
    from agent.settings import load_settings
    from ui.prompt_versions import default, version

    terminal: Terminal = ctx.obj
    edited = prompt_set(folder)
    spec = against or default(edited, load_settings().prompts)
    if spec is None:
        terminal.note(f"There is nothing to compare {edited.folder} with: it is as it was shipped. See --against.")
        return
    with version(spec, edited.folder) as served:
        names = [name] if name else sorted({*served.names(), *edited.names()})
        lines = [line for each in names for line in _changes(served, edited, each, spec)]
    for line in lines:
        terminal.say(Text(clean(line), style=_STYLES.get(line[:1], "")))
    if not lines:
        terminal.note(f"No difference between {edited.folder} and {spec}.")


def _changes(served: PromptSet, edited: PromptSet, name: str, spec: str) -> list[str]:
    before, after = (chosen.path(name) for chosen in (served, edited))
    if not before.exists() and not after.exists():
        edited.get(name)  # says that there is no such prompt, and which there are
    texts = [path.read_text(encoding="utf-8").splitlines() if path.exists() else [] for path in (before, after)]
    return list(difflib.unified_diff(*texts, f"{spec}/{name}.prompty", str(after), lineterm=""))


def new(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the set is, or is to be.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="SET", help="What to begin with; the set in service if not given.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--prompt", metavar="NAME", help="Only this prompt; the rest stays that of the set. Repeatable."),
    ] = None,
) -> None:
    """Make a set of your own from one that there is, with the cases beside its prompts.

    With --prompt, or in a folder that has a set already, the prompts that are not copied are taken from where they
    were, and so change with it.
    """
    from agent.errors import InputError
    from agent.generation.prompting import SET_FILE

    terminal: Terminal = ctx.obj
    begun = prompt_set(source)
    names = tuple(only or begun.names())
    files = [file for name in names for file in _files(begun, name)]
    if taken := [file.name for file in files if (folder / file.name).exists()]:
        raise InputError(f"{folder} has {' and '.join(taken)} already. Name another folder, or edit what is there.")
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    if not (folder / SET_FILE).exists() and (set(begun.names()) > set(names) or begun.noun or begun.language):
        (folder / SET_FILE).write_text(_set_file(begun), encoding="utf-8")
    terminal.say(f"Made {', '.join(f'{name}.prompty' for name in names)} in {folder}, with the cases beside them.")
    given = str(folder) if folder.is_absolute() else f".{os.sep}{folder}"
    terminal.note(f"Edit them, then: vouchrec prompts test --set {given}")


def _files(begun: PromptSet, name: str) -> list[Path]:
    prompt = begun.get(name)
    cases = begun.folder / f"{name}.cases.yaml"
    beside = cases if cases.exists() else prompt.path.with_name(cases.name)
    return [prompt.path, *([beside] if beside.exists() else [])]


def _set_file(begun: PromptSet) -> str:
    from prompts import locate, shipped

    name = begun.folder.name
    base = name if name in shipped() and locate(name) == begun.folder else str(begun.folder.resolve())
    said = {"base": base, "noun": begun.noun, "language": begun.language}
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items() if value)


def use(
    ctx: typer.Context,
    chosen: Annotated[str, typer.Argument(metavar="SET", help="A shipped set or a folder.")],
    workspace: Workspace = None,
) -> None:
    """Put a set in service for a workspace, from its next opening on; refused unless every case holds."""
    from agent.errors import InputError
    from agent.files import replacing
    from agent.generation.prompting import PromptSet
    from agent.settings import SETTINGS_FILE, load_settings
    from prompts import shipped

    terminal: Terminal = ctx.obj
    found = PromptSet.named(chosen)
    wrong = [f"{row.name}: {row.message}" for row in found.check() if not row.ok]
    if missing := [name for name in ("rank", "justify") if name not in found.names()]:
        wrong.append(f"it has no prompt {' and no '.join(missing)}")
    if wrong:
        raise InputError(f"{chosen} cannot serve: {'; '.join(wrong)}. Correct that, then run this again.")
    home = load_settings(home=workspace).home
    if not home.is_dir():
        raise InputError(f"There is no workspace in {home}. Make one with `vouchrec init`, or name one with -w.")
    file = home / SETTINGS_FILE
    said = file.read_text(encoding="utf-8") if file.exists() else ""
    name = chosen if chosen in shipped() else str(found.folder.resolve())
    with replacing(file) as draft:
        draft.write_text(_with_setting(said, "prompts", name), encoding="utf-8")
    terminal.say(f"{name} serves in {home} from now on, as {file.name} there says.")
    if os.environ.get("VOUCHREC_PROMPTS"):
        terminal.note("VOUCHREC_PROMPTS is set and counts more; unset it.")


def _with_setting(text: str, key: str, value: str) -> str:
    """A TOML text of plain settings with one of them put in place; comments and the rest stay."""
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    lines = text.splitlines()
    at = next((n for n, one in enumerate(lines) if re.match(rf"\s*{key}\s*=", one)), None)
    lines = [line, *lines] if at is None else [*lines[:at], line, *lines[at + 1 :]]
    written = "\n".join(lines) + "\n"
    tomllib.loads(written)
    return written
