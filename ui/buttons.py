"""The buttons of the page as HTML. What one asks for stands in its data, which page.js sends as it is.

What stands on a button may be a title, so each finds its own writing direction.
"""

from __future__ import annotations

from ui.why import text


def chip(do: str, label: str, /, *, spoken: str = "", **data: str) -> str:
    """A button that asks the page for something; `spoken` is what a screen reader reads in place of the label."""
    return _button("vr-chip", do, label, spoken, data)


def cross(do: str, spoken: str, /, **data: str) -> str:
    """A × beside a thing, which takes it out."""
    return _button("vr-drop", do, "×", spoken, data)


def danger(do: str, label: str, /, **data: str) -> str:
    """A chip for what cannot be undone."""
    return _button("vr-chip vr-danger", do, label, "", data)


def opener(do: str, title: str, /, *, spoken: str = "", is_current: bool = False, **data: str) -> str:
    """A title that opens what it names, or that says of it that it is open."""
    return _button("vr-open", do, title, spoken, data, " aria-current=true" if is_current else "")


def _button(look: str, do: str, label: str, spoken: str, data: dict[str, str], state: str = "") -> str:
    told = "".join(f' data-{name}="{text(value)}"' for name, value in data.items())
    heard = f' aria-label="{text(spoken)}"' if spoken else ""
    return f'<button type="button" class="{look}" dir="auto" data-do="{do}"{told}{heard}{state}>{text(label)}</button>'
