"""The facts behind a list in the language of the page, where that is another than English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.justification.chinese import sentence
from agent.schema import Evidence, Item, Reply
from ui.words import Words

if TYPE_CHECKING:
    from agent import Agent


def facts_said(agent: Agent, reply: Reply, words: Words) -> Mapping[str, tuple[str, ...]]:
    """By item id each fact as a sentence, or as it was written where it rests on an item that has left the catalogue.

    Nothing for English, in which the evidence is written.
    """
    if words.language == "en":
        return {}
    catalogue = agent.catalogue

    def said(fact: Evidence, item: Item) -> str:
        is_known = all(other in catalogue.position for other in fact.item_ids)
        return sentence(fact, item, agent.noun, catalogue) if is_known else fact.text

    return {one.item.item_id: tuple(said(fact, one.item) for fact in one.evidence) for one in reply.recommendations}
