"""In a real browser: a page that is loaded again, earlier conversations, shared lists, and what moved an item."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import open_small
from test_browser import CARD, browser, opened_tab, playwright, pytestmark, say, wait_for_answer  # noqa: F401

from agent.agent import Agent
from agent.schema import Item
from agent.settings import load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from ui.lists import lists_route

TITLE = "<img src=x onerror=alert(1)> {{alert(3)}} (1995)"
ANSWER = "document.querySelectorAll('.vr-check').length > 0"


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    from agent.generation.fake import FakeGenerator

    path = tmp_path_factory.mktemp("kept") / "workspace"
    open_small(path).close()
    workspace = Workspace.open(path)
    workspace.store.put_items([Item("<b>", TITLE, "Tense.", {"year": 1995, "genres": ("Drama",)})])
    with Agent(workspace, load_settings(path), HashEncoder(64), FakeGenerator()) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    from ui.app import build_app
    from ui.front import start

    async def up():
        page = build_app(agent)
        return page, start(page, port=0, routes=[lists_route(agent)])

    async def down():
        page.close(verbose=False)

    with ThreadPoolExecutor(1) as thread:
        page, url = thread.submit(lambda: asyncio.run(up())).result()
        yield url
        thread.submit(lambda: asyncio.run(down())).result()


@pytest.fixture
def tab(browser, address):  # noqa: F811
    with opened_tab(browser, address) as page:
        yield page


def titles(page):
    return page.locator(".vr-title").all_inner_texts()


def loaded_again(page):
    page.reload()
    page.wait_for_selector("#vr-box textarea")


def past(page):
    """The list of earlier conversations, opened."""
    part = page.locator("#vr-past")
    part.locator("details.vr-past > summary").wait_for()
    if not part.locator("ul").is_visible():
        part.locator("details.vr-past > summary").click()
    return part


def new_conversation(page):
    page.click("#vr-new")
    page.wait_for_selector(".vr-starter", state="visible")


def shared(page, *ticks):
    """Shares the list of a page and gives the path of its link."""
    part = page.locator("#vr-share")
    part.get_by_text("Share this list", exact=True).click()
    for name in ticks:
        part.locator(f"input[name={name}]").check()
    part.get_by_role("button", name="Make a link").click()
    part.locator("a").wait_for()
    return part.locator("a").get_attribute("href")


def test_a_page_that_is_loaded_again_shows_what_it_showed(tab):
    say(tab, "something tense")
    wait_for_answer(tab)
    tab.locator(f"{CARD} button[data-event=like]").first.click()
    tab.wait_for_selector("button[data-event=like][aria-pressed=true]")
    before = titles(tab), tab.locator("#vr-talk").inner_text()
    loaded_again(tab)
    tab.wait_for_function(ANSWER)
    assert (titles(tab), tab.locator("#vr-talk").inner_text()) == before
    assert tab.locator("button[data-event=like][aria-pressed=true]").count() == 1
    say(tab, "newer than 1985")
    tab.wait_for_function("document.querySelector('#vr-talk').innerText.includes('newer than 1985')")
    wait_for_answer(tab)
    assert not set(titles(tab)) & set(before[0])
    cookies = tab.context.cookies()
    assert [(one["name"], one["httpOnly"], one["sameSite"]) for one in cookies] == [("vouchrec", True, "Lax")]
    assert cookies[0]["value"] not in tab.content() and cookies[0]["value"] not in tab.url


def test_an_earlier_conversation_is_opened_renamed_gone_on_with_and_deleted(tab, agent):
    say(tab, "something tense")
    wait_for_answer(tab)
    before = titles(tab)
    assert tab.locator("details.vr-past").count() == 0
    new_conversation(tab)
    loaded_again(tab)
    tab.wait_for_selector(".vr-starter", state="visible")
    assert past(tab).locator("li").count() == 1
    say(tab, "a drama")
    wait_for_answer(tab)
    past(tab).get_by_role("button", name="something tense", exact=True).click()
    tab.wait_for_function("document.querySelector('#vr-talk').innerText.includes('something tense')")
    assert titles(tab) == before
    past(tab).locator("summary[aria-label^='something tense']").click()
    tab.locator("#vr-past li input:visible").fill("For <b>Friday</b>")
    tab.locator("#vr-past button[data-do=rename]:visible").click()
    past(tab).get_by_role("button", name="For <b>Friday</b>", exact=True).wait_for()
    assert tab.locator("#vr-past li b").count() == 0
    say(tab, "newer than 1985")
    tab.wait_for_function("document.querySelector('#vr-talk').innerText.includes('newer than 1985')")
    wait_for_answer(tab)
    turns = agent.workspace.store.count_turns()
    past(tab).locator("button[data-do=delete]:visible").click()
    tab.wait_for_selector(".vr-starter", state="visible")
    assert past(tab).locator(".vr-open").all_inner_texts() == ["a drama"]
    assert agent.workspace.store.count_turns() == turns - 2


def test_another_browser_sees_nothing_of_mine(tab, browser, address):  # noqa: F811
    say(tab, "something tense")
    wait_for_answer(tab)
    new_conversation(tab)
    key = past(tab).locator(".vr-open").get_attribute("data-key")
    say(tab, "a drama")
    wait_for_answer(tab)
    link = shared(tab)
    with opened_tab(browser, address) as other:
        assert other.locator("details.vr-past").count() == 0 and other.locator(CARD).count() == 0
        say(other, "a comedy")
        wait_for_answer(other)
        new_conversation(other)
        own = past(other).locator(".vr-open")
        own.evaluate("(button, key) => { button.dataset.key = key }", key)  # what somebody hostile would send
        own.click()
        other.get_by_text("not there any more").wait_for()
        assert other.locator(CARD).count() == 0 and "something tense" not in other.content()
        other.click("#vr-me")
        other.get_by_text("You share no list.").wait_for()
        say(other, "a drama")
        wait_for_answer(other)
        own_link = shared(other)
        other.locator("#vr-share button[data-do=unshare]").evaluate(
            "(button, key) => { button.dataset.key = key }", link.rpartition("/")[2]
        )
        other.locator("#vr-share button[data-do=unshare]").click()
        other.get_by_text("not shared any more").wait_for()
        for path in (link, own_link):  # the first is not theirs to stop, and their own was not meant
            assert other.request.get(f"{address.rstrip('/')}{path}").status == 200


def test_a_list_is_shared_as_a_page_without_script_until_it_is_stopped(tab, browser, address):  # noqa: F811
    say(tab, "I liked Alien (1979), something tense from the 90s")
    wait_for_answer(tab)
    listed = titles(tab)
    assert TITLE in listed
    url = address.rstrip("/") + shared(tab, "request")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    reader = context.new_page()
    asked = []
    reader.on("request", lambda request: asked.append(request.url))
    assert reader.goto(url).status == 200
    assert reader.locator("h2").all_inner_texts() == listed
    text = reader.locator("main").inner_text()
    assert "1990 to 1999" in text and "“tense”" in text and "Alien (1979)" not in text
    assert asked == [url] and context.cookies() == [] and reader.locator("img, script, a").count() == 0
    body = reader.locator("body")
    assert body.bounding_box()["width"] <= 390 and reader.locator("main").bounding_box()["width"] <= 390
    tab.click("#vr-me")
    tab.locator("#vr-known button[data-do=unshare]").click()
    tab.get_by_text("not shared any more").first.wait_for()
    assert reader.goto(url).status == 404
    context.close()
    assert tab.locator("#vr-share a").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_list_follows_light_and_dark_and_is_printed_black_on_white(browser, address, scheme):  # noqa: F811
    with opened_tab(browser, address, color_scheme=scheme) as page:
        say(page, "something tense")
        wait_for_answer(page)
        path = shared(page)
        page.goto(address.rstrip("/") + path)
        ground = (
            "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
        )
        assert (page.evaluate(ground) > 380) == (scheme == "light")
        page.emulate_media(media="print")
        assert page.evaluate(ground) == 3 * 255
        assert page.evaluate("getComputedStyle(document.querySelector('h2')).color") == "rgb(0, 0, 0)"


@pytest.mark.parametrize("width", [390, 1100])
def test_what_moved_an_item_is_read_as_a_table_and_seen_as_bars(browser, address, width):  # noqa: F811
    with opened_tab(browser, address, viewport={"width": width, "height": 900}) as page:
        say(page, "I liked Alien (1979), something tense")
        wait_for_answer(page)
        page.locator(".vr-why summary").first.click()
        button = page.locator(".vr-why button[data-do=sway]").first
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".vr-sway")
        rows = page.locator(".vr-sway tbody tr")
        assert page.locator(".vr-why ul").first.is_visible() and rows.count() >= 1
        first = rows.first
        assert first.locator("th").inner_text() and first.locator("td").nth(1).inner_text()[0] in "+−0"
        assert "number" in first.locator("td").nth(2).inner_text()
        assert first.locator(".vr-bar").get_attribute("aria-hidden") == "true"
        widths = [bar.bounding_box()["width"] for bar in page.locator(".vr-bar span").all()]
        assert max(widths) > 20
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_conversations_and_links_without_scrolling_sideways(browser, address):  # noqa: F811
    with opened_tab(browser, address, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        say(page, "a drama, " + "x" * 200)
        wait_for_answer(page)
        new_conversation(page)
        past(page).locator("li summary").first.click()
        say(page, "something tense")
        wait_for_answer(page)
        shared(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_browser_without_cookies_is_a_guest_of_the_open_page(browser, address):  # noqa: F811
    with opened_tab(browser, address) as page:
        page.context.clear_cookies()
        say(page, "something tense")
        wait_for_answer(page)
        new_conversation(page)
        assert past(page).locator("li").count() == 1
        loaded_again(page)
        page.wait_for_selector(".vr-starter", state="visible")
        assert page.locator("details.vr-past").count() == 0
