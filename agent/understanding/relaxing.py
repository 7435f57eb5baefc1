"""When nothing fits: which condition to relax, with how many items that would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.schema import Intent
from agent.understanding.intent import describe_filters


def nothing_fits(intent: Intent, count: Callable[[Intent], int]) -> str:
    """A sentence for an empty list; `count` tells how many items an intent would allow."""
    if not intent.filters:
        return "Nothing is left to recommend: every item of this catalogue was seen already."
    opened = []
    for attribute in dict.fromkeys(f.attribute for f in intent.filters):
        kept = tuple(f for f in intent.filters if f.attribute != attribute)
        found = count(replace(intent, filters=kept))
        if found:
            verb = "is" if found == 1 else "are"
            opened.append((found, f"without the condition on {attribute} there {verb} {found:,}"))
    # The condition that opens most comes first; among equals, the one that was said first.
    hints = [text for _, text in sorted(opened, key=lambda one: -one[0])]
    hint = "; ".join(hints) or "even without any one of them there is nothing"
    return f"Nothing fits all of: {', '.join(describe_filters(intent.filters))}. To go on, relax one: {hint}."
