"""Conditions as they are typed."""

import pytest
from conftest import films

from agent.errors import FilterError
from agent.schema import Filter, matches
from ui.where import MAX_CHARS, parse_where

TYPES = {"year": "number", "genres": "list", "language": "word"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("year>=1990", [Filter("year", ">=", 1990)]),
        (" year <= 1990 ", [Filter("year", "<=", 1990)]),
        ("year>7.5", [Filter("year", ">", 7.5)]),
        ("year<-1e3", [Filter("year", "<", -1000)]),
        ("year=1990", [Filter("year", "==", 1990)]),
        ("year==1990", [Filter("year", "==", 1990)]),
        ("year!=1990", [Filter("year", "!=", 1990)]),
        ("year=1990|1995", [Filter("year", "in", (1990, 1995))]),
        ("year=1990..1999", [Filter("year", ">=", 1990), Filter("year", "<=", 1999)]),
        ("year=1990..", [Filter("year", ">=", 1990)]),
        ("year=..1999", [Filter("year", "<=", 1999)]),
        ("year=1990..1990", [Filter("year", ">=", 1990), Filter("year", "<=", 1990)]),
        ("genres=Comedy", [Filter("genres", "==", "Comedy")]),
        ("GENRES = comedy | Drama ", [Filter("genres", "in", ("comedy", "Drama"))]),
        ("genres!=Horror", [Filter("genres", "!=", "Horror")]),
        ("genres!=Horror|War", [Filter("genres", "not in", ("Horror", "War"))]),
        ("genres=Children's", [Filter("genres", "==", "Children's")]),
        ("language=1990..1999", [Filter("language", "==", "1990..1999")]),  # a range only where there is an order
        ("language=ja = ko", [Filter("language", "==", "ja = ko")]),
    ],
)
def test_a_condition_means(typed, expected):
    assert list(parse_where([typed], TYPES)) == expected


def test_all_conditions_hold_in_their_order():
    filters = parse_where(["year=1990..1999", "genres=Comedy|Thriller", "genres!=Horror"], TYPES)
    assert [str(f) for f in filters] == [
        "year >= 1990",
        "year <= 1999",
        "genres in Comedy, Thriller",
        "genres != Horror",
    ]
    assert [item.title for item in films() if matches(item, filters)] == ["Toy Story (1995)", "Heat (1995)"]
    assert parse_where([], TYPES) == ()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "put the whole condition in quotes"),
        ("year", "put the whole condition in quotes"),  # what is left of an unquoted year>1990 in a shell
        ("=", "an attribute before"),
        ("=1990", "an attribute before"),
        ("year>=", "a value after"),
        ("year=>1990", "no operator '=>'"),
        ("year<>1990", "no operator '<>'"),
        ("year=!1990", "no operator '=!'"),
        ("year>=abc", "needs a number"),
        ("year>=nan", "needs a number"),
        ("year>=inf", "needs a number"),
        ("year>=1e999", "needs a number"),
        ("year>=1_990", "needs a number"),
        ("year>=0x7c6", "needs a number"),
        ("year>=١٩٩٠", "needs a number"),  # digits, but not those that are written back
        (f"year>={2**53 + 1}", "needs a number"),
        ("year>=1990..1999", "needs a number"),
        ("year!=1990..1999", "needs a number"),
        ("year=1999..1990", "'year=1990..1999'"),
        ("year=..", "has no end"),
        ("year=1..2..3", "needs a number"),
        ("genres>=Comedy", "has no order"),
        ("language<x", "has no order"),
        ("genres=Comedy||Drama", "empty value"),
        ("genres=|", "empty value"),
        ("yaer>=1990", "Did you mean 'year'?"),
        ("director=Scott", "year (number), genres (list), language (word)"),
        ("year; DROP TABLE items=1", "unknown attribute"),
        ("x" * 10_000 + "=1", f"longer than {MAX_CHARS} characters"),
        ("\x1b[31myear", "'\\x1b[31myear'"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(typed, says):
    with pytest.raises(FilterError) as raised:
        parse_where(["genres=Comedy", typed], TYPES)
    message = str(raised.value)
    assert says in message
    assert "'year>=1990'" in message or "'year=" in message or "'genres=" in message or "'language=" in message
    assert len(message) < 600 and "\x1b" not in message


def test_without_attributes_the_message_says_so():
    with pytest.raises(FilterError, match="no attributes to filter on"):
        parse_where(["year>=1990"], {})
