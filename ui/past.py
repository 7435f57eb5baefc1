"""The earlier conversations of the person at a page, as a quiet list behind a summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ui.buttons import chip, danger, opener
from ui.why import text
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent.workspace.kept import SavedConversation

SHOWN = 50
FRESH = 12 * 3600.0  # seconds in which a page that is loaded again goes on where it was


def panel(
    saved: Sequence[SavedConversation],
    current: str,
    things: str,
    note: str = "",
    words: Words = ENGLISH,
    signed_in: bool = False,
) -> str:
    """The list as HTML, the latest first, closed at first; empty where there is nothing but what is on the screen."""
    earlier = [one for one in saved if one.conversation_id != current]
    if not earlier and not note:
        return ""
    warning = text(words("past.warning", things=things))
    rows = "".join(_row(one, one.conversation_id == current, warning, words) for one in saved[:SHOWN])
    about = text(words("past.about_account" if signed_in else "past.about"))
    more = f"<p>{text(words('past.more', n=SHOWN))}</p>" if len(saved) > SHOWN else ""
    return (
        f'<details class="vr-past" data-keep="past"><summary>{text(words("past.title", n=len(earlier)))}</summary>'
        f'<p>{about}</p><ul class="vr-entries">{rows}</ul>{more}</details>'
        f'<p class="vr-note" role="status">{text(note)}</p>'
    )


def when(moment: float, words: Words) -> str:
    """A moment as HTML: how long ago it was, and when exactly for a machine."""
    exact = datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    return f'<time datetime="{exact}">{text(ago(max(0.0, time.time() - moment), words))}</time>'


def ago(seconds: float, words: Words = ENGLISH) -> str:
    """How long ago something was, in the largest unit that is at least one."""
    minutes, hours, days = (int(seconds // unit) for unit in (60, 3600, 86_400))
    if days >= 1:
        return words("ago.day") if days == 1 else words("ago.days", n=days)
    if hours >= 1:
        return words("ago.hours", n=hours)
    return words("ago.minutes", n=minutes) if minutes >= 1 else words("ago.moment")


def _row(one: SavedConversation, is_current: bool, warning: str, words: Words) -> str:
    lists = text(words("past.list") if one.lists == 1 else words("past.lists", n=one.lists))
    current = f" · {text(words('past.now'))}" if is_current else ""
    return (
        f'<li><div class="vr-kept">{opener("open", one.title, is_current=is_current, key=one.conversation_id)}'
        f"<span>{when(one.changed, words)} · {lists}{current}</span>{_change(one, warning, words)}</div></li>"
    )


def _change(one: SavedConversation, warning: str, words: Words) -> str:
    title, key = text(one.title), text(one.conversation_id)
    return (
        f'<details data-keep="change {key}"><summary aria-label="{text(words("past.of", title=one.title))}">'
        f"{text(words('past.change'))}</summary>"
        f'<div data-form="{key}"><label class="vr-label">{text(words("past.name"))} '
        f'<input type="text" name="text" value="{title}" maxlength="120" autocomplete="off"></label>'
        f'<div class="vr-chips">{chip("rename", words("past.save"), key=one.conversation_id)}</div><p>{warning}</p>'
        f"{danger('delete', words('past.delete'), key=one.conversation_id)}</div></details>"
    )
