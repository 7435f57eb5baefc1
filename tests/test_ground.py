"""What a tuning stands on is audited before anything is tuned: nothing that is held out may be read in it."""

from dataclasses import replace

import numpy as np
import pytest
from test_sft import ENCODER, QUICK, made, settings, tiny  # noqa: F401

import finetune.ground
from agent.build import adapters_of
from agent.progress import silent
from finetune.evaluate.audit import LeakError
from finetune.evaluate.splits import Known, hold_out_last
from finetune.ground import Ground
from finetune.language import tune_language
from finetune.retrieval import transitions_of

# ruff: noqa: F811 - `tiny` is a fixture of tests/test_sft.py


@pytest.fixture
def workspace(tmp_path):
    """Three people, of whom the last alone went on to film 6, which is held out."""
    with made(tmp_path / "w", people=3) as workspace:
        yield workspace


def ground(workspace, tiny):
    return Ground(workspace, ENCODER, settings(tiny), 0, "mine", None, silent)


def with_held_out(training, held_out):
    """The training histories, in which everyone went on to what is held out."""
    targets = held_out.targets
    return Known(
        training.users,
        *(
            tuple(np.append(one, new) for one, new in zip(column, more, strict=True))
            for column, more in (
                (training.histories, targets),
                (training.values, [5.0] * len(targets)),
                (training.times, [9.0] * len(targets)),
            )
        ),
    )


def test_clean_ground_is_clean(workspace, tiny):
    ready = ground(workspace, tiny)
    ready.explained()
    ready.require_clean(np.array([0, 2]), np.array([3, 3]))
    with pytest.raises(LeakError, match="person 2 with item 6"):
        ready.require_clean(np.array([0, 2]), np.array([3, 6]))


def test_a_training_history_that_holds_what_is_held_out_is_refused(tmp_path, tiny, monkeypatch):
    def leaking(*asked):
        training, held_out = hold_out_last(*asked)
        return with_held_out(training, held_out), held_out

    monkeypatch.setattr(finetune.ground, "hold_out_last", leaking)
    with made(tmp_path / "w") as workspace:
        with pytest.raises(LeakError, match=r"training data: person 0 with item 4, a target of the test, .* 45 more"):
            tune_language(workspace, ENCODER, settings(tiny), QUICK, "mine")
        assert adapters_of(workspace).names() == ()


def test_a_history_that_holds_what_it_is_asked_for_is_refused(workspace, tiny, monkeypatch):
    def leaking(*asked):
        training, held_out = hold_out_last(*asked)
        return training, replace(held_out, known=with_held_out(held_out.known, held_out))

    monkeypatch.setattr(finetune.ground, "hold_out_last", leaking)
    with pytest.raises(LeakError, match="in the history: person 0 is asked for item 4"):
        ground(workspace, tiny)


def test_steps_and_likes_that_reasons_are_drawn_from_are_audited(workspace, tiny, monkeypatch):
    ready = ground(workspace, tiny)
    learned = with_held_out(ready.training, ready.held_out)

    def leaking(_, dataset):
        return transitions_of(learned, dataset)

    monkeypatch.setattr(finetune.ground, "transitions_of", leaking)
    with pytest.raises(LeakError, match=r"transitions: from item \d to item \d.*evidence: person 0 with item 4"):
        ready.explained()
    # every step was taken by somebody, but others like what they were to be asked for
    likes = replace(ready.training, histories=tuple(ready.training.histories[row] for row in (1, 2, 2)))
    monkeypatch.setattr(finetune.ground, "transitions_of", lambda _, dataset: transitions_of(likes, dataset))
    with pytest.raises(LeakError, match=r"the evidence: person 0 with item 4, .*person 1 with item 5"):
        ready.explained()
