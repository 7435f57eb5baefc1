"""Adapters on disk and the commands about them; what is inside the weights is tested in test_sft.py."""

import json
import shutil
from dataclasses import replace

import pytest
from conftest import open_small
from test_behaviour import QUICK, SMALL
from test_cli import run

from agent.adapted import offered
from agent.build import adapter_in_service, adapters_of, model_weight_of
from agent.errors import AdapterError
from agent.generation.adapters import (
    FORMAT,
    IN_SERVICE,
    MANIFEST,
    WEIGHTS,
    AdapterManifest,
    base_fingerprint,
    read_adapter,
    save_manifest,
    weights_hash,
)
from agent.settings import Settings
from agent.shipped import FOLDER, add_shipped
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from finetune.retrieval import tune

INTERVAL = {"mean": 0.01, "low": 0.002, "high": 0.02}
PASSED = {"passed": True, "people": 300, "before": INTERVAL, "after": INTERVAL, "gain": INTERVAL}


def put(workspace, name, **fields):
    folder = adapters_of(workspace).path(name)
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"")
    save_manifest(folder, AdapterManifest(name, "base-1", "a model", {"rank": "1"}, **fields))


@pytest.fixture
def path(tmp_path):
    open_small(tmp_path / "w").close()
    with Workspace.open(tmp_path / "w") as workspace:
        put(workspace, "good", measures=PASSED, model_weight=0.7, weight_new=0.9)
        put(workspace, "poor", measures={**PASSED, "passed": False})
        put(workspace, "new")
    return tmp_path / "w"


def test_one_serves_from_when_it_is_used_until_the_base_model_is(path):
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        assert found.names() == ("good", "new", "poor") and found.in_service is None
        found.use("good")
        assert adapters_of(workspace).in_service.manifest.model_weight == 0.7
        found.use(None)
        assert found.in_service is None
        found.use(None)


def test_a_folder_without_a_manifest_is_no_adapter(path):
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        (found.path("new") / MANIFEST).unlink()
        assert found.names() == ("good", "poor")
        with pytest.raises(AdapterError, match="There are: good, poor"):
            found.get("new")


def test_one_in_service_that_is_gone_is_told(path):
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        found.use("good")
        (found.path("good") / MANIFEST).unlink()
        with pytest.raises(AdapterError, match="no adapter called 'good'"):
            _ = found.in_service


def test_the_list_says_how_much_counts_as_the_workspace_is_now(path):
    def listed():
        line = next(line for line in run("adapters", "list", "-w", str(path)).stdout.splitlines() if "both" in line)
        return float(line.split()[-1])

    with Workspace.open(path) as workspace:
        put(workspace, "both", measures=PASSED, model_weight=0.2, weight_new=0.9)
    assert listed() == 0.9
    with Workspace.open(path) as workspace:
        tune(workspace, HashEncoder(64), shape=SMALL, recipe=QUICK)
        assert model_weight_of(workspace, adapters_of(workspace).get("both").manifest) == 0.2
    assert listed() == 0.2


