"""Does the agent say so where nothing is near to a wish, and does it keep quiet where something is?

A new person makes each request of `weak.yaml`, half of them with an answer in MovieLens-100K and half without. Printed
is the share for which the list is said to be merely the nearest, for each kind, with Wilson's 95% interval; then the
turns of the written conversations about films (tests/conversations).

Runs without the language model (its weight is 0); the workspace should have film cards.

    python benchmarks/weak.py --json weak.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import yaml
from common import REPOSITORY, describe_run, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console

from agent.agent import Agent
from agent.schema import Intent
from agent.understanding.dialogue import State, understand
from agent.understanding.texts import TEXTS
from agent.votes import wilson

sys.path.append(str(REPOSITORY / "tests"))
import written  # type: ignore[import-not-found]  # noqa: E402

STARTS = tuple(texts[key].split("{")[0] for texts in TEXTS.values() for key in ("weak", "weak within"))


def says_so(agent: Agent, request: str | Intent) -> str:
    """What is said of a list that is merely the nearest; empty where nothing is."""
    with closing(agent.stream(intent=request)) as replies:
        message = next(replies).message
    return message if any(start in message for start in STARTS) else ""


def asked(agent: Agent, kinds: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """By kind: what is said to each request."""
    return {kind: {request: says_so(agent, request) for request in requests} for kind, requests in kinds.items()}


def conversations(agent: Agent) -> dict[str, str]:
    """What is said to each turn of the written conversations about films that asks for a list."""
    said: dict[str, str] = {}
    for case in written.cases():
        state = State()
        for turn in case["turns"] if case.get("catalogue", "films") == "films" else ():
            read = understand(turn["say"], state, agent.catalogue)
            if read.does == "list":
                said[f"{case['name']}: {turn['say']}"] = says_so(agent, read.intent)
            state = state.after(read)
            if "shown" in turn:
                state = state.showing([written._id(title, agent.catalogue) for title in turn["shown"]])
    return said


def share(said: Iterable[str]) -> dict[str, float]:
    """How many of the requests it spoke to, with Wilson's interval."""
    spoke = [bool(s) for s in said]
    rate, low, high = wilson(sum(spoke), len(spoke))
    return {"spoke": sum(spoke), "n": len(spoke), "share": rate, "low": low, "high": high}


def main() -> None:
    """Ask, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("chosen", "held out"), help="only this half of the requests")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    halves = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, dict[str, str]]] = {}
    with open_without_model() as agent:
        for half in halves if arguments.half is None else [arguments.half]:
            for side, kinds in halves[half].items():
                found[f"{half}, {side}"] = asked(agent, kinds)
        found["conversations"] = {"turns": conversations(agent)}
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name, kinds in found.items():
        said = {"all": {r: s for one in kinds.values() for r, s in one.items()}, **kinds}
        figures[name] = {kind: share(one.values()) for kind, one in said.items()}
        for kind, f in figures[name].items():
            Console().print(f"{name:<22} {kind:<24} {f['spoke']:>3} of {f['n']:<3} {f['low']:.3f} to {f['high']:.3f}")
    write_json(arguments.json, {**describe_run(), "figures": figures, "said": found})


if __name__ == "__main__":
    main()
