"""A causal language model in this process (transformers, peft): reads, ranks, spells and writes."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from agent.errors import AdapterError, AssetError, InputError
from agent.generation.adapters import WEIGHTS, Adapter
from agent.generation.base import Branch, Message, Piece, TitleScores
from agent.generation.chat import Chat
from agent.generation.guided import Grammar, Grammars, write_json
from agent.generation.items import item_vectors, states_at
from agent.generation.trie import TokenTrie
from agent.generation.writing import Writers, Writing
from agent.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch

BEAM_WIDTH = 4  # beams per title wanted in `spell`
FILLING_PARAMETERS = 1_500_000_000  # from here on a model is trusted to fill in what a message asks for


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prompt that was read: its text and length, the key-value cache (batch of one) and the last hidden state.

    `length` counts tokens, and with them the items that were read after the text. `asked` is the state that tells which
    item is next, which may stand after fewer layers.
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
        adapter: a LoRA adapter, merged into the weights. One with item vectors lets the model read items.
    """

    def __init__(self, folder: Path, *, dtype: str = "auto", name: str = "", adapter: Adapter | None = None) -> None:
        import torch

        self.name = name or folder.name
        self.adapter = adapter.manifest.name if adapter else None
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model, tokenizer = load_merged(folder, adapter, dtype)
        self._dtype = model.dtype
        self._model = model.to(self._device).eval()
        self._items: Any = getattr(model, "items", None)
        self.reads_items = self._items is not None
        self._depth = adapter.manifest.shape.depth if adapter and adapter.manifest.shape else None
        self._window = adapter.manifest.window if adapter else 0
        self.writes_reasons = adapter is not None and adapter.manifest.writes
        self.measured_weight = adapter.manifest.model_weight if adapter else None
        large = sum(p.numel() for p in self._model.parameters()) >= FILLING_PARAMETERS
        self.fills_intents = large or (adapter is not None and adapter.manifest.fills)
        self._item_row = {key: row for row, key in enumerate(adapter.manifest.items)} if adapter else {}
        self._lock = threading.RLock()
        self._chat = Chat(tokenizer, self._lock)
        self._tokenizer = tokenizer
        self._grammars: Grammars | None = None
        self._writers = Writers(self._model, self._lock)
        self._context = int(getattr(model.config, "max_position_embeddings", 2048))

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
            output, states = states_at(self._model.model, self._depth, inputs_embeds=embedded, use_cache=True)
        end = output.last_hidden_state[:, -1]
        return Prefix(tuple(messages), text, embedded.shape[1], output.past_key_values, end, states[:, -1])

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
        width = BEAM_WIDTH * n
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
        self, prefix: Prefix, branches: Sequence[Branch], *, seed: int | None = None, max_tokens: int = 48
    ) -> Iterator[Piece]:
        """Write all branches side by side after the prefix: greedy without a seed, sampled with one.

        Whoever writes at the same time in another thread is written for in the same forward passes; what each writes is
        the same in any company. Yields after every step, so whoever closes the iterator stops the work within one step.
        """

        def start() -> Writing:
            texts = [self._chat.continuation(prefix.text, branch.messages) for branch in branches]
            return Writing(self._model, self._chat, prefix.cache, texts, branches, seed, max_tokens)

        if branches:
            yield from self._writers.write(start)

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
        return self._chat.decode(write_json(self._model, self._lock, prefix, more, grammar, max_tokens))


def load_model(folder: Path, dtype: str = "auto") -> tuple[Any, Any]:
    """The causal language model of a folder and its tokenizer, transformers' own; AssetError when they do not load."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=_choose_dtype(dtype, device), local_files_only=True, use_safetensors=True
            )
    except (OSError, ValueError) as error:
        raise AssetError(
            f"The language model in {folder} does not load: {error}. "
            "Remove that folder and run the command again to fetch it anew, or set VOUCHREC_MODEL to another model."
        ) from error
    return model, tokenizer


def load_merged(folder: Path, adapter: Adapter | None, dtype: str = "auto") -> tuple[Any, Any]:
    """`load_model` with an adapter merged into the weights; its item vectors, where it has some, are `model.items`.

    Raises:
        AdapterError: the adapter does not load on this model.
    """
    model, tokenizer = load_model(folder, dtype)
    return (model if adapter is None else _merged(model, adapter)), tokenizer


def _merged(model: Any, adapter: Adapter) -> Any:  # noqa: ANN401 - transformers' own classes
    """The model with the adapter in its weights, and with its item vectors, where it has some, as `model.items`."""
    from peft import PeftModel
    from safetensors import safe_open

    folder, shape = adapter.folder, adapter.manifest.shape
    try:
        if shape is not None:
            model.items = item_vectors(shape)
            with safe_open(folder / WEIGHTS, "pt") as file:
                if not any(".items." in name for name in file.keys()):  # noqa: SIM118 - it is no mapping
                    raise ValueError("it lacks the item vectors that its manifest speaks of")
        with quiet_transformers():
            merged = PeftModel.from_pretrained(model, str(folder), use_safetensors=True).merge_and_unload()
    except Exception as error:
        raise AdapterError(
            f"The adapter in {folder} does not load ({error}). Tune it again with `vouchrec finetune sft`, or take it "
            "out of service with `vouchrec adapters use base`."
        ) from error
    if shape is not None:
        merged.items.float()  # small, and what is read out of it is compared over a whole catalogue
    return merged


def _choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    import torch

    if dtype != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]
    fast = device.type == "cuda" or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32
