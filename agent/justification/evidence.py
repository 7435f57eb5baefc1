"""Facts about one recommendation, computed from the catalogue, the profile, the request and what other people liked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.justification.requested import answers
from agent.justification.themes import THEMES, themes_of
from agent.justification.wording import (
    is_year,
    kinds_listed,
    listed,
    number,
    quoted,
    role_of,
    sentence,
    source,
    spoken,
    stated,
    titled,
    verb_of,
    with_article,
    with_noun,
)
from agent.retrieval.transitions import Transitions
from agent.schema import Evidence, Intent, Item, Profile
from agent.workspace.catalogue import Catalogue

FEWEST_PEOPLE = 5  # a smaller count says little, and could point at a person
LEAST_LIFT = 1.2  # how much likelier than for everyone a liking must be to be worth telling
LEAST_SHARE = 0.15
ANCHORS = 30  # how many liked items are compared
TRIED = 20  # how many of them are left out to see what each does, the latest: older ones weigh a hundredth
LEAST_LIFTING = 0.1  # of the score that the most telling item of the history gave: less is no reason
NOTHING = 1e-6  # of a score: rounding

_DID = {"liked": "liked", "feedback": "liked here", "example": "named"}
_WHENCE = {"feedback": "what you said of it here"}
COMMON = 0.5  # a value of a larger share of the catalogue links nothing
NAMED = 3  # values of one attribute that a property names
SHARED_THEMES = 3  # items with which shared themes are told


@dataclass(frozen=True, slots=True)
class Facts:
    """What evidence is computed from, the same for all items of one list.

    `lifts` says by item how much score each item of the history or request gave it, where that was found out: then
    nothing is cited that did not lift the item, or not by a share of what did most. `said` are the items of which the
    person said here that they like them.
    """

    catalogue: Catalogue
    transitions: Transitions
    profile: Profile
    intent: Intent
    noun: str = "item"
    lifts: Mapping[str, Mapping[str, float]] | None = None
    said: frozenset[str] = frozenset()

    @property
    def liked(self) -> tuple[str, ...]:
        """What the person likes, most telling first: told in the request, then the most recent likes.

        The request is the later word: what it turns down is not liked, whatever the profile says.
        """
        before = self._known(reversed(self.profile.likes), (*self.profile.dislikes, *self.intent.dislikes))
        told = [i for i in self.intent.likes if i in self.intent.liked or i in before]
        return tuple(dict.fromkeys((*self._known(told, self.intent.dislikes), *before)))[:ANCHORS]

    @property
    def examples(self) -> tuple[str, ...]:
        """What the request names as an example of what is wanted, and nobody said is liked."""
        named = (i for i in self.intent.likes if i in self.intent.examples)
        return self._known(named, (*self.liked, *self.intent.dislikes))

    @property
    def told_here(self) -> frozenset[str]:
        """The liked items whose liking is known from feedback, and not only from the history or the request."""
        return self.said.intersection(self.profile.likes).difference(self.intent.likes)

    @property
    def watched(self) -> tuple[str, ...]:
        """What else the person met, the latest first: told in the request, then the rest of the history."""
        felt = (*self.liked, *self.examples, *self.profile.likes, *self.profile.dislikes, *self.intent.dislikes)
        told = (i for i in self.intent.likes if i in self.intent.met)
        met = dict.fromkeys((*told, *reversed(self.profile.history)))
        return self._known(met, felt)[:ANCHORS]

    @property
    def anchors(self) -> tuple[str, ...]:
        """What may be cited, the latest first: named in the request, then the end of the history."""
        recent = {i: place for place, i in enumerate(reversed(self.profile.history)) if i not in self.intent.likes}
        everything = (*self.examples, *self.liked, *self.watched)
        return tuple(sorted(everything, key=lambda i: recent.get(i, -1)))[:TRIED]

    def told_of(self, item: Item, anchors: Iterable[str]) -> list[str]:
        """Those of the anchors that may be cited for an item: no edition of itself, and only what speaks for it."""
        editions = self.catalogue.same_work(item.item_id)
        others = [i for i in anchors if i not in editions]
        if self.lifts is None:
            return others
        lift = self.lifts.get(item.item_id, {})
        least = LEAST_LIFTING * max(lift.values(), default=0.0)
        return [i for i in others if lift.get(i, 0.0) > max(least, NOTHING)]

    def _known(self, item_ids: Iterable[str], without: Iterable[str]) -> tuple[str, ...]:
        """The ids that the catalogue has, less every edition of what is left out."""
        gone = self.catalogue.editions(without)
        return tuple(i for i in item_ids if i in self.catalogue.position and i not in gone)


def gather(item: Item, facts: Facts) -> tuple[Evidence, ...]:
    """All evidence for one item, most telling first within each kind; never empty."""
    named, liked, watched = (facts.told_of(item, ids) for ids in (facts.examples, facts.liked, facts.watched))
    found = answers(item, facts.intent, facts.noun, facts.catalogue)
    here = [i for i in liked if i in facts.told_here]
    others = [i for i in liked if i not in facts.told_here]
    for kind, anchors in (("example", named), ("feedback", here), ("liked", others)):
        found += [*_shared(item, anchors, kind, facts), *_themes(item, anchors, kind, facts)]
    found += _behaviour(item, (*named, *liked, *watched), facts)
    found += [*_shared(item, watched, "watched", facts), *_themes(item, watched, "watched", facts)]
    found += _property(item, facts)
    found += _popular(item, facts) if found else []
    return tuple(found) or (_nearest(item, facts),)


def _shared(item: Item, anchors: Sequence[str], kind: str, facts: Facts) -> list[Evidence]:
    """What the item shares with each anchor; anchors that share the most and the rarest come first."""
    found: list[tuple[float, int, Evidence]] = []
    did = f"which you {_DID.get(kind) or verb_of(facts.noun)}"
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
            said = kinds_listed(common, name, facts.noun)
            text = f"Like {titled(anchor.title)}, {did}, {stated(name, said, facts.noun, likewise=True)}."
            weight = sum(1 / facts.catalogue.frequency(name, v) for v in common) * len(common)
            whence = "your request" if anchor_id in facts.intent.likes else _WHENCE.get(kind, "your history")
            evidence = Evidence(kind, text, (anchor_id,), name, common, source=source(name, beside=whence))
            found.append((-weight * 0.97**place, place, evidence))
    found.sort(key=lambda triple: triple[:2])
    return [evidence for _, _, evidence in found[:6]]


def _themes(item: Item, anchors: Sequence[str], kind: str, facts: Facts) -> list[Evidence]:
    """The themes that the item's text lists as does that of an anchor; who shares the most comes first."""
    did, own = f"which you {_DID.get(kind) or verb_of(facts.noun)}", themes_of(item)
    found = []
    for anchor_id in anchors if own else ():
        anchor = facts.catalogue.get(anchor_id)
        common = tuple(t for t in themes_of(anchor) if t in own)[:NAMED]
        if common:
            said = f"the theme{'s' * (len(common) > 1)} {listed(map(quoted, common))}"
            text = f"It shares {said} with {titled(anchor.title)}, {did}."
            whence = "your request" if anchor_id in facts.intent.likes else _WHENCE.get(kind, "your history")
            found.append(Evidence(kind, text, (anchor_id,), THEMES, common, source=source(THEMES, beside=whence)))
    return sorted(found, key=lambda e: -len(e.values))[:SHARED_THEMES]


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
        evidence = Evidence("behaviour", text, (anchor_id,), count=both, total=total, source="what other people liked")
        found.append((-both / total, evidence))
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
        said = with_noun(kinds_listed(values, kinds or "", facts.noun), facts.noun)
        when = f" from {year[1]}" if year else ""
        attribute = kinds if kinds is not None else year[0] if year else None
        everything = (*values, *([year[1]] if year else []))
        text, whence = f"It is {with_article(said)}{when}.", source(*filter(None, (kinds, year and year[0])))
        found.append(Evidence("property", text, attribute=attribute, values=everything, source=whence))
    for name in names:
        if role_of(name) != "kind":
            values = item.words(name)[:NAMED]
            text = sentence(stated(name, listed(spoken(v, name) for v in values)))
            found.append(Evidence("property", text, attribute=name, values=values, source=source(name)))
    if themes := themes_of(item)[:NAMED]:
        text = f"Its themes include {listed(map(quoted, themes))}."
        found.append(Evidence("property", text, attribute=THEMES, values=themes, source=source(THEMES)))
    return found


