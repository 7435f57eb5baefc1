"""The list as HTML. Every text that comes from a catalogue, a person or a model goes through `html.escape`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from agent.schema import Event, Recommendation, Reply
from ui.guests import REACTIONS, View
from ui.listing import attributes, duration
from ui.terminal import clean

GHOSTS = 3  # empty cards that hold the place while the list is being made
_PENDING = "Writing and checking a reason …"
_CHECKED = "Every title, name, number and genre of this sentence was compared with computed facts, and holds."

# One listener for all buttons: their place in the page stays while the list is drawn again. A new list comes into view.
ON_LOAD = """
let part = '';
watch('value', () => {
  const shown = element.querySelector('[data-part]')?.dataset.part || '';
  if (shown && shown !== part) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    setTimeout(() => element.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' }), 50);
  }
  part = shown;
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-event]');
  if (!button || button.getAttribute('aria-pressed') === 'true') return;
  trigger('click', { item: button.dataset.item, event: button.dataset.event });
});
"""


def cards(view: View) -> str:
    """The latest list as cards, and one line on how it came about; empty before the first message."""
    if view.state == "new":
        return ""
    if view.state == "looking":
        ghosts = '<li class="vr-card vr-ghost"></li>' * GHOSTS
        return _status("Looking for what fits …", "") + _list(view, ghosts, ' aria-hidden="true"')
    listed = view.reply.recommendations if view.reply is not None else ()
    shown = "".join(_card(one, view, share) for one, share in zip(listed, shares(listed), strict=True))
    return _status(_told(view), view.note) + (_list(view, shown) if shown else "")


def _list(view: View, cards: str, more: str = "") -> str:
    part = "wait" if view.state == "looking" else "list"  # each comes into view when it is new
    return f'<ol class="vr-list" data-part="{view.turn} {part}"{more}>{cards}</ol>'


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


def _card(one: Recommendation, view: View, share: float) -> str:
    title = _text(one.item.title)
    told = _text(attributes(one.item))
    facts = f'<p class="vr-facts" dir="auto">{told}</p>' if told else ""
    said = f"score {one.score:.2f}" if math.isfinite(one.score) else "no score"
    return (
        f'<li class="vr-card"><div class="vr-head"><span class="vr-rank" aria-hidden="true">{one.rank}</span>'
        f'<div class="vr-name"><h2 class="vr-title" dir="auto">{title}</h2>{facts}</div>'
        f'<span class="vr-score" role="img" aria-label="{said}" title="{said}">'
        f'<span style="width:{share:.0%}"></span></span></div>'
        f"{_reason(one, view)}{_buttons(one, view.marked.get(one.item.item_id))}</li>"
    )


def _reason(one: Recommendation, view: View) -> str:
    if not one.justification:
        said = _PENDING if view.is_busy else "No reason: stopped." if view.state == "stopped" else "No reason."
        kind = "vr-pending vr-moving" if view.is_busy else "vr-pending"
        return f'<p class="vr-reason {kind}">{said}</p>'
    if not one.verified:
        mark = '<p class="vr-mark">not checked</p>'
    else:
        model = view.reply.model if view.reply is not None else ""
        by = f"phrased by {_text(model or 'the model')}" if one.phrased_by == "model" else "a plain fact"
        mark = f'<p class="vr-mark" title="{_CHECKED}"><span class="vr-check">✓ checked</span> · {by}</p>'
    return f'<p class="vr-reason" dir="auto">{_text(one.justification)}</p>{mark}'


def _buttons(one: Recommendation, marked: Event | None) -> str:
    title, item = _text(one.item.title), escape(one.item.item_id, quote=True)
    made = "".join(
        f'<button type="button" data-event="{event}" data-item="{item}" aria-pressed="{str(marked == event).lower()}" '
        f'aria-label="{label}: {title}">{label}</button>'
        for event, label in REACTIONS.items()
    )
    noted = '<span class="vr-noted">noted for the next list</span>' if marked else ""
    return f'<div class="vr-actions">{made}{noted}</div>'


def _told(view: View) -> str:
    """How the answer came about, in a line."""
    reply = view.reply
    if reply is None or not reply.recommendations:
        return ""
    listed = _in("List in {}", reply, "list")
    if view.state == "writing":
        return f"{listed} · reasons are being written and checked …"
    if view.state in ("stopped", "failed"):
        return f"{'Stopped' if view.state == 'stopped' else 'Interrupted'}; the list stays. {listed}"
    return " · ".join(part for part in (listed, _in("all reasons checked in {}", reply, "answer")) if part)


def _in(sentence: str, reply: Reply, moment: str) -> str:
    """The sentence with the time since the start of the turn, which does not break at its unit; empty if unknown."""
    time = reply.timings_ms.get(moment)
    return sentence.format(duration(time).replace(" ", "\u00a0")) if time is not None else ""


def _status(text: str, note: str) -> str:
    heard = f'<span class="vr-hidden">{_text(note)} </span>' if note else ""
    return f'<p class="vr-status" role="status">{heard}{_text(text)}</p>'


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
