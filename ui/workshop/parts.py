"""The workshop's answers as HTML. Every text of a file, a person, an item or a model goes through `ui.why.text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from agent.schema import Recommendation, Reply
from agent.votes import Side, Standing, Verdict
from ui.terminal import clean
from ui.why import text
from ui.workshop.bench import Shown
from ui.workshop.drafts import Problem

if TYPE_CHECKING:
    from agent.generation.prompting import Check
    from ui.workshop.contest import Round

_LETTERS = ("A", "B")
_SIGNS = {"+": "ins", "-": "del"}
VERDICTS: Mapping[Verdict, str] = {"left": "A is better", "right": "B is better", "tie": "A tie", "bad": "Both are bad"}


def note(said: str, *, wrong: bool = False) -> str:
    """A sentence about what was just done; a screen reader reads it at once."""
    return f'<p class="vw-note{" vw-wrong" if wrong else ""}" role="status">{text(said)}</p>' if said else ""


def problem(found: Problem, excerpt: str = "") -> str:
    """What is wrong, with its line and what stands there."""
    where = f"<b>{text(found.file)}, line {found.line}.</b> " if found.line is not None else ""
    there = f"<code dir='auto'>{text(excerpt)}</code>" if excerpt else ""
    said = found.text[:1].upper() + found.text[1:]
    return f'<div class="vw-problem" role="status"><p>{where}{text(said)}</p>{there}</div>'


def state(shown: Shown, edited: Sequence[str], file: str) -> str:
    """Below the editor: what is wrong with the prompt, or that nothing is."""
    if shown.problem is not None:
        return problem(shown.problem, shown.excerpt)
    saved = f"Not saved: {', '.join(edited)}. " if edited else ""
    untuned = (
        f" The adapter in service was tuned with another text of {' and '.join(shown.untuned)}."
        if shown.untuned
        else ""
    )
    return f'<p class="vw-note" role="status" title="{text(file)}">{text(saved)}It renders.{text(untuned)}</p>'


def rendered(shown: Shown, person: str) -> str:
    """The messages that the model would read, and how many tokens they are."""
    who = f'<p class="vw-who" dir="auto">{text(person)}</p>'
    if shown.rendered is None:
        return f'{who}<p class="vw-note">Nothing to show until that is corrected.</p>'
    found = shown.rendered
    count = f"<b>{found.tokens:,}</b> tokens"
    if found.added != found.tokens:
        count += f", {found.added:,} of them by this prompt, after those of rank"
    about = f" For {text(found.about.title)}, which retrieval has first." if found.about is not None else ""
    sampled = " With the file's own sample: no turn gives it anything here." if found.sampled else ""
    messages = "".join(
        f'<div class="vw-message"><h4>{text(m.role)}</h4><pre dir="auto">{_lines(m.content)}</pre></div>'
        for m in found.messages
    )
    return f'{who}<p class="vw-count">{count}.{about}{sampled}</p>{messages}'


def tests(rows: Sequence[Check]) -> str:
    """Every prompt and case with its verdict, what failed first."""
    failed = sum(not row.ok for row in rows)
    head = f"{failed} of {len(rows)} checks failed" if failed else f"All {len(rows)} checks hold"
    lines = "".join(
        f'<li class="{"vw-ok" if row.ok else "vw-failed"}"><b>{"ok" if row.ok else "failed"}</b> '
        f"<span dir='auto'>{text(row.name)}</span>{_detail(row)}</li>"
        for row in sorted(rows, key=lambda row: row.ok)
    )
    return f'<section><h3 role="status">{head}.</h3><ul class="vw-checks">{lines}</ul></section>'


def diff(lines: Sequence[str]) -> str:
    """What the edits change, closed at first; empty where they change nothing."""
    if not lines:
        return ""
    shown = "".join(_changed(line) for line in lines)
    return f"<details class='vw-diff'><summary>What the edits change in the files</summary><pre>{shown}</pre></details>"


def lists(old: Reply, new: Reply, *, ended: bool = True) -> str:
    """The list of today and that of the edit, side by side, with what moved."""
    before = {r.item.item_id: r.rank for r in old.recommendations}
    after = {r.item.item_id: r.rank for r in new.recommendations}
    moves = {item: _move(before.get(item), rank) for item, rank in after.items()}
    gone = {item: '<span class="vw-move vw-down">gone</span>' for item in before if item not in after}
    same = "The same items in the same order. " if list(before) == list(after) else ""
    stay = sum(item in before for item in after)
    moved = sum(before.get(item, rank) != rank for item, rank in after.items())
    head = same or f"{stay} of {len(after)} stay, {moved} of them in another place. "
    waiting = "" if ended else "Reasons are being written and checked …"
    return (
        f'<section><h3 role="status">{head}{waiting}</h3><div class="vw-two">'
        f"{_column('In service', old, gone)}{_column('With the edits', new, moves)}</div></section>"
    )


def blind(met: Round) -> str:
    """Both lists without a sign of who made them: no name, no score, no time."""
    same = "<p class='vw-note'>Both gave the same list with the same reasons.</p>" if met.is_same else ""
    both = "".join(_column(letter, reply, {}) for letter, reply in zip(_LETTERS, met.replies, strict=True))
    return f'<section>{same}<div class="vw-two">{both}</div></section>'


def revealed(sides: tuple[Side, Side], verdict: Verdict) -> str:
    """Who was who, once the vote is stored."""
    who = "".join(
        f"<li><b>{letter}</b> was <b dir='auto'>{text(side.name)}</b> <small dir='auto'>{text(side.key)}</small></li>"
        for letter, side in zip(_LETTERS, sides, strict=True)
    )
    return (
        f"<p class='vw-note' role='status'>Your vote is stored: {VERDICTS[verdict]}.</p><ul class='vw-who'>{who}</ul>"
    )


def standings(found: Sequence[Standing]) -> str:
    """The tally, a row for each pair."""
    if not found:
        return "<p class='vw-note'>No votes yet.</p>"
    rows = "".join(_standing(one) for one in found)
    names = ("Contender", "Against", "Won", "Lost", "Ties", "Both bad", "Share won, 95%")
    head = "".join(f"<th scope='col'>{name}</th>" for name in names)
    return f"<div class='vw-wide'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _standing(one: Standing) -> str:
    share, low, high = one.interval
    told = f"{share:.2f} ({low:.2f} to {high:.2f})" if one.won + one.lost else "none decided"
    names = "".join(f"<td dir='auto' title='{text(s.key)}'>{text(s.name)}</td>" for s in (one.first, one.second))
    counts = "".join(f"<td>{count}</td>" for count in (one.won, one.lost, one.ties, one.bad))
    return f"<tr>{names}{counts}<td>{told}</td></tr>"


def _column(name: str, reply: Reply, marks: Mapping[str, str]) -> str:
    items = "".join(_item(one, reply, marks.get(one.item.item_id, "")) for one in reply.recommendations)
    shown = f"<ol>{items}</ol>" if items else f"<p class='vw-note' dir='auto'>{text(reply.message or 'Nothing.')}</p>"
    return f'<div class="vw-column"><h4>{text(name)}</h4>{shown}</div>'


def _item(one: Recommendation, reply: Reply, mark: str) -> str:
    missing = "No reason." if reply.complete else "…"
    reason = text(one.justification) or missing
    return (
        f'<li><div class="vw-title"><span class="vw-rank" aria-hidden="true">{one.rank}</span>'
        f"<b dir='auto'>{text(one.item.title)}</b> {mark}</div><p dir='auto'>{reason}</p></li>"
    )


def _move(before: int | None, rank: int) -> str:
    if before is None:
        return '<span class="vw-move vw-up">new</span>'
    if before == rank:
        return ""
    way, sign = ("up", "▲") if before > rank else ("down", "▼")
    return f'<span class="vw-move vw-{way}" aria-label="{way} {abs(before - rank)}">{sign}{abs(before - rank)}</span>'


def _detail(row: Check) -> str:
    return f"<p dir='auto'>{text(row.message)}</p>" if row.message != "ok" else ""


def _changed(line: str) -> str:
    tag = _SIGNS.get(line[:1]) if not line.startswith(("+++", "---")) else None
    shown = _lines(line)
    return f"<{tag}>{shown}</{tag}>\n" if tag else f"{shown}\n"


def _lines(given: str) -> str:
    return escape(clean(given, keep_lines=True), quote=True)
