"""Does every promise hold, reply after reply? Random people, words, counts, strategies and hostile text; all checked.

Each request is drawn from (seed, number) alone, so a failing one is repeated with `--first NUMBER --requests 1`. The
exit code is 1 when anything failed. What is checked is computed here from the catalogue and the store, not by the turn.

    python benchmarks/soak.py --requests 1000 --json out.json
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from asking import HOSTILE, Asked, ask  # type: ignore[import-not-found]
from common import describe_run, median_and_p95, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.agent import Agent
from agent.errors import InputError
from agent.justification.claims import check
from agent.schema import Reply, Strategy, matches
from agent.workspace.catalogue import title_key

KINDS = (
    "crash",
    "refused without need",
    "accepted though too long",
    "not complete",
    "empty reply without a message",
    "off-catalogue",
    "repeated item",
    "repeated title",
    "already seen, by id",
    "already seen, by title",
    "a hard filter is broken",
    "the words of the request are broken",
    "list longer than asked",
    "list shorter than it could be",
    "no justification",
    "not verified",
    "a claim does not hold",
    "ranks are not 1..n",
    "a score is not finite",
)
EXAMPLES = 50  # kept in the JSON


@dataclass(frozen=True, slots=True)
class Drawn:
    """One request, its meaning where it is known, and the conditions given beside the words."""

    number: int
    user_id: str | None
    text: str
    asked: Asked | None
    where: dict[str, Any] | None
    n: int
    strategy: Strategy

    def __str__(self) -> str:
        return (
            f"request {self.number}: user {self.user_id}, {self.text[:80]!r}, where {self.where}, n {self.n}, "
            f"{self.strategy}"
        )


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
        self.failures[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {detail} ({drawn})")

    def __str__(self) -> str:
        told = max(1, sum(self.phrased.values()))
        times = f"{np.median(self.list_ms):,.0f} ms" if self.list_ms else "none yet"
        return (
            f"{sum(self.failures.values())} failures, {100 * self.phrased['model'] / told:.0f}% by the model, list {times}"
        )


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


def faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    """Every broken promise of one reply, as (kind, detail)."""
    items = [r.item for r in reply.recommendations]
    ids, titles = [i.item_id for i in items], [title_key(i.title) for i in items]
    if not reply.complete:
        yield "not complete", reply.message
    if not items and not reply.message:
        yield "empty reply without a message", ""
    if len(set(ids)) < len(ids):
        yield "repeated item", str(ids)
    if len(set(titles)) < len(titles):
        yield "repeated title", str(titles)
    if [r.rank for r in reply.recommendations] != list(range(1, len(items) + 1)):
        yield "ranks are not 1..n", str([r.rank for r in reply.recommendations])
    yield from _length_faults(agent, drawn, reply)
    yield from _item_faults(agent, drawn, reply)
    yield from _reason_faults(agent, reply)


def _item_faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    known = {item.item_id: item for item in agent.catalogue.items}
    seen = _seen(agent, drawn.user_id)
    seen_titles = {title_key(known[i].title) for i in seen if i in known}
    for r in reply.recommendations:
        item = r.item
        if known.get(item.item_id) != item:
            yield "off-catalogue", item.title
        if item.item_id in seen:
            yield "already seen, by id", item.title
        elif title_key(item.title) in seen_titles:
            yield "already seen, by title", item.title
        if not matches(item, reply.intent.filters) or (drawn.where and not _meets(item.attributes, drawn.where)):
            yield "a hard filter is broken", f"{item.title}: {[str(f) for f in reply.intent.filters]}"
        if drawn.asked is not None and (broken := drawn.asked.broken_by(item)) is not None:
            yield "the words of the request are broken", f"{item.title} is {broken}"
        if not math.isfinite(r.score):
            yield "a score is not finite", f"{item.title}: {r.score}"


def _reason_faults(agent: Agent, reply: Reply) -> Iterator[tuple[str, str]]:
    for r in reply.recommendations:
        if not r.justification.strip():
            yield "no justification", r.item.title
        if not r.verified:
            yield "not verified", f"{r.item.title}: {r.justification}"
        elif not (verdict := check(r.justification, r.item, r.evidence, agent.catalogue)).ok:
            problems = "; ".join(verdict.problems) or "nothing is claimed"
            yield "a claim does not hold", f"{r.item.title}, by {r.phrased_by}: {r.justification!r}: {problems}"


def _length_faults(agent: Agent, drawn: Drawn, reply: Reply) -> Iterator[tuple[str, str]]:
    """A list is as long as asked, or holds every work that meets the filters and was neither seen nor named."""
    found, wanted = len(reply.recommendations), min(reply.intent.n or drawn.n, agent.settings.max_n)
    if found > wanted:
        yield "list longer than asked", f"{found} of {wanted}"
    if found < wanted:
        gone = {*_seen(agent, drawn.user_id), *reply.intent.likes, *reply.intent.dislikes}
        gone_titles = {title_key(agent.catalogue.get(i).title) for i in gone if i in agent.catalogue.position}
        fitting = {title_key(i.title) for i in agent.catalogue.items if matches(i, reply.intent.filters)} - gone_titles
        if found < min(wanted, len(fitting)):
            yield "list shorter than it could be", f"{found} of {wanted}, {len(fitting)} fit"


def _seen(agent: Agent, user_id: str | None) -> set[str]:
    if user_id is None:
        return set()
    store = agent.workspace.store
    return {e.item_id for e in (*store.interactions(user_id), *store.feedback(user_id))}


def _meets(attributes: Any, where: dict[str, Any]) -> bool:  # noqa: ANN401 - Item.attributes
    return where["genres"] in attributes.get("genres", ()) and attributes.get("year", 0) >= where["year"][">="]


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
