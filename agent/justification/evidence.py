"""Facts about one recommendation, computed from the catalogue, the profile, the request and what other people liked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.justification.wording import (
    is_year,
    listed,
    number,
    role_of,
    spoken,
    stated,
    titled,
    verb_of,
    with_article,
)
from agent.retrieval.transitions import Transitions
from agent.schema import Evidence, Filter, Intent, Item, Profile, matches
from agent.workspace.catalogue import Catalogue

FEWEST_PEOPLE = 5  # a smaller count says little, and could point at a person
LEAST_LIFT = 1.2  # how much likelier than for everyone a liking must be to be worth telling
LEAST_SHARE = 0.15
ANCHORS = 30  # how many liked items are compared
COMMON = 0.5  # a value of a larger share of the catalogue links nothing
NAMED = 3  # values of one attribute that a property names


@dataclass(frozen=True, slots=True)
class Facts:
    """What evidence is computed from, the same for all items of one list."""

    catalogue: Catalogue
    transitions: Transitions
    profile: Profile
    intent: Intent
    noun: str = "item"

    @property
    def liked(self) -> tuple[str, ...]:
        """What the person likes, most telling first: named in the request, then the most recent likes.

        The request is the later word: what it turns down is not liked, whatever the profile says.
        """
        before = self._known(reversed(self.profile.likes), (*self.profile.dislikes, *self.intent.dislikes))
        return tuple(dict.fromkeys((*self._known(self.intent.likes, self.intent.dislikes), *before)))[:ANCHORS]

    @property
    def watched(self) -> tuple[str, ...]:
        """The rest of the history, most recent first, without what the person likes or dislikes."""
        felt = (*self.profile.likes, *self.intent.likes, *self.profile.dislikes, *self.intent.dislikes)
        return self._known(reversed(self.profile.history), felt)[:ANCHORS]

    def _known(self, item_ids: Iterable[str], without: Iterable[str]) -> tuple[str, ...]:
        """The ids that the catalogue has, less every edition of what is left out."""
        gone = self.catalogue.editions(without)
        return tuple(i for i in item_ids if i in self.catalogue.position and i not in gone)


def gather(item: Item, facts: Facts) -> tuple[Evidence, ...]:
    """All evidence for one item, most telling first within each kind; never empty."""
    editions = facts.catalogue.same_work(item.item_id)
    liked = [i for i in facts.liked if i not in editions]
    watched = [i for i in facts.watched if i not in editions]
    found = [*_constraints(item, facts), *_wish(item, facts)]
    found += _shared(item, liked, "liked", facts)
    found += _behaviour(item, (*liked, *watched), facts)
    found += _shared(item, watched, "watched", facts)
    found += _property(item, facts)
    return tuple(found) or (_nearest(facts),)


def _constraints(item: Item, facts: Facts) -> list[Evidence]:
    """The conditions of the request that the item is known to meet, one sentence each."""
    met = [f for f in facts.intent.filters if matches(item, (f,))]
    positive = [f for f in met if f.op not in ("!=", "not in")]
    numbers = dict.fromkeys(f.attribute for f in positive if isinstance(item.attributes.get(f.attribute), int | float))
    found = [_met_number(name, item) for name in numbers]
    for f in met:
        found += _met_words(item, f, facts) if f in positive else _refused_words(item, f, facts)
    return found


def _met_number(name: str, item: Item) -> Evidence:
    said = number(float(item.words(name)[0]))
    text = f"It is from {said}, as you asked." if is_year(name) else f"Its {spoken(name)} is {said}, as you asked."
    return Evidence("constraint", text, attribute=name, values=(said,))


def _met_words(item: Item, f: Filter, facts: Facts) -> list[Evidence]:
    met = tuple(v for v in _words(f) if v in item.words(f.attribute))
    if not met or not isinstance(item.attributes[f.attribute], str | tuple):
        return []
    said = listed(spoken(v, f.attribute) for v in met)
    text = f"{_sentence(stated(f.attribute, said, facts.noun))[:-1]}, as you asked."
    return [Evidence("constraint", text, attribute=f.attribute, values=met)]


def _refused_words(item: Item, f: Filter, facts: Facts) -> list[Evidence]:
    """What the item is not; an item of which the attribute is unknown meets such a filter, but proves nothing."""
    refused = tuple(_words(f))
    if not refused or not item.words(f.attribute):
        return []
    said = listed((spoken(v, f.attribute) for v in refused), "or")
    text = f"{_sentence(stated(f.attribute, said, facts.noun, negated=True))[:-1]}, as you asked."
    return [Evidence("constraint", text, attribute=f.attribute, values=refused, negated=True)]


def _words(f: Filter) -> list[str]:
    return [v for v in (f.value if isinstance(f.value, tuple) else (f.value,)) if isinstance(v, str)]


def _wish(item: Item, facts: Facts) -> list[Evidence]:
    """Words of the request that stand in the item's own text; only words that say something (four letters or more)."""
    own = {w.casefold() for w in re.findall(r"[\w'-]{4,}", item.text)}
    met = tuple(w for w in dict.fromkeys(facts.intent.wishes.casefold().split()) if w in own)
    if not met:
        return []
    said = listed(f'"{w}"' for w in met)
    return [Evidence("wish", f"Its description has your word{'s' * (len(met) > 1)} {said}.", values=met)]


