"""Messages that cannot be answered before something is asked, to learn to point at the words that are unclear.

A surname of several people, a title of several works, a place of a list that nobody has shown: the teacher is again the
vocabulary (`agent.understanding.dialogue`), which knows when it must ask; only where it does, and where the answer is
read back to the same question, an example is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from agent.generation.base import Message
from agent.understanding.asking import choices_for
from agent.understanding.dialogue import State, understand
from agent.understanding.slots import UnfitAnswerError
from agent.understanding.surnames import MOST_NAMESAKES
from agent.understanding.unclear import MOST_WORKS, works_called
from agent.workspace.catalogue import Catalogue
from finetune.intents import Messages

SHARE_POINTING = 0.2  # of the examples, where there are names and titles to ask about
_NAMED = ("something with {}", "something by {}", "with {}, please", "a {} {noun}", "{noun}s by {}", "anything by {}?",
          "I'm in the mood for something by {}", "show me {}")  # fmt: skip
_TITLED = ("something like {}", "more like {}", "I liked {}", "I loved {}, what next?", "anything like {}?",
           "in the spirit of {}, please", "like {} but newer")  # fmt: skip
_POINTED = ("more like {}", "something like {}", "not {}", "{} was great, more like it", "like {}, but funnier")
_PLACES = ("the first", "the second", "the third one", "number 2", "number four", "the last one")


class Unclear:
    """Draws messages with the words that are unclear, as `agent.reader` asks for them; `messages` makes the prompt."""

    def __init__(self, catalogue: Catalogue, messages: Messages, noun: str) -> None:
        self._catalogue, self._messages, self._noun = catalogue, messages, noun
        self._asked = [*_names(catalogue), *_titles(catalogue)]

    def draw(self, random: np.random.Generator) -> tuple[tuple[Message, ...], str] | None:
        """The prompt for such a message and the answer to it; None when it is clear after all."""
        if self._asked and random.random() >= SHARE_POINTING:
            words, frames = self._asked[int(random.integers(len(self._asked)))]
        else:
            words, frames = _PLACES[int(random.integers(len(_PLACES)))], _POINTED
        text = frames[int(random.integers(len(frames)))].format(words, noun=self._noun)
        turn = understand(text, State(), self._catalogue)
        if turn.does != "ask":
            return None
        try:
            choices = choices_for(words, text, (), self._catalogue)
        except UnfitAnswerError:
            return None
        if set(choices) != set(turn.choices):
            return None
        return self._messages.prompt(text, State()), json.dumps({"unclear": words}, ensure_ascii=False)


def _names(catalogue: Catalogue) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Surnames of several people, as they write them, each with its frames."""
    for people in catalogue.surnames.values():
        names = {value for _, value in people}
        if 1 < len(names) <= MOST_NAMESAKES:
            yield min(names).split()[-1], _NAMED


def _titles(catalogue: Catalogue) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Titles of several works, without what tells them apart."""
    bare = dict.fromkeys(item.title.split(" (")[0] for item in catalogue.items)
    yield from ((title, _TITLED) for title in bare if 1 < len(works_called(title, catalogue)) <= MOST_WORKS)
