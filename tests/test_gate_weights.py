"""The gate's two weights, for real on a tiny model: beside retrieval as it serves, and beside the same untrained."""

import shutil

from test_behaviour import QUICK as BRIEF
from test_behaviour import SMALL
from test_sft import ENCODER, QUICK, examined, made, settings, tiny  # noqa: F401

from agent.build import adapters_of
from agent.workspace.workspace import Workspace
from finetune.gate import MOST
from finetune.language import tune_language
from finetune.retrieval import tune

# ruff: noqa: F811 - `tiny` is a fixture of tests/test_sft.py


def weights(path, tiny):
    """What the gate writes into the manifest of the one adapter: beside trained behaviour, and without it."""
    examined(path, tiny, "brief")
    with Workspace.open(path) as workspace:
        measured = adapters_of(workspace).get("brief").manifest.measured
    return measured.learned, measured.new


def test_each_retrieval_has_a_weight_of_its_own(tmp_path, tiny):
    # Tuned so briefly that it is often wrong: what is always right counts as much as it may beside any retrieval.
    with made(tmp_path / "new", people=60, gaits=(1, 5)) as workspace:
        tune_language(workspace, ENCODER, settings(tiny), QUICK.model_copy(update={"epochs": 3}), "brief")
    shutil.copytree(tmp_path / "new", tmp_path / "learned")
    with Workspace.open(tmp_path / "learned") as workspace:
        tune(workspace, ENCODER, shape=SMALL, recipe=BRIEF)

    alone, the_same = weights(tmp_path / "new", tiny)
    beside, without = weights(tmp_path / "learned", tiny)
    assert alone == the_same == without  # a new workspace is that workspace without what was trained
    assert 0 < without < MOST and beside > 0 and beside != without
