"""A base model in 4 bits: tuned for real where the library is there, refused where there is no GPU.

The library is none of the tools of the tests: once installed, it is imported by every run and complains on a CPU.
"""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_sft import QUICK, N, asked, narrow_model, served, tuned_in

from agent.errors import InputError
from agent.generation.adapters import WEIGHTS
from agent.generation.loading import load_model
from finetune import ready
from finetune.recipe import read_config


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Wide enough for blocks of 64 weights, each of which has a scale of its own."""
    return narrow_model(tmp_path_factory.mktemp("tiny") / "model", 64)


def test_without_a_gpu_it_is_refused_before_anything_else(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="4 bits needs an NVIDIA GPU.*leave `bits` out"):
        tuned_in(tmp_path / "w", tiny, QUICK.model_copy(update={"bits": 4}))


def test_without_the_library_it_says_how_to_get_it(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    there = ready.find_spec
    monkeypatch.setattr(ready, "find_spec", lambda name: None if name == "bitsandbytes" else there(name))
    with pytest.raises(InputError, match=r"needs bitsandbytes: run .*\[qlora\]"):
        tuned_in(tmp_path / "w", tiny, QUICK.model_copy(update={"bits": 4}))


def test_other_numbers_of_bits_are_no_setting():
    assert read_config("gpu", bits=4).bits == 4
    with pytest.raises(InputError, match="^bits cannot be 3"):
        read_config("gpu", bits=3)


def test_an_adapter_is_tuned_over_four_bits_and_serves_over_the_whole_model(tmp_path, tiny, monkeypatch):
    pytest.importorskip("bitsandbytes")
    model, _ = load_model(tiny, "float32", bits=4)
    assert type(model.model.layers[0].mlp.down_proj).__name__ == "Linear4bit"
    monkeypatch.setattr(ready, "_require_gpu", lambda bits: None)  # the library can do it on a CPU, too
    adapter = tuned_in(tmp_path / "w", tiny, QUICK.model_copy(update={"bits": 4}))
    told = adapter.manifest.training
    assert told["config"]["bits"] == 4
    assert told["losses"][-1] < told["losses"][0] - 0.5
    assert {tensor.dtype for tensor in load_file(adapter.folder / WEIGHTS).values()} == {torch.float32}
    generator = served(tiny, adapter)
    right = 0
    for start in range(N):
        walk = [(start + step) % N for step in range(4)]
        logits = asked(generator, tmp_path / "w", walk)
        logits[walk] = -np.inf
        right += int(np.argmax(logits)) == (start + 4) % N
    assert right >= 0.8 * N
