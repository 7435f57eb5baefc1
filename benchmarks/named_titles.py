"""Does "something like X" bring what is like X, or what is popular?

A new person, and a person of MovieLens with all their ratings, ask for "something like X" for random films X of two
genres or more. Of each list of five: the share that has two genres of X, the share with a director or an actor of X,
the mean cosine of the texts with that of X, the mean cosine of who likes them with who likes X, and the share that is
among the 50 films most people rated. The same of films drawn by chance says what is no merit of the list.

Runs without the language model (its weight is 0).

    python benchmarks/named_titles.py --films 200 --json named_titles.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_without_model, write_json  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from agent.agent import Agent
from agent.schema import Item

LISTED, POPULAR = 5, 50
FEWEST_LIKES = 5
FIGURES = ("two genres", "a name", "text cosine", "likers' cosine", "among the 50 most rated")


def drawn(agent: Agent, n: int, random: np.random.Generator) -> list[Item]:
    """So many films of two genres or more that have a title of their own."""
    able = [i for i in agent.catalogue.items if len(i.words("genres")) > 1]
    able = [i for i in able if len(agent.catalogue.same_work(i.item_id)) == 1]
    return [able[place] for place in random.permutation(len(able))[:n]]


class Likeness:
    """How like a list is to a film."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._transitions = agent.serving.transitions
        most = np.argsort(-self._transitions.popularity, kind="stable")[:POPULAR]
        self._popular = frozenset(agent.catalogue.ids[place] for place in most)

    def of(self, film: Item, listed: Sequence[Item]) -> tuple[float, ...]:
        """The `FIGURES`; NaN where nothing was listed."""
        place, places = (
            self._agent.catalogue.position[film.item_id],
            self._agent.catalogue.positions(i.item_id for i in listed),
        )
        vectors = self._agent.lister.vectors
        people = {*film.words("directors"), *film.words("cast")}
        genres = {*film.words("genres")}
        each: list[NDArray[np.float64] | list[bool]] = [
            [len(genres & {*i.words("genres")}) > 1 for i in listed],
            [bool(people & {*i.words("directors"), *i.words("cast")}) for i in listed],
            np.asarray(vectors[places] @ vectors[place], dtype=np.float64),
            self._transitions.liked_alike(place, FEWEST_LIKES)[places],
            [i.item_id in self._popular for i in listed],
        ]
        return tuple(float(np.mean(values)) if len(listed) else float("nan") for values in each)


def listed(agent: Agent, user_id: str | None, film: Item) -> list[Item]:
    """What comes for "something like" a film."""
    with closing(agent.stream(user_id, intent=f"something like {film.title}", n=LISTED)) as replies:
        reply = next(replies)
    assert film.item_id in reply.intent.likes, f"{film.title} was not understood"
    return [r.item for r in reply.recommendations]


def main() -> None:
    """Ask, measure, print means with intervals over films."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    with open_without_model() as agent:
        likeness = Likeness(agent)
        films = drawn(agent, arguments.films, random)
        people = random.permutation(agent.workspace.store.user_ids())
        rows: dict[str, list[tuple[float, ...]]] = {"new": [], "known": [], "chance": []}
        for film, person in zip(track(films, description="films"), np.resize(people, len(films)), strict=True):
            rows["new"].append(likeness.of(film, listed(agent, None, film)))
            rows["known"].append(likeness.of(film, listed(agent, str(person), film)))
            by_chance = [agent.catalogue.items[at] for at in random.permutation(len(agent.catalogue))[:LISTED]]
            rows["chance"].append(likeness.of(film, by_chance))
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for who, found in rows.items():
        figures[who] = {}
        for name, values in zip(FIGURES, np.array(found).T, strict=True):
            known = values[np.isfinite(values)]
            low, high = interval(known, np.mean)
            figures[who][name] = {"n": len(known), "mean": float(known.mean()), "low": low, "high": high}
            Console().print(f"{who:>6}  {name:<24} {known.mean():.3f} ({low:.3f} to {high:.3f})")
    write_json(arguments.json, {**describe_run(), "figures": figures})


if __name__ == "__main__":
    main()
