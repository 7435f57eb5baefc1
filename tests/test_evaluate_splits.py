import numpy as np
import pytest
from evaluate_data import dataset, walkers

from agent.errors import InputError
from agent.schema import Interaction, Item
from finetune.evaluate.audit import audit_split
from finetune.evaluate.data import from_interactions
from finetune.evaluate.splits import PROTOCOLS, k_core, make_split


def as_lists(known):
    return {int(u): h.tolist() for u, h in zip(known.users, known.histories, strict=True)}


def targets(cases):
    return {int(u): t.tolist() for u, t in zip(cases.known.users, cases.targets, strict=True)}


def test_leave_one_out():
    split = make_split(dataset([[3, 1, 4, 2], [0, 1], [2, 0, 3]]), "leave-one-out", 0)
    assert as_lists(split.training) == {0: [3, 1], 1: [0, 1], 2: [2]}
    assert as_lists(split.validation.known) == {0: [3, 1], 2: [2]} and targets(split.validation) == {0: [4], 2: [0]}
    assert as_lists(split.test.known) == {0: [3, 1, 4], 2: [2, 0]} and targets(split.test) == {0: [2], 2: [3]}
    assert split.left_out == 1


def test_what_was_held_out_for_validation_is_learned_before_the_test():
    data = dataset([[3, 1, 4, 2], [0, 1], [2, 0, 3]])
    plain, split = make_split(data, "leave-one-out", 0), make_split(data, "leave-one-out", 0, refit=True)
    assert plain.refit is None and plain.learned is plain.training
    assert as_lists(split.learned) == {0: [3, 1, 4], 1: [0, 1], 2: [2, 0]}
    assert split.learned.times[0].tolist() == [0.0, 1.0, 2.0] and split.learned.values[0].tolist() == [5.0] * 3
    assert as_lists(split.training) == as_lists(plain.training) and split.without_test().refit is split.refit
    assert split.fingerprint() != plain.fingerprint()


def test_a_repeated_item_counts_once_at_its_first_time():
    split = make_split(dataset([[3, 1, 3, 4, 1]]), "leave-one-out", 0)
    assert as_lists(split.test.known) == {0: [3, 1]} and targets(split.test) == {0: [4]}


def test_ties_are_shuffled_by_the_seed_and_time_is_kept():
    data = dataset([[0, 1, 2, 3, 4, 5, 6, 7]], times=[[1.0] * 4 + [2.0] * 4])
    orders = set()
    for seed in range(8):
        split = make_split(data, "leave-one-out", seed)
        whole = [*split.test.known.histories[0].tolist(), *split.test.targets[0].tolist()]
        assert set(whole[:4]) == {0, 1, 2, 3}
        orders.add(tuple(whole))
        assert make_split(data, "leave-one-out", seed).fingerprint() == split.fingerprint()
    assert len(orders) > 4


def test_a_missing_time_counts_as_oldest():
    data = dataset([[0, 1, 2]], times=[[5.0, np.nan, 6.0]])
    assert as_lists(make_split(data, "leave-one-out", 0).test.known) == {0: [1, 0]}


def test_global_time():
    # Ten interactions at times 0 to 9: learning ends at 7.2, tuning at 8.1.
    histories = [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]
    times = [[0.0, 1, 2, 3, 9], [4.0, 5, 8], [6.0, 7]]
    split = make_split(dataset(histories, times=times), "global-time", 0)
    assert as_lists(split.training) == {0: [0, 1, 2, 3], 1: [5, 6], 2: [8, 9]}
    assert targets(split.validation) == {1: [7]} and as_lists(split.validation.known) == {1: [5, 6]}
    assert targets(split.test) == {0: [4]} and as_lists(split.test.known) == {0: [0, 1, 2, 3]}
    later = make_split(dataset(histories, times=times), "global-time", 0, refit=True)
    assert as_lists(later.learned) == {0: [0, 1, 2, 3], 1: [5, 6, 7], 2: [8, 9]}


def test_global_time_needs_times():
    data = dataset([[0, 1, 2]], times=[[1.0, np.nan, 2.0]])
    with pytest.raises(InputError, match="1 of 3 have none"):
        make_split(data, "global-time", 0)


