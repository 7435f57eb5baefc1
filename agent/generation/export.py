"""An adapter and its base model as one plain model, for what serves language models elsewhere."""

from __future__ import annotations

from pathlib import Path

from agent.errors import AdapterError, InputError
from agent.generation.adapters import Adapter
from agent.generation.loading import load_merged
from agent.quiet import quiet_transformers

ITEMS = "items.safetensors"


def export(base: Path, adapter: Adapter, folder: Path, dtype: str = "auto") -> Path:
    """Write the merged model, its tokenizer, and the item vectors beside them (ITEMS), all as safetensors.

    Raises:
        InputError: the folder exists and is not empty.
        AdapterError: the adapter does not load, or the folder cannot be written.
    """
    from safetensors.torch import save_file

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and is no empty folder. Give the name of a new one.")
    model, tokenizer = load_merged(base, adapter, dtype)
    items = model._modules.pop("items", None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with quiet_transformers():
            model.save_pretrained(folder, safe_serialization=True)
            tokenizer.save_pretrained(folder)
        if items is not None:
            save_file({name: tensor.contiguous() for name, tensor in items.state_dict().items()}, folder / ITEMS)
    except OSError as error:
        raise AdapterError(f"{folder} cannot be written ({error}). Free some space or check the folder.") from error
    return folder
