"""The types that pass through doors. Frozen, plain, and free of any library of ours.

Order matters where the docstring says so; scores are always "higher is better"; ranks start at 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

AttributeValue = float | int | str | tuple[str, ...]
AttributeType = Literal["number", "word", "list"]
Op = Literal["==", "!=", ">=", "<=", ">", "<", "in", "not in"]
Event = Literal["like", "dislike", "seen", "not_now", "rating", "remark"]
Strategy = Literal["score", "generate"]
PhrasedBy = Literal["model", "plain"]

EVENTS: tuple[Event, ...] = ("like", "dislike", "seen", "not_now", "rating", "remark")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be recommended. `title` is what a person reads: for a film, "Alien (1979)"."""

    item_id: str
    title: str
    text: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)

    def words(self, attribute: str) -> tuple[str, ...]:
        """The value of an attribute as words: a list as it is, a word or number as one word, nothing as none."""
        value = self.attributes.get(attribute)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (str(value),)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One event of one person with one item. `timestamp` is seconds since 1970; `value` is a rating or a count."""

    user_id: str
    item_id: str
    event: str = "rating"
    value: float | None = None
    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said of one item of one list; the same person, item, event and turn is the same feedback.

    `value` is the rating where the event is one. `words` are the person's own, beside any event; a "remark" is nothing
    but words. "not_now" holds the item back for a day, "seen" for good.
    """

    user_id: str
    item_id: str
    event: Event
    turn_id: str | None = None
    value: float | None = None
    timestamp: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a person. All fields hold item ids; `history` is oldest first and holds every interaction.

    `likes` are the items the person rated high or said they like, `dislikes` the opposite; the rest of the history is
    merely seen. Items in `seen` are never recommended. `times` says when, in seconds, where that is known. `reactions`
    are the items of our lists that they spoke of, 1 liked and -1 turned down, and `remarks` what they are for (1) and
    against (-1) in words; both in the order of saying.
    """

    user_id: str | None = None
    history: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()
    times: Mapping[str, float] = field(default_factory=dict)
    reactions: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """One hard condition on an attribute. On a list attribute "==" means "contains" and "in" means "contains any".

    It holds only of items that have the attribute, "!=" and "not in" too: nobody knows that an item without a country
    is not American. `value` is a tuple exactly when `op` is "in" or "not in".
    """

    attribute: str
    op: Op
    value: float | int | str | tuple[str | float | int, ...]

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, tuple):
            return f"{self.attribute} {self.op} {', '.join(str(v) for v in value)}"
        return f"{self.attribute} {self.op} {value}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a person wants now.

    `likes` and `dislikes` are ids of items named in the message: what to go by, and what to stay away from. Of the
    likes, `examples` were named only as an example ("something like Heat") and `met` only as seen, read or heard: of
    these nobody said that they are liked. Of the dislikes, `declined` were merely turned down ("not the first one"):
    they do not come, and nothing is concluded of what is like them. `filters` all hold at once, `wishes` is the free
    text that no filter took and `avoids` the part of it that was negated, `habit` weighs the history against this
    request (0 = only this request, 1 = only history), `exploration` lets what is further down come up by chance (0 =
    never, 1 = chance counts about as much as the scores; the same turn gives the same list).
    """

    text: str = ""
    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    wishes: str = ""
    avoids: str = ""
    n: int | None = None
    habit: float = 0.5
    exploration: float = 0.0
    examples: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()

    @property
    def liked(self) -> tuple[str, ...]:
        """Those of the likes that the person said they like."""
        return tuple(i for i in self.likes if i not in self.examples and i not in self.met)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return not (self.text or self.likes or self.dislikes or self.filters or self.wishes or self.avoids)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item in the running. `scores` is by source (such as "semantic"), and "retrieval", "model", "final"."""

    item: Item
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that was computed, never generated, with what it rests on; `source` says where it was looked up.

    `said` are the words of the request that it answers, where its values are other words: "90s" of a year, "scary" of a
    kind. `kind` is one of:
        "liked": `values` of `attribute` are shared with an item that the person liked, `item_ids[0]`.
        "feedback": the same with an item that the person said they like after it was recommended here.
        "watched": the same with an item that is merely in the history, or was named as met.
        "example": the same with an item that the person named as an example of what they want.
        "behaviour": `count` of the `total` other people who like `item_ids[0]` like this item too.
        "constraint": a condition of the request is met by `values` of `attribute`, or by none of them if `negated`.
        "wish": `values` are words of the request that the item's own text or title has; or values of `attribute` that
            they ask for, such as themes, or the kind that a word of mood leans to.
        "property": the item has these `values` of `attribute`.
        "popular": `count` of the `total` people chose it; only where nobody's taste is known and nothing was asked for.
        "nearest": nothing else is known; the item is among those closest to the request or the history.
    """

    kind: str
    text: str
    item_ids: tuple[str, ...] = ()
    attribute: str | None = None
    values: tuple[str, ...] = ()
    count: int | None = None
    total: int | None = None
    negated: bool = False
    source: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One place in the list. `verified` is True only when every claim of `justification` was checked and holds."""

    rank: int
    item: Item
    score: float
    justification: str = ""
    verified: bool = False
    phrased_by: PhrasedBy | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one turn; `candidates` are best first, `timings_ms` is by stage in the order of the turn.

    `understood` says how the intent was read from the message, in plain words; "" where it was given as it is.
    `model_weight` is how much the model's scores counted beside those of retrieval; None where no list was made of
    both, or where a turn of an older version did not say.
    """

    turn_id: str
    user_id: str | None
    intent: Intent
    recommendations: tuple[Recommendation, ...] = ()
    message: str = ""
    question: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    adapter: str | None = None
    prompt: str = ""
    understood: str = ""
    candidates: tuple[Candidate, ...] = ()
    complete: bool = True
    model_weight: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints: plain types only, stable names."""
        return {
            "turn_id": self.turn_id,
            "user_id": self.user_id,
            "intent": {**asdict(self.intent), "filters": [str(f) for f in self.intent.filters]},
            "message": self.message,
            "question": self.question,
            "recommendations": [
                {
                    "rank": r.rank,
                    "item_id": r.item.item_id,
                    "title": r.item.title,
                    "attributes": {k: list(v) if isinstance(v, tuple) else v for k, v in r.item.attributes.items()},
                    "score": r.score if math.isfinite(r.score) else None,
                    "justification": r.justification,
                    "verified": r.verified,
                    "phrased_by": r.phrased_by,
                    "evidence": [
                        {"kind": e.kind, "text": e.text, "source": e.source, "item_ids": list(e.item_ids)}
                        for e in r.evidence
                    ],
                }
                for r in self.recommendations
            ],
            "timings_ms": dict(self.timings_ms),
            "model": self.model,
            "adapter": self.adapter,
            "prompt": self.prompt,
            "understood": self.understood,
            "model_weight": self.model_weight,
            "n_candidates": len(self.candidates),
        }


def matches(item: Item, filters: Sequence[Filter]) -> bool:
    """Whether an item meets every filter: the meaning that the Chroma `where` compiled from them must have.

    An item that lacks the attribute, or has an empty list of it, meets no condition on it, as in SQL.
    """
    return all(_holds(item.attributes.get(f.attribute), f) for f in filters)


def _holds(value: AttributeValue | None, f: Filter) -> bool:
    if value is None or value == ():
        return False
    wanted = f.value if isinstance(f.value, tuple) else (f.value,)
    if f.op in ("!=", "not in"):
        return not any(_contains(value, w) for w in wanted)
    if f.op in ("==", "in"):
        return any(_contains(value, w) for w in wanted)
    if not isinstance(value, int | float) or not isinstance(f.value, int | float):
        return False
    return {">=": value >= f.value, "<=": value <= f.value, ">": value > f.value, "<": value < f.value}[f.op]


def _contains(value: AttributeValue, wanted: object) -> bool:
    return wanted in value if isinstance(value, tuple) else value == wanted
