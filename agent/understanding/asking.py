"""What must be asked before a list can be made, where a language model says which words of a message are unclear.

The model only points at words; what they could mean is looked up in the catalogue, and the question is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.schema import Filter
from agent.understanding.names import people_named
from agent.understanding.slots import UnfitAnswerError
from agent.understanding.surnames import MOST_NAMESAKES
from agent.understanding.unclear import MOST_WORKS, Choice, works_called
from agent.workspace.catalogue import Catalogue, phrase_key


def choices_for(unclear: str, text: str, shown: Sequence[str], catalogue: Catalogue) -> tuple[Choice, ...]:
    """What these words of a message could mean: works of that title, people of that name, else the list last shown.

    Raises:
        UnfitAnswerError: the message does not say them, or they mean one thing alone.
    """
    key = phrase_key(unclear)
    if not key or f" {key} " not in f" {phrase_key(text)} ":
        raise UnfitAnswerError(f"finds unclear what was not said ({unclear[:40]})")
    works, people = works_called(unclear, catalogue), _people(key, catalogue)
    if len(works) == 1 or len(people) == 1:
        raise UnfitAnswerError(f"finds unclear what means one thing ({unclear[:40]})")
    if 1 < len(works) <= MOST_WORKS:
        return works
    return people if 1 < len(people) <= MOST_NAMESAKES else tuple(shown)


def _people(key: str, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Each of the people of this name once, by what they did in most items; who is in most of all first."""
    often: dict[str, list[tuple[int, str]]] = {}
    for attribute, value in people_named(key, catalogue):
        often.setdefault(value, []).append((catalogue.frequency(attribute, value), attribute))
    order = sorted(often, key=lambda value: (-sum(n for n, _ in often[value]), value))
    return tuple(Filter(max(often[value])[1], "==", value) for value in order)
