"""When nothing fits: which condition to relax, with how many items that would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.schema import Intent
from agent.understanding.intent import describe_filters
from agent.understanding.texts import TEXTS, Language, attribute_name, conditions_in_chinese


def nothing_fits(intent: Intent, count: Callable[[Intent], int], language: Language = "en") -> str:
    """A sentence for an empty list; `count` tells how many items an intent would allow."""
    texts = TEXTS[language]
    if not intent.filters:
        return texts["all seen"]
    opened = []
    for attribute in dict.fromkeys(f.attribute for f in intent.filters):
        kept = tuple(f for f in intent.filters if f.attribute != attribute)
        found = count(replace(intent, filters=kept))
        if found:
            verb = "is" if found == 1 else "are"
            name = attribute_name(attribute, language)
            opened.append((found, texts["opens"].format(attribute=name, verb=verb, found=found)))
    # The condition that opens most comes first; among equals, the one that was said first.
    hints = [text for _, text in sorted(opened, key=lambda one: -one[0])]
    said = describe_filters(intent.filters) if language == "en" else conditions_in_chinese(intent.filters)
    return texts["nothing fits" if hints else "nothing helps"].format(
        conditions=texts["comma"].join(said), hint=texts["semicolon"].join(hints)
    )
