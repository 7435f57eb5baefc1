"""The latest answer as HTML: what was understood, the list, what to say next, how it came about.

Every text that comes from a catalogue, a person or a model goes through `ui.why.text`. Every part keeps its place, even
when it is empty: the page is changed in place, and a place that moves would take the focus with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.schema import Event, Intent, Recommendation, Reply
from ui.listing import attributes, duration, formula
from ui.understood import CONDITIONS
from ui.view import COUNTS, REACTIONS, View
from ui.why import text, trace, why

GHOSTS = 3  # empty cards that hold the place while the list is being made
_PENDING = "Writing and checking a reason …"
_CHECKED = "Every title, name, number and genre of this sentence was compared with computed facts, and holds."


def cards(view: View, noun: str = "items", model_weight: float = 0.0) -> str:
    """The latest list as cards with all that belongs to it; empty before the first message."""
    if view.state == "new":
        return ""
    reply = view.reply
    listed = reply.recommendations if reply is not None else ()
    shown = "".join(_card(one, view, share) for one, share in zip(listed, shares(listed), strict=True))
    settled = reply is not None and not view.is_busy
    parts = (
        ("vr-understood", _understood(view)),
        ("vr-told", _status(view) + _actions(view)),
        ("vr-listed", _list(view, shown)),
        ("vr-none", _nothing(view) if settled and not listed else ""),
        ("vr-next", _next(view) if settled else ""),
        ("", trace(reply, noun, formula(reply, model_weight)) if reply is not None and settled and listed else ""),
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


def chip(do: str, label: str, *, said: str = "", **data: str) -> str:
    """A button that asks the page for something; `said` is what a screen reader reads where the label is a sign."""
    named = "".join(f' data-{name}="{text(value)}"' for name, value in data.items())
    spoken = f' aria-label="{text(said)}"' if said else ""
    return f'<button type="button" class="vr-chip" dir="auto" data-do="{do}"{named}{spoken}>{text(label)}</button>'


# -- what was understood


def _understood(view: View) -> str:
    if view.intent is None:
        return ""
    chips = "".join(
        f'<li dir="auto">{text(part.text)}<button type="button" class="vr-drop" data-do="drop" '
        f'data-key="{text(part.key)}" aria-label="Take out: {text(part.text)}">×</button></li>'
        for part in view.parts
    )
    told = f'<ul aria-label="What I understood">{chips}</ul>' if chips else "<p>No wish in particular.</p>"
    return f"<h2>What I understood</h2>{told}{_weights(view.intent)}"


def _weights(intent: Intent) -> str:
    """Two quiet controls: how much the history counts beside the request, and how many to list."""
    percent, n = round(intent.habit * 100), intent.n or 5
    counts = "".join(
        f'<option value="{one}"{" selected" if one == n else ""}>{one}</option>' for one in sorted({*COUNTS, n})
    )
    return (
        '<div class="vr-weights"><label><span>this request</span><input type="range" min="0" max="100" step="5" '
        f'value="{percent}" data-do="habit" aria-label="How much your history counts, in percent">'
        f'<span>your history</span></label><label>How many <select data-do="n">{counts}</select></label></div>'
    )


# -- the list


def _list(view: View, shown: str) -> str:
    if view.state == "looking":  # each of the two comes into view when it is new
        ghosts = '<li class="vr-card vr-ghost"></li>' * GHOSTS
        return f'<ol class="vr-list" data-part="{view.turn} wait" aria-hidden="true">{ghosts}</ol>'
    return f'<ol class="vr-list" data-part="{view.turn} list">{shown}</ol>' if shown else ""


def _card(one: Recommendation, view: View, share: float) -> str:
    told = text(attributes(one.item))
    facts = f'<p class="vr-facts" dir="auto">{told}</p>' if told else ""
    said = f"score {one.score:.2f}" if math.isfinite(one.score) else "no score"
    behind = why(one, view.reply) if view.reply is not None else ""
    return (
        f'<li class="vr-card"><div class="vr-head"><span class="vr-rank" aria-hidden="true">{one.rank}</span>'
        f'<div class="vr-name"><h3 class="vr-title" dir="auto">{text(one.item.title)}</h3>{facts}</div>'
        f'<span class="vr-score" role="img" aria-label="{said}" title="{said}">'
        f'<span style="width:{share:.0%}"></span></span></div>'
        f"{_reason(one, view)}{_buttons(one, view.marked.get(one.item.item_id))}{behind}</li>"
    )


def _reason(one: Recommendation, view: View) -> str:
    if not one.justification:
        said = _PENDING if view.is_busy else "No reason: stopped." if view.state == "stopped" else "No reason."
        kind = "vr-pending vr-moving" if view.is_busy else "vr-pending"
        return f'<p class="vr-reason {kind}">{said}</p>'
    if not one.verified:
        mark = '<span class="vr-mark">not checked</span>'
    else:
        plain = "" if one.phrased_by == "model" else " · a plain fact"
        mark = f'<span class="vr-mark" title="{_CHECKED}"><span class="vr-check">✓ checked</span>{plain}</span>'
    return f'<p class="vr-reason" dir="auto">{text(one.justification)} {mark}</p>'


def _buttons(one: Recommendation, marked: Event | None) -> str:
    title, item = text(one.item.title), text(one.item.item_id)
    made = "".join(
        f'<button type="button" data-do="react" data-event="{event}" data-item="{item}" '
        f'aria-pressed="{str(marked == event).lower()}" aria-label="{label}: {title}">{label}</button>'
        for event, label in REACTIONS.items()
    )
    noted = '<span class="vr-noted">noted for the next list</span>' if marked else ""
    return f'<div class="vr-actions">{made}{noted}</div>'


# -- what stands around it


def _status(view: View) -> str:
    heard = f'<span class="vr-hidden">{text(view.note)} </span>' if view.note else ""
    return f'<p class="vr-status" role="status" tabindex="-1">{heard}{_told(view)}</p>'


def _told(view: View) -> str:
    """How the answer comes about, in a line."""
    if view.state == "looking":
        others = "another is" if view.ahead == 1 else f"{view.ahead} others are"
        return "Looking for what fits …" + (f" It may take longer: {others} being answered, too." if view.ahead else "")
    reply = view.reply
    if reply is None or not reply.recommendations:
        return "Stopped." if view.state == "stopped" else ""
    listed = _in("List in {}", reply, "list")
    if view.state == "writing":
        done = sum(bool(one.justification) for one in reply.recommendations)
        return f"{listed} · {done} of {len(reply.recommendations)} reasons written and checked …"
    if view.state in ("stopped", "failed"):
        return f"{'Stopped' if view.state == 'stopped' else 'Interrupted'}; the list stays. {listed}"
    return " · ".join(part for part in (listed, _in("all reasons checked in {}", reply, "answer")) if part)


def _in(sentence: str, reply: Reply, moment: str) -> str:
    """The sentence with the time since the start of the turn, which does not break at its unit; empty if unknown."""
    time = reply.timings_ms.get(moment)
    return sentence.format(duration(time).replace(" ", "\u00a0")) if time is not None else ""


def _actions(view: View) -> str:
    """What can be done with the last message, once it is answered."""
    if view.is_busy or not view.can_undo:
        return ""
    retry = chip("retry", "Try again") if view.state in ("stopped", "failed") else ""
    return (
        f'<div class="vr-quiet">{retry}{chip("edit", "Edit", said="Edit the last message")}'
        f"{chip('undo', 'Undo', said='Take the last message back')}</div>"
    )


def _nothing(view: View) -> str:
    """Help where nothing fits: each condition as a button that takes it out."""
    if view.state != "done":
        return ""
    dropped = [(f"Without “{part.text}”", part.key) for part in view.parts if part.key.startswith("filter:")]
    dropped += [("Without any of them", CONDITIONS)] if len(dropped) > 1 else []
    chips = "".join(chip("drop", label, key=key) for label, key in dropped)
    told = "Go on without one of these, or say it another way:" if chips else "Say it another way, or undo the message."
    return f"<h2>Nothing fits</h2><p>{told}</p><div class='vr-chips'>{chips}</div>"


def _next(view: View) -> str:
    chips = "".join(chip("say", label, text=label) for label in view.next)
    return f'<h2 class="vr-hidden">Go on with</h2><div class="vr-chips">{chips}</div>' if chips else ""
