"""Language models: a folder, a GGUF file that is converted, and the embedded one."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_assets import visible

from agent.assets import language_model
from agent.errors import AssetError
from agent.settings import DEFAULT_MODEL, Settings


def test_a_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(AssetError, match=r"lacks a .safetensors file and a tokenizer"):
        language_model(str(tmp_path), tmp_path / "cache")


def test_a_whole_folder_is_used_where_it_lies(tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    assert language_model(str(tmp_path), tmp_path / "cache") == tmp_path


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"GGUF\x03\x00\x00\x00 and no more"])
def test_a_file_that_is_no_gguf_is_refused_and_leaves_nothing(tmp_path, content):
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(AssetError, match=r"model\.gguf"):
        language_model(str(file), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


def write_tiny_gguf(file: Path, leave_out: str = "") -> None:
    import gguf
    import numpy as np

    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("tiny")
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "</s>", "a", "b", "ab"])
    writer.add_token_types([3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {"token_embd": (5, 8), "output_norm": (8,), "blk.0.attn_norm": (8,), "blk.0.ffn_norm": (8,)}
    shapes |= {"blk.0.attn_q": (8, 8), "blk.0.attn_k": (4, 8), "blk.0.attn_v": (4, 8), "blk.0.attn_output": (8, 8)}
    shapes |= {"blk.0.ffn_gate": (16, 8), "blk.0.ffn_up": (16, 8), "blk.0.ffn_down": (8, 16)}
    for name, shape in shapes.items():
        if name != leave_out:
            writer.add_tensor(f"{name}.weight", random.standard_normal(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_is_converted_once_exactly_and_without_noise(tmp_path, capfd):
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file, cache, told = tmp_path / "tiny.gguf", tmp_path / "cache", []
    write_tiny_gguf(file)
    reader = gguf.GGUFReader
    folder = language_model(str(file), cache, lambda *step: told.append(step))
    assert gguf.GGUFReader is reader
    assert capfd.readouterr() == ("", "")
    assert [step[1:] for step in told] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert language_model(str(file), cache, lambda *step: told.append(step)) == folder
    assert len(told) == 5
    model = AutoModelForCausalLM.from_pretrained(folder)
    stored = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader(file).tensors}
    assert torch.equal(model.get_input_embeddings().weight, stored["token_embd.weight"])
    assert torch.equal(model.model.layers[0].mlp.down_proj.weight, stored["blk.0.ffn_down.weight"])
    assert AutoTokenizer.from_pretrained(folder)("abba").input_ids == [4, 3, 2]


def test_a_gguf_that_lacks_a_weight_is_refused(tmp_path):
    write_tiny_gguf(tmp_path / "tiny.gguf", leave_out="blk.0.ffn_down")
    with pytest.raises(AssetError, match="lacks 1 weights of its own architecture, such as .*down_proj"):
        language_model(str(tmp_path / "tiny.gguf"), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


@pytest.fixture(scope="session")
def smollm() -> Path:
    """The embedded model, converted once per machine in the real cache."""
    return language_model(DEFAULT_MODEL, Settings().cache)


def test_the_embedded_model_speaks(smollm):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert (smollm / "LICENSE").is_file()
    tokenizer = AutoTokenizer.from_pretrained(smollm)
    model = AutoModelForCausalLM.from_pretrained(smollm, dtype=torch.float32).eval()
    with torch.inference_mode():
        logits = model(**tokenizer("The capital of France is", return_tensors="pt")).logits
    assert torch.isfinite(logits).all()
    assert tokenizer.decode(logits[0, -1].argmax()) == " Paris"
