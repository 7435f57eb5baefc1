"""Tuning by two processes of `accelerate launch`, on a CPU: the way it goes on several GPUs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_sft import QUICK, made, tiny

from agent.build import adapters_of, open_workspace
from finetune.several import is_first, processes, told_by_first

assert tiny  # the fixture

LAUNCH = ["-m", "accelerate.commands.launch", "--cpu", "--num_machines", "1", "--num_processes", "2"]
PLAIN = ["--mixed_precision", "no", "--dynamo_backend", "no"]


def test_one_process_needs_nobody():
    assert processes() == 1 and is_first()
    assert told_by_first(lambda: 2.5)() == 2.5


def test_two_processes_tune_one_adapter(tmp_path, tiny):
    home, recipe = tmp_path / "w", tmp_path / "quick.yaml"
    made(home).close()
    (home / "vouchrec.toml").write_text(f'model = "{tiny}"\ndtype = "float32"\n', encoding="utf-8")
    config = QUICK.model_dump(mode="json") | {"epochs": 4, "batch": 4, "shares": {"next": 0.8, "spell": 0.2}}
    recipe.write_text(yaml.safe_dump(config), encoding="utf-8")
    asked = ["-m", "ui.cli", "finetune", "sft", "--workspace", str(home), "--preset", str(recipe), "--name", "two"]
    done = subprocess.run(
        [sys.executable, *LAUNCH, *PLAIN, *asked],
        capture_output=True, text=True, timeout=400, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("Tuned two in") == 1  # one speaks
    assert "Tune: 48 (" in done.stderr  # four passes over 48 people, four of them a step, whoever reads them
    with open_workspace(home) as workspace:  # nobody holds it any more
        adapters = adapters_of(workspace)
        told = adapters.get("two").manifest.training
        steps = json.loads((adapters.path("two") / "manifest.json").read_text(encoding="utf-8"))
        assert steps["training"]["best"] and told["scores"][-1] > told["scores"][0] - 1e-3
        assert told["losses"][-1] < told["losses"][0]
        assert not (adapters.root / ".tuning" / "two").exists()


@pytest.mark.parametrize("file", sorted((Path(__file__).parents[1] / "finetune" / "launch").glob("*.yaml")))
def test_the_settings_for_launching_are_those_of_accelerate(file):
    from accelerate.commands.config.config_args import load_config_from_file

    assert load_config_from_file(str(file)).num_processes >= 1
