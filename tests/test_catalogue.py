from __future__ import annotations

import random

import pytest
from conftest import within
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import InputError, UnknownItemError
from agent.schema import Filter, Item
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue, bare_key, phrase_key, title_key

ITEMS = [
    Item("7", "Alien (1979)", "", {"year": 1979, "genres": ("Horror", "Sci-Fi"), "language": "en"}),
    Item("8", "Psycho (1960)", "", {"year": 1960, "genres": ("Horror",)}),
    Item("9", "Psycho (1998)", "", {"year": 1998}),
    Item("10", "Godfather, The (1972)", "", {"year": 1972, "genres": ("Crime",)}),
    Item("11", "The Godfather (1972)", "", {"year": 1972}),
    Item("12", "!!!", "", {}),
    Item("13", "???", "", {}),
]
FILMS = Catalogue(ITEMS, {"year": "number", "genres": "list", "language": "word"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Godfather (1972)", "godfather 1972"),
        ("Godfather, The (1972)", "The Godfather (1972)"),
        ("Twelve Monkeys", "12 MONKEYS"),
        ("Amélie", "amelie"),
        ("Ame\u0301lie", "Amélie"),
        ("8½", "8 1/2"),
        ("L'Avventura", "Avventura, L'"),
        ("L’Avventura (1960)", "Avventura, L' (1960)"),
        ("Boot, Das (1981)", "das boot 1981"),
        ("Misérables, Les", "les miserables"),
        ("Blechtrommel, Die", "Blechtrommel"),
        ("Fast & Furious", "fast and furious"),
        ("Straße", "STRASSE"),
        ("The The", "the"),
        ("“Speed”", "speed"),
    ],
)
def test_spellings_of_one_title(one, other):
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Die Hard", "Hard"), ("L.A. Story", "Story"), ("A Story", "L.A. Story"), ("!!!", "???"), ("Alien", "Aliens"),
     ("Psycho (1960)", "Psycho (1998)"), ("M", "N"), ("A", "The")],
)  # fmt: skip
def test_different_titles_stay_different(one, other):
    assert title_key(one) != title_key(other)


def test_bare_key_drops_the_year_only_at_the_end():
    assert bare_key("Alien (1979)") == "alien"
    assert bare_key("(1979) Alien") == "1979 alien"


def test_another_name_in_brackets_is_not_needed():
    seven = Catalogue([Item("1", "Seven (Se7en) (1995)"), Item("2", "Postman, The (Postino, Il) (1994)")], {})
    assert seven.resolve("seven") == seven.resolve("Seven (Se7en)") == "1"
    assert seven.resolve("the postman") == "2"


@given(st.text(max_size=60))
def test_keys_never_fail_and_a_key_is_its_own_key(text):
    phrase = phrase_key(text)
    assert phrase_key(phrase) == phrase
    assert bool(title_key(text)) == bool(text.strip())


def test_items_by_id_and_position():
    assert len(FILMS) == 7 and FILMS.get("7").title == "Alien (1979)"
    assert FILMS.positions(["10", "gone", "7"]).tolist() == [3, 0]
    with pytest.raises(UnknownItemError, match="Alien"):
        FILMS.get("Alein")


def test_a_title_resolves_by_any_usual_spelling():
    assert [FILMS.resolve(t) for t in ("7", "alien", "ALIEN (1979)", "psycho 1998", "the godfather", "!!!")] == [
        "7", "7", "7", "9", "10", "12",
    ]  # fmt: skip


def test_several_works_are_offered_and_unknown_titles_answered_with_the_nearest():
    with pytest.raises(InputError, match=r'"Psycho \(1960\)", "Psycho \(1998\)"'):
        FILMS.resolve("Psycho")
    with pytest.raises(UnknownItemError) as caught:
        FILMS.resolve("Psyco")
    assert set(caught.value.nearest) == {"Psycho (1960)", "Psycho (1998)"}
    assert FILMS.nearest("zzzzzzzzzzzz") == ()


def test_editions_of_one_work():
    assert FILMS.same_work("10") == FILMS.same_work("11") == ("10", "11")
    assert FILMS.same_work("8") == ("8",)
    assert FILMS.same_work("12") == ("12",)


def test_words_are_spelt_as_in_the_catalogue():
    assert FILMS.vocabulary["genres"] == {"horror": "Horror", "sci-fi": "Sci-Fi", "crime": "Crime"}
    assert FILMS.canonical(Filter("genres", "in", ("HORROR", "opera"))) == Filter("genres", "in", ("Horror", "opera"))
    assert FILMS.canonical(Filter("year", "==", 1979)) == Filter("year", "==", 1979)
    assert FILMS.phrases["sci fi"] == (("genres", "Sci-Fi"),)
    assert FILMS.frequency("genres", "Horror") == 2 and FILMS.frequency("genres", "Opera") == 1


def test_a_condition_holds_of_every_spelling_of_its_words():
    items = [Item(str(n), f"T{n}", "", {"genres": words}) for n, words in enumerate([("Sci-Fi", "War"), ("sci-fi",)])]
    spelt = Catalogue(items, {"genres": "list", "year": "number"}).in_every_case
    both = ("Sci-Fi", "sci-fi")
    assert spelt(Filter("genres", "==", "Sci-Fi")) == Filter("genres", "in", both)
    assert spelt(Filter("genres", "!=", "sci-fi")) == Filter("genres", "not in", both)
    assert spelt(Filter("genres", "not in", ("War", "Sci-Fi"))) == Filter("genres", "not in", ("War", *both))
    for one in (Filter("genres", "==", "War"), Filter("genres", "in", both), Filter("year", ">=", 1990)):
        assert spelt(one) is one


def test_an_empty_catalogue_answers():
    empty = Catalogue([], {})
    assert len(empty) == 0 and empty.vocabulary == {} and empty.by_title == {} and empty.nearest("Alien") == ()
    assert empty.positions(["a"]).tolist() == []


def test_twenty_thousand_items_are_read_quickly():
    chance = random.Random(0)
    words = [f"{a}{b}" for a in "ba ko li mu re si ta vo zu ne".split() for b in "lan mer tin dos rak pel".split()]
    items = [
        Item(str(i), f"{' '.join(chance.choices(words, k=chance.randint(1, 6))).title()} ({1900 + i % 120})", "",
             {"year": 1900 + i % 120, "author": " ".join(chance.choices(words, k=2)).title()})
        for i in range(20_000)
    ]  # fmt: skip
    catalogue = Catalogue(items, {"year": "number", "author": "word"})
    messages = [f"I liked {i.title} and {' '.join(chance.choices(words, k=40))}, not from the 80s" for i in items[:50]]
    assert [m for m in messages[:1] if parse_intent(m, catalogue).likes]  # builds the indexes
    with within(10):  # it takes half a second; looking through all items for each message, minutes
        found = [parse_intent(message, catalogue).likes for message in messages]
    assert all(item.item_id in likes for item, likes in zip(items, found, strict=False) if likes) and all(found)