def _popular(item: Item, facts: Facts) -> list[Evidence]:
    """How many people chose it, where nobody's taste and no request is known: then that is why it comes."""
    chosen = int(facts.transitions.popularity[facts.catalogue.position[item.item_id]])
    people = len(facts.transitions.user_ids)
    if facts.profile.history or not facts.intent.is_empty or chosen < FEWEST_PEOPLE:
        return []
    text = f"{chosen} of the {people} people here chose it."
    return [Evidence("popular", text, count=chosen, total=people, source="what people chose")]


def _nearest(item: Item, facts: Facts) -> Evidence:
    """What is left to say where nothing is known of an item; it names the item, so that no two reasons are alike."""
    title = titled(item.title) or f"Number {titled(item.item_id)}"
    if facts.intent.wishes and item.text.strip():
        text = f"The description of {title} is among the closest to your request."
        return Evidence("nearest", text, source="the meaning of its description and of your request")
    if facts.profile.history and not facts.intent.wishes:
        return Evidence("nearest", f"{title} is among the closest to your history.", source="your history")
    chosen = int(facts.transitions.popularity[facts.catalogue.position[item.item_id]])
    if chosen >= FEWEST_PEOPLE:
        return Evidence("nearest", f"{chosen:,} people chose {title}.", count=chosen, source="what people chose")
    return Evidence("nearest", f"{title} is in this catalogue; nothing else is known to go by.", source="the catalogue")
