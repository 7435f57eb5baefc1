"""When nothing fits: which condition to relax, with how many items that would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.schema import Intent


def nothing_fits(intent: Intent, count: Callable[[Intent], int]) -> str:
    """A sentence for an empty list; `count` tells how many items an intent would allow."""
    if not intent.filters:
        return "Nothing is left to recommend: every item of this catalogue was seen already."
    said = ", ".join(str(f) for f in intent.filters)
    opened = []
    for attribute in dict.fromkeys(f.attribute for f in intent.filters):
        kept = tuple(f for f in intent.filters if f.attribute != attribute)
        found = count(replace(intent, filters=kept))
        if found:
            opened.append((found, f"without the condition on {attribute} there are {found:,}"))
    hint = (
        "; ".join(text for _, text in sorted(opened, reverse=True)) or "even without any one of them there is nothing"
    )
    return f"Nothing fits all of: {said}. To go on, relax one: {hint}."
