"""A message that tells an item's own story asks for that item, whatever years and kinds stand in the story."""

from dataclasses import replace

import pytest

from agent.described import told
from agent.retrieval.lexical import Lexical
from agent.schema import Item
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue

STORY = "A shepherd finds a wounded deserter in 1932 and hides him from the horror of the border patrols."
ITEMS = [
    Item("1", "The Fold (1995)", STORY, {"year": 1995, "genres": ("Drama",)}),
    Item("2", "Night of Teeth (1932)", "Something bites.", {"year": 1932, "genres": ("Horror",)}),
    Item("3", "Border Song (1950)", "A singer crosses the border.", {"year": 1950, "genres": ("Musical",)}),
]
CATALOGUE = Catalogue(ITEMS, {"year": "number", "genres": "list"})
LEXICAL = Lexical(CATALOGUE.items)


def read(text):
    return told(parse_intent(text, CATALOGUE), CATALOGUE, LEXICAL)


def test_the_words_of_a_story_are_no_conditions():
    assert parse_intent(STORY, CATALOGUE).filters  # read as a request they would keep it out
    assert read(STORY).filters == () and read(STORY).wishes == STORY


@pytest.mark.parametrize(
    "text",
    [
        "a horror film from 1932 in which something bites people at night in the dark woods",  # its own item meets it
        "horror from 1932",
        "a long and winding request for some horror film from the year 1932, thank you very much",
    ],
)
def test_a_request_stays_one(text):
    assert read(text) == parse_intent(text, CATALOGUE) and read(text).filters


def test_who_names_a_title_asks_for_something_like_it():
    # Nearly all the words are the title's own, and the condition keeps that very item out.
    long = Item("4", "How the Old Shepherd Learned to Love the Border Patrols (1963)", "", {"year": 1963, "genres": ()})
    catalogue = Catalogue([*ITEMS, long], CATALOGUE.attribute_types)
    lexical = Lexical(catalogue.items)
    asked = parse_intent(f"like {long.title}, from the 1950s", catalogue)
    assert asked.examples == ("4",) and asked.filters
    assert told(asked, catalogue, lexical) == asked
    nameless = replace(asked, likes=(), examples=())
    assert told(nameless, catalogue, lexical).filters == ()  # which is what the name is looked at for


def test_what_was_asked_for_besides_still_holds():
    both = parse_intent(STORY, CATALOGUE)
    before = parse_intent("a musical", CATALOGUE).filters

    kept = told(replace(both, filters=(*before, *both.filters)), CATALOGUE, LEXICAL)
    assert set(before) <= set(kept.filters)
