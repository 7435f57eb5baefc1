"""What a person may say next, in their words, made from the list that they look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from agent.schema import Event, Reply
from agent.workspace.roles import is_year, role_of

if TYPE_CHECKING:
    from agent import Agent

MOST = 6
_LONGEST = 48  # characters that still read well on a button
_MOODS = {"comedy": "Funnier", "thriller": "More suspenseful", "romance": "More romantic", "drama": "More serious"}


def suggestions(agent: Agent, reply: Reply, marked: Mapping[str, Event]) -> tuple[str, ...]:
    """Up to six messages that go on from a list: a mood, newer or older, more like one, not this one's maker, a turn.

    Each is understood word by word: its years, titles and values are those of the catalogue.
    """
    if not reply.recommendations:
        return ()
    found = [_mood(agent, reply), *_years(agent, reply), _alike(reply, marked), _refusal(agent, reply)]
    found.append(_surprise(agent, reply))
    return tuple(text for text in dict.fromkeys(found) if text and len(text) <= _LONGEST)[:MOST]


def _mood(agent: Agent, reply: Reply) -> str:
    """A mood that leans to a kind which the catalogue has and which was not asked for yet."""
    said = f"{reply.intent.text} {reply.intent.wishes}".casefold()
    kinds = {value for values in agent.catalogue.vocabulary.values() for value in values}
    fresh = (mood for kind, mood in _MOODS.items() if kind in kinds and mood.split()[-1].casefold() not in said)
    return next((mood for mood in fresh if not ("funn" in said and mood == "Funnier")), "")


def _years(agent: Agent, reply: Reply) -> list[str]:
    name = next((a for a, kind in agent.catalogue.attribute_types.items() if kind == "number" and is_year(a)), None)
    years = [v for one in reply.recommendations if isinstance(v := one.item.attributes.get(name or ""), int | float)]
    if not years:
        return []
    middle = round(median(years))
    known = [v for c in reply.candidates if isinstance(v := c.item.attributes.get(name or ""), int | float)]
    newer = [f"Newer than {middle}"] if any(year > middle for year in known) else []
    return newer + ([f"Older than {middle}"] if any(year < middle for year in known) else [])


def _alike(reply: Reply, marked: Mapping[str, Event]) -> str:
    listed = [one.item for one in reply.recommendations if marked.get(one.item.item_id) != "dislike"]
    liked = [item for item in listed if marked.get(item.item_id) == "like"]
    return f"More like {(liked or listed)[0].title}" if listed else ""


def _refusal(agent: Agent, reply: Reply) -> str:
    """Whoever made the first of the list, or else the kind that most of it is of."""
    for role in ("directed", "written", "by"):
        for name, kind in agent.catalogue.attribute_types.items():
            makers = reply.recommendations[0].item.words(name) if kind != "number" and role_of(name) == role else ()
            if makers:
                return f"Nothing by {makers[0]}"
    wanted = {
        str(value) for f in reply.intent.filters for value in (f.value if isinstance(f.value, tuple) else [f.value])
    }
    kinds = Counter(
        word for one in reply.recommendations for word in one.item.words(_kind(agent)) if word not in wanted
    )
    return f"No {kinds.most_common(1)[0][0]}" if kinds else ""


def _surprise(agent: Agent, reply: Reply) -> str:
    """A kind of which the list has none: another one after each turn, the same one for the same turn."""
    listed = {word for one in reply.recommendations for word in one.item.words(_kind(agent))}
    others = [word for word in agent.catalogue.vocabulary.get(_kind(agent), {}).values() if word not in listed]
    return f"Surprise me: {sorted(others)[int(reply.turn_id[:8], 16) % len(others)]}" if others else ""


def _kind(agent: Agent) -> str:
    """The attribute that says of what kind an item is; empty where there is none."""
    return next((a for a, t in agent.catalogue.attribute_types.items() if t != "number" and role_of(a) == "kind"), "")
