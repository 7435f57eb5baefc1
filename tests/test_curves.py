"""How a tuning run is watched: its progress tells loss, speed and time left; TensorBoard draws it while it runs."""

import pytest
from test_sft import QUICK, Killed, narrow_model, tuned_in

from agent.build import adapters_of
from agent.errors import InputError
from agent.workspace.workspace import Workspace
from finetune import ready
from finetune.recipe import read_config
from finetune.trainer import CURVES

SHORT = QUICK.model_copy(update={"epochs": 4})  # three steps a pass


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return narrow_model(tmp_path_factory.mktemp("tiny") / "model")


def test_each_step_tells_its_loss_and_how_fast_it_goes(tmp_path, tiny):
    told = []
    adapter = tuned_in(tmp_path / "w", tiny, SHORT, progress=lambda *step: told.append(step))
    steps = [step for step in told if step[0] == "tune"]
    assert [done for _, done, _, _ in steps] == list(range(1, 13))
    last = steps[-1][3]  # the mean of a whole pass
    assert last.startswith(f"loss {adapter.manifest.training['losses'][-1]:.3f}, ") and last.endswith(" tokens/s")
    assert not (adapter.folder / CURVES).exists()


def test_tensorboard_has_the_curves_while_it_runs_and_with_the_adapter(tmp_path, tiny):
    pytest.importorskip("tensorboard")
    drawn = SHORT.model_copy(update={"report_to": "tensorboard"})

    def kill(stage, done, total, said=""):
        if stage == "tune" and done == 11:
            raise Killed

    with pytest.raises(Killed):
        tuned_in(tmp_path / "w", tiny, drawn, progress=kill)
    with Workspace.open(tmp_path / "w") as workspace:
        (running,) = adapters_of(workspace).root.glob(f".tuning/ring/*/{CURVES}")
    assert list(curve(running, "train/loss")) == [3, 6, 9, 10]
    adapter = tuned_in(tmp_path / "w", tiny, drawn)
    loss, score = (curve(adapter.folder / CURVES, name) for name in ("train/loss", "eval/score"))
    assert list(loss) == [3, 6, 9, 10, 12] and loss[12] < loss[3]
    assert list(score.values()) == pytest.approx(adapter.manifest.training["scores"], rel=1e-4)
    assert not running.exists()


def curve(folder, name):
    """Its values by step, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder))
    board.Reload()
    return {event.step: event.value for event in board.Scalars(name)}


def test_what_would_draw_but_is_not_there_is_told_before_anything_begins(tmp_path, tiny, monkeypatch):
    there = ready.find_spec
    monkeypatch.setattr(ready, "find_spec", lambda name: None if name == "trackio" else there(name))
    with pytest.raises(InputError, match="pip install trackio"):
        tuned_in(tmp_path / "w", tiny, SHORT.model_copy(update={"report_to": "trackio"}))
    with pytest.raises(InputError, match="report_to cannot be 'wandb'.*'trackio'"):
        read_config("cpu", report_to="wandb")
