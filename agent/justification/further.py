"""What else speaks for an item, beside what its reason says: no title, name, number or kind of the reason once more."""

from __future__ import annotations

import re

from agent.justification.wording import spoken
from agent.schema import Evidence, Recommendation
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue

MOST = 3  # facts: more would be a list


def unsaid(one: Recommendation, catalogue: Catalogue) -> tuple[Evidence, ...]:
    """Up to MOST pieces of its evidence that say nothing of what the reason says, nor of one another."""
    told = YEAR_SUFFIX.sub("", one.justification).casefold()
    found: list[Evidence] = []
    # What links it to somebody or answers the request comes before what it is.
    for fact in sorted(one.evidence, key=lambda e: e.kind == "property"):
        names = [spoken(value, fact.attribute or "") for value in fact.values]
        names += [YEAR_SUFFIX.sub("", catalogue.get(i).title) for i in fact.item_ids if i in catalogue.position]
        if fact.text.casefold() in told or any(_within(name, told) for name in names):
            continue
        found.append(fact)
        told += f" {fact.text.casefold()}"
        if len(found) == MOST:
            break
    return tuple(found)


def _within(name: str, told: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", told) is not None
