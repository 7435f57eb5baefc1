"""What facts say of an item, attribute by attribute, and how English puts one: "a crime film", "is from 1987"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.justification.wording import is_year, kinds_said, listed, role_of, spoken, with_article
from agent.schema import Evidence, Item

_TAILS = {
    "directed": ("directed by", "by"), "written": ("by",), "by": ("by",), "stars": ("starring", "with"),
    "place": ("from",), "language": ("in",),
}  # fmt: skip
_VERBS = {
    "directed": "is directed by", "written": "is by", "by": "is by", "stars": "stars", "place": "is from",
    "language": "is in", "year": "is from",
}  # fmt: skip
_NEEDS_THE = re.compile(r"(?:the|united|soviet|czech|dominican) .*|.*(?:lands|republic|kingdom|states|union)|[A-Z]{2,}")


@dataclass(frozen=True, slots=True)
class Trait:
    """What one fact says of the item. `role` is as in `wording.role_of`, or "year" or "number"; `values` as spoken."""

    role: str
    attribute: str
    values: tuple[str, ...]
    asked: bool = False
    negated: bool = False

    @property
    def is_labelled(self) -> bool:
        """Whether only the attribute's name can introduce it: "its keywords include desert"."""
        return self.role in ("other", "number")


def traits_of(evidence: Evidence, item: Item) -> list[Trait]:
    """What a fact says of the item: nothing, one trait, or a kind and a year."""
    name, asked = evidence.attribute or "", evidence.kind == "constraint"
    if evidence.kind not in ("feedback", "liked", "watched", "constraint", "property") or not name:
        return []
    if isinstance(item.attributes.get(name), int | float):
        return [Trait("year" if is_year(name) else "number", name, evidence.values, asked)]
    own = item.words(name)
    words = tuple(dict.fromkeys(spoken(v, name) for v in evidence.values if evidence.negated or v in own))
    fitting = tuple(v for v in words if _fits(v, role_of(name)))
    role = role_of(name) if fitting else "other"
    found = [Trait(role, name, fitting or words, asked, evidence.negated)] if words else []
    years = [n for n, v in item.attributes.items() if is_year(n) and isinstance(v, int | float)]
    dated = [v for v in evidence.values if v not in own and v.isdigit() and not evidence.negated]
    return found + [Trait("year", years[0], (v,)) for v in dated[:1] if years]


def _fits(value: str, role: str) -> bool:
    """Whether a value can stand where its role would have it: no "headphones product", no "film from United States"."""
    if role == "kind":
        plain = not value.endswith("s") or value.endswith(("ss", "'s", "’s"))
        return plain and len(value.split()) <= 3 and not re.search(r"[,&]|\band\b", value)
    return role != "place" or not _NEEDS_THE.fullmatch(value if value.isupper() else value.lower())


class English:
    """How traits of a thing that is called `noun` are put; `random` chooses where there is a choice."""

    def __init__(self, noun: str, random: np.random.Generator) -> None:
        self.noun = noun
        self.random = random

    def one(self, choices: Sequence[str]) -> str:
        """One of them."""
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        """Whether something happens that should so often."""
        return bool(self.random.random() < share)

    def some(self, values: Sequence[str], most: int = 2) -> tuple[str, ...]:
        """One or more of the values, in any order."""
        chosen = self.random.permutation(len(values))[: self.random.integers(1, most + 1)]
        return tuple(values[i] for i in chosen)

    def kind(self, kinds: Sequence[str], *, many: bool = False) -> str:
        """Kinds as one noun: "crime thriller", "war and action film"; the mere noun for none."""
        return kinds_said(kinds, self.noun, many=many)

    def thing(self, traits: Sequence[Trait]) -> str:
        """All traits in one noun phrase, without its article: "1987 crime comedy by Joel Coen"."""
        kind = self.kind([v for t in traits if t.role == "kind" for v in t.values])
        tails = [f" {self.one(_TAILS[t.role])} {listed(t.values[:2])}" for t in traits if t.role in _TAILS]
        said = "".join(tails)
        if said.startswith(" directed by") and len(tails) > 1:
            said = said.replace(" starring", " and starring", 1)
        year = next((t for t in traits if t.role == "year"), None)
        if year is None:
            return kind + said
        before = self.chance(0.5) or " from " in said
        return f"{year.values[0]} {kind}{said}" if before else f"{kind} {self._when(year)}{said}"

    def _when(self, year: Trait) -> str:
        """The year, or now and then its decade; what was asked for is said as it is."""
        said = year.values[0]
        decades = re.fullmatch(r"(19[2-9]|20[0-2])\d", said) and not year.asked and self.chance(0.2)
        if not decades:
            return f"from {said}"
        return f"from the '{said[2]}0s" if said.startswith("19") and self.chance(0.5) else f"from the {said[:3]}0s"

    def predicate(self, trait: Trait) -> str | None:
        """What the item is or does: "is a crime film", "stars Tim Curry"; None where only its label can say it."""
        said = listed(trait.values, "or" if trait.negated else "and")
        if trait.is_labelled:
            return None
        if trait.role == "kind":
            kind = said if trait.negated and len(trait.values) > 1 else with_article(self.kind(trait.values))
            return f"is {'not ' * trait.negated}{kind}"
        if trait.role == "year":
            return f"is {self._when(trait)}"
        verb = _VERBS[trait.role]
        if not trait.negated:
            return f"{verb} {said}"
        return f"does not star {said}" if trait.role == "stars" else f"{verb.replace('is', 'is not', 1)} {said}"

    def clause(self, trait: Trait) -> str:
        """The same with a subject: "it's from 1987", "its keywords include desert"."""
        if predicate := self.predicate(trait):
            return self.subject(predicate)
        name, no = spoken(trait.attribute), trait.negated
        verb = ("do not include" if no else "include") if name.endswith("s") else "is not" if no else "is"
        return f"its {name} {verb} {listed(trait.values, 'or' if no else 'and')}"

    def subject(self, predicate: str) -> str:
        """A predicate after its subject; "is" is as often short as not."""
        return f"it's {predicate[3:]}" if predicate.startswith("is ") and self.chance(0.5) else f"it {predicate}"
