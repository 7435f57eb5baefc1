"""Parts of histories with the pairs that stand in them: one reading answers for every pair of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.generation.items import only_layers
from agent.progress import Progress, silent
from finetune.context import Row
from finetune.examples import NONE
from finetune.pairs import Pair
from finetune.recipe import PreferenceConfig
from finetune.sft import with_items

Positions = NDArray[np.int64]
Margins = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a history, and pairs in it: `before` items of it came before each; all but `history` are (pairs,).

    `reference` is how much more the start said of what was chosen than of what was rejected.
    """

    history: Positions
    before: Positions
    chosen: Positions
    rejected: Positions
    reference: Margins

    writes = False  # no words are to come

    def __len__(self) -> int:
        return len(self.history) + 1


def passages(histories: Sequence[Positions], pairs: Sequence[Pair], window: int) -> list[Passage]:
    """All pairs, each where its history is read; one reading serves all that lie in the same part of a long one."""
    of: dict[int, list[Pair]] = {}
    for pair in pairs:
        of.setdefault(pair.person, []).append(pair)
    return [
        passage
        for person in sorted(of)
        for passage in _cut(histories[person], sorted(of[person], key=lambda pair: -pair.before), window)
    ]


def rows(read: Sequence[Passage], prompt: int) -> list[Row]:
    """How long each is after a prompt of so many tokens."""
    return [Row("preference", prompt + len(passage.history), prompt) for passage in read]


def _cut(history: Positions, pairs: list[Pair], window: int) -> Iterator[Passage]:
    """From the end of a history on; what would have less than half a window before it stands in the next part."""
    while pairs:
        end = pairs[0].before
        begin = max(0, end - window)
        here = [pair for pair in pairs if begin == 0 or pair.before >= begin + window // 2]
        pairs = pairs[len(here) :]
        yield Passage(
            history[begin:end],
            np.array([pair.before - begin for pair in here]),
            np.array([pair.chosen for pair in here]),
            np.array([pair.rejected for pair in here]),
            np.zeros(len(here)),
        )


class Reader:
    """Reads passages with a language model that has its `items`, as a turn would read a history.

    Args:
        base: the language model.
        prompt: the tokens before a history.
        texts: float32 (items, dimension), by catalogue position.
        depth: how many layers are read, None for all.
        end: the token that fills up.
    """

    def __init__(self, base: Any, prompt: Positions, texts: NDArray[np.float32], depth: int | None, end: int) -> None:  # noqa: ANN401
        self._base, self._prompt, self._texts, self._depth, self._end = base, prompt, texts, depth, end

    def padded(self, batch: Sequence[Passage]) -> dict[str, NDArray[Any]]:
        """Passages side by side: (passages, longest) arrays, and (pairs,) with the `row` and `place` of each."""
        begun = len(self._prompt)
        longest = begun + max(len(passage.history) for passage in batch)
        tokens, items = np.full((len(batch), longest), self._end), np.full((len(batch), longest), NONE)
        there = np.zeros((len(batch), longest), dtype=np.int64)
        tokens[:, :begun] = self._prompt
        for row, passage in enumerate(batch):
            ended = begun + len(passage.history)
            items[row, begun:ended] = passage.history
            there[row, :ended] = 1
        return {
            "tokens": tokens, "items": items, "there": there,
            "row": np.repeat(np.arange(len(batch)), [len(passage.chosen) for passage in batch]),
            "place": begun - 1 + np.concatenate([passage.before for passage in batch]),
            "chosen": np.concatenate([passage.chosen for passage in batch]),
            "rejected": np.concatenate([passage.rejected for passage in batch]),
            "reference": np.concatenate([passage.reference for passage in batch]).astype(np.float32),
        }  # fmt: skip

    def margins(self, asked: Sequence[Passage], at_once: int = 16, progress: Progress = silent) -> list[Margins]:
        """For each passage (pairs,): how much more is said of what was chosen than of what was rejected, in logits."""
        import torch

        was_training = self._base.training
        self._base.eval()
        found: list[Margins] = []
        with torch.inference_mode():
            table, read = self._items()
            for start in range(0, len(asked), at_once):
                progress("read what was liked better", start, len(asked))
                batch = asked[start : start + at_once]
                part = {name: torch.from_numpy(a).to(self._base.device) for name, a in self.padded(batch).items()}
                margins = _margin(self._logits(part, table, read), part).double().cpu().numpy()
                found += np.split(margins, np.cumsum([len(passage.chosen) for passage in batch])[:-1])
        progress("read what was liked better", len(asked), len(asked))
        self._base.train(was_training)
        return found

    def loss(self, touched: NDArray[np.bool_], config: PreferenceConfig) -> Callable[..., dict[str, Any]]:
        """The forward of a model in tuning: from the parts of a batch to its loss, the mean over its pairs."""
        import torch
        from torch.nn.functional import cross_entropy, logsigmoid

        untouched = torch.from_numpy(~touched)

        def forward(parts: Sequence[Mapping[str, torch.Tensor]], **_: Any) -> dict[str, Any]:  # noqa: ANN401 - of peft
            table, read = self._items()
            total = table.new_zeros(())
            for part in parts:
                logits = self._logits(part, table, read)
                gained = _margin(logits, part) - part["reference"]
                total = total - logsigmoid(config.beta * gained).sum()
                if config.likelihood:
                    among = logits.masked_fill(untouched.to(logits.device), -torch.inf)
                    total = total + config.likelihood * cross_entropy(among, part["chosen"], reduction="sum")
            return {"loss": total / sum(len(part["chosen"]) for part in parts)}

        return forward

    def _items(self) -> tuple[Any, Any]:
        import torch

        device = self._base.device
        rows = torch.arange(len(self._texts), device=device)
        with self._exactly():
            table = self._base.items.table(torch.from_numpy(self._texts).to(device), rows)
            return table, self._base.items.read(table)

    def _exactly(self) -> Any:  # noqa: ANN401 - torch's own
        """Without the halves that the trainer multiplies in: small differences of logits are what is learned from."""
        import torch

        return torch.autocast(self._base.device.type, enabled=False)

    def _logits(self, part: Mapping[str, Any], table: Any, read: Any) -> Any:  # noqa: ANN401
        """(pairs, items)."""
        with only_layers(self._base.model, self._depth):
            states = self._base.model(
                inputs_embeds=with_items(self._base, part, read), attention_mask=part["there"], use_cache=False
            ).last_hidden_state
        with self._exactly():
            return self._base.items.answer(states[part["row"], part["place"]], table)


def _margin(logits: Any, part: Mapping[str, Any]) -> Any:  # noqa: ANN401
    chosen, rejected = (logits.gather(1, part[name][:, None])[:, 0] for name in ("chosen", "rejected"))
    return chosen - rejected
