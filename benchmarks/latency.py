"""How long until a person reads the list, and until the last reason? Ours against the plain pipeline, side by side.

In one run, on the same requests and candidates, with the same model in memory: (a) plain: one chat prompt and one
`generate` (benchmarks/plain.py), (b) ours: `agent.stream`. The two take turns, and who goes first changes with every
request. Run it alone on the machine.

    python benchmarks/latency.py --requests 20 --json out.json
"""

from __future__ import annotations

import argparse
import gc
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from asking import ask  # type: ignore[import-not-found]
from common import describe_run, median_and_p95, open_example, ratio, write_json  # type: ignore[import-not-found]
from plain import MAX_NEW_TOKENS, Faults, Written, judge, plain_chat, write  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.generation.base import Generator, Piece
from agent.quiet import quiet_transformers
from agent.retrieval.fusion import fuse
from agent.schema import Profile, Reply

N = 5
FEWEST_CANDIDATES = 10  # a request that leaves fewer is drawn again: there would be little to rank
MEMORY_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One request: who asks, in which words (or none), and the candidates in the order of retrieval."""

    user_id: str
    words: str
    profile: Profile
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """One answer of ours; times in milliseconds since the call."""

    reply: Reply
    list_ms: float
    first_reason_ms: float
    answer_ms: float
    tokens: int


class Counted:
    """The generator it is given, which also counts the tokens that `write` yields."""

    def __init__(self, generator: Generator[Any, Any]) -> None:
        self._generator = generator
        self.tokens = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the generator has
        return getattr(self._generator, name)

    def write(self, *arguments: Any, **options: Any) -> Iterator[Piece]:  # noqa: ANN401 - those of Generator.write
        with closing(self._generator.write(*arguments, **options)) as pieces:
            for piece in pieces:
                self.tokens += 1
                yield piece


class PeakMemory:
    """The resident memory of this process while inside: `before` and `peak`, in MiB, looked at every 5 milliseconds."""

    def __enter__(self) -> PeakMemory:
        import psutil

        self._process = psutil.Process()
        self.before = self.peak = self._resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self.peak = max(self.peak, self._resident())

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> float:
        return float(self._process.memory_info().rss) / 2**20


def choose_cases(agent: Agent, requests: int, seed: int) -> list[Case]:
    """Random people who have a history, no one twice; every second one asks in words."""
    random = np.random.default_rng(seed)
    people = [str(p) for p in random.permutation(agent.workspace.store.user_ids())]
    cases: list[Case] = []
    for user_id in people:
        words = ask(agent.catalogue, random).text if len(cases) % 2 else ""
        request = agent._request(user_id, None, words, N, None, "score", None)
        profile, intent = agent._profile(request), agent._intent(request)
        query = agent._query(profile, intent, agent._allowed(profile, intent, frozenset()))
        found = fuse(agent._sources, query, agent.settings.candidates).positions
        if profile.history and len(found) >= FEWEST_CANDIDATES:
            cases.append(Case(user_id, words, profile, tuple(int(p) for p in found)))
        if len(cases) == requests:
            return cases
    raise SystemExit(f"Only {len(cases)} requests can be made of {len(people)} people. Ask for fewer with --requests.")


# -- the two pipelines


def run_ours(agent: Agent, counted: Counted, case: Case) -> Ours:
    """One request through `agent.stream`, timed from outside."""
    before, start = counted.tokens, time.perf_counter()
    listed = reasoned = None
    for reply in agent.stream(case.user_id, intent=case.words, n=N):
        now = 1000 * (time.perf_counter() - start)
        listed = listed or now
        if reasoned is None and any(r.justification for r in reply.recommendations):
            reasoned = now
    return Ours(reply, listed or now, reasoned or now, now, counted.tokens - before)


def run_plain(agent: Agent, case: Case, *, sampled: bool) -> Written:
    """The same request through the plain pipeline, from the chat prompt to the parsed list."""
    generator = agent.generator
    chat = plain_chat(agent, case.profile, case.words, case.candidates, N)
    return write(generator._model, generator._tokenizer, chat, sampled=sampled)


def measure_memory(agent: Agent, counted: Counted, cases: Sequence[Case], sampled: bool) -> dict[str, dict[str, float]]:
    """By pipeline: the highest resident memory and the highest rise over what was resident just before, in MiB.

    A pass of its own, so that looking does not slow what is timed. Both share one process: the weights count in both
    peaks, and memory that one frees may stay resident. What can be given back is, before each request.
    """
    figures = {}
    for name in ("plain", "ours"):
        spans = []
        for case in cases:
            _give_back()
            with PeakMemory() as memory:
                if name == "ours":
                    run_ours(agent, counted, case)
                else:
                    run_plain(agent, case, sampled=sampled)
            spans.append((memory.peak, memory.peak - memory.before))
        peak, rise = np.array(spans).max(axis=0)
        figures[name] = {"peak_mib": round(float(peak)), "rise_mib": round(float(rise))}
    return figures


def _give_back() -> None:
    """Return freed memory to the system where the C library can (glibc)."""
    import ctypes
    import ctypes.util

    gc.collect()
    trim = getattr(ctypes.CDLL(ctypes.util.find_library("c")), "malloc_trim", None)
    if trim is not None:
        trim(0)


# -- figures


def figures_of_ours(agent: Agent, cases: Sequence[Case], answers: Sequence[Ours]) -> dict[str, Any]:
    lists = [[(r.item.title, r.justification) for r in a.reply.recommendations] for a in answers]
    told = [r.phrased_by for a in answers for r in a.reply.recommendations]
    stages = {s: [a.reply.timings_ms[s] for a in answers] for s in answers[0].reply.timings_ms}
    speeds = [1000 * a.tokens / a.reply.timings_ms["justify"] for a in answers if a.tokens]
    return {
        "list_ms": median_and_p95([a.list_ms for a in answers]),
        "first_reason_ms": median_and_p95([a.first_reason_ms for a in answers]),
        "answer_ms": median_and_p95([a.answer_ms for a in answers]),
        "tokens": median_and_p95([a.tokens for a in answers]),
        "tokens_per_s": median_and_p95(speeds),
        "stages_ms": {stage: median_and_p95(values) for stage, values in stages.items()},
        "phrased_by_model": round(told.count("model") / max(1, len(told)), 3),
        "faults": _faults(agent, cases, lists),
    }


def figures_of_plain(agent: Agent, cases: Sequence[Case], answers: Sequence[Written]) -> dict[str, Any]:
    lists = [[(e.title, e.reason) for e in a.entries] for a in answers]
    whole = [a for a in answers if len(a.entries) >= N]
    speeds = [1000 * (a.tokens - 1) / (a.times_ms[-1] - a.times_ms[0]) for a in answers if a.tokens > 1]
    return {
        "list_ms": median_and_p95([a.done_ms for a in answers]),
        "fifth_title_ms": {**median_and_p95([fifth_title_ms(a) for a in whole]), "requests": len(whole)},
        "fifth_reason_ms": {**median_and_p95([fifth_reason_ms(a) for a in whole]), "requests": len(whole)},
        "answer_ms": median_and_p95([a.done_ms for a in answers]),
        "first_token_ms": median_and_p95([a.times_ms[0] for a in answers]),
        "tokens": median_and_p95([a.tokens for a in answers]),
        "tokens_per_s": median_and_p95(speeds),
        "cut_off": sum(a.tokens >= MAX_NEW_TOKENS for a in answers),
        "faults": _faults(agent, cases, lists),
    }


def fifth_title_ms(written: Written) -> float:
    """When the fifth title stood there: what somebody who parses while it streams could show."""
    return float(written.reached_ms(written.entries[N - 1].title_end))


def fifth_reason_ms(written: Written) -> float:
    """When the fifth reason stood there, whatever was written after it."""
    return float(written.reached_ms(written.entries[N - 1].end))


def _faults(agent: Agent, cases: Sequence[Case], lists: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Counts over all titles written (the first five of each reply), and replies that had none, few, or all five right."""
    judged: list[Faults] = [
        judge(agent, case.profile, case.candidates, lines, N) for case, lines in zip(cases, lists, strict=True)
    ]
    total = {kind: sum(getattr(f, kind) for f in judged) for kind in asdict(judged[0])}
    return {
        **total,
        "replies": len(judged),
        "replies_unparsable": sum(f.titles == 0 for f in judged),
        "replies_with_fewer_than_5": sum(f.missing > 0 for f in judged),
        "replies_all_usable": sum(f.usable == N for f in judged),
    }


