"""Tokens, claims, and a cursor over tokens: what the grammar of justifications is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "word", "mark", "item", "title", "value", "year", "decade", "number", "attribute", "noun", "fact", "other"
]


# All words with a meaning here. A title or value that consists of them is understood in quotation marks only.
WORDS = frozenset(
    """a above after again also an and another any are as asked at because before below between blend both bring brings
    but by chose description directed do does earlier enjoyed feature features for from has have heard here in
    include includes is it its just later least like liked likewise made mix most named no not nothing of offer
    offers one or other out people played published read released requested said same saw share shares since so some
    something star starring stars than that the them they this to too visited was watched well which who wished with
    without word words written wrote you your""".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A unit of a sentence. `text` is the word, the value, the number, the attribute's name or the item's id."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a sentence says.

    `relation` is one of:
        "kind", "directed", "written", "by", "stars", "with", "has", "from", "in", "shares", "its": `about` all have
            `value`, in one attribute that fits the relation; with "its", in the attribute `attribute`.
        "year", "decade", "number": `about` all are from that year or decade, or have that number as `attribute`.
        "bound": the request asked this, `value`, of the number `attribute` of `about`; of its year without one.
        "wish": the description has the word `value`.
        "said": the person said the word `value`.
        "liked", "liked here", "watched", "named", "asked for": the person did or said so, of `titles` or of `value`.
        "asked": something in this sentence is what the person asked for; with a `value`, that decade is.
        "because": something in this sentence links the item to each of `titles`.
        "count": `count` of the `total` (None: not said) people who liked `titles[0]` liked the item.
        "chosen": `count` of all `total` people chose the item.
        "fact": a whole sentence of the evidence, unchanged.
    """

    relation: str
    value: str = ""
    about: frozenset[str] = frozenset()
    titles: tuple[str, ...] = ()
    attribute: str = ""
    negated: bool = False
    count: int = 0
    total: int | None = None


class NotUnderstood(Exception):
    """The sentence is outside the grammar; the message says where."""


class Cursor:
    """A place in a text that only moves on, and what was read on the way.

    Args:
        tokens: the whole text.
        item_id: what is justified.
    """

    def __init__(self, tokens: Sequence[Token], item_id: str) -> None:
        self.tokens = tokens
        self.place = 0
        self.item = frozenset({item_id})
        self.named: tuple[str, ...] = ()  # titles so far: what "too" and "both" look back to
        self.said = False  # whether anything was said of the item, which "also" may add to
        self.claims: list[Claim] = []
        self.subject: frozenset[str] | None = None
        self.likeness: frozenset[str] = frozenset()  # titles that the statement at hand is said of too
        self.foreign: frozenset[str] = frozenset()  # titles that were a subject, which "it" might mean
        self.also = False  # whether the statement at hand has "also", "too", "another" or the like

    @property
    def at_end(self) -> bool:
        """Whether all was read."""
        return self.place >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token:
        """The token so many places ahead; after the last one, a mark "end"."""
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("mark", "end")

    def sees(self, *phrases: str, ahead: int = 0) -> str:
        """The first of the phrases that comes next, or ""."""
        for phrase in phrases:
            if all(self.peek(ahead + i) in _said(word) for i, word in enumerate(phrase.split())):
                return phrase
        return ""

    def take(self, *phrases: str) -> str:
        """Like `sees`, and moves past it."""
        found = self.sees(*phrases)
        self.place += len(found.split())
        return found

    def kind(self, *kinds: Kind, ahead: int = 0) -> bool:
        """Whether the token there is of one of these kinds."""
        return self.peek(ahead).kind in kinds

    def next(self) -> str:
        """The text of the token here, and moves past it."""
        self.place += 1
        return self.tokens[self.place - 1].text

    def need(self, *phrases: str) -> str:
        """Like `take`, but one of the phrases must come."""
        return self.take(*phrases) or self.fail()

    def fail(self) -> str:
        """Refuse the text at this place; never returns."""
        token = self.peek()
        if token.kind == "other":
            raise NotUnderstood(f"{token.text!r} rests on no evidence")
        around = " ".join(t.text for t in self.tokens[max(0, self.place - 3) : self.place + 1])
        raise NotUnderstood(f"it says something that cannot be checked, at {around!r}")


def _said(word: str) -> tuple[Token, Token]:
    return Token("word", word), Token("mark", word)
