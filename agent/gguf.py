"""One GGUF file -> one folder of safetensors and tokenizer, so that every later start reads it in a moment."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from agent.errors import AssetError
from agent.progress import Progress, silent
from agent.quiet import quiet_transformers

CONVERSION = 1  # part of the cache key: raise it when the output of `convert` changes


def convert(file: Path, folder: Path, progress: Progress = silent) -> None:
    """Write the model and tokenizer of a GGUF file into an existing folder, for `from_pretrained`.

    The weights are stored in float32, which holds the dequantised values exactly. Measured on SmolLM2-135M (Q4_1, two
    CPU cores): float32 takes 538 MB of disk and is memory-mapped in 0.07 s; float16 takes 269 MB, moves
    log-probabilities by up to 0.04 and must be cast back at every start; bfloat16 moves them by up to 0.40, and took
    1.0 s and twice the memory to load.

    Raises:
        AssetError: the file is no GGUF, its architecture is unknown to transformers, or a weight is missing.
    """
    stage = f"converting {file.name}"
    try:
        with file.open("rb") as opened:
            magic = opened.read(4)
        if magic != b"GGUF":
            raise AssetError(f"{file} is not a GGUF file: it begins with {magic!r}, not b'GGUF'. Fetch it again.")
        _convert(file, folder, lambda done: progress(stage, done, 4))
    except (AssetError, OSError):
        raise  # an OSError is about the disk, and the caller knows which
    except Exception as error:  # the readers of a damaged or foreign file raise whatever comes to hand
        raise AssetError(
            f"{file.name} cannot be converted: {type(error).__name__}: {str(error)[:300]}. Expected a GGUF of a causal "
            "language model that transformers can read. Give one, or a folder with safetensors and a tokenizer."
        ) from error


def _convert(file: Path, folder: Path, step: Callable[[int], None]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    step(0)
    # One of the bars of the GGUF reader is tqdm's own and obeys no setting of transformers: hence the redirection.
    with quiet_transformers(), redirect_stderr(io.StringIO()), _read_once():
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name, local_files_only=True)
        step(1)
        model, loading = AutoModelForCausalLM.from_pretrained(
            str(file.parent),
            gguf_file=file.name,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
        )
        step(2)
        if missing := sorted(loading["missing_keys"]):
            raise AssetError(f"{file.name} lacks {len(missing)} weights of its own architecture, such as {missing[0]}.")
        if spoilt := [name for name, value in model.state_dict().items() if not torch.isfinite(value).all()]:
            raise AssetError(f"{file.name} holds a value that is not a number, in {spoilt[0]}. Fetch it again.")
        # Left in place, these make save_pretrained and every trainer refuse the model as a quantised one.
        model.hf_quantizer = None
        model.is_quantized = False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(str(folder))
        step(3)
        tokenizer.save_pretrained(str(folder))
    _leave_out_paths(folder)
    step(4)


@contextmanager
def _read_once() -> Iterator[None]:
    """Inside, the gguf library parses a file once instead of three times, and maps names once instead of 397 times.

    transformers reads the header again for the tokenizer, the configuration and the weights, and asks for the name map
    once for every submodule. Both are functions of their arguments alone, so remembering them changes no byte of
    the output and takes the conversion of SmolLM2-135M from 16 s to 8 s.
    """
    import gguf

    kept = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    for name, function in kept.items():
        setattr(gguf, name, functools.cache(function))
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(gguf, name, function)


def _leave_out_paths(folder: Path) -> None:
    """Take out what transformers notes about how the tokenizer was loaded here: it is untrue of every later load."""
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    for name in ("is_local", "local_files_only"):
        config.pop(name, None)
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
