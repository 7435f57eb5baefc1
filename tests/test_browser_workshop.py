"""The workshop in a real browser: who gets in, an edit and what it does, a broken edit, a version, a blind vote."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from conftest import open_small
from test_browser import BROWSER, playwright

from agent.generation.prompting import PromptSet
from agent.schema import Item
from agent.settings import load_settings
from ui.desk import Desk
from ui.guests import Guests
from ui.workshop.gate import WorkshopRoute

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium on the PATH: install it, or set CHROMIUM to where it is"
)

HOSTILE = "<img src=x onerror=alert(1)> {{alert(2)}} (1995)"
CODE, RENDERED, STATE, FOUND = "#vw-code .cm-content", "#vw-rendered", "#vw-state", "#vw-found"


@contextmanager
def served(agent, *, with_workshop):
    from ui.app import build_app
    from ui.front import start
    from ui.workshop.page import open_workshop

    # Gradio makes an event loop that it never closes, unless one runs already; this thread's is that of playwright.
    async def up():
        desk = Desk()
        page = build_app(agent, Guests(agent, desk=desk))
        gate = open_workshop(agent, desk) if with_workshop else None
        return page, start(page, port=0, routes=[WorkshopRoute(gate)] if gate else []), gate

    async def down():
        page.close(verbose=False)

    with ThreadPoolExecutor(1) as thread:
        page, url, gate = thread.submit(lambda: asyncio.run(up())).result()
        yield url.rstrip("/"), gate
        thread.submit(lambda: asyncio.run(down())).result()


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    with open_small(tmp_path_factory.mktemp("workshop") / "workspace") as opened:
        opened.add_items([Item("h", HOSTILE, "Tense and funny <b>.", {"year": 1995, "genres": ("<i>Odd</i>",)})])
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    with served(agent, with_workshop=True) as (url, gate):
        yield url + gate.address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def tab(browser, address):
    """The workshop, without edits; afterwards: no script ran, nothing in the console, no other server was asked."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.goto(address)
    page.wait_for_selector(f"{RENDERED} .vw-message")
    if "Not saved" in page.inner_text(STATE):
        page.click("#vw-discard")
    page.wait_for_function("!document.querySelector('#vw-state').innerText.includes('Not saved')")
    yield page
    context.close()
    assert not wrong
    assert not {url for url in asked if not url.startswith((address.partition("/workshop")[0], "data:", "blob:"))}


def type_at_the_end(page, text):
    page.click(CODE)
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def status(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
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
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    assert "token" in page.inner_text("body") and page.locator("gradio-app, #vw-code").count() == 0
    page.goto(address)
    page.wait_for_selector(CODE)
    assert page.url == url  # the token is in no history
    page.reload()
    page.wait_for_selector(CODE)
    context.close()


def test_an_edit_is_rendered_on_a_real_person_with_its_tokens(tab, agent):
    assert "Which films did I choose" in tab.inner_text(RENDERED)
    assert "Alien (1979)" in tab.inner_text(RENDERED)
    before = int(tab.inner_text(f"{RENDERED} .vw-count b"))
    type_at_the_end(tab, " perhaps two words")
    tab.wait_for_selector(f"{RENDERED} >> text=perhaps two words")
    assert int(tab.inner_text(f"{RENDERED} .vw-count b")) == before + 3
    assert "Not saved: rank" in tab.inner_text(STATE)
    tab.fill("#vw-request textarea", "a film about trains & <3")
    tab.wait_for_selector(f"{RENDERED} >> text=I want: a film about trains & <3")
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
    said = tab.inner_text(STATE)
    assert "rank.prompty, line 45." in said and "'oops' is not an input" in said and "- {{ oops }}" in said
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
    assert "lacks" in tab.inner_text(FOUND)


def test_lists_of_old_and_new_stand_side_by_side(tab):
    tab.click("#vw-compare")
    tab.wait_for_selector("#vw-note >> text=nothing to compare")
    type_at_the_end(tab, " Hamlet")
    tab.wait_for_selector(f"{RENDERED} >> text=- Hamlet")
    tab.click("#vw-compare")
    tab.wait_for_selector(f"{FOUND} .vw-two")
    tab.wait_for_function("!document.querySelector('#vw-found h3').innerText.includes('being written')")
    assert tab.locator(f"{FOUND} .vw-column").count() == 2 and tab.locator(f"{FOUND} li").count() == 10
    assert HOSTILE in tab.inner_text(FOUND) and tab.locator(f"{FOUND} img").count() == 0
    tab.click(".vw-diff summary")
    assert "+- Hamlet" in tab.inner_text(".vw-diff ins")


def test_a_version_is_saved_and_put_in_service(tab, agent):
    type_at_the_end(tab, " next:")
    tab.wait_for_selector(f"{RENDERED} >> text=- next:")
    tab.fill("#vw-version input, #vw-version textarea", "mine")
    tab.click("#vw-save")
    tab.wait_for_selector("#vw-note >> text=Saved in")
    folder = agent.settings.home / "prompts" / "mine"
    assert PromptSet(folder).get("rank").body.rstrip().endswith("- next:")
    assert tab.input_value("#vw-set input") == "mine"
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
    shown = tab.inner_text("#vb-found")
    assert "as served" not in shown and "edited" not in shown and tab.inner_text("#vb-told").strip() == ""
    before = len(agent.workspace.store.votes())
    tab.click("#vb-tie")
    tab.wait_for_selector("#vb-told >> text=Your vote is stored")
    tab.wait_for_selector("#vb-votes", state="hidden")
    cast = agent.workspace.store.votes()
    assert len(cast) == before + 1 and cast[-1].verdict == "tie"
    told = tab.inner_text("#vb-told")
    assert f"A was {cast[-1].left.name}" in told and f"B was {cast[-1].right.name}" in told
    assert "as served" in tab.inner_text("#vb-tally")
