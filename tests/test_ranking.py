import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.generation.base import TitleScores
from agent.generation.measured import Measured
from agent.ranking.diversity import diversify, explored
from agent.ranking.scoring import (
    BESIDE_A_REQUEST,
    MODEL_WEIGHT,
    final_scores,
    order,
    standardised,
    weight_in_force,
)


def test_standardised_has_mean_0_and_deviation_1():
    assert standardised(np.array([1.0, 2.0, 3.0])) == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])


def test_scores_that_do_not_differ_say_nothing():
    assert standardised(np.array([4.0, 4.0])).tolist() == [0, 0]
    assert standardised(np.zeros(0)).tolist() == []


def test_the_model_counts_by_its_mean_per_token_and_its_weight():
    titles = TitleScores(total=np.array([-2.0, -9.0]), tokens=np.array([2, 3])).mean
    assert titles == pytest.approx([-1, -3])
    assert final_scores(np.array([0.0, 10.0]), titles, 0.0) == pytest.approx([-1, 1])
    assert final_scores(np.array([0.0, 10.0]), titles, 1.0) == pytest.approx([0, 0])
    assert final_scores(np.array([0.0, 10.0]), titles, 2.0) == pytest.approx([1, -1])


@pytest.mark.parametrize(
    ("measured", "trained", "asked", "weight"),
    [
        (Measured(), False, True, MODEL_WEIGHT),
        (Measured(0.2, 0.9), True, False, 0.2),
        (Measured(0.2, 0.9), False, False, 0.9),
        (Measured(0.2), False, False, 0.2),
        (Measured(new=0.9), True, False, 0.9),
        (Measured(0.0, 0.9), True, False, 0.0),
        (Measured(0.2, 0.9), False, True, 0.9),
        (Measured(0.2, 0.9, reads_requests=False), False, True, BESIDE_A_REQUEST),
        (Measured(0.2, 0.9, reads_requests=False), True, True, 0.2),
        (Measured(0.2, 0.9, reads_requests=False), False, False, 0.9),
    ],
)
def test_the_model_counts_as_was_measured_beside_such_retrieval(measured, trained, asked, weight):
    assert weight_in_force(None, measured, is_trained=trained, is_asked=asked) == weight
    assert weight_in_force(0.0, measured, is_trained=trained, is_asked=asked) == 0.0
    assert weight_in_force(3.0, measured, is_trained=trained, is_asked=asked) == 3.0


def test_rounding_is_no_difference():
    assert standardised(np.full(5, 838860.875) * 0.01171875).tolist() == [0.0] * 5
    assert standardised(np.array([0.1 + 0.2, 0.3])).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(0.01, 100), st.floats(-100, 100))
def test_the_scale_of_retrieval_does_not_move_the_order(scores, factor, shift):
    titles = np.zeros(len(scores))
    given_scores = np.round(np.array(scores), 2)
    ids = tuple(str(i) for i in range(len(scores)))
    first = final_scores(given_scores, titles, 0.3)
    second = final_scores(given_scores * factor + shift, titles, 0.3)
    assert np.allclose(first, second, atol=1e-5)
    assert sorted(order(first, ids)) == list(range(len(ids)))


def test_ties_go_by_id_whatever_the_order_of_arrival():
    assert order(np.array([1.0, 2.0, 1.0]), ("b", "z", "a")) == [1, 2, 0]


VECTORS = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)


def test_without_diversity_the_scores_decide():
    assert diversify(np.array([3.0, 2.0, 1.0]), VECTORS, "abc", 3, diversity=0) == [0, 1, 2]


def test_with_diversity_the_different_one_comes_earlier():
    assert diversify(np.array([3.0, 2.0, 1.9]), VECTORS, "abc", 3, diversity=0.5) == [0, 2, 1]


def test_one_work_stands_in_a_list_once():
    assert diversify(np.array([3.0, 2.0, 1.0]), VECTORS, ["a", "a", "c"], 3, diversity=0) == [0, 2]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_never_more_than_there_are_or_were_asked_for(n):
    assert len(diversify(np.array([3.0, 2.0, 1.0]), VECTORS, "abc", n, diversity=0.2)) == min(n, 3)


def test_an_empty_list_stays_empty():
    assert diversify(np.zeros(0), np.zeros((0, 2), dtype=np.float32), [], 5, diversity=0.2) == []


def test_exploration_is_none_at_0_and_grows():
    scores = np.linspace(3, -3, 50)
    assert explored(scores, 0.0, "a") is scores
    moved = [
        np.mean([len(set(np.argsort(-explored(scores, e, str(s)))[:5]) - set(range(5))) for s in range(200)])
        for e in (0.01, 0.3, 1.0)
    ]
    assert moved[0] < moved[1] < moved[2] and moved[0] < 0.5 and moved[2] > 1


def test_exploration_is_drawn_from_its_seed_alone():
    scores = np.linspace(1, 0, 9)
    assert np.array_equal(explored(scores, 0.5, "a"), explored(scores, 0.5, "a"))
    assert not np.array_equal(explored(scores, 0.5, "a"), explored(scores, 0.5, "b"))
