from __future__ import annotations

import pytest

from agent.conditions import read_where
from agent.errors import FilterError
from agent.schema import Filter, Item
from agent.workspace.catalogue import Catalogue

CATALOGUE = Catalogue(
    [
        Item("1", "Alien (1979)", "", {"year": 1979, "genres": ("Horror", "Sci-Fi"), "language": "en"}),
        Item("2", "Clue (1985)", "", {"year": 1985, "genres": ("Comedy",), "language": "fr"}),
    ],
    {"year": "number", "genres": "list", "language": "word"},
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, ()),
        ({}, ()),
        ([], ()),
        ({"year": 1979}, (Filter("year", "==", 1979),)),
        ({"year": {">=": 1979, "$lt": 1990.5}}, (Filter("year", ">=", 1979), Filter("year", "<", 1990.5))),
        ({"genres": "SCI-FI"}, (Filter("genres", "==", "Sci-Fi"),)),
        ({"genres": {"$nin": ["horror", "Opera"]}}, (Filter("genres", "not in", ("Horror", "Opera")),)),
        ({"language": ["EN", "fr"]}, (Filter("language", "in", ("en", "fr")),)),
        ({"language": {"fr", "en", "de"}}, (Filter("language", "in", ("de", "en", "fr")),)),
        ({"language": {"!=": "EN"}}, (Filter("language", "!=", "en"),)),
        ([Filter("genres", "==", "comedy")], (Filter("genres", "==", "Comedy"),)),
        ((Filter("year", "in", (1979,)),), (Filter("year", "in", (1979,)),)),
    ],
)
def test_conditions_become_filters(where, expected):
    assert read_where(where, CATALOGUE) == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"price": 3}, r"no attribute 'price'.*year \(number\), genres \(list\), language \(word\)"),
        ({7: 3}, "no attribute 7"),
        ({"year": {"~": 3}}, "no operator '~'.*>="),
        ({"year": {3: 3}}, "no operator 3"),
        ({"year": {">=": [1, 2]}}, "takes one value"),
        ({"genres": {"in": "Comedy"}}, "takes a list"),
        ({"genres": []}, "list of one value or more"),
        ({"year": "1990"}, "takes finite numbers; got '1990'"),
        ({"year": True}, "takes finite numbers; got True"),
        ({"year": None}, "takes finite numbers; got None"),
        ({"year": float("nan")}, "takes finite numbers; got nan"),
        ({"year": [1990, float("inf")]}, "got inf"),
        ({"genres": 3}, "takes words; got 3"),
        ({"language": {">": "en"}}, "no order"),
        ("year >= 1990", "Expected filters or a mapping"),
        (Filter("year", "==", 1990), "Expected filters or a mapping"),
        (["year"], "Expected filters or a mapping"),
        ([Filter("year", "~", 3)], "no operator"),
        ([Filter("year", "in", 3)], "takes a list"),
        ([Filter("price", "==", 3)], "no attribute"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_do(where, said):
    with pytest.raises(FilterError, match=said):
        read_where(where, CATALOGUE)


def test_a_catalogue_without_attributes_says_so():
    with pytest.raises(FilterError, match="Its attributes: none"):
        read_where({"year": 1990}, Catalogue([], {}))
