from dataclasses import replace

import numpy as np
import pytest
from evaluate_data import dataset, walkers

from finetune.evaluate.audit import (
    LeakError,
    audit_ids,
    audit_prompts,
    audit_split,
    audit_training,
    audit_transitions,
    require_clean,
)  # fmt: skip
from finetune.evaluate.splits import Known, make_split
from finetune.retrieval import transitions_of

DATA = walkers(60, n_items=40)
SPLIT = make_split(DATA, "leave-one-out", 0)


def prompts(leaking=None):
    told = []
    for row, (history, targets) in enumerate(zip(SPLIT.test.known.histories, SPLIT.test.targets, strict=True)):
        shown = [*history, *(targets if row == leaking else [])]
        told.append("I liked " + ", ".join(DATA.catalogue[i].title for i in shown) + ". Next?")
    return told


def places(leaks):
    return {leak.place for leak in leaks}


def test_a_clean_run_is_clean():
    require_clean(audit_split(SPLIT, DATA))
    require_clean(audit_transitions(transitions_of(SPLIT.training, DATA).transitions, SPLIT.training))
    require_clean(audit_ids([f"case-{row}" for row in range(60)], SPLIT.test, DATA))
    require_clean(audit_prompts(prompts(), SPLIT.test, DATA.catalogue))


def test_a_target_in_the_history_is_caught():
    known = SPLIT.test.known
    planted = (np.append(known.histories[0], SPLIT.test.targets[0]), *known.histories[1:])
    values = (np.append(known.values[0], 5.0), *known.values[1:])
    times = (np.append(known.times[0], 99.0), *known.times[1:])
    leaking = replace(SPLIT, test=replace(SPLIT.test, known=Known(known.users, planted, values, times)))
    assert "history" in places(audit_split(leaking, DATA))


def test_a_target_in_the_training_data_is_caught():
    own = SPLIT.training
    planted = (np.append(own.histories[0], SPLIT.test.targets[0]), *own.histories[1:])
    training = Known(own.users, planted, own.values, own.times)
    assert places(audit_training(training, SPLIT)) == {"training data"}
    assert "training data" in places(audit_split(replace(SPLIT, training=training), DATA))


def test_only_the_choice_of_the_validation_may_be_learned_before_the_test():
    split = make_split(DATA, "leave-one-out", 0, refit=True)
    assert audit_split(split, DATA) == []
    assert len(audit_training(split.refit, split)) == len(split.validation)  # so it is there to be found
    own = split.refit
    planted = (*own.histories[:-1], np.append(own.histories[-1], split.test.targets[-1]))
    (leak,) = audit_split(replace(split, refit=replace(own, histories=planted)), DATA)
    assert leak.place == "training data" and leak.detail.endswith("a target of the test")


def test_a_target_in_the_transitions_is_caught():
    # A split in which nobody trains on the steps into item 39: learned from the test, they show.
    data = walkers(30, n_items=40)
    split = make_split(data, "leave-one-out", 0)
    everything = replace(
        split,
        training=Known(
            split.test.known.users,
            tuple(np.append(h, t) for h, t in zip(split.test.known.histories, split.test.targets, strict=True)),
            tuple(np.append(v, 5.0) for v in split.test.known.values),
            tuple(np.append(t, 99.0) for t in split.test.known.times),
        ),
    )
    leaks = audit_transitions(transitions_of(everything.training, data).transitions, split.training)
    assert places(leaks) == {"transitions"}
    last = int(split.test.targets[-1][0])
    assert any(leak.detail.endswith(f"to item {last}") for leak in leaks)


def test_what_shares_a_time_may_have_been_walked_either_way():
    data = dataset([[0, 1, 2, 3, 4]] * 3, times=[[0.0, 0.0, 1.0, 2.0, 3.0]] * 3)
    split = make_split(data, "leave-one-out", 0)
    learned = transitions_of(split.training, data).transitions
    assert learned[0, 1] > 0 and learned[1, 0] > 0 and learned[2, 0] == 0
    assert audit_transitions(learned, split.training) == []


def test_a_target_in_the_ids_is_caught():
    ids = [f"row-{DATA.catalogue[targets[0]].item_id}" for targets in SPLIT.test.targets]
    leaks = audit_ids(ids, SPLIT.test, DATA)
    assert places(leaks) == {"ids"} and len(leaks) == 60


def test_ids_that_meet_by_chance_are_no_leak():
    numbered = replace(DATA, catalogue=tuple(replace(i, item_id=i.item_id[4:]) for i in DATA.catalogue))
    assert audit_ids([f"case {row % 40}" for row in range(60)], SPLIT.test, numbered) == []


def test_a_target_in_the_prompt_is_caught():
    leaks = audit_prompts(prompts(leaking=7), SPLIT.test, DATA.catalogue)
    assert [leak.place for leak in leaks] == ["prompt"] and "case 7" in leaks[0].detail


def test_an_id_in_the_prompt_is_caught():
    told = prompts()
    told[3] += f" ({DATA.catalogue[SPLIT.test.targets[3][0]].item_id})"
    assert places(audit_prompts(told, SPLIT.test, DATA.catalogue)) == {"prompt"}


def test_a_title_that_belongs_in_the_prompt_is_no_leak():
    titles = {int(SPLIT.test.targets[0][0]): "It", int(SPLIT.test.known.histories[0][0]): "Let It Be"}
    catalogue = [replace(item, title=titles.get(i, item.title)) for i, item in enumerate(DATA.catalogue)]
    case = SPLIT.test.only(np.array([0]))
    template = "It is late. Next?"
    assert audit_prompts(["Let It Be. It is late. Next?"], case, catalogue, template) == []
    assert audit_prompts(["Let It Be. It. It is late. Next?"], case, catalogue, template) != []


def test_a_training_row_from_the_future_is_caught():
    data = walkers(60, n_items=40, length=10)
    split = make_split(data, "global-time", 0)
    later = split.test.known.only(np.array([0]))
    training = Known(
        np.append(split.training.users, later.users),
        (*split.training.histories, np.append(later.histories[0], split.test.targets[0])),
        (*split.training.values, np.append(later.values[0], 5.0)),
        (*split.training.times, np.append(later.times[0], 99.0)),
    )
    assert "training data" in places(audit_split(replace(split, training=training), data))


def test_a_leak_fails_with_what_was_found():
    with pytest.raises(LeakError, match=r"can be read in the prompt: 'Title \d+' in that of case 7"):
        require_clean(audit_prompts(prompts(leaking=7), SPLIT.test, DATA.catalogue))
