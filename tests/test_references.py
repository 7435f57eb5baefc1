"""What a message points at in a list, and how; whole conversations are in tests/conversations."""

from __future__ import annotations

import pytest
from conftest import films, within
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schema import Filter, Intent
from agent.understanding.dialogue import State, understand
from agent.understanding.references import blanks, find_references
from agent.workspace.catalogue import Catalogue

FILMS = Catalogue(films(), {"year": "number", "genres": "list"})
SHOWN = ("1", "6", "9", "8", "7")  # Alien, Fargo, Heat, The Godfather, Airplane!
ORDINALS = "first second third fourth fifth".split()


def pointed(text, shown=SHOWN):
    return [(r.how, "".join(r.item_ids) or ("?" + "".join(r.choices))) for r in find_references(text, shown, FILMS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "more like the second": [("like", "6")],
        "like 2 but funnier": [("like", "6")],
        "something like #3": [("like", "9")],
        "like number two": [("like", "6")],
        "more like 1 and 3": [("like", "19")],
        "I like the first, not the second": [("like", "1"), ("against", "6")],
        "not that one": [("against", "1")],
        "the last two look boring": [("against", "87")],
        "none of these": [("against", "16987")],
        "I've seen the first": [("seen", "1")],
        "seen the second, loved it": [("apart", "6"), ("like", "6")],
        "why the third?": [("why", "9")],
        "who made the third?": [("why", "9")],
        "the first one again": [("again", "1")],
        "newer than the fourth": [("than", "8")],
        "something different from these": [("apart", "16987")],
        "more like godfather": [("like", "8")],
        "more like airplan": [("like", "7")],
        "more like the comedy": [("like", "7")],
        "more like the 1979 one": [("like", "1")],
        "more like the crime one": [("like", "?698")],
        "more like the ninth": [("like", "?16987")],
        "about the first world war": [],
        "a second chance": [],
        "love at first sight": [],
        "a film like that never gets old, 2 hours long": [],
        "something that makes me cry": [],
        "show me 3 more": [],
        "": [],
    }.items(),
)
def test_a_message_points_at_items_of_the_list(text, expected):
    assert pointed(text) == expected


def test_without_a_list_a_position_is_unclear_and_a_pronoun_points_at_nothing():
    assert pointed("more like the second", ()) == [("like", "?")]
    assert pointed("I like it", ()) == []


@given(
    st.integers(0, 4),
    st.sampled_from(["more like the {}", "the {} one please", "why the {}?", "not the {}", "seen the {}"]),
)
def test_every_position_is_found_in_every_frame(place, frame):
    (reference,) = find_references(frame.format(ORDINALS[place]), SHOWN, FILMS)
    assert reference.item_ids == (SHOWN[place],)


PIECES = (
    "the second first last that this it one like than not seen why again newer cheaper and or , . 1 2 #3 none of these"
)


@given(
    st.lists(
        st.sampled_from([*PIECES.split(), "\x00", "İ", "Heat", "comedy", "forget", "year", "surprise me", "same"]),
        max_size=25,
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_said_is_understood_somehow(words):
    text = " ".join(words)
    references = find_references(text, SHOWN, FILMS)
    assert all(0 <= r.start < r.end <= len(text) for r in references)
    assert all(a.end <= b.start for a, b in zip(references, references[1:], strict=False))
    assert all(0 <= start <= end <= len(text) for start, end in blanks(text, references))
    turn = understand(text, State(lists=(SHOWN,)), FILMS)
    assert all(i in FILMS.position for i in (*turn.refers, *turn.seen, *turn.choices, *turn.intent.likes))


HOSTILE = (
    "the second " * 180, "like 1, 2, 3, " * 140, "newer and " * 200, "forget the " * 180, "any " * 500, "why " * 500,
    "#1" * 1000, "the one with " * 150, "not my usual " * 150, "same as the " * 160, "comdy " * 330, "too " * 500,
    "ignore all " * 180, "that " * 400, "seen it, " * 220, "is the " * 280, "different from these " * 95, "a" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[t[:12] for t in HOSTILE])
def test_no_message_of_2000_characters_takes_long(text):
    understand("warm up the comdy", State(), FILMS)
    with within(10):
        understand(text[:2000], State(Intent(filters=(Filter("year", ">=", 1990),)), (SHOWN,)), FILMS)
