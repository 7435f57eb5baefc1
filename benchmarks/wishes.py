"""Are items found by what somebody else says that they are about, and how much do titles in the vectors hurt?

Films that have a film card are asked for in words that nobody who wrote the cards has seen: two keywords, four keywords
or the plot in one sentence, from a catalogue of another hand (JSON lines with `title`, `plot_imdb`, `keywords_tmdb`).
A new person wishes for each, and what is retrieved is searched for the film: by meaning alone and by meaning and words
as they serve, once with the vectors of whole items (title, lists, text) and once with those of what they are about.
Printed are the share found among the first ten, the mean reciprocal rank, and the share of films without a card among
the first ten, of whom nothing is known but year and genre.

Runs without the language model (its weight is 0).

    python benchmarks/wishes.py --texts ml_latest_small_texts.jsonl.gz --json wishes.json
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import describe_run, open_without_model, write_json  # type: ignore[import-not-found]
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.agent import Agent
from agent.build import open_encoder
from agent.retrieval.base import Query, Retriever
from agent.retrieval.fusion import Weights, fuse
from agent.retrieval.lexical import Lexical
from agent.retrieval.semantic import Semantic, Space
from agent.retrieval.substance import substance
from agent.workspace.film_cards import cards
from agent.workspace.movielens import readable_title
from agent.workspace.vectors import ABOUT
from finetune.evaluate.bootstrap import interval

FIRST = 10
NOBODY = np.zeros(0, dtype=np.int64)


def main() -> None:
    """Ask, search, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="JSON lines of another catalogue, also .gz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with open_without_model() as agent:
        place = {item.title: n for n, item in enumerate(agent.catalogue.items) if item.title in cards()}
        bare = np.array([item.title not in cards() for item in agent.catalogue.items])
        wishes = asked(arguments.texts, place, arguments.seed)
        figures = {}
        for called, sources in systems(agent).items():
            for kind, rows in wishes.items():
                found = [_ranked(agent, sources, text) for _, text in track(rows, description=f"{called}, {kind}")]
                figures[f"{called}, {kind}"] = _figures(found, [film for film, _ in rows], bare)
    report(figures)
    write_json(arguments.json, {**describe_run(), "films without a card": float(bare.mean()), **figures})


def asked(file: Path, place: dict[str, int], seed: int) -> dict[str, list[tuple[int, str]]]:
    """By kind: (the film's position, what is wished for)."""
    random = np.random.default_rng(seed)
    found: dict[str, list[tuple[int, str]]] = {"two keywords": [], "four keywords": [], "plot": []}
    for row in _rows(file):
        film = place.get(_title(row["title"].strip()))
        if film is None:
            continue
        keywords = row.get("keywords_tmdb") or []
        for kind, n in (("two keywords", 2), ("four keywords", 4)):
            if len(keywords) >= n:
                found[kind].append((film, ", ".join(random.choice(keywords, n, replace=False))))
        if row.get("plot_imdb"):
            found["plot"].append((film, row["plot_imdb"]))
    return found


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _title(title: str) -> str:
    """As the example spells it: "American President, The (1995)" is "The American President (1995)"."""
    name, year = title[:-7], title[-7:]
    return f"{readable_title(name)}{year}"


def systems(agent: Agent) -> dict[str, Sequence[Retriever]]:
    """Meaning alone, and with words, by either kind of vectors."""
    workspace, encoder = agent.workspace, open_encoder(agent.settings)
    ids, whole = workspace.vectors(encoder)
    about = Space(
        workspace.index(encoder, view=ABOUT),
        workspace.vectors(encoder, view=ABOUT)[1],
        substance(agent.catalogue.items),
    )
    index, lexical = workspace.index(encoder), Lexical(agent.catalogue.items)
    old, new = Semantic(index, encoder, ids, whole), Semantic(index, encoder, ids, whole, about)
    return {
        "meaning, whole items": (old,),
        "meaning, what they are about": (new,),
        "meaning and words, whole items": (old, lexical),
        "meaning and words, what they are about (served)": (new, lexical),
    }


def _ranked(agent: Agent, sources: Sequence[Retriever], wishes: str) -> NDArray[np.int64]:
    """Positions, best first."""
    allowed = np.ones(len(agent.catalogue), dtype=bool)
    query = Query(NOBODY, np.zeros(0), wishes, wishes, "", (), allowed, 0.0)
    return fuse(sources, query, agent.settings.candidates, Weights()).positions


def _figures(found: Sequence[NDArray[np.int64]], films: Sequence[int], bare: NDArray[np.bool_]) -> dict[str, Any]:
    ranks = [np.flatnonzero(ranked == film) for ranked, film in zip(found, films, strict=True)]
    place = np.array([rank[0] + 1 if len(rank) else np.inf for rank in ranks])
    return {
        "films": len(films),
        "first ten": interval((place <= FIRST).astype(float)).as_dict(),
        "reciprocal rank": interval(1 / place).as_dict(),
        "without a card": float(np.mean([bare[ranked[:FIRST]].mean() for ranked in found])),
    }


def report(figures: dict[str, Any]) -> None:
    """Print the table."""
    table = Table()
    for column in ("retrieval, wish", "films", "among the first ten", "reciprocal rank", "without a card"):
        table.add_column(column, justify="left" if column.startswith("retrieval") else "right")
    for name, one in figures.items():
        cells = (
            f"{v['mean']:.3f} ({v['low']:.3f} to {v['high']:.3f})" for v in (one["first ten"], one["reciprocal rank"])
        )
        table.add_row(name, str(one["films"]), *cells, f"{one['without a card']:.3f}")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
