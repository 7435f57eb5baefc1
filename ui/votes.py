"""`vouchrec votes`: what the blind comparisons of the workshop add up to."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ui.options import Workspace
from ui.terminal import Terminal, clean


def votes(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    workspace: Workspace = None,
) -> None:
    """Show how often each contender won against each other, with 95% intervals (Wilson). Make votes in the workshop.

    The share is that of the votes that decided; ties and votes against both are counted beside it.
    """
    from agent.build import open_workspace
    from agent.settings import load_settings
    from agent.votes import left_share, tally, wilson

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        cast = opened.store.votes()
    found, (left, decided) = tally(cast), left_share(cast)
    share, low, high = wilson(left, decided)
    if as_json:
        place = {"won": left, "decided": decided, "share": share, "low": low, "high": high}
        told = {"votes": len(cast), "pairs": [one.as_dict() for one in found], "left_side": place}
        terminal.out.out(json.dumps(told, indent=2, ensure_ascii=not terminal.has_unicode), highlight=False)
        return
    if not found:
        terminal.say("There are no votes yet. `vouchrec serve --workshop` compares two contenders blind.")
        return
    table = Table(
        "contender", "against", "won", "lost", "ties", "both bad", "share won (95%)", box=None, pad_edge=False
    )
    for one in found:
        told_share = _share(*one.interval) if one.won + one.lost else "none decided"
        clear = "bold" if one.is_clear else ""
        counts = [str(count) for count in (one.won, one.lost, one.ties, one.bad)]
        table.add_row(clean(one.first.name), clean(one.second.name), *counts, Text(told_share, clear))
    terminal.out.print(table)
    if decided:
        terminal.note(f"The left list won {left} of {decided} decided votes: {_share(share, low, high)}.", style="dim")


def _share(share: float, low: float, high: float) -> str:
    return f"{share:.2f} ({low:.2f} to {high:.2f})"
