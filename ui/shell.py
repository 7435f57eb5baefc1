"""What stands on the page before anything is said: its name with the switch of the language, and the invitation."""

from __future__ import annotations

from ui.messages import things
from ui.why import text
from ui.words import Words


def heading(words: Words) -> str:
    """The name of the page, which tells page.js its language, and the button for the other one."""
    other = words.other
    return (
        f'<div class="vr-heading"><h1 data-language="{words("language.tag")}">Vouchrec</h1>'
        f'<button type="button" class="vr-chip" data-do="language" data-value="{other.language}" '
        f'lang="{other("language.tag")}">{text(other("language.name"))}</button></div>'
    )


def invitation(words: Words, noun: str) -> str:
    """What a newcomer reads above the starters."""
    first = words("welcome.first", things=things(noun, words))
    return f"<p>{text(first)}</p><p>{text(words('welcome.example'))}</p>"