@pytest.mark.parametrize("known", [0, 1, 3, 5])
def test_cold_people_are_never_learned_from(known):
    split = make_split(walkers(60, n_items=20, length=12), f"cold-people-{known}", 0)
    cold = {*split.validation.known.users.tolist(), *split.test.known.users.tolist()}
    assert len(cold) == 12 and not cold & set(split.training.users.tolist())
    assert {len(h) for h in split.test.known.histories} == {known}
    first, wanted = split.test.known.histories[0], split.test.targets[0]
    start = int(split.test.known.users[0])
    walked = [(start + step) % 20 for step in range(12)]
    assert [*first.tolist(), *wanted.tolist()] == walked[: known + 10]
    learned = make_split(walkers(60, n_items=20, length=12), f"cold-people-{known}", 0, refit=True).learned
    assert set(learned.users.tolist()) == set(range(60)) - set(split.test.known.users.tolist())


def test_cold_items_are_never_learned_from():
    split = make_split(walkers(60, n_items=20, length=8), "cold-items", 0)
    learned = set(np.concatenate(split.training.histories).tolist())
    tuned, tested = (set(np.concatenate(c.targets).tolist()) for c in (split.validation, split.test))
    assert len(tuned) == len(tested) == 2 and not tuned & tested and not learned & (tuned | tested)
    for cases in (split.validation, split.test):
        assert not set(np.concatenate(cases.known.histories).tolist()) & (tuned | tested)
    # Nothing after a target is learned from.
    own = as_lists(split.training)
    for user, history in as_lists(split.test.known).items():
        assert own.get(user, []) == history[: len(own.get(user, []))]
    # What was withheld for validation is no longer cold, but nothing after a target of the test is learned.
    learned = make_split(walkers(60, n_items=20, length=8), "cold-items", 0, refit=True).learned
    assert tuned <= set(np.concatenate(learned.histories).tolist())
    wanted = targets(split.test)
    for user, history in as_lists(learned).items():
        walked = [(user + step) % 20 for step in range(8)]
        end = walked.index(wanted[user][0]) if user in wanted else 8
        assert set(history) <= set(walked[:end]) - tested


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("refit", [False, True])
def test_every_protocol_is_clean_and_the_same_again(protocol, refit):
    data = walkers(60, n_items=20, length=12)
    split = make_split(data, protocol, 3, refit=refit)
    assert audit_split(split, data) == []
    assert make_split(data, protocol, 3, refit=refit).fingerprint() == split.fingerprint()
    assert len(split.without_test().test) == 0 and len(split.test)


def test_an_empty_split_is_an_error():
    with pytest.raises(InputError, match=r"is empty: 0 people to learn from.*three interactions"):
        make_split(dataset([[0, 1], [2]]), "leave-one-out", 0)
    with pytest.raises(InputError, match="no protocol 'random'"):
        make_split(dataset([[0, 1, 2]]), "random", 0)


def test_sampled_asks_the_same_people_for_every_seed():
    data = walkers()
    first, second = (make_split(data, "leave-one-out", seed).sampled(10) for seed in (0, 1))
    assert first.test.known.users.tolist() == second.test.known.users.tolist() and len(first.test) == 10
    assert len(first.training) == 60


def test_in_a_core_a_repeated_pair_stands_at_its_first_time():
    rows = ((0, 9.0), (3, 4.0), (2, 3.0), (1, 2.0), (0, 1.0))  # the newest first
    items = [Item(f"item{n}", f"Item {n}") for n in range(4)]
    done = [Interaction(f"p{p}", f"item{n}", "view", None, time) for p in range(2) for n, time in rows]
    core = k_core(from_interactions("newest first", items, {}, done), 2)
    test = make_split(core, "leave-one-out", 0).test
    assert [core.catalogue[t[0]].item_id for t in test.targets] == ["item3", "item3"]


def test_k_core():
    # Item 9 has one person; without it p2 has one item; without p2 the rest stays at two each.
    core = k_core(dataset([[0, 1], [0, 1], [9, 0]]), 2)
    assert [i.item_id for i in core.catalogue] == ["item0", "item1"] and core.user_ids == ("p0", "p1")
    with pytest.raises(InputError, match="no 3-core"):
        k_core(dataset([[0, 1], [0, 1]]), 3)