def ratios(ours: Sequence[Ours], plain: Sequence[Written]) -> dict[str, Any]:
    """Plain over ours, request by request: 10 means that plain took ten times as long."""
    whole = [(o, p) for o, p in zip(ours, plain, strict=True) if len(p.entries) >= N]
    return {
        "list": ratio([p.done_ms for p in plain], [o.list_ms for o in ours]),
        "answer": ratio([p.done_ms for p in plain], [o.answer_ms for o in ours]),
        "fifth_title": ratio([fifth_title_ms(p) for _, p in whole], [o.list_ms for o, _ in whole]),
        "fifth_reason": ratio([fifth_reason_ms(p) for _, p in whole], [o.answer_ms for o, _ in whole]),
    }


def report(console: Console, figures: dict[str, Any]) -> None:
    """The tables for people; the same figures as in the JSON."""
    ours, plain, times = figures["ours"], figures["plain"], figures["ratio"]
    table = Table(title=f"{figures['requests']} requests, median (95th percentile)")
    for column in ("", "plain", "ours", "plain / ours per request (95% interval)"):
        table.add_column(column, justify="left" if not column else "right")
    rows = (
        ("list on screen, ms", "list_ms", "list_ms", "list"),
        ("  plain: when the fifth title stands there", "fifth_title_ms", "list_ms", "fifth_title"),
        ("last reason, ms", "answer_ms", "answer_ms", "answer"),
        ("  plain: when the fifth reason stands there", "fifth_reason_ms", "answer_ms", "fifth_reason"),
        ("tokens written", "tokens", "tokens", None),
        ("tokens a second while writing", "tokens_per_s", "tokens_per_s", None),
    )
    for label, of_plain, of_ours, of_ratio in rows:
        table.add_row(label, _both(plain[of_plain]), _both(ours[of_ours]), _ratio(times[of_ratio]) if of_ratio else "")
    for kind in ("peak_mib", "rise_mib"):
        table.add_row({"peak_mib": "peak memory, MiB", "rise_mib": "  of it above what lay before"}[kind],
                      f"{plain[kind]:,}", f"{ours[kind]:,}", "")  # fmt: skip
    console.print(table)
    faults = Table(title="What came back")
    for column in ("", "plain", "ours"):
        faults.add_column(column, justify="left" if not column else "right")
    for kind in plain["faults"]:
        faults.add_row(kind.replace("_", " "), str(plain["faults"][kind]), str(ours["faults"][kind]))
    console.print(faults)
    console.print(f"{plain['cut_off']} plain replies were still being written at {MAX_NEW_TOKENS} tokens.")
    console.print(f"{figures['hardware']}; {figures['model']}; commit {figures['commit']}", highlight=False)


