"""Does one reaction move the next list the way it says?

Each turn: a person (every third one new) with or without words gets a list of ten, likes or dislikes one item of it,
and gets the next list. It is compared with the list that would have come had the item only been left out: its ten items
must be more like the liked one, less like the disliked one. Likeness is measured three ways: by who likes both, by the
texts, and by shared genres; a turn moved rightly where the first two together did. An unmoved list counts as wrong.
Requests that fewer than thirty items meet are drawn again.

Runs without the language model (its weight is 0), so it takes a minute.

    python benchmarks/feedback.py --turns 500 --json feedback.json
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np
from asking import ask  # type: ignore[import-not-found]
from common import describe_run, interval, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.schema import Event, Feedback

LISTED = 10
FEWEST = 3 * LISTED  # candidates
LIKENESSES = ("people", "texts", "genres")


class Likeness:
    """How like an item the items of a list are, on average, in three ways that share no scale."""

    def __init__(self, agent: Agent) -> None:
        self._catalogue, self._transitions = agent.catalogue, agent.serving.transitions
        self._vectors = agent.lister.vectors
        self._genres = [set(item.words("genres")) for item in agent.catalogue.items]

    def of(self, item_id: str, listed: list[str]) -> np.ndarray:
        """(3,), as LIKENESSES names them."""
        place, places = self._catalogue.position[item_id], self._catalogue.positions(listed)
        own = self._genres[place]
        genres = [len(own & self._genres[p]) / max(1, len(own | self._genres[p])) for p in places]
        liked = self._transitions.liked_alike(place, 1)[places]
        return np.array([liked.mean(), (self._vectors[places] @ self._vectors[place]).mean(), np.mean(genres)])


def next_list(agent: Agent, user_id: str, words: str, excluded: set[str]) -> tuple[list[str], int]:
    """The ids of a list, without waiting for its reasons, and how many candidates there were."""
    with closing(agent.stream(user_id, None, words, LISTED, excluded=excluded)) as replies:
        reply = next(replies)
    return [r.item.item_id for r in reply.recommendations], len(reply.candidates)


def moved(
    agent: Agent, likeness: Likeness, user_id: str, words: str, event: Event, rng: np.random.Generator
) -> np.ndarray | None:
    """How far the next ten moved in the direction that the reaction states, by each likeness.

    None where so few items meet the request that the list is given by it.
    """
    listed, candidates = next_list(agent, user_id, words, set())
    if candidates < FEWEST:
        return None
    item_id = str(rng.choice(listed))
    without, _ = next_list(agent, user_id, words, {item_id})
    kept = agent.feedback(Feedback(user_id, item_id, event))
    after, _ = next_list(agent, user_id, words, set())
    agent.undo_feedback(kept)
    change = likeness.of(item_id, after) - likeness.of(item_id, without)
    return change if event == "like" else -change


def simulate(agent: Agent, turns: int, seed: int) -> list[tuple[dict[str, str], np.ndarray]]:
    """So many turns: their kind, and how far the list moved rightly."""
    rng, people, likeness = np.random.default_rng(seed), agent.workspace.store.user_ids(), Likeness(agent)
    found: list[tuple[dict[str, str], np.ndarray]] = []
    for turn in track(range(turns), description="turns"):
        new, worded = turn % 3 == 0, turn % 2 == 0
        event: Event = "like" if turn // 2 % 2 else "dislike"
        change = None
        while change is None:
            user_id = f"new-{turn}" if new else str(rng.choice(people))
            words = ask(agent.catalogue, rng).text if worded else ""
            change = moved(agent, likeness, user_id, words, event, rng)
        kind = {"event": event, "who": "new" if new else "known", "asked": "in words" if worded else "nothing"}
        found.append((kind, change))
    return found


def rightly(changes: np.ndarray) -> np.ndarray:
    """(turns, likenesses) to whether each turn moved rightly: by people and texts together, each on its own scale."""
    return (changes[:, :2] / np.maximum(changes[:, :2].std(axis=0), 1e-9)).sum(axis=1) > 0


def report(found: list[tuple[dict[str, str], np.ndarray]], path: Path | None) -> None:
    """Print a row for all and for each kind of turn, and write the JSON."""
    changes = np.array([change for _, change in found])
    right = rightly(changes)
    table = Table("turns", "n", "moved rightly", "by people", "by texts", "by genres")
    rows = {}
    for name, value in [("all", ""), *sorted({pair for kind, _ in found for pair in kind.items()})]:
        chosen = np.array([not value or kind[name] == value for kind, _ in found])
        low, high = interval(right[chosen], np.mean)
        each = (changes[chosen] > 0).mean(axis=0)
        rows[value or name] = {"n": int(chosen.sum()), "rightly": float(right[chosen].mean()), "low": low, "high": high,
                               **dict(zip(LIKENESSES, each.tolist(), strict=True))}  # fmt: skip
        table.add_row(
            value or name, f"{chosen.sum()}", f"{right[chosen].mean():.1%} ({low:.1%} to {high:.1%})",
            *(f"{share:.1%}" for share in each),
        )  # fmt: skip
    Console().print(table)
    write_json(path, {**describe_run(), "turns": rows})


def main() -> None:
    """Simulate the turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_without_model() as agent:
        report(simulate(agent, arguments.turns, arguments.seed), arguments.json)


if __name__ == "__main__":
    main()
