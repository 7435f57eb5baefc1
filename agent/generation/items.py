"""Items as vectors inside a language model: it reads one in place of a title, and says how likely each is to be next.

After E4SRec (Li et al., "E4SRec: An Elegant Effective Efficient Extensible Solution of Large Language Models for
Sequential Recommendation", 2023), which gives a language model the vectors of a frozen SASRec and meets its last hidden
state with all items in full cross-entropy. Here an item's vector is a projection of its text vector plus a part of its
own, as in `agent.retrieval.sequence`, so an item that came after training has one too. A history of vectors is one
token an item instead of about seven, which is what makes reading and training it cheap (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agent.retrieval.sequence import principal_directions


@dataclass(frozen=True, slots=True)
class ItemShape:
    """Sizes: `items` that were trained, `text` numbers in a text vector, `hidden` in a state of the language model.

    `depth` is after how many of its layers the states answer which item is next; None is after all.
    """

    items: int
    text: int
    hidden: int
    width: int = 128
    depth: int | None = None


def states_at(model: Any, depth: int | None, **inputs: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """What a decoder (transformers' own) gives, and its states (rows, places, hidden) after `depth` of its layers.

    Few layers of a language model are enough to say what is next (Xu et al., "SLMRec: Distilling Large Language Models
    into Small for Sequential Recommendation", 2024), while words need them all: so one reading serves both.
    """
    if depth is None:
        output = model(**inputs)
        return output, output.last_hidden_state
    output = model(**inputs, output_hidden_states=True)
    return output, model.norm(output.hidden_states[depth])


@contextmanager
def only_layers(model: Any, depth: int | None) -> Iterator[None]:  # noqa: ANN401
    """Inside, a decoder stops after `depth` of its layers: for what asks nothing of the others. Not for threads."""
    whole = model.config.num_hidden_layers
    model.config.num_hidden_layers = depth or whole
    try:
        yield
    finally:
        model.config.num_hidden_layers = whole


def item_vectors(shape: ItemShape) -> Any:  # noqa: ANN401 - torch is imported where it is used
    """A torch module that stands between items and a language model.

    It has `begin(texts, scale)`, which prepares it for training; `table(texts, rows)`, the (items, width) vectors of
    any items; `read(vectors)`, from vectors to what takes the place of a token's embedding; and
    `answer(states, table)`, from hidden states to logits over the table.
    """
    import torch
    from torch import nn
    from torch.nn.functional import layer_norm

    class ItemVectors(nn.Module):
        centre: torch.Tensor
        spread: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.own = nn.Embedding(shape.items, shape.width)
            self.map = nn.Linear(shape.text, shape.width, bias=False)
            self.norm = nn.LayerNorm(shape.width)
            self.into = nn.Linear(shape.width, shape.hidden)
            self.ask = nn.Linear(shape.hidden, shape.width, bias=False)
            nn.init.zeros_(self.own.weight)
            nn.init.normal_(self.ask.weight, std=shape.hidden**-0.5)
            self.register_buffer("centre", torch.zeros(shape.text))
            self.register_buffer("spread", torch.ones(()))
            self.register_buffer("scale", torch.ones(()))

        def begin(self, texts: Any, scale: float) -> None:  # noqa: ANN401
            """Take the texts' centre and principal directions, and the scale of the language model's embeddings."""
            with torch.no_grad():
                self.centre.copy_(texts.mean(dim=0))
                self.spread.copy_((texts - self.centre).std().clamp(min=1e-9))
                self.map.weight.copy_(principal_directions((texts - self.centre) / self.spread, shape.width))
                self.scale.fill_(scale)

        def table(self, texts: Any, rows: Any, forget: float = 0.0) -> Any:  # noqa: ANN401
            """(items, width); `rows` are those of `own`, -1 for an item that was not trained: its text speaks alone."""
            own = self.own(rows.clamp(min=0)) * (rows >= 0)[:, None]
            if forget:
                own = own * (torch.rand(len(own), 1, device=own.device) >= forget)
            return own + self.map((texts - self.centre) / self.spread)

        def read(self, vectors: Any) -> Any:  # noqa: ANN401
            return self.into(self.norm(vectors)) * self.scale

        def answer(self, states: Any, table: Any) -> Any:  # noqa: ANN401
            return self.ask(layer_norm(states.float(), (shape.hidden,))) @ table.T

    return ItemVectors()
