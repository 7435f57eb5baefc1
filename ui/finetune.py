"""Learning from a workspace: `vouchrec finetune behaviour`."""

from __future__ import annotations

from typing import Annotated

import typer

from ui import upkeep
from ui.options import Example, Workspace
from ui.terminal import Terminal


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
    from agent.build import open_encoder, open_workspace
    from agent.errors import InputError
    from agent.retrieval.sequence import Shape
    from agent.settings import load_settings
    from finetune.behaviour import Recipe
    from finetune.retrieval import tune

    terminal: Terminal = ctx.obj
    if width % 2:
        raise InputError(f"--width must be even, for there are two heads; got {width}. Give {width + 1}, for example.")
    settings = upkeep.ensure_example(terminal, workspace) if example else load_settings(home=workspace)
    shape = Shape(width=width, layers=layers, window=window, dropout=dropout)
    recipe = Recipe(rate=rate, epochs=epochs, patience=patience, seed=seed)
    with terminal.progress(keep=True) as progress, open_workspace(settings.home) as opened:
        encoder = open_encoder(settings, progress)
        manifest = tune(opened, encoder, shape=shape, recipe=recipe, members=members, progress=progress)
    told = manifest.training
    terminal.say()
    passes = " and ".join(str(epoch) for epoch in told["best_epochs"])
    terminal.say(f"Trained on {told['interactions']:,} interactions; best after pass {passes}.")
    terminal.say(f"ndcg@10 on the held-out last choice of {told['asked']:,} people, with 95% interval:")
    for name, found in told["ndcg@10"].items():
        weight = f"weight {manifest.habit[name]:.2f}" if name in manifest.habit else "all of them"
        terminal.say(f"  {name:<12} {found['mean']:.4f} ({found['low']:.4f} to {found['high']:.4f})  {weight}")
    terminal.say("These people chose the weights and when to stop; for figures to quote, run `vouchrec evaluate`.")
