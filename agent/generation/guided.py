"""Writing within a grammar: a language model fills a JSON schema and can write nothing else (llguidance).

llguidance says for each step which tokens keep the text within the grammar, and which ones are the only choice; those
are read together in one forward pass. Whitespace is fixed to that of `json.dumps`: where it is free, small models
write it without end, and where none is allowed, larger ones end their lists after one entry.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.extras import how_to_install

if TYPE_CHECKING:
    from agent.generation.local import Prefix

# No newlines or control characters inside strings: they could only be noise.
_LAYOUT = {
    "item_separator": ", ",
    "key_separator": ": ",
    "whitespace_flexible": False,
    "json_allowed_escapes": '"\\',
}


class Grammars:
    """Makes grammars of one model's tokens.

    Args:
        tokenizer: transformers' own fast tokenizer; it is copied, so it may serve other threads meanwhile.
        width: how many logits the model has.

    Raises:
        InputError: llguidance is not installed.
    """

    def __init__(self, tokenizer: Any, width: int) -> None:  # noqa: ANN401 - transformers' own
        try:
            import llguidance.hf
        except ImportError as error:
            raise InputError(
                "Understanding messages by the language model needs llguidance, which is not installed. Install it "
                f"with {how_to_install('grammar')}, or set understanding to 'words'."
            ) from error
        self._tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=width)

    def grammar(self, schema: Mapping[str, Any]) -> Grammar:
        """A JSON schema as a grammar: a space, then one JSON value. InputError when it cannot be made one."""
        from llguidance import LLMatcher

        said = json.dumps({**schema, "x-guidance": _LAYOUT})
        matcher = LLMatcher(self._tokens, f'start: " " value\nvalue: %json {said}')
        if matcher.is_error():
            raise InputError(
                f"The schema cannot be made a grammar: {matcher.get_error().splitlines()[0][:200]}. Set understanding "
                "to 'words', or give the catalogue fewer and shorter attributes."
            )
        return Grammar(matcher)


class Grammar:
    """A grammar, made once; `begin` gives a walk through it, and walks do not know of each other."""

    def __init__(self, start: Any) -> None:  # noqa: ANN401 - llguidance's own
        self._start = start
        self._lock = threading.Lock()

    def begin(self) -> Walk:
        """At its beginning."""
        with self._lock:
            return Walk(self._start.deep_copy())


class Walk:
    """How far a text has come in a grammar."""

    def __init__(self, matcher: Any) -> None:  # noqa: ANN401 - llguidance's own
        self._matcher = matcher

    @property
    def is_whole(self) -> bool:
        """Whether the text is complete, so that nothing may follow."""
        return bool(self._matcher.is_stopped())

    def best(self, logits: NDArray[np.float32]) -> int:
        """The likeliest token that stays within the grammar; logits is (width,)."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(bits, bitorder="little")[: len(logits)].astype(bool)
        return int(np.argmax(np.where(allowed, logits[: len(allowed)], -np.inf)))

    def advance(self, token: int) -> list[int]:
        """The token, and those after it that are the only choice."""
        self._matcher.consume_token(token)
        forced = [] if self.is_whole else [int(t) for t in self._matcher.compute_ff_tokens()]
        if forced:
            self._matcher.consume_tokens(forced)
        return [token, *forced]


def write_json(
    model: Any,  # noqa: ANN401 - transformers' own
    lock: threading.RLock,
    prefix: Prefix,
    more: Sequence[int],
    grammar: Grammar,
    max_tokens: int,
) -> list[int]:
    """The likeliest tokens within a grammar after a prefix and `more`; the prefix stays. Cut off at `max_tokens`."""
    import torch

    walk, written = grammar.begin(), list[int]()
    cache, hidden, unread = copy.deepcopy(prefix.cache), prefix.hidden, list(more)
    while True:
        with lock, torch.inference_mode():
            if unread:
                ids = torch.tensor([unread], device=hidden.device)
                output = model.model(ids, past_key_values=cache, use_cache=True)
                hidden, cache = output.last_hidden_state[:, -1], output.past_key_values
            logits = model.lm_head(hidden)[0].float().cpu().numpy()
        unread = walk.advance(walk.best(logits))
        written += unread
        if walk.is_whole or len(written) >= max_tokens:
            return written[:max_tokens]
