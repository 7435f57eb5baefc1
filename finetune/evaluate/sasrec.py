"""SASRec with full cross-entropy: the sequential baseline, trained well.

Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, with the loss over the whole catalogue that
Klenitskiy and Vasilev, "Turning Dross Into Gold Loss", RecSys 2023, and Petrov and Macdonald, RecSys 2023, show it
needs. Items begin as their text vectors, projected; input and output share them; positions are recency: how much an
item counts for another depends on how many steps lie between (a learned bias for each head, as in Raffel et al., JMLR
2020), so that a short and a long history end alike, and every place in a history trains what is asked at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.progress import Progress, silent
from finetune.evaluate.baselines import popularity_of
from finetune.evaluate.data import Dataset
from finetune.evaluate.splits import Cases, Known, Positions, Split

Floats = NDArray[np.float64]
INITIAL = 0.02  # standard deviation of what is drawn


@dataclass(frozen=True, slots=True)
class SasrecSettings:
    """Sizes, and how long to train. `window` is in items; training stops `patience` epochs after the best one."""

    width: int = 64
    layers: int = 2
    heads: int = 2
    window: int = 100
    dropout: float = 0.3
    rate: float = 1e-3
    weight_decay: float = 1e-2
    batch: int = 64
    epochs: int = 200
    patience: int = 10


class Sasrec:
    """A `System`. Needs torch; on a GPU where there is one. Text vectors are used where the data set has them."""

    name = "sasrec"

    def __init__(self, settings: SasrecSettings | None = None, **changes: float) -> None:
        self.settings = settings or SasrecSettings(**changes)  # type: ignore[arg-type]

    def fit(self, split: Split, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        """Train on the training histories; keep the epoch with the best NDCG@10 on the validation cases."""
        import torch

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._n_items = split.n_items
        self._popularity = popularity_of(split.training, split.n_items).astype(np.float64)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._model = _network(self.settings, split.n_items, dataset.vectors).to(self._device)
            self._train(split, np.random.default_rng([seed, 4]), progress)

    def scores(self, known: Known) -> Floats:
        """(people, items): logits of the next item; popularity where there is no history."""
        import torch

        self._model.eval()
        found = np.empty((len(known), self._n_items))
        with torch.inference_mode():
            for start in range(0, len(known), 256):
                part = known.histories[start : start + 256]
                state = self._model.states(self._window(part))[:, -1]
                found[start : start + 256] = self._model.logits(state).float().cpu().numpy()
        found[[row for row, history in enumerate(known.histories) if not len(history)]] = self._popularity
        return found

    def _train(self, split: Split, rng: np.random.Generator, progress: Progress) -> None:
        import torch

        chosen = self.settings
        histories = [h for h in split.training.histories if len(h) > 1]
        optimizer = torch.optim.AdamW(
            self._model.parameters(), lr=chosen.rate, weight_decay=chosen.weight_decay, betas=(0.9, 0.98)
        )
        best, best_epoch, kept = -1.0, 0, _copy(self._model)
        for epoch in range(1, chosen.epochs + 1):
            self._model.train()
            for batch in _batches(histories, chosen.batch, chosen.window, rng):
                loss = self._loss(batch)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
                optimizer.step()
            score = self._validated(split.validation)
            progress("train sasrec", epoch, chosen.epochs)
            if score > best:
                best, best_epoch, kept = score, epoch, _copy(self._model)
            elif epoch - best_epoch >= chosen.patience:
                break
        self._model.load_state_dict(kept)
        self.best_epoch = best_epoch
        progress("train sasrec", chosen.epochs, chosen.epochs)

    def _loss(self, batch: Sequence[Positions]) -> Any:  # noqa: ANN401 - a torch scalar
        import torch

        items = self._window(batch, extra=1)
        inputs, targets = items[:, :-1], items[:, 1:]
        there = (inputs < self._n_items) & (targets < self._n_items)
        logits = self._model.logits(self._model.states(inputs)[there])
        return torch.nn.functional.cross_entropy(logits, targets[there])

    def _validated(self, cases: Cases) -> float:
        """NDCG@10 on validation cases, histories left out; with several targets, by the best placed of them."""
        scores = self.scores(cases.known)
        gains = []
        for row, (history, targets) in enumerate(zip(cases.known.histories, cases.targets, strict=True)):
            best = scores[row, targets].max()
            scores[row, history] = -np.inf
            rank = 1 + int((scores[row] > best).sum())
            gains.append(1 / math.log2(rank + 1) if rank <= 10 else 0.0)
        return float(np.mean(gains))

    def _window(self, histories: Sequence[Positions], extra: int = 0) -> Any:  # noqa: ANN401
        """(people, length) of item positions, the most recent last, filled up in front with the number of items."""
        import torch

        length = min(self.settings.window + extra, max((len(h) for h in histories), default=1))
        rows = np.full((len(histories), max(length, 1 + extra)), self._n_items, dtype=np.int64)
        for row, history in zip(rows, histories, strict=True):
            recent = history[-rows.shape[1] :]
            if len(recent):
                row[-len(recent) :] = recent
        return torch.from_numpy(rows).to(self._device)


def _batches(
    histories: Sequence[Positions], size: int, window: int, rng: np.random.Generator
) -> Iterator[list[Positions]]:
    """Every history once, in a random order; a long one by a window of it that ends at a random place."""
    order = rng.permutation(len(histories))
    for start in range(0, len(order), size):
        batch = []
        for place in order[start : start + size]:
            history = histories[place]
            spare = len(history) - (window + 1)
            end = len(history) - int(rng.integers(0, spare + 1)) if spare > 0 else len(history)
            batch.append(history[max(0, end - window - 1) : end])
        yield batch


def _copy(model: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _network(chosen: SasrecSettings, n_items: int, vectors: NDArray[np.float32] | None) -> Any:  # noqa: ANN401
    """Embeddings, layers, tied logits. The row after the last item is the filling."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.items = nn.Embedding(n_items + 1, chosen.width)
            nn.init.normal_(self.items.weight, std=INITIAL)
            if vectors is not None:
                with torch.no_grad():
                    self.items.weight[:n_items] = torch.from_numpy(_projected(vectors, chosen.width))
            self.recency = nn.Parameter(torch.zeros(chosen.heads, chosen.window))  # by steps back
            self.dropout = nn.Dropout(chosen.dropout)
            self.layers = nn.ModuleList(_layer(chosen) for _ in range(chosen.layers))
            self.norm = nn.LayerNorm(chosen.width)
            self.bias = nn.Parameter(torch.zeros(n_items))

        def states(self, items: Any) -> Any:  # noqa: ANN401
            """(people, length) to (people, length, width): what is known after each item."""
            length = items.shape[1]
            state = self.dropout(self.items(items) * math.sqrt(chosen.width))
            mask = self._mask(items, length)
            for layer in self.layers:
                state = layer(state, mask)
            return self.norm(state)

        def _mask(self, items: Any, length: int) -> Any:  # noqa: ANN401
            """(people, heads, length, length) to add to attention: recency, and nothing of the future or the filling.

            The filling sees itself, so that no row of the softmax is empty.
            """
            steps = torch.arange(length, device=items.device)
            back = steps[:, None] - steps[None, :]
            seen = ((back >= 0) & (items < n_items)[:, None, :]) | (back == 0)
            recency = self.recency[:, back.clamp(min=0)]
            return recency[None].masked_fill(~seen[:, None], float("-inf"))

        def logits(self, state: Any) -> Any:  # noqa: ANN401
            return state @ self.items.weight[:n_items].T + self.bias

    return Network()


