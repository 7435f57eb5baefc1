"""How much should the model count? Chosen on validation people, never on test people.

Every person's last interaction is put aside (it is for testing) and never looked at; the last but one is what should be
found. Behaviour is learned without both, for everyone. Ties in time are broken by a seeded shuffle. For people whose
item is among the candidates and for all, NDCG@10 by weight, with a paired bootstrap interval of the gain over weight 0.

    python benchmarks/fusion_weight.py --people 300 --json out.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_example  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.ranking.scoring import final_scores
from agent.retrieval.base import Query
from agent.retrieval.fusion import fuse
from agent.retrieval.transitions import Transitions
from agent.schema import Intent, Profile

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


def split(agent: Agent, seed: int) -> tuple[Transitions, dict[str, tuple[list[int], int]]]:
    """Behaviour without the last two of everyone, and by person (history before them, the last but one)."""
    columns = agent.workspace.store.interaction_columns()
    shuffled = np.random.default_rng(seed).random(len(columns))
    order = np.lexsort((shuffled, columns.timestamps, columns.users))
    users = columns.users[order]
    last = np.flatnonzero(np.append(users[1:] != users[:-1], True))
    held = np.zeros(len(order), dtype=bool)
    held[last] = held[last - 1] = True
    kept = order[~held]
    fields = ("users", "items", "events", "values", "timestamps")
    training = replace(columns, **{name: getattr(columns, name)[kept] for name in fields})
    # Learning sorts by time and keeps the given order within ties: the shuffle must decide, so time becomes a rank.
    training = replace(training, timestamps=np.arange(len(kept), dtype=np.float64))
    items = columns.items[order]
    people = {}
    for row in last:
        start = int(np.searchsorted(users, users[row]))
        history = [int(i) for i in items[start : row - 1]]
        if history:
            people[columns.user_ids[users[row]]] = (history, int(items[row - 1]))
    return Transitions.learn(training), people


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
    with open_example() as agent:
        behaviour, people = split(agent, arguments.seed)
        chosen = sorted(people)
        np.random.default_rng(arguments.seed).shuffle(chosen)
        sources = (behaviour, *agent.lister.sources[1:])
        ranks: dict[float, list[int]] = {w: [] for w in WEIGHTS}
        alone: list[int] = []
        for user_id in track(chosen[: arguments.people], description="people"):
            history, target = people[user_id]
            allowed = np.ones(len(agent.catalogue), dtype=bool)
            allowed[history] = False
            query = Query(np.array(history), "", "", "", (), allowed, 0.5)
            fused = fuse(sources, query, agent.settings.candidates)
            place = np.flatnonzero(fused.positions == target)
            if not len(place):
                for w in WEIGHTS:
                    ranks[w].append(0)
                alone.append(0)
                continue
            ids = tuple(agent.catalogue.ids[p] for p in history)
            prompt = agent._rank_prompt(Profile(history=ids), Intent())
            titles = agent.generator.score(
                agent.generator.read(prompt), [agent.lister.titles[p] for p in fused.positions]
            )
            alone.append(_rank(titles.mean, int(place[0])))
            for w in WEIGHTS:
                ranks[w].append(_rank(final_scores(fused.score, titles, w), int(place[0])))
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
    console.print(f"Best on validation: {best:g}. The setting in force: {agent.settings.model_weight:g}.")
    if arguments.json:
        arguments.json.write_text(json.dumps({**describe_run(), "weights": rows, "best": best}, indent=2))


if __name__ == "__main__":
    main()
