"""Themes that an item's text lists: "A crew is hunted. Themes: space horror, survival." tells of two.

They are no attributes, for a wish such as "something tense" must not become a condition; but a reason may name them.
"""

from __future__ import annotations

import re

from agent.generation.cleaning import clean
from agent.schema import Item

THEMES = "themes"  # the attribute that evidence of themes names
MOST = 12  # of one item
_LISTED = re.compile(r"(?:^|[.!?]\s+)(?:Themes|Moods|Keywords|Tags): ([^.!?\n]{2,400})")
_PLAIN = re.compile(r"[^\W\d_][\w' -]{1,30}")
_OF_A_PERSON = re.compile(r"\b(?:you|your|i|we)\b", re.IGNORECASE)


def themes_of(item: Item) -> tuple[str, ...]:
    """The themes in the order of the text, in lower case; what is not a few plain words is none."""
    said = (theme for found in _LISTED.finditer(item.text) for theme in found[1].split(","))
    words = (clean(theme.strip().lower(), 40) for theme in said)
    fitting = (w for w in words if _PLAIN.fullmatch(w) and len(w.split()) <= 4 and not _OF_A_PERSON.search(w))
    return tuple(dict.fromkeys(fitting))[:MOST]
