"""Is a cited item of the history really why the recommendation is there? Left out, does it fall?

Random people of the example, without a request in words: the list is retrieval's own, and each reason is planned as
in a turn. For every recommendation whose reason cites an item of the history, that item is left out and retrieval runs
again; as a control the same is done with an item drawn from those that could have been cited and were not. Two figures,
each the mean over turns of the share of recommendations: whose score falls, and whose place gets worse. `--any` plans
reasons that cite whatever is true, without asking what lifted the item: what that asking is worth.

    python benchmarks/sensitivity.py --turns 200 --json out.json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from asking import understood  # type: ignore[import-not-found]
from common import describe_run, interval, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.explaining.factors import without
from agent.explaining.sensitivity import lifts, standings
from agent.justification.evidence import Facts, gather
from agent.justification.planning import plan_list
from agent.retrieval.fusion import fuse
from agent.schema import Candidate, Intent, Profile

Fell = tuple[bool, bool]  # the score, the place


def retrieved(agent: Agent, user_id: str, n: int) -> tuple[Profile, Intent, np.ndarray, list[str]]:
    """A turn by retrieval alone: who, what was asked, what may come, and the ids of the list."""
    profile, intent, query = understood(agent, user_id, "", n)
    fused = fuse(agent.lister.sources, query, agent.settings.candidates, agent.lister.weights)
    items = agent.catalogue.items
    candidates = [Candidate(items[p], {"final": float(s)}) for p, s in zip(fused.positions, fused.score, strict=True)]
    chosen = agent.lister.varied(candidates, n, agent.settings.diversity)
    return profile, intent, query.allowed, [c.item.item_id for c in chosen]


def fallen(
    agent: Agent, user_id: str, n: int, by_lift: bool, random: np.random.Generator
) -> Iterator[tuple[Fell, Fell]]:
    """For each item of the history that a reason cites: what leaving out that item, and another one, does."""
    profile, intent, allowed, ids = retrieved(agent, user_id, n)
    stages = agent.stages()
    facts = Facts(agent.catalogue, stages.serving.transitions, profile, intent, agent.noun)
    if by_lift:
        facts = replace(facts, lifts=lifts(ids, facts.anchors, profile, intent, stages, allowed))
    items = [agent.catalogue.get(i) for i in ids]
    plans = plan_list(items, [gather(item, facts) for item in items], agent.noun, agent.catalogue)
    before = standings(ids, profile, intent, stages, allowed)

    def fell(row: int, left_out: str) -> Fell:
        after = standings([ids[row]], *without(left_out, profile, intent), stages, allowed)[0]
        return after.score < before[row].score, after.place > before[row].place

    for row, plan in enumerate(plans):
        cited = {i for e in plan.facts for i in e.item_ids}
        others = [i for i in (*facts.liked, *facts.watched) if i not in cited]
        for one in sorted(cited) if others else ():
            yield fell(row, one), fell(row, str(random.choice(others)))


def main() -> None:
    """Leave out, compare, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--any", action="store_true", help="cite whatever is true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    shares: list[list[float]] = []
    recommendations = 0
    with open_example() as agent:
        people = random.permutation(agent.workspace.store.user_ids())[: arguments.turns]
        for user_id in track(people, description="turns", console=Console(stderr=True)):
            found = list(fallen(agent, str(user_id), arguments.n, not arguments.any, random))
            recommendations += len(found)
            if found:
                shares.append(np.mean(np.array(found, dtype=float), axis=0).ravel().tolist())
        report(agent, arguments, np.array(shares), recommendations)


def report(agent: Agent, arguments: argparse.Namespace, shares: np.ndarray, recommendations: int) -> None:
    """Print the table, write the JSON; `shares` is (turns, 4): cited score and place, control score and place."""
    table = Table(title=f"{len(shares)} turns, {recommendations} recommendations that cite an item of the history")
    for column in ("left out", "score falls (95% interval)", "place gets worse (95% interval)"):
        table.add_column(column, justify="right")
    figures = {}
    columns = {"cited": shares[:, :2], "uncited": shares[:, 2:], "difference": shares[:, :2] - shares[:, 2:]}
    for name, values in columns.items():
        row = {
            kind: {"mean": float(value.mean()), "interval": interval(value, np.mean)}
            for kind, value in zip(("score", "place"), values.T, strict=True)
        }
        figures[name] = row
        told = (f"{f['mean']:.3f} ({f['interval'][0]:.3f} to {f['interval'][1]:.3f})" for f in row.values())
        table.add_row(name, *told)
    Console().print(table)
    sources = [source.name for source in agent.lister.sources]
    write_json(
        arguments.json,
        {**describe_run(), "turns": len(shares), "recommendations": recommendations, "sources": sources, **figures},
    )


if __name__ == "__main__":
    main()
