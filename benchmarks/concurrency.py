"""How long do several people wait at once? Each asks over HTTP, one request after the other, all at the same time.

Every person is another one of the data, and every second request is in words. The service runs in this process, and a
thread for each person calls it over a connection of its own, so what the clients do costs a little of the same cores.
`list_growth` is the median until the list over that of one person alone in the same run.
With --unordered the turns compete for the lock of the model alone, which the desk (ui/desk.py) is there to order.

    python benchmarks/concurrency.py --people 1 2 4 8 16 --requests 6 --json out.json
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
from asking import ask  # type: ignore[import-not-found]
from common import describe_run, interval, median_and_p95, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table

from agent.agent import Agent
from agent.client import Client
from agent.errors import VouchrecError
from agent.schema import Reply
from ui.api.app import build_api
from ui.api.serving import served
from ui.desk import Desk

N = 5  # items in a list
KINDS = {"list_ms": "list", "reason_ms": "first reason", "answer_ms": "last reason"}


class NoDesk(Desk):
    """Whoever gets the lock of the model computes."""

    def turn(
        self, start: Callable[[Callable[[], bool]], Generator[Reply]], stop: Callable[[], bool]
    ) -> Generator[Reply]:
        """The turn as it is."""
        return start(stop)


@dataclass(slots=True)
class Waits:
    """What the people of one round waited, in milliseconds from the request; and the requests that failed."""

    list_ms: list[float] = field(default_factory=list)
    reason_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def one_person(url: str, requests: Sequence[tuple[str, str]], begin: Barrier, waits: Waits) -> None:
    """The requests of one person, (user id, words) each, one after the other."""
    with Client(url) as client:
        begin.wait()
        for user_id, words in requests:
            start = time.perf_counter()
            try:
                replies = client.stream(user_id, intent=words, n=N)
                reply = next(replies)
                listed = reasoned = 1000 * (time.perf_counter() - start)
                is_first = True
                for reply in replies:
                    if is_first and any(one.justification for one in reply.recommendations):
                        reasoned, is_first = 1000 * (time.perf_counter() - start), False
            except VouchrecError as error:
                waits.failures.append(str(error))
                continue
            if not reply.complete:
                waits.failures.append("ended before its last reason")
                continue
            waits.list_ms.append(listed)
            waits.reason_ms.append(reasoned)
            waits.answer_ms.append(1000 * (time.perf_counter() - start))


def one_round(url: str, agent: Agent, people: int, requests: int, seed: int) -> tuple[Waits, float]:
    """So many people at once: what they waited, and the seconds until the last was served."""
    random = np.random.default_rng((seed, people))
    users = [str(u) for u in random.permutation(agent.workspace.store.user_ids())[:people]]
    waits, begin = Waits(), Barrier(people + 1)
    with ThreadPoolExecutor(people) as threads:
        for user in users:
            said = [(user, ask(agent.catalogue, random).text if number % 2 else "") for number in range(requests)]
            threads.submit(one_person, url, said, begin, waits)
        begin.wait()
        start = time.perf_counter()
    return waits, time.perf_counter() - start


def figures_of(waits: Waits, seconds: float) -> dict[str, Any]:
    """Medians with 95% intervals, the 95th percentiles, turns a minute, failures."""
    found: dict[str, Any] = {
        "requests": len(waits.answer_ms) + len(waits.failures),
        "failures": len(waits.failures),
        "failed_with": dict(Counter(waits.failures)),
        "turns_per_minute": round(60 * len(waits.answer_ms) / seconds, 1),
    }
    for name in KINDS:
        values = getattr(waits, name)
        low, high = interval(values) if values else (None, None)
        found[name] = {**median_and_p95(values), "low": low, "high": high}
    return found


def report(console: Console, rounds: dict[str, dict[str, Any]]) -> None:
    """A table, one row for each number of people; the intervals are in the JSON."""
    kinds = [f"{kind}, ms (p95)" for kind in KINDS.values()]
    table = Table("people", "requests", "failed", *kinds, "list over alone", "turns a minute")
    for people, found in rounds.items():
        waited = [found[name] for name in KINDS]
        cells = ["-" if one["median"] is None else f"{one['median']:,.0f} ({one['p95']:,.0f})" for one in waited]
        growth = "-" if found["list_growth"] is None else f"{found['list_growth']:g}"
        counts = [str(found[name]) for name in ("requests", "failures")]
        table.add_row(people, *counts, *cells, growth, f"{found['turns_per_minute']:g}")
    console.print(table)


def main() -> None:
    """Warm up, then one round for each number of people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--requests", type=int, default=6, help="of each person")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=120.0, help="after which a turn is given up, as in service")
    parser.add_argument("--unordered", action="store_true", help="without the desk")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console, rounds = Console(), {}
    with open_example() as agent:
        desk = NoDesk() if arguments.unordered else Desk()
        api = build_api(agent, desk, per_minute=0, seconds=arguments.seconds)
        with served(api, port=0) as url:
            one_round(url, agent, 1, 2, arguments.seed + 1)
            for people in arguments.people:
                rounds[str(people)] = figures_of(*one_round(url, agent, people, arguments.requests, arguments.seed))
    alone = rounds.get("1", {}).get("list_ms", {}).get("median")
    for found in rounds.values():
        median = found["list_ms"]["median"]
        found["list_growth"] = round(median / alone, 2) if alone and median else None
    report(console, rounds)
    write_json(arguments.json, {**describe_run(), "ordered": not arguments.unordered, "people": rounds})


if __name__ == "__main__":
    main()
