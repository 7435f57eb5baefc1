"""How fast the CPU recipe tunes, beside the loop that one would write first.

The plain loop: one target an example, examples padded to the longest of their batch, every layer for every target,
attention as the model brings it. Ours: the recipe of `vouchrec finetune sft --preset cpu`. Both read the same people
with the same LoRA on the same model, in turns, and are told in places (tokens and items; filling does not count) and in
targets (what the loss falls on) a second, forward and backward and step.

    python benchmarks/tuning_speed.py --rounds 5 --json out.json
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from common import describe_run, interval, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table

from agent.assets import language_model
from agent.build import open_encoder
from agent.generation.chat import Chat
from agent.generation.loading import load_model
from agent.workspace.catalogue import Catalogue
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import hold_out_last
from finetune.examples import NONE, UNREAD, Example, Examples, of_like_length, padded
from finetune.explained import Explained
from finetune.recipe import SftConfig, read_config
from finetune.retrieval import ASKED, transitions_of
from finetune.sft import with_lora


def main() -> None:
    """Time both in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="batches a round")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = read_config(arguments.preset)
    with open_example() as agent:
        vectors = agent.workspace.vectors(open_encoder(agent.settings))[1]
        dataset = from_store(agent.workspace.store, "example")
        training, _ = hold_out_last(dataset, config.seed, ASKED)
        folder = language_model(agent.settings.model, agent.settings.cache)
        catalogue = Catalogue(dataset.catalogue, dataset.attribute_types)
        explained = Explained(catalogue, training, transitions_of(training, dataset), agent.noun)
        chat = Chat(load_model(folder)[1])
        examples = Examples(
            catalogue, training, chat, agent.prompts, explained,
            noun=agent.noun, shares=config.shares, window=config.window, seed=config.seed,
        )  # fmt: skip
        plain = config.model_copy(update={"depth": None})
        steps = {
            "plain": _step(folder, vectors, plain, chat.end, lambda batch: [_one_target(e) for e in batch], whole=True),
            "ours": _step(folder, vectors, config, chat.end, lambda batch: batch, whole=False),
        }
        random = np.random.default_rng(config.seed)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
        for round_ in range(arguments.rounds + 1):
            people = random.integers(0, len(examples), (arguments.steps, config.batch))
            for name, step in steps.items():
                speed = _speed(step, [[examples.draw(round_, int(p)) for p in batch] for batch in people])
                if round_:  # the first warms up
                    found[name].append(speed)
    report({name: np.array(speeds) for name, speeds in found.items()}, arguments.json)


def _one_target(example: Example) -> Example:
    """The same example with a loss on its end alone."""
    next_items = np.full(len(example), NONE)
    places = np.flatnonzero(example.next_items != NONE)
    next_items[places[-1]] = example.next_items[places[-1]]
    return Example(example.task, example.tokens, example.items, next_items, example.next_tokens)


def _step(
    folder: Path,
    texts: np.ndarray,
    config: SftConfig,
    end: int,
    seen: Callable[[list[Example]], list[Example]],
    *,
    whole: bool,
) -> Callable[[list[Example]], tuple[int, int]]:
    """A function that learns from one batch and says how many places and targets it had."""
    base, _ = load_model(folder)
    attention = base.config._attn_implementation
    model = with_lora(base, torch.from_numpy(texts), torch.zeros(len(texts), dtype=torch.bool), config)
    if whole:
        base.set_attn_implementation(attention)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], config.rate)

    def step(batch: list[Example]) -> tuple[int, int]:
        given = seen(batch)
        groups = [given] if whole else of_like_length(given)
        parts = [{n: torch.from_numpy(v) for n, v in padded(group, end).items()} for group in groups]
        with torch.autocast("cpu", torch.bfloat16, enabled=base.dtype == torch.bfloat16):
            loss = model(parts=parts)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        targets = sum(int((e.next_items != NONE).sum() + (e.next_tokens != UNREAD).sum()) for e in given)
        return sum(map(len, given)), targets

    return step


def _speed(step: Callable[[list[Example]], tuple[int, int]], batches: list[list[Example]]) -> tuple[float, float]:
    """Places and targets a second."""
    begun = time.perf_counter()
    places, targets = np.sum([step(batch) for batch in batches], axis=0)
    taken = time.perf_counter() - begun
    return places / taken, targets / taken


def report(found: dict[str, np.ndarray], file: Path | None) -> None:
    """Print medians and ratios with their intervals over rounds, write the JSON."""
    table = Table("", "plain", "ours", "ratio (95% interval)")
    figures = {}
    for column, name in enumerate(("places a second", "targets a second")):
        plain, ours = (found[side][:, column] for side in ("plain", "ours"))
        low, high = interval(ours / plain)
        ratio = float(np.median(ours / plain))
        medians = float(np.median(plain)), float(np.median(ours))
        figures[name] = {"plain": medians[0], "ours": medians[1], "ratio": ratio, "low": low, "high": high}
        table.add_row(name, f"{medians[0]:.0f}", f"{medians[1]:.0f}", f"{ratio:.2f} ({low:.2f} to {high:.2f})")
    Console().print(table)
    write_json(file, {**describe_run(), **figures})


if __name__ == "__main__":
    main()
