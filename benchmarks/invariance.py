"""Does the order in which candidates arrive show in the list? Does packing titles into one pass change their scores?

1. Every request is ranked again and again with its candidates in another random order: all ranks must be exactly equal.
   The model reads anew whenever the titles come to it in an order that it has not read before; the same titles in the
   same order are the same computation, and are not repeated after the second time.
2. In float32, the packed scores of all candidates are compared with three others: the same titles packed in another
   order, every title alone after the prompt, and one title read with its whole prompt and no cache. None may differ by
   more than 1e-3 in log-probability.

The exit code is 1 when either fails.

    python benchmarks/invariance.py --requests 50 --shuffles 20 --json out.json
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from asking import ask, understood  # type: ignore[import-not-found]
from common import describe_run, open_example, write_json  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from agent.agent import Agent
from agent.assets import language_model
from agent.generation.base import Message, TitleScores
from agent.generation.local import LocalGenerator, Prefix
from agent.retrieval.base import Query
from agent.retrieval.fusion import Fused, fuse

TOLERANCE = 1e-3
Asked = tuple[Query, tuple[Message, ...]]


def choose_requests(agent: Agent, requests: int, seed: int) -> list[Asked]:
    """Random people, every second one with a request in words; requests that leave one candidate are drawn again."""
    random = np.random.default_rng(seed)
    chosen: list[Asked] = []
    people = agent.workspace.store.user_ids()
    while len(chosen) < requests:
        words = ask(agent.catalogue, random).text if len(chosen) % 2 else ""
        profile, intent, query = understood(agent, str(random.choice(people)), words, 5)
        if query.allowed.sum() > 1:
            chosen.append((query, agent.stages().prompt(profile, intent)))
    return chosen


def shuffled(fused: Fused, order: np.random.Generator) -> Fused:
    """The same candidates with the same scores, in a random order."""
    places = order.permutation(len(fused.positions))
    by_source = {name: values[places] for name, values in fused.by_source.items()}
    return Fused(fused.positions[places], fused.score[places], by_source)


class Remembering:
    """A generator whose scores of titles are kept by the exact order of the titles, for one request at a time."""

    def __init__(self, generator: Any) -> None:  # noqa: ANN401 - any generator
        self._generator = generator
        self._kept: dict[tuple[str, ...], TitleScores] = {}
        self.passes = 0

    def forget(self) -> None:
        """Begin a request: its second ranking is computed again, whatever the order."""
        self._kept.clear()

    def score(self, prefix: object, titles: Sequence[str]) -> TitleScores:
        """The generator's own scores, computed for every order of titles that is new."""
        if tuple(titles) not in self._kept:
            self.passes += 1
            self._kept[tuple(titles)] = self._generator.score(prefix, titles)
        return self._kept[tuple(titles)]


def compare_ranks(agent: Agent, chosen: Sequence[Asked], shuffles: int, seed: int) -> dict[str, int]:
    """How many of all shuffled rankings are not exactly the unshuffled one, and how many places moved in them."""
    order = np.random.default_rng(seed + 1)
    differing = moved = 0
    remembering = Remembering(agent.generator)
    agent.lister.generator = remembering
    for query, prompt in track(chosen, description="ranks", console=Console(stderr=True)):
        fused = fuse(agent.lister.sources, query, agent.settings.candidates, agent.lister.weights)
        prefix = agent.generator.read(prompt)
        expected = ranked(agent, fused, prefix)
        remembering.forget()
        for _ in range(shuffles):
            found = ranked(agent, shuffled(fused, order), prefix)
            differing += found != expected
            moved += sum(a != b for a, b in zip(found, expected, strict=True))
    agent.lister.generator = agent.generator
    return {
        "requests": len(chosen),
        "shuffles": shuffles,
        "rankings_that_differ": differing,
        "places_moved": moved,
        "passes_of_the_model": remembering.passes,
    }


def ranked(agent: Agent, fused: Fused, prefix: object) -> list[str]:
    """The ids that the ranking stage of a turn gives, best first."""
    return [c.item.item_id for c in agent.lister.ranked(fused, prefix, agent.model_weight)]


