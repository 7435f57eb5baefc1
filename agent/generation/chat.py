"""Messages to tokens: how a conversation stands before a language model, in serving and in training alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from agent.errors import InputError, PromptError
from agent.generation.base import Message


class Chat:
    """A tokenizer and its chat template, behind a lock: a fast tokenizer between threads gives silently wrong lengths.

    `end` is the token that ends a message.
    """

    def __init__(self, tokenizer: Any, lock: threading.RLock | None = None) -> None:  # noqa: ANN401 - transformers' own
        self._tokenizer = tokenizer
        self._lock = lock or threading.RLock()
        self.end = int(tokenizer.eos_token_id)

    def render(self, messages: Sequence[Message]) -> str:
        """The text of a conversation that ends with an open assistant message. PromptError when it does not."""
        *closed, last = messages
        if last.role != "assistant" or not last.content:
            raise PromptError(
                "A prompt must end with an open assistant message of at least one word, such as 'You should watch:'; "
                f"this one ends with {last.role}: {last.content[-40:]!r}. Titles are scored after that word."
            )
        return f"{self.opened(closed)}{last.content}"

    def opened(self, closed: Sequence[Message]) -> str:
        """The text of finished messages, up to where the assistant begins to speak."""
        chat = [{"role": m.role, "content": m.content} for m in closed]
        with self._lock:
            return str(self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    def encode(self, text: str) -> list[int]:
        """Its tokens, with none added."""
        with self._lock:
            return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]

    def title(self, title: str) -> list[int]:
        """A title as it stands after "...:" in the prompt: a space before it, the end mark after it."""
        return [*self.encode(f" {title}"), self.end]

    def decode(self, tokens: Sequence[int]) -> str:
        """Tokens as text, without special ones."""
        with self._lock:
            return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def continuation(self, prefix: str, messages: Sequence[Message]) -> str:
        """What a conversation adds to a rendered one, as text. InputError when it does not continue it."""
        *closed, last = messages
        text = f"{self.opened(closed)}{last.content}"
        if not text.startswith(prefix):
            raise InputError(
                "A branch does not continue the prefix that it was written for: "
                f"expected it to start with {prefix[-60:]!r}. Render both from the same prompt and inputs."
            )
        return text[len(prefix) :]
