"""Does anybody ever see anything of another person? Some ask at once, each with a name and a word of their own.

Every person is added to the example with a few films, asks over HTTP with the real model, alone and in conversations,
says a word that nobody else says, reacts, and exports what is known of them. All that comes back is searched for the
names and the words of the others. The exit code is 1 when something leaked or failed.

    python benchmarks/canaries.py --people 8 --seconds 60 --json out.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
from common import describe_run, open_example, write_json  # type: ignore[import-not-found]

from agent.agent import Agent
from agent.errors import UnknownPersonError
from agent.schema import Interaction
from ui.api.app import build_api
from ui.api.serving import served

FILMS = 6  # of each person
WISHES = ("a drama", "newer than 1980", "something funny", "more like the second")


def add_people(agent: Agent, names: list[str], random: np.random.Generator) -> None:
    """Give each name a short history; who was there before is forgotten first."""
    for name in names:
        with suppress(UnknownPersonError):
            agent.forget(name)
        films = random.choice(agent.catalogue.ids, FILMS, replace=False)
        agent.workspace.store.put_interactions(
            Interaction(name, str(film), "rating", 5.0, float(at)) for at, film in enumerate(films)
        )


def answers(url: str, name: str, word: str, seed: int, until: float) -> Iterator[httpx.Response]:
    """Whatever one person is answered until the time is over."""
    random, said = np.random.default_rng(seed), {"user_id": name}
    with httpx.Client(base_url=url, timeout=120) as http:
        while time.monotonic() < until:
            talk = http.post("/v1/conversations", json=said)
            yield talk
            path = f"/v1/conversations/{talk.json()['conversation_id']}/say"
            for wish in random.permutation(WISHES)[:2]:
                yield http.post(path, json={"text": f"{wish}, {word}"})
            listed = http.post("/v1/recommend", json={**said, "intent": f"{random.choice(WISHES[:3])} {word}"})
            yield listed
            for one in listed.json().get("recommendations", [])[:1]:
                reaction = {**said, "item_id": one["item"]["item_id"], "event": "dislike", "words": word}
                yield http.post("/v1/feedback", json=reaction)
            yield http.get(f"/v1/people/{name}")


def main() -> None:
    """Ask, search, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = [f"canary-{number}x" for number in range(arguments.people)]
    words = [f"zwitscher{number}x" for number in range(arguments.people)]
    found: Counter[str] = Counter(answers=0, failed=0, leaks=0)

    def ask(number: int) -> Counter[str]:
        counted: Counter[str] = Counter()
        others = [text for n in range(len(names)) if n != number for text in (names[n], words[n])]
        for answer in answers(url, names[number], words[number], arguments.seed + number, until):
            counted["answers"] += 1
            counted["failed"] += answer.status_code >= 400
            counted["leaks"] += any(other in answer.text for other in others)
            counted["own name or word"] += names[number] in answer.text or words[number] in answer.text
        return counted

    with open_example() as agent:
        add_people(agent, names, np.random.default_rng(arguments.seed))
        with served(build_api(agent, per_minute=0), port=0) as url, ThreadPoolExecutor(arguments.people) as threads:
            until = time.monotonic() + arguments.seconds
            for counted in threads.map(ask, range(arguments.people)):
                found.update(counted)
        for name in names:
            agent.forget(name)
    print(f"{arguments.people} people, {arguments.seconds:g} s: {dict(found)}")
    write_json(arguments.json, {**describe_run(), **found})
    sys.exit(1 if found["failed"] or found["leaks"] or not found["own name or word"] else 0)


if __name__ == "__main__":
    main()
