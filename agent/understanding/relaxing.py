"""When nothing fits, or nothing new: which condition to relax, with how many items that would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.schema import Intent
from agent.understanding.intent import describe_filters
from agent.understanding.texts import TEXTS, Language, attribute_name, conditions_in_chinese


def nothing_fits(
    intent: Intent, count: Callable[[Intent], int], language: Language = "en", *, is_known: bool = False
) -> str:
    """What to say of an empty list; `count` tells how many items an intent would allow.

    `is_known` says that something fits, but was shown, named or seen.
    """
    texts = TEXTS[language]
    if not intent.filters:
        return texts["all known"]
    opened, attributes = [], tuple(dict.fromkeys(f.attribute for f in intent.filters))
    for attribute in attributes:
        kept = tuple(f for f in intent.filters if f.attribute != attribute)
        found = count(replace(intent, filters=kept))
        if found:
            verb = "is" if found == 1 else "are"
            name = attribute_name(attribute, language)
            opened.append((found, texts["opens"].format(attribute=name, verb=verb, found=found)))
    # The condition that opens most comes first; among equals, the one that was said first.
    hints = [text for _, text in sorted(opened, key=lambda one: -one[0])]
    said = describe_filters(intent.filters) if language == "en" else conditions_in_chinese(intent.filters)
    advice = "drop one" if hints else "drop more" if len(attributes) > 1 else "drop none"
    return texts["space"].join(
        (
            texts["nothing new fits" if is_known else "nothing fits"].format(conditions=texts["comma"].join(said)),
            texts[advice].format(hint=texts["semicolon"].join(hints)),
        )
    )
