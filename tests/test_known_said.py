"""Titles that somebody said in a message that they like: shown to them where the page tells what is known of them."""

from __future__ import annotations

import threading

import pytest
from conftest import open_small, served_page

from agent.generation.fake import FakeGenerator
from ui.guest import Guest
from ui.guests import Guests
from ui.keeping import Keeping
from ui.known import entries, panel
from ui.said import Earlier, Said, earlier, said_in, section
from ui.said import panel as said_panel
from ui.words import ENGLISH, WORDS

HOSTILE = "<img src=x onerror=alert(1)> \"' `"


class HeldGenerator(FakeGenerator):
    """Writes no reason before `go` is set, and tells by `begun` that it was asked to."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def write(self, prefix, branches, *, seed=None):
        self.begun.set()
        assert self.go.wait(60)
        yield from super().write(prefix, branches, seed=seed)


@pytest.fixture
def small(tmp_path):
    with open_small(tmp_path / "workspace") as agent:
        yield agent


def told(agent, guest, search=""):
    return [(one.title, one.how) for one in said_in(guest.said, agent.catalogue, search)]


def last(views):
    return list(views)[-1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("I loved Fargo", [("Fargo (1996)", "liked")]),
        ("我喜欢 Fargo", [("Fargo (1996)", "liked")]),
        ("something like Fargo", []),
        ("I hated Scream", [("Scream (1996)", "unlike")]),
        ("nothing like Scream", [("Scream (1996)", "unlike")]),
        ("I liked Fargo but hated Scream, like Heat", [("Fargo (1996)", "liked"), ("Scream (1996)", "unlike")]),
        ("a funny drama", []),
    ],
)
def test_what_was_said_is_told_and_an_example_is_none(small, message, expected):
    guest = Guest(small, user_id="ann")
    last(guest.answer(message))
    assert told(small, guest) == expected
    assert entries(small, "ann") == []  # no interaction and no reaction: it is told once
    html = section(small, guest, "films")
    assert html.count('data-do="remove"') == len(expected) and bool(html) == bool(expected)


def test_what_is_turned_down_for_now_is_no_dislike(small):
    guest = Guest(small, user_id="ann")
    first = last(guest.answer("a drama")).reply.recommendations[0].item
    last(guest.answer("not the first one"))
    assert guest.said.declined == (first.item_id,) and told(small, guest) == []


def test_a_search_finds_what_was_said_by_title(small):
    guest = Guest(small, user_id="ann")
    last(guest.answer("I loved Fargo and Heat"))
    assert told(small, guest, "HEAT") == [("Heat (1995)", "liked")] and told(small, guest, "alien") == []


def test_taken_back_it_is_gone_from_the_store_and_from_the_next_list(small):
    guest = Guest(small, user_id="ann")
    last(guest.answer("I loved Fargo and Heat"))
    assert guest.take_back("like:6") and not guest.take_back("like:6")
    assert told(small, guest) == [("Heat (1995)", "liked")]
    again = Guest(small, user_id="ann", conversation_id=guest.conversation_id)
    assert told(small, again) == [("Heat (1995)", "liked")]
    for one in (guest, again):
        assert [part.key for part in one.view().parts] == ["like:9"]
    reply = last(again.answer("newer than 1970")).reply
    assert reply.intent.likes == ("9",) and "Fargo" not in reply.intent.text
    assert not any("6" in e.item_ids for one in reply.recommendations for e in one.evidence)


def test_a_page_loaded_again_corrects_without_bringing_back_what_was_taken_back(small):
    guest = Guest(small, user_id="ann")
    last(guest.answer("I loved Fargo, a drama"))
    guest.take_back("like:6")
    again = Guest(small, user_id="ann", conversation_id=guest.conversation_id)
    assert last(again.adjust("n", "10")).reply.intent.likes == ()


def test_while_an_answer_is_made_nothing_is_taken_back(tmp_path):
    model = HeldGenerator()
    with open_small(tmp_path / "workspace", model) as agent:
        guest = Guest(agent, user_id="ann")
        thread = threading.Thread(target=lambda: last(guest.answer("I loved Fargo")))
        thread.start()
        try:
            assert model.begun.wait(60) and not guest.take_back("like:6")
        finally:
            model.go.set()
            thread.join()
        assert guest.take_back("like:6")


def test_an_earlier_conversation_is_told_with_its_name_opened_and_deleted(small):
    guests = Guests(small)
    keeping = Keeping(small, guests)
    before = guests.get("page", "ann")
    last(before.answer("I loved Fargo"))
    now = guests.renew("page", "ann")
    last(now.answer("a drama"))
    found = earlier(small, "ann", now.conversation_id)
    key = before.conversation_id
    assert [(one.conversation_id, one.title, one.said) for one in found] == [
        (key, "I loved Fargo", (Said("like:6", "Fargo (1996)", "liked"),))
    ]
    assert earlier(small, "ann", key) == [] and earlier(small, "bob", "") == []
    assert earlier(small, "ann", now.conversation_id, "heat") == []
    html = section(small, now, "films")
    assert 'data-do="remove"' not in html and html.count(f'data-key="{key}"') == 2
    opened, _ = keeping.change("page", "ann", {"do": "open", "key": key})
    assert told(small, opened) == [("Fargo (1996)", "liked")]
    after, note = keeping.change("page", "ann", {"do": "delete", "key": key})
    assert note == ENGLISH("past.deleted") and section(small, after, "films") == ""


def test_what_python_and_the_download_give_out_holds_it_once(small):
    small.conversation("ann").say("I loved Fargo, like Heat")
    known = small.known_of("ann")
    (one,) = known["conversations"]
    assert one["state"]["intent"]["likes"] == ["6", "9"] and one["state"]["intent"]["examples"] == ["9"]
    assert known["history"] == known["feedback"] == []


def test_items_that_have_left_the_catalogue_are_not_told(small):
    small.conversation("ann").say("I loved Fargo and Heat")
    small.remove_items(["6"])
    (one,) = earlier(small, "ann", "")
    assert [said.title for said in one.said] == ["Heat (1995)"]


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_nothing_of_a_hostile_title_becomes_html(words):
    said = Said('like:"><x>', HOSTILE, "liked")
    html = said_panel([said], [Earlier('"><x>', HOSTILE, 0.0, (said,))], HOSTILE, words)
    assert "<img" not in html and "<x>" not in html


def test_the_panel_does_not_say_nothing_beside_it(small):
    guest = Guest(small, user_id="ann")
    last(guest.answer("I loved Fargo"))
    said = section(small, guest, "films")
    assert ENGLISH("known.nothing") not in panel([], said=said) and "Fargo (1996)" in panel([], said=said)
    assert ENGLISH("known.nothing") in panel([])


# -- in a real browser


def test_what_was_said_is_taken_back_at_the_page_and_an_earlier_conversation_opened(tmp_path, browser):
    from pages import TALK, ask, expect, fits, opened_tab, settled

    from ui.app import build_app

    with (
        open_small(tmp_path / "workspace") as agent,
        served_page(lambda: build_app(agent)) as address,
        opened_tab(browser, address, viewport={"width": 390, "height": 844}) as tab,
    ):
        ask(tab, "I loved Fargo, nothing like Scream")
        tab.click("#vr-new")
        expect(tab.locator(TALK)).to_be_hidden()
        ask(tab, "I liked Heat")
        tab.click("#vr-me")
        known = tab.locator("#vr-known")
        expect(known.locator(".vr-drop")).to_have_count(1)
        expect(known.locator(".vr-kept")).to_contain_text("Fargo (1996) you said you like it")
        fits(tab, 390)

        known.get_by_role("button", name="Take back: Heat (1995)").click()
        expect(known.locator(".vr-note")).to_have_text("Taken back. Your next list goes without it.")
        expect(known.locator(".vr-drop")).to_have_count(0)
        known.locator(".vr-open").click()
        expect(tab.locator(TALK)).to_contain_text("I loved Fargo")
        expect(known.locator(".vr-drop")).to_have_count(2)
        settled(tab)
