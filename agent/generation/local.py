"""A causal language model in this process (transformers, peft): reads, ranks, spells and writes."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.generation.adapters import Adapter
from agent.generation.base import Branch, Message, Piece, TitleScores
from agent.generation.chat import Chat
from agent.generation.guided import Grammar, Grammars, write_json
from agent.generation.items import states_at
from agent.generation.loading import context_of, load_served
from agent.generation.measured import Measured
from agent.generation.trie import TokenTrie
from agent.generation.writing import Writers, Writing

if TYPE_CHECKING:
    import torch

BEAM_WIDTH = 4  # beams per title wanted in `spell`
FILLING_PARAMETERS = 1_500_000_000  # from here on a model is trusted to fill in what a message asks for


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prompt that was read: its text and length, the key-value cache (batch of one) and the last hidden state.

    `length` counts tokens, and with them the items that were read after the text. `asked` is the state that tells which
    item is next, which may stand after fewer layers. Where an adapter that ranks alone has read, there is no cache:
    the base model reads the text when it comes to words.
    """

    messages: tuple[Message, ...]
    text: str
    length: int
    cache: Any
    hidden: torch.Tensor
    asked: torch.Tensor


class LocalGenerator:
    """One model, one lock: safe to call from several threads, which then take turns step by step.

    Args:
        folder: a folder with safetensors weights and a tokenizer (see `agent.assets.language_model`).
        dtype: "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies it fast (AMX, CUDA), measured
            four times faster than float32 there at reading 700 tokens; float32 elsewhere, where it is the faster one.
        name: what replies call the model.
        adapter: a LoRA adapter, merged into the weights. One with item vectors lets the model read items, and one that
            has learned to rank alone leaves all words to the base model.
    """

    def __init__(self, folder: Path, *, dtype: str = "auto", name: str = "", adapter: Adapter | None = None) -> None:
        import torch

        self.name = name or folder.name
        self.adapter = adapter.manifest.name if adapter else None
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model, ranker, tokenizer = load_served(folder, adapter, dtype)
        self._dtype = model.dtype
        self._model, self._ranker = (each.to(self._device).eval() for each in (model, ranker))
        self._items: Any = getattr(ranker, "items", None)
        self.reads_items = self._items is not None
        self.ranks_alone = ranker is not model
        self._depth = adapter.manifest.shape.depth if adapter and adapter.manifest.shape and ranker is model else None
        self._window = adapter.manifest.window if adapter else 0
        self.writes_reasons = adapter is not None and adapter.manifest.writes
        self.measured = adapter.manifest.measured if adapter else Measured()
        large = sum(p.numel() for p in self._model.parameters()) >= FILLING_PARAMETERS
        self.fills_intents = large or (adapter is not None and adapter.manifest.fills)
        self._item_row = {key: row for row, key in enumerate(adapter.manifest.items)} if adapter else {}
        self._lock = threading.RLock()
        self._chat = Chat(tokenizer, self._lock)
        self._tokenizer = tokenizer
        self._grammars: Grammars | None = None
        self._writers = Writers(self._model, self._lock)
        self._context = context_of(model)

    # -- reading ------------------------------------------------------------------------------------------------

    def know(self, keys: Sequence[str], texts: NDArray[np.float32]) -> torch.Tensor:
        """The vectors (items, width) of a catalogue's items; new ones have theirs from their text vectors alone."""
        import torch

        rows = torch.tensor([self._item_row.get(key, -1) for key in keys], dtype=torch.long)
        with self._lock, torch.inference_mode():
            table = self._items.table(torch.from_numpy(texts).to(self._device), rows.to(self._device))
        return cast("torch.Tensor", table)

    def read(
        self,
        messages: Sequence[Message],
        items: torch.Tensor | None = None,
        history: NDArray[np.int64] | None = None,
    ) -> Prefix:
        """Read a prompt whose last message is an open assistant message. One forward pass.

        Args:
            messages: the prompt.
            items: what `know` gave, when a history is to be read after the text.
            history: positions in it, oldest first; the recent ones that it was tuned to read are read.
        """
        import torch

        text = self._chat.render(messages)
        ids = self._chat.encode(text)
        if len(ids) > self._context // 2:
            raise InputError(
                f"The prompt has {len(ids)} tokens; this model reads at most {self._context // 2} before it answers. "
                "Shorten the request, or lower history_in_prompt in the settings."
            )
        with self._lock, torch.inference_mode():
            embedded = self._model.get_input_embeddings()(torch.tensor([ids], device=self._device))
            if items is not None and history is not None:
                taken = self._items.read(items[torch.from_numpy(history[-self._window :]).to(self._device)])[None]
                embedded = torch.cat([embedded, taken.to(embedded.dtype)], 1)
            if self.ranks_alone and items is not None:
                end = asked = self._ranker.model(inputs_embeds=embedded, use_cache=False).last_hidden_state[:, -1]
                cache = None
            else:
                output, states = states_at(self._model.model, self._depth, inputs_embeds=embedded, use_cache=True)
                cache, end, asked = output.past_key_values, output.last_hidden_state[:, -1], states[:, -1]
        return Prefix(tuple(messages), text, embedded.shape[1], cache, end, asked)

    def _for_words(self, prefix: Prefix) -> Prefix:
        """The prefix with what words need of it, read now if it was read for ranking alone."""
        return prefix if prefix.cache is not None else self.read(prefix.messages)

    def count(self, messages: Sequence[Message]) -> int:
        """How many tokens a conversation with an open last message has, items not counted."""
        *closed, last = messages
        return len(self._chat.encode(f"{self._chat.opened(closed)}{last.content}"))

    # -- ranking ------------------------------------------------------------------------------------------------

    def next_items(self, prefix: Prefix, items: torch.Tensor) -> NDArray[np.float64]:
        """(items,): how likely each item of `know` is to be next, as logits; the whole catalogue at once."""
        import torch

        with self._lock, torch.inference_mode():
            logits = self._items.answer(prefix.asked, items)[0]
        return np.asarray(logits.double().cpu().numpy())

    def score(self, prefix: Prefix, titles: Sequence[str]) -> TitleScores:
        """The log-probability of every title in one forward pass, packed into one row under a block mask.

        Each title sees the prefix and itself, and its positions start where the prefix ends: the same numbers as one
        title at a time (a test holds 1e-3 in float32), without repeating the cache.
        """
        import torch

        if not titles:
            return TitleScores(np.zeros(0), np.zeros(0, dtype=np.int64))
        sequences = [self._chat.title(title) for title in titles]
        prefix = self._for_words(prefix)
        # The last token (the end mark) is only predicted, never read.
        fed = [token for sequence in sequences for token in sequence[:-1]]
        lengths = np.array([len(sequence) - 1 for sequence in sequences])
        owner = np.repeat(np.arange(len(sequences)), lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        offset = np.arange(len(fed)) - np.repeat(starts, lengths)
        with self._lock, torch.inference_mode():
            hidden = self._model.model(
                torch.tensor([fed], device=self._device),
                attention_mask=self._block_mask(owner, prefix.length),
                position_ids=torch.tensor(prefix.length + offset, device=self._device)[None],
                past_key_values=copy.deepcopy(prefix.cache),
            ).last_hidden_state[0]
            # Row 0 is the end of the prefix, which predicts every first token; row i + 1 is fed token i.
            states = torch.cat([prefix.hidden, hidden])
            rows = np.concatenate(
                [np.concatenate([[0], s + 1 + np.arange(n)]) for s, n in zip(starts, lengths, strict=True)]
            )
            wanted = torch.tensor([token for sequence in sequences for token in sequence], device=self._device)
            logits = self._model.lm_head(states).float()
            picked = logits[torch.tensor(rows, device=self._device), wanted] - torch.logsumexp(logits, -1)[rows]
        total = np.add.reduceat(picked.double().cpu().numpy(), starts + np.arange(len(starts)))
        return TitleScores(total, lengths + 1)

    def _block_mask(self, owner: NDArray[np.int64], prefix_length: int) -> torch.Tensor:
        import torch

        own = torch.tensor(owner, device=self._device)
        sees = (own[:, None] == own[None, :]).tril()
        mask = torch.zeros(1, 1, len(owner), prefix_length + len(owner), dtype=self._dtype, device=self._device)
        mask[0, 0, :, prefix_length:].masked_fill_(~sees, torch.finfo(self._dtype).min)
        return mask

    # -- spelling -----------------------------------------------------------------------------------------------

    def trie(self, titles: Sequence[str]) -> TokenTrie:
        """All titles of a catalogue as a trie of this model's tokens."""
        return TokenTrie.of([self._chat.title(title) for title in titles])

    def spell(self, prefix: Prefix, trie: TokenTrie, allowed: NDArray[np.bool_], n: int) -> list[tuple[int, float]]:
        """Beam search over the catalogue's trie: only allowed titles can be written, whatever the model prefers.

        Beams of one step have written equally many tokens, so their sums compare fairly; finished titles of different
        lengths are compared by their mean. Returns up to n (position, mean log-probability), best first.
        """
        import torch

        alive = trie.alive(allowed)
        if n <= 0 or not alive[0]:
            return []
        prefix, width = self._for_words(prefix), BEAM_WIDTH * n
        nodes, sums = np.zeros(1, dtype=np.int64), np.zeros(1)
        cache, hidden = copy.deepcopy(prefix.cache), prefix.hidden
        found: list[tuple[int, float]] = []
        for depth in range(1, 10_000):
            with self._lock, torch.inference_mode():
                logprobs = torch.log_softmax(self._model.lm_head(hidden).float(), -1).cpu().numpy()
            row, token, child = trie.children(nodes, alive)
            score = sums[row] + logprobs[row, token]
            ends = trie.is_leaf(child)
            for leaf, value in zip(child[ends], score[ends], strict=True):
                found += [(position, float(value) / depth) for position in trie.titles_at(int(leaf), allowed)]
            row, token, child, score = row[~ends], token[~ends], child[~ends], score[~ends]
            best = np.argsort(-score, kind="stable")[:width]
            if not len(best):
                break
            nodes, sums = child[best], score[best]
            with self._lock, torch.inference_mode():
                cache.batch_select_indices(torch.tensor(row[best], device=self._device))
                output = self._model.model(
                    torch.tensor(token[best], device=self._device)[:, None], past_key_values=cache, use_cache=True
                )
            hidden, cache = output.last_hidden_state[:, -1], output.past_key_values
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:n]

    # -- writing ------------------------------------------------------------------------------------------------

    def write(
        self, prefix: Prefix, branches: Sequence[Branch], *, seed: int | None = None, max_tokens: int = 96
    ) -> Iterator[Piece]:
        """Write all branches side by side after the prefix: greedy without a seed, sampled with one.

        Whoever writes at the same time in another thread is written for in the same forward passes; what each writes is
        the same in any company. Yields after every step, so whoever closes the iterator stops the work within one step.
        A branch that leaves nothing to choose comes first, and costs nothing.
        """
        forced = {row: branch.only for row, branch in enumerate(branches) if branch.only is not None}
        yield from (Piece(row, text, True) for row, text in forced.items())
        rows = [row for row in range(len(branches)) if row not in forced]

        def start() -> Writing:
            texts = [self._chat.continuation(prefix.text, branches[row].messages) for row in rows]
            cache, asked = self._for_words(prefix).cache, [branches[row] for row in rows]
            return Writing(self._model, self._chat, cache, texts, asked, seed, max_tokens)

        if rows:
            with closing(self._writers.write(start)) as pieces:
                for piece in pieces:
                    yield replace(piece, row=rows[piece.row])

    def grammar(self, schema: Mapping[str, Any]) -> Grammar:
        """A JSON schema as a grammar of this model's tokens; InputError where llguidance is not installed."""
        with self._lock:
            if self._grammars is None:
                self._grammars = Grammars(self._tokenizer, self._model.lm_head.weight.shape[0])
            return self._grammars.grammar(schema)

    def write_within(self, prefix: Prefix, messages: Sequence[Message], grammar: Grammar, *, max_tokens: int) -> str:
        """The likeliest JSON within a grammar, from a copy of the prefix's cache; see `Generator.write_within`."""
        more = self._chat.encode(self._chat.continuation(prefix.text, messages))
        if prefix.length + len(more) + max_tokens > self._context:
            raise InputError(
                f"The prompt has {prefix.length + len(more)} tokens and may take {max_tokens} to answer; this model "
                f"reads at most {self._context}. Shorten the message."
            )
        read = self._for_words(prefix)
        return self._chat.decode(write_json(self._model, self._lock, read, more, grammar, max_tokens))
