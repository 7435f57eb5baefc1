"""Do the reasons of one conversation sound alike?

Random people of the example ask for two lists of five in a row. Each reason is reduced to its shape: titles,
names, kinds and numbers become what they are, and only the words around them are left (`finetune.reasons.shape_of`).
Told are the share of windows of ten reasons in a row with at least four distinct shapes, and the fewest of any window.

    python benchmarks/shapes.py --people 50 --json out.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from common import describe_run, interval, open_example, open_without_model, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track

from agent.agent import Agent
from finetune.reasons import shape_of

LISTS, LISTED, LEAST = 2, 5, 4
REQUESTS = (
    "newer than 1995", "something before 1960", "a film-noir", "a 90s comedy", "a thriller newer than 1990",
    "something funny and light", "a drama, not a romance", "a French film", "something tense", "science fiction",
)  # fmt: skip


def shapes(agent: Agent, user_id: str | None, request: str) -> list[str]:
    """The shapes of the reasons of a conversation's lists, in their order."""
    talk = agent.conversation(user_id)
    replies = [talk.say(text, n=LISTED) for text in (request, *["more"] * (LISTS - 1))]
    return [
        shape_of(one.justification, one.item, one.evidence, agent.catalogue)
        for reply in replies
        for one in reply.recommendations
    ]


def main() -> None:
    """Ask, reduce, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-model", action="store_true", help="the first way of saying it, where there are more")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    found, size = [], LISTS * LISTED
    with (open_without_model if arguments.without_model else open_example)() as agent:
        people = random.permutation(agent.workspace.store.user_ids())[: arguments.people]
        for at, person in enumerate(track(people, description="people", console=Console(stderr=True))):
            known = None if at % 3 == 2 else str(person)  # every third is new
            said = shapes(agent, known, REQUESTS[at % len(REQUESTS)])
            found += [len(set(said[i : i + size])) for i in range(len(said) - size + 1)]
    enough = np.array(found) >= LEAST
    low, high = interval(enough.astype(float), np.mean)
    Console().print(
        f"{len(found)} windows of {size} reasons: {enough.mean():.3f} ({low:.3f} to {high:.3f}) have at least {LEAST} "
        f"shapes; the fewest are {min(found)}, the median is {np.median(found):g}.",
        soft_wrap=True,
    )
    figures = {"windows": len(found), "share": float(enough.mean()), "interval": [low, high], "fewest": min(found)}
    write_json(arguments.json, {**describe_run(), **figures})


if __name__ == "__main__":
    main()
