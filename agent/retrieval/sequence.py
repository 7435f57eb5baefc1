"""The sequential model: a history becomes a query vector, and each item has a vector for it to meet.

After Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018. What differs, and why:

- An item's vector is a projection of its text vector plus a part of its own that training fills in. An item that nobody
  has touched has only the first, so it can be found on the day it arrives. The part of its own is left out at random in
  training (DropoutNet, Volkovs et al., NeurIPS 2017), so that the text alone learns to speak for it.
- Every history begins with a mark, so that an empty one has an answer too: what people begin with.
- Positions are recency: how much an item counts for another depends on how many steps lie between (a learned bias for
  each head, as in Raffel et al., JMLR 2020), so that a short and a long history end alike.

Training is in `finetune.training`; here is what serving needs. The only file of `agent.retrieval` that uses torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
INITIAL = 0.02  # standard deviation of what is drawn
AT_ONCE = 256  # histories in memory together


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model over `items` items whose text vectors have `text` numbers, 0 for items without text."""

    items: int = 0
    text: int = 0
    width: int = 64
    layers: int = 2
    heads: int = 2
    window: int = 100
    dropout: float = 0.4
    forget: float = 0.1


def network(shape: Shape, texts: Floats | None) -> Any:  # noqa: ANN401 - torch is imported where it is used
    """A torch module; `texts` (items, text) are kept beside its weights and are not among them.

    It has `table()`, the (items, width) vectors of all items; `states(items, table)`, from (people, length) positions
    to (people, length, width), what is known after each; and `logits(states, table)`. Among positions, `shape.items` is
    a filling and `shape.items + 1` the mark that begins a history.
    """
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.own = nn.Embedding(shape.items + 2, shape.width)  # the parts of items, the filling, the mark
            nn.init.normal_(self.own.weight, std=INITIAL)
            self.texts = None if texts is None else _projection(texts, shape.width)
            if self.texts is not None:
                nn.init.zeros_(self.own.weight[: shape.items].detach())
            self.recency = nn.Parameter(torch.zeros(shape.heads, shape.window + 1))  # by steps back
            self.dropout = nn.Dropout(shape.dropout)
            self.layers = nn.ModuleList(_layer(shape) for _ in range(shape.layers))
            self.norm = nn.LayerNorm(shape.width)

        def table(self) -> Any:  # noqa: ANN401
            own = self.own.weight[: shape.items]
            if self.texts is None:
                return own
            if self.training:
                own = own * (torch.rand(len(own), 1, device=own.device) >= shape.forget)
            return own + self.texts()

        def states(self, items: Any, table: Any) -> Any:  # noqa: ANN401
            rows = torch.cat([table, self.own.weight[shape.items :]])
            state = self.dropout(rows[items] * math.sqrt(shape.width))
            mask = _mask(self.recency, items, shape.items)
            for layer in self.layers:
                state = layer(state, mask)
            return self.norm(state)

        def logits(self, states: Any, table: Any) -> Any:  # noqa: ANN401
            return states @ table.T

    return Network()


def _mask(recency: Any, items: Any, filling: int) -> Any:  # noqa: ANN401
    """(people, heads, length, length) to add to attention: recency, and nothing of the future or the filling.

    The filling sees itself, so that no row of the softmax is empty.
    """
    import torch

    steps = torch.arange(items.shape[1], device=items.device)
    back = steps[:, None] - steps[None, :]
    seen = ((back >= 0) & (items != filling)[:, None, :]) | (back == 0)
    return recency[:, back.clamp(min=0)][None].masked_fill(~seen[:, None], float("-inf"))


def _projection(texts: Floats, width: int) -> Any:  # noqa: ANN401
    """A torch module that gives (items, width) of the text vectors; it begins with their principal directions."""
    import torch
    from torch import nn

    given = torch.from_numpy(texts)
    centre = given.mean(dim=0)
    spread = (given - centre).std().clamp(min=1e-9)

    class Projection(nn.Module):
        texts: torch.Tensor
        centre: torch.Tensor
        spread: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("texts", given, persistent=False)
            # Kept with the weights: the centre of a catalogue moves when items are added.
            self.register_buffer("centre", centre)
            self.register_buffer("spread", spread)
            self.map = nn.Linear(given.shape[1], width, bias=False)
            with torch.no_grad():
                self.map.weight.copy_(principal_directions((given - centre) / spread, width))

        def forward(self) -> Any:  # noqa: ANN401
            return self.map((self.texts - self.centre) / self.spread)

    return Projection()


