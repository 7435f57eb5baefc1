"""The LoRA adapters of a workspace: `vouchrec adapters list|use|remove`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ui.options import Workspace
from ui.terminal import Terminal, guarded

adapters = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The tuned adapters: which there are, and which one serves."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="An adapter, as `vouchrec adapters list` shows it.")]


@adapters.command("list")
@guarded
def list_adapters(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Show every adapter, what the gate found, and which one serves."""
    from agent.build import adapters_of, open_workspace
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        found = adapters_of(opened)
        serving = found.in_service
        if not found.names():
            terminal.say("There is no adapter yet; the base model serves. `vouchrec finetune sft` makes one.")
            return
        table = Table("adapter", "serves", "ndcg@10", "gain, with 95% interval", "weight", box=None, pad_edge=False)
        for name in found.names():
            manifest = found.get(name).manifest
            measured = manifest.measures
            serves = "yes" if serving is not None and serving.manifest.name == name else ""
            if not measured:
                table.add_row(name, serves, "-", "not examined: `vouchrec finetune promote`", "-")
                continue
            gain = measured["gain"]
            said = f"{gain['mean']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
            weight = f"{manifest.model_weight:g}"
            refused = "" if measured["passed"] else ", refused"
            table.add_row(name, serves, f"{measured['after']['mean']:.4f}", said + refused, weight)
    terminal.out.print(table)
    if serving is None:
        terminal.say("None of them serves: the base model does, alone.")


@adapters.command("use")
@guarded
def use_adapter(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Put an adapter that has passed the gate in service; `base` takes it out again."""
    from agent.build import adapters_of, open_workspace
    from agent.errors import AdapterError
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        found = adapters_of(opened)
        if name != "base" and not found.get(name).manifest.measures.get("passed"):
            raise AdapterError(
                f"The adapter {name!r} has not passed the gate. Run `vouchrec finetune promote {name}`: it compares it "
                "with what serves now, and puts it in service if nothing gets worse."
            )
        found.use(None if name == "base" else name)
    terminal.say("The base model serves, alone." if name == "base" else f"The adapter {name} serves from now on.")


@adapters.command("remove")
@guarded
def remove_adapter(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Delete an adapter that does not serve."""
    from agent.build import adapters_of, open_workspace
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        adapters_of(opened).remove(name)
    terminal.say(f"The adapter {name} is gone.")
