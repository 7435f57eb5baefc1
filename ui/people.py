"""What is known of a person: `vouchrec people show`, `export`, `edit`, `delete` and `forget`."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ui.options import Workspace
from ui.terminal import Terminal, clean

SHOWN = 10  # of a history; the whole of it is in the export

Person = Annotated[str, typer.Argument(metavar="ID", help="The person's id, as in your interactions.")]


def show(ctx: typer.Context, user_id: Person, workspace: Workspace = None) -> None:
    """Say what is stored of a person: attributes, the end of their history, what they said of items, how many turns."""
    terminal: Terminal = ctx.obj
    known = _known(user_id, workspace)
    terminal.say(clean(user_id), style="bold")
    for name, value in known["attributes"].items():
        terminal.say(f"  {clean(name)}: {clean(', '.join(value) if isinstance(value, list) else str(value))}")
    for part in ("history", "feedback"):
        rows = known[part]
        terminal.say(
            f"{part.capitalize()}: {len(rows):,}"
            + (", the latest first, with the name of each entry behind it" if rows else "")
        )
        for row in rows[::-1][:SHOWN]:
            terminal.say("  " + _row(row))
        if len(rows) > SHOWN:
            terminal.say(f"  and {len(rows) - SHOWN:,} before that", style="dim")
    told = {"Turns": "turns", "Conversations": "conversations", "Shared lists": "shares"}
    terminal.say(", ".join(f"{name}: {len(known[part]):,}" for name, part in told.items()))
    person = shlex.quote(clean(user_id))
    terminal.note(
        f"All of it: vouchrec people export {person}. To remove it: vouchrec people forget {person}.", style="dim"
    )


def export(
    ctx: typer.Context,
    user_id: Person,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; else into the pipe.")] = None,
    kind: Annotated[
        Literal["json", "csv"], typer.Option("--format", help="json has all; csv is for a table.")
    ] = "json",
    workspace: Workspace = None,
) -> None:
    """Give out everything that is stored of a person, as JSON, or as a table with a row for each entry."""
    from agent.errors import InputError
    from agent.people import as_csv

    terminal: Terminal = ctx.obj
    known = _known(user_id, workspace)
    text = as_csv(known) if kind == "csv" else json.dumps(known, ensure_ascii=False, indent=2) + "\n"
    if out is None and terminal.out.is_terminal:
        told = ", ".join(f"{len(known[part]):,} of {part}" for part in ("history", "feedback", "turns"))
        person = shlex.quote(clean(user_id))
        terminal.say(f"{clean(user_id)}: {told}; {len(text):,} characters as {kind.upper()}.")
        terminal.note(f"To have it: vouchrec people export {person} --out FILE, or a pipe.", style="dim")
        return
    if out is None:
        terminal.out.out(text, highlight=False, end="")
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror}). Give a file that is yours to write.") from error
    terminal.note(f"Written: {out}")


Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="Its name, as `people show` gives it: history:12.")]


def edit(
    ctx: typer.Context,
    user_id: Person,
    entry: Entry,
    value: Annotated[float | None, typer.Option(metavar="N", help="The value that it shall have: a rating.")] = None,
    words: Annotated[str | None, typer.Option(metavar="TEXT", help="The words of feedback.")] = None,
    workspace: Workspace = None,
) -> None:
    """Correct one entry of what is stored of a person."""
    from agent.build import open_workspace
    from agent.people import edit as correct
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        correct(opened, user_id, entry, value, words)
    terminal.say(f"Corrected: {clean(entry)}.")


def delete(ctx: typer.Context, user_id: Person, entry: Entry, workspace: Workspace = None) -> None:
    """Delete one entry of what is stored of a person, for good."""
    from agent.build import open_workspace
    from agent.people import delete as remove
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        remove(opened, user_id, entry)
    terminal.say(f"Deleted: {clean(entry)}.")


def forget(
    ctx: typer.Context,
    user_id: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: Workspace = None,
) -> None:
    """Remove everything that is stored of a person, for good."""
    from agent.build import open_workspace
    from agent.people import forget as remove
    from agent.settings import load_settings
    from ui.api.keys import Keys

    terminal: Terminal = ctx.obj
    if not yes and not typer.confirm(f"Remove everything that is stored of {clean(user_id)}? It cannot be undone."):
        terminal.say("Nothing was removed.")
        raise typer.Exit(1)
    with open_workspace(load_settings(home=workspace).home) as opened:
        counts, keys = Keys(opened.path).forget_after(user_id, partial(remove, opened))
        trained = (opened.path / "behaviour" / "manifest.json").is_file()
    counts = counts | {"keys": keys}
    told = ", ".join(f"{table} {count:,}" for table, count in counts.items() if count and table != "users")
    terminal.say(f"Removed: {told or 'the person'}. What was counted from everybody is counted anew.")
    if trained:
        terminal.note(
            "The trained behaviour holds no id and no history; `vouchrec finetune behaviour` trains it without them."
        )


def _known(user_id: str, workspace: Path | None) -> dict[str, Any]:
    from agent.build import open_workspace
    from agent.people import known_of
    from agent.settings import load_settings

    with open_workspace(load_settings(home=workspace).home) as opened:
        return known_of(opened, user_id)


def _row(row: dict[str, Any]) -> str:
    when = "" if row["time"] is None else datetime.fromtimestamp(row["time"]).strftime("%Y-%m-%d  ")
    value = "" if row["value"] is None else f" {row['value']:g}"
    words = f' "{clean(row["words"])}"' if row.get("words") else ""
    return f"{when}{clean(row['title'])}: {clean(row['event'])}{value}{words}  ({clean(row['entry'])})"
