"""What the page has where people sign in: their name, a way out, and a script that notices when it is over."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.auth.gate import SIGN_OUT

if TYPE_CHECKING:
    from agent.workspace.accounts import Account

STYLE = Path(__file__).with_name("page.css")
HEAD = f"<script>{Path(__file__).with_name('page.js').read_text(encoding='utf-8')}</script>"


def account(request: Any) -> Account:  # noqa: ANN401 - gradio's, which this module does not import
    """Who sent a request, as the gate found them; KeyError where it came past the gate."""
    found: Account = request.request.scope["account"]
    return found


def html(who: Account, way_out: str) -> str:
    """The name, and a button to sign out with these words on it."""
    return (
        f'<form method="post" action="{SIGN_OUT[1:]}"><span dir="auto">{escape(who.name)}</span>'
        f'<button type="submit">{escape(way_out)}</button></form>'
    )
