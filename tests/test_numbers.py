"""Bounds on numbers in a message: conditions where it is said which number is meant, wishes where it is not."""

from __future__ import annotations

import pytest
from conftest import within
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schema import Filter, Item
from agent.understanding.intent import describe, follow_up, parse_intent
from agent.understanding.numbers import find_bounds
from agent.workspace.catalogue import Catalogue
from agent.workspace.conditions import where

ITEMS = [Item("1", "Arco Desk Lamp", "", {"price": 49.9, "rating": 4.3, "year": 2001, "tags": ("warm",)})]
SHOP = Catalogue(
    ITEMS, {"price": "number", "rating": "number", "rating_count": "number", "year": "number", "tags": "list"}
)
BOOKS = Catalogue([Item("1", "Dune", "", {"pages": 612})], {"pages": "number", "published": "number"})
GAMES = Catalogue(
    [Item("1", "Go", "")],
    {"min_players": "number", "max_players": "number", "weight_kg": "number", "price_eur": "number"},
)


def told(text, catalogue=SHOP):
    intent = parse_intent(text, catalogue)
    return f"{intent.n} | {describe(intent, catalogue)}" if intent.n else describe(intent, catalogue)


def check(cases):
    return pytest.mark.parametrize(("text", "expected"), cases.items(), ids=list(cases))


@check(
    {
        "a lamp under $50": "price below 50; wishes: lamp",
        "a lamp for less than 20 dollars": "price below 20; wishes: lamp",
        "cheaper than 50": "price below 50",
        "for under 50": "price below 50",
        "a warm lamp for around 40, please": "price 30 to 50; tags warm; wishes: lamp",
        "between 20 and 40 dollars": "price 20 to 40",
        "between $20 and $40": "price 20 to 40",
        "20-40 euros": "price 20 to 40",
        "from 1990 to 2000 dollars": "price 1990 to 2000",
        "at most 1,200 bucks": "price up to 1200",
        "no more than $49.90": "price up to 49.9",
        "nothing over $50": "price up to 50",
        "I don't want to spend more than 50": "price up to 50",
        "price under 2000": "price below 2000",
        "a price of at most 30": "price up to 30",
        "at least 4 stars": "rating from 4",
        "rated above 4.5": "rating above 4.5",
        "rated 4 or better": "rating from 4",
        "with a rating over 4": "rating above 4",
        "4+ stars": "rating from 4",
        "4 stars and up": "rating from 4",
        "nothing under 4 stars": "rating from 4",
        "three lamps under $50 with at least 4 stars": "rating from 4; price below 50; wishes: three lamps",
        "top 3 under $50": "3 | price below 50",
        "a lamp from 2001 under $50": "year 2001; price below 50; wishes: lamp",
    }
)
def test_a_bound_is_a_condition_where_it_is_said_on_what(text, expected):
    assert sorted(told(text).split("; ")) == sorted(expected.split("; "))


@check(
    {
        "a laptop under 2000": "wishes: laptop under 2000",
        "a lamp over 1990": "wishes: lamp over 1990",
        "under 300 pages": "",  # of a length that nothing tells, see `understanding/unheard.py`
        "a lamp for under 5 people": "wishes: lamp under people",
        "less than 2 hours": "",
        "a lamp from 2001": "year 2001; wishes: lamp",
        "after 2000": "year from 2001",
        "up to 2000": "year up to 2000",
        "at most 4": "4 | ",
        "not between 20 and 40 dollars": "wishes: dollars; without: between",
        "$50": "",
        "a 4 star lamp": "wishes: star lamp",
    }
)
def test_a_number_of_nothing_in_the_catalogue_stays_a_wish(text, expected):
    assert told(text) == expected


@check(
    {
        "with less than 300 pages": "pages below 300",
        "over 500 pages, published after 1990": "published from 1991; pages above 500",
        "less than 650 pages from 1962 to 1967": "published 1962 to 1967; pages below 650",
        "just bought dune, now something over 100 pages": "pages above 100; like Dune",
        "300 pages or less": "pages up to 300",
        "longer than 1,000 pages": "pages above 1000",
        "under $20": "wishes: under",
    }
)
def test_pages_are_counted(text, expected):
    assert told(text, BOOKS) == expected


@check(
    {
        "weight below 2": "weight_kg below 2",
        "under 2 kg": "weight_kg below 2",
        "under 20 euros": "price_eur below 20",
        "at least 4 players": "wishes: least players",
    }
)
def test_a_word_of_an_attributes_name_is_enough_if_no_other_has_it(text, expected):
    assert told(text, GAMES) == expected


def test_a_bound_narrows_and_a_new_one_takes_its_place():
    intent = parse_intent("under $50", SHOP)
    intent = follow_up(intent, parse_intent("at least 20 dollars", SHOP))
    assert intent.filters == (Filter("price", "<", 50), Filter("price", ">=", 20))
    assert follow_up(intent, parse_intent("under $40", SHOP)).filters == (
        Filter("price", ">=", 20), Filter("price", "<", 40),
    )  # fmt: skip


WORDS = (
    "under over $ 50 1,000 4.5 stars dollars between and rating price not no more than at most + or better 9999999999"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join) | st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_every_bound_is_one_that_the_index_can_hold(text):
    bounds = find_bounds(text, SHOP)
    assert all(0 <= b.start < b.end <= len(text) for b in bounds)
    assert all(a.end <= b.start for a, b in zip(bounds, bounds[1:], strict=False))
    where([f for b in bounds for f in b.filters], SHOP.attribute_types)


@pytest.mark.parametrize(
    "text", ["x" * 2000, "1" * 2000, "1,000" * 400, "5 - " * 500, "under " * 330, "a of 5 or " * 200]
)
def test_no_message_of_2000_characters_takes_long(text):
    with within(10):
        find_bounds(text, SHOP)
