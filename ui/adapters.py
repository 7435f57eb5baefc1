"""The LoRA adapters of a workspace: `vouchrec adapters list|use|add|export|remove`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ui.options import Workspace, at
from ui.terminal import Terminal, guarded

if TYPE_CHECKING:
    from agent.generation.adapters import AdapterManifest
    from agent.workspace.workspace import Workspace as Opened

adapters = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The tuned adapters: which there are, and which one serves."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="An adapter, as `vouchrec adapters list` shows it.")]


@adapters.command("list")
@guarded
def list_adapters(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Show every adapter, what the gate found, and which one serves."""
    from agent.build import adapters_of, open_workspace
    from agent.errors import AdapterError
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home, alone=False) as opened:
        found = adapters_of(opened)
        if not found.names():
            terminal.say("There is no adapter yet; the base model serves. To make one:")
            terminal.say(f"  vouchrec finetune sft{at(workspace)}")
            return
        table = Table("adapter", "serves", "ndcg@10", "gain, with 95% interval", "weight", box=None, pad_edge=False)
        unread = []
        for name, one in found.all().items():
            serves = "yes" if found.serving == name else ""
            if isinstance(one, AdapterError):
                unread.append(one)
                table.add_row(name, serves, "-", "cannot be read, see below", "-")
            else:
                table.add_row(name, serves, *_measured(opened, one.manifest))
    terminal.out.print(table)
    for error in unread:
        terminal.say(f"{error}")
    terminal.say(
        "The gain is over what served when the gate was asked (at first, and for what served itself, the base model)."
    )
    if found.serving is None:
        terminal.say("None of them serves: the base model does, alone.")


def _measured(workspace: Opened, manifest: AdapterManifest) -> tuple[str, str, str]:
    """NDCG@10 with it, what is gained by it, and its weight."""
    from agent.build import model_weight_of

    if not (measured := manifest.measures):
        return "-", "not examined: `vouchrec finetune promote`", "-"
    gain, refused = measured["gain"], "" if manifest.passed else ", refused"
    said = f"{gain['mean']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f}){refused}"
    return f"{measured['after']['mean']:.4f}", said, f"{model_weight_of(workspace, manifest):g}"


@adapters.command("use")
@guarded
def use_adapter(ctx: typer.Context, name: Name, workspace: Workspace = None) -> None:
    """Put an adapter that has passed the gate in service; `base` takes it out again."""
    from agent.build import adapters_of, open_workspace
    from agent.errors import AdapterError
    from agent.generation.adapters import BASE
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        found = adapters_of(opened)
        if name != BASE and not found.get(name).manifest.passed:
            raise AdapterError(
                f"The adapter {name!r} has not passed the gate. Run `vouchrec finetune promote {name}{at(workspace)}`: "
                "it compares it with what serves now, and puts it in service if nothing gets worse."
            )
        found.use(None if name == BASE else name)
    terminal.say("The base model serves, alone." if name == BASE else f"The adapter {name} serves from now on.")


@adapters.command("add")
@guarded
def add_adapter(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The adapter's folder, of another workspace.")],
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="What it is called here.")] = None,
    workspace: Workspace = None,
) -> None:
    """Copy an adapter from elsewhere, for another catalogue too. It serves once `vouchrec finetune promote` let it."""
    from agent.build import adapters_of, open_workspace
    from agent.generation.adapters import save_manifest
    from agent.settings import load_settings

    terminal: Terminal = ctx.obj
    with open_workspace(load_settings(home=workspace).home) as opened:
        added = adapters_of(opened).add(folder, name)
        # What it was worth there says nothing of what it is worth here.
        save_manifest(added.folder, replace(added.manifest, model_weight=0.0, weight_new=None, measures={}))
    called = added.manifest.name
    terminal.say(f"The adapter {called} is here. Next, to see what it is worth here:")
    terminal.say(f"  vouchrec finetune promote {called}{at(workspace)}")


@adapters.command("export")
@guarded
def export_adapter(
    ctx: typer.Context,
    name: Name,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the model.")],
    workspace: Workspace = None,
) -> None:
    """Write an adapter and its base model as one plain model (safetensors), for what serves such models elsewhere."""
    from agent.assets import language_model
    from agent.build import adapters_of, check_adapter, open_encoder, open_workspace
    from agent.generation.export import CARD, export
    from agent.generation.prompting import PromptSet
    from agent.settings import load_settings
    from agent.stages import noun_of

    terminal: Terminal = ctx.obj
    settings = load_settings(home=workspace)
    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        base, adapter = language_model(settings.model, settings.cache, progress), adapters_of(opened).get(name)
        check_adapter(adapter, settings, base, settings.encoder)
        items, prompts = opened.store.items(), PromptSet.named(settings.prompts)
        prompt = prompts.get("rank").render(history=[], request="", noun=noun_of(settings, opened.store, prompts))
        texts = opened.vectors(open_encoder(settings, progress), progress, items=items)[1]
        export(base, adapter, folder, items, texts, prompt, settings.dtype)
    terminal.say(f"{folder} holds {settings.model} with {name} in its weights. {CARD} there tells how to load it.")
    if adapter.manifest.ranks_alone:
        terminal.say(
            "These weights rank and should not write: it has learned no words, so take the base model for them."
        )


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
