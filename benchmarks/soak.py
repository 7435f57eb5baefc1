"""Does every promise hold, reply after reply? Random people, words, counts, strategies and hostile text; all checked.

Each request is drawn from (seed, number) alone, so a failing one is repeated with `--first NUMBER --requests 1`. The
exit code is 1 when anything failed. What is checked is in benchmarks/promises.py.

    python benchmarks/soak.py --requests 1000 --json out.json
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from asking import HOSTILE, ask  # type: ignore[import-not-found]
from common import describe_run, median_and_p95, open_example, write_json  # type: ignore[import-not-found]
from promises import KINDS, Drawn, faults  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.agent import Agent
from agent.errors import InputError

EXAMPLES = 50  # kept in the JSON


@dataclass(slots=True)
class Tally:
    """What has been found so far."""

    failures: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    phrased: Counter[str] = field(default_factory=Counter)
    list_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    done: int = 0
    items: int = 0
    empty: int = 0
    refused: int = 0

    def add(self, drawn: Drawn, kind: str, detail: str) -> None:
        """Count a failure, and keep it as an example while there is room."""
        self.failures[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {detail} ({drawn})")

    def __str__(self) -> str:
        told = max(1, sum(self.phrased.values()))
        times = f"{np.median(self.list_ms):,.0f} ms" if self.list_ms else "none yet"
        share = self.phrased["model"] / told
        return f"{sum(self.failures.values())} failures, {share:.0%} by the model, list {times}"


def draw(agent: Agent, people: list[str], number: int, seed: int) -> Drawn:
    """A third ask in words, a tenth are hostile, a tenth let the model spell titles, some carry conditions."""
    random = np.random.default_rng((seed, number))
    # One in twenty is a guest, one in twenty somebody whom the store does not know.
    whom = random.random()
    user_id = None if whom < 0.05 else "nobody knows me" if whom < 0.1 else str(random.choice(people))
    kind = random.random()
    asked = ask(agent.catalogue, random) if kind < 1 / 3 else None
    hostile = str(HOSTILE[int(random.integers(len(HOSTILE)))]) if kind > 0.9 else ""
    where: dict[str, Any] | None = None
    if random.random() < 0.1:
        genre = str(random.choice(sorted(agent.catalogue.vocabulary["genres"].values())))
        where = {"genres": genre, "year": {">=": int(random.integers(1940, 1998))}}
    return Drawn(
        number,
        user_id,
        asked.text if asked else hostile,
        asked,
        where,
        int(random.choice([1, 2, 3, 5, 5, 5, 8, 10, 20])),
        "generate" if random.random() < 0.1 else "score",
    )


def ask_once(agent: Agent, drawn: Drawn, tally: Tally) -> None:
    """One request, and every check of its reply."""
    too_long = len(drawn.text) > agent.settings.max_message_chars
    try:
        reply = agent.recommend(
            drawn.user_id, intent=drawn.text, n=drawn.n, where=drawn.where, strategy=drawn.strategy
        )  # fmt: skip
    except InputError as error:
        tally.refused += 1
        if not too_long:
            tally.add(drawn, "refused without need", str(error))
        return
    except Exception:  # whatever it is, it is what this benchmark is for
        tally.add(drawn, "crash", traceback.format_exc(limit=-3))
        return
    if too_long:
        tally.add(drawn, "accepted though too long", f"{len(drawn.text)} characters")
    for kind, detail in faults(agent, drawn, reply):
        tally.add(drawn, kind, detail)
    tally.items += len(reply.recommendations)
    tally.phrased.update(str(r.phrased_by) for r in reply.recommendations)
    if reply.recommendations:
        tally.list_ms.append(reply.timings_ms["list"])
        tally.answer_ms.append(reply.timings_ms["answer"])
    else:
        tally.empty += 1


# -- the run


def soak(agent: Agent, arguments: argparse.Namespace, tally: Tally) -> bool:
    """Ask all requests; True when stopped by Ctrl-C."""
    people = agent.workspace.store.user_ids()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("soak", total=arguments.requests)
        try:
            for number in range(arguments.first, arguments.first + arguments.requests):
                drawn = draw(agent, people, number, arguments.seed)
                before = len(tally.examples)
                ask_once(agent, drawn, tally)
                tally.done += 1
                for example in tally.examples[before:]:
                    progress.console.print(example, style="red", markup=False, highlight=False)
                progress.update(bar, advance=1, description=str(tally))
                if tally.done % 100 == 0:
                    progress.console.print(f"{tally.done} requests: {tally}", highlight=False)
        except KeyboardInterrupt:
            return True
    return False


def figures_of(tally: Tally, seconds: float, stopped: bool) -> dict[str, Any]:
    """The JSON; every kind of failure is named, found or not."""
    told = max(1, sum(tally.phrased.values()))
    return {
        **describe_run(),
        "requests": tally.done,
        "seconds": round(seconds),
        "interrupted": stopped,
        "failures": {kind: tally.failures[kind] for kind in KINDS},
        "crashes": tally.failures["crash"],
        "refused": tally.refused,
        "replies_where_nothing_fits": tally.empty,
        "items": tally.items,
        "phrased_by": {who: round(tally.phrased[who] / told, 4) for who in ("model", "plain")},
        "list_ms": median_and_p95(tally.list_ms),
        "answer_ms": median_and_p95(tally.answer_ms),
        "examples": tally.examples,
    }


def report(console: Console, figures: dict[str, Any]) -> None:
    """The tables for people; the same figures as in the JSON."""
    table = Table(title=f"{figures['requests']} requests, {figures['items']} items")
    table.add_column("failure")
    table.add_column("count", justify="right")
    for kind, count in figures["failures"].items():
        table.add_row(kind, str(count), style="bold red" if count else None)
    console.print(table)
    console.print(
        f"Phrased by the model {figures['phrased_by']['model']:.1%}, plain {figures['phrased_by']['plain']:.1%}. "
        f"Nothing fitted {figures['replies_where_nothing_fits']} times; {figures['refused']} messages were refused.\n"
        f"List {_both(figures['list_ms'])}; answer {_both(figures['answer_ms'])}.\n{figures['hardware']}; "
        f"commit {figures['commit']}",
        highlight=False,
    )


def _both(figure: dict[str, Any]) -> str:
    return "never" if figure["median"] is None else f"{figure['median']:,.0f} ms median, {figure['p95']:,.0f} ms p95"


def main() -> None:
    """Ask, check, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first request")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    tally, begun = Tally(), time.perf_counter()
    with open_example() as agent:
        stopped = soak(agent, arguments, tally)
    figures = figures_of(tally, time.perf_counter() - begun, stopped)
    report(Console(), figures)
    write_json(arguments.json, figures)
    sys.exit(1 if tally.failures else 130 if stopped else 0)


if __name__ == "__main__":
    main()
