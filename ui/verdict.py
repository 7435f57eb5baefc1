"""What was checked, as lines: ok or failed, the name, what was found, and what to do."""

from __future__ import annotations

from rich.text import Text

from ui.listing import width_of, wrapped
from ui.terminal import Terminal, clean


def verdict(terminal: Terminal, ok: bool, name: str, detail: str, remedy: str = "", column: int = 0) -> None:
    """Print one check; what was found begins at `column` after the sign, or two spaces after a longer name."""
    sign = Text.assemble(("ok      ", "green") if ok else ("failed  ", "bold red"))
    indent = len(sign) + (column or len(clean(name)) + 2)
    if indent > width_of(terminal.out) // 2:
        indent = len(sign) + 2
        terminal.say(sign + Text(clean(name)))
        sign = Text(" " * len(sign))
        name = ""
    head = sign + Text(f"{clean(name):<{indent - len(sign)}}")
    found = wrapped(terminal.out, detail, width_of(terminal.out), indent, fold=False)
    line = head + found[indent:]
    line.rstrip()
    if line:  # a long name without more to say has had its line
        terminal.say(line)
    if remedy:
        terminal.say(wrapped(terminal.out, remedy, width_of(terminal.out), indent, style="bold", fold=False))
