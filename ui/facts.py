"""The facts behind a list in the language of the page, where that is another than English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.justification.chinese import sentence
from agent.schema import Reply
from ui.words import Words

if TYPE_CHECKING:
    from agent import Agent


def facts_said(agent: Agent, reply: Reply, words: Words) -> Mapping[str, tuple[str, ...]]:
    """By item id each fact as a sentence; nothing for English, in which the evidence is written."""
    if words.language == "en":
        return {}
    return {
        one.item.item_id: tuple(sentence(fact, one.item, agent.noun, agent.catalogue) for fact in one.evidence)
        for one in reply.recommendations
    }
