"""An adapter and its base model as one plain model, for what serves language models elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.files import filling, writing
from agent.generation.adapters import Adapter, save_manifest
from agent.generation.base import Message
from agent.generation.card import card
from agent.generation.chat import Chat
from agent.generation.loading import load_served
from agent.quiet import quiet_transformers
from agent.schema import Item
from agent.workspace.catalogue import item_key

ITEMS, NAMED, CARD = "items.safetensors", "items.json", "README.md"


def export(
    base: Path,
    adapter: Adapter,
    folder: Path,
    items: Sequence[Item],
    texts: NDArray[np.float32],
    prompt: Sequence[Message],
    dtype: str = "auto",
) -> Path:
    """Write the merged model, its tokenizer and its items as safetensors, and a card that tells how to use them.

    Of an adapter that ranks alone only the layers that rank are written: its weights would spoil the words.

    Args:
        base: the folder of the base model.
        adapter: what is merged into it.
        folder: a new or empty one; it is filled as a whole or not at all.
        items: the catalogue.
        texts: their text vectors, in the same order.
        prompt: what is read before a history.
        dtype: of the weights, see `LocalGenerator`.

    Raises:
        InputError: the folder exists and is not empty.
        AdapterError: the adapter does not load, or the folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and is no empty folder. Give the name of a new one.")
    _, model, tokenizer = load_served(base, adapter, dtype)
    known = model._modules.pop("items", None)
    with writing("The model", folder), filling(folder) as draft:
        with quiet_transformers():
            (model.model if adapter.manifest.ranks_alone else model).save_pretrained(draft, safe_serialization=True)
            tokenizer.save_pretrained(draft)
        if known is not None:
            _write_items(draft, known, adapter.manifest.items, items, texts)
        save_manifest(draft, adapter.manifest)
        (draft / CARD).write_text(card(adapter.manifest, Chat(tokenizer).render(prompt)), encoding="utf-8")
    return folder


def _write_items(
    folder: Path,
    known: Any,  # noqa: ANN401 - what `agent.generation.items.item_vectors` makes
    trained: Sequence[str],
    items: Sequence[Item],
    texts: NDArray[np.float32],
) -> None:
    """The vectors of all items, what stands between them and the model, and which item each of them is."""
    import torch
    from safetensors.torch import save_file

    row = {key: place for place, key in enumerate(trained)}
    rows = torch.tensor([row.get(item_key(item), -1) for item in items], dtype=torch.long)
    with torch.inference_mode():
        vectors = known.table(torch.from_numpy(texts), rows)
    tensors = {**known.state_dict(), "vectors": vectors}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / ITEMS)
    named = [{"item_id": item.item_id, "title": item.title} for item in items]
    (folder / NAMED).write_text(json.dumps(named, ensure_ascii=False, indent=1), encoding="utf-8")
