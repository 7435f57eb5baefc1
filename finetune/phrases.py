"""Phrases about one recommendation, drawn from the facts of its plan: they fill the frames of `finetune.reasons`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from agent.justification.planning import Plan
from agent.justification.units import Units
from agent.justification.wording import COUNTED, listed, spoken, titled, verb_of, with_article
from agent.schema import Evidence, Item
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue
from finetune.traits import English, Trait, traits_of


def units_of(item: Item, evidence: Sequence[Evidence], catalogue: Catalogue) -> Units:
    """How the checker cuts a justification of the item."""
    anchors = dict.fromkeys(i for e in evidence for i in e.item_ids if i in catalogue.position and i != item.item_id)
    return Units(item, [catalogue.get(i) for i in anchors], evidence, catalogue)


class Phrases:
    """Phrases for one plan. Its methods without arguments fill slots; None is "there is nothing to say".

    A phrase may come out differently each time; `draw` settles which values of the lead a sentence speaks of.
    """

    def __init__(self, plan: Plan, noun: str, catalogue: Catalogue, random: np.random.Generator) -> None:
        self._plan, self._catalogue = plan, catalogue
        self._english = English(noun, random)
        self._units = units_of(plan.item, plan.everything, catalogue)
        self._support = [e for e in plan.facts if e is not plan.lead]
        led = traits_of(plan.lead, plan.item)
        self.lead = self._whole = led[0] if led else None
        told = led[1:] + [t for e in self._support for t in traits_of(e, plan.item)]
        self.rest = _beside(led[:1], told)

    def draw(self) -> None:
        """Settle anew which of the lead's values the next sentence speaks of."""
        if self._whole:
            self.lead = replace(self._whole, values=self._english.some(self._whole.values))

    def slot(self, name: str) -> str | None:
        """The phrase of that name; "More" is `more` with a capital."""
        phrase: Callable[[], str | None] = getattr(self, name.lower())
        said = phrase()
        return said[0].upper() + said[1:] if said and name[0].isupper() else said

    # -- names and numbers

    def noun(self) -> str:
        """What such a thing is called."""
        return self._english.noun

    def did(self) -> str:
        """What the person did with the item that the lead rests on."""
        return "liked" if self._plan.lead.kind in ("feedback", "liked") else verb_of(self._english.noun)

    def item(self) -> str | None:
        """The title of the item, without the year that the sentence may give."""
        return self._name(self._plan.item, short=True)

    def title(self) -> str | None:
        """The title of the item that the lead rests on."""
        return self._anchor(self._plan.lead)

    def _anchor(self, evidence: Evidence) -> str | None:
        known = [self._catalogue.get(i) for i in evidence.item_ids if i in self._catalogue.position]
        return self._name(known[0], short=self._english.chance(0.5)) if known else None

    def _name(self, item: Item, *, short: bool) -> str | None:
        bare, full = titled(YEAR_SUFFIX.sub("", item.title)), titled(item.title)
        names: list[str] = [bare, f'"{bare}"', full, f'"{full}"'] if short else [full, f'"{full}"']
        for name in names:
            tokens = list(self._units.cut(name))
            if len(tokens) == 1 and tokens[0].kind in ("item", "title"):
                return name
        return None

    def count(self) -> str:
        """How many people liked the item."""
        return str(self._plan.lead.count)

    def total(self) -> str:
        """Out of how many that liked what the lead rests on."""
        return str(self._plan.lead.total)

    # -- the lead

    def kind(self) -> str | None:
        """A noun phrase that needs an article: "crime film", "film by Joel Coen"."""
        positive = self.lead is not None and not self.lead.is_labelled and not self.lead.negated
        return self._english.thing([self.lead]) if self.lead and positive else None

    def a_kind(self) -> str | None:
        """The same with its article."""
        said = self.kind()
        return with_article(said) if said else None

    def is_kind(self) -> str | None:
        """A predicate: "is a crime film", "stars Tim Curry"."""
        return self._english.predicate(self.lead) if self.lead else None

    def are_kinds(self) -> str | None:
        """A predicate of two things: "are crime films", "star Tim Curry"."""
        if self.lead is None or self.lead.negated or self.lead.role == "year":
            return None
        if self.lead.role == "kind":
            return f"are {self._english.kind(self.lead.values, many=True)}"
        said = self._english.predicate(self.lead)
        return re.sub(r"^is\b", "are", said).replace("stars", "star", 1) if said else None

    def common(self) -> str | None:
        """What two things share: "the director Joel Coen", "the mix of crime and comedy", "Tim Curry"."""
        if self.lead is None or (self.lead.role == "kind" and len(self.lead.values) == 1) or self.lead.role == "place":
            return None
        if self.lead.role == "kind":
            return f"the mix of {listed(self.lead.values)}"
        if self.lead.role == "stars":
            return self.values()
        label = self.label()
        return f"the {label} {self.values()}" if label else None

    def label(self) -> str | None:
        """The name of the lead's attribute, in the singular where one value is said."""
        name = spoken(self.lead.attribute) if self.lead else ""
        if self.lead is None or (len(self.lead.values) == 1 and name.endswith("ies")):
            return None
        return name.removesuffix("s") if len(self.lead.values) == 1 and not name.endswith(("ss", "us")) else name

    def values(self) -> str | None:
        """The bare values."""
        return listed(self.lead.values, "or" if self.lead.negated else "and") if self.lead else None

    def mix(self) -> str | None:
        """Two kinds at once."""
        mixed = self.lead and self.lead.role == "kind" and len(self.lead.values) > 1 and not self.lead.negated
        return self.values() if mixed else None

    def wanted(self) -> str | None:
        """What follows "you asked for": "a thriller", "something with Al Pacino", "no horror"."""
        if self.lead is None or self.lead.role in ("year", "number", "language"):
            return None
        if self.lead.negated:
            return f"{'nothing with' if self.lead.role == 'stars' else 'no'} {self.values()}"
        if self.lead.role == "kind":
            return with_article(self._english.kind(self.lead.values))
        return f"{'something with ' * (self.lead.role == 'stars')}{self.values()}"

    def refused(self) -> str | None:
        """Kinds that the item is "without"."""
        lead = self.lead if self.lead and self.lead.negated and self.lead.role == "kind" else None
        return self.values() if lead and COUNTED.isdisjoint(lead.values) else None

    def not_kind(self) -> str | None:
        """One kind that the item is not, with its article: "a horror film"."""
        lead = self.lead if self.lead and self.lead.negated and self.lead.role == "kind" else None
        return with_article(self._english.kind(lead.values[:1])) if lead else None

    def words(self) -> str | None:
        """Words of the request: 'word "tense"'."""
        said = self._english.some(self._plan.lead.values) if self._plan.lead.kind == "wish" else ()
        return _words(said) if said else None

    def says(self) -> str | None:
        """A clause that says all of the lead that is drawn."""
        return self._english.clause(self.lead) if self.lead else None

    # -- what else is known

    def thing(self) -> str | None:
        """The item in one noun phrase, the lead in it: "a 1987 crime comedy by Joel Coen"."""
        known = [t for t in (self.lead, *self.rest) if t and not t.negated and not t.is_labelled]
        led = self.lead.values if self.lead in known and self.lead and self.lead.role == "kind" else ()
        kinds = (*led, *self._beside(2 - len(led))) if len(led) < 2 else led
        traits = [Trait("kind", "", kinds)] if kinds else []
        traits += [t for t in known if t.role != "kind" and (t is self.lead or self._english.chance(0.85))]
        return with_article(self._english.thing(traits)) if traits else None

    def _beside(self, most: int) -> tuple[str, ...]:
        """Some kinds that the lead does not say."""
        kinds = [v for t in self.rest if t.role == "kind" and not t.negated for v in t.values]
        return self._english.some(list(dict.fromkeys(kinds)), most)

    def this(self) -> str:
        """The item as a subject, by a kind that the lead does not say: "this comedy", "this one"."""
        kinds = self._beside(1)
        return f"this {self._english.kind(kinds)}" if kinds else "this one"

    def adds(self) -> str | None:
        """A predicate beside the lead: "is from 1987", "is a 1987 comedy"."""
        found = [p for t in self._told() if (p := self._predicate(t)) and not any(x.asked for x in t)]
        return self._english.one(found) if found else None

    def more(self) -> str | None:
        """One or two clauses beside the lead: "it's from 1987 and stars Tim Curry"."""
        clauses = [c for e in self._support if (c := self._other(e))]
        for traits in self._told():
            said = self._predicate(traits)
            clause = self._english.subject(said) if said else self._english.clause(traits[0])
            clauses.append(f"{clause}, as you asked" if any(t.asked for t in traits) else clause)
        return _joined(self._english.some(clauses)) if clauses else None

    def _told(self) -> list[tuple[Trait, ...]]:
        """What can be told beside the lead, trait by trait; of a kind and a year both at once, or one of them."""
        both = [t for t in self.rest if t.role in ("kind", "year") and not t.asked and not t.negated]
        if len({t.role for t in both}) < 2:
            return [(t,) for t in self.rest]
        chosen = both[:2] if self._english.chance(0.6) else both[:1] if self._english.chance(0.5) else both[1:2]
        return [tuple(chosen), *((t,) for t in self.rest if t not in both)]

    def _predicate(self, traits: Sequence[Trait]) -> str | None:
        few = [t if t.negated else replace(t, values=self._english.some(t.values)) for t in traits]
        return f"is {with_article(self._english.thing(few))}" if len(few) > 1 else self._english.predicate(few[0])

    def _other(self, evidence: Evidence) -> str | None:
        """A clause for a fact that is more than a trait; none that would name the lead's title twice."""
        if evidence.kind == "wish":
            return f"its description has your {_words(evidence.values)}"
        title = None if set(evidence.item_ids) & set(self._plan.lead.item_ids) else self._anchor(evidence)
        if title and evidence.kind == "behaviour":
            return f"{evidence.count} of the {evidence.total} other people who liked {title} liked it too"
        return None


def _beside(lead: Sequence[Trait], told: Iterable[Trait]) -> list[Trait]:
    """Traits less the values that were said before: by the lead, or of a condition that is met."""
    kept: list[Trait] = []
    for trait in told:
        said = {v for t in (*lead, *kept) if t.attribute == trait.attribute for v in t.values}
        if values := tuple(v for v in trait.values if v not in said):
            kept.append(replace(trait, values=values))
    return kept


def _words(words: Sequence[str]) -> str:
    return f"word{'s' * (len(words) > 1)} " + listed(f'"{w}"' for w in words)


def _joined(clauses: Sequence[str]) -> str:
    """Two clauses as one: "it's from 1987 and stars Tim Curry"; only the first where a frame would become a chain."""
    first, last = clauses[0], clauses[-1]
    shorter = re.sub(r"^it(?:'s| is) (?=directed by |by )|^it (?!is )", "", last)
    if first == last or shorter == last or not re.match(r"it\b", first):
        return first
    return f"{first}, and {shorter}" if first.endswith("asked") else f"{first} and {shorter}"
