"""Why an item is in the list, and how the list came about, as HTML behind two summaries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from agent.reader import BY_MODEL, BY_WORDS
from agent.schema import Candidate, Recommendation, Reply
from ui.listing import duration, standardised
from ui.messages import things
from ui.terminal import clean
from ui.understood import conditions
from ui.view import View
from ui.words import Words

SHOWN = 20  # candidates of the trace


def text(given: str) -> str:
    """Text as HTML shows it: escaped, without control characters and turns of the writing direction."""
    return escape(clean(given), quote=True)


def why(one: Recommendation, reply: Reply, view: View, more: str = "") -> str:
    """All that speaks for one item, closed at first: each fact, who phrased the reason, the score by source, `more`."""
    words = view.words
    known = view.facts.get(one.item.item_id) or tuple(fact.text for fact in one.evidence)
    told = "".join(f"<li dir='auto'>{text(fact)}</li>" for fact in known or (words("why.no_fact"),))
    scores = next((c.scores for c in reply.candidates if c.item.item_id == one.item.item_id), {})
    return (
        f'<details class="vr-why" data-keep="why {text(one.item.item_id)}">'
        f'<summary>{text(words("why.title"))}<span class="vr-hidden"> {text(one.item.title)}</span></summary>'
        f"<ul>{told}</ul>{_phrased(one, reply, words)}{_scores(scores, words)}{more}</details>"
    )


def trace(reply: Reply, noun: str, words: Words) -> str:
    """How the list came about, closed at first: conditions, prompt, model, time by stage, candidates with scores."""
    adapter = "trace.adapter" if reply.adapter else "trace.no_adapter"
    rows = {
        "trace.read": _read(reply.understood, words),
        "trace.conditions": "; ".join(conditions(reply.intent.filters, words)) or words("trace.no_conditions"),
        "trace.left_out": words("trace.left_out_what", things=things(noun, words)),
        "trace.candidates": f"{len(reply.candidates):,}",
        "trace.order": _order(reply, words),
        "trace.model": words(adapter, model=reply.model, adapter=reply.adapter),
        "trace.prompt": reply.prompt,
    }
    told = "".join(f"<dt>{text(words(key))}</dt><dd dir='auto'>{text(said)}</dd>" for key, said in rows.items() if said)
    return (
        f'<details class="vr-trace" data-keep="trace"><summary>{text(words("trace.title"))}</summary>'
        f"<dl>{told}</dl>{_times(reply.timings_ms, words)}{_table(reply.candidates, words)}</details>"
    )


def _read(understood: str, words: Words) -> str:
    """How the message was read; why the model could not be asked is told as it was said."""
    how = {"": "trace.as_given", BY_WORDS: "trace.by_words", BY_MODEL: "trace.by_model"}
    return words(how[understood]) if understood in how else understood


def _phrased(one: Recommendation, reply: Reply, words: Words) -> str:
    if not one.justification:
        return ""
    by = "why.by_rule" if one.phrased_by != "model" else "why.by_model" if reply.model else "why.by_some_model"
    told = words("why.compared" if one.verified else "why.not_compared", phrased=words(by, model=reply.model))
    return f"<p>{text(told)}</p>"


def _order(reply: Reply, words: Words) -> str:
    """How the score was made; nothing where a turn of an older version does not say how much the model counted."""
    if reply.candidates and "retrieval" not in reply.candidates[0].scores:
        return words("trace.order_model")
    if reply.model_weight is None:
        return ""
    parts = {name: _part(name, reply.candidates, words) for name in ("retrieval", "model")}
    weight = reply.model_weight
    return words("trace.order_both" if weight else "trace.order_retrieval", weight=weight, **parts)


def _part(source: str, candidates: Sequence[Candidate], words: Words) -> str:
    return standardised(source, candidates, words.named("source", source)).replace(" - ", " − ").replace(" / ", " ÷ ")


def _scores(scores: Mapping[str, float], words: Words) -> str:
    known = ((words.named("source", name), score) for name, score in scores.items() if math.isfinite(score))
    told = " · ".join(f"{name} {score:.3f}" for name, score in known)
    return f"<p>{text(words('why.scores', scores=told))}</p>" if told else ""


def _times(timings: Mapping[str, float], words: Words) -> str:
    stages = {name: ms for name, ms in timings.items() if name not in ("list", "answer")}
    longest = max(stages.values(), default=0.0) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{text(words.named("stage", name))}</th>'
        f'<td class="vr-time"><span style="width:{ms / longest:.0%}"></span></td>'
        f"<td>{duration(ms)}</td></tr>"
        for name, ms in stages.items()
    )
    caption = text(words("trace.times"))
    return f'<table class="vr-times"><caption>{caption}</caption><tbody>{rows}</tbody></table>' if rows else ""


def _table(candidates: Sequence[Candidate], words: Words) -> str:
    if not candidates:
        return ""
    sources = list(dict.fromkeys(name for c in candidates for name in c.scores))
    head = "".join(f'<th scope="col">{text(words.named("source", name))}</th>' for name in sources)
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{text(c.item.title)}</th>'
        + "".join(f"<td>{_number(c.scores.get(name, math.nan))}</td>" for name in sources)
        + "</tr>"
        for c in candidates[:SHOWN]
    )
    caption = text(words("trace.first", shown=min(SHOWN, len(candidates)), all=len(candidates)))
    return (
        f'<div class="vr-wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">{text(words("trace.item"))}</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _number(score: float) -> str:
    return f"{score:.3f}" if math.isfinite(score) else "–"
