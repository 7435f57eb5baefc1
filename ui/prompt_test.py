"""`vouchrec prompts test`: the cases beside the files, then what an edit does to lists, reasons, tokens and time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ui.options import Against, PromptFolder, Workspace
from ui.terminal import Terminal

if TYPE_CHECKING:
    from rich.table import Table

    from agent.generation.prompting import PromptSet
    from agent.settings import Settings
    from finetune.prompts import Comparison


def test(
    ctx: typer.Context,
    folder: PromptFolder = None,
    against: Against = None,
    people: Annotated[int, typer.Option(min=2, metavar="N", help="Held-out people who are asked.")] = 100,
    lists: Annotated[int, typer.Option(min=0, metavar="N", help="How many of them are given five reasons.")] = 10,
    cases_only: Annotated[bool, typer.Option("--cases", help="Only run the cases; open no workspace.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    workspace: Workspace = None,
) -> None:
    """Run the cases of a set, then score it beside the version in service, on held-out people of a workspace.

    Both versions rank the same candidates for the same people, every second one of whom asks in words, and explain the
    same items. Changes are paired by person, with 95% intervals. About two minutes on two cores. Exit code 1 if a case
    fails, or if lists or reasons are clearly worse.
    """
    from agent.generation.prompting import PromptSet
    from agent.settings import load_settings
    from ui.prompt_versions import default, version

    terminal: Terminal = ctx.obj
    settings = load_settings(home=workspace)
    edited = PromptSet.named(folder or settings.prompts)
    _cases(terminal, edited)
    spec = None if cases_only else against or default(edited, settings.prompts)
    if spec is None:
        if not cases_only:
            terminal.note("There is nothing to compare with: this is the set as it was shipped. See --against.")
        return
    with version(spec, edited.folder) as served:
        if _same(served, edited):
            terminal.note(f"{edited.folder} and {spec} say the same, so there is nothing to score.")
            return
        found = _compared(terminal, settings, served, edited, people, lists)
    if as_json:
        told = {"set": str(edited.folder), "against": spec, **found.as_dict()}
        terminal.out.out(json.dumps(told, indent=2), highlight=False)
    else:
        terminal.out.print(_table(found, spec, edited.folder.name))
    if found.is_worse:
        raise typer.Exit(1)


def _cases(terminal: Terminal, edited: PromptSet) -> None:
    """Run them; what fails is shown, and ends the command."""
    from ui.verdict import verdict

    rows = edited.check()
    wrong = [row for row in rows if not row.ok]
    for row in wrong:
        verdict(terminal, row.ok, row.name, row.message)
    if wrong:
        raise typer.Exit(1)
    terminal.note(f"{edited.folder.name}: {len(edited.names())} prompts and all of their cases hold.")


def _same(served: PromptSet, edited: PromptSet) -> bool:
    texts = [{name: chosen.get(name).hash for name in chosen.names()} for chosen in (served, edited)]
    return texts[0] == texts[1] and served.noun == edited.noun


def _compared(
    terminal: Terminal, settings: Settings, served: PromptSet, edited: PromptSet, people: int, lists: int
) -> Comparison:
    from agent.assets import language_model
    from agent.build import adapters_of, open_encoder, open_workspace
    from agent.generation.local import LocalGenerator
    from finetune.prompts import compare

    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        encoder = open_encoder(settings, progress)
        model = language_model(settings.model, settings.cache, progress)
        adapter = adapters_of(opened).in_service
        versions = (served, edited)
        if adapter is not None and (changed := {name for one in versions for name in adapter.manifest.unlike(one)}):
            terminal.note(
                f"The adapter {adapter.manifest.name} is in service and was tuned with another text of "
                f"{' and '.join(sorted(changed))}: it cannot serve with both versions, so both are measured with the "
                "base model alone. To let an edit serve: `vouchrec adapters use base`, or `vouchrec finetune sft` with "
                "it."
            )
            adapter = None
        generator = LocalGenerator(model, dtype=settings.dtype, name=settings.model, adapter=adapter)
        return compare(
            opened, encoder, settings, generator, generator.count, served, edited, people, lists, progress
        )  # fmt: skip


def _table(found: Comparison, served: str, edited: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title=f"{found.people} held-out people, {found.asked} asking in words; {found.lists} lists with reasons",
        title_justify="left",
        caption=f"The choice of {found.found} was among the candidates. The model counts {found.weight:g} beside "
        "retrieval. Change: paired by person, 95% interval.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    table.add_column("", no_wrap=True)
    for column in (served, edited):
        table.add_column(column, justify="right")
    table.add_column("change", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for m in found.measures:
        digits = 3 if m.name.startswith(("ndcg", "reasons")) else 1
        change = f"{m.change.mean:+.{digits}f} ({m.change.low:+.{digits}f}, {m.change.high:+.{digits}f})"
        table.add_row(m.name, f"{m.served.mean:.{digits}f}", f"{m.edited.mean:.{digits}f}", change, m.verdict)
    return table
