"""How far a message leans from what a person is used to: "not my usual", "surprise me"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.schema import Intent

# What is said, the field of the intent that it sets, and to what: of what overlaps the upper one counts.
_CUES = tuple(
    (field, value, re.compile(rf"(?<![\w'’-])(?:{pattern})(?![\w'’-])", re.IGNORECASE))
    for field, value, pattern in (
        (
            "exploration",
            0.0,
            r"no\s+(?:more\s+)?surprises|do(?:n['’]?t|\s+not)\s+surprise\s+(?:me|us)|play\s+it\s+safe"
            r"|a\s+safe\s+(?:bet|choice|pick)|nothing\s+(?:too\s+)?(?:unexpected|surprising|experimental)",
        ),
        (
            "exploration",
            0.5,
            r"surprise\s+(?:me|us)(?:\s+(?:a\s+(?:bit|little)|again|please))?|feeling\s+(?:lucky|adventurous)|be\s+(?:bold|adventurous)|take\s+(?:a\s+)?risks?"
            r"|(?:something|anything)\s+(?:\w+\s+)?(?:unexpected|surprising)",
        ),
        (
            "habit",
            0.2,
            r"(?:not|nothing\s+like|unlike|other\s+than|different\s+from|break\s+from|away\s+from|tired\s+of)\s+"
            r"(?:my|our|the)\s+usual(?:\s+(?:stuff|things?|kind|taste|style|choices?|picks?|fare))?"
            r"|(?:not|nothing\s+like|unlike|other\s+than|different\s+from)\s+what\s+(?:i|we)\s+(?:usually|normally)\s+\w+"
            r"|(?:(?:something|anything|things?)\s+)?(?:that\s+)?(?:i|we)\s+(?:would|do)(?:n['’]?t|\s+not)\s+"
            r"(?:normally|usually|typically|often)\s+\w+(?:\s+for)?"
            r"|(?:i\s+want\s+|i['’]d\s+like\s+)?something\s+(?:(?:\w+ly|a\s+bit|a\s+little|very|quite)\s+)?different"
            r"(?:\s+(?:for\s+a\s+change|this\s+time|today|tonight))?"
            r"|(?:try\s+)?something\s+new\s+to\s+me|try(?:ing)?\s+something\s+new"
            r"|(?:out|outside)(?:\s+of)?\s+(?:my|our)\s+comfort\s+zone|(?:for\s+)?a\s+change\s+of\s+pace|for\s+a\s+change",
        ),
        (
            "habit",
            0.8,
            r"(?:(?:more\s+of|just|back\s+to|stick\s+(?:with|to)|like)\s+)?(?:my|our|the)\s+usual"
            r"(?:\s+(?:stuff|things?|kind|taste|style|choices?|picks?|fare))?(?=\s*(?:$|[.,;!?]|please\b|but\b|and\b))"
            r"|(?:just\s+)?(?:like\s+)?what\s+(?:i|we)\s+(?:usually|normally)\s+\w+",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Leaning:
    """What text[start:end] sets a field of the intent to."""

    start: int
    end: int
    field: str
    value: float


def find_leanings(text: str) -> list[Leaning]:
    """All that a message says of habit and surprise, in its order; their places do not overlap."""
    found: list[Leaning] = []
    for field, value, pattern in _CUES:
        for m in pattern.finditer(text):
            if not any(m.start() < one.end and one.start < m.end() for one in found):
                found.append(Leaning(*m.span(), field, value))
    return sorted(found, key=lambda one: one.start)


def leant(intent: Intent, leanings: Sequence[Leaning]) -> Intent:
    """The intent with what was said of habit and surprise; what was said last counts."""
    said = {one.field: one.value for one in leanings}
    return replace(
        intent, habit=said.get("habit", intent.habit), exploration=said.get("exploration", intent.exploration)
    )
