"""What was understood as parts that can be taken out, and what is offered to be said next or first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from answering import last

from agent.errors import InputError
from agent.schema import Filter, Intent, Item
from agent.understanding.intent import parse_intent
from ui.cards import cards
from ui.guest import Guest
from ui.starters import starters
from ui.suggestions import suggestions
from ui.understood import CONDITIONS, corrected, told
from ui.view import View

# -- what was understood, and what to say next


def test_each_part_that_was_understood_can_be_taken_out(small):
    intent = Intent(
        "all of it", ("1",), ("4",),
        (Filter("year", ">=", 1990), Filter("year", "<=", 1999), Filter("genres", "==", "Drama")), "tense", "slow", 3,
    )  # fmt: skip
    parts = told(intent, small.catalogue)
    assert [p.text for p in parts] == [
        "1990 to 1999", "Drama", "like Alien (1979)", "not like Scream (1996)", "“tense”", "not “slow”",
        "3 in the list",
    ]  # fmt: skip
    for part in parts:
        left = told(corrected(intent, part.key, small.catalogue), small.catalogue)
        assert [p for p in parts if p not in left] == [part]
    assert corrected(intent, "filter:year >= 1990 & year <= 1999", small.catalogue).filters == (
        Filter("genres", "==", "Drama"),
    )
    assert "Alien" not in corrected(intent, "like:1", small.catalogue).text
    assert corrected(intent, CONDITIONS, small.catalogue).filters == ()
    for unknown in ("", "like", "like:99", "filter:", "nonsense:1"):
        with pytest.raises(InputError):
            corrected(intent, unknown, small.catalogue)


def test_taking_a_part_out_answers_again_without_it(guest):
    first = last(guest.answer("three dramas from 1996"))
    titles = {r.item.title for r in first.reply.recommendations}
    assert titles == {"Fargo (1996)", "Hamlet (1996)"}
    key = next(p.key for p in first.parts if p.key.startswith("filter:year"))
    again = last(guest.adjust("drop", key))
    assert again.state == "done" and len(again.reply.recommendations) == 3
    assert titles & {r.item.title for r in again.reply.recommendations}  # it is the same turn, made anew
    assert key not in {part.key for part in again.parts}
    assert [role for role, _ in again.talk] == [role for role, _ in first.talk]
    assert guest.undo().state == "new"  # one message was said, and it is taken back whole


@pytest.mark.parametrize(
    ("change", "value", "field", "wanted"),
    [("habit", "80", "habit", 0.8), ("n", "3", "n", 3), ("habit", "nan", "habit", 0.5), ("n", "9999", "n", None),
     ("drop", "no such", "n", None), ("text", "x", "n", None)],
)  # fmt: skip
def test_weight_and_length_take_what_they_offer_and_nothing_else(guest, change, value, field, wanted):
    last(guest.answer("something funny"))
    view = last(guest.adjust(change, value))
    assert getattr(view.reply.intent, field) == wanted
    assert len(view.reply.recommendations) == (3 if wanted == 3 else 5)


def test_nothing_to_adjust_before_the_first_answer(guest):
    assert last(guest.adjust("habit", "80")) == View()


def test_every_suggestion_is_understood_and_goes_on(guest, small):
    view = last(guest.answer("something funny"))
    said = suggestions(small, view.reply, {})
    assert len(said) >= 4 and len(set(said)) == len(said)
    assert any(text.startswith("Newer than") for text in said) and any(text.startswith("Surprise me") for text in said)
    for text in said:
        assert not parse_intent(text, small.catalogue).is_empty
    liked = view.reply.recommendations[2].item
    assert f"More like {liked.title}" in suggestions(small, view.reply, {liked.item_id: "like"})


def test_a_suggestion_turns_down_only_what_is_much_of_the_list(guest, small):
    reply = last(guest.answer("something funny")).reply
    one = replace(reply.recommendations[0], item=Item("x", "X", "", {"genres": ("Western",)}))
    two = replace(reply.recommendations[0], item=Item("y", "Y", "", {"genres": ("Comedy",)}))
    refused = [t for t in suggestions(small, replace(reply, recommendations=(one, two, two)), {}) if t.startswith("No")]
    assert refused == ["No Comedy"]
    assert "Funnier" not in suggestions(small, replace(reply, recommendations=(two, two)), {})
    varied = replace(reply, recommendations=(one, two, replace(one, item=Item("z", "Z", "", {"genres": ("War",)}))))
    assert not [t for t in suggestions(small, varied, {}) if t.startswith("No")]
    asked = replace(reply.intent, filters=(Filter("genres", "==", "Comedy"),))
    assert not [
        t
        for t in suggestions(small, replace(reply, intent=asked, recommendations=(two, two)), {})
        if t.startswith("No")
    ]


def test_where_nothing_fits_each_condition_can_be_taken_out(guest):
    view = last(guest.answer("comedies from 1940 to 1950"))
    html = cards(view)
    assert view.reply.recommendations == () and "Nothing fits" in html
    assert (
        html.count('data-do="drop"') == 2 * len(view.parts) + 1
    )  # among what was understood, as help, and all at once
    assert last(guest.adjust("drop", CONDITIONS)).intent.filters == ()
    guest.undo()
    view = last(guest.answer("comedies from 1940 to 1950"))
    assert last(
        guest.adjust("drop", next(p.key for p in view.parts if p.key.startswith("filter:year")))
    ).reply.recommendations


def test_conditions_are_said_as_people_say_them(small):
    filters = (
        Filter("genres", "!=", "Horror"), Filter("directors", "==", "Ridley Scott"), Filter("cast", "!=", "A. B."),
        Filter("price", "<=", 20), Filter("year", ">=", 1990),
    )  # fmt: skip
    said = [part.text for part in told(Intent(filters=filters), small.catalogue)]
    assert said == ["no Horror", "directed by Ridley Scott", "not with A. B.", "price up to 20", "from 1990"]


# -- starters


def test_starters_are_made_from_the_catalogue_and_find_something(small):
    first, second, third = starters(small)
    assert first == "I liked Alien (1979) and Heat (1995)"
    assert second == "Three drama films, but no sci-fi"
    assert "90s" in third
    for text in (first, second, third):
        assert last(Guest(small).answer(text)).reply.recommendations
