"""How good is the first list for somebody of whom 0, 1, 3 or 5 ratings are known, or who answers a few questions?

A tenth of the people of MovieLens-100K is never learned from (`cold-people-K` of `finetune.evaluate.splits`); the next
ten items that they came to are to be found. NDCG@10 and the share of lists with a hit, on five splits with other people
each, as retrieval without training serves them: what people did next, popularity for short histories, and texts.

Openers are asked after in the same way: ten items are shown, the person says truthfully what they think of those that
they rated at any time, but for the ten to be found; then comes the list. Compared are the openers of `agent.openers`,
the most popular items, and random ones.

    python benchmarks/cold_people.py --seeds 5 --json cold_people.json
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.openers import openers
from agent.retrieval.base import Query
from agent.retrieval.fusion import fuse
from agent.retrieval.likeness import Likeness
from agent.retrieval.reactions import Reactions
from agent.retrieval.transitions import Transitions
from finetune.evaluate.data import Dataset, from_store
from finetune.evaluate.splits import Split, make_split
from finetune.retrieval import query_of, transitions_of

KNOWN = (0, 1, 3, 5)
ASKED = 10  # openers
LISTED = 10
HIGH, LOW = 4, 2  # stars

Figures = dict[str, list[tuple[float, float]]]


def gains(listed: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """NDCG@10 and whether there is a hit; `listed` is best first."""
    hits = np.isin(listed[:LISTED], targets)
    ideal = (1 / np.log2(np.arange(min(LISTED, len(targets))) + 2)).sum()
    return float((hits / np.log2(np.arange(len(hits)) + 2)).sum() / ideal), float(hits.any())


class Retrieval:
    """What an agent would list, had it learned from the training people alone."""

    def __init__(self, agent: Agent, dataset: Dataset, split: Split) -> None:
        self.agent = agent
        self.transitions: Transitions = transitions_of(split.training, dataset)
        meaning = next(source for source in agent.lister.sources if source.name == "semantic")
        self._reactions = Reactions(
            Likeness(self.transitions, agent.lister.vectors), agent._encoder, agent.lister.vectors
        )
        self._sources = (self.transitions, meaning, self._reactions)

    def listed(self, query: Query) -> np.ndarray:
        """The positions of a list, best first."""
        return fuse(self._sources, query, LISTED, self.agent.lister.weights).positions

    def questions(self, rng: np.random.Generator) -> Mapping[str, np.ndarray]:
        """The positions of ASKED items to ask a new person about, in three ways."""
        catalogue = self.agent.catalogue
        everything = np.ones(len(catalogue), dtype=bool)
        chosen = openers(catalogue, self.transitions, self.agent.lister.vectors, everything, ASKED)
        return {
            "openers": catalogue.positions(item.item_id for item in chosen),
            "most popular": np.argsort(-self.transitions.popularity, kind="stable")[:ASKED],
            "random": rng.choice(len(catalogue), ASKED, replace=False),
        }


def answered(agent: Agent, asked: np.ndarray, ratings: Mapping[int, float]) -> Query:
    """What is asked of retrieval after the person said what they think of these items."""
    rated = [int(place) for place in asked if int(place) in ratings]
    felt = [(place, 1 if ratings[place] >= HIGH else -1) for place in rated if not LOW < ratings[place] < HIGH]
    history = np.array([place for place in rated if (place, -1) not in felt], dtype=np.int64)
    query = query_of(agent.catalogue, history, np.arange(len(history), dtype=np.float64))
    query.allowed[asked] = False
    return Query(query.history, query.times, "", "", "", (), query.allowed, 1.0, tuple(felt))


def measure(agent: Agent, part: str, seeds: int) -> tuple[Figures, Figures]:
    """NDCG@10 and hits of every person, by how much is known of them, and by what they were asked."""
    dataset = from_store(agent.workspace.store, "example")
    by_known: Figures = defaultdict(list)
    by_question: Figures = defaultdict(list)
    for seed in track(range(seeds), description="splits"):
        for known in KNOWN:
            split = make_split(dataset, f"cold-people-{known}", seed)
            retrieval, cases = Retrieval(agent, dataset, split), getattr(split, part)
            asked = zip(cases.known.histories, cases.known.times, cases.targets, strict=True)
            for history, times, targets in asked:
                found = retrieval.listed(query_of(agent.catalogue, history, times))
                by_known[f"{known} known"].append(gains(found, targets))
            if known == 0:
                questions = retrieval.questions(np.random.default_rng(seed))
                for user, targets in zip(cases.known.users, cases.targets, strict=True):
                    own = dataset.users == user
                    rows = zip(dataset.items[own].tolist(), dataset.values[own].tolist(), strict=True)
                    ratings = {item: value for item, value in rows if item not in set(targets.tolist())}
                    for name, places in questions.items():
                        kept = np.setdiff1d(places, targets, assume_unique=True)
                        by_question[name].append(gains(retrieval.listed(answered(agent, kept, ratings)), targets))
    return by_known, by_question


def main() -> None:
    """Measure, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_without_model() as agent:
        found = measure(agent, arguments.part, arguments.seeds)
    figures: dict[str, dict[str, object]] = {}
    for title, rows in zip(("of whom is known", f"after {ASKED} questions"), found, strict=True):
        table = Table(title, "n", "NDCG@10 (95% interval)", "a hit in the list (95% interval)")
        for name, values in rows.items():
            told = [(float(v.mean()), *interval(v, np.mean, draws=2000)) for v in np.array(values).T]
            figures[name] = {"n": len(values), "ndcg@10": told[0], "hit": told[1]}
            table.add_row(
                name, str(len(values)), *(f"{mean:.3f} ({low:.3f} to {high:.3f})" for mean, low, high in told)
            )
        Console().print(table)
    write_json(arguments.json, {**describe_run(), "part": arguments.part, "figures": figures})


if __name__ == "__main__":
    main()
