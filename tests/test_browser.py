"""The page in a real browser: what a newcomer does, what a hostile title cannot do, and that Stop reaches the model."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from conftest import open_small, served_page
from pages import (
    BOX,
    CARD,
    FOUND,
    SEND,
    STARTER,
    STATUS,
    STOP,
    TALK,
    TITLES,
    answered,
    ask,
    expect,
    fits,
    opened_tab,
    say,
    settled,
    titles,
)

from agent.agent import Agent
from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator
from agent.schema import Item
from agent.settings import load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

TITLE = "<img src=x onerror=alert(1)> `${alert(2)}` {{alert(3)}} (1995)"


class GatedGenerator(FakeGenerator):
    """Writes the first reason and then, while the gate is closed, goes on with the others in steps for a minute."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.ended_early = threading.Event()

    def write(self, prefix, branches, *, seed=None):
        finished = False
        try:
            for number, piece in enumerate(super().write(prefix, branches, seed=seed)):
                if number >= 2 and piece.done:
                    for _ in range(3000):
                        if self.gate.wait(0.02):
                            break
                        yield Piece(piece.row, "", False)
                yield piece
            finished = True
        finally:
            if not finished:
                self.ended_early.set()


@pytest.fixture(scope="module")
def gated():
    return GatedGenerator()


@pytest.fixture
def generator(gated):
    """With an open gate, before and afterwards."""
    gated.ended_early.clear()
    yield gated
    gated.gate.set()


@pytest.fixture(scope="module")
def agent(tmp_path_factory, gated):
    path = tmp_path_factory.mktemp("browser") / "workspace"
    open_small(path).close()
    workspace = Workspace.open(path)
    text = "Tense and funny <script>alert(4)</script>."
    workspace.store.put_items([Item("<b>", TITLE, text, {"year": 1995, "genres": ("<i>Odd</i>",)})])
    with Agent(workspace, load_settings(path), HashEncoder(64), gated) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    from ui.app import build_app

    with served_page(lambda: build_app(agent)) as url:
        yield url


@pytest.fixture
def tab(browser, address):
    with opened_tab(browser, address) as page:
        yield page


def test_a_newcomer_takes_a_starter_and_gets_a_list_with_checked_reasons(tab):
    starter = tab.locator(STARTER).first
    text = starter.inner_text()
    with answered(tab):
        starter.click()
    expect(tab.locator(CARD)).to_have_count(5)
    expect(tab.locator(".vr-check")).to_have_count(5)
    expect(tab.locator(TALK)).to_contain_text(text)
    expect(tab.locator(".vr-understood li").first).to_have_text(re.compile("^like "))
    expect(tab.locator(STATUS)).to_contain_text("all reasons checked in")
    expect(starter).to_be_hidden()


def test_a_hostile_title_is_text_in_the_list_and_in_the_talk(tab):
    ask(tab, "tense and funny")
    listed = titles(tab)
    assert TITLE in listed
    expect(tab.locator(CARD).nth(listed.index(TITLE))).to_contain_text("<i>Odd</i>")
    ask(tab, "drama")
    expect(tab.locator(TALK)).to_contain_text("onerror=alert(1)")
    say(tab, f"I liked {TITLE} <img src=y onerror=alert(5)> [a](javascript:alert(6))")
    expect(tab.locator(TALK)).to_contain_text("javascript:alert(6)")
    expect(tab.locator(SEND)).to_be_visible()
    settled(tab)
    made = f"{TALK} img, {TALK} a, {FOUND} img, {FOUND} script, {FOUND} i"
    expect(tab.locator(made)).to_have_count(0)


def test_stop_reaches_the_model_and_the_next_message_is_answered(tab, generator):
    generator.gate.clear()
    say(tab, "I liked Alien (1979)")
    tab.wait_for_selector(CARD)
    tab.wait_for_selector(".vr-pending")
    tab.click(STOP)
    assert generator.ended_early.wait(50)
    expect(tab.locator(SEND)).to_be_visible()
    expect(tab.locator(CARD)).to_have_count(5)
    expect(tab.locator(FOUND)).to_contain_text("No reason: stopped.")
    generator.gate.set()
    ask(tab, "something funny")
    expect(tab.locator(FOUND)).not_to_contain_text("stopped")
    expect(tab.locator(".vr-pending")).to_have_count(0)


def test_a_tab_that_closes_stops_the_model(browser, address, generator):
    with opened_tab(browser, address) as page:
        generator.gate.clear()
        say(page, "I liked Alien (1979)")
        page.wait_for_selector(CARD)
        page.close()
        assert generator.ended_early.wait(50)


def test_one_key_or_tap_keeps_a_reaction_and_the_focus_stays(tab, agent):
    ask(tab, "I liked Alien (1979)")
    before = agent.workspace.store.count_feedback()
    like = tab.locator(f"{CARD} button[data-event=like]").first
    expect(like).to_have_attribute("aria-label", f"Like: {titles(tab)[0]}")
    like.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("button[data-event=like][aria-pressed=true]")
    expect(like).to_be_focused()
    assert agent.workspace.store.count_feedback() == before + 1
    tab.locator(f"{CARD} button[data-event=seen]").nth(1).click()
    tab.wait_for_selector("button[data-event=seen][aria-pressed=true]")
    assert agent.workspace.store.count_feedback() == before + 2


