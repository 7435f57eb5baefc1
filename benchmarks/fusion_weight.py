"""How much should the model count? Chosen on validation people, never on test people.

Every person's last interaction is put aside (it is for testing) and never looked at; the last but one is what should be
found. Retrieval learns without both, for everyone; these people also said when its training stops and how much each
source counts, so what the model adds is rather too small than too large. Ties in time are broken by a seeded shuffle.
NDCG@10 by weight, over all people and over those whose item is a candidate, with a paired interval of the gain over 0.

    python benchmarks/fusion_weight.py --people 300 --json out.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_example  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.build import open_encoder
from agent.ranking.scoring import final_scores
from agent.retrieval.fusion import fuse
from agent.schema import Intent, Profile
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import make_split
from finetune.retrieval import learn_retrieval, query_of
from finetune.training import Recipe
from ui.terminal import Terminal

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


def gains(ranks: np.ndarray) -> np.ndarray:
    """NDCG@10 with one relevant item, by rank from 1; rank 0 means not among the candidates."""
    return np.where((ranks > 0) & (ranks <= 10), 1 / np.log2(np.maximum(ranks, 1) + 1), 0.0)


def main() -> None:
    """Score the people, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_example() as agent, tempfile.TemporaryDirectory() as indexes:
        vectors = agent.workspace.vectors(encoder := open_encoder(agent.settings))[1]
        dataset = replace(from_store(agent.workspace.store, "example"), vectors=vectors)
        split = make_split(dataset, "leave-one-out", arguments.seed)
        kept = agent.settings.cache / "benchmarks"
        with Terminal().progress(keep=True) as progress:
            learned = learn_retrieval(
                dataset, encoder, split.training, split.validation, indexes=Path(indexes),
                recipe=Recipe(seed=arguments.seed), folder=kept, progress=progress,
            )  # fmt: skip
        cases = split.sampled(arguments.people).validation
        ranks: dict[float, list[int]] = {w: [] for w in WEIGHTS}
        alone: list[int] = []
        asked = zip(cases.known.histories, cases.known.times, cases.targets, strict=True)
        for history, times, targets in track(asked, description="people", total=len(cases)):
            query = query_of(agent.catalogue, history, times)
            fused = fuse(learned.sources, query, agent.settings.candidates, learned.weights)
            place = np.flatnonzero(fused.positions == targets[0])
            if not len(place):
                for found in (*ranks.values(), alone):
                    found.append(0)
                continue
            ids = tuple(agent.catalogue.ids[p] for p in history)
            rank, recent = agent.prompts.get("rank"), agent.settings.history_in_prompt
            prompt = agent.lister.prompt(rank, Profile(history=ids), Intent(), recent, agent.noun)
            titles = agent.generator.score(
                agent.generator.read(prompt), [agent.lister.titles[p] for p in fused.positions]
            )
            alone.append(_rank(titles.mean, int(place[0])))
            for w in WEIGHTS:
                ranks[w].append(_rank(final_scores(fused.score, titles.mean, w), int(place[0])))
        learned.close()
        report(agent, arguments, {w: np.array(r) for w, r in ranks.items()}, np.array(alone))


def _rank(scores: np.ndarray, place: int) -> int:
    return int((scores > scores[place]).sum()) + 1


def report(agent: Agent, arguments: argparse.Namespace, ranks: dict[float, np.ndarray], alone: np.ndarray) -> None:
    """Print the table, name the best weight, write the JSON."""
    found = ranks[0.0] > 0
    table = Table(title=f"Validation people: {len(found)}; item among {agent.settings.candidates}: {found.mean():.3f}")
    for column in ("model weight", "NDCG@10", "NDCG@10, item among candidates", "gain over 0 (95% interval)"):
        table.add_column(column, justify="right")
    base = gains(ranks[0.0])
    rows = {}
    for w, r in ranks.items():
        value = gains(r)
        low, high = interval(value - base, np.mean, draws=2000)
        rows[w] = {"ndcg@10": float(value.mean()), "conditional": float(value[found].mean()), "low": low, "high": high}
        gain = f"{(value - base).mean():+.4f} ({low:+.4f} to {high:+.4f})"
        table.add_row(f"{w:g}", f"{value.mean():.4f}", f"{value[found].mean():.4f}", gain)
    table.add_row("model alone", f"{gains(alone).mean():.4f}", f"{gains(alone)[found].mean():.4f}", "")
    best = max(rows, key=lambda w: rows[w]["ndcg@10"])
    console = Console()
    console.print(table)
    console.print(f"Best on validation: {best:g}. The setting in force: {agent.model_weight:g}.")
    if arguments.json:
        arguments.json.write_text(json.dumps({**describe_run(), "weights": rows, "best": best}, indent=2))


if __name__ == "__main__":
    main()
