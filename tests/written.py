"""Plays written conversations (tests/conversations/README.md) and tells each turn that was understood otherwise.

`python tests/written.py FOLDER` does so for the files of another folder.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agent.schema import Filter, Intent, Item
from agent.settings import Settings
from agent.understanding.dialogue import State, Turn, understand
from agent.workspace.catalogue import Catalogue
from agent.workspace.film_cards import TYPES, with_cards
from agent.workspace.movielens import fetch_movielens

FOLDER = Path(__file__).with_name("conversations")
INITIAL = {"likes": [], "dislikes": [], "filters": [], "wishes": "", "avoids": "", "n": None, "habit": 0.5}
INITIAL |= {"exploration": 0.0}
TURN_KEYS = {"say", "intent", "does", "refers", "seen", "shown"}
OPS = ("==", "!=", ">=", "<=", ">", "<", "not in", "in")
# Words that carry no wish, on either side of the comparison.
IDLE = frozenset(
    """
    a about actually again albums all also always am an and another any anybody anything are as at away back be
    because been being bit book books but by came can could did different do does doing don't done dont each else
    even ever every everything exactly featuring feel feeling film films find for from general get give go going
    good great had has have having he her him his how i i'd i'll i'm i've if im in instead into involving is it it's
    item items its ive just kind know lately less let let's lets like little look looking lot lots made make maybe
    me mean mood more most movie movies much must my need never nice no nor not now of ok okay on one ones only or
    other others our out over pick picks place please prefer preferably pretty product products quite rather read
    really right same say see seen series set she should show since so some somebody someone something sort starring
    still stories story stuff such suggest sure take takes talk than that that's the their them then there these
    they thing things think this those though three time times to today together tonight too try two up us usual
    very want was watch we well were what what's when where which while who whole whose why will with would yes yet
    you your
    """.split()
)
Read = Callable[[str, State, Catalogue], Turn]


@dataclass(frozen=True)
class Played:
    """One turn of a case: what was expected and what came, as plain dictionaries of what is compared."""

    case: str
    say: str
    expected: dict[str, Any]
    came: dict[str, Any]

    @property
    def agrees(self) -> bool:
        return self.expected == self.came

    def __str__(self) -> str:
        differ = [k for k in self.expected if self.expected[k] != self.came[k]]
        told = "; ".join(f"{k}: expected {_told(self.expected[k])}, came {_told(self.came[k])}" for k in differ)
        return f"{self.case} | {self.say!r} | {told}"


@cache
def catalogue(name: str) -> Catalogue:
    if name == "films":
        items = with_cards(fetch_movielens(Settings().cache).items())
        return Catalogue(items, {"year": "number", "genres": "list", **TYPES})
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [n for n in rows[0] if n not in ("item_id", "title", "text")]
    numbers = {n for n in names if all(_is_number(row[n]) for row in rows)}
    lists = {n for n in names if any("|" in row[n] for row in rows)}
    items = [
        Item(r["item_id"], r["title"], r["text"], {n: _value(r[n], n in numbers, n in lists) for n in names})
        for r in rows
    ]
    return Catalogue(items, {n: "number" if n in numbers else "list" if n in lists else "word" for n in names})


def cases(folder: Path = FOLDER) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.yaml")):
        found += yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def play(case: dict[str, Any], read: Read = understand) -> Iterator[Played]:
    """The turns of a case one after another, each upon what was understood so far, not upon what was expected."""
    items = catalogue(case.get("catalogue", "films"))
    state, expected = State(), _canonical(INITIAL, items)
    for turn in case["turns"]:
        unknown = set(turn) - TURN_KEYS
        assert not unknown, f"{case['name']}: {unknown} are no keys of a turn"
        if "intent" in turn:
            unknown = set(turn["intent"]) - set(INITIAL)
            assert not unknown, f"{case['name']}: {unknown} are no keys of an intent"
            expected = _canonical(INITIAL | turn["intent"], items)
        reply = read(turn["say"], state, items)
        asked = {
            "does": turn.get("does", "list"),
            "refers": _ids(turn.get("refers", ()), items),
            "seen": _ids(turn.get("seen", ()), items),
        }
        yield Played(case["name"], turn["say"], expected | asked, _came(reply, items))
        state = state.after(reply)
        if "shown" in turn:
            state = state.showing([_id(title, items) for title in turn["shown"]])


def _came(turn: Turn, items: Catalogue) -> dict[str, Any]:
    intent: Intent = turn.intent
    said = {name: getattr(intent, name) for name in INITIAL}
    said |= {"likes": [items.get(i).title for i in intent.likes]}
    said |= {"dislikes": [items.get(i).title for i in intent.dislikes]}
    asked = {"does": turn.does, "refers": _same(turn.refers, items), "seen": _same(turn.seen, items)}
    return _canonical(said, items) | asked


def _canonical(said: dict[str, Any], items: Catalogue) -> dict[str, Any]:
    filters = [_read(f) if isinstance(f, str) else f for f in said["filters"]]
    return {
        "likes": _ids(said["likes"], items),
        "dislikes": _ids(said["dislikes"], items),
        "filters": frozenset(part for f in filters for part in _parts(items.canonical(f))),
        "wishes": _words(said["wishes"]),
        "avoids": _words(said["avoids"]),
        "n": said["n"],
        "habit": said["habit"],
        "exploration": float(said["exploration"]),
    }


def _read(text: str) -> Filter:
    attribute, rest = text.split(" ", 1)
    op = next(op for op in OPS if rest.startswith(op + " "))
    value = rest[len(op) + 1 :].strip()
    if op in ("in", "not in"):
        return Filter(attribute, op, tuple(_number(v.strip()) for v in value.split(", ")))
    return Filter(attribute, op, _number(value))  # type: ignore[arg-type]


def _parts(f: Filter) -> Iterator[tuple[str, str, object]]:
    """Conditions of one meaning in one form."""
    if f.op in ("!=", "not in"):
        yield from ((f.attribute, "!=", v) for v in (f.value if isinstance(f.value, tuple) else (f.value,)))
    elif f.op in ("in", "==") and f.attribute != "year":
        values = f.value if isinstance(f.value, tuple) else (f.value,)
        yield f.attribute, "in", frozenset(values)
    elif f.attribute == "year" and f.op in (">", "<"):
        yield f.attribute, f.op + "=", f.value + (1 if f.op == ">" else -1)  # type: ignore[operator]
    elif f.attribute == "year" and f.op == "==":
        yield f.attribute, ">=", f.value
        yield f.attribute, "<=", f.value
    else:
        yield f.attribute, f.op, f.value


def _words(text: str) -> frozenset[str]:
    words = (w.strip(".,;:!?'\"").lower() for w in text.replace("’", "'").split())
    kept = (w for w in words if w and w not in IDLE)
    return frozenset(w[:-1] if w.endswith("s") and not w.endswith("ss") and len(w) > 3 else w for w in kept)


def _id(title: str, items: Catalogue) -> str:
    found = [item.item_id for item in items.items if item.title == title]
    assert found, f"{title!r} is no title of the catalogue; near: {items.nearest(title)}"
    return found[0]


def _ids(titles: Any, items: Catalogue) -> frozenset[str]:
    return frozenset(_id(title, items) for title in titles)


def _same(ids: Any, items: Catalogue) -> frozenset[str]:
    """One id of each work: some stand twice in the catalogue."""
    return _ids([items.get(i).title for i in ids], items)


def _told(value: Any) -> str:
    return str(sorted(value, key=str)) if isinstance(value, frozenset) else str(value)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _number(text: str) -> str | float | int:
    return (float(text) if "." in text else int(text)) if _is_number(text) else text


def _value(text: str, number: bool, several: bool) -> Any:
    return _number(text) if number else tuple(text.split("|")) if several else text


if __name__ == "__main__":
    played = [p for case in cases(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER) for p in play(case)]
    failed = [p for p in played if not p.agrees]
    sys.stdout.write("".join(f"{p}\n" for p in failed) + f"{len(played) - len(failed)} of {len(played)} turns\n")
