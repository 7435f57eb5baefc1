"""What is said where nothing in the catalogue is near to a wish."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import open_small

from agent.retrieval.base import Query
from agent.retrieval.fit import NEAR, Fit
from agent.retrieval.lexical import Lexical
from agent.schema import Filter, Intent, Item
from agent.understanding.feelings import forms, is_feeling
from agent.understanding.weak import only_nearest

ITEMS = [
    Item("1", "The Hive", "Bees and an old house by the sea.", {}),
    Item("2", "Orbit", "Two robots drift in space.", {}),
    Item("3", "蜂", "一个养蜂人的故事", {}),
]
VECTORS = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]], dtype=np.float32)  # nearest: .6, .6, .48


class Meaning:
    """The wish is so near to every item."""

    def __init__(self, cosine):
        self.cosine = cosine

    def score(self, query, positions):
        return np.full(len(positions), self.cosine)


def unmet(wishes, cosine=0.0, allowed=(True, True, True)):
    none = np.zeros(0, dtype=np.int64)
    query = Query(none, none.astype(float), wishes, wishes, "", (), np.array(allowed), 0.5)
    return Fit(Meaning(cosine), Lexical(ITEMS), VECTORS).unmet(query)


@pytest.mark.parametrize(
    ("wishes", "unknown"),
    [
        ("beekeeping Norway", ("beekeeping", "norway")),
        ("robots Norway", ("norway",)),
        ("robots in space, in Norway", ()),  # most of it is there
        ("robot", ()),
        ("house houses housing", ()),
        ("the of and", ()),
        ("funny", ()),
        ("sadder", ()),
        ("relaxing", ()),
        ("1999", ()),
        ("", ()),
        ("?!", ()),
        ("养蜂", ()),
        ("区块链", ("区块链",)),
        ("搞笑", ()),
    ],
)
def test_words_that_no_item_has_are_told(wishes, unknown):
    assert unmet(wishes) == unknown


def test_what_is_near_in_meaning_is_not_weak():
    edge = NEAR * 0.6
    assert unmet("apiary", edge + 0.01) == ()
    assert unmet("apiary", edge - 0.01) == ("apiary",)


def test_only_what_may_be_recommended_counts():
    assert unmet("drifting") == ()
    assert unmet("drifting", allowed=(True, False, True)) == ("drifting",)


def test_a_catalogue_of_one_item_cannot_tell_what_is_near():
    none = np.zeros(0, dtype=np.int64)
    query = Query(none, none.astype(float), "norway", "norway", "", (), np.array([True]), 0.5)
    assert Fit(Meaning(0.0), Lexical(ITEMS[:1]), VECTORS[:1]).unmet(query) == ()


def test_forms_and_feelings():
    assert {"light", "lighter"} <= set(forms("lighter")) and "scary" in forms("scariest")
    assert is_feeling("cosier") and is_feeling("wistfully") and not is_feeling("norway")


YEAR, KIND = Filter("year", ">=", 1990), Filter("genres", "==", "Western")


def test_the_condition_that_stands_in_the_way_is_named():
    said = only_nearest(("submarines",), Intent(filters=(YEAR, KIND)), lambda i: KIND not in i.filters)
    assert said == (
        "Nothing that meets all conditions mentions “submarines”, so this is merely what comes nearest: "
        "without the condition on genres something is nearer."
    )


def test_without_such_a_condition_other_words_are_asked_for():
    said = only_nearest(("bees", "norway"), Intent(filters=(YEAR,)), lambda i: False)
    assert said.startswith("Nothing that meets all conditions mentions “bees” or “norway”") and "other words" in said
    said = only_nearest(("bees", "norway"), Intent(), lambda i: False)
    assert said.startswith("Nothing here mentions “bees” or “norway”") and "other words" in said
    assert only_nearest(("蜜蜂",), Intent(filters=(YEAR,)), lambda i: False, "zh").startswith(
        "符合条件的资料里没有提到"
    )
    assert only_nearest((), Intent(), lambda i: False) == ""


def test_in_chinese():
    said = only_nearest(("区块链",), Intent(filters=(KIND,)), lambda i: not i.filters, "zh")
    assert said == "符合条件的资料里没有提到“区块链”，下面只是最接近的：不限类型就有更接近的。"


def test_many_and_long_words_are_cut():
    said = only_nearest(["x" * 1000] * 50, Intent(), lambda i: False)
    assert len(said) < 500


def test_the_list_comes_all_the_same(tmp_path):
    with open_small(tmp_path) as agent:
        reply = agent.recommend(intent="xkcd zzyzx plugh", n=3)
        assert len(reply.recommendations) == 3
        assert "mentions" not in agent.recommend(intent="a comedy", n=3).message
