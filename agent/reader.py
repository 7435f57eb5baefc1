"""Reads messages: by the catalogue's words, or with the language model filling in what a message changes.

What a message does (asks for a list, asks why, only thanks) and what it points at is read by words either way. Where a
list is wanted and the setting says so, the model fills in the changes of the intent under a grammar, or says which
words are unclear, and then it is asked what they mean. Where its answer cannot be used, the words count, and the reply
says so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.errors import InputError
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet
from agent.schema import Intent
from agent.settings import Understanding
from agent.understanding.asking import choices_for
from agent.understanding.briefing import brief, situation
from agent.understanding.dialogue import State, Turn, understand
from agent.understanding.filling import filled
from agent.understanding.intent import parse_intent
from agent.understanding.slots import UnfitAnswerError, read_changes, schema_of
from agent.workspace.catalogue import Catalogue

BY_WORDS, BY_MODEL = "by words", "by the model"
PROMPT = "intent"
MAX_TOKENS = 200  # of an answer; those in the prompt have at most 40


def with_intent(prompts: PromptSet) -> PromptSet:
    """The set to read messages with: this one, or "recommend" where this one has no prompt "intent"."""
    return prompts if PROMPT in prompts.names() else PromptSet.named("recommend")


@dataclass(frozen=True, slots=True)
class _Form:
    """What is the same for every message to one catalogue: the unchanging inputs of the prompt, and the grammar."""

    catalogue: Catalogue
    inputs: dict[str, Any]
    grammar: Any


class Reader:
    """Reads what people say to one agent. Threads may share it.

    Args:
        understanding: "words", "model", or "auto": the model where `Generator.fills_intents` says that it can.
        generator: the language model.
        prompts: the set in service, see `with_intent`.
        noun: what one item is called.
    """

    def __init__(
        self, understanding: Understanding, generator: Generator[Any, Any, Any], prompts: PromptSet, noun: str
    ) -> None:
        self.asks_model = understanding == "model" or (understanding == "auto" and generator.fills_intents)
        self._generator = generator
        self._prompts = with_intent(prompts)
        self._noun = noun
        self._form: _Form | None = None
        self._read: tuple[tuple[Message, ...], Any] | None = (
            None  # the beginning of the prompt, and what was read of it
        )
        self._lock = threading.Lock()

    def prepare(self, catalogue: Catalogue) -> None:
        """Make the grammar of a catalogue now, if one is needed at all. InputError when there can be none."""
        if self.asks_model:
            self._form_of(catalogue)

    def turn(self, text: str, state: State, catalogue: Catalogue) -> tuple[Turn, str]:
        """What a message of a conversation means, and how that was found out, in plain words."""
        turn = understand(text, state, catalogue)
        if turn.does != "list" or state.choices:  # what was just asked of, only the words know
            return turn, BY_WORDS
        return self._filled(text, state, catalogue, turn)

    def intent(self, text: str, catalogue: Catalogue) -> tuple[Intent, str]:
        """What a message alone asks for, and how that was found out."""
        by_words = Turn("list", parse_intent(text, catalogue))
        turn, how = self._filled(text, State(), catalogue, by_words)
        if turn.does == "ask":
            return by_words.intent, f"{BY_WORDS}, for the model would ask what is meant, and nobody can answer"
        return turn.intent, how

    def _filled(self, text: str, state: State, catalogue: Catalogue, by_words: Turn) -> tuple[Turn, str]:
        """The turn as the model fills it in, where it can: a list of something else, or a question that comes first."""
        if not self.asks_model or not text.strip():
            return by_words, BY_WORDS
        shown = state.lists[-1] if state.lists else ()
        try:
            answer = self._answer(text, state, catalogue)
            turn = replace(by_words, intent=filled(answer, text, state.intent, shown, catalogue))
            if unclear := read_changes(answer, catalogue).unclear:
                turn = replace(turn, does="ask", choices=choices_for(unclear, text, shown, catalogue))
            return turn, BY_MODEL
        except UnfitAnswerError as error:
            return by_words, f"{BY_WORDS}, for the model's answer {error}"
        except InputError as error:  # the prompt is longer than the model reads
            return by_words, f"{BY_WORDS}, for the model could not be asked: {error}"

    def _answer(self, text: str, state: State, catalogue: Catalogue) -> str:
        form = self._form_of(catalogue)
        told = {**form.inputs, **situation(text, state, catalogue)}
        messages = self._prompts.get(PROMPT).render(noun=self._noun, **told)
        prefix = self._prefix(messages)
        return self._generator.write_within(prefix, messages, form.grammar, max_tokens=MAX_TOKENS)

    def _prefix(self, messages: Sequence[Message]) -> Any:  # noqa: ANN401 - a generator's own kind of prefix
        """The prompt up to the first words of the assistant, which is read anew only where it has changed."""
        end = next(place for place, message in enumerate(messages, 1) if message.role == "assistant")
        beginning = tuple(messages[:end])
        read = self._read
        if read is None or read[0] != beginning:
            read = self._read = (beginning, self._generator.read(beginning))
        return read[1]

    def _form_of(self, catalogue: Catalogue) -> _Form:
        with self._lock:
            form = self._form
            if form is None or form.catalogue is not catalogue:
                form = _Form(catalogue, brief(catalogue), self._generator.grammar(schema_of(catalogue)))
                self._form = form
            return form
