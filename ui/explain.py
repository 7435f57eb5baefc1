"""`vouchrec explain`: why an item stands in a list where it stands, or why it is not there."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ui.options import User, Workspace
from ui.terminal import Terminal

Turn = Annotated[
    str, typer.Argument(metavar="TURN", help="The turn_id of a reply, its first letters, or: last.", show_default=False)
]
Title = Annotated[str, typer.Argument(metavar="TITLE", help="A title or id, in the list or not.", show_default=False)]


def explain(
    ctx: typer.Context,
    turn: Turn,
    title: Title,
    user: User = None,
    with_model: Annotated[
        bool, typer.Option("--with-model", help="Rank anew with the language model each time; slow.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    workspace: Workspace = None,
) -> None:
    """Say why an item stands where it stands in a list that was shown, or why it is not there."""
    terminal: Terminal = ctx.obj
    with terminal.agent(workspace) as agent:
        found = agent.explain(turn, title, user, with_model=with_model)
    if as_json:
        text = json.dumps(found.as_dict(), indent=2, allow_nan=False, ensure_ascii=not terminal.has_unicode)
        terminal.out.out(text, highlight=False)
    else:
        terminal.say(str(found))