def _both(figure: dict[str, Any]) -> str:
    if figure["median"] is None:
        return "never"
    reached = f", {figure['requests']} requests" if "requests" in figure else ""
    return f"{figure['median']:,.0f} ({figure['p95']:,.0f}{reached})"


def _ratio(figure: dict[str, Any]) -> str:
    return "" if figure["median"] is None else f"{figure['median']:.1f} ({figure['low']:.1f} to {figure['high']:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampled", action="store_true", help="plain samples (0.2, top-p 0.9) instead of being greedy")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_example() as agent, quiet_transformers():
        import torch

        torch.manual_seed(arguments.seed)
        counted = Counted(agent.generator)
        agent.generator = counted
        cases = choose_cases(agent, arguments.requests + 1, arguments.seed)
        warm, cases = cases[0], cases[1:]
        run_plain(agent, warm, sampled=arguments.sampled)
        run_ours(agent, counted, warm)
        ours, plain = [], []
        for number, case in enumerate(track(cases, description="requests", console=Console(stderr=True))):
            # Turn about, so that neither side always finds the processor warm.
            for name in ("ours", "plain") if number % 2 else ("plain", "ours"):
                if name == "ours":
                    ours.append(run_ours(agent, counted, case))
                else:
                    plain.append(run_plain(agent, case, sampled=arguments.sampled))
        memory = measure_memory(agent, counted, cases[:MEMORY_REQUESTS], arguments.sampled)
        figures = {
            **describe_run(),
            "requests": len(cases),
            "model": f"{agent.generator.name} {str(agent.generator._dtype).removeprefix('torch.')}",
            "plain_decoding": "sampled" if arguments.sampled else "greedy",
            "ours": {**figures_of_ours(agent, cases, ours), **memory["ours"]},
            "plain": {**figures_of_plain(agent, cases, plain), **memory["plain"]},
            "ratio": ratios(ours, plain),
        }
        report(Console(), figures)
        write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
