"""Is an item that was added while serving found by its own description, in the next call?

Films with a film card are withheld from the catalogue with every rating of them, and another build learns without them.
They are added by `agent.add_items`, twenty in a call, and each is asked for in the words of its card: what it is about
and its themes, in full or its first sentence alone, never its title. It is asked for as a wish, which is what retrieval
is given, and as a message, of which words that name a year, a genre or a country become conditions, whatever the plot
meant by them. It is found when it is among the first three of the list. A film that stands twice is not drawn.

Runs without the language model (its weight is 0).

    python benchmarks/added_items.py --items 200 --json added_items.json
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from common import (  # type: ignore[import-not-found]
    describe_run,
    interval,
    median_and_p95,
    open_without_model,
    write_json,
)
from rich.console import Console
from rich.progress import track

from agent import build
from agent.agent import Agent
from agent.schema import Intent, Item
from agent.workspace.catalogue import bare_key, phrase_key
from agent.workspace.film_cards import cards
from agent.workspace.vectors import ABOUT, WHOLE
from agent.workspace.workspace import Workspace

FIRST = 3
AT_ONCE = 20
ASKED = ("card as a wish", "first sentence as a wish", "card as a message", "first sentence as a message")


def drawn(agent: Agent, n: int, seed: int) -> list[Item]:
    """So many films that have a card and a title of their own."""
    able = [i for i in agent.catalogue.items if i.title in cards() and len(agent.catalogue.same_work(i.item_id)) == 1]
    order = np.random.default_rng(seed).permutation(len(able))
    return [able[place] for place in order[:n]]


def described(item: Item, short: bool) -> str:
    """The words of a film's card, but for its title should they hold it."""
    card = cards()[item.title]
    words = card.about.split(". ")[0] if short else f"{card.about} {', '.join(card.themes)}"
    title = bare_key(item.title)
    return " ".join(w for w in words.split() if phrase_key(w) != title)


def rank_of(agent: Agent, item: Item, asked: str | Intent) -> int:
    """The place in the list that a new person gets for this; 0 where it is not listed."""
    with closing(agent.stream(intent=asked, n=10)) as replies:
        return next((r.rank for r in next(replies).recommendations if r.item.item_id == item.item_id), 0)


def main() -> None:
    """Withhold, add, ask; print the share that was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    ranks: dict[str, list[int]] = {name: [] for name in ASKED}
    seconds = []
    with open_without_model() as agent, tempfile.TemporaryDirectory(prefix="vouchrec-") as folder:
        withheld = drawn(agent, arguments.items, arguments.seed)
        gone = {item.item_id for item in withheld}
        store = agent.workspace.store
        workspace = Workspace.create(Path(folder) / "workspace")
        workspace.store.put_attribute_types(store.attribute_types())
        workspace.store.put_items(item for item in store.items() if item.item_id not in gone)
        workspace.store.put_interactions(
            i for u in store.user_ids() for i in store.interactions(u) if i.item_id not in gone
        )
        workspace.store.set_meta(build._COMPLETE, True)
        for view in (WHOLE, ABOUT):
            shutil.copy(agent.workspace.cache / view.vectors, workspace.cache / view.vectors)
        with Agent(workspace, agent.settings, build.open_encoder(agent.settings), agent.generator) as other:
            for start in track(range(0, len(withheld), AT_ONCE), description="items"):
                begun = time.perf_counter()
                other.add_items(withheld[start : start + AT_ONCE])
                seconds.append(time.perf_counter() - begun)
                for item in withheld[start : start + AT_ONCE]:
                    for name, found in ranks.items():
                        words = described(item, short="sentence" in name)
                        asked = words if "message" in name else Intent(words, wishes=words)
                        found.append(rank_of(other, item, asked))
    figures = {}
    for name, found in ranks.items():
        hits = np.array([0 < rank <= FIRST for rank in found])
        low, high = interval(hits, np.mean)
        figures[name] = {"n": len(hits), "found": float(hits.mean()), "low": low, "high": high}
        Console().print(f"{name}: {hits.mean():.1%} ({low:.1%} to {high:.1%}) of {len(hits)} among the first {FIRST}")
    took = median_and_p95([1000 * s for s in seconds])
    Console().print(f"add_items, {AT_ONCE} at once: median {took['median']:,.0f} ms, p95 {took['p95']:,.0f} ms")
    write_json(arguments.json, {**describe_run(), "ranks": figures, "add_ms": took})


if __name__ == "__main__":
    main()
