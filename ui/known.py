"""What is known of the person at a page: shown to them alone, searched, corrected, added to, given out."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.errors import InputError, UnknownItemError, UnknownPersonError
from agent.schema import Feedback
from ui.buttons import chip, cross, danger
from ui.terminal import clean
from ui.why import text
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent

SHOWN = 100  # entries on the page; the search and the export know all
LONGEST = 200_000  # characters of an import
MOST_ROWS = 1_000
_COMPLAINTS = 5  # rows of an import that are named; more are only counted
_TITLES = ("title", "name", "item", "item_id", "film", "movie", "book")
_RATINGS = ("rating", "value", "stars", "score", "my rating", "your rating")


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of which the person did or said something; `said` has it in words, the latest last."""

    item_id: str
    title: str
    said: tuple[str, ...]


def entries(agent: Agent, user_id: str, search: str = "", words: Words = ENGLISH) -> list[Entry]:
    """What is known of a person by item, the latest first; only titles that hold every word of the search."""
    wanted = search.casefold().split()
    said: dict[str, list[str]] = {}
    store = agent.workspace.store
    for row in (*store.interactions(user_id), *store.feedback(user_id)):
        before = said.pop(row.item_id, [])  # what happened last stands last
        did = words.named("did", row.event)
        did = did if row.value is None else words("did.value", did=did, value=row.value)
        said[row.item_id] = [*before, did]
    titles = {i: agent.catalogue.get(i).title for i in said if i in agent.catalogue.position}
    found = [Entry(i, titles[i], tuple(said[i])) for i in titles if all(w in titles[i].casefold() for w in wanted)]
    return found[::-1]


def add(agent: Agent, user_id: str, given: str, words: Words = ENGLISH) -> str:
    """Take in titles, one a line, or CSV with a column of titles and perhaps one of ratings; says what came of it.

    A title without a rating counts as liked. What is there already is left as it is.

    Raises:
        InputError: there is nothing, or too much.
    """
    if len(given) > LONGEST:
        raise InputError(words("known.too_long", n=len(given), most=LONGEST))
    taken, wrong, now = 0, [], time.time()
    known = {entry.item_id for entry in entries(agent, user_id)}
    for line, title, rating in _rows(given.encode("utf-8", "replace").decode("utf-8"), words):
        try:
            item_id, value = _resolved(agent, title, words), _number(rating, words)
            if item_id not in known:
                _keep(agent, Feedback(user_id, item_id, "like" if value is None else "rating", None, value, now), words)
                known.add(item_id)
                taken += 1
        except InputError as error:
            wrong.append(words("known.line", line=line, wrong=error))
    if not taken and not wrong:
        raise InputError(words("known.nothing_new"))
    more = [words("known.more", n=len(wrong) - _COMPLAINTS)] if len(wrong) > _COMPLAINTS else []
    return "\n".join([words("known.added", taken=taken, wrong=len(wrong)), *wrong[:_COMPLAINTS], *more])


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
        parts = ("history", "feedback", "turns", "votes", "conversations", "shares")
        known = {"user_id": user_id, "attributes": {}, **{part: [] for part in parts}}
    return json.dumps(known, ensure_ascii=False, indent=2) + "\n"


def panel(
    found: Sequence[Entry],
    note: str = "",
    searched: bool = False,
    words: Words = ENGLISH,
    shared: str = "",
    signed_in: bool = False,
    said: str = "",
) -> str:
    """The panel as HTML, with what is `shared` and `said`; every part keeps its place: what is typed in it stays.

    `signed_in`: the person has an account, and is not known by a cookie of the browser alone.
    """
    count = words("known.found" if searched else "known.so_far", n=len(found))
    more = words("known.latest", n=SHOWN) if len(found) > SHOWN else ""
    shown = "".join(_row(entry, words) for entry in found[:SHOWN])
    nothing = words("known.nothing_found" if searched else "known.nothing")
    listed = (
        f"<p>{text(f'{count} {more}')}</p><ul class='vr-entries'>{shown}</ul>" if found else f"<p>{text(nothing)}</p>"
    )
    listed = said if said and not found else f"{listed}{said}"
    told = "<br>".join(text(line) for line in note.split("\n"))
    title = text(words("known.title"))
    what = text(words("known.what_account" if signed_in else "known.what"))
    return (
        f'<section aria-label="{title}" tabindex="-1"><h2>{title}</h2><p>{what}</p>'
        f'<p class="vr-note" role="status">{told}</p>'
        f'<label class="vr-label">{text(words("known.search"))} '
        '<input type="search" data-do="search" autocomplete="off"></label>'
        f"<div>{listed}</div><div>{shared}</div>{_adding(words)}{_leaving(words)}</section>"
    )


def _adding(words: Words) -> str:
    return (
        f'<details data-keep="add"><summary>{text(words("known.add"))}</summary><p>{text(words("known.add_how"))}</p>'
        f'<label class="vr-label">{text(words("known.titles"))} '
        '<textarea rows="5" autocomplete="off"></textarea></label>'
        f'<label class="vr-label">{text(words("known.file"))} '
        '<input type="file" accept=".csv,.txt" data-do="file"></label>'
        f"{chip('add', words('known.add_these'))}</details>"
    )


def _leaving(words: Words) -> str:
    return (
        f'<div class="vr-chips">{chip("export", words("known.export"))}</div>'
        f'<details data-keep="forget"><summary>{text(words("known.forget"))}</summary>'
        f"<p>{text(words('known.forget_what'))}</p>{danger('forget', words('known.forget_yes'))}</details>"
    )


def _row(entry: Entry, words: Words) -> str:
    return (
        f'<li><span dir="auto"><b>{text(entry.title)}</b> {text(words("did.then").join(entry.said))}</span>'
        f"{cross('remove', words('known.remove', title=entry.title), item=entry.item_id)}</li>"
    )


def _resolved(agent: Agent, title: str, words: Words) -> str:
    """The id of the item that is called so; InputError in the words of the page where that is not one."""
    shown = title[:80]
    try:
        return agent.catalogue.resolve(title)
    except UnknownItemError as error:
        near = ", ".join(f"“{one}”" for one in error.nearest)
        told = words("known.unknown_near", title=shown, near=near) if near else words("known.unknown", title=shown)
        raise InputError(told) from error
    except InputError as error:
        raise InputError(words("known.unclear", title=shown)) from error


def _keep(agent: Agent, given: Feedback, words: Words) -> None:
    """Keep a liking or a rating; InputError in the words of the page where the rating lies off the scale."""
    try:
        agent.feedback(given)
    except InputError as error:
        raise InputError(words("known.off_scale", rating=given.value)) from error


def _rows(given: str, words: Words) -> Iterator[tuple[int, str, str]]:
    """(line, title, rating or "") of each row. Without a header that names a title, a whole line is a title."""
    lines = given.lstrip("\ufeff").splitlines()
    if len(lines) > MOST_ROWS:
        raise InputError(words("known.too_many", n=len(lines), most=MOST_ROWS))
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
        raise InputError(words("known.no_csv", line=reader.line_num + 1, problem=error)) from error


def _number(rating: str, words: Words) -> float | None:
    """A rating as a number, None for none; the agent looks whether it is on the scale."""
    try:
        return float(rating) if rating else None
    except ValueError:
        raise InputError(words("known.no_rating", rating=rating[:20])) from None
