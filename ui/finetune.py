"""Learning from a workspace: `vouchrec finetune behaviour|sft|preference|promote`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui import upkeep
from ui.options import Example, Workspace, at
from ui.terminal import Terminal

if TYPE_CHECKING:
    from finetune.gate import Verdict


def behaviour(
    ctx: typer.Context,
    workspace: Workspace = None,
    example: Example = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Decides every draw.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many passes over all histories.")] = 60,
    patience: Annotated[
        int, typer.Option(min=1, metavar="N", help="Stop so many passes after the best one on validation people.")
    ] = 8,
    rate: Annotated[float, typer.Option(min=1e-6, max=1.0, help="The learning rate.")] = 2e-3,
    width: Annotated[int, typer.Option(min=8, max=1024, metavar="N", help="Numbers in a vector, even.")] = 64,
    layers: Annotated[int, typer.Option(min=1, max=12, metavar="N", help="Layers of attention.")] = 2,
    window: Annotated[int, typer.Option(min=2, max=2000, metavar="N", help="Items of a history that count.")] = 100,
    members: Annotated[int, typer.Option(min=1, max=8, metavar="N", help="Networks that stand side by side.")] = 3,
    dropout: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share that is left out in training.")] = 0.4,
) -> None:
    """Train retrieval on what people did: the sequential model, and how much each source counts.

    Minutes on two CPU cores for 100,000 interactions. A run that was stopped goes on. New interactions move the next
    list at once without it; run it again when there are many more of them.
    """
    from agent.build import adapters_of, open_encoder, open_workspace
    from agent.errors import InputError
    from agent.generation.adapters import Adapter
    from agent.retrieval.sequence import Shape
    from agent.settings import load_settings
    from finetune.retrieval import tune
    from finetune.training import Recipe

    terminal: Terminal = ctx.obj
    if width % 2:
        raise InputError(f"--width must be even, for there are two heads; got {width}. Give {width + 1}, for example.")
    settings = upkeep.ensure_example(terminal, workspace) if example else load_settings(home=workspace)
    shape = Shape(width=width, layers=layers, window=window, dropout=dropout)
    recipe = Recipe(rate=rate, epochs=epochs, patience=patience, seed=seed)
    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        encoder = open_encoder(settings, progress)
        manifest = tune(opened, encoder, shape=shape, recipe=recipe, members=members, progress=progress)
        kept = adapters_of(opened)
        serving = kept.all().get(kept.serving or "")
    told = manifest.training
    terminal.say()
    passes = " and ".join(str(epoch) for epoch in told["best_epochs"])
    terminal.say(f"Trained on {told['interactions']:,} interactions; best after pass {passes}.")
    terminal.say(f"ndcg@10 on the held-out last choice of {told['asked']:,} people, with 95% interval:")
    for name, found in told["ndcg@10"].items():
        weight = f"weight {manifest.habit[name]:.2f}" if name in manifest.habit else "all of them"
        terminal.say(f"  {name:<12} {found['mean']:.4f} ({found['low']:.4f} to {found['high']:.4f})  {weight}")
    terminal.say("These people chose the weights and when to stop; for figures to quote, run `vouchrec evaluate`.")
    if isinstance(serving, Adapter) and serving.manifest.weight_new == serving.manifest.model_weight:
        name = serving.manifest.name
        terminal.say(f"The adapter {name} was weighed without it. To weigh it again:")
        terminal.say(f"  vouchrec finetune promote {name}{at(workspace)}")


def sft(
    ctx: typer.Context,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            "-p",
            metavar="NAME",
            help="items (if none is given; nightly with --from), cpu, gpu, demo, or a YAML file of your own.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Go on from this adapter, with what has come since it was tuned."),
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the adapter is called.")] = "tuned",
    workspace: Workspace = None,
    example: Example = False,
    epochs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Passes over all people.")] = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate of LoRA.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, metavar="N", help="Rank of LoRA.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, metavar="N", help="People in one step.")] = None,
    bits: Annotated[
        int | None, typer.Option(min=4, max=4, metavar="4", help="Hold the base model in 4 bits; needs a GPU.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="Decides every draw.")] = None,
    report_to: Annotated[
        str | None, typer.Option("--report-to", metavar="NAME", help="Curves of the run: none, tensorboard or trackio.")
    ] = None,
    said: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any name of the recipe: dora=true, 'shares={next: 1.0}'."),
    ] = None,
) -> None:
    """Tune the language model on the histories of a workspace: LoRA, and a vector for every item.

    With --from it learns only what is new and a share of what is old: for every night. A run that was stopped goes on.
    What comes out does not serve before `vouchrec finetune promote` let it through.
    """
    from agent.build import open_encoder
    from agent.errors import InputError
    from agent.progress import silent
    from agent.settings import load_settings
    from finetune.language import tune_further, tune_language
    from finetune.ready import require_ready
    from finetune.recipe import OF_START, assigned, read_config
    from finetune.several import is_first, shared_workspace

    terminal: Terminal = ctx.obj
    flags = {
        "epochs": epochs,
        "rate": rate,
        "rank": rank,
        "batch": batch,
        "bits": bits,
        "seed": seed,
        "report_to": report_to,
    }
    changes = {name: value for name, value in flags.items() if value is not None} | assigned(said or ())
    if start is not None and (given := [name for name in OF_START if name in changes]):
        raise InputError(f"{start} is tuned further, and decides {' and '.join(given)}. Leave that out.")
    config = read_config(preset or ("items" if start is None else "nightly"), changes)
    settings = upkeep.ensure_example(terminal, workspace) if example else load_settings(home=workspace)
    quiet = not is_first()  # of several processes one speaks
    shown = nullcontext(silent) if quiet else terminal.progress(keep=True)
    with shown as progress, shared_workspace(settings.home) as opened:
        require_ready(opened, name, start=start, report_to=config.report_to, bits=config.bits)
        encoder = open_encoder(settings, progress)
        if start is None:
            adapter = tune_language(opened, encoder, settings, config, name, progress)
        else:
            adapter = tune_further(opened, encoder, settings, config, start, name, progress)
    if quiet:
        return
    told = adapter.manifest.training
    terminal.say()
    if start is not None:
        terminal.say(
            f"{told['new']:,} interactions were new to {start}; log-probability of what {told['people']:,} held-out "
            f"people chose by it: {told['start']:.3f}."
        )
    if max(told["scores"]) < (chance := -math.log(len(adapter.manifest.items))):
        terminal.say(f"It ranks worse than chance would ({chance:.3f}): too little to learn from, or too high a rate.")
    _say_passes(terminal, name, told, "log-probability of what held-out people chose", workspace)


def preference(
    ctx: typer.Context,
    start: Annotated[
        str | None, typer.Option("--from", metavar="NAME", help="The adapter to begin with; else the one in service.")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the adapter is called.")] = "preferred",
    workspace: Workspace = None,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many passes over all pairs.")] = 5,
    rate: Annotated[float, typer.Option(min=1e-7, max=1.0, help="Learning rate of LoRA.")] = 1e-4,
    beta: Annotated[float, typer.Option(min=1e-3, help="How dear it is to leave what the adapter said before.")] = 1.0,
) -> None:
    """Tune an adapter on what people liked better than what: likes and dislikes of lists, and ratings far apart.

    It takes 50 pairs. A run that was stopped goes on. What comes out does not serve before `vouchrec finetune promote`
    let it through.
    """
    from agent.build import open_encoder, open_workspace
    from agent.settings import load_settings
    from finetune.preference import tune_preference
    from finetune.ready import require_ready
    from finetune.recipe import PreferenceConfig

    terminal: Terminal = ctx.obj
    settings, config = load_settings(home=workspace), PreferenceConfig(epochs=epochs, rate=rate, beta=beta)
    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        require_ready(opened, name, start=start)
        encoder = open_encoder(settings, progress)
        adapter = tune_preference(opened, encoder, settings, config, name, start, progress)
    told = adapter.manifest.training
    terminal.say()
    terminal.say(f"{told['pairs']:,} pairs, {told['said']:,} of them from what was said of lists.")
    before, after = (
        f"{share['mean']:.3f} ({share['low']:.3f} to {share['high']:.3f})"
        for share in (told["ordered_before"], told["ordered_after"])
    )
    terminal.say(
        f"Ordered rightly, of {told['apart']:,} pairs kept apart, with 95% interval: {before} by {told['from']}, "
        f"{after} by {name}. They said when to stop."
    )
    _say_passes(terminal, name, told, "log-likelihood of the pairs kept apart", workspace)


def _say_passes(terminal: Terminal, name: str, told: Mapping[str, Any], score: str, workspace: Path | None) -> None:
    passes, planned = len(told["scores"]), told["config"]["epochs"]
    best = f"best after pass {told['best']} of {passes}" + (f" ({planned} were planned)" if passes < planned else "")
    if not told["best"]:
        best = f"none of {passes} passes made it better, so it says what {told['from']} says"
    terminal.say(
        f"Tuned {name} in {told['seconds']:,} s, {told['places_per_second']:,} tokens and items a second; {best}."
    )
    for number, (loss, found) in enumerate(zip(told["losses"], told["scores"], strict=True), 1):
        terminal.say(f"  pass {number}: loss {loss:.3f}, {score} {found:.3f}")
    if not told["best"]:
        return
    terminal.say("It does not serve yet. Next:")
    terminal.say(f"  vouchrec finetune promote {name}{at(workspace)}")


def promote(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="An adapter, see `vouchrec adapters list`.")],
    people: Annotated[int, typer.Option(min=10, metavar="N", help="Held-out people who are asked, at most.")] = 1000,
    others: Annotated[
        bool, typer.Option("--other-people", help="Nobody here is among the people it was tuned on, elsewhere.")
    ] = False,
    workspace: Workspace = None,
) -> None:
    """Let an adapter serve if lists and reasons of held-out people get no worse by it; else say by how much they do.

    It is compared with what serves now; the one in service itself, with the base model alone.
    """
    from agent.build import adapters_of, open_encoder, open_workspace
    from agent.settings import load_settings
    from finetune.gate import promote as examine

    terminal: Terminal = ctx.obj
    settings = load_settings(home=workspace)
    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        adapters_of(opened).get(name)  # a name that is not there is told before anything is loaded
        encoder = open_encoder(settings, progress)
        found = examine(opened, encoder, settings, name, people, progress, others=others)
    terminal.say()
    rows = (
        ("ndcg@10", found.before, found.after, found.gain),
        ("reasons that pass at first try", found.grounded_before, found.grounded_after, found.grounded_gain),
    )
    served = "with the base model alone" if found.again else "as it serves now"
    for measure, before, after, gain in rows:
        change = f"{gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
        terminal.say(f"  {measure}: {before.mean:.4f} {served}, {after.mean:.4f} with {name}: {change}")
    if found.passed:
        serves = "goes on serving, now" if found.again else "serves from now on,"
        terminal.say(f"{name} {serves} with weight {found.weight:g}; measured on {found.people} people.")
        if settings.model_weight is not None:
            terminal.say(f"The setting model_weight counts more, though: {settings.model_weight:g} for every list.")
        return
    if found.again:
        terminal.say(
            f"By {name} {_refused(found)}. It goes on serving as it was, and nothing was written. To let the base "
            "model serve in its place:"
        )
        terminal.say(f"  vouchrec adapters use base{at(workspace)}")
    else:
        terminal.say(f"{name} is kept but does not serve: {_refused(found)}. What served before still does.")
    raise typer.Exit(1)


def _refused(found: Verdict) -> str:
    """Why the gate did not let an adapter through."""
    reasons = (
        ("the order of the lists gets no better at any weight", not found.weight > 0),
        ("the lists are worse in the mean", found.gain.mean < 0),
        ("reasons are worse, clearly", found.grounded_gain.high < 0),
    )
    return " and ".join(said for said, holds in reasons if holds)
