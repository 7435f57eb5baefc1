"""What is said above a list that does not meet all of a request: words that nothing has, parts that do not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.schema import Intent
from agent.understanding.texts import TEXTS, Language, attribute_name
from agent.understanding.unheard import lengths, noise_in
from agent.workspace.catalogue import Catalogue

_SHOWN, _LONGEST = 5, 40
FEW = 0.5  # of the items have an attribute: below it, a condition on it leaves out many of which nobody knows


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
    return texts["weak within" if intent.filters else "weak"].format(
        words=_quoted(unmet, texts["or"]), advice=texts["semicolon"].join(relaxed) or texts["say otherwise"]
    )


def left_aside(intent: Intent, catalogue: Catalogue, language: Language = "en") -> str:
    """What to say of the parts of a request that do not count or rest on few items; empty where there are none."""
    texts, counting = TEXTS[language], {*intent.wishes.split(), *intent.avoids.split()}
    noise = [word for word in noise_in(intent.text, catalogue) if word not in counting]
    told = [texts["noise"].format(words=_quoted(noise, texts["or"]))] if noise else []
    told += [texts["no length"]] if lengths(intent.text, catalogue) else []
    for attribute in dict.fromkeys(f.attribute for f in intent.filters):
        known, total = catalogue.known[attribute], len(catalogue)
        if known < FEW * total:
            name = attribute_name(attribute, language)
            told.append(texts["mostly unknown"].format(attribute=name, known=known, total=total))
    return texts["space"].join(told)


def _quoted(words: Sequence[str], joint: str) -> str:
    return joint.join(f"“{word[:_LONGEST]}”" for word in words[:_SHOWN])
