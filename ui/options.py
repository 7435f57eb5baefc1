"""Options that several commands share."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

Workspace = Annotated[
    Path | None, typer.Option("--workspace", "-w", metavar="PATH", help="The workspace; VOUCHREC_HOME if not given.")
]
Example = Annotated[
    bool, typer.Option("--example", help="If there is no workspace yet, first make one from MovieLens-100K.")
]
User = Annotated[str | None, typer.Option("--user", "-u", metavar="ID", help="A person of the workspace.")]
PromptFolder = Annotated[
    str | None, typer.Option("--set", metavar="SET", help="A shipped set or a folder; VOUCHREC_PROMPTS if not given.")
]
PromptName = Annotated[str, typer.Argument(metavar="NAME", help="A prompt of the set, such as rank.")]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="SET",
        help="The version to compare with: a shipped set, a folder, git, or git:REVISION. If not given: what is in "
        "service; for the set in service itself what git has of it, or else the set that it rests on.",
    ),
]


def at(workspace: Path | None) -> str:
    """How a command that is told for typing names this workspace; nothing where that of VOUCHREC_HOME is meant."""
    return "" if workspace is None else f" --workspace {shlex.quote(str(workspace))}"
