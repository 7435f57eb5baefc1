"""The figures of latency.py: two pipelines, request by request, and the tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from common import median_and_p95, ratio  # type: ignore[import-not-found]
from plain import MAX_NEW_TOKENS, Faults, Written, judge  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table

from agent.agent import Agent
from agent.schema import Profile, Reply

N = 5


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


def figures_of_ours(agent: Agent, cases: Sequence[Case], answers: Sequence[Ours]) -> dict[str, Any]:
    """Times, stages, speed and faults of ours."""
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
    """The same of plain; what is about the fifth entry rests on the replies that have one."""
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
    """Counts over titles (the first five of each reply), and over replies."""
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
