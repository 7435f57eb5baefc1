"""How long until a person reads the list, and until the last reason? Ours against the plain pipeline, side by side.

In one run, on the same requests and candidates, with the same model in memory: (a) plain: one chat prompt and one
`generate` (benchmarks/plain.py), (b) ours: `agent.stream`. The two take turns, and who goes first changes with every
request. Run it alone on the machine.

    python benchmarks/latency.py --requests 20 --json out.json
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from asking import ask, understood  # type: ignore[import-not-found]
from common import describe_run, open_example, write_json  # type: ignore[import-not-found]
from memory import PeakMemory, give_back  # type: ignore[import-not-found]
from plain import Written, plain_chat, write  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from side_by_side import (  # type: ignore[import-not-found]
    Case,
    N,
    Ours,
    figures_of_ours,
    figures_of_plain,
    ratios,
    report,
)

from agent.agent import Agent
from agent.generation.base import Branch, Generator, Piece
from agent.quiet import quiet_transformers
from agent.retrieval.fusion import fuse

FEWEST_CANDIDATES = 10  # a request that leaves fewer is drawn again: there would be little to rank
MEMORY_REQUESTS = 3


class Counted:
    """The generator it is given, which also counts the tokens that `write` has written."""

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self.tokens = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the generator has
        return getattr(self._generator, name)

    def write(self, prefix: Any, branches: Sequence[Branch], **options: Any) -> Iterator[Piece]:  # noqa: ANN401
        """What the generator's own `write` yields, counted as each row is done; one step may write several tokens."""
        with closing(self._generator.write(prefix, branches, **options)) as pieces:
            for piece in pieces:
                if piece.done:
                    written = piece.text.removeprefix(branches[piece.row].opener)
                    self.tokens += len(self._generator._chat.encode(written))  # type: ignore[attr-defined]
                yield piece


def choose_cases(agent: Agent, requests: int, seed: int) -> list[Case]:
    """Random people who have a history, no one twice; every second one asks in words."""
    random = np.random.default_rng(seed)
    people = [str(p) for p in random.permutation(agent.workspace.store.user_ids())]
    cases: list[Case] = []
    for user_id in people:
        words = ask(agent.catalogue, random).text if len(cases) % 2 else ""
        profile, _, query = understood(agent, user_id, words, N)
        found = fuse(agent.lister.sources, query, agent.settings.candidates, agent.lister.weights).positions
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
    return write(generator._model, generator._chat._tokenizer, chat, sampled=sampled)


def measure_memory(agent: Agent, counted: Counted, cases: Sequence[Case], sampled: bool) -> dict[str, dict[str, float]]:
    """By pipeline: the highest resident memory and the highest rise over what was resident just before, in MiB.

    A pass of its own, so that looking does not slow what is timed. Both share one process: the weights count in both
    peaks, and memory that one frees may stay resident. What can be given back is, before each request.
    """
    figures = {}
    for name in ("plain", "ours"):
        spans = []
        for case in track(cases, description=f"memory of {name}", console=Console(stderr=True)):
            give_back()
            with PeakMemory() as memory:
                if name == "ours":
                    run_ours(agent, counted, case)
                else:
                    run_plain(agent, case, sampled=sampled)
            spans.append((memory.peak, memory.peak - memory.before))
        peak, rise = np.array(spans).max(axis=0)
        figures[name] = {"peak_mib": round(float(peak)), "rise_mib": round(float(rise))}
    return figures


def main() -> None:
    """Warm up, run both, report."""
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
