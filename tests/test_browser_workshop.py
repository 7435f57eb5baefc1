"""The workshop in a real browser: who gets in, an edit and what it does, a broken edit, a version, a blind vote."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from conftest import SOON, in_a_thread, open_small, served_page
from pages import expect, settled, watched

from agent.generation.prompting import PromptSet
from agent.schema import Item
from agent.settings import load_settings
from ui.desk import Desk
from ui.guests import Guests
from ui.workshop.gate import WorkshopRoute

HOSTILE = "<img src=x onerror=alert(1)> {{alert(2)}} (1995)"
CODE, RENDERED, STATE, FOUND = "#vw-code .cm-content", "#vw-rendered", "#vw-state", "#vw-found"


@contextmanager
def served(agent, *, with_workshop):
    from ui.app import build_app
    from ui.workshop.page import open_workshop

    desk = Desk()
    gate = in_a_thread(open_workshop, agent, desk) if with_workshop else None
    routes = [WorkshopRoute(gate)] if gate else []
    with served_page(lambda: build_app(agent, Guests(agent, desk=desk)), routes=routes) as url:
        yield url, gate


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    with open_small(tmp_path_factory.mktemp("workshop") / "workspace") as opened:
        opened.add_items([Item("h", HOSTILE, "Tense and funny <b>.", {"year": 1995, "genres": ("<i>Odd</i>",)})])
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    with served(agent, with_workshop=True) as (url, gate):
        yield url + gate.address


@pytest.fixture
def tab(browser, address):
    """The workshop, without edits."""
    with watched(browser, address) as page:
        page.wait_for_selector(f"{RENDERED} .vw-message")
        state = page.locator(STATE)
        expect(state).not_to_be_empty()
        settled(page)
        if "Not saved" in state.inner_text():
            page.click("#vw-discard")
        expect(state).to_have_text(re.compile(r"^\s*It renders"))
        settled(page)
        yield page


def type_at_the_end(page, text):
    page.click(CODE)
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(text)  # whole: between quick single keys the editor sometimes puts its caret back


def status(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SOON) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_not_there_when_it_is_not_asked_for(agent, address):
    with served(agent, with_workshop=False) as (url, _):
        assert status(url) == 200
        assert status(f"{url}/workshop/") == status(f"{url}/workshop/config") == 404


def test_nobody_gets_in_without_the_token(browser, address):
    url = address.partition("?")[0]
    for path in ("", "config", "gradio_api/info", "gradio_api/queue/data?session_hash=x", "?token=guess"):
        assert status(url + path) == 403
    assert status(url, Cookie="vouchrec-workshop=guess") == 403
    with watched(browser, url, silent=False) as page:
        expect(page.locator("body")).to_contain_text("token")
        expect(page.locator("gradio-app, #vw-code")).to_have_count(0)
        page.goto(address)
        page.wait_for_selector(CODE)
        assert page.url == url  # the token is in no history
        page.reload()
        page.wait_for_selector(CODE)


def test_an_edit_is_rendered_on_a_real_person_with_its_tokens(tab, agent):
    expect(tab.locator(RENDERED)).to_contain_text("Which films did I choose")
    expect(tab.locator(RENDERED)).to_contain_text("Alien (1979)")
    count = tab.locator(f"{RENDERED} .vw-count b")
    before = int(count.inner_text())
    type_at_the_end(tab, " perhaps two words")
    tab.wait_for_selector(f"{RENDERED} >> text=perhaps two words")
    expect(count).to_have_text(str(before + 3))
    expect(tab.locator(STATE)).to_contain_text("Not saved: rank")
    tab.fill("#vw-request textarea", "a film about trains & <3")
    tab.wait_for_selector(f"{RENDERED} >> text=I want: a film about trains & <3")
    settled(tab)
    tab.reload()
    tab.wait_for_selector(f"{RENDERED} >> text=perhaps two words")  # an edit outlives the page that it was made on


def test_another_person_is_looked_at_by_id(tab):
    tab.fill("#vw-person input", "p11")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.wait_for_selector(f"{RENDERED} >> text=Toy Story (1995)")


def test_a_broken_edit_shows_its_line_at_once(tab):
    type_at_the_end(tab, " {{ oops }}")
    tab.wait_for_selector(".vw-problem")
    for said in ("rank.prompty, line 45.", "'oops' is not an input", "- {{ oops }}"):
        expect(tab.locator(STATE)).to_contain_text(said)
    for _ in "{{ oops }}":
        tab.keyboard.press("Backspace")
    tab.wait_for_selector(f"{STATE} >> text=It renders.")


def test_its_tests_run(tab):
    tab.click("#vw-test")
    tab.wait_for_selector(f"{FOUND} >> text=checks hold")
    tab.click(CODE)
    tab.keyboard.press("Control+End")
    tab.keyboard.press("Backspace")
    tab.keyboard.type("* ")
    tab.wait_for_selector(f"{STATE} >> text=Not saved: rank")
    tab.click("#vw-test")
    tab.wait_for_selector(f"{FOUND} .vw-failed")
    expect(tab.locator(FOUND)).to_contain_text("lacks")


def test_lists_of_old_and_new_stand_side_by_side(tab):
    tab.click("#vw-compare")
    tab.wait_for_selector("#vw-note >> text=nothing to compare")
    type_at_the_end(tab, " Hamlet")
    tab.wait_for_selector(f"{RENDERED} >> text=- Hamlet")
    tab.click("#vw-compare")
    tab.wait_for_selector(f"{FOUND} .vw-two")
    expect(tab.locator(f"{FOUND} h3").first).not_to_contain_text("being written")
    expect(tab.locator(f"{FOUND} .vw-column")).to_have_count(2)
    expect(tab.locator(f"{FOUND} li")).to_have_count(10)
    expect(tab.locator(FOUND)).to_contain_text(HOSTILE)
    expect(tab.locator(f"{FOUND} img")).to_have_count(0)
    tab.click(".vw-diff summary")
    expect(tab.locator(".vw-diff ins").first).to_be_visible()
    expect(tab.locator(".vw-diff ins").first).to_contain_text("+- Hamlet")


def test_a_version_is_saved_and_put_in_service(tab, agent):
    type_at_the_end(tab, " next:")
    tab.wait_for_selector(f"{RENDERED} >> text=- next:")
    tab.fill("#vw-version input, #vw-version textarea", "mine")
    tab.click("#vw-save")
    tab.wait_for_selector("#vw-note >> text=Saved in")
    folder = agent.settings.home / "prompts" / "mine"
    assert PromptSet(folder).get("rank").body.rstrip().endswith("- next:")
    expect(tab.locator("#vw-set input")).to_have_value("mine")
    tab.click("#vw-use")
    tab.wait_for_selector("#vw-note >> text=mine serves from the next start on")
    assert load_settings(agent.settings.home).prompts == str(folder)


def test_a_blind_vote_is_stored_and_only_then_is_it_told_who_was_who(tab, agent):
    type_at_the_end(tab, " Hamlet")
    tab.wait_for_selector(f"{RENDERED} >> text=- Hamlet")
    tab.click("button[role=tab] >> text=Blind")
    tab.wait_for_selector("#vb-ask", state="visible")
    tab.click("#vb-other input")
    tab.click("[role=option] >> text=edited prompts")
    tab.fill("#vb-request textarea", "")
    tab.click("#vb-ask")
    tab.wait_for_selector("#vb-tie", state="visible")
    settled(tab)
    shown = tab.inner_text("#vb-found")
    assert shown and "as served" not in shown and "edited" not in shown
    expect(tab.locator("#vb-told")).to_have_text("")
    before = len(agent.workspace.store.votes())
    tab.click("#vb-tie")
    tab.wait_for_selector("#vb-told >> text=Your vote is stored")
    tab.wait_for_selector("#vb-votes", state="hidden")
    cast = agent.workspace.store.votes()
    assert len(cast) == before + 1 and cast[-1].verdict == "tie"
    expect(tab.locator("#vb-told")).to_contain_text(f"A was {cast[-1].left.name}")
    expect(tab.locator("#vb-told")).to_contain_text(f"B was {cast[-1].right.name}")
    expect(tab.locator("#vb-tally")).to_contain_text("as served")
