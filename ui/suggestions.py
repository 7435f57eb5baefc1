"""What a person may say next, in their words, made from the list that they look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from agent.schema import Event, Reply
from agent.workspace.roles import is_year, role_of
from ui.messages import kind_said
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent

MOST = 6
MUCH = 0.5  # of a list: what so much of it has is worth turning down
_LONGEST = 48  # characters that still read well on a button
_MOODS = ("comedy", "thriller", "romance", "drama")  # kinds that a mood leans to


def suggestions(agent: Agent, reply: Reply, marked: Mapping[str, Event], words: Words = ENGLISH) -> tuple[str, ...]:
    """Up to six messages that go on from a list: a mood, newer or older, more like one, not what is much of it, a turn.

    Each is understood word by word: its years, titles and values are those of the catalogue.
    """
    if not reply.recommendations:
        return ()
    found = [_mood(agent, reply, words), *_years(agent, reply, words), _alike(reply, marked, words)]
    found += [_refusal(agent, reply, words), _surprise(agent, reply, words)]
    return tuple(text for text in dict.fromkeys(found) if text and len(text) <= _LONGEST)[:MOST]


def _mood(agent: Agent, reply: Reply, words: Words) -> str:
    """A mood that leans to a kind of the catalogue which was not asked for yet, and is not much of the list."""
    said = f"{reply.intent.text} {reply.intent.wishes}".casefold()
    kinds = {value for values in agent.catalogue.vocabulary.values() for value in values}
    kinds -= {value.casefold() for value in (*_wanted(reply), *_much(reply, _kind(agent)))}
    fresh = (kind for kind in _MOODS if kind in kinds and words(f"felt.{kind}") not in said)
    return next((words(f"say.{kind}") for kind in fresh), "")


def _years(agent: Agent, reply: Reply, words: Words) -> list[str]:
    name = next((a for a, kind in agent.catalogue.attribute_types.items() if kind == "number" and is_year(a)), None)
    years = [v for one in reply.recommendations if isinstance(v := one.item.attributes.get(name or ""), int | float)]
    if not years:
        return []
    middle = round(median(years))
    known = [v for c in reply.candidates if isinstance(v := c.item.attributes.get(name or ""), int | float)]
    newer = [words("say.newer", year=middle)] if any(year > middle for year in known) else []
    return newer + ([words("say.older", year=middle)] if any(year < middle for year in known) else [])


def _alike(reply: Reply, marked: Mapping[str, Event], words: Words) -> str:
    listed = [one.item for one in reply.recommendations if marked.get(one.item.item_id) != "dislike"]
    liked = [item for item in listed if marked.get(item.item_id) == "like"]
    return words("say.alike", title=words("say.title", title=(liked or listed)[0].title)) if listed else ""


def _refusal(agent: Agent, reply: Reply, words: Words) -> str:
    """Whoever made much of the list, or else the kind that much of it is of; nothing that was asked for."""
    for role in ("directed", "written", "by"):
        for name, kind in agent.catalogue.attribute_types.items():
            makers = _much(reply, name) if kind != "number" and role_of(name) == role else []
            makers = [maker for maker in makers if maker not in _wanted(reply)]
            if makers:
                return words(f"say.not_{role}", name=makers[0])
    kinds = [kind for kind in _much(reply, _kind(agent)) if kind not in _wanted(reply)]
    return words("say.not_kind", kind=kind_said(kinds[0], words)) if kinds else ""


def _wanted(reply: Reply) -> set[str]:
    """The values that the conditions name."""
    values = (f.value if isinstance(f.value, tuple) else (f.value,) for f in reply.intent.filters)
    return {str(value) for one in values for value in one}


def _much(reply: Reply, attribute: str) -> list[str]:
    """The values that at least two items and MUCH of the list have, the commonest first."""
    count = Counter(word for one in reply.recommendations for word in one.item.words(attribute))
    return [word for word, n in count.most_common() if n >= max(2, MUCH * len(reply.recommendations))]


def _surprise(agent: Agent, reply: Reply, words: Words) -> str:
    """A kind of which the list has none: another one after each turn, the same one for the same turn."""
    listed = {word for one in reply.recommendations for word in one.item.words(_kind(agent))}
    others = [word for word in agent.catalogue.vocabulary.get(_kind(agent), {}).values() if word not in listed]
    if not others:
        return ""
    return words("say.surprise", kind=kind_said(sorted(others)[int(reply.turn_id[:8], 16) % len(others)], words))


def _kind(agent: Agent) -> str:
    """The attribute that says of what kind an item is; empty where there is none."""
    return next((a for a, t in agent.catalogue.attribute_types.items() if t != "number" and role_of(a) == "kind"), "")
