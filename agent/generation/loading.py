"""Language models from a folder (transformers), with a LoRA adapter merged into their weights (peft)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AdapterError, AssetError
from agent.generation.adapters import WEIGHTS, Adapter
from agent.generation.items import item_vectors
from agent.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch


def load_model(folder: Path, dtype: str = "auto", bits: int | None = None) -> tuple[Any, Any]:
    """The causal language model of a folder and its tokenizer, transformers' own; AssetError when they do not load.

    With `bits` of 4 its linear maps are held as NormalFloat (Dettmers et al., "QLoRA", NeurIPS 2023), for tuning.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precise = _choose_dtype(dtype, device)
    held = {} if bits is None else {"quantization_config": _quantised(precise), "device_map": {"": device}}
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=precise, local_files_only=True, use_safetensors=True, **held
            )
    except (OSError, ValueError) as error:
        raise AssetError(
            f"The language model in {folder} does not load: {error}. "
            "Remove that folder and run the command again to fetch it anew, or set VOUCHREC_MODEL to another model."
        ) from error
    return model, tokenizer


def context_of(model: Any) -> int:  # noqa: ANN401 - a causal model of transformers
    """How many places it reads at most."""
    return int(getattr(model.config, "max_position_embeddings", 2048))


def load_served(folder: Path, adapter: Adapter | None, dtype: str = "auto") -> tuple[Any, Any, Any]:
    """What writes, what ranks, and the tokenizer; one model does both, unless the adapter has learned to rank alone.

    Then the base model writes, and what ranks is those of its layers that the adapter needs, with the adapter in them.
    """
    if adapter is None or not adapter.manifest.ranks_alone:
        model, tokenizer = load_merged(folder, adapter, dtype)
        return model, model, tokenizer
    writer, tokenizer = load_model(folder, dtype)
    ranker = _merged(copy.deepcopy(writer), adapter)
    assert adapter.manifest.shape is not None
    _cut(ranker, adapter.manifest.shape.depth)
    ranker.set_input_embeddings(writer.get_input_embeddings())
    ranker.set_output_embeddings(writer.get_output_embeddings())
    return writer, ranker, tokenizer


def load_merged(folder: Path, adapter: Adapter | None, dtype: str = "auto") -> tuple[Any, Any]:
    """`load_model` with an adapter merged into the weights; its item vectors, where it has some, are `model.items`.

    Raises:
        AdapterError: the adapter is damaged, or does not load on this model.
    """
    model, tokenizer = load_model(folder, dtype)
    return (model if adapter is None else _merged(model, adapter)), tokenizer


def _merged(model: Any, adapter: Adapter) -> Any:  # noqa: ANN401 - transformers' own classes
    """The model with the adapter in its weights, and with its item vectors, where it has some, as `model.items`."""
    from peft import PeftModel
    from safetensors import safe_open

    folder, shape = adapter.folder, adapter.manifest.shape
    adapter.check_weights()
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


def _cut(model: Any, depth: int | None) -> None:  # noqa: ANN401
    """Leave a model its first layers, in its configuration too; None leaves all."""
    model.model.layers, config = model.model.layers[:depth], model.config
    config.num_hidden_layers = len(model.model.layers)
    if getattr(config, "layer_types", None):  # of those whose layers are not all of a kind
        config.layer_types = config.layer_types[:depth]


def _quantised(dtype: torch.dtype) -> Any:  # noqa: ANN401 - transformers' own
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def _choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    import torch

    if dtype != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]
    fast = device.type == "cuda" or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32
