"""Does a turn cost more the longer the conversation is?

In each round somebody new talks for eleven turns; the list of the first turn and that of the eleventh are timed, with
the same words in both up to their order, which changes from round to round. Their ratio, with a 95% interval.

    python benchmarks/long_conversation.py --rounds 10 --json out.json
"""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from common import describe_run, median_and_p95, open_example, ratio, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track

from agent.agent import Agent

SAID = (
    "I loved Fargo", "something like it but funny", "from the 90s", "no horror", "more like the second",
    "newer than 1992", "with a twist", "not the first one", "surprise me", "about a family", "a crime story",
)  # fmt: skip


def main() -> None:
    """Talk, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_example() as agent:
        talk(agent, SAID)  # warms up
        random = np.random.default_rng(0)
        rounds = [random.permutation(SAID).tolist() for _ in range(arguments.rounds)]
        times = np.array([talk(agent, said) for said in track(rounds, description="conversations")])
    first, last = times[:, 0], times[:, -1]
    found = ratio(last, first)
    figures = {"first_ms": median_and_p95(first), "eleventh_ms": median_and_p95(last), "ratio": found}
    Console().print(
        f"List of the first turn {figures['first_ms']['median']:.0f} ms, of the eleventh "
        f"{figures['eleventh_ms']['median']:.0f} ms; ratio {found['median']} ({found['low']} to {found['high']}), "
        f"{arguments.rounds} conversations.",
        soft_wrap=True,
    )
    write_json(arguments.json, {**describe_run(), **figures})


def talk(agent: Agent, said: tuple[str, ...] | list[str]) -> list[float]:
    """Milliseconds until the list of each turn."""
    chat, times = agent.conversation(), []
    for text in said:
        begun = time.perf_counter()
        with closing(chat.stream(text)) as replies:
            next(replies)
        times.append(1000 * (time.perf_counter() - begun))
    agent.forget(chat.user_id)
    return times


if __name__ == "__main__":
    main()
