"""A reply as lines of text: the list with its reasons, what the marks mean, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from agent.ranking.scoring import mean_and_spread
from agent.schema import AttributeValue, Candidate, Intent, Item, Recommendation, Reply
from agent.workspace.catalogue import Catalogue
from ui.terminal import clean
from ui.understood import told

MAX_WIDTH = 92  # columns; longer lines of prose are tiring to read
INDENT = 4
_ROOM_FOR_ATTRIBUTES = 14  # columns; with less beside the title they get a line of their own


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs before reasons and between facts."""

    checked: str = "✓"
    plain: str = "•"
    unchecked: str = "?"
    between: str = " · "
    pending: str = "…"


ASCII = Marks(checked="*", plain="-", between=", ", pending="...")


def width_of(console: Console) -> int:
    """The columns that a list takes."""
    return max(32, min(console.width, MAX_WIDTH))


def listing(console: Console, reply: Reply, marks: Marks, *, scores: bool = True) -> Text:
    """The message, the ranked items with their reasons, and the question; `scores` puts the score beside each title.

    While the reply is not complete, a reason that is still to come is shown as pending.
    """
    width = width_of(console)
    blocks: list[Text] = []
    if reply.message:
        blocks.append(wrapped(console, reply.message, width))
    blocks += [_entry(console, one, reply.complete, width, marks, scores) for one in reply.recommendations]
    if reply.question:
        blocks.append(wrapped(console, reply.question, width, style="bold"))
    return Text("\n\n").join(blocks)


def footer(console: Console, reply: Reply, marks: Marks) -> Text:
    """What the marks mean, how long each stage took, and what made the order: model, adapter and weight."""
    moments = {"list": "the list after", "answer": "all reasons after"}
    reached = [
        f"{said} {duration(reply.timings_ms[name])}" for name, said in moments.items() if name in reply.timings_ms
    ]
    stages = [f"{stage} {duration(ms)}" for stage, ms in reply.timings_ms.items() if stage not in moments]
    model = [reply.model, f"adapter {reply.adapter}" if reply.adapter else "no adapter"] if reply.model else []
    lines = [reached, stages, [*model, formula(reply)]]
    width, signs = width_of(console), legend(console, reply, marks)
    return Text("\n").join(
        [*([signs] if signs else []), *(_filled(line, width, marks.between) for line in lines if line)]
    )


def legend(console: Console, reply: Reply, marks: Marks) -> Text:
    """What the marks before its reasons mean; nothing where there are none."""
    meanings = _meanings(reply, marks)
    return _filled(meanings, width_of(console), "   ") if meanings else Text()


def formula(reply: Reply) -> str:
    """How the score of this reply was made, in words, and why it need not fall from place to place."""
    scores = [one.score for one in reply.recommendations]
    varied = "; for variety, a place may go before a higher score" if scores != sorted(scores, reverse=True) else ""
    return _sum(reply) + varied


def _sum(reply: Reply) -> str:
    if reply.candidates and "retrieval" not in reply.candidates[0].scores:
        return "score = log-probability, by the model alone"
    if not reply.model_weight:
        return f"score = {standardised('retrieval', reply.candidates)}, retrieval alone"
    retrieval, model = (standardised(name, reply.candidates) for name in ("retrieval", "model"))
    return f"score = {retrieval} + {reply.model_weight:g} x {model}"


def standardised(source: str, candidates: Sequence[Candidate], named: str = "") -> str:
    """How a score of a source enters the sum, with what it takes to work it out: "(model - 5.635) / 0.812".

    The numbers are the mean and the standard deviation over all candidates; "0" where these do not differ, and the mere
    name where none are kept.
    """
    if not candidates:
        return named or source
    mean, spread = mean_and_spread(np.array([c.scores[source] for c in candidates]))
    return f"({named or source} {'-' if mean >= 0 else '+'} {abs(mean):.4g}) / {spread:.4g}" if spread else "0"


def why(console: Console, reply: Reply, one: Recommendation, marks: Marks) -> Text:
    """All that speaks for one item: its reason, each fact behind it, and its score by source."""
    width = width_of(console)
    blocks = [Text(clean(one.item.title), style="bold")]
    if one.justification:
        blocks.append(_reason(console, one, width, marks))
    facts = [f"- {fact.text}" for fact in one.evidence] or ["No fact links it to what is known of you."]
    blocks += [wrapped(console, fact, width, INDENT, hanging=2, style="dim") for fact in facts]
    scores = next((c.scores for c in reply.candidates if c.item.item_id == one.item.item_id), {})
    if scores:
        told = [f"{source} {score:.3f}" for source, score in scores.items() if math.isfinite(score)]
        blocks.append(_filled(told, width, marks.between))
    return Text("\n").join(blocks)


