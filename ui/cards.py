"""The latest answer as HTML: what was understood, the list, what to say next, how it came about.

Every text that comes from a catalogue, a person or a model goes through `ui.why.text`. Every part keeps its place, even
when it is empty: the page is changed in place, and a place that moves would take the focus with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.schema import Event, Intent, Recommendation, Reply
from ui.buttons import chip, cross
from ui.listing import attributes, duration
from ui.messages import item_said
from ui.sway import button, chart
from ui.understood import CONDITIONS
from ui.view import COUNTS, REACTIONS, View
from ui.why import text, trace, why
from ui.words import Words

GHOSTS = 3  # empty cards that hold the place while the list is being made


def cards(view: View, noun: str = "item") -> str:
    """The latest list as cards with all that belongs to it; empty before the first message."""
    if view.state == "new":
        return ""
    reply = view.reply
    listed = reply.recommendations if reply is not None else ()
    bars = shares(listed)
    shown = "".join(_card(one, view, share) for one, share in zip(listed, bars, strict=True))
    settled = reply is not None and not view.is_busy
    parts = (
        ("vr-understood", _understood(view)),
        ("vr-told", _status(view) + _actions(view)),
        ("vr-listed", _list(view, shown)),
        ("vr-none", _nothing(view) if settled and not listed else ""),
        ("vr-next", _next(view) if settled else ""),
        ("", trace(reply, noun, view.words) if reply is not None and settled and listed else ""),
    )
    return "".join(f'<div class="{name}">{html}</div>' for name, html in parts)


def shares(listed: Sequence[Recommendation]) -> list[float]:
    """The scores as parts of the best one, from 0.06 to 1; a list whose scores cannot be compared has full bars.

    Scores may be negative, so they are measured from the lowest of the list, which keeps a fifth of the bar.
    """
    finite = [r.score for r in listed if math.isfinite(r.score)]
    if not finite or max(finite) == min(finite):
        return [1.0] * len(listed)
    low, high = min(finite), max(finite)
    floor = 0.0 if low > 0 else low - (high - low) / 4
    return [max(0.06, (r.score - floor) / (high - floor)) if math.isfinite(r.score) else 0.06 for r in listed]


# -- what was understood


def _understood(view: View) -> str:
    if view.intent is None:
        return ""
    words = view.words
    chips = "".join(
        f'<li dir="auto">{text(part.text)}{cross("drop", words("understood.drop", part=part.text), key=part.key)}</li>'
        for part in view.parts
    )
    title = text(words("understood.title"))
    told = f'<ul aria-label="{title}">{chips}</ul>' if chips else f"<p>{text(words('understood.nothing'))}</p>"
    return f"<h2>{title}</h2>{told}{_weights(view.intent, words)}"


def _weights(intent: Intent, words: Words) -> str:
    """Two quiet controls: how much the history counts beside the request, and how many to list."""
    percent, n = round(intent.habit * 100), intent.n or 5
    counts = "".join(
        f'<option value="{one}"{" selected" if one == n else ""}>{one}</option>' for one in sorted({*COUNTS, n})
    )
    request, history = text(words("understood.request")), text(words("understood.history"))
    return (
        f'<div class="vr-weights"><label><span>{request}</span><input type="range" min="0" max="100" step="5" '
        f'value="{percent}" data-do="habit" aria-label="{text(words("understood.weight"))}"><span>{history}</span>'
        f'</label><label>{text(words("understood.how_many"))} <select data-do="n">{counts}</select></label></div>'
    )


# -- the list


def _list(view: View, shown: str) -> str:
    if view.state == "looking":  # each of the two comes into view when it is new
        ghosts = '<li class="vr-card vr-ghost"></li>' * GHOSTS
        return f'<ol class="vr-list" data-part="{view.turn} wait" aria-hidden="true">{ghosts}</ol>'
    return f'<ol class="vr-list" data-part="{view.turn} list">{shown}</ol>' if shown else ""


def _card(one: Recommendation, view: View, share: float) -> str:
    told = text(attributes(item_said(one.item, view.words)))
    facts = f'<p class="vr-facts" dir="auto">{told}</p>' if told else ""
    finite, words = math.isfinite(one.score), view.words
    said = text(words("card.score", score=f"{one.score:.2f}") if finite else words("card.no_score"))
    behind = why(one, view.reply, view, _swayed(one, view)) if view.reply is not None else ""
    return (
        f'<li class="vr-card"><div class="vr-head"><span class="vr-rank" aria-hidden="true">{one.rank}</span>'
        f'<div class="vr-name"><h3 class="vr-title" dir="auto">{text(one.item.title)}</h3>{facts}</div>'
        f'<span class="vr-score" role="img" aria-label="{said}" title="{said}">'
        f'<span style="width:{share:.0%}"></span></span></div>'
        f"{_reason(one, view)}{_buttons(one, view.marked.get(one.item.item_id), words)}{behind}</li>"
    )


def _swayed(one: Recommendation, view: View) -> str:
    """What moved the item, or a button that asks for it once the turn is over."""
    found = view.swayed.get(one.item.item_id)
    if found is not None:
        return chart(found, bool(view.reply and view.reply.model_weight), view.words)
    return "" if view.is_busy else button(one.item.item_id, one.item.title, view.words)


def _reason(one: Recommendation, view: View) -> str:
    words = view.words
    if not one.justification:
        said = "pending" if view.is_busy else "stopped" if view.state == "stopped" else "none"
        kind = "vr-pending vr-moving" if view.is_busy else "vr-pending"
        return f'<p class="vr-reason {kind}">{text(words(f"reason.{said}"))}</p>'
    if not one.verified:
        mark = f'<span class="vr-mark">{text(words("reason.unchecked"))}</span>'
    else:
        plain = "" if one.phrased_by == "model" else f" · {text(words('reason.plain'))}"
        checked = f'<span class="vr-check">✓ {text(words("reason.checked"))}</span>'
        mark = f'<span class="vr-mark" title="{text(words("reason.meaning"))}">{checked}{plain}</span>'
    return f'<p class="vr-reason" dir="auto">{text(one.justification)} {mark}</p>'


def _buttons(one: Recommendation, marked: Event | None, words: Words) -> str:
    made = "".join(_button(one, event, marked == event, words) for event in REACTIONS)
    noted = f'<span class="vr-noted">{text(words("card.noted"))}</span>' if marked else ""
    return f'<div class="vr-actions">{made}{noted}</div>'


def _button(one: Recommendation, event: Event, is_pressed: bool, words: Words) -> str:
    label = words(f"reaction.{event}")
    said = words("reaction.of", reaction=label, title=one.item.title)
    return (
        f'<button type="button" data-do="react" data-event="{event}" data-item="{text(one.item.item_id)}" '
        f'aria-pressed="{str(is_pressed).lower()}" aria-label="{text(said)}">{text(label)}</button>'
    )


# -- what stands around it


def _status(view: View) -> str:
    """How the answer comes about, to the eye; and to a screen reader in few words, not once more for each reason."""
    heard = f'<p class="vr-hidden" role="status">{text(_heard(view))}</p>'
    return f'<p class="vr-status" tabindex="-1">{text(_told(view))}</p>{heard}'


def _heard(view: View) -> str:
    """What is new: that the answer is looked for, the list, its end, or a reaction that was noted."""
    words, reply = view.words, view.reply
    if view.note or reply is None or view.state in ("looking", "stopped", "failed"):
        return view.note or _told(view)
    if not reply.recommendations:
        return "" if view.is_busy else words("heard.nothing")
    if not view.is_busy:
        return words("heard.done")
    titles = (words("heard.entry", rank=one.rank, title=one.item.title) for one in reply.recommendations)
    return words("heard.list", n=len(reply.recommendations), titles=words("heard.between").join(titles))


def _told(view: View) -> str:
    """How the answer comes about, in a line."""
    words, reply = view.words, view.reply
    if view.state == "looking":
        key = "status.looking" if not view.ahead else "status.ahead_one" if view.ahead == 1 else "status.ahead"
        return words(key, others=view.ahead)
    if reply is None or not reply.recommendations:
        return words("status.stopped") if view.state == "stopped" else ""
    listed, end = _in(words, "status.list", reply, "list"), ""
    if view.state == "writing":
        done = sum(bool(one.justification) for one in reply.recommendations)
        end = words("status.written", done=done, all=len(reply.recommendations))
    elif view.state in ("stopped", "failed"):
        return f"{words(f'status.{view.state}_list')} {listed}"
    else:
        end = _in(words, "status.checked", reply, "answer")
    return " · ".join(part for part in (listed, end) if part)


def _in(words: Words, key: str, reply: Reply, moment: str) -> str:
    """The words with the time since the start of the turn, which does not break at its unit; empty if unknown."""
    time = reply.timings_ms.get(moment)
    return words(key, time=duration(time).replace(" ", "\u00a0")) if time is not None else ""


def _actions(view: View) -> str:
    """What can be done with the last message, once it is answered."""
    if view.is_busy or not view.can_undo:
        return ""
    words = view.words
    retry = chip("retry", words("last.retry")) if view.state in ("stopped", "failed") else ""
    edit = chip("edit", words("last.edit"), spoken=words("last.edit_said"))
    undo = chip("undo", words("last.undo"), spoken=words("last.undo_said"))
    return f'<div class="vr-quiet">{retry}{edit}{undo}</div>'


def _nothing(view: View) -> str:
    """Help where nothing fits: each condition as a button that takes it out."""
    if view.state != "done":
        return ""
    words, conditions = view.words, [part for part in view.parts if part.key.startswith("filter:")]
    dropped = [(words("nothing.without", part=part.text), part.key) for part in conditions]
    dropped += [(words("nothing.without_all"), CONDITIONS)] if len(dropped) > 1 else []
    chips = "".join(chip("drop", label, key=key) for label, key in dropped)
    told = text(words("nothing.relax" if chips else "nothing.again"))
    return f"<h2>{text(words('nothing.title'))}</h2><p>{told}</p><div class='vr-chips'>{chips}</div>"


def _next(view: View) -> str:
    chips = "".join(chip("say", label, text=label) for label in view.next)
    title = text(view.words("next.title"))
    return f'<h2 class="vr-hidden">{title}</h2><div class="vr-chips">{chips}</div>' if chips else ""
