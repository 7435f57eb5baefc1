"""The page in a real browser: what a newcomer does, what a hostile title cannot do, and that Stop reaches the model."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import open_small

from agent.agent import Agent
from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator
from agent.schema import Item
from agent.settings import load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
BROWSER = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium on the PATH: install it, or set CHROMIUM to where it is"
)

TITLE = "<img src=x onerror=alert(1)> `${alert(2)}` {{alert(3)}} (1995)"
BOX, SEND, STOP, CARD = "#vr-box textarea", "#vr-send", "#vr-stop", ".vr-card:not(.vr-ghost)"


class GatedGenerator(FakeGenerator):
    """Writes the first reason and then, while the gate is closed, takes 60 steps for each of the others."""

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
                    for _ in range(60):
                        if self.gate.wait(0.02):
                            break
                        yield Piece(piece.row, "", False)
                yield piece
            finished = True
        finally:
            if not finished:
                self.ended_early.set()


@pytest.fixture(scope="module")
def generator():
    return GatedGenerator()


@pytest.fixture(scope="module")
def agent(tmp_path_factory, generator):
    path = tmp_path_factory.mktemp("browser") / "workspace"
    open_small(path).close()
    workspace = Workspace.open(path)
    text = "Tense and funny <script>alert(4)</script>."
    workspace.store.put_items([Item("<b>", TITLE, text, {"year": 1995, "genres": ("<i>Odd</i>",)})])
    with Agent(workspace, load_settings(path), HashEncoder(64), generator) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    from ui.app import build_app
    from ui.front import start

    # Gradio makes an event loop that it never closes, unless one runs already; this thread's is that of playwright.
    async def up():
        page = build_app(agent)
        return page, start(page, port=0)

    async def down():
        page.close(verbose=False)

    with ThreadPoolExecutor(1) as thread:
        page, url = thread.submit(lambda: asyncio.run(up())).result()
        yield url
        thread.submit(lambda: asyncio.run(down())).result()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def tab(browser, address, generator):
    generator.gate.set()
    generator.ended_early.clear()
    with opened_tab(browser, address) as page:
        yield page
    generator.gate.set()


@contextmanager
def opened_tab(browser, address, **options):
    """A page of its own; afterwards: nothing was asked of another server, no script ran, nothing is in the console."""
    context = browser.new_context(**options)
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(address)
    page.wait_for_selector(BOX)
    yield page
    context.close()
    assert not wrong
    assert not {url for url in asked if not url.startswith((address, "data:", "blob:"))}


def say(page, text):
    page.fill(BOX, text)
    page.press(BOX, "Enter")


def wait_for_answer(page):
    page.wait_for_selector(f"{CARD} .vr-check")
    page.wait_for_selector(SEND, state="visible")


def test_a_newcomer_takes_a_starter_and_gets_a_list_with_checked_reasons(tab):
    starter = tab.locator(".vr-starter").first
    text = starter.inner_text()
    starter.click()
    wait_for_answer(tab)
    assert tab.locator(CARD).count() == 5
    assert tab.locator(".vr-check").count() == 5
    talk = tab.locator("#vr-talk").inner_text()
    assert text in talk
    assert tab.locator(".vr-understood li").first.inner_text().startswith("like ")
    assert "all reasons checked in" in tab.locator(".vr-status").inner_text()
    assert not tab.locator(".vr-starter").first.is_visible()


def test_a_hostile_title_is_text_in_the_list_and_in_the_talk(tab):
    say(tab, "tense and funny")
    wait_for_answer(tab)
    titles = tab.locator(".vr-title").all_inner_texts()
    assert TITLE in titles
    assert "<i>Odd</i>" in tab.locator(CARD).nth(titles.index(TITLE)).inner_text()
    say(tab, "drama")
    tab.wait_for_function("document.querySelector('#vr-talk').innerText.includes('onerror=alert(1)')")
    wait_for_answer(tab)
    say(tab, f"I liked {TITLE} <img src=y onerror=alert(5)> [a](javascript:alert(6))")
    tab.wait_for_function("document.querySelector('#vr-talk').innerText.includes('javascript:alert(6)')")
    tab.wait_for_selector(SEND, state="visible")
    assert tab.locator("#vr-talk img, #vr-talk a, #vr-found img, #vr-found script, #vr-found i").count() == 0


def test_stop_reaches_the_model_and_the_next_message_is_answered(tab, generator):
    generator.gate.clear()
    say(tab, "I liked Alien (1979)")
    tab.wait_for_selector(CARD)
    assert tab.locator(".vr-pending").count() > 0
    tab.click(STOP)
    assert generator.ended_early.wait(20)
    tab.wait_for_selector(SEND, state="visible")
    assert tab.locator(CARD).count() == 5
    assert "No reason: stopped." in tab.locator("#vr-found").inner_text()
    generator.gate.set()
    say(tab, "something funny")
    tab.wait_for_function("!document.querySelector('#vr-found').innerText.includes('stopped')")
    wait_for_answer(tab)
    assert tab.locator(".vr-pending").count() == 0


def test_a_tab_that_closes_stops_the_model(browser, address, generator):
    generator.gate.set()
    generator.ended_early.clear()
    with opened_tab(browser, address) as page:
        generator.gate.clear()
        say(page, "I liked Alien (1979)")
        page.wait_for_selector(CARD)
        page.close()
        assert generator.ended_early.wait(20)
    generator.gate.set()


def test_one_key_or_tap_keeps_a_reaction_and_the_focus_stays(tab, agent):
    say(tab, "I liked Alien (1979)")
    wait_for_answer(tab)
    before = agent.workspace.store.count_feedback()
    like = tab.locator(f"{CARD} button[data-event=like]").first
    title = tab.locator(".vr-title").first.inner_text()
    assert like.get_attribute("aria-label") == f"Like: {title}"
    like.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("button[data-event=like][aria-pressed=true]")
    assert like.evaluate("button => button === document.activeElement")
    assert agent.workspace.store.count_feedback() == before + 1
    tab.locator(f"{CARD} button[data-event=seen]").nth(1).click()
    tab.wait_for_selector("button[data-event=seen][aria-pressed=true]")
    assert agent.workspace.store.count_feedback() == before + 2


def test_a_reaction_that_is_pressed_again_is_taken_back_and_why_stays_open(tab, agent):
    say(tab, "I liked Alien (1979)")
    wait_for_answer(tab)
    before = agent.workspace.store.count_feedback()
    tab.locator(".vr-why summary").nth(1).click()
    later = tab.locator(f"{CARD} button[data-event=not_now]").first
    later.click()
    tab.wait_for_selector("button[data-event=not_now][aria-pressed=true]")
    later.click()
    tab.wait_for_selector("button[data-event=not_now][aria-pressed=true]", state="detached")
    assert agent.workspace.store.count_feedback() == before
    assert tab.locator(".vr-why ul").nth(1).is_visible() and not tab.locator(".vr-why ul").first.is_visible()


def test_a_part_that_was_understood_is_taken_out_by_key_and_the_list_is_made_anew(tab):
    say(tab, "dramas from 1996")
    wait_for_answer(tab)
    assert tab.locator(CARD).count() == 2
    drop = tab.get_by_role("button", name="Take out: 1996")
    drop.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("!document.querySelector('.vr-understood').innerText.includes('1996')")
    wait_for_answer(tab)
    assert tab.locator(CARD).count() > 2
    assert tab.locator("#vr-found .vr-status").evaluate("line => line === document.activeElement")


def test_a_suggestion_is_said_with_one_tap_and_undone_with_another(tab):
    say(tab, "something funny")
    wait_for_answer(tab)
    titles = tab.locator(".vr-title").all_inner_texts()
    chip = tab.locator(".vr-next button[data-text^=Newer]")
    text = chip.inner_text()
    chip.click()
    tab.wait_for_function("text => document.querySelector('#vr-talk').innerText.includes(text)", arg=text)
    wait_for_answer(tab)
    assert tab.locator(".vr-title").all_inner_texts() != titles
    tab.get_by_role("button", name="Edit the last message").click()
    tab.wait_for_function("text => document.querySelector('#vr-box textarea').value === text", arg=text)
    assert tab.locator(".vr-title").all_inner_texts() == titles


def test_the_weight_of_the_history_is_moved_with_the_keys(tab):
    say(tab, "something funny")
    wait_for_answer(tab)
    tab.locator("input[data-do=habit]").press("ArrowRight")
    tab.wait_for_selector("input[data-do=habit][value='55']")
    wait_for_answer(tab)
    assert tab.locator("input[data-do=habit]").evaluate("one => one === document.activeElement")


def test_what_is_known_is_added_searched_given_out_and_forgotten(tab, agent):
    tab.click("#vr-me")
    panel = tab.locator("#vr-known")
    panel.get_by_text("Nothing yet").wait_for()
    panel.get_by_text("Add what you know", exact=True).click()
    panel.locator("input[type=file]").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"title,rating\nAlien,5\nFargo,4\nNo Such Thing,1\n"}
    )
    tab.wait_for_function("document.querySelector('#vr-known textarea').value.includes('Fargo')")
    panel.get_by_role("button", name="Add these").click()
    panel.get_by_text("Added: 2. Not added: 1.").wait_for()
    panel.get_by_label("Search").type("far")
    panel.get_by_text("1 found").wait_for()
    assert panel.get_by_label("Search").input_value() == "far"
    with tab.expect_download() as given:
        panel.get_by_role("button", name="Download all of it").click()
    assert "Alien (1979)" in Path(given.value.path()).read_text()
    panel.get_by_role("button", name="Remove: Fargo (1996)").click()
    panel.get_by_text("Removed.").wait_for()
    assert panel.locator(".vr-entries li").count() == 1
    people = agent.workspace.store.count_users()
    panel.get_by_text("Forget me", exact=True).click()
    panel.get_by_role("button", name="Yes, forget everything").click()
    panel.get_by_text("All of it is gone.").wait_for()
    assert agent.workspace.store.count_users() == people - 1


def test_two_tabs_are_two_guests(tab, browser, address):
    say(tab, "I liked Alien (1979)")
    wait_for_answer(tab)
    with opened_tab(browser, address) as other:
        other.wait_for_selector(".vr-starter", state="visible")
        assert other.locator(CARD).count() == 0
        say(other, "more")
        wait_for_answer(other)
        assert "Alien" not in other.locator("#vr-talk").inner_text()


def test_a_new_conversation_begins_empty(tab):
    say(tab, "I liked Alien (1979)")
    wait_for_answer(tab)
    tab.click("#vr-new")
    tab.wait_for_selector(".vr-starter", state="visible")
    assert tab.locator(CARD).count() == 0 and not tab.locator("#vr-talk").is_visible()


def test_a_message_that_is_too_long_is_refused_with_a_sentence_and_given_back(tab, agent):
    tab.evaluate("document.querySelector('#vr-box textarea').removeAttribute('maxlength')")
    text = "x" * (agent.settings.max_message_chars + 1)
    say(tab, text)
    tab.wait_for_function("document.querySelector('#vr-talk')?.innerText.includes('at most')")
    assert tab.input_value(BOX) == text
    assert tab.locator(CARD).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(browser, address, scheme):
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme, "has_touch": True}
    with opened_tab(browser, address, **options) as page:
        page.click("#vr-me")
        page.wait_for_selector("#vr-known section")
        say(page, "I liked Alien (1979)")
        wait_for_answer(page)
        page.locator(".vr-trace summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator(BOX).bounding_box()["y"] < 844
        channels = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3)")
        assert (sum(map(int, channels)) > 380) == (scheme == "light")
