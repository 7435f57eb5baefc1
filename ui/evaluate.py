"""Measuring: `vouchrec evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ui.options import Workspace
from ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.progress import Progress
    from agent.settings import Settings
    from finetune.evaluate.data import Dataset

Protocol = Literal[
    "leave-one-out", "global-time", "cold-people-0", "cold-people-1", "cold-people-3", "cold-people-5", "cold-items"
]


def evaluate(
    ctx: typer.Context,
    workspace: Workspace = None,
    dataset: Annotated[
        Literal["movielens-100k"] | None,
        typer.Option(help="A public data set instead of a workspace; it is downloaded for you."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="A folder: MovieLens latest, 1M or 100K, or items.csv and interactions.csv."
        ),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="With --data: texts of its items, by their ids."
        ),
    ] = None,
    protocol: Annotated[Protocol, typer.Option(help="Who is asked what.")] = "leave-one-out",
    core: Annotated[
        int, typer.Option(min=1, metavar="K", help="Only people and items with at least K interactions.")
    ] = 1,
    seeds: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Seeds 0 to N - 1.")] = 5,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="This seed alone.")] = None,
    systems: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Of retrieval, baselines and model (the slow part), or single systems; separated by commas.",
        ),
    ] = "retrieval,baselines",
    trials: Annotated[
        int, typer.Option(min=1, max=8, metavar="N", help="Settings that each tuned system tries on validation people.")
    ] = 4,
    refit: Annotated[
        bool,
        typer.Option(
            help="Whether all systems learn the validation choices, too, before test people are asked. "
            "Most published figures are without."
        ),
    ] = True,
    people: Annotated[int | None, typer.Option(min=1, metavar="N", help="Ask only so many people, drawn once.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Where the numbers go; else beside the report.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the report goes, and what a run that was stopped goes on from."),
    ] = None,
) -> None:
    """Measure retrieval, baselines and the whole agent on what is held out. A run that was stopped goes on."""
    from agent.errors import InputError
    from agent.settings import load_settings
    from finetune.evaluate.choose import chosen
    from finetune.evaluate.page import table, write
    from finetune.evaluate.report import Report
    from finetune.evaluate.run import Plan, run
    from finetune.evaluate.splits import k_core

    terminal: Terminal = ctx.obj
    if sum(given is not None for given in (workspace, dataset, data)) > 1:
        raise InputError("Give one of --workspace, --dataset and --data, and not more.")
    if texts is not None and data is None:
        raise InputError("--texts goes with --data; a workspace and a data set have their own.")
    settings = load_settings(home=workspace)
    folder = out or settings.cache / "evaluate"
    with terminal.progress(keep=True) as progress:
        found, vectors_file = _data(settings, dataset, data, texts, progress)
        for remark in found.remarks:
            terminal.note(remark, style="dim")
        if core > 1:
            found = k_core(found, core)
        wanted = [name.strip() for name in systems.split(",") if name.strip()]
        found, contenders = chosen(
            wanted, found, settings, folder, trials=trials, vectors_file=vectors_file, progress=progress
        )
        numbers = tuple(range(seeds)) if seed is None else (seed,)
        report = Report(run(Plan(found, protocol, numbers, contenders, folder, people, refit), progress))
        kind = protocol if refit else f"{protocol}-no-refit"
        name = "".join(c if c.isalnum() or c in "-." else "-" for c in f"{found.name}-{kind}")
        written = write(report, folder / name, json_file)
    terminal.out.print(table(report))
    for path in written:
        terminal.note(f"Written: {path}", style="dim")


def _data(
    settings: Settings, dataset: str | None, data: Path | None, texts: Path | None, progress: Progress
) -> tuple[Dataset, Path | None]:
    """The data, and where its text vectors may be found."""
    from agent.build import open_workspace
    from agent.workspace.movielens import fetch_movielens
    from finetune.evaluate.data import from_store, read_folder, read_movielens, with_texts

    if dataset is not None:
        return read_movielens(fetch_movielens(settings.cache, progress)), None
    if data is not None:
        found = read_folder(data, progress)
        return (found if texts is None else with_texts(found, texts, progress)), None
    with open_workspace(settings.home) as workspace:
        return from_store(workspace.store, settings.home.name), workspace.cache / "vectors.npz"