# -- packed against alone


def compare_scores(agent: Agent, chosen: Sequence[Asked], seed: int) -> dict[str, Any]:
    """The largest differences in log-probability on the real model in float32."""
    folder = language_model(agent.settings.model, agent.settings.cache)
    generator = LocalGenerator(folder, dtype="float32")
    order = np.random.default_rng(seed + 2)
    alone = reordered = uncached = 0.0
    count = 0
    for query, prompt in track(chosen, description="scores", console=Console(stderr=True)):
        positions = fuse(agent.lister.sources, query, agent.settings.candidates, agent.lister.weights).positions
        titles = [agent.lister.titles[p] for p in positions]
        prefix = generator.read(prompt)
        packed = generator.score(prefix, titles).total
        places = order.permutation(len(titles))
        again = generator.score(prefix, [titles[p] for p in places]).total
        reordered = max(reordered, _difference(again, packed[places]))
        alone = max(alone, _difference(np.array([score_alone(generator, prefix, t) for t in titles]), packed))
        uncached = max(uncached, abs(score_uncached(generator, prefix, titles[0]) - float(packed[0])))
        count += len(titles)
    return {
        "requests": len(chosen),
        "titles": count,
        "dtype": "float32",
        "one_at_a_time": alone,
        "packed_in_another_order": reordered,
        "without_cache": uncached,
        "allowed": TOLERANCE,
    }


def score_alone(generator: LocalGenerator, prefix: Prefix, title: str) -> float:
    """One title after the prompt's cache, under the model's own causal mask and positions: no mask of ours."""
    import torch

    tokens = generator._chat.title(title)
    with torch.inference_mode():
        hidden = generator._model.model(
            torch.tensor([tokens[:-1]], device=generator._device), past_key_values=copy.deepcopy(prefix.cache)
        ).last_hidden_state[0]
        logits = generator._model.lm_head(torch.cat([prefix.hidden, hidden]))
    return _total(logits, tokens)


def score_uncached(generator: LocalGenerator, prefix: Prefix, title: str) -> float:
    """One title read with its whole prompt in one pass."""
    import torch

    tokens = generator._chat.title(title)
    before = generator._chat.encode(prefix.text)
    with torch.inference_mode():
        logits = generator._model(torch.tensor([[*before, *tokens[:-1]]], device=generator._device)).logits[0]
    return _total(logits[len(before) - 1 :], tokens)


def _total(logits: Any, tokens: Sequence[int]) -> float:  # noqa: ANN401 - a tensor (tokens, vocabulary)
    import torch

    chances = torch.log_softmax(logits.double(), -1)
    return float(chances[torch.arange(len(tokens)), torch.tensor(tokens)].sum())


def _difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.abs(first - second).max())


def main() -> None:
    """Rank, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--shuffles", type=int, default=20)
    parser.add_argument("--scored", type=int, default=20, help="requests whose scores are compared in float32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console()
    with open_example() as agent:
        chosen = choose_requests(agent, max(arguments.requests, arguments.scored), arguments.seed)
        ranks = compare_ranks(agent, chosen[: arguments.requests], arguments.shuffles, arguments.seed)
        scores = compare_scores(agent, chosen[: arguments.scored], arguments.seed)
    console.print(
        f"Ranks: {ranks['rankings_that_differ']} of {ranks['requests'] * ranks['shuffles']:,} rankings differ. "
        f"Scores in float32 of {scores['titles']:,} titles, largest difference in log-probability: "
        f"one at a time {scores['one_at_a_time']:.1e}, in another order {scores['packed_in_another_order']:.1e}, "
        f"without cache {scores['without_cache']:.1e} (allowed: {TOLERANCE:g}).",
        highlight=False,
    )
    largest = max(scores[name] for name in ("one_at_a_time", "packed_in_another_order", "without_cache"))
    passed = ranks["rankings_that_differ"] == 0 and largest <= TOLERANCE
    write_json(arguments.json, {**describe_run(), "ranks": ranks, "scores": scores, "passed": passed})
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
