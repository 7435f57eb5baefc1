"""What do requests that come at once gain by sharing a forward pass, and does company change what they get?

Each part of a turn is done for 2, 4 and 8 requests one after the other, and together: reading the prompts (one padded
batch), scoring 50 titles for each, reading what five reasons each rest on, and reading and writing them. Both take
turns in one run; the ratio is the time of one after the other over that of together, so more than 1 says that sharing
pays. Time is that of this thread on the processor when torch has one thread, which a busy machine disturbs less, else
of the clock.

Then reasons of requests that were written alone are compared with the same in the company of all others.

    python benchmarks/batching.py --together 2 4 8 --repeats 5 --requests 40 --json out.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from asking import ask, understood  # type: ignore[import-not-found]
from common import describe_run, open_example, ratio, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.generation.base import Branch, Message
from agent.generation.local import LocalGenerator, Prefix
from agent.generation.packing import Fed, Packed, read_together
from agent.generation.writing import Writing
from agent.retrieval.fusion import fuse

N = 5  # items in a list
Work = Callable[[Sequence["Asked"]], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the model meets it."""

    prompt: tuple[Message, ...]
    prefix: Prefix
    titles: tuple[str, ...]
    branches: tuple[Branch, ...]


class Listening:
    """The generator it is given, which also keeps what a turn asked it to write."""

    def __init__(self, generator: LocalGenerator) -> None:
        self._generator = generator
        self.asked: list[tuple[Prefix, tuple[Branch, ...]]] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the generator has
        return getattr(self._generator, name)

    def write(self, prefix: Prefix, branches: Sequence[Branch], **options: Any) -> Any:  # noqa: ANN401
        """What the generator's own `write` yields."""
        self.asked.append((prefix, tuple(branches)))
        return self._generator.write(prefix, branches, **options)


def choose_requests(agent: Agent, requests: int, seed: int) -> list[Asked]:
    """Random people, every second one with a request in words; what the model writes for them at the first attempt."""
    random, chosen = np.random.default_rng(seed), []
    generator = agent.generator
    people = agent.workspace.store.user_ids()
    while len(chosen) < requests:
        user = str(random.choice(people))
        words = ask(agent.catalogue, random).text if len(chosen) % 2 else ""
        agent.generator = listening = Listening(generator)
        agent.recommend(user, intent=words, n=N)
        agent.generator = generator
        profile, intent, query = understood(agent, user, words, N)
        places = fuse(agent.lister.sources, query, agent.settings.candidates, agent.lister.weights).positions
        if listening.asked and len(places) == agent.settings.candidates:
            prefix, branches = listening.asked[0]
            titles = tuple(agent.lister.titles[p] for p in places)
            chosen.append(Asked(agent.stages().prompt(profile, intent), prefix, titles, branches))
    return chosen


# -- the parts of a turn, one after the other and together


