from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.schema import EVENTS, Feedback, Interaction, Profile
from agent.understanding.profile import best_rating, build_profile, feelings

DAY = 24 * 3600.0
NOW = 1_000_000.0


def rated(item_id, value):
    return Interaction("ann", item_id, "rating", value)


def said(item_id, event, timestamp=NOW, value=None):
    return Feedback("ann", item_id, event, None, value, timestamp)


@pytest.mark.parametrize(
    ("values", "best"),
    [([1, 5, 3], 5), ([0.5, 10], 10), ([3, np.nan], 3), ([1, 1], None), ([1, 40], None), ([], None), ([np.nan], None),
     ([np.inf, 5], 5), ([-1, 0], None)],
)  # fmt: skip
def test_the_top_of_the_scale(values, best):
    assert best_rating(np.array(values, dtype=np.float64)) == best


def test_feelings_by_share_and_by_name():
    events = np.array(["rating"] * 6 + ["like", "dislike", "seen"])
    values = np.array([5, 4, 3.9, 2.1, 2, np.nan, 1, 5, np.nan])
    assert feelings(events, values, 5.0).tolist() == [1, 1, 0, 0, -1, 0, 1, -1, 0]
    assert feelings(events, values, None).tolist() == [0, 0, 0, 0, 0, 0, 1, -1, 0]


def test_nobody_is_an_empty_profile():
    assert build_profile(None, []) == Profile()


def test_ratings_make_likes_and_dislikes_oldest_first():
    profile = build_profile("ann", [rated("a", 5), rated("b", 1), rated("c", 3)], best=5.0, now=NOW)
    assert profile == Profile("ann", ("a", "b", "c"), ("a",), ("b",), frozenset("abc"))


def test_feedback_overrules_a_rating_and_is_recent():
    later = [said("a", "dislike"), said("b", "like")]
    profile = build_profile("ann", [rated("a", 5), rated("b", 1)], later, best=5.0, now=NOW)
    assert (profile.likes, profile.dislikes) == (("b",), ("a",))
    assert profile.history == ("b",)
    assert profile.seen == {"a", "b"}


def test_the_last_word_counts():
    back = [said("a", "dislike"), said("a", "like")]
    times = {"a": back[-1].timestamp}
    assert build_profile("ann", [], back, now=NOW) == Profile(
        "ann", ("a",), ("a",), (), frozenset("a"), times, {"a": 1}
    )


def test_a_profile_knows_when():
    profile = build_profile("ann", [rated("a", 5), rated("b", 1)], [said("a", "like")], best=5.0, now=NOW)
    assert profile.history == ("b", "a") and profile.times == {"a": NOW}


def test_merely_seen_leaves_a_liking_and_a_middling_rating_ends_it():
    liked = [said("a", "like")]
    assert build_profile("ann", [], [*liked, said("a", "seen")], now=NOW).likes == ("a",)
    assert build_profile("ann", [], [*liked, said("a", "rating", value=3)], best=5.0, now=NOW).likes == ()


def test_not_now_holds_an_item_back_for_a_day_and_says_nothing_of_it():
    for timestamp, held in ((NOW, True), (NOW - DAY + 1, True), (NOW - DAY, False), (0.0, False), (None, True)):
        profile = build_profile("ann", [], [said("a", "not_now", timestamp)], now=NOW)
        assert ("a" in profile.seen) is held
        assert profile.history == profile.likes == profile.dislikes == ()


def test_counts_of_plays_are_no_liking():
    profile = build_profile("ann", [rated("a", 500), rated("b", 1)], best=None, now=NOW)
    assert profile.history == ("a", "b") and profile.likes == profile.dislikes == ()


ITEM = st.sampled_from("abcd")
VALUE = st.none() | st.sampled_from([0.5, 1.0, 3.0, 4.0, 5.0, float("nan")])


@given(
    st.lists(st.builds(Interaction, st.just("u"), ITEM, st.sampled_from(["rating", "watch"]), VALUE)),
    st.lists(st.builds(Feedback, st.just("u"), ITEM, st.sampled_from(EVENTS), st.none(), VALUE, st.none())),
    st.sampled_from([None, 5.0]),
)
def test_a_profile_holds_together(interactions, feedback, best):
    profile = build_profile("u", interactions, feedback, best=best, now=NOW)
    assert not set(profile.likes) & set(profile.dislikes)
    assert set(profile.history) | set(profile.dislikes) | set(profile.likes) <= profile.seen
    assert profile.seen == {e.item_id for e in (*interactions, *feedback) if e.event != "remark"}
    assert not {i for i, felt in profile.reactions.items() if felt < 0} & set(profile.history)
    assert len(set(profile.history)) == len(profile.history)
    assert set(profile.likes) <= set(profile.history)