def understood(intent: Intent, catalogue: Catalogue, marks: Marks) -> str:
    """What was made of the request, in words as everywhere else; empty where nothing was made of it."""
    said = marks.between.join(part.text for part in told(intent, catalogue))
    return said.replace("“", '"').replace("”", '"') if marks is ASCII else said


def duration(milliseconds: float) -> str:
    """A time that is easy to compare: "8 ms", "1.9 s"."""
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def attributes(item: Item, between: str = " · ") -> str:
    """The attributes of an item in one line; a year that already stands in the title is left out."""
    return between.join(part for name, value in item.attributes.items() if (part := _attribute(item, name, value)))


def wrapped(
    console: Console, text: str, width: int, indent: int = 0, *, hanging: int = 0, style: str = "", fold: bool = True
) -> Text:
    """Text in lines of at most `width` columns, each indented; every line but the first by `hanging` more.

    Without `fold` a longer word, such as a path, stays whole and goes beyond.
    """
    cleaned = Text(clean(text.strip()), style=style)
    lines = cleaned.wrap(console, max(12, width - indent - hanging), overflow="fold" if fold else "ignore")
    for place, line in enumerate(lines):
        line.rstrip()
        line.pad_left(indent + (hanging if place else 0))
    return Text("\n").join(lines)


def _entry(console: Console, one: Recommendation, complete: bool, width: int, marks: Marks, scores: bool) -> Text:
    score = f"{one.score:.2f}" if scores and math.isfinite(one.score) else ""
    room = width - INDENT - cell_len(score) - 2
    title = Text(clean(one.item.title.strip()), style="bold")
    lines = list(title.wrap(console, room))
    head = Text.assemble((f"{one.rank:>2}  ", "cyan"), lines[0])
    head.rstrip()
    told = clean(attributes(one.item, marks.between))
    beside = width - cell_len(head.plain) - cell_len(score) - 4
    if told and len(lines) == 1 and beside >= min(_ROOM_FOR_ATTRIBUTES, cell_len(told)):
        head.append("  ").append(_cut(told, beside, marks), style="dim")
        told = ""
    head.pad_right(max(1, width - cell_len(head.plain) - cell_len(score)))
    head.append(score, style="dim")
    head.rstrip()
    for line in lines[1:]:
        line.rstrip()
        line.pad_left(INDENT)
    below = [Text(" " * INDENT).append(_cut(told, width - INDENT, marks), style="dim")] if told else []
    if one.justification:
        below.append(_reason(console, one, width, marks))
    elif not complete:
        below.append(Text(" " * INDENT + marks.pending, style="dim"))
    return Text("\n").join([head, *lines[1:], *below])


def _reason(console: Console, one: Recommendation, width: int, marks: Marks) -> Text:
    mark, style = _mark(one, marks)
    text = wrapped(console, one.justification, width, indent=INDENT + 2)
    return Text.assemble(" " * INDENT, (mark, style), " ", text[INDENT + 2 :])


def _mark(one: Recommendation, marks: Marks) -> tuple[str, str]:
    if not one.verified:
        return marks.unchecked, "yellow"
    return (marks.checked, "green") if one.phrased_by == "model" else (marks.plain, "green")


def _meanings(reply: Reply, marks: Marks) -> list[str]:
    meanings = {
        marks.checked: "every claim checked, phrased by the model",
        marks.plain: "plain fact, computed",
        marks.unchecked: "not checked",
    }
    used = {_mark(one, marks)[0] for one in reply.recommendations if one.justification}
    return [f"{mark} {meaning}" for mark, meaning in meanings.items() if mark in used]


def _attribute(item: Item, name: str, value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, str):
        return value
    number = f"{value:,.10g}" if name != "year" else f"{value:.0f}"
    if name == "year":
        return "" if item.title.rstrip().endswith(f"({number})") else number
    return f"{name} {number}"


def _filled(parts: Sequence[str], width: int, between: str) -> Text:
    """Parts in dim, indented lines that break between parts, and within one only where it is longer than a line."""
    lines = [""]
    for part in [line for given in parts for line in wrap(clean(given), width - INDENT)]:
        longer = f"{lines[-1]}{between}{part}" if lines[-1] else part
        if lines[-1] and cell_len(longer) > width - INDENT:
            lines.append(part)
        else:
            lines[-1] = longer
    return Text("\n".join(" " * INDENT + line for line in lines), style="dim")


def _cut(text: str, room: int, marks: Marks) -> str:
    """The text if it fits, else as many of its whole words as fit, and a sign that there were more."""
    if cell_len(text) <= room:
        return text
    kept = ""
    for word in _words(text):
        if cell_len(kept + word) + cell_len(marks.pending) > room:
            break
        kept += word
    return kept.rstrip(" ,·") + marks.pending if kept else text[: max(0, room - 3)] + marks.pending


def _words(text: str) -> Iterator[str]:
    for word in text.split(" "):
        yield word + " "
