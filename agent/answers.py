"""What an agent says where no new list is wanted: a question with choices, or the reasons of an item."""

from __future__ import annotations

from collections.abc import Sequence

from agent.justification.chinese import unsaid_in_chinese
from agent.justification.further import unsaid
from agent.schema import Filter, Recommendation, Reply
from agent.understanding.texts import TEXTS, Language
from agent.workspace.catalogue import Catalogue


def question(
    choices: Sequence[str | Filter], has_list: bool, noun: str, catalogue: Catalogue, language: Language = "en"
) -> str:
    """One short question: which of these item ids or people is meant, or what is wanted where nothing was shown yet."""
    texts = TEXTS[language]
    if not choices:
        return texts["which" if has_list else "which at all"].format(noun=noun)
    names = [str(c.value) if isinstance(c, Filter) else catalogue.get(c).title for c in choices]
    told = texts["semicolon"].join(f"{place}. {name}" for place, name in enumerate(names, 1))
    return texts["which of"].format(names=told)


def reasons(
    listed: Sequence[Recommendation],
    made: Sequence[Reply],
    catalogue: Catalogue,
    noun: str = "item",
    language: Language = "en",
) -> str:
    """What the reasons that stand beside these items do not say: what else speaks for each, and how it scored.

    `made` are the replies so far, the oldest first: the latest one that ranked an item tells how.
    """
    texts, told = TEXTS[language], []
    for one in listed:
        if language == "zh":
            facts = unsaid_in_chinese(one, noun, catalogue)
        else:
            facts = tuple(fact.text.strip() for fact in unsaid(one, catalogue))
        said = (*(facts or (texts["no more"],)), *_scored(one, made, language))
        told.append(texts["reasons of"].format(title=one.item.title, facts=texts["space"].join(said)))
    return "\n".join(told)


def _scored(one: Recommendation, made: Sequence[Reply], language: Language) -> tuple[str, ...]:
    """By which score it came how far, in words; nothing where no candidates were ranked."""
    ranked = (reply.candidates for reply in reversed(made) if one.item in (c.item for c in reply.candidates))
    candidates = next(ranked, ())
    scores = next((c.scores for c in candidates if c.item == one.item), {})
    if "retrieval" not in scores:
        return ()
    places = {
        name: 1 + sum(c.scores[name] > scores[name] for c in candidates) for name in ("final", "retrieval", "model")
    }
    texts = TEXTS[language]
    said = texts["scored"].format(n=len(candidates), **places)
    return (said, texts["varied"].format(rank=one.rank)) if places["final"] != one.rank else (said,)


def again(listed: Sequence[Recommendation], language: Language = "en") -> str:
    """The sentence over items that were shown before."""
    return TEXTS[language]["it again" if len(listed) == 1 else "they again"]