def test_a_reaction_that_is_pressed_again_is_taken_back_and_why_stays_open(tab, agent):
    ask(tab, "I liked Alien (1979)")
    before = agent.workspace.store.count_feedback()
    tab.locator(".vr-why summary").nth(1).click()
    expect(tab.locator(".vr-why ul").nth(1)).to_be_visible()
    later = tab.locator(f"{CARD} button[data-event=not_now]").first
    later.click()
    tab.wait_for_selector("button[data-event=not_now][aria-pressed=true]")
    later.click()
    tab.wait_for_selector("button[data-event=not_now][aria-pressed=true]", state="detached")
    assert agent.workspace.store.count_feedback() == before
    expect(tab.locator(".vr-why ul").nth(1)).to_be_visible()
    expect(tab.locator(".vr-why ul").first).to_be_hidden()


def test_a_part_that_was_understood_is_taken_out_by_key_and_the_list_is_made_anew(tab):
    ask(tab, "dramas from 1996")
    expect(tab.locator(CARD)).to_have_count(2)
    drop = tab.get_by_role("button", name="Take out: 1996")
    drop.focus()
    with answered(tab):
        tab.keyboard.press("Enter")
    expect(tab.locator(".vr-understood")).not_to_contain_text("1996")
    expect(tab.locator(CARD).nth(2)).to_be_visible()
    expect(tab.locator(STATUS)).to_be_focused()


def test_a_suggestion_is_said_with_one_tap_and_undone_with_another(tab):
    ask(tab, "something funny")
    before = titles(tab)
    chip = tab.locator(".vr-next button[data-text^=Newer]")
    text = chip.inner_text()
    with answered(tab):
        chip.click()
    expect(tab.locator(TALK)).to_contain_text(text)
    expect(tab.locator(TITLES)).not_to_have_text(before)
    tab.get_by_role("button", name="Edit the last message").click()
    expect(tab.locator(BOX)).to_have_value(text)
    expect(tab.locator(TITLES)).to_have_text(before)


def test_the_weight_of_the_history_is_moved_with_the_keys(tab):
    ask(tab, "something funny")
    weight = tab.locator("input[data-do=habit]")
    with answered(tab):
        weight.press("ArrowRight")
    expect(weight).to_have_attribute("value", "55")
    expect(weight).to_be_focused()


def test_what_is_known_is_added_searched_given_out_and_forgotten(tab, agent):
    tab.click("#vr-me")
    panel = tab.locator("#vr-known")
    panel.get_by_text("Nothing yet").wait_for()
    panel.get_by_text("Add what you know", exact=True).click()
    panel.locator("input[type=file]").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"title,rating\nAlien,5\nFargo,4\nNo Such Thing,1\n"}
    )
    expect(panel.locator("textarea")).to_have_value(re.compile("Fargo"))
    panel.get_by_role("button", name="Add these").click()
    panel.get_by_text("Added: 2. Not added: 1.").wait_for()
    panel.get_by_label("Search").type("far")
    panel.get_by_text("1 found").wait_for()
    expect(panel.get_by_label("Search")).to_have_value("far")
    for _ in ("once", "and with nothing changed again"):
        with tab.expect_download() as given:
            panel.get_by_role("button", name="Download all of it").click()
        assert "Alien (1979)" in Path(given.value.path()).read_text()
    panel.get_by_role("button", name="Remove: Fargo (1996)").click()
    panel.get_by_text("Removed.").wait_for()
    expect(panel.locator(".vr-entries li")).to_have_count(1)
    people = agent.workspace.store.count_users()
    panel.get_by_text("Forget me", exact=True).click()
    panel.get_by_role("button", name="Yes, forget everything").click()
    panel.get_by_text("All of it is gone.").wait_for()
    assert agent.workspace.store.count_users() == people - 1


def test_two_tabs_are_two_guests(tab, browser, address):
    ask(tab, "I liked Alien (1979)")
    with opened_tab(browser, address) as other:
        expect(other.locator(CARD)).to_have_count(0)
        ask(other, "more")
        expect(other.locator(TALK)).not_to_contain_text("Alien")


def test_a_new_conversation_begins_empty(tab):
    ask(tab, "I liked Alien (1979)")
    tab.click("#vr-new")
    expect(tab.locator(STARTER).first).to_be_visible()
    expect(tab.locator(CARD)).to_have_count(0)
    expect(tab.locator(TALK)).to_be_hidden()


def test_a_message_that_is_too_long_is_refused_with_a_sentence_and_given_back(tab, agent):
    tab.evaluate("document.querySelector('#vr-box textarea').removeAttribute('maxlength')")
    text = "x" * (agent.settings.max_message_chars + 1)
    say(tab, text)
    expect(tab.locator(TALK)).to_contain_text("at most")
    expect(tab.locator(BOX)).to_have_value(text)
    expect(tab.locator(CARD)).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(browser, address, scheme):
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme, "has_touch": True}
    with opened_tab(browser, address, **options) as page:
        page.click("#vr-me")
        page.wait_for_selector("#vr-known section")
        ask(page, "I liked Alien (1979)")
        page.locator(".vr-trace summary").click()
        expect(page.locator(".vr-trace")).to_have_attribute("open", "")
        fits(page, 390)
        expect(page.locator(BOX)).to_be_in_viewport()
        ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3)"
        sign = ">" if scheme == "light" else "<="
        page.wait_for_function(f"{ground}.reduce((sum, one) => sum + Number(one), 0) {sign} 380")
