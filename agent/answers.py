"""What an agent says where no new list is wanted: a question with choices, or the reasons of an item."""

from __future__ import annotations

from collections.abc import Sequence

from agent.justification.further import unsaid
from agent.schema import Filter, Recommendation, Reply
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


def reasons(listed: Sequence[Recommendation], made: Sequence[Reply], catalogue: Catalogue) -> str:
    """What the reasons that stand beside these items do not say: what else speaks for each, and how it scored.

    `made` are the replies so far, the oldest first: the latest one that ranked an item tells how.
    """
    told = []
    for one in listed:
        facts = [fact.text.strip() for fact in unsaid(one, catalogue)]
        if not facts:
            facts = ["The reason beside it is all that is known to speak for it."]
        told.append(f"{one.item.title}: {' '.join((*facts, *_scored(one, made)))}")
    return "\n".join(told)


def _scored(one: Recommendation, made: Sequence[Reply]) -> tuple[str, ...]:
    """By which score it came how far, in words; nothing where no candidates were ranked."""
    ranked = (reply.candidates for reply in reversed(made) if one.item in (c.item for c in reply.candidates))
    candidates = next(ranked, ())
    scores = next((c.scores for c in candidates if c.item == one.item), {})
    if "retrieval" not in scores:
        return ()
    places = {
        name: 1 + sum(c.scores[name] > scores[name] for c in candidates) for name in ("final", "retrieval", "model")
    }
    said = f"Of {len(candidates)} candidates it is number {places['final']} by score"
    said += f": number {places['retrieval']} by retrieval and {places['model']} by the language model."
    kept = f" Variety made it number {one.rank} of the list." if places["final"] != one.rank else ""
    return (said + kept,)


def again(listed: Sequence[Recommendation]) -> str:
    """The sentence over items that were shown before."""
    return "Here it is again." if len(listed) == 1 else "Here they are again."