def _layer(chosen: SasrecSettings) -> Any:  # noqa: ANN401
    """Attention and two linear maps, each normed before and added after.

    torch's own layer is not taken: its path for inference gives NaN under a mask for each head (torch 2.13).
    """
    from torch import nn
    from torch.nn.functional import gelu, scaled_dot_product_attention

    width, heads = chosen.width, chosen.heads

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.mixed, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.dropout = nn.Dropout(chosen.dropout)

        def forward(self, state: Any, mask: Any) -> Any:  # noqa: ANN401
            people, length, _ = state.shape
            mixed = self.mixed(self.before(state)).view(people, length, 3, heads, width // heads)
            query, key, value = mixed.permute(2, 0, 3, 1, 4)
            dropped = chosen.dropout if self.training else 0.0
            read = scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropped)
            state = state + self.dropout(self.out(read.transpose(1, 2).reshape(people, length, width)))
            return state + self.dropout(self.narrow(self.dropout(gelu(self.wide(self.between(state))))))

    return Layer()


def _projected(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The principal `width` directions of the text vectors, on the scale of what would have been drawn."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    kept = np.zeros((len(vectors), width), dtype=np.float32)
    part = centred @ directions[:width].T
    kept[:, : part.shape[1]] = part
    return kept * np.float32(INITIAL / max(float(kept.std()), 1e-9))