def test_opening_checks_what_serves(path, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    with Workspace.open(path) as workspace:
        assert adapter_in_service(workspace, Settings(), model) is None
        adapters_of(workspace).use("good")
        with pytest.raises(AdapterError, match="tuned on the model a model"):
            adapter_in_service(workspace, Settings(), model)
        adapter = adapters_of(workspace).get("good")  # nobody chose what came with the package
        save_manifest(adapter.folder, replace(adapter.manifest, shipped=True))
        assert adapter_in_service(workspace, Settings(), model) is None


def test_what_comes_with_the_package_serves_a_new_workspace_of_its_data_set(path, tmp_path, monkeypatch):
    monkeypatch.setattr("agent.shipped.FOLDER", tmp_path / "shipped")
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        shutil.copytree(found.get("good").folder, tmp_path / "shipped" / "films")
        add_shipped(found, "books", workspace.store)
        assert found.in_service is None and "books" not in found.names()
        add_shipped(found, "films", workspace.store)
        assert found.in_service.manifest.name == "films" and found.in_service.manifest.model_weight == 0.7
        found.use(None)
        add_shipped(found, "films", workspace.store)  # who took it out of service meant it
        assert found.in_service is None


def test_another_model_has_another_fingerprint(tmp_path):
    for name, config, weights in (("a", "{}", b"1"), ("b", "{}", b"2"), ("c", "{ }", b"1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
        (tmp_path / name / "model.safetensors").write_bytes(weights)
    assert len({base_fingerprint(tmp_path / name) for name in "abc"}) == 3


def test_a_manifest_of_a_newer_vouchrec_is_told_and_one_that_is_damaged_can_be_removed(path):
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        file = found.path("good") / MANIFEST
        said = json.loads(file.read_text())
        assert said["format"] == FORMAT
        file.write_text(json.dumps({**said, "format": FORMAT + 1, "unheard": True}))
        with pytest.raises(AdapterError, match="newer Vouchrec.*Update Vouchrec, or tune again"):
            found.get("good")
        file.write_text(json.dumps({name: value for name, value in said.items() if name != "format"}))
        assert found.get("good").manifest.format == 1  # as manifests were before they had one
        assert offered(workspace) == ("base", "good")
        file.write_text("{")
        found.use("new")
        assert offered(workspace) == ("base",)
    shown = run("adapters", "list", "--workspace", str(path))
    assert shown.exit_code == 0 and "cannot be read, see below" in shown.stdout, shown.output
    assert "is damaged" in shown.stdout and ", refused" in shown.stdout  # the others are shown all the same
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        found.remove("good")
        assert found.names() == ("new", "poor")


def test_an_adapter_is_called_as_its_folder_whatever_was_moved_by_hand(path):
    with Workspace.open(path) as workspace:
        kept = adapters_of(workspace)
        shutil.move(kept.path("good"), kept.path("moved"))
        kept.use("moved")
        assert kept.names() == ("moved", "new", "poor")
        assert kept.in_service.manifest.name == kept.get("moved").manifest.name == "moved"


def test_weights_that_were_damaged_are_neither_added_nor_put_in_service(path, tmp_path):
    with Workspace.open(path) as workspace:
        found = adapters_of(workspace)
        good = found.get("good")
        save_manifest(good.folder, replace(good.manifest, sha256=weights_hash(good.folder)))
        found.use("good")
        (good.folder / WEIGHTS).write_bytes(b"half")
        for attempt in (lambda: found.use("good"), lambda: found.add(good.folder, "copied")):
            with pytest.raises(AdapterError, match="damaged.*copy it again"):
                attempt()
        assert found.names() == ("good", "new", "poor")


def test_what_comes_with_the_package_is_whole():
    for folder in (file.parent for file in FOLDER.glob(f"*/{MANIFEST}")):
        adapter = read_adapter(folder)
        assert adapter.manifest.sha256 == weights_hash(folder) and adapter.manifest.format == FORMAT


def test_the_list_shows_the_gain_and_who_serves(path):
    result = run("adapters", "list", "--workspace", str(path))
    assert result.exit_code == 0
    assert "+0.0100 (+0.0020 to +0.0200)" in result.stdout and "refused" in result.stdout
    assert "not examined" in result.stdout and "the base model does, alone" in result.stdout
    assert run("adapters", "use", "good", "--workspace", str(path)).exit_code == 0
    assert "good     yes" in run("adapters", "list", "--workspace", str(path)).stdout


def test_the_list_is_shown_while_another_command_holds_the_workspace(path):
    with Workspace.open(path):
        assert "not examined" in run("adapters", "list", "--workspace", str(path)).stdout
        assert run("adapters", "use", "good", "--workspace", str(path)).exit_code != 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sft", "--name", "good"), "an adapter called 'good' already"),
        (("sft", "--name", "a/b"), "cannot be called"),
        (("sft", "--from", "nobody", "--name", "more"), "no adapter called 'nobody'"),
        (("preference", "--name", "good"), "an adapter called 'good' already"),
        (("preference", "--from", "nobody"), "no adapter called 'nobody'"),
        (("promote", "nobody"), "no adapter called 'nobody'"),
    ],
)
def test_a_slip_of_the_hand_is_told_before_anything_is_loaded(path, monkeypatch, command, said):
    monkeypatch.setattr("agent.build.open_encoder", lambda *_: pytest.fail("the encoder was loaded"))
    result = run("finetune", *command, "--workspace", str(path))
    assert result.exit_code == 2 and said in " ".join(result.output.split())


def test_only_what_has_passed_the_gate_can_be_used(path):
    for name in ("poor", "new"):
        result = run("adapters", "use", name, "--workspace", str(path))
        assert result.exit_code != 0 and f"vouchrec finetune promote {name}" in result.output
    assert not (path / "adapters" / IN_SERVICE).exists()
    assert "alone" in run("adapters", "use", "base", "--workspace", str(path)).stdout


def test_what_serves_cannot_be_removed_and_the_rest_can(path):
    run("adapters", "use", "good", "--workspace", str(path))
    assert "in service" in run("adapters", "remove", "good", "--workspace", str(path)).output
    assert run("adapters", "remove", "poor", "--workspace", str(path)).exit_code == 0
    assert not (path / "adapters" / "poor").exists()


def test_without_adapters_the_list_says_how_to_make_one(tmp_path):
    open_small(tmp_path / "w").close()
    result = run("adapters", "list", "--workspace", str(tmp_path / "w"))
    assert result.exit_code == 0 and "finetune sft" in result.stdout


def test_a_manifest_is_readable_by_people(path):
    said = json.loads((path / "adapters" / "good" / MANIFEST).read_text())
    assert said["name"] == "good" and said["model_weight"] == 0.7


def test_an_adapter_from_elsewhere_serves_only_after_the_gate_here(path, tmp_path):
    open_small(tmp_path / "other").close()
    folder = path / "adapters" / "good"
    result = run("adapters", "add", str(folder), "--name", "lent", "--workspace", str(tmp_path / "other"))
    command = f"  vouchrec finetune promote lent --workspace {tmp_path / 'other'}"
    assert result.exit_code == 0 and command in result.stdout.splitlines()
    with Workspace.open(tmp_path / "other") as workspace:
        added = adapters_of(workspace).get("lent").manifest
        assert (added.name, added.measures, added.model_weight, added.weight_new) == ("lent", {}, 0.0, None)
        assert adapters_of(workspace).in_service is None
    assert run("adapters", "use", "lent", "--workspace", str(tmp_path / "other")).exit_code != 0
    again = run("adapters", "add", str(folder), "--name", "lent", "--workspace", str(tmp_path / "other"))
    assert again.exit_code != 0 and "already" in again.output
    nowhere = run("adapters", "add", str(tmp_path / "nowhere"), "--workspace", str(tmp_path / "other"))
    assert nowhere.exit_code != 0 and "no adapter in" in " ".join(nowhere.output.split())
