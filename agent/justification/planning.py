"""What each reason of a list rests on: what is particular before what is general, and no list with one tune."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.justification.sentences import cut, description, joined, opening, summary
from agent.justification.themes import THEMES
from agent.justification.wording import is_year, role_of, titled
from agent.schema import Evidence, Item
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import PEOPLE

_OF_REQUEST = ("constraint", "wish")
# How little a fact says, 0 for the most telling. Of links and conditions by what they are of; see `_cost`.
_COSTS = {"behaviour": 4, "popular": 5, "nearest": 14}
_THEMES, _ON_CARD = 6, 10  # what stands on its card already says less than what does not
_REFUSED = 12  # what an item is not, most items can say
_TUNE, _ANCHOR = 2, 3  # what it costs to sound like, or to lean on the same as, an earlier reason of the list
_AGAIN = 4  # what it costs to say a sentence once more
_CHOICE, _CLOSE = 3, 4  # so many facts of nearly the same worth are for the model to choose from
_ACKNOWLEDGED = 2  # what it is worth that a reason of something else tells of the request, too


@dataclass(frozen=True, slots=True)
class Plan:
    """What one justification will rest on: `lead` opens it, `facts` are what the model is told, all is true.

    The model goes on after `opener` with one of `endings`; without an opener there are none.
    """

    item: Item
    lead: Evidence
    facts: tuple[Evidence, ...]
    everything: tuple[Evidence, ...]
    opener: str
    endings: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there is anything for the model to choose."""
        return len(self.endings) > 1

    @property
    def plain(self) -> str:
        """The justification that needs no model."""
        return f"{self.opener} {self.endings[0]}" if self.endings else self._bare

    @property
    def _bare(self) -> str:
        return " ".join(e.text for e in self.facts[:2])

    def plains(self) -> Iterator[str]:
        """`plain`, and what may take its place where another reason says the same: with a further fact."""
        yield from (f"{self.opener} {ending}" for ending in self.endings)
        yield self._bare
        others = [e for e in self.everything if e not in self.facts and e.attribute != self.lead.attribute]
        yield from (f"{self.lead.text} {e.text}" for e in (*self.facts[2:], *others))

    def naming(self) -> Iterator[str]:
        """Plain reasons that name the item: what is left where all that is known of two items is the same."""
        title = titled(self.item.title)
        for name in (title, f'"{title}"'):  # a title such as "Two" is one in quotation marks only
            yield from (_naming(e.text, name) for e in (*self.facts, *self.everything))


def _naming(fact: str, title: str) -> str:
    """The fact with the item's title for "it", so that it can be said of no other item."""
    owned = re.fullmatch(r"Its (.+?) (?:is|are|includes?) (.+)", fact)
    return f"{title} has the {owned[1]} {owned[2]}" if owned else re.sub(r"\b[Ii]t\b", lambda _: title, fact, count=1)


def plan_list(
    items: Sequence[Item], gathered: Sequence[Sequence[Evidence]], noun: str, catalogue: Catalogue, before: int = 0
) -> list[Plan]:
    """One plan an item; neither what leads nor whom it leans on is the same twice where that can be helped.

    `before` says how many places the list goes on after, so that "more" does not begin with the same forms again.
    """
    used: Counter[tuple[str, ...]] = Counter()
    return [
        _planned(row, item, evidence, used, noun, catalogue)
        for row, (item, evidence) in enumerate(zip(items, gathered, strict=True), before)
    ]


def _planned(
    row: int, item: Item, evidence: Sequence[Evidence], used: Counter[tuple[str, ...]], noun: str, catalogue: Catalogue
) -> Plan:
    dated = next((e for e in evidence if e.kind == "constraint" and is_year(e.attribute or "")), None)
    leads = [e for e in evidence if not _is_said_with_kind(e, dated, evidence)]
    lead = min(leads, key=lambda e: (_cost(e, used), evidence.index(e)))
    _note(lead, used)
    seconds = sorted(
        (e for e in leads if _adds(e, lead)), key=lambda e: (_second_cost(e, lead, used), evidence.index(e))
    )
    chosen = [
        e for e in seconds[:_CHOICE] if _second_cost(e, lead, used) <= _second_cost(seconds[0], lead, used) + _CLOSE
    ]
    if chosen:
        _note(chosen[0], used)
    whole = description([e for e in evidence if e.kind == "property"], frozenset(), noun) if _describes(lead) else ""
    opener, first = cut(whole) if whole else opening(lead, dated, row, noun, catalogue)
    facts = list(dict.fromkeys((lead, *chosen, *_companions(lead, chosen, dated, evidence))))
    told = [_told(e, lead, dated, evidence, noun) for e in chosen]
    endings = tuple(dict.fromkeys(one for second in told for one in joined(opener, first, second, row))) or (first,)
    return Plan(item, lead, tuple(facts), tuple(evidence), opener, endings if opener else ())


