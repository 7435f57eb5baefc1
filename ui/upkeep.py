"""Making, rebuilding and examining a workspace: `vouchrec init`, `vouchrec index rebuild`, `vouchrec doctor`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ui.options import Workspace, at
from ui.terminal import Terminal

if TYPE_CHECKING:
    from agent.build import BuildReport
    from agent.settings import Settings
    from agent.workspace.checks import Check
    from agent.workspace.reading import Rejected
    from agent.workspace.workspace import Workspace as Opened

EXAMPLE: Literal["movielens-100k"] = "movielens-100k"
LIBRARIES = ("torch", "transformers", "peft", "sentence-transformers", "chromadb", "gradio")
SHOWN_ROWS = 10  # rejected rows that are named; the rest is counted
ROOM = 2_000_000_000  # bytes: the default models, their conversion and a workspace take less than half of it


def init(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None, typer.Argument(metavar="WORKSPACE", help="The folder to make; VOUCHREC_HOME if not given.")
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The catalogue: CSV, JSONL or Parquet."),
    ] = None,
    interactions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Who did what with which item, if known."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Which column means what; guessed without it."),
    ] = None,
    dataset: Annotated[
        Literal["movielens-100k"] | None,
        typer.Option(help="A public data set instead of files; it is downloaded for you."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Add to a workspace that exists.")] = False,
) -> None:
    """Make a workspace from a catalogue of your own, or from a public data set."""
    from agent.errors import InputError

    terminal: Terminal = ctx.obj
    more = update and interactions is not None and dataset is None  # of items that are there
    if not more and (items is None) == (dataset is None):
        raise InputError(
            f"Give either --items FILE or --dataset {EXAMPLE}, and not both. "
            "For example: vouchrec init books --items books.csv"
        )
    if dataset is not None and (interactions is not None or mapping is not None):
        raise InputError("--interactions and --mapping go with --items; a data set brings its own. Leave them out.")
    settings = _settings(workspace)
    report = _build(
        terminal, settings, items=items, interactions=interactions, mapping=mapping, dataset=dataset, update=update
    )
    _report(terminal, report)
    terminal.say(f"The workspace is in {settings.home}. Next:")
    terminal.say(f"  vouchrec chat{at(workspace)}")


def rebuild_index(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Make the text vectors and the index again from the store."""
    from agent.build import rebuild

    terminal: Terminal = ctx.obj
    settings = _settings(workspace)
    with terminal.progress(keep=True) as progress:
        rebuild(settings.home, settings, progress)
    terminal.say(f"The index of {settings.home} is new.")


def doctor(ctx: typer.Context, workspace: Workspace = None) -> None:
    """Examine Python, the libraries, the models, the prompts and a workspace. Exit code 1 if something failed."""
    from agent.workspace.checks import Check
    from ui.verdict import verdict

    terminal: Terminal = ctx.obj
    settings = _settings(workspace)
    failed = 0
    for check in _checks(terminal, settings, Check):
        failed += not check.ok
        verdict(terminal, check.ok, check.name, check.detail, check.remedy, column=16)
    terminal.say()
    terminal.say("All is well." if not failed else f"{failed} of these {'needs' if failed == 1 else 'need'} attention.")
    if failed:
        raise typer.Exit(1)


def ensure_example(terminal: Terminal, workspace: Path | None) -> Settings:
    """The settings of a workspace, which is first made from MovieLens-100K if it is absent or was cut short."""
    from agent.build import is_finished

    settings = _settings(workspace)
    if not is_finished(settings.home):
        terminal.note(
            f"Making a workspace from MovieLens-100K in {settings.home}. "
            "The first time, models and data are downloaded into the cache (180 MB)."
        )
        _build(terminal, settings, dataset=EXAMPLE)
    return settings


def _settings(workspace: Path | None) -> Settings:
    from agent.settings import load_settings

    return load_settings(home=workspace)


def _build(
    terminal: Terminal,
    settings: Settings,
    *,
    items: Path | None = None,
    interactions: Path | None = None,
    mapping: Path | None = None,
    dataset: str | None = None,
    update: bool = False,
) -> BuildReport:
    from agent.build import build

    with terminal.progress(keep=True) as progress:
        return build(
            settings.home,
            items=items,
            interactions=interactions,
            mapping=mapping,
            dataset=dataset,
            update=update,
            settings=settings,
            progress=progress,
        )


