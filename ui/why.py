"""Why an item is in the list, and how the list came about, as HTML behind two summaries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from agent.schema import Candidate, Recommendation, Reply
from agent.understanding.intent import describe_filters
from ui.listing import duration
from ui.terminal import clean

SHOWN = 20  # candidates of the trace


def text(given: str) -> str:
    """Text as HTML shows it: escaped, without control characters and turns of the writing direction."""
    return escape(clean(given), quote=True)


def why(one: Recommendation, reply: Reply) -> str:
    """All that speaks for one item, closed at first: each fact, who phrased the reason, the score by source."""
    facts = [f"<li dir='auto'>{text(fact.text)}</li>" for fact in one.evidence]
    told = "".join(facts) or "<li>No fact links it to what is known of you.</li>"
    scores = next((c.scores for c in reply.candidates if c.item.item_id == one.item.item_id), {})
    return (
        f'<details class="vr-why" data-keep="why {text(one.item.item_id)}">'
        f'<summary>Why?<span class="vr-hidden"> {text(one.item.title)}</span></summary>'
        f"<ul>{told}</ul>{_phrased(one, reply)}{_scores(scores)}</details>"
    )


def trace(reply: Reply, noun: str, formula: str) -> str:
    """How the list came about, closed at first: conditions, prompt, model, time by stage, candidates with scores."""
    conditions = "; ".join(describe_filters(reply.intent.filters)) or "none"
    rows = {
        "Conditions that hold": conditions,
        "Left out": f"{noun} that you know, named, or were shown in this conversation",
        "Candidates": f"{len(reply.candidates):,}",
        "Order": formula,
        "Model": f"{reply.model}, {f'adapter {reply.adapter}' if reply.adapter else 'no adapter'}",
        "Prompt": reply.prompt,
    }
    told = "".join(f"<dt>{name}</dt><dd dir='auto'>{text(said)}</dd>" for name, said in rows.items())
    return (
        '<details class="vr-trace" data-keep="trace"><summary>How this list came about</summary>'
        f"<dl>{told}</dl>{_times(reply.timings_ms)}{_table(reply.candidates)}</details>"
    )


def _phrased(one: Recommendation, reply: Reply) -> str:
    if not one.justification:
        return ""
    by = f"phrased by {reply.model or 'the model'}" if one.phrased_by == "model" else "a plain fact, put as it is"
    checked = "and compared with these facts, word by word" if one.verified else "and not checked"
    return f"<p>The reason was {text(by)} {checked}.</p>"


def _scores(scores: Mapping[str, float]) -> str:
    told = " · ".join(f"{text(name)} {score:.3f}" for name, score in scores.items() if math.isfinite(score))
    return f"<p>Scores: {told}</p>" if told else ""


def _times(timings: Mapping[str, float]) -> str:
    stages = {name: ms for name, ms in timings.items() if name not in ("list", "answer")}
    longest = max(stages.values(), default=0.0) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th><td class="vr-time"><span style="width:{ms / longest:.0%}"></span></td>'
        f"<td>{duration(ms)}</td></tr>"
        for name, ms in stages.items()
    )
    return f'<table class="vr-times"><caption>Time by stage</caption><tbody>{rows}</tbody></table>' if rows else ""


def _table(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return ""
    sources = list(dict.fromkeys(name for c in candidates for name in c.scores))
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in sources)
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{text(c.item.title)}</th>'
        + "".join(f"<td>{_number(c.scores.get(name, math.nan))}</td>" for name in sources)
        + "</tr>"
        for c in candidates[:SHOWN]
    )
    caption = f"The first {min(SHOWN, len(candidates))} of {len(candidates):,} candidates, by source"
    return (
        f'<div class="vr-wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">title</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _number(score: float) -> str:
    return f"{score:.3f}" if math.isfinite(score) else "–"
