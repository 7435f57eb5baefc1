"""What the gate compares an adapter with, and whom it asks, for real on a tiny model."""

import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file
from test_behaviour import QUICK as BRIEF
from test_behaviour import SMALL
from test_cli import run
from test_sft import ENCODER, N, examined, made, settings, tiny, two_gaits  # noqa: F401

from agent.build import adapters_of
from agent.errors import AdapterError, InputError
from agent.generation.adapters import IN_SERVICE, MANIFEST, WEIGHTS, read_adapter, save_manifest, weights_hash
from agent.schema import Interaction, Item
from agent.workspace.workspace import Workspace
from finetune import gate
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import hold_out_last
from finetune.gate import promote
from finetune.learned import RECORD, fairly_asked
from finetune.retrieval import tune

# ruff: noqa: F811 - `tiny` and `two_gaits` are fixtures of tests/test_sft.py


@pytest.fixture
def path(two_gaits, tmp_path):
    """A workspace with the adapter "good", which nobody has examined."""
    shutil.copytree(two_gaits, tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture
def command_line(tiny, monkeypatch):
    """Commands find the tiny model and the fake encoder."""
    for name, value in (("MODEL", tiny), ("ENCODER", ENCODER.name), ("DTYPE", "float32")):
        monkeypatch.setenv(f"VOUCHREC_{name}", str(value))
    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress=None: ENCODER)


def marked(workspace, name="good", **fields):
    """The adapter with another manifest."""
    adapter = adapters_of(workspace).get(name)
    save_manifest(adapter.folder, replace(adapter.manifest, **fields))
    return adapters_of(workspace).get(name)


def spoil(folder):
    """From now on it says the contrary."""
    tensors = load_file(folder / WEIGHTS)
    save_file({n: -t if n.endswith("items.ask.weight") else t for n, t in tensors.items()}, folder / WEIGHTS)
    save_manifest(folder, replace(read_adapter(folder).manifest, sha256=weights_hash(folder)))


def test_behaviour_is_learned_and_told_though_what_serves_is_gone(path, command_line):
    (path / "adapters" / IN_SERVICE).write_text("gone", encoding="utf-8")
    small = ("--epochs", "1", "--members", "1", "--width", "8", "--layers", "1")
    result = run("finetune", "behaviour", "--workspace", str(path), *small)
    assert result.exit_code == 0 and "Trained on" in result.stdout, result.output


# -- what it is compared with


def test_what_stepped_aside_is_not_what_serves(path, tiny):
    with Workspace.open(path) as workspace:
        adapters = adapters_of(workspace)
        adapters.add(adapters.get("good").folder, "unfit")
        marked(workspace, "unfit", base="0" * 16, shipped=True, model_weight=1.5)
        adapters.use("unfit")
    found, serving = examined(path, tiny, "good")
    assert found.gain.low > 0  # beside its own twin it would gain nothing
    assert serving.manifest.name == "good"

    with Workspace.open(path) as workspace:
        marked(workspace, "unfit", shipped=False)  # somebody chose it, so nothing serves at all
        adapters_of(workspace).use("unfit")
        with pytest.raises(AdapterError, match="'unfit' was tuned on the model .* adapters use base"):
            promote(workspace, ENCODER, settings(tiny), "good")


def test_the_one_in_service_is_judged_beside_the_base_model(path, tiny):
    with Workspace.open(path) as workspace:
        marked(workspace, model_weight=1.5, measures={"passed": True})
        adapters_of(workspace).use("good")
    found, serving = examined(path, tiny, "good")
    assert found.again and found.gain.low > 0  # beside itself it would gain nothing
    assert serving.manifest.model_weight == serving.manifest.weight_new == found.weight != 1.5
    assert serving.manifest.measures["gain"] == found.gain.as_dict()


def test_one_in_service_that_would_be_refused_goes_on_as_it_was(path, tiny, command_line):
    asked = ("finetune", "promote", "good", "--people", "40", "--workspace", str(path))
    passed = run(*asked)
    assert passed.exit_code == 0, passed.output
    assert "good serves from now on, with weight" in passed.stdout and "as it serves now" in passed.stdout
    with Workspace.open(path) as workspace:
        adapters = adapters_of(workspace)
        folder = adapters.in_service.folder
        assert adapters.in_service.manifest.measures["people"] == 40
    spoil(folder)
    before = (folder / MANIFEST).read_bytes()
    refused = run(*asked)
    told = " ".join(refused.stdout.split())
    assert refused.exit_code == 1 and "ndcg@10: " in told and "with the base model alone" in told
    assert "It goes on serving as it was, and nothing was written." in told and "does not serve" not in told
    assert f"  vouchrec adapters use base --workspace {path}" in refused.stdout.splitlines()
    assert (folder / MANIFEST).read_bytes() == before
    with Workspace.open(path) as workspace:
        assert adapters_of(workspace).in_service.manifest.name == "good"


def test_it_can_be_weighed_without_being_compared(path, tiny, monkeypatch):
    with Workspace.open(path) as workspace:
        before = (adapters_of(workspace).get("good").folder / MANIFEST).read_bytes()
        monkeypatch.setattr(gate, "attempt", None)  # no reason is written
        weights = gate.weigh(workspace, ENCODER, settings(tiny), "good", 40)
        monkeypatch.undo()
        assert (adapters_of(workspace).get("good").folder / MANIFEST).read_bytes() == before
        found = promote(workspace, ENCODER, settings(tiny), "good", 40)
    assert weights == (found.weight, found.weight_new) and found.weight > 0


