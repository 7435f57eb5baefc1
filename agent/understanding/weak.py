"""What is said above a list that is merely the nearest: the words that nothing has, and what could help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.schema import Intent
from agent.understanding.texts import TEXTS, Language, attribute_name

_SHOWN, _LONGEST = 5, 40


def only_nearest(
    unmet: Sequence[str], intent: Intent, is_met: Callable[[Intent], bool], language: Language = "en"
) -> str:
    """A sentence that names the words `unmet`; empty without any. Of what breaks a condition it says nothing.

    `is_met` tells whether something would be near to the wishes of another intent: a condition is named where the
    wish would be met without it.
    """
    if not unmet:
        return ""
    texts = TEXTS[language]
    relaxed = [
        texts["nearer"].format(attribute=attribute_name(attribute, language))
        for attribute in dict.fromkeys(f.attribute for f in intent.filters)
        if is_met(replace(intent, filters=tuple(f for f in intent.filters if f.attribute != attribute)))
    ]
    shown = [f"“{word[:_LONGEST]}”" for word in unmet[:_SHOWN]]
    return texts["weak within" if intent.filters else "weak"].format(
        words=texts["or"].join(shown), advice=texts["semicolon"].join(relaxed) or texts["say otherwise"]
    )