def _report(terminal: Terminal, report: BuildReport) -> None:
    """What was taken and what was not, with the line of each row that was not."""
    for guess in report.guesses:
        terminal.note(guess, style="dim")
    terminal.say(f"{report.accepted:,} items, {report.interactions_accepted:,} interactions.")
    _report_rejected(terminal, "items", report.rejected, report.rejected_count)
    _report_rejected(terminal, "interactions", report.interactions_rejected, report.interactions_rejected_count)


def _report_rejected(terminal: Terminal, what: str, rejected: Sequence[Rejected], count: int) -> None:
    if count:
        terminal.note(f"Rows of the {what} that were left out: {count:,}", style="yellow")
    for row in rejected[:SHOWN_ROWS]:
        terminal.note(f"  line {row.line:,}: {row.reason}")
    if count > SHOWN_ROWS:
        terminal.note(f"  and {count - SHOWN_ROWS:,} more")


def _checks(terminal: Terminal, settings: Settings, check: type[Check]) -> Iterator[Check]:
    from agent.assets import fetch, language_model
    from agent.build import behaviour_folder, is_finished
    from agent.errors import VouchrecError
    from agent.generation.prompting import PromptSet
    from agent.retrieval.trained import check_behaviour
    from agent.workspace.workspace import Workspace as Opened

    yield _python(check)
    yield _libraries(check)
    yield _room(settings.cache, check)
    with terminal.progress() as progress:
        yield _asset("language model", lambda: language_model(settings.model, settings.cache, progress), check)
        yield _asset("encoder", lambda: fetch(settings.encoder, settings.cache, progress), check)
    try:
        prompts = PromptSet.named(settings.prompts)
        wrong = "; ".join(f"{row.name}: {row.message}" for row in prompts.check() if not row.ok)
        remedy = "Correct the file, then run `vouchrec prompts check`." if wrong else ""
        yield check("prompts", not wrong, wrong or f"{len(prompts.names())} in {prompts.folder}", remedy)
    except VouchrecError as error:
        yield check("prompts", False, str(error))
    try:
        with Opened.open(settings.home) as opened:
            finished = is_finished(settings.home)
            remedy = "" if finished else "Run the same `vouchrec init` again; it starts over."
            yield check("workspace", finished, str(settings.home) if finished else "its import was cut short", remedy)
            yield from opened.check()
            yield check_behaviour(behaviour_folder(opened), settings.encoder)
            yield _adapter(opened, settings, check)
    except VouchrecError as error:
        yield check("workspace", False, str(error))


def _adapter(opened: Opened, settings: Settings, check: type[Check]) -> Check:
    """Which adapter serves, and whether it fits what it serves with."""
    from agent.assets import language_model
    from agent.build import adapter_in_service, adapters_of, model_weight_of
    from agent.errors import VouchrecError

    try:
        found = adapter_in_service(opened, settings, language_model(settings.model, settings.cache))
        others, chosen = len(adapters_of(opened).names()), adapters_of(opened).in_service
    except VouchrecError as error:
        return check("adapter", False, str(error))
    if found is None and chosen is not None:
        name = chosen.manifest.name
        return check("adapter", True, f"none serves: {name} came with the package for another model, encoder or prompt")
    if found is None:
        return check("adapter", True, f"none serves, which is no fault; {others} there")
    weight, gain = model_weight_of(opened, found.manifest), found.manifest.measures.get("gain")
    said = f"; ndcg@10 {gain['mean']:+.4f} on held-out people beside what served before" if gain else ""
    return check("adapter", True, f"{found.manifest.name} serves with weight {weight:g}{said}")


def _python(check: type[Check]) -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info >= (3, 11)
    return check("python", ok, f"{found}, {sys.executable}", "" if ok else "Use Python 3.11 or newer.")


def _libraries(check: type[Check]) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    found, absent = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    remedy = f"{', '.join(absent)} not installed: run `pip install vouchrec` again." if absent else ""
    return check("libraries", not absent, ", ".join(found), remedy)


def _room(cache: Path, check: type[Check]) -> Check:
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    remedy = "" if free >= ROOM else "Free 2 GB there, or set VOUCHREC_CACHE to a folder on another disk."
    return check("cache", free >= ROOM, f"{free / 1e9:.0f} GB free for {cache}", remedy)


def _asset(name: str, find: Callable[[], Path], check: type[Check]) -> Check:
    from agent.errors import VouchrecError

    try:
        return check(name, True, str(find()))
    except VouchrecError as error:
        return check(name, False, str(error))
