"""Who reads messages better: the catalogue's words, or a language model that fills the same schema under a grammar?

Both read the written conversations, each turn upon what they themselves understood so far. Counted are the turns of
which a list is expected, for what a message does is read by words either way. A state is exact when every field of it
is what a person would expect (tests/conversations/README.md). Intervals are over conversations.

    python benchmarks/understanding.py --conversations 40 --json understanding.json
    python benchmarks/understanding.py --model hf:Qwen/Qwen3-4B-Instruct-2507 --folder tests/held_out
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import REPOSITORY, describe_run, write_json  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from agent.assets import language_model
from agent.generation.local import LocalGenerator
from agent.generation.prompting import PromptSet
from agent.reader import BY_MODEL, Reader
from agent.settings import Understanding, load_settings
from agent.understanding.dialogue import State, Turn
from agent.workspace.catalogue import Catalogue

sys.path.insert(0, str(REPOSITORY / "tests"))
from written import INITIAL, cases, catalogue, play  # type: ignore[import-not-found]  # noqa: E402

NOUNS = {"films": "film", "books": "book", "shop": "product"}
SETS = ("likes", "dislikes", "filters", "wishes", "avoids")
DRAWS = 2000


@dataclass(frozen=True)
class Judged:
    """One turn: whether it is the first, whether its state is exact, who read it, and `counts` of its fields."""

    is_first: bool
    is_exact: bool
    by_model: bool
    counts: NDArray[np.int64]


@dataclass
class Way:
    """One way to read, and what came of it; `turns` are those of each conversation."""

    name: Understanding
    readers: Mapping[str, Reader]
    seconds: list[float] = field(default_factory=list)
    how: Counter[str] = field(default_factory=Counter)
    turns: list[list[Judged]] = field(default_factory=list)

    def play(self, case: Mapping[str, Any]) -> None:
        """Read one conversation."""
        reader = self.readers[case.get("catalogue", "films")]
        read_by = []

        def read(text: str, state: State, items: Catalogue) -> Turn:
            start = time.perf_counter()
            turn, how = reader.turn(text, state, items)
            read_by.append(how)
            if turn.does == "list":
                self.seconds.append(time.perf_counter() - start)
                self.how[" ".join(how.split()[:8])] += 1
            return turn

        played = list(play(dict(case), read))
        self.turns.append(
            [
                Judged(
                    place == 0,
                    all(one.expected[k] == one.came[k] for k in INITIAL),
                    read_by[place] == BY_MODEL,
                    counts(one.expected, one.came),
                )
                for place, one in enumerate(played)
                if one.expected["does"] == "list"
            ]
        )


def main() -> None:
    """Play, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="A path, hf: or pypi: reference; without it the one of the settings.")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "tests" / "conversations")
    parser.add_argument("--conversations", type=int, help="So many of them, drawn by the seed; without it all.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    settings = load_settings(model=arguments.model)
    generator = LocalGenerator(
        language_model(settings.model, settings.cache), dtype=settings.dtype, name=settings.model
    )
    chosen = drawn(cases(arguments.folder), arguments.conversations, arguments.seed)
    paths = [Way(name, readers(name, generator, chosen)) for name in ("words", "model")]
    for case in track(chosen, description="conversations"):
        for path in paths:
            path.play(case)
    figures = {path.name: summary(path) for path in paths}
    gain = np.array([[sum(t.is_exact for t in c) for c in path.turns] for path in paths], dtype=float)
    turns = np.array([len(c) for c in paths[0].turns], dtype=float)
    change = estimate(gain[1] - gain[0], turns)
    out = Console()
    for name, said in figures.items():
        show(out, name, said)
    out.print(
        f"{len(chosen)} conversations, {turns.sum():.0f} turns; exact states by the model less by words: {told(change)}"
    )
    model = {"model": settings.model, "parameters": sum(p.numel() for p in generator._model.parameters())}
    write_json(arguments.json, {**describe_run(), **model, "conversations": len(chosen), "change": change, **figures})


def drawn(found: Sequence[dict[str, Any]], n: int | None, seed: int) -> list[dict[str, Any]]:
    """So many of the conversations, in their order."""
    if n is None or n >= len(found):
        return list(found)
    places = np.random.default_rng(seed).choice(len(found), n, replace=False)
    return [found[place] for place in sorted(places)]


def readers(name: Understanding, generator: LocalGenerator, chosen: Sequence[Mapping[str, Any]]) -> dict[str, Reader]:
    """One for each catalogue, ready: what is read once does not count."""
    made = {}
    for which in dict.fromkeys(case.get("catalogue", "films") for case in chosen):
        made[which] = Reader(name, generator, PromptSet.named("recommend"), NOUNS[which])
        made[which].turn("something", State(), catalogue(which))
    return made


def counts(expected: Mapping[str, Any], came: Mapping[str, Any]) -> NDArray[np.int64]:
    """(fields, 3): how many parts of each field are right, came, were expected."""
    rows = []
    for name, initial in INITIAL.items():
        wanted, got = (set(said[name]) if name in SETS else {said[name]} - {initial} for said in (expected, came))
        rows.append((len(wanted & got), len(got), len(wanted)))
    return np.array(rows, dtype=np.int64)


def summary(path: Way) -> dict[str, Any]:
    """The figures of one way to read."""
    said: dict[str, Any] = {
        "seconds": {q: round(float(np.quantile(path.seconds, v)), 3) for q, v in (("median", 0.5), ("p95", 0.95))}
    }
    parts: Mapping[str, Callable[[Judged], bool]] = {
        "exact": lambda turn: True,
        "exact, first turns": lambda turn: turn.is_first,
        "exact, follow-ups": lambda turn: not turn.is_first,
        "exact, read by the model": lambda turn: turn.by_model,
    }
    for part, belongs in parts.items():
        kept = [[t for t in c if belongs(t)] for c in path.turns]
        exact = np.array([sum(t.is_exact for t in c) for c in kept], dtype=float)
        said[part] = estimate(exact, np.array([len(c) for c in kept], dtype=float))
    fields = np.array([np.sum([t.counts for t in c], axis=0) if c else np.zeros((len(INITIAL), 3)) for c in path.turns])
    said["fields"] = {
        name: {
            "precision": estimate(fields[:, i, 0], fields[:, i, 1]),
            "recall": estimate(fields[:, i, 0], fields[:, i, 2]),
        }
        for i, name in enumerate(INITIAL)
    }
    return {**said, "read": dict(path.how.most_common())}


def estimate(part: NDArray[np.float64], whole: NDArray[np.float64]) -> dict[str, float | None]:
    """Sum of the parts by that of the wholes, with a bootstrap 95% interval over conversations, and n of the whole.

    A draw of conversations in which there is nothing of the whole says nothing, and is left out.
    """
    if not whole.sum():
        return {"share": None, "low": None, "high": None, "n": 0}
    rows = np.random.default_rng(0).integers(len(whole), size=(DRAWS, len(whole)))
    drawn = whole[rows].sum(1)
    low, high = np.quantile(part[rows].sum(1)[drawn > 0] / drawn[drawn > 0], (0.025, 0.975))
    share = float(part.sum() / whole.sum())
    return {"share": round(share, 3), "low": round(float(low), 3), "high": round(float(high), 3), "n": int(whole.sum())}


def told(one: Mapping[str, float | None]) -> str:
    """A share as text, such as .950 (.920 to .980) of 40."""
    if one["share"] is None:
        return "none"
    return f"{one['share']:.3f} ({one['low']:.3f} to {one['high']:.3f}) of {one['n']}"


def show(out: Console, name: str, said: Mapping[str, Any]) -> None:
    """One way to read, in a few lines."""
    shares = "; ".join(f"{part} {told(said[part])}" for part in said if part.startswith("exact"))
    out.print(
        f"{name}: {shares}; seconds a turn {said['seconds']}; read {said['read']}", highlight=False, soft_wrap=True
    )
    for which, both in said["fields"].items():
        out.print(
            f"  {which:12} precision {told(both['precision']):34} recall {told(both['recall'])}",
            highlight=False,
            soft_wrap=True,
        )


if __name__ == "__main__":
    main()
