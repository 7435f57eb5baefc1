"""What must be asked before a list can be made, where a language model says which words of a message are unclear.

The model only points at words; what they could mean is looked up in the catalogue, and the question is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.understanding.names import people_named
from agent.understanding.slots import UnfitAnswerError
from agent.understanding.surnames import MOST_NAMESAKES, as_choices
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
    works, people = works_called(unclear, catalogue), as_choices(people_named(key, catalogue), "==", catalogue)
    if len(works) == 1 or len(people) == 1:
        raise UnfitAnswerError(f"finds unclear what means one thing ({unclear[:40]})")
    if 1 < len(works) <= MOST_WORKS:
        return works
    return people if 1 < len(people) <= MOST_NAMESAKES else tuple(shown)
