"""What is exported, used as its card says: with transformers and safetensors alone."""

import json
import re

import pytest
from safetensors.torch import load_file
from test_cli import run
from test_sft import ENCODER, QUICK, N, asked, served, tiny, tuned_in  # noqa: F401 - a fixture among them

from agent.errors import AdapterError, InputError
from agent.generation.adapters import MANIFEST
from agent.generation.base import Message
from agent.generation.export import CARD, ITEMS, export
from agent.generation.local import LocalGenerator
from agent.generation.prompting import PromptSet
from agent.schema import Item
from agent.workspace.workspace import Workspace

RANK = PromptSet.named("recommend").get("rank").render(history=[], request="", noun="film")
SHORT = QUICK.model_copy(update={"epochs": 2})


@pytest.fixture(scope="module")
def with_words(tmp_path_factory, tiny):  # noqa: F811
    """A workspace, and an adapter that has learned words and items over all layers."""
    path = tmp_path_factory.mktemp("words") / "w"
    return path, tuned_in(path, tiny, SHORT)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny):  # noqa: F811
    """A workspace, and an adapter that ranks alone, in the first of two layers; an item came after it."""
    path = tmp_path_factory.mktemp("alone") / "w"
    config = SHORT.model_copy(update={"depth": 1, "shares": {"next": 1.0}, "token_weight": 0.0})
    adapter = tuned_in(path, tiny, config)
    with Workspace.open(path) as workspace:
        workspace.store.put_items([Item("new", "A New Film (2020)", "", {"year": 2020, "genres": ("Drama",)})])
    return path, adapter


def exported(path, tiny, adapter, folder):  # noqa: F811
    with Workspace.open(path) as workspace:
        items, texts = workspace.store.items(), workspace.vectors(ENCODER)[1]
    return export(tiny, adapter, folder, items, texts, RANK, "float32")


def as_the_card_says(folder, monkeypatch):
    """What the Python of the card defines, run in the folder."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", (folder / CARD).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert "agent" not in code and "vouchrec" not in code.lower()
    monkeypatch.chdir(folder)
    defined = {}
    exec(code, defined)
    return defined


def test_an_exported_model_says_what_the_adapter_says(with_words, tiny, tmp_path, monkeypatch):  # noqa: F811
    path, adapter = with_words
    folder = exported(path, tiny, adapter, tmp_path / "plain")
    assert load_file(folder / ITEMS)["own.weight"].shape == (N, QUICK.width)
    prompt = (Message("user", "Which film?"), Message("assistant", "-"))
    titles = ["Film Number 3 (1963)", "Film Number 7 (1967)"]
    here, there = served(tiny, adapter), LocalGenerator(folder, dtype="float32")
    expected = here.score(here.read(prompt), titles).total
    assert there.score(there.read(prompt), titles).total == pytest.approx(expected, abs=1e-3)
    card = as_the_card_says(folder, monkeypatch)
    for history in ([3, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7]):  # the second is longer than what it reads
        assert card["scores"](history).tolist() == pytest.approx(asked(here, path, history), abs=1e-4)
    assert card["titles"][3] == "Film Number 3 (1963)"
    with pytest.raises(InputError, match="no empty folder"):
        exported(path, tiny, adapter, folder)


def test_where_few_layers_rank_all_of_them_are_exported_for_the_words(tmp_path, tiny, monkeypatch):  # noqa: F811
    path, folder = tmp_path / "w", tmp_path / "plain"
    adapter = tuned_in(path, tiny, SHORT.model_copy(update={"depth": 1}))
    exported(path, tiny, adapter, folder)
    assert len(LocalGenerator(folder, dtype="float32")._model.model.layers) == 2
    ranked = as_the_card_says(folder, monkeypatch)["scores"]([3, 4, 5])
    assert ranked.tolist() == pytest.approx(asked(served(tiny, adapter), path, [3, 4, 5]), abs=1e-4)


def test_a_disk_that_fills_up_leaves_nothing_that_was_exported(with_words, tiny, tmp_path):  # noqa: F811
    resource = pytest.importorskip("resource")
    path, adapter = with_words
    (tmp_path / "empty").mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))  # the weights are larger, all else is not
    try:
        for name in ("new", "empty"):
            with pytest.raises(AdapterError, match="cannot be written .*Free some space"):
                exported(path, tiny, adapter, tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "new").exists() and list((tmp_path / "empty").iterdir()) == []
    exported(path, tiny, adapter, tmp_path / "empty")
    assert (tmp_path / "empty" / MANIFEST).exists() and not list((tmp_path / "empty").glob(".*"))


def test_what_ranks_alone_is_exported_as_what_ranks_and_says_so(alone, tiny, tmp_path, monkeypatch):  # noqa: F811
    path, adapter = alone
    for name, value in (("MODEL", tiny), ("ENCODER", ENCODER.name), ("DTYPE", "float32")):
        monkeypatch.setenv(f"VOUCHREC_{name}", str(value))
    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress: ENCODER)
    folder = tmp_path / "ranks"
    result = run("adapters", "export", "ring", str(folder), "--workspace", str(path))
    assert result.exit_code == 0 and "should not write" in result.stdout and CARD in result.stdout
    assert "**These weights rank, and should not write.**" in (folder / CARD).read_text()
    model, manifest = (json.loads((folder / name).read_text()) for name in ("config.json", MANIFEST))
    assert (model["num_hidden_layers"], model["architectures"]) == (1, ["LlamaModel"])
    assert manifest["ranks_alone"] and manifest["shape"]["depth"] == 1 and len(manifest["items"]) == N
    card, generator = as_the_card_says(folder, monkeypatch), served(tiny, adapter)
    assert card["titles"][-1] == "A New Film (2020)"
    for history in ([3, 4, 5], [N, 2]):
        assert card["scores"](history).tolist() == pytest.approx(asked(generator, path, history), abs=1e-4)
