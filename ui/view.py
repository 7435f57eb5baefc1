"""What the page of one person shows, and what can be pressed on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.explaining.explanation import Explanation
from agent.schema import Event, Intent, Reply
from agent.understanding.parts import Part
from ui.words import ENGLISH, Words

State = Literal["new", "looking", "writing", "done", "stopped", "failed"]

REACTIONS: tuple[Event, ...] = ("like", "dislike", "seen", "not_now")
COUNTS = (3, 5, 10)  # how many a list may be asked to have


@dataclass(frozen=True, slots=True)
class View:
    """What the page of one guest shows: what was said as (role, text), and the latest list.

    `turn` counts the answers, `marked` holds the reactions by item id, `note` the latest news in one sentence, `draft`
    a message that goes back into the box, `intent` and its `parts` what was understood, `next` messages to go on with,
    `ahead` how many others are being answered, and `can_undo` tells whether there is a message to take back. `facts`
    holds by item id what is behind its reason, where that is said in another language than English, `swayed` what
    moved an item, where that was asked.
    """

    talk: tuple[tuple[str, str], ...] = ()
    reply: Reply | None = None
    state: State = "new"
    turn: int = 0
    marked: Mapping[str, Event] = field(default_factory=dict)
    note: str = ""
    draft: str = ""
    intent: Intent | None = None
    parts: tuple[Part, ...] = ()
    next: tuple[str, ...] = ()
    ahead: int = 0
    can_undo: bool = False
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Words = ENGLISH
    swayed: Mapping[str, Explanation] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return self.state in ("looking", "writing")
