"""Messages to learn to read: a request in plain words, after another one or none, and what it changes as JSON.

The teacher is the vocabulary: what it reads in a request whose facts are known is what the model is to fill in. Only
what comes out the same when it is read back as an answer is learned, so nothing false is taught.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.generation.base import Message
from agent.generation.prompting import PromptSet
from agent.reader import PROMPT, with_intent
from agent.schema import Filter, Intent
from agent.understanding.briefing import brief, situation
from agent.understanding.dialogue import State
from agent.understanding.filling import filled
from agent.understanding.intent import follow_up, parse_intent
from agent.understanding.slots import BOUNDS, CHOICES, UnfitAnswerError
from agent.workspace.catalogue import Catalogue
from finetune.requests import write_request

SHARE_FOLLOWING = 0.5  # of the messages that come after another one
_BOUNDS = {op: field for field, op in BOUNDS.items()}
_CHOICES = {"==": "all_of", "in": "one_of", "!=": "none_of", "not in": "none_of"}


class Messages:
    """Draws messages with what they change, as `agent.reader` asks for it."""

    def __init__(self, catalogue: Catalogue, prompts: PromptSet, noun: str) -> None:
        self._catalogue, self._prompt, self._noun = catalogue, with_intent(prompts).get(PROMPT), noun
        self._told = brief(catalogue)

    def draw(self, wanted: NDArray[np.int64], random: np.random.Generator) -> tuple[tuple[Message, ...], str] | None:
        """The prompt for a message that asks for one of the wanted items, by position, and the answer to it.

        None when nothing could be written that is read back the same.
        """
        before = self._said(wanted, random) if random.random() < SHARE_FOLLOWING else None
        state = State() if before is None else State(intent=parse_intent(before, self._catalogue))
        text = self._said(wanted, random)
        if text is None:
            return None
        said = parse_intent(text, self._catalogue)
        answer = json.dumps(changes(said, self._catalogue), ensure_ascii=False)
        if not self._is_read_back(answer, text, state.intent, said):
            return None
        return self.prompt(text, state), answer

    def prompt(self, text: str, state: State) -> tuple[Message, ...]:
        """What the model is asked for a message."""
        told = {**self._told, **situation(text, state, self._catalogue)}
        return self._prompt.render(noun=self._noun, **told)

    def _said(self, wanted: NDArray[np.int64], random: np.random.Generator) -> str | None:
        item = self._catalogue.items[int(random.choice(wanted))]
        liked = [self._catalogue.ids[position] for position in wanted]
        written = write_request(item, self._catalogue, random, liked, self._noun)
        return None if written is None else written.text

    def _is_read_back(self, answer: str, text: str, before: Intent, said: Intent) -> bool:
        try:
            read = filled(answer, text, before, (), self._catalogue)
        except UnfitAnswerError:
            return False
        return _alike(read) == _alike(follow_up(before, said))


def changes(said: Intent, catalogue: Catalogue) -> dict[str, Any]:
    """What a message that was read by words asks for, in the fields of `agent.understanding.slots.Changes`."""
    fields: dict[str, Any] = {}
    for wish in said.filters:
        for field, value in _written(wish):
            known = fields.setdefault(field, {})
            if field in CHOICES:
                known.setdefault(wish.attribute, []).extend(value)
            else:
                known[wish.attribute] = value
    for field, ids in (("like", said.likes), ("unlike", said.dislikes)):
        if ids:
            fields[field] = [catalogue.get(item_id).title for item_id in ids]
    plain = {"wishes": said.wishes, "avoids": said.avoids, "count": said.n}
    return fields | {name: value for name, value in plain.items() if value}


def _written(wish: Filter) -> list[tuple[str, Any]]:
    """The fields that one condition fills, with what stands in them."""
    values = wish.value if isinstance(wish.value, tuple) else (wish.value,)
    if wish.op in _BOUNDS:
        return [(_BOUNDS[wish.op], wish.value)]
    if any(isinstance(value, int | float) for value in values):  # a number itself is a window of one
        return [("at_least", min(values)), ("at_most", max(values))]
    return [(_CHOICES[wish.op], list(values))]


def _alike(intent: Intent) -> Mapping[str, object]:
    """An intent without the order in which its conditions stand, and without what was said."""
    sides = {name: frozenset(getattr(intent, name).casefold().split()) for name in ("wishes", "avoids")}
    plain = replace(intent, text="", filters=(), wishes="", avoids="")
    return {"plain": plain, "filters": frozenset(intent.filters), **sides}