# -- whom it asks


def test_an_adapter_from_elsewhere_asks_people_who_are_not_its_own(path, tiny, tmp_path, command_line):
    shared = 8
    with made(tmp_path / "other", people=60, gaits=(1, 5)) as other:
        other.store.put_items([Item(f"f{n}", f"A Book about {n} Whales") for n in range(shared, N)])
    where = ("--workspace", str(tmp_path / "other"))
    assert run("adapters", "add", str(path / "adapters" / "good"), "--name", "lent", *where).exit_code == 0
    asked = ("finetune", "promote", "lent", "--people", "40", *where)
    refused = run(*asked)
    assert refused.exit_code == 2 and "--other-people" in refused.stderr and "another workspace" in refused.stderr
    found = run(*asked, "--other-people")
    assert found.exit_code == 0 and "lent serves from now on" in found.stdout, found.output
    with Workspace.open(tmp_path / "other") as other:
        lent = adapters_of(other).in_service.manifest
    assert lent.name == "lent" and lent.model_weight > 0 and lent.measures["people"] == 40
    again = run(*asked, "--other-people")
    assert again.exit_code == 0 and "with the base model alone" in " ".join(again.stdout.split())
    assert f"lent goes on serving, now with weight {lent.model_weight:g}" in again.stdout


def test_who_may_be_asked_where_no_record_tells(path, tmp_path):
    with Workspace.open(path) as workspace:
        good = adapters_of(workspace).get("good")
        training = {name: told for name, told in good.manifest.training.items() if name != RECORD}
        unrecorded = replace(good, manifest=replace(good.manifest, training=training))
        elsewhere = {**training, RECORD: {"store": "another", "through": 9, "held_out": []}}
        lent = replace(good, manifest=replace(good.manifest, training=elsewhere))
        foreign = replace(lent, manifest=replace(lent.manifest, items=("f3#another",)))
        tuned_twice = replace(good, manifest=replace(good.manifest, training={**training, "from": "another"}))

        def may_ask(adapter, **flags):
            dataset = from_store(workspace.store, "w")
            cases = hold_out_last(dataset, 0, 2000)[1]
            try:
                return len(fairly_asked(adapter, workspace.store, dataset, cases, **flags)) == len(cases)
            except InputError as error:
                assert "--other-people" in str(error)
                return False

        assert may_ask(unrecorded) and may_ask(lent) and may_ask(foreign)  # the data are those it was tuned on
        assert not may_ask(tuned_twice)  # of those who were held out then it may have learned before
        workspace.store.put_interactions([Interaction("p0", "f11", "rating", 5.0, 9.0)])
        assert may_ask(good) and may_ask(foreign) and not may_ask(unrecorded) and not may_ask(lent)
        assert may_ask(unrecorded, others=True) and may_ask(lent, others=True)


def test_what_has_come_since_refuses_nobody_and_those_it_knows_are_not_asked(path, tiny, monkeypatch):
    with Workspace.open(path) as workspace:
        good = adapters_of(workspace).get("good")
        record = good.manifest.training[RECORD]
        assert len(record["held_out"]) == 96
        known = {**record, "held_out": record["held_out"][-30:]}  # as if the others had been learned from
        good = marked(workspace, training={**good.manifest.training, RECORD: known})
        store = workspace.store
        store.put_interactions([Interaction("p0", "f11", "rating", 5.0, 9.0)])
        store.put_interactions([Interaction("new", f"f{n}", "rating", 5.0, float(n)) for n in range(4)])
        store.put_interactions([Interaction("once", "f3", "rating", 5.0, 1.0)])

        asked, learned = [], []
        of, held_out = gate.query_of, gate.held_out
        monkeypatch.setattr(gate, "query_of", lambda c, history, *a: asked.append(tuple(history)) or of(c, history, *a))
        monkeypatch.setattr(gate, "held_out", lambda *a: learned.append(a[3]) or held_out(*a))
        found = promote(workspace, ENCODER, settings(tiny), "good")
        assert found.passed and found.people == len(asked) / 2 == 32
        people = from_store(store, "w").user_ids
    histories = dict(zip((people[user] for user in learned[0].users), learned[0].histories, strict=True))
    # p0 is asked for what came, of which neither the adapter nor retrieval knows; the old last choice is history now
    assert histories["p0"].tolist() == [0, 1, 2, 3, 4]
    assert tuple(histories["p0"]) in asked and histories["new"].tolist() == [0, 1, 2]
    assert all(len(histories[f"p{n}"]) == 4 for n in range(1, 96)) and len(histories["once"]) == 1


def test_trained_behaviour_that_knows_who_is_asked_is_to_be_trained_again(path, tiny):
    with Workspace.open(path) as workspace:
        tune(workspace, ENCODER, shape=SMALL, recipe=BRIEF)
        workspace.store.put_interactions([Interaction("p0", "f11", "rating", 5.0, 9.0)])
        with pytest.raises(InputError, match="finetune behaviour --seed 0"):
            promote(workspace, ENCODER, settings(tiny), "good")