class Parts:
    """Each part for several requests, in both ways."""

    def __init__(self, generator: LocalGenerator) -> None:
        self._generator = generator
        self._chat = generator._chat
        self._model = generator._model

    def all(self) -> dict[str, tuple[Work, Work]]:
        """By name: (one after the other, together)."""
        return {
            "read the prompts": (self.read_each, self.read_padded),
            "score 50 titles": (self.score_each, self.score_together),
            "read what reasons rest on": (self.open_each, self.open_together),
            "read and write five reasons": (self.write_each, self.write_together),
        }

    def read_each(self, asked: Sequence[Asked]) -> object:
        """Every prompt by itself."""
        return [self._generator.read(one.prompt) for one in asked]

    def read_padded(self, asked: Sequence[Asked]) -> object:
        """All prompts in one batch, padded on the left."""
        import torch

        rows = [self._chat.encode(self._chat.render(one.prompt)) for one in asked]
        width = max(map(len, rows))
        ids = torch.tensor([[self._chat.end] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.inference_mode():
            return self._model.model(ids, attention_mask=mask, use_cache=True)

    def score_each(self, asked: Sequence[Asked]) -> object:
        """Every request's titles packed in a pass of its own."""
        return [self._generator.score(one.prefix, one.titles) for one in asked]

    def score_together(self, asked: Sequence[Asked]) -> object:
        """The titles of all requests in one pass, each over its own prefix."""
        import torch

        fed = []
        for one in asked:
            titles = [self._chat.title(title)[:-1] for title in one.titles]
            tokens = [token for title in titles for token in title]
            owners = [place for place, title in enumerate(titles) for _ in title]
            fed.append(Fed(Packed(one.prefix.cache, len(tokens)), tokens, owners))
        with torch.inference_mode():
            return [self._model.lm_head(states).float().logsumexp(-1) for states in read_together(self._model, fed)]

    def open_each(self, asked: Sequence[Asked]) -> object:
        """What the reasons of a request rest on, a pass for each."""
        return [self._read([self._writing(one)]) for one in asked]

    def open_together(self, asked: Sequence[Asked]) -> object:
        """The same for all in one pass."""
        return self._read([self._writing(one) for one in asked])

    def write_each(self, asked: Sequence[Asked]) -> list[dict[int, str]]:
        """The reasons of each, by row, one request after the other."""
        return [self._written([one])[0] for one in asked]

    def write_together(self, asked: Sequence[Asked]) -> list[dict[int, str]]:
        """The reasons of each, every step for all."""
        return self._written(asked)

    def _writing(self, one: Asked) -> Writing:
        texts = [self._chat.continuation(one.prefix.text, branch.messages) for branch in one.branches]
        return Writing(self._model, self._chat, one.prefix.cache, texts, one.branches, None, 48)

    def _read(self, writings: Sequence[Writing]) -> None:
        import torch

        with torch.inference_mode():
            fed = [writing.feed() for writing in writings]
            for writing, given, states in zip(writings, fed, read_together(self._model, fed), strict=True):
                writing.take(given, states)

    def _written(self, asked: Sequence[Asked]) -> list[dict[int, str]]:
        """The reasons of each, by row; branches are read one request at a time, as in service."""
        writings = [self._writing(one) for one in asked]
        for writing in writings:
            while not writing.is_open:
                self._read([writing])
        while unfinished := [writing for writing in writings if not writing.is_over]:
            self._read(unfinished)
        for writing in writings:
            if writing.failed is not None:
                raise writing.failed
        return [{p.row: p.text for pieces in writing.steps for p in pieces} for writing in writings]


def seconds(work: Work, asked: Sequence[Asked]) -> float:
    """How long it takes."""
    import torch

    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    work(asked)
    return clock() - start


def compare_times(parts: Parts, asked: Sequence[Asked], together: Sequence[int], repeats: int) -> dict[str, Any]:
    """By part and number of requests: the ratio, and the milliseconds of one request each way."""
    found: dict[str, Any] = {}
    for name, (each, at_once) in parts.all().items():
        each(asked[:1]), at_once(asked[:2])  # warm up
        for count in track(together, description=name, console=Console(stderr=True)):
            pairs = []
            for repeat in range(repeats):
                some = [asked[(repeat * count + place) % len(asked)] for place in range(count)]
                both = (each, at_once) if repeat % 2 else (at_once, each)
                took = {work: seconds(work, some) for work in both}
                pairs.append((took[each], took[at_once]))
            apart, joined = np.array(pairs).T
            found.setdefault(name, {})[str(count)] = {
                **ratio(apart, joined),
                "each_ms": round(1000 * float(np.median(apart)) / count, 1),
                "together_ms": round(1000 * float(np.median(joined)) / count, 1),
            }
    return found


# -- does company change anything?


def compare_reasons(parts: Parts, asked: Sequence[Asked], company: int) -> dict[str, int]:
    """Reasons written alone, and in the company of so many other requests."""
    alone = parts.write_each(asked)
    reasons = different = 0
    for first in range(0, len(asked), company):
        joined = parts.write_together(asked[first : first + company])
        for one, other in zip(alone[first : first + company], joined, strict=True):
            reasons += len(one)
            different += sum(one[row] != other[row] for row in one)
    return {"reasons": reasons, "company": company, "different": different}


def compare_bits(generator: LocalGenerator, most: int) -> dict[str, Any]:
    """From how many rows on the model's matrix products give a row the same bits as among `most` rows."""
    import torch

    layer, random = generator._model.model.layers[0], torch.Generator().manual_seed(0)
    found = {}
    with torch.inference_mode():
        for name, linear in [(n, m) for n, m in layer.named_modules() if isinstance(m, torch.nn.Linear)]:
            rows = torch.randn(most, linear.in_features, generator=random).to(linear.weight.dtype)
            full = linear(rows[None])[0]
            same = [torch.equal(linear(rows[None, :count])[0], full[:count]) for count in range(1, most + 1)]
            found[name] = 1 + max((count for count, equal in enumerate(same, 1) if not equal), default=0)
    return {"compared_with": most, "from": found, "from_in_all": max(found.values())}


def main() -> None:
    """Times, then what company changes. The exit code is 1 where a reason differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--together", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console()
    with open_example() as agent:
        asked = choose_requests(agent, max(arguments.requests, *arguments.together), arguments.seed)
        parts = Parts(agent.generator)
        times = compare_times(parts, asked, arguments.together, arguments.repeats)
        reasons = compare_reasons(parts, asked, max(arguments.together))
        bits = compare_bits(agent.generator, 256)
    table = Table("", "requests", "one after the other, ms each", "together, ms each", "ratio (95%)")
    for name, by_count in times.items():
        for count, one in by_count.items():
            ratios = f"{one['median']:g} ({one['low']:g} to {one['high']:g})"
            table.add_row(name, count, f"{one['each_ms']:,.0f}", f"{one['together_ms']:,.0f}", ratios)
    console.print(table)
    console.print(
        f"{reasons['different']} of {reasons['reasons']} reasons differ in the company of {reasons['company'] - 1} "
        f"other requests. Matrix products give a row the same bits from {bits['from_in_all']} rows on.",
        highlight=False,
    )
    write_json(arguments.json, {**describe_run(), "times": times, "reasons": reasons, "bits": bits})
    sys.exit(1 if reasons["different"] else 0)


if __name__ == "__main__":
    main()
