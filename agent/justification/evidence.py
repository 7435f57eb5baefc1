"""Facts about one recommendation, computed from the catalogue, the profile, the request and what other people liked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.justification.wording import listed, spoken, verb_of, with_article
from agent.retrieval.behaviour import Behaviour
from agent.schema import Evidence, Filter, Intent, Item, Profile
from agent.workspace.catalogue import Catalogue

FEWEST_PEOPLE = 5  # a smaller count says little, and could point at a person
LEAST_LIFT = 1.2  # how much likelier than for everyone a liking must be to be worth telling
LEAST_SHARE = 0.15
ANCHORS = 30  # how many liked items are compared


@dataclass(frozen=True, slots=True)
class Facts:
    """What evidence is computed from, the same for all items of one list."""

    catalogue: Catalogue
    behaviour: Behaviour
    profile: Profile
    intent: Intent
    noun: str = "item"

    @property
    def liked(self) -> tuple[str, ...]:
        """What the person likes, most telling first: named in the request, then the most recent likes."""
        known = dict.fromkeys((*self.intent.likes, *reversed(self.profile.likes)))
        return tuple(i for i in known if i in self.catalogue.position)[:ANCHORS]

    @property
    def watched(self) -> tuple[str, ...]:
        """The rest of the history, most recent first, without what the person disliked."""
        against = {*self.liked, *self.profile.dislikes, *self.intent.dislikes}
        return tuple(i for i in reversed(self.profile.history) if i not in against and i in self.catalogue.position)[
            :ANCHORS
        ]


def gather(item: Item, facts: Facts) -> tuple[Evidence, ...]:
    """All evidence for one item, most telling first within each kind; never empty."""
    found = [*_constraints(item, facts), *_wish(item, facts)]
    found += _shared(item, facts.liked, "liked", facts)
    found += _behaviour(item, facts)
    found += _shared(item, facts.watched, "watched", facts)
    found += _property(item, facts)
    return tuple(found) or (_nearest(facts),)


def _constraints(item: Item, facts: Facts) -> list[Evidence]:
    found = []
    filters = facts.intent.filters
    years = [f for f in filters if f.op in (">=", "<=", ">", "<")]
    for name in dict.fromkeys(f.attribute for f in years):
        value = item.attributes.get(name)
        if isinstance(value, int | float):
            found.append(
                Evidence(
                    "constraint", f"It is from {value:g}, as you asked." if "year" in name else f"Its {spoken(name)} is {value:g}, as you asked.",
                    attribute=name, values=(f"{value:g}",),
                )
            )  # fmt: skip
    for f in filters:
        found += _met_words(item, f, facts)
    return found


def _met_words(item: Item, f: Filter, facts: Facts) -> list[Evidence]:
    wanted = [v for v in (f.value if isinstance(f.value, tuple) else (f.value,)) if isinstance(v, str)]
    if f.op in ("==", "in"):
        met = tuple(v for v in wanted if v in item.words(f.attribute))
        if met:
            said = listed(spoken(v, f.attribute) for v in met)
            return [
                Evidence("constraint", f"You asked for {said}, and it is {said}.", attribute=f.attribute, values=met)
            ]
    if f.op in ("!=", "not in") and wanted:
        said = listed((spoken(v, f.attribute) for v in wanted), "or")
        text = f"It is not {said}, as you asked."
        return [Evidence("constraint", text, attribute=f.attribute, values=tuple(wanted), negated=True)]
    return []


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
    for place, anchor_id in enumerate(anchors):
        anchor = facts.catalogue.get(anchor_id)
        for name, type_ in facts.catalogue.attribute_types.items():
            common = tuple(v for v in item.words(name) if v in anchor.words(name)) if type_ != "number" else ()
            if not common:
                continue
            said = listed(spoken(v, name) for v in common)
            did = "which you liked" if kind == "liked" else f"which you {verb_of(facts.noun)}"
            phrase = f"it is {said} too" if _is_kind(name) else f"it has the {spoken(name)} {said} too"
            evidence = Evidence(kind, f"Like {anchor.title}, {did}, {phrase}.", (anchor_id,), name, common)
            weight = sum(1 / facts.catalogue.frequency(name, v) for v in common) * len(common)
            found.append((-weight * 0.97**place, place, evidence))
    found.sort(key=lambda triple: triple[:2])
    return [evidence for _, _, evidence in found[:6]]


def _behaviour(item: Item, facts: Facts) -> list[Evidence]:
    """Counts of people who like both, for the liked items where that is likelier than for everyone."""
    place = facts.catalogue.position[item.item_id]
    people = max(len(facts.behaviour.user_ids), 1)
    everyone = facts.behaviour.liked_both(place, place)[1] / people
    found: list[tuple[float, Evidence]] = []
    for anchor_id in (*facts.liked, *facts.watched):
        anchor = facts.catalogue.get(anchor_id)
        both, total = facts.behaviour.liked_both(facts.catalogue.position[anchor_id], place, facts.profile.user_id)
        if both < FEWEST_PEOPLE or total == 0 or both / total < max(LEAST_SHARE, LEAST_LIFT * everyone):
            continue
        text = f"{both} of the {total} other people who liked {anchor.title} liked it too."
        found.append((-both / total, Evidence("behaviour", text, (anchor_id,), count=both, total=total)))
    found.sort(key=lambda pair: pair[0])
    return [evidence for _, evidence in found[:6]]


def _property(item: Item, facts: Facts) -> list[Evidence]:
    """What kind of thing it is and from when, in one sentence."""
    kinds = next((n for n in facts.catalogue.attribute_types if _is_kind(n) and item.words(n)), None)
    year = next((f"{v:g}" for n, v in item.attributes.items() if "year" in n and isinstance(v, int | float)), None)
    found = []
    when = f" from {year}" if year else ""
    if kinds is not None:
        values = item.words(kinds)
        said = listed(spoken(v, kinds) for v in values)
        found.append(
            Evidence("property", f"It is {with_article(said)} {facts.noun}{when}.", attribute=kinds, values=(*values, *([year] if year else [])))
        )  # fmt: skip
    elif year:
        found.append(Evidence("property", f"It is {with_article(facts.noun)}{when}.", attribute="year", values=(year,)))
    for name, type_ in facts.catalogue.attribute_types.items():
        if type_ != "number" and name != kinds and item.words(name) and not _is_kind(name):
            said = listed(item.words(name)[:3])
            found.append(
                Evidence("property", f"Its {spoken(name)}: {said}.", attribute=name, values=item.words(name)[:3])
            )
    return found


def _nearest(facts: Facts) -> Evidence:
    if facts.intent.wishes:
        return Evidence("nearest", "Its description is among the closest to your request.")
    if facts.profile.history:
        return Evidence("nearest", "It is among the closest to your history.")
    return Evidence("nearest", "It is among the most chosen in this catalogue.")


def _is_kind(attribute: str) -> bool:
    """Whether the values say what a thing is ("a comedy"), rather than what it has ("by Ridley Scott")."""
    return attribute in {"genre", "genres", "category", "categories", "type", "types", "style", "styles"}
