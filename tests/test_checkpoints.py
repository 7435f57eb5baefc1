"""A disk that is full and a kill, amid a checkpoint: one clear error, and the run goes on from a whole one."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_sft import ENCODER, QUICK, Killed, made, settings, tiny, tuned_in
from transformers import Trainer

from agent.build import adapters_of
from agent.errors import AdapterError
from agent.generation.adapters import WEIGHTS
from agent.workspace.workspace import Workspace
from finetune import ground, language
from finetune.averaging import FILE, Averaging
from finetune.ground import Ground

assert tiny  # the fixture

resource = pytest.importorskip("resource")
SHORT = QUICK.model_copy(update={"epochs": 3})  # three steps a pass


@pytest.fixture(scope="module")
def serving(tmp_path_factory, tiny):
    """A workspace with an adapter of SHORT in service."""
    path = tmp_path_factory.mktemp("serving") / "w"
    tuned_in(path, tiny, SHORT, "whole")
    with Workspace.open(path) as workspace:
        adapters_of(workspace).use("whole")
    return path


@pytest.fixture
def path(serving, tmp_path):
    shutil.copytree(serving, tmp_path / "w")
    return tmp_path / "w"


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Inside, no file may grow beyond so many bytes: a write fails midway."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def full_at(patched, owner, method, size, call):
    """Let the disk be full while a method is called for that time."""
    calls, original = count(1), getattr(owner, method)

    def called(*given, **named):
        if next(calls) != call:
            return original(*given, **named)
        with little_room(size):
            return original(*given, **named)

    patched.setattr(owner, method, called)


def goes_on(path, tiny, name="again", since=3):
    """The steps of a run from `since` to its end, which must give the adapter of the run that nothing happened to."""
    steps = []
    again = tuned_in(path, tiny, SHORT, name, lambda stage, done, *_: steps.append((stage, done)))
    steps = [(stage, done) for stage, done in steps if stage.startswith("tune")]
    assert {stage for stage, _ in steps} <= {f"tune, going on from step {since}" if since else "tune"}
    with Workspace.open(path) as workspace:
        whole = adapters_of(workspace).in_service
    assert whole.manifest.name == "whole"
    first, second = (load_file(a.folder / WEIGHTS) for a in (whole, again))
    for tensor in first:  # to rounding: two threads may add in either order
        torch.testing.assert_close(second[tensor], first[tensor], rtol=1e-3, atol=1e-4)
    assert again.manifest.training["losses"] == pytest.approx(whole.manifest.training["losses"])
    return [done for _, done in steps]


def checkpoints(path):
    return sorted(path.glob("adapters/.tuning/again/*/checkpoint-*"))


@pytest.mark.parametrize(
    ("owner", "method", "size", "said"),
    [
        (Trainer, "save_model", 20_000, "Error while serializing"),  # the weights, by safetensors
        (Trainer, "save_model", 100_000, "File too large"),  # the tokenizer, by tokenizers
        (Trainer, "_save_optimizer_and_scheduler", 1000, "inline_container"),  # by torch
        (Averaging, "save", 1000, "Error while serializing"),
    ],
)
def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(path, tiny, monkeypatch, owner, method, size, said):
    with monkeypatch.context() as patched:
        full_at(patched, owner, method, size, call=2)
        with pytest.raises(AdapterError, match=r"checkpoint-6 \(.*MB are free there.*same command again") as told:
            tuned_in(path, tiny, SHORT, "again")
    assert said in str(told.value)
    with Workspace.open(path) as workspace:
        assert adapters_of(workspace).names() == ("whole",)
    assert goes_on(path, tiny) == [4, 5, 6, 7, 8, 9]


def test_an_adapter_that_could_not_be_written_is_written_without_another_pass(path, tiny, monkeypatch):
    numbers, hasty = count(), SHORT.model_copy(update={"patience": 1})
    monkeypatch.setattr(language, "likelihood", lambda *_: -float(next(numbers)))  # each pass is worse
    with monkeypatch.context() as patched:
        full_at(patched, Ground, "_write", 1000, call=1)
        with pytest.raises(AdapterError, match="adapter cannot be written.*MB are free.*same command again"):
            tuned_in(path, tiny, hasty, "again")
    steps = []
    again = tuned_in(path, tiny, hasty, "again", lambda stage, *_: steps.append(stage))
    assert not any(stage.startswith("tune") for stage in steps) and again.manifest.training["scores"] == [0.0, -1.0]


def _killed_in_the_second_save(path: Path, tiny: Path) -> None:
    """Tune, and be killed when half of the average of the second checkpoint stands on the disk."""
    from safetensors import torch as library

    saves, original = count(1), library.save_file

    def save_file(tensors, file, said=None):
        original(tensors, file, said)
        if FILE in str(file) and next(saves) == 2:
            os.truncate(file, os.path.getsize(file) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    library.save_file = save_file
    tuned_in(path, tiny, SHORT, "again")


def test_a_run_that_was_killed_in_a_save_goes_on_from_the_newest_whole_checkpoint(path, tiny):
    process = multiprocessing.get_context("spawn").Process(target=_killed_in_the_second_save, args=(path, tiny))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    whole, broken = checkpoints(path)
    assert (whole.name, broken.name) == ("checkpoint-3", "checkpoint-6")
    assert not (broken / FILE).exists() and list(broken.glob(f"{FILE}.*.draft"))
    os.truncate(broken / "optimizer.pt", 100)  # nothing in it is to be trusted
    assert goes_on(path, tiny) == [4, 5, 6, 7, 8, 9]


def test_a_run_that_was_killed_in_its_first_save_begins_anew(path, tiny, monkeypatch):
    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Averaging, "save", killed)
        with pytest.raises(Killed):
            tuned_in(path, tiny, SHORT, "again")
    (broken,) = checkpoints(path)
    os.truncate(broken / "trainer_state.json", 10)
    assert goes_on(path, tiny, since=0) == [*range(1, 10)]


# -- what a run is named after


def test_a_prompt_that_was_edited_begins_anew(path, tiny, tmp_path):
    prompts = tmp_path / "prompts"
    shutil.copytree(Path(__file__).parents[1] / "prompts" / "recommend", prompts)
    own = settings(tiny).model_copy(update={"prompts": str(prompts)})
    begun = []

    def run(told):
        with Workspace.open(path) as workspace:
            language.tune_language(workspace, ENCODER, own, SHORT, "again", told)

    def kill(stage, done, *_):
        begun.append(done) if stage.startswith("tune") else None
        if stage.startswith("tune") and done == 5:
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            run(kill)
    assert begun == [1, 2, 3, 4, 5, 4, 5]
    file = prompts / "rank.prompty"
    file.write_text(file.read_text(encoding="utf-8").replace("You ", "You always ", 1), encoding="utf-8")
    with pytest.raises(Killed):
        run(kill)
    assert begun[7:] == [1, 2, 3, 4, 5]


def test_all_that_decides_a_run_is_in_its_name(tmp_path, tiny, monkeypatch):
    def named(encoder=ENCODER, **changed):
        own = settings(tiny).model_copy(update=changed)
        return Ground(workspace, encoder, own, 0, "ring", None, lambda *_: None).work(SHORT)

    class Renamed(type(ENCODER)):
        def __init__(self):
            super().__init__(32)
            self.name = "another"

    with made(tmp_path / "w") as workspace:
        names = [named(), named(dtype="bfloat16"), named(noun="book"), named(encoder=Renamed())]
        names.append(named(prompts="books"))
        installed = ground.versions()
        assert named() == names[0]
        for library in installed:
            monkeypatch.setattr(ground, "versions", lambda library=library: {**installed, library: "0"})
            names.append(named())
    assert len(installed) >= 3 and len(set(names)) == len(names)
