"""What is known of the person at a page: shown to them alone, searched, corrected, added to, given out."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.errors import InputError, UnknownPersonError
from agent.schema import Event, Feedback
from ui.terminal import clean
from ui.why import text

if TYPE_CHECKING:
    from agent import Agent

SHOWN = 100  # entries on the page; the search and the export know all
LONGEST = 200_000  # characters of an import
MOST_ROWS = 1_000
_COMPLAINTS = 5  # rows of an import that are named; more are only counted
_TITLES = ("title", "name", "item", "item_id", "film", "movie", "book")
_RATINGS = ("rating", "value", "stars", "score", "my rating", "your rating")
_SAID: Mapping[str, str] = {
    "like": "you like it",
    "dislike": "you do not like it",
    "seen": "you know it",
    "not_now": "not now",
    "rating": "you rated it",
    "remark": "you remarked on it",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of which the person did or said something; `said` has it in words, the latest last."""

    item_id: str
    title: str
    said: tuple[str, ...]


def entries(agent: Agent, user_id: str, search: str = "") -> list[Entry]:
    """What is known of a person by item, the latest first; only titles that hold every word of the search."""
    words = search.casefold().split()
    said: dict[str, list[str]] = {}
    store = agent.workspace.store
    for row in (*store.interactions(user_id), *store.feedback(user_id)):
        before = said.pop(row.item_id, [])  # what happened last stands last
        value = "" if row.value is None else f": {row.value:g}"
        said[row.item_id] = [*before, _SAID.get(row.event, row.event) + value]
    titles = {i: agent.catalogue.get(i).title for i in said if i in agent.catalogue.position}
    found = [Entry(i, titles[i], tuple(said[i])) for i in titles if all(w in titles[i].casefold() for w in words)]
    return found[::-1]


def add(agent: Agent, user_id: str, given: str) -> str:
    """Take in titles, one a line, or CSV with a column of titles and perhaps one of ratings; says what came of it.

    A title without a rating counts as liked. What is there already is left as it is.

    Raises:
        InputError: there is nothing, or too much.
    """
    if len(given) > LONGEST:
        raise InputError(f"That has {len(given):,} characters; at most {LONGEST:,} are read. Add it in parts.")
    taken, wrong, now = 0, [], time.time()
    known = {entry.item_id for entry in entries(agent, user_id)}
    for line, title, rating in _rows(given.encode("utf-8", "replace").decode("utf-8")):
        try:
            item_id, value = agent.catalogue.resolve(title), _number(rating)
            if item_id not in known:
                event: Event = "like" if value is None else "rating"
                agent.feedback(Feedback(user_id, item_id, event, None, value, now))
                known.add(item_id)
                taken += 1
        except InputError as error:
            wrong.append(f"line {line}: {error}")
    if not taken and not wrong:
        raise InputError("There was nothing new to add. Write one title a line, or choose a CSV file with titles.")
    more = [f"and {len(wrong) - _COMPLAINTS:,} more"] if len(wrong) > _COMPLAINTS else []
    return "\n".join([f"Added: {taken:,}. Not added: {len(wrong):,}.", *wrong[:_COMPLAINTS], *more])


def remove(agent: Agent, user_id: str, item_id: str) -> bool:
    """Remove all that a person did with an item and said of it; whether there was anything."""
    said = [given for given in agent.workspace.store.feedback(user_id) if given.item_id == item_id]
    for given in said:
        agent.undo_feedback(given)
    if not any(row.item_id == item_id for row in agent.workspace.store.interactions(user_id)):
        return bool(said)
    for row in agent.known_of(user_id)["history"]:
        if row["item_id"] == item_id:
            agent.delete_entry(user_id, row["entry"])
    return True


def export(agent: Agent, user_id: str) -> str:
    """Everything that is stored of a person, as JSON."""
    try:
        known: Mapping[str, Any] = agent.known_of(user_id)
    except UnknownPersonError:
        known = {"user_id": user_id, "attributes": {}, "history": [], "feedback": [], "turns": []}
    return json.dumps(known, ensure_ascii=False, indent=2) + "\n"


