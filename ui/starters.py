"""Messages that a newcomer can begin with, made from the catalogue, so that each of them finds something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agent.schema import AttributeType
from agent.understanding.intent import YEAR_ATTRIBUTES
from agent.workspace.roles import role_of
from ui.messages import kind_said, things, three
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent

_LONGEST = 48  # characters of a title that still reads well on a button


def starters(agent: Agent, words: Words = ENGLISH) -> list[str]:
    """Up to three messages: titles that many people know, a value of a list attribute, and a wish in plain words."""
    found = []
    if known := [words("say.title", title=title) for title in _well_known(agent)]:
        titles = words("say.and", first=known[0], second=known[1]) if len(known) > 1 else known[0]
        found.append(words("say.liked", titles=titles))
    types = agent.catalogue.attribute_types
    values = Counter(
        (name, word) for item in agent.catalogue.items for name in _kinds(types) for word in item.words(name)
    )
    has_years = any(types.get(name) == "number" for name in YEAR_ATTRIBUTES)
    if values:
        common, *rest = [kind_said(value.lower(), words) for (_, value), _ in values.most_common(2)]
        said = {"three": three(agent.noun, words), "kind": common, "things": things(agent.noun, words)}
        found.append(words("say.spared", **said, other=rest[0]) if rest else words("say.three", **said))
    found.append(words("say.mood_nineties" if has_years else "say.mood"))
    return found


def _well_known(agent: Agent) -> list[str]:
    """The two titles with the most interactions, if there are any."""
    columns = agent.workspace.store.interaction_columns()
    if not len(columns):
        return []
    counts = np.bincount(columns.items, minlength=len(columns.item_ids))
    order = np.argsort(-counts, kind="stable")
    titles = [agent.catalogue.get(columns.item_ids[p]).title for p in order[:20] if counts[p]]
    return [title for title in titles if len(title) <= _LONGEST][:2]


def _kinds(types: Mapping[str, AttributeType]) -> list[str]:
    """The list attributes that say of what kind an item is; all list attributes where none does."""
    lists = [name for name, kind in types.items() if kind == "list"]
    return [name for name in lists if role_of(name) == "kind"] or lists
