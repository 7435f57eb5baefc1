import math

import numpy as np
import pytest
from evaluate_data import dataset

from agent.errors import InputError
from finetune.evaluate.bootstrap import interval, paired, per_person
from finetune.evaluate.metrics import (
    Ranks,
    by_group,
    coverage,
    diversity,
    gap,
    gini,
    groups_by,
    kinds_of,
    list_rates,
    miscalibration,
    novelty,
    ranking_metrics,
)  # fmt: skip


def lists(*rows):
    return [np.array(row, dtype=np.int64) for row in rows]


def test_ranking_metrics_by_hand():
    found = ranking_metrics(Ranks(((1,), (7,), (300,), (2, 5)), np.array([1001, 1001, 1001, 102])))
    second, both = 1 / math.log2(8), (1 / math.log2(3) + 1 / math.log2(6)) / (1 + 1 / math.log2(3))
    expected = {
        "ndcg@10": [1, second, 0, both],
        "ndcg@5": [1, 0, 0, both],
        "hr@5": [1, 0, 0, 1],
        "hr@10": [1, 1, 0, 1],
        "recall@1": [1, 0, 0, 0],
        "recall@5": [1, 0, 0, 1],
        "recall@200": [1, 1, 0, 1],
        "precision@5": [0.2, 0, 0, 0.4],
        "precision@10": [0.1, 0.1, 0, 0.2],
        "f1@5": [2 * 0.2 / 1.2, 0, 0, 2 * 0.4 / 1.4],
        "mrr@5": [1, 0, 0, 0.5],
        "mrr@10": [1, 1 / 7, 0, 0.5],
        "auc": [1, 1 - 6 / 1000, 1 - 299 / 1000, 1 - (1 + 3) / 200],
    }
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-6), name


def test_coverage_and_gini():
    assert coverage(lists([0, 1], [1, 2]), 6) == pytest.approx(0.5)
    assert gini(lists([0, 1], [2, 3]), 4) == pytest.approx(0)
    assert gini(lists([0], [0]), 4) == pytest.approx(0.75)  # one item of n has all: (n - 1) / n
    assert gini(lists([0, 1], [0, 1]), 4) == pytest.approx(0.5)


def test_novelty():
    # Of 8 people 8, 2 and none know the items: 0, 2 and (as if one did) 3 bits.
    assert novelty(lists([0, 1], [2]), np.array([8, 2, 0]), 8).tolist() == [1.0, 3.0]


def test_diversity():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    # Pairs (0,1), (0,2), (1,2) are 0, 1 and 1 apart.
    assert diversity(lists([0, 1], [0, 2], [0, 1, 2], [0]), vectors).tolist() == pytest.approx([0, 1, 2 / 3, 0])


def test_miscalibration():
    kinds = kinds_of(dataset([[0, 1, 2, 3]]).catalogue, "genres")
    assert kinds.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    found = miscalibration(lists([0, 1], [0, 2], []), lists([2, 3], [1, 2], [0]), kinds)
    assert found[0] == pytest.approx(0)
    # History half Even, half Odd; list all Even: q = .99 * (1, 0) + .01 * (.5, .5).
    assert found[1] == pytest.approx(0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005))
    assert math.isnan(found[2])


def test_list_rates():
    rates = list_rates([["a", "b"], ["a", "a", "x", "c"]], [frozenset("b"), frozenset()], frozenset("abc"))
    assert rates == {"off_catalogue": 1 / 6, "repeat": 1 / 6, "seen": 1 / 6}


def test_groups():
    people = [{"gender": "F", "age": str(age)} for age in range(20, 60)] + [{"gender": "M"}] * 40
    genders = groups_by(people, "gender")
    found = by_group(np.array([0.5] * 40 + [0.2] * 40), genders)
    assert found == {"F": (pytest.approx(0.5), 40), "M": (pytest.approx(0.2), 40)}
    assert gap(found) == pytest.approx(0.3)
    ages = groups_by(people, "age")
    assert len(set(ages)) == 5 and ages[-1] == "unknown"
    assert all(9 <= ages.count(group) <= 11 for group in set(ages) - {"unknown"})
    with pytest.raises(InputError, match="People have: age, gender"):
        groups_by(people, "height")


def test_small_groups_are_left_out():
    assert by_group(np.ones(21), ["a"] * 20 + ["b"]) == {"a": (1.0, 20)}


def test_seeds_are_averaged_by_person_first():
    users = [np.array([3, 5]), np.array([3, 7])]
    people, values = per_person(users, [np.array([1.0, 0.0]), np.array([0.0, np.nan])])
    assert people.tolist() == [3, 5] and values.tolist() == [0.5, 0.0]


def test_interval_covers_and_repeats():
    values = np.random.default_rng(0).normal(0.3, 1, 400)
    found = interval(values)
    # The normal interval is 1.96 standard errors to each side.
    half = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert interval(values) == found
    with pytest.raises(InputError, match="nobody"):
        interval(np.zeros(0))


def test_a_paired_interval_sees_what_an_unpaired_one_cannot():
    noise = np.random.default_rng(0).normal(0, 1, 200)
    users = [np.arange(200)]
    found = paired(users, [noise + 0.1], [noise])
    assert (found.low, found.high) == pytest.approx((0.1, 0.1)) and found.is_clear
    assert not interval(noise + 0.1).is_clear
    with pytest.raises(InputError, match="same people"):
        paired(users, [noise], [noise[:5]])
