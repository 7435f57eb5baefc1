"""What an agent says where no new list is wanted: a question with choices, or the reasons of an item."""

from __future__ import annotations

from collections.abc import Sequence

from agent.schema import Filter, Recommendation
from agent.workspace.catalogue import Catalogue


def question(choices: Sequence[str | Filter], has_list: bool, noun: str, catalogue: Catalogue) -> str:
    """One short question: which of these item ids or people is meant, or what is wanted where nothing was shown yet."""
    if not choices:
        if has_list:
            return f"Which {noun} of the list do you mean?"
        return f"There is no list yet. Which {noun} do you mean, or what do you feel like?"
    names = [str(c.value) if isinstance(c, Filter) else catalogue.get(c).title for c in choices]
    told = "; ".join(f"{place}. {name}" for place, name in enumerate(names, 1))
    return f"Which one do you mean: {told}?"


def reasons(listed: Sequence[Recommendation]) -> str:
    """Why these are in the list: for each its reason, and every fact behind it."""
    told = []
    for one in listed:
        facts = [fact.text.strip().rstrip(".") for fact in one.evidence]
        known = f" What speaks for it: {'; '.join(facts)}." if facts else " No fact links it to what is known of you."
        told.append(f"{one.item.title}: {one.justification}".rstrip(": ") + "." * (not one.justification) + known)
    return "\n".join(told)


def again(listed: Sequence[Recommendation]) -> str:
    """The sentence over items that were shown before."""
    return "Here it is again." if len(listed) == 1 else "Here they are again."