def _companions(
    lead: Evidence, chosen: Sequence[Evidence], dated: Evidence | None, evidence: Sequence[Evidence]
) -> Iterator[Evidence]:
    """What sentences say beside the fact that they are of: a decade with a kind, all of a description."""
    said = (lead, *chosen)
    if dated is not None and any(e.kind == "constraint" and role_of(e.attribute or "") == "kind" for e in said):
        yield dated
    if any(e.kind == "property" for e in said):
        yield from (e for e in evidence if e.kind == "property" and e.attribute != THEMES)


def _told(e: Evidence, lead: Evidence, dated: Evidence | None, evidence: Sequence[Evidence], noun: str) -> str:
    """The second sentence."""
    if e.kind == "constraint":
        return summary(e, dated, noun)
    if _describes(e):
        told, named = frozenset(filter(None, (lead.attribute,))), frozenset(lead.values)
        return description([p for p in evidence if p.kind == "property"], told, noun, named) or e.text
    return e.text


def _is_said_with_kind(e: Evidence, dated: Evidence | None, evidence: Sequence[Evidence]) -> bool:
    """Whether a year that was asked for is said with the kind that was: "a 90s thriller"."""
    kinds = (role_of(e.attribute or "") == "kind" and e.kind == "constraint" and not e.negated for e in evidence)
    return e is dated and any(kinds)


def _describes(e: Evidence) -> bool:
    return e.kind == "property" and e.attribute != THEMES


def _adds(e: Evidence, lead: Evidence) -> bool:
    """Whether a fact says something beside the lead: not the same of the same, nor its kind once more."""
    if e is lead or e.text == lead.text or e.kind == lead.kind == "behaviour":
        return False
    if _describes(lead):  # which names kinds, makers and stars
        return not (
            _describes(e) or role_of(e.attribute or "") in ("kind", *(PEOPLE if e.kind == "constraint" else ()))
        )
    if _describes(e):
        return e.attribute != lead.attribute
    told = {value.casefold() for value in lead.values}
    again = not told.isdisjoint(value.casefold() for value in e.values)
    return not again and (e.attribute != lead.attribute or role_of(e.attribute or "") != "kind" or not lead.attribute)


def _note(e: Evidence, used: Counter[tuple[str, ...]]) -> None:
    used.update([_tune(e), (e.text,), *([e.item_ids] if e.item_ids else [])])


def _tune(e: Evidence) -> tuple[str, str]:
    """What a fact sounds like: what it is of, and which attribute tells it."""
    return e.kind, "" if e.kind == "behaviour" else role_of(e.attribute or "") if e.attribute != THEMES else THEMES


def _second_cost(e: Evidence, lead: Evidence, used: Counter[tuple[str, ...]]) -> int:
    answers = e.kind == "constraint" and not e.negated and lead.kind not in _OF_REQUEST
    alike = bool(e.item_ids) and (e.item_ids == lead.item_ids or _tune(e)[1] == _tune(lead)[1])
    return _cost(e, used) - _ACKNOWLEDGED * answers + _ANCHOR * alike


def _cost(e: Evidence, used: Counter[tuple[str, ...]]) -> int:
    """How little a fact says, and how much it would repeat what the list has said."""
    return (
        _alone(e)
        + _TUNE * used[_tune(e)]
        + _AGAIN * used[(e.text,)]
        + (_ANCHOR * used[e.item_ids] if e.item_ids else 0)
    )


def _alone(e: Evidence) -> int:
    """How little a fact says by itself."""
    attribute, role = e.attribute or "", role_of(e.attribute or "")
    if e.kind in _COSTS:
        return _COSTS[e.kind]
    if e.kind == "constraint":
        return _REFUSED if e.negated else 5 if role == "kind" else 7 if is_year(attribute) else 2
    if e.kind == "wish":
        return 0 if attribute == THEMES else 3 if attribute else 2 if any(" " in v for v in e.values) else 5
    if e.kind == "property":
        return _THEMES if attribute == THEMES else _ON_CARD + (role not in PEOPLE)
    shared = {"directed": 0, "kind": 12 - 2 * min(len(e.values), 3), "place": 8, "language": 8}
    return shared.get(role, 1 if role in PEOPLE else 2 if attribute == THEMES else 4) + 3 * (e.kind == "watched")