def _layer(shape: Shape) -> Any:  # noqa: ANN401
    """Attention and two linear maps, each normed before and added after.

    torch's own layer is not taken: its path for inference gives NaN under a mask for each head (torch 2.13). What is
    added is dropped out, and nothing else: on a CPU, drawing for attention and the middle took a third of the time.
    """
    from torch import nn
    from torch.nn.functional import gelu, scaled_dot_product_attention

    width, heads = shape.width, shape.heads

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.mixed, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.dropout = nn.Dropout(shape.dropout)

        def forward(self, state: Any, mask: Any) -> Any:  # noqa: ANN401
            people, length, _ = state.shape
            mixed = self.mixed(self.before(state)).view(people, length, 3, heads, width // heads)
            query, key, value = mixed.permute(2, 0, 3, 1, 4)
            read = scaled_dot_product_attention(query, key, value, attn_mask=mask)
            state = state + self.dropout(self.out(read.transpose(1, 2).reshape(people, length, width)))
            return state + self.dropout(self.narrow(gelu(self.wide(self.between(state)))))

    return Layer()


def principal_directions(texts: Any, width: int) -> Any:  # noqa: ANN401
    """(width, text) of (items, text): the principal directions, on the scale of what would have been drawn."""
    import torch

    _, directions = torch.linalg.eigh(texts.T @ texts)  # ascending
    found = torch.zeros(width, texts.shape[1])
    found[: min(width, len(directions))] = directions.T.flip(0)[:width]
    return found * (INITIAL / (texts @ found.T).std().clamp(min=1e-9))


def windows(histories: Sequence[NDArray[np.int64]], shape: Shape, length: int | None = None) -> NDArray[np.int64]:
    """(people, length) of positions: the mark and the history, its most recent last, filled up in front.

    `length` is that of the longest, but at most that of the model's window with the mark.
    """
    longest = max((len(h) for h in histories), default=0) + 1
    rows = np.full((len(histories), length or min(longest, shape.window + 1)), shape.items, dtype=np.int64)
    for row, history in zip(rows, histories, strict=True):
        begun = np.concatenate([[shape.items + 1], history])[-len(row) :]
        row[-len(begun) :] = begun
    return rows


class Encoder:
    """Trained networks, ready to be asked: the vectors of all items, and those of histories to meet them with.

    Networks of one width, with texts or without. Side by side, their vectors give a weighted mean of their logits as
    one product, so several cost one search and one index (deep ensembles: Lakshminarayanan et al., NeurIPS 2017).

    Args:
        networks: of `network`, trained.
        shape: theirs; that of the first.
        touched: bool (items,), False for items that were in no history; None when all were. Networks without texts know
            nothing of those, and take no part in what is said of them: the others speak with full voice.
        voices: how much the logits of each network count; they sum to 1. None when all count alike.
    """

    def __init__(
        self,
        networks: Sequence[Any],
        shape: Shape,
        touched: NDArray[np.bool_] | None = None,
        voices: Sequence[float] | None = None,
    ) -> None:
        import torch

        self.shape = shape
        self.width = len(networks) * shape.width
        self._voices = [1 / len(networks)] * len(networks) if voices is None else list(voices)
        self._networks = [network.eval() for network in networks]
        new = torch.from_numpy(np.zeros(shape.items, dtype=bool) if touched is None else ~touched)
        with torch.inference_mode():
            self._tables = [network.table().detach().clone() for network in networks]  # training may go on
            answers = self._answers(new) if new.any() and not new.all() else self._tables
        self.items: Floats = np.hstack([table.float().cpu().numpy() for table in answers])  # (items, width)

    def _answers(self, new: Any) -> list[Any]:  # noqa: ANN401 - a torch mask
        """The tables to answer with: of a new item, networks without texts say what they say of the mean item."""
        reading = [network.texts is not None for network in self._networks]
        share = 1 / max(sum(v for v, reads in zip(self._voices, reading, strict=True) if reads), 1e-9)
        answers = []
        for reads, table in zip(reading, self._tables, strict=True):
            middle = table[~new].mean(dim=0)
            if not reads:
                table[new] = middle
            answer = table.clone()
            answer[new] = middle + share * (table[new] - middle)
            answers.append(answer)
        return answers

    def queries(self, histories: Sequence[NDArray[np.int64]]) -> Floats:
        """(people, width), from histories of positions, oldest first. Products with `items` are logits."""
        import torch

        found = np.empty((len(histories), self.width), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(histories), AT_ONCE):
                rows = windows(histories[start : start + AT_ONCE], self.shape)
                ends = [voice * self._ends(member, rows) for member, voice in enumerate(self._voices)]
                found[start : start + AT_ONCE] = np.hstack(ends)
        return found

    def _ends(self, member: int, rows: NDArray[np.int64]) -> Floats:
        import torch

        table = self._tables[member]
        states = self._networks[member].states(torch.from_numpy(rows).to(table.device), table)
        ends: Floats = states[:, -1].float().cpu().numpy()
        return ends
