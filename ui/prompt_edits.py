"""Prompt sets of one's own: make one, see what it changes, put it in service."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ui.options import Against, PromptFolder, Workspace
from ui.prompt_commands import prompt_set
from ui.prompt_sets import copy_set, put_in_service
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
    terminal: Terminal = ctx.obj
    begun = prompt_set(source)
    names = tuple(only or begun.names())
    copy_set(begun, folder, names)
    terminal.say(f"Made {', '.join(f'{name}.prompty' for name in names)} in {folder}, with the cases beside them.")
    given = str(folder) if folder.is_absolute() else f".{os.sep}{folder}"
    terminal.note(f"Edit them, then: vouchrec prompts test --set {given}")


def use(
    ctx: typer.Context,
    chosen: Annotated[str, typer.Argument(metavar="SET", help="A shipped set or a folder.")],
    workspace: Workspace = None,
) -> None:
    """Put a set in service for a workspace, from its next opening on; refused unless every case holds."""
    from agent.settings import SETTINGS_FILE, load_settings

    terminal: Terminal = ctx.obj
    home = load_settings(home=workspace).home
    name = put_in_service(chosen, home)
    terminal.say(f"{name} serves in {home} from now on, as {SETTINGS_FILE} there says.")
    if os.environ.get("VOUCHREC_PROMPTS"):
        terminal.note("VOUCHREC_PROMPTS is set and counts more; unset it.")
