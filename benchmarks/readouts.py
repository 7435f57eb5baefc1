"""A bake-off: in which way does a small tuned language model say best which item comes next?

One protocol and one budget. Everyone's last interaction of MovieLens-100K is taken out and never asked for; validation
people's last but one is asked, among the same 50 candidates, retrieved by everything that serves and learned without
them. Each readout (`readout_arms.py`) tunes the same LoRA for the same seconds of processor time, by the same schedule,
with one seed. Told are NDCG@10 of the model alone and of the model added to retrieval, with the likeliest weight of the
other half of the people, and how much likelier that makes what was chosen.

    python benchmarks/readouts.py --seconds 300 --people 200 --json readouts.json

What the JSON holds already with the same settings is not run again, so it goes on where it was killed.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import describe_run, write_json  # type: ignore[import-not-found]
from readout_arms import ARMS, DEPTH, Arm, Reader  # type: ignore[import-not-found]
from readout_people import Asked, open_ground  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.ranking.scoring import standardised
from finetune.evaluate.bootstrap import interval
from finetune.fusion import likeliest
from finetune.gate import Floats, Judged, best_weight, cross_fitted, gains
from finetune.recipe import SftConfig, read_config
from ui.terminal import Terminal

WARM = 0.05  # share of the budget in which the rate rises


def main() -> None:
    """Tune, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", default=",".join(ARMS), help="of " + ", ".join(ARMS))
    parser.add_argument("--seconds", type=float, default=300, help="of processor time to tune each")
    parser.add_argument("--people", type=int, default=200, help="validation people asked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = arguments.arms.split(",")
    if unknown := set(names) - set(ARMS):
        parser.error(f"there is no arm {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}")
    settings = {"seconds": arguments.seconds, "people": arguments.people, "seed": arguments.seed}
    found = _kept(arguments.json, settings)
    with Terminal().progress(keep=True) as progress:
        ground = open_ground(arguments.seed, progress)
    asked = ground.asked(arguments.people, arguments.seed)
    for name in (name for name in names if name not in found):
        config = read_config("items", seed=arguments.seed).model_copy(update={"depth": DEPTH.get(name)})
        reader = Reader(ground, config)
        arm = ARMS[name](reader)
        spent = tuned(arm, reader, 0 if name == "untuned" else arguments.seconds)
        begun = time.process_time()
        judged = list(_judged(arm, reader, asked, name))
        found[name] = {
            **asdict(spent), "ranking": (time.process_time() - begun) / max(1, sum(j.chosen >= 0 for j in judged)),
            **figures(judged), "run": describe_run(),
        }  # fmt: skip
        write_json(arguments.json, {**settings, "arms": found})
    report({name: found[name] for name in names})


def _kept(file: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """What was run before with the same settings, by arm."""
    if file is None or not file.is_file():
        return {}
    before = json.loads(file.read_text(encoding="utf-8"))
    return dict(before["arms"]) if settings == {name: before.get(name) for name in settings} else {}


@dataclass(frozen=True, slots=True)
class Spent:
    """What tuning took and had: seconds of processor time, steps, places (tokens and items) and choices learned.

    `first` and `last` are the mean loss of the first and the last fifth of the steps; losses of unlike arms are unlike.
    """

    seconds: float = 0.0
    steps: int = 0
    people: int = 0
    places: int = 0
    choices: int = 0
    first: float | None = None
    last: float | None = None


def tuned(arm: Arm, reader: Reader, seconds: float) -> Spent:
    """Tune until so much processor time is spent; the rate rises, then falls to 0 as a cosine of what is spent."""
    if not seconds:
        return Spent()
    config, model, random = reader.config, reader.model, np.random.default_rng([reader.config.seed, 13])
    optimizer = _optimizer(model, config)
    losses: list[float] = []
    places = choices = 0
    model.train()
    begun = time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for group in optimizer.param_groups:
            group["lr"] = group["highest"] * _schedule(spent / seconds)
        people = random.integers(0, len(reader.ground), arm.batch).tolist()
        loss = 0.0
        with torch.autocast("cpu", torch.bfloat16, enabled=reader.base.dtype == torch.bfloat16):
            for n, part in enumerate(arm.parts(people, random)):
                part.loss.backward()  # type: ignore[no-untyped-call]
                loss += (float(part.loss.detach()) - loss) / (n + 1)
                places, choices = places + part.places, choices + part.choices
        for weights in (w for group in optimizer.param_groups for w in group["params"] if w.grad is not None):
            weights.grad /= n + 1
        torch.nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss)
    fifth = -(-len(losses) // 5)
    first, last = float(np.mean(losses[:fifth])), float(np.mean(losses[-fifth:]))
    return Spent(spent, len(losses), len(losses) * arm.batch, places, choices, first, last)


def _optimizer(model: Any, config: SftConfig) -> torch.optim.Optimizer:  # noqa: ANN401 - peft's model
    """AdamW as in `finetune.trainer`."""
    named = [(name, weights) for name, weights in model.named_parameters() if weights.requires_grad]
    lora = [w for n, w in named if ".items." not in n]
    items = [w for n, w in named if ".items." in n]
    groups = [
        {"params": lora, "highest": config.rate, "weight_decay": 0.0},
        {"params": items, "highest": config.item_rate, "weight_decay": 0.01},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def _schedule(share: float) -> float:
    return min(1.0, (share + 0.2 * WARM) / WARM, (1 + math.cos(math.pi * share)) / 2)


def _judged(arm: Arm, reader: Reader, asked: Sequence[Asked], name: str) -> Iterator[Judged]:
    """Both scores of everybody's candidates; whose choice is not among them has nothing to be ranked."""
    reader.serve()
    for one in track(asked, description=name):
        retrieval = standardised(one.retrieval)
        if one.chosen < 0:
            yield Judged(retrieval, np.zeros(len(retrieval)), -1)
            continue
        with torch.inference_mode():
            yield Judged(retrieval, standardised(arm.scores(one)), one.chosen)


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """Means with their intervals over people: over all, and over those whose choice is among the candidates."""
    found = np.array([one.chosen >= 0 for one in judged])
    alone = gains(judged, 0.0)
    model = gains([replace(one, retrieval=0 * one.retrieval) for one in judged], 1.0)
    together = cross_fitted(judged)
    told = {"retrieval": alone, "model": model, "together": together, "gain": together - alone}
    return {
        "found": int(found.sum()),
        "weight": best_weight(judged),
        "all": {name: interval(values).as_dict() for name, values in told.items()},
        "of found": {name: interval(values[found]).as_dict() for name, values in told.items()},
        "likelier": interval(likelier([one for one in judged if one.chosen >= 0])).as_dict(),
    }


def likelier(judged: Sequence[Judged]) -> Floats:
    """(people,): log-probability of what was chosen by retrieval and the model, less that by retrieval alone.

    Both are conditional logits over the candidates, fitted on the other half of the people. It says with fewer people
    than NDCG@10 needs whether a model knows something that retrieval does not.
    """
    both = [np.stack([one.retrieval, one.model], axis=1) for one in judged]
    chosen = [one.chosen for one in judged]
    found = np.zeros(len(judged))
    halves = np.arange(len(judged)) % 2
    for columns, sign in ((slice(0, 2), 1), (slice(0, 1), -1)):
        features = [values[:, columns] for values in both]
        for half in (0, 1):
            others, these = np.flatnonzero(halves != half), np.flatnonzero(halves == half)
            weights = likeliest([features[n] for n in others], [chosen[n] for n in others])
            for n in these:
                utility = features[n] @ weights
                found[n] += sign * (utility[chosen[n]] - np.logaddexp.reduce(utility))
    return found


def report(found: dict[str, Any]) -> None:
    """Print the table."""
    first = next(iter(found.values()))
    retrieval = first["all"]["retrieval"]["mean"], first["of found"]["retrieval"]["mean"]
    table = Table(
        title=f"retrieval alone: NDCG@10 {retrieval[0]:.4f}, where found ({first['found']}) {retrieval[1]:.4f}"
    )
    for column in ("arm", "places", "choices", "s/list", "alone", "found", "together", "gain", "likelier", "weight"):
        table.add_column(column, justify="right")
    for name, one in found.items():
        everyone = one["all"]
        table.add_row(
            name, f"{one['places']:,}", f"{one['choices']:,}", f"{one['ranking']:.2f}",
            f"{everyone['model']['mean']:.4f}", f"{one['of found']['model']['mean']:.4f}",
            f"{everyone['together']['mean']:.4f}", _signed(everyone["gain"]), _signed(one["likelier"]),
            f"{one['weight']:g}",
        )  # fmt: skip
    Console(width=160).print(table)


def _signed(told: dict[str, float]) -> str:
    return f"{told['mean']:+.4f} ({told['low']:+.4f} to {told['high']:+.4f})"


if __name__ == "__main__":
    main()
