"""Who may call the service: `vouchrec keys add|list|remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ui.options import Workspace
from ui.terminal import Terminal, clean, guarded

keys = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The keys of the service: who may call it from elsewhere."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What you call the key, such as the program that uses it.")]


@keys.command("add")
@guarded
def add(
    ctx: typer.Context,
    name: Name,
    person: Annotated[
        str | None, typer.Option(metavar="ID", help="Whom the key speaks for; everybody where it is left out.")
    ] = None,
    workspace: Workspace = None,
) -> None:
    """Make a key and show it once; only its hash is kept. A service that runs takes it at once."""
    from ui.api.keys import Keys

    terminal: Terminal = ctx.obj
    terminal.say(Keys(_home(workspace)).add(name, person))
    whom = "everybody" if person is None else clean(person)
    terminal.note(
        f"The key {name} speaks for {whom}. It is not shown again; send it as `Authorization: Bearer KEY`. From now on "
        "every call needs a key, also from this machine.",
        style="dim",
    )


@keys.command("list")
@guarded
def list_keys(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Show the names of all keys, whom they speak for, and when they were made."""
    from ui.api.keys import Keys

    terminal: Terminal = ctx.obj
    found = Keys(_home(workspace)).all()
    if not found:
        terminal.say("There is no key: only programs of this machine are served. `vouchrec keys add NAME` makes one.")
        return
    table = Table("key", "speaks for", "made", box=None, pad_edge=False)
    for key in found:
        table.add_row(key.name, "everybody" if key.person is None else clean(key.person), key.created)
    terminal.out.print(table)


@keys.command("remove")
@guarded
def remove(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Refuse a key from now on, also at a service that runs."""
    from ui.api.keys import Keys

    terminal: Terminal = ctx.obj
    Keys(_home(workspace)).remove(name)
    terminal.say(f"Removed: {name}.")


def _home(workspace: Path | None) -> Path:
    from agent.errors import WorkspaceError
    from agent.settings import load_settings

    home = load_settings(home=workspace).home
    if not home.is_dir():
        raise WorkspaceError(f"There is no workspace at {home}. Make one with `vouchrec init`, or give --workspace.")
    return home
