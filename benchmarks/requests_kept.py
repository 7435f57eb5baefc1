"""Does every item of a list have what the request asked for?

Half of the requests are written from the facts of an item (a genre, a person, a country, in many words), half from
genres and decades, wanted and refused. What must hold is known from how a request was written, not from how it was
read: an item that breaks it is a violation, whatever the parser made of the words. Moods and themes are wishes and bind
nobody. A person must have made an item or play in it: "a Spike Lee film" says not which. Runs without the language
model, which cannot change who is in the running.

    python benchmarks/requests_kept.py --requests 2000 --json out.json
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from asking import ask  # type: ignore[import-not-found]
from common import describe_run, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track

from agent.agent import Agent
from agent.schema import Item
from finetune.requests import write_request

PEOPLE = ("cast", "directors")
HARD = ("genres", *PEOPLE, "countries")  # attributes whose words are conditions, not wishes
LISTED = 10
Broken = Callable[[Item], str | None]


def main() -> None:
    """Ask, count what was broken, print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    listed = empty = 0
    violations: Counter[str] = Counter()
    with open_without_model() as agent:
        asked = requests(agent, np.random.default_rng(arguments.seed))
        for _ in track(range(arguments.requests), description="requests"):
            text, broken = next(asked)
            with closing(agent.stream(intent=text, n=LISTED)) as replies:
                items = [r.item for r in next(replies).recommendations]
            listed, empty = listed + len(items), empty + (not items)
            for item in items:
                if said := broken(item):
                    violations[f"{text}: {item.title} is {said}"] += 1
    out = Console()
    for line in violations:
        out.print(line, highlight=False, soft_wrap=True)
    out.print(
        f"{arguments.requests} requests, {listed} items listed, {empty} requests that nothing meets: "
        f"{sum(violations.values())} items break what was asked.",
        soft_wrap=True,
    )
    figures = {"requests": arguments.requests, "listed": listed, "empty": empty, "violations": list(violations)}
    write_json(arguments.json, {**describe_run(), **figures})


def requests(agent: Agent, random: np.random.Generator) -> Iterator[tuple[str, Broken]]:
    """Requests without end, each with what tells whether an item breaks it."""
    while True:
        yield _from_facts(agent, random)
        made = ask(agent.catalogue, random)
        yield made.text, made.broken_by


def _from_facts(agent: Agent, random: np.random.Generator) -> tuple[str, Broken]:
    while True:
        item = agent.catalogue.items[int(random.integers(len(agent.catalogue)))]
        written = write_request(item, agent.catalogue, random, noun=agent.noun)
        if written is not None and (facts := [fact for fact in written.facts if fact[0] in HARD]):
            return written.text, lambda listed: next((f"not {v}" for a, v in facts if not _has(listed, a, v)), None)


def _has(item: Item, attribute: str, value: str) -> bool:
    names = PEOPLE if attribute in PEOPLE else (attribute,)
    return any(value in item.words(name) for name in names)


if __name__ == "__main__":
    main()
