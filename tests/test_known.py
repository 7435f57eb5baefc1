"""What is known of a person: shown, searched, taken out, taken in, given out, forgotten."""

from __future__ import annotations

import json

import pytest
from answering import HOSTILE, last

from agent.errors import InputError
from ui.guest import Guest
from ui.guests import Guests
from ui.known import Entry, add, entries, export, panel, remove
from ui.view import View


def test_what_is_known_is_shown_searched_and_taken_out(guest, small):
    view = last(guest.answer("something funny"))
    first, second = (r.item for r in view.reply.recommendations[:2])
    guest.react(first.item_id, "like")
    guest.react(second.item_id, "seen")
    found = entries(small, guest.user_id)
    assert [(e.item_id, e.said) for e in found] == [
        (second.item_id, ("you know it",)),
        (first.item_id, ("you like it",)),
    ]
    assert [e.item_id for e in entries(small, guest.user_id, first.title.upper())] == [first.item_id]
    assert entries(small, guest.user_id, "no such title") == []
    assert remove(small, guest.user_id, first.item_id) and not remove(small, guest.user_id, first.item_id)
    assert [e.item_id for e in entries(small, guest.user_id)] == [second.item_id]
    assert entries(small, Guest(small).user_id) == []


def test_what_was_imported_with_the_catalogue_can_be_taken_out_too(small):
    assert {e.item_id for e in entries(small, "p1")} == {"1", "2", "9"}
    assert remove(small, "p1", "2")
    assert {e.item_id for e in entries(small, "p1")} == {"1", "9"} and len(entries(small, "p2")) == 3


def test_titles_are_taken_in_and_what_is_not_is_told_with_its_line(guest, small):
    told = add(small, guest.user_id, 'title,rating\nAlien,5\nNo Such Thing,3\n"Heat (1995)",eleven\nHeat,\n')
    assert told.startswith("Added: 2. Not added: 2.")
    assert "line 3: No item" in told and "line 4: The rating “eleven”" in told
    assert [(e.title, e.said) for e in entries(small, guest.user_id)] == [
        ("Heat (1995)", ("you like it",)), ("Alien (1979)", ("you rated it: 5",)),
    ]  # fmt: skip
    assert add(small, guest.user_id, "Alien (1979)\nFargo\n").startswith("Added: 1. Not added: 0.")
    listed = last(guest.answer("anything")).reply.recommendations
    assert not {"1", "9", "6"} & {r.item.item_id for r in listed}


@pytest.mark.parametrize("given", ["", "\n \n", "title\n", "x" * 200_001, "Alien\n" * 1_001])
def test_an_import_without_use_is_refused_with_a_sentence(guest, small, given):
    with pytest.raises(InputError):
        add(small, guest.user_id, given)


def test_the_export_holds_all_of_one_person_and_nothing_of_another(guest, small):
    last(guest.answer("something funny"))
    add(small, guest.user_id, "Alien")
    known = json.loads(export(small, guest.user_id))
    assert [row["title"] for row in known["feedback"]] == ["Alien (1979)"] and len(known["turns"]) == 1
    assert json.loads(export(small, Guest(small).user_id))["history"] == []


def test_to_be_forgotten_leaves_nothing_and_begins_with_somebody_new(small):
    guests = Guests(small)
    guest = guests.get("a")
    last(guest.answer("something funny"))
    add(small, guest.user_id, "Alien")
    other = guests.get("b")
    add(small, other.user_id, "Heat")
    assert guests.forget("a").view() == View() and guests.get("a").user_id != guest.user_id
    assert not small.workspace.store.has_user(guest.user_id) and small.workspace.store.turns(guest.user_id) == []
    assert [e.title for e in entries(small, other.user_id)] == ["Heat (1995)"]


def test_a_new_conversation_is_one_of_the_same_person(small):
    guests = Guests(small)
    before = guests.get("a").user_id
    assert guests.renew("a").user_id == before


def test_nothing_of_a_hostile_title_becomes_html_in_the_panel():
    html = panel([Entry("<x>", HOSTILE, ("you like it",))], note=f"{HOSTILE}\nmore")
    assert "<img" not in html and "<x>" not in html and html.count("<br>") == 1
