"""Branches of a prefix packed into one row, and the rows of several requests in one forward pass.

All of a transformer but its attention treats every token by itself, so the tokens of several requests can go through
it together. On a processor that costs little more than those of one request do: the weights are read once for all.
Attention stays each request's own, over its own keys and values, so no request can see another, nothing is padded, and
a request that leaves takes nothing with it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import Cache

ATTENTION = "each_its_own"  # under which name transformers finds `_attend`
LEAST = 33
"""Tokens in a pass in bfloat16, at least; the rest are blank. From so many on, a matrix product gives a row the same
bits however many others there are, so that what is written does not depend on who else writes (benchmarks/batching.py
measures it). In float32 the bits may differ, by so little that no word does, and blanks would cost much."""
_PREFIX = -1  # the owner of what all branches see


class Packed:
    """Keys and values of a prefix and of its branches: each token sees the prefix and its own branch, nothing else.

    Args:
        prefix: the cache of the prefix, a batch of one; it is copied.
        room: how many tokens the branches will add at most.
    """

    def __init__(self, prefix: Cache, room: int) -> None:
        import torch

        length = prefix.get_seq_length()
        self._layers = [(_with_room(one.keys, room), _with_room(one.values, room)) for one in prefix.layers]
        keys = self._layers[0][0]
        self._owner = torch.full((length + room,), _PREFIX, device=keys.device)
        self._prefix = self._used = length
        self._ends: dict[int, int] = {}  # by branch, the position of its next token

    def place(self, branches: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Where the next tokens of these branches stand: positions (tokens,) and an additive mask (tokens, columns).

        They count as read once `keep` was called; until then they can be placed again.
        """
        import torch

        ends, positions = dict(self._ends), []
        for branch in branches:
            positions.append(ends.setdefault(branch, self._prefix))
            ends[branch] += 1
        keys = self._layers[0][0]
        own = torch.tensor(branches, device=keys.device)
        columns = torch.arange(self._used + len(branches), device=keys.device)
        self._owner[self._used : len(columns)] = own
        owner = self._owner[: len(columns)]
        sees = (owner == _PREFIX) | (owner == own[:, None]) & (columns <= columns[self._used :, None])
        mask = torch.zeros(sees.shape, dtype=keys.dtype, device=keys.device)
        return torch.tensor(positions, device=keys.device), mask.masked_fill_(~sees, torch.finfo(keys.dtype).min)

    def put(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Set the keys and values of the tokens that were placed; gives those of all columns, theirs included."""
        end = self._used + keys.shape[2]
        kept_keys, kept_values = self._layers[layer]
        kept_keys[:, :, self._used : end], kept_values[:, :, self._used : end] = keys, values
        return kept_keys[:, :, :end], kept_values[:, :, :end]

    def keep(self, branches: Sequence[int]) -> None:
        """The tokens that were placed have been read in all layers."""
        self._used += len(branches)
        for branch in branches:
            self._ends[branch] = self._ends.get(branch, self._prefix) + 1


def _with_room(kept: Tensor, room: int) -> Tensor:
    batch, heads, length, width = kept.shape
    roomy = kept.new_empty(batch, heads, length + room, width)
    roomy[:, :, :length] = kept
    return roomy


@dataclass(frozen=True, slots=True)
class Fed:
    """What one request gives a pass: tokens, and of each the branch it belongs to, in the order of reading."""

    packed: Packed
    tokens: Sequence[int]
    branches: Sequence[int]


def read_together(model: Any, fed: Sequence[Fed]) -> list[Tensor]:  # noqa: ANN401 - transformers' own classes
    """One forward pass for all of them: the last hidden states of each one's tokens, (tokens, width).

    Either all of them have been read afterwards, or, where it raises, none has.
    """
    import torch

    placed = [one.packed.place(one.branches) for one in fed]
    counts = [len(one.tokens) for one in fed]
    blank = max(0, LEAST - sum(counts)) if model.dtype == torch.bfloat16 else 0
    tokens = torch.tensor([t for one in fed for t in one.tokens] + [0] * blank, device=model.device)
    positions = torch.cat([*(positions for positions, _ in placed), tokens.new_zeros(blank)])
    side_by_side = _SideBySide([one.packed for one in fed], counts, [mask for _, mask in placed])
    with _attention_apart(model):
        states = model.model(tokens[None], position_ids=positions[None], past_key_values=side_by_side, use_cache=True)
    for one in fed:
        one.packed.keep(one.branches)
    return list(states.last_hidden_state[0, : sum(counts)].split(counts))


@dataclass(frozen=True, slots=True)
class _Part:
    """One request's tokens of the row, from `start` up to `end`, and what they attend to."""

    start: int
    end: int
    keys: Tensor
    values: Tensor
    mask: Tensor


class _SideBySide:
    """The caches of several requests, as transformers asks for one, for a row that holds the tokens of all."""

    def __init__(self, packed: Sequence[Packed], counts: Sequence[int], masks: Sequence[Tensor]) -> None:
        self._packed, self._masks = packed, masks
        self._spans = list(pairwise(accumulate(counts, initial=0)))

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: object
    ) -> tuple[list[_Part], list[_Part]]:
        """What `_attend` gets as its keys and as its values: for each request its part of the row."""
        parts = []
        for packed, (start, end), mask in zip(self._packed, self._spans, self._masks, strict=True):
            keys, values = packed.put(layer_idx, key_states[:, :, start:end], value_states[:, :, start:end])
            parts.append(_Part(start, end, keys, values, mask))
        return parts, parts


def _attend(
    module: Any,  # noqa: ANN401 - transformers' own classes
    query: Tensor,
    key: Sequence[_Part],
    value: Sequence[_Part],
    attention_mask: None,
    **options: Any,  # noqa: ANN401 - what the model gives every attention
) -> tuple[Tensor, None]:
    """Attention of (1, heads, tokens, width) of several requests, each over its own keys and values."""
    import torch

    del value, attention_mask
    attended = torch.zeros_like(query)
    for part in key:
        own = query[:, :, part.start : part.end]
        if options.get("softcap") is None and options.get("s_aux") is None:
            one = _attended(own, part, options.get("scaling"))
        else:  # what only the model's own attention knows
            eager = sys.modules[type(module).__module__].eager_attention_forward
            one = eager(module, own, part.keys, part.values, part.mask[None, None], **options)[0].transpose(1, 2)
        attended[:, :, part.start : part.end] = one
    return attended.transpose(1, 2), None


def _attended(query: Tensor, part: _Part, scaling: float | None) -> Tensor:
    from torch.nn.functional import scaled_dot_product_attention

    # Query heads that share a key head stand as more rows of it, which saves a copy of the keys for each.
    heads = part.keys.shape[1]
    rows, mask = query.reshape(1, heads, -1, query.shape[3]), part.mask.repeat(query.shape[1] // heads, 1)
    return scaled_dot_product_attention(rows, part.keys, part.values, attn_mask=mask, scale=scaling).view(query.shape)


@contextmanager
def _attention_apart(model: Any) -> Iterator[None]:  # noqa: ANN401
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, _attend)
    before = model.config._attn_implementation
    model.config._attn_implementation = ATTENTION
    try:
        yield
    finally:
        model.config._attn_implementation = before