def _shared(item: Item, anchors: Sequence[str], kind: str, facts: Facts) -> list[Evidence]:
    """What the item shares with each anchor; anchors that share the most and the rarest come first."""
    found: list[tuple[float, int, Evidence]] = []
    did = "which you liked" if kind == "liked" else f"which you {verb_of(facts.noun)}"
    own = {
        name: [v for v in item.words(name) if facts.catalogue.frequency(name, v) <= COMMON * len(facts.catalogue)]
        for name, type_ in facts.catalogue.attribute_types.items()
        if type_ != "number"
    }
    for place, anchor_id in enumerate(anchors):
        anchor = facts.catalogue.get(anchor_id)
        for name, values in own.items():
            common = tuple(v for v in values if v in anchor.words(name))
            if not common:
                continue
            said = listed(spoken(v, name) for v in common)
            text = f"Like {titled(anchor.title)}, {did}, {stated(name, said, facts.noun, likewise=True)}."
            weight = sum(1 / facts.catalogue.frequency(name, v) for v in common) * len(common)
            found.append((-weight * 0.97**place, place, Evidence(kind, text, (anchor_id,), name, common)))
    found.sort(key=lambda triple: triple[:2])
    return [evidence for _, _, evidence in found[:6]]


def _behaviour(item: Item, anchors: Sequence[str], facts: Facts) -> list[Evidence]:
    """Counts of other people who like both, for the anchors where that is likelier than for everyone."""
    place = facts.catalogue.position[item.item_id]
    people = max(len(facts.transitions.user_ids), 1)
    everyone = facts.transitions.liked_both(place, place)[1] / people
    found: list[tuple[float, Evidence]] = []
    for anchor_id in anchors:
        anchor = facts.catalogue.get(anchor_id)
        both, total = facts.transitions.liked_both(facts.catalogue.position[anchor_id], place, facts.profile.user_id)
        if both < FEWEST_PEOPLE or both / total < max(LEAST_SHARE, LEAST_LIFT * everyone):
            continue
        text = f"{both} of the {total} other people who liked {titled(anchor.title)} liked it too."
        found.append((-both / total, Evidence("behaviour", text, (anchor_id,), count=both, total=total)))
    found.sort(key=lambda pair: pair[0])
    return [evidence for _, evidence in found[:6]]


def _property(item: Item, facts: Facts) -> list[Evidence]:
    """What kind of thing it is and from when, in one sentence; then one sentence for each other attribute of words."""
    types = facts.catalogue.attribute_types
    names = [n for n, type_ in types.items() if type_ != "number" and item.words(n)]
    kinds = next((n for n in names if role_of(n) == "kind"), None)
    years = ((n, v) for n, v in item.attributes.items() if is_year(n) and isinstance(v, int | float))
    year = next(((n, number(v)) for n, v in years), None)
    found = []
    if kinds is not None or year is not None:
        values = item.words(kinds) if kinds is not None else ()
        said = " ".join(filter(None, (listed(spoken(v, kinds or "") for v in values), facts.noun)))
        when = f" from {year[1]}" if year else ""
        attribute = kinds if kinds is not None else year[0] if year else None
        everything = (*values, *([year[1]] if year else []))
        found.append(Evidence("property", f"It is {with_article(said)}{when}.", attribute=attribute, values=everything))
    for name in names:
        if role_of(name) != "kind":
            values = item.words(name)[:NAMED]
            text = _sentence(stated(name, listed(spoken(v, name) for v in values)))
            found.append(Evidence("property", text, attribute=name, values=values))
    return found


def _nearest(facts: Facts) -> Evidence:
    if facts.intent.wishes:
        return Evidence("nearest", "Its description is among the closest to your request.")
    if facts.profile.history:
        return Evidence("nearest", "It is among the closest to your history.")
    return Evidence("nearest", "It is among the most chosen in this catalogue.")


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."