def panel(found: Sequence[Entry], note: str = "", searched: bool = False) -> str:
    """The panel as HTML; every part keeps its place, so that what is typed in it stays."""
    shown = "".join(_row(entry) for entry in found[:SHOWN])
    nothing = "Nothing of that name." if searched else "Nothing yet. React to a card, or add what you know below."
    count = f"{len(found):,} found" if searched else f"{len(found):,} so far"
    more = f"The {SHOWN} latest are shown; search for the others." if len(found) > SHOWN else ""
    listed = f"<p>{count}. {more}</p><ul class='vr-entries'>{shown}</ul>" if found else f"<p>{nothing}</p>"
    told = "<br>".join(text(line) for line in note.split("\n"))
    return (
        '<section aria-label="What I know about you"><h2>What I know about you</h2>'
        "<p>Your lists go by this, and no other visitor sees it. It is kept on this server until you remove it; a page "
        "that is opened anew begins with somebody new.</p>"
        f'<p class="vr-note" role="status">{told}</p>'
        '<label class="vr-label">Search <input type="search" data-do="search" autocomplete="off"></label>'
        f"<div>{listed}</div>{_ADD}{_LEAVE}</section>"
    )


_ADD = (
    '<details data-keep="add"><summary>Add what you know</summary>'
    "<p>One title a line, or CSV with a column <em>title</em> and perhaps one <em>rating</em>. Without a rating, a "
    "title counts as liked.</p>"
    '<label class="vr-label">Titles <textarea rows="5" autocomplete="off"></textarea></label>'
    '<label class="vr-label">or a file <input type="file" accept=".csv,.txt" data-do="file"></label>'
    '<button type="button" class="vr-chip" data-do="add">Add these</button></details>'
)
_LEAVE = (
    '<div class="vr-chips"><button type="button" class="vr-chip" data-do="export">Download all of it</button></div>'
    '<details data-keep="forget"><summary>Forget me</summary>'
    "<p>This removes your history, your reactions and all that was said here, for good. It cannot be undone.</p>"
    '<button type="button" class="vr-chip vr-danger" data-do="forget">Yes, forget everything</button></details>'
)


def _row(entry: Entry) -> str:
    title = text(entry.title)
    return (
        f'<li><span dir="auto"><b>{title}</b> {text(", then ".join(entry.said))}</span>'
        f'<button type="button" class="vr-drop" data-do="remove" data-item="{text(entry.item_id)}" '
        f'aria-label="Remove: {title}">×</button></li>'
    )


def _rows(given: str) -> Iterator[tuple[int, str, str]]:
    """(line, title, rating or "") of each row. Without a header that names a title, a whole line is a title."""
    lines = given.lstrip("\ufeff").splitlines()
    if len(lines) > MOST_ROWS:
        raise InputError(f"That has {len(lines):,} lines; at most {MOST_ROWS:,} are read. Add it in parts.")
    header = [name.strip().casefold() for name in next(csv.reader(lines[:1]), [])]
    titles = next((header.index(name) for name in _TITLES if name in header), None)
    if titles is None:
        yield from ((number, clean(line).strip(), "") for number, line in enumerate(lines, 1) if line.strip())
        return
    ratings = next((header.index(name) for name in _RATINGS if name in header), None)
    reader = csv.reader(io.StringIO("\n".join(lines[1:])))
    try:
        for row in reader:
            cells = dict(enumerate(cell.strip() for cell in row))
            if cells.get(titles):
                yield reader.line_num + 1, clean(cells[titles]), cells.get(ratings, "") if ratings is not None else ""
    except csv.Error as error:
        raise InputError(f"Line {reader.line_num + 1} is no CSV ({error}). Check its quotes.") from error


def _number(rating: str) -> float | None:
    """A rating as a number, None for none; the agent looks whether it is on the scale."""
    try:
        return float(rating) if rating else None
    except ValueError:
        raise InputError(f"The rating {rating[:20]!r} is no number.") from None
