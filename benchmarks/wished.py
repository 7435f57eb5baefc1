"""How much should a tuned model count where somebody also says what they want? It knows the history, and no words.

Validation people wish for what they went on to in words of another hand: two keywords, four keywords or the plot in one
sentence, from a catalogue that nobody who wrote the texts here has seen (JSON lines with `title`, `plot_imdb`,
`keywords_tmdb`). Their history and the wish are asked of retrieval, as a new workspace has it and as
`vouchrec finetune behaviour` learns it, and the candidates are ranked with several weights of the model beside it.
Printed is NDCG@10 by weight, for each share of the history ("the usual" against the wish; half is the default).

    python benchmarks/wished.py --texts ml_latest_small_texts.jsonl.gz --people 300 --json wished.json

It goes on where `benchmarks/adapter.py` has tuned and judged the same seed, and does that first where it has not.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import describe_run, open_data, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table
from tuned import RETRIEVALS, Ground, adapters_tuned, each_person, lister_with  # type: ignore[import-not-found]
from wishes import asked as wishes_of  # type: ignore[import-not-found]

from agent.generation.adapters import Adapter
from agent.retrieval.fusion import fuse
from agent.understanding.moods import as_kinds, with_kinds
from agent.workspace.film_cards import cards
from agent.workspace.workspace import Workspace
from finetune.evaluate.bootstrap import interval
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import hold_out_last, make_split
from finetune.gate import PEOPLE, Judged, best_weight, gains
from finetune.recipe import read_config
from finetune.retrieval import ASKED, held_out
from ui.terminal import Terminal

SHARES = (0.25, 0.5, 0.75)  # of the history
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9, 1.2, 2.0)


def main() -> None:
    """Tune and judge where that was not done yet, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="JSON lines of another catalogue, also .gz")
    parser.add_argument("--preset", default="items")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = read_config(arguments.preset, seed=arguments.seed)
    with Terminal().progress(keep=True) as progress:
        ground = Ground(*open_data(None, None, 1, progress), progress)
        split = make_split(ground.dataset, "leave-one-out", config.seed)
        adapters = adapters_tuned(ground, split, config, Path(arguments.preset).stem, PEOPLE)
    place = {item.title: n for n, item in enumerate(ground.dataset.catalogue) if item.title in cards()}
    wishes = {kind: dict(rows) for kind, rows in wishes_of(arguments.texts, place, config.seed).items()}
    figures = {}
    for called in RETRIEVALS:
        found = asked(ground, adapters[called], wishes, config.seed, arguments.people)
        report(called, figures.setdefault(called, {kind: summary(shares) for kind, shares in found.items()}))
    write_json(arguments.json, {**describe_run(), "weights": WEIGHTS, **figures})


def asked(
    ground: Ground, adapter: Adapter, wishes: Mapping[str, Mapping[int, str]], seed: int, people: int
) -> dict[str, dict[float, list[Judged]]]:
    """By kind of wish and share of the history: the judged candidates of up to so many people.

    `wishes` gives by kind the words for each catalogue position. The adapter's own workspace says who was held out when
    it was tuned, and how it retrieves.
    """
    with Workspace.open(adapter.folder.parents[1]) as workspace:
        dataset = replace(from_store(workspace.store, "example"), vectors=workspace.vectors(ground.encoder)[1])
        training, cases = hold_out_last(dataset, seed, ASKED)
        retrieval = held_out(workspace, ground.encoder, dataset, training, seed)
        lister = lister_with(ground, dataset, retrieval.sources, retrieval.weights, adapter)
        known = lister.catalogue.vocabulary
        found = {}
        for kind, words in wishes.items():
            rows = [row for row in range(len(cases)) if int(cases.targets[row][0]) in words]
            chosen = np.sort(np.random.default_rng([seed, 7]).permutation(np.array(rows, dtype=np.int64))[:people])
            judged: dict[float, list[Judged]] = {share: [] for share in SHARES}
            called = f"{workspace.path.name}, {kind}"
            for plain, prompt, targets in each_person(ground, lister, cases.only(chosen), called):
                prefix, target = lister.read(prompt, plain), int(targets[0])
                wish, wanted = words[target], {lister.catalogue.ids[target]}
                spoken = {"wishes": with_kinds(wish, known), "words": as_kinds(wish, known)}
                for share in SHARES:
                    query = replace(plain, **spoken, habit=share)
                    fused = fuse(lister.sources, query, ground.settings.candidates, lister.weights)
                    judged[share].append(Judged.of(lister.ranked(fused, prefix, 0.0), wanted))
            found[kind] = judged
    return found


def summary(shares: Mapping[float, list[Judged]]) -> dict[str, Any]:
    """By share of the history: how many were asked and found, the likeliest weight, NDCG@10 by weight."""
    return {
        f"{share:g}": {
            "people": len(judged),
            "among candidates": float(np.mean([one.chosen >= 0 for one in judged])),
            "likeliest": best_weight(judged),
            "ndcg@10": {f"{weight:g}": interval(gains(judged, weight)).as_dict() for weight in WEIGHTS},
        }
        for share, judged in shares.items()
    }


def report(called: str, figures: Mapping[str, Any]) -> None:
    """Print the table of one retrieval."""
    table = Table(title=f"retrieval: {called}; NDCG@10 by weight of the model")
    for column in ("wish", "history", "people", "found", *(f"{weight:g}" for weight in WEIGHTS)):
        table.add_column(column, justify="right")
    for kind, shares in figures.items():
        for share, told in shares.items():
            means = [one["mean"] for one in told["ndcg@10"].values()]
            cells = [f"[bold]{mean:.4f}[/bold]" if mean == max(means) else f"{mean:.4f}" for mean in means]
            table.add_row(kind, share, str(told["people"]), f"{told['among candidates']:.3f}", *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
