"""Do people get to something they really like in fewer turns when they say what they think of the lists?

Simulated people of whom nothing was learned: a tenth of MovieLens-100K for the test, and another to choose by. Each
one's ratings are cut in two by time. They look for what they rated high in the later half; they know what they rated in
the earlier half, and nothing else. Each turn lists five items that were not listed before. A list with something that
they look for is a hit, and ends it. Else they say like, dislike or seen of the items that they know, truthfully, and
nothing of the others; the same person without feedback just asks for more. Nobody who looks for nothing is asked.

Runs without the language model (its weight is 0): about a minute for each seed.

    python benchmarks/conversations.py --seeds 5 --json conversations.json
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent import build
from agent.agent import Agent
from agent.schema import Event, Feedback, Interaction
from agent.workspace.workspace import Workspace
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import make_split

LISTED = 5
HIGH, LOW = 4, 2  # stars


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who looks for `goals`, and knows how they rated what is in `past`; both halves are oldest first."""

    user_id: str
    past: tuple[Interaction, ...]
    goals: frozenset[str]


def people_of(agent: Agent, part: str, seed: int) -> list[Person]:
    """The withheld people of one part of the split, "validation" or "test"."""
    dataset = from_store(agent.workspace.store, "example")
    split = make_split(dataset, "cold-people-0", seed)
    found = []
    for user in getattr(split, part).known.users:
        rated = agent.workspace.store.interactions(dataset.user_ids[user])
        half = len(rated) // 2
        goals = frozenset(i.item_id for i in rated[half:] if (i.value or 0) >= HIGH)
        if goals:
            found.append(Person(dataset.user_ids[user], tuple(rated[:half]), goals))
    return found


@contextmanager
def without(agent: Agent, seed: int) -> Iterator[Agent]:
    """An agent over the same catalogue that has never met the withheld people."""
    store = agent.workspace.store
    dataset = from_store(store, "example")
    learned = {dataset.user_ids[u] for u in make_split(dataset, "cold-people-0", seed).training.users}
    with tempfile.TemporaryDirectory(prefix="vouchrec-") as folder:
        workspace = Workspace.create(Path(folder) / "workspace")
        workspace.store.put_attribute_types(store.attribute_types())
        workspace.store.put_items(store.items())
        workspace.store.put_interactions(i for u in store.user_ids() if u in learned for i in store.interactions(u))
        workspace.store.set_meta(build._COMPLETE, True)
        shutil.copy(agent.workspace.cache / "vectors.npz", workspace.cache / "vectors.npz")
        with Agent(workspace, agent.settings, build.open_encoder(agent.settings), agent.generator) as other:
            yield other


def turns_to_hit(agent: Agent, person: Person, most: int, *, feedback: bool, known: int) -> int:
    """How many lists until one has something that the person looks for; most + 1 where none has."""
    user_id = f"{person.user_id}-{feedback}-{known}"
    agent.workspace.store.put_interactions(
        Interaction(user_id, i.item_id, i.event, i.value, i.timestamp) for i in person.past[:known]
    )
    rated = {i.item_id: i.value or 0 for i in person.past}
    shown: set[str] = set()
    for turn in range(1, most + 1):
        with closing(agent.stream(user_id, n=LISTED, excluded=shown)) as replies:
            listed = [r.item.item_id for r in next(replies).recommendations]
        if person.goals & set(listed):
            return turn
        shown |= set(listed)
        for item_id in listed if feedback else ():
            if item_id in rated:
                event: Event = "like" if rated[item_id] >= HIGH else "dislike" if rated[item_id] <= LOW else "seen"
                agent.feedback(Feedback(user_id, item_id, event))
    return most + 1


def simulate(agent: Agent, part: str, seeds: int, known: int, most: int) -> np.ndarray:
    """(people, 2): turns to a hit without and with feedback, of the withheld people of all seeds."""
    found = []
    for seed in range(seeds):
        with without(agent, seed) as other:
            for person in track(people_of(agent, part, seed), description=f"seed {seed}, {known} known"):
                pair = [turns_to_hit(other, person, most, feedback=said, known=known) for said in (False, True)]
                found.append(pair)
    return np.array(found)


def main() -> None:
    """Simulate the people, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="splits, each with other people")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--turns", type=int, default=10, help="at most; a search without a hit counts one more")
    parser.add_argument(
        "--known", type=int, nargs="+", default=[0, 5], help="ratings that are known before the first turn"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    table = Table("known before", "n", "turns without", "turns with", "difference (95% interval)", "no hit")
    rows = {}
    with open_without_model() as agent:
        for known in arguments.known:
            turns = simulate(agent, arguments.part, arguments.seeds, known, arguments.turns)
            change = turns[:, 1] - turns[:, 0]
            (before, after), (low, high) = turns.mean(axis=0), interval(change, np.mean)
            missed = (turns > arguments.turns).mean(axis=0)
            rows[known] = {"n": len(turns), "without": before, "with": after, "low": low, "high": high,
                           "missed": missed.tolist()}  # fmt: skip
            table.add_row(
                str(known), str(len(turns)), f"{before:.2f}", f"{after:.2f}",
                f"{change.mean():+.2f} ({low:+.2f} to {high:+.2f})", f"{missed[0]:.1%}, {missed[1]:.1%}",
            )  # fmt: skip
    Console().print(table)
    write_json(arguments.json, {**describe_run(), "part": arguments.part, "known": rows})


if __name__ == "__main__":
    main()
