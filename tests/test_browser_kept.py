"""In a real browser: a page that is loaded again, earlier conversations, shared lists, and what moved an item."""

from __future__ import annotations

import re

import pytest
from conftest import open_small, served_page
from pages import CARD, STARTER, TALK, TITLES, ask, expect, fits, opened_tab, settled, titles

from agent.agent import Agent
from agent.generation.fake import FakeGenerator
from agent.schema import Item
from agent.settings import load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from ui.lists import lists_route

TITLE = "<img src=x onerror=alert(1)> {{alert(3)}} (1995)"


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "workspace"
    open_small(path).close()
    workspace = Workspace.open(path)
    workspace.store.put_items([Item("<b>", TITLE, "Tense.", {"year": 1995, "genres": ("Drama",)})])
    with Agent(workspace, load_settings(path), HashEncoder(64), FakeGenerator()) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(agent):
    from ui.app import build_app

    with served_page(lambda: build_app(agent), routes=[lists_route(agent)]) as url:
        yield url


@pytest.fixture
def tab(browser, address):
    with opened_tab(browser, address) as page:
        yield page


def past(page):
    """The list of earlier conversations, opened."""
    part = page.locator("#vr-past")
    summary = part.locator("details.vr-past > summary")
    summary.wait_for()
    if not part.locator("details.vr-past > ul").is_visible():
        summary.click()
    expect(part.locator("details.vr-past > ul")).to_be_visible()
    return part


def begun(page):
    """Wait for a conversation in which nothing was said."""
    expect(page.locator(STARTER).first).to_be_visible()
    expect(page.locator(CARD)).to_have_count(0)
    settled(page)


def new_conversation(page):
    page.click("#vr-new")
    begun(page)


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
    ask(tab, "something tense")
    liked = tab.locator("button[data-event=like][aria-pressed=true]")
    tab.locator(f"{CARD} button[data-event=like]").first.click()
    expect(liked).to_have_count(1)
    before, talk = titles(tab), tab.locator(TALK).inner_text()
    tab.reload()
    expect(tab.locator(TITLES)).to_have_text(before)
    expect(tab.locator(TALK)).to_have_text(talk, use_inner_text=True)
    expect(liked).to_have_count(1)
    settled(tab)
    ask(tab, "newer than 1985")
    expect(tab.locator(TALK)).to_contain_text("newer than 1985")
    assert not set(titles(tab)) & set(before)
    cookies = tab.context.cookies()
    assert [(one["name"], one["httpOnly"], one["sameSite"]) for one in cookies] == [("vouchrec", True, "Lax")]
    assert cookies[0]["value"] not in tab.content() and cookies[0]["value"] not in tab.url


def test_an_earlier_conversation_is_opened_renamed_gone_on_with_and_deleted(tab, agent):
    ask(tab, "something tense")
    before = titles(tab)
    expect(tab.locator("details.vr-past")).to_have_count(0)
    new_conversation(tab)
    tab.reload()
    begun(tab)
    expect(past(tab).locator("li")).to_have_count(1)
    ask(tab, "a drama")
    past(tab).get_by_role("button", name="something tense", exact=True).click()
    expect(tab.locator(TALK)).to_contain_text("something tense")
    expect(tab.locator(TITLES)).to_have_text(before)
    past(tab).locator("summary[aria-label^='something tense']").click()
    tab.locator("#vr-past li input:visible").fill("For <b>Friday</b>")
    tab.locator("#vr-past button[data-do=rename]:visible").click()
    past(tab).get_by_role("button", name="For <b>Friday</b>", exact=True).wait_for()
    expect(tab.locator("#vr-past li b")).to_have_count(0)
    ask(tab, "newer than 1985")
    expect(tab.locator(TALK)).to_contain_text("newer than 1985")
    turns = agent.workspace.store.count_turns()
    past(tab).locator("button[data-do=delete]:visible").click()
    begun(tab)
    expect(past(tab).locator(".vr-open")).to_have_text(["a drama"])
    assert agent.workspace.store.count_turns() == turns - 2


def test_another_browser_sees_nothing_of_mine(tab, browser, address):
    ask(tab, "something tense")
    new_conversation(tab)
    key = past(tab).locator(".vr-open").get_attribute("data-key")
    ask(tab, "a drama")
    link = shared(tab)
    with opened_tab(browser, address) as other:
        expect(other.locator("details.vr-past")).to_have_count(0)
        expect(other.locator(CARD)).to_have_count(0)
        ask(other, "a comedy")
        new_conversation(other)
        own = past(other).locator(".vr-open")
        own.evaluate("(button, key) => { button.dataset.key = key }", key)  # what somebody hostile would send
        own.click()
        other.get_by_text("not there any more").wait_for()
        expect(other.locator(CARD)).to_have_count(0)
        assert "something tense" not in other.content()
        other.click("#vr-me")
        other.get_by_text("You share no list.").wait_for()
        ask(other, "a drama")
        own_link = shared(other)
        other.locator("#vr-share button[data-do=unshare]").evaluate(
            "(button, key) => { button.dataset.key = key }", link.rpartition("/")[2]
        )
        other.locator("#vr-share button[data-do=unshare]").click()
        other.get_by_text("not shared any more").wait_for()
        for path in (link, own_link):  # the first is not theirs to stop, and their own was not meant
            assert other.request.get(address + path).status == 200


def test_a_list_is_shared_as_a_page_without_script_until_it_is_stopped(tab, browser, address):
    ask(tab, "I liked Alien (1979), something tense from the 90s")
    listed = titles(tab)
    assert TITLE in listed
    url = address + shared(tab, "request")
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as over plain HTTP
    tab.get_by_role("button", name="Copy the link").click()
    assert tab.evaluate("getSelection().toString()") == url and tab.get_by_text("Copied").count() == 0
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    reader = context.new_page()
    asked = []
    reader.on("request", lambda request: asked.append(request.url))
    assert reader.goto(url).status == 200
    assert reader.locator("h2").all_inner_texts() == listed
    text = reader.locator("main").inner_text()
    assert "1990 to 1999" in text and "“tense”" in text and "Alien (1979)" not in text
    assert asked == [url] and context.cookies() == [] and reader.locator("img, script, a").count() == 0
    for part in ("body", "main"):
        assert reader.locator(part).bounding_box()["width"] <= 390
    tab.click("#vr-me")
    tab.locator("#vr-known button[data-do=unshare]").click()
    tab.get_by_text("not shared any more").first.wait_for()
    assert reader.goto(url).status == 404
    context.close()
    expect(tab.locator("#vr-share a")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_list_follows_light_and_dark_and_is_printed_black_on_white(browser, address, scheme):
    with opened_tab(browser, address, color_scheme=scheme) as page:
        ask(page, "something tense")
        path = shared(page)
        settled(page)
        page.goto(address + path)
        ground = (
            "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)"
        )
        assert (page.evaluate(ground) > 380) == (scheme == "light")
        page.emulate_media(media="print")
        assert page.evaluate(ground) == 3 * 255
        assert page.evaluate("getComputedStyle(document.querySelector('h2')).color") == "rgb(0, 0, 0)"


@pytest.mark.parametrize("width", [390, 1100])
def test_what_moved_an_item_is_read_as_a_table_and_seen_as_bars(browser, address, width):
    with opened_tab(browser, address, viewport={"width": width, "height": 900}) as page:
        ask(page, "I liked Alien (1979), something tense")
        page.locator(".vr-why summary").first.click()
        button = page.locator(".vr-why button[data-do=sway]").first
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".vr-sway")
        expect(page.locator(".vr-why ul").first).to_be_visible()
        first = page.locator(".vr-sway tbody tr").first
        expect(first.locator("th")).to_have_text(re.compile("."))
        expect(first.locator("td").nth(1)).to_have_text(re.compile("^[+−0]"))
        expect(first.locator("td").nth(2)).to_contain_text("number")
        expect(first.locator(".vr-bar")).to_have_attribute("aria-hidden", "true")
        page.wait_for_function(
            "[...document.querySelectorAll('.vr-bar span')].some((bar) => bar.getBoundingClientRect().width > 20)"
        )
        fits(page, width)


def test_a_phone_shows_conversations_and_links_without_scrolling_sideways(browser, address):
    with opened_tab(browser, address, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        ask(page, "a drama, " + "x" * 200)
        new_conversation(page)
        past(page).locator("li summary").first.click()
        expect(page.locator("#vr-past li input").first).to_be_visible()
        ask(page, "something tense")
        shared(page)
        fits(page, 390)


def test_a_browser_without_cookies_is_a_guest_of_the_open_page(browser, address):
    with opened_tab(browser, address) as page:
        page.context.clear_cookies()
        ask(page, "something tense")
        new_conversation(page)
        expect(past(page).locator("li")).to_have_count(1)
        page.reload()
        begun(page)
        expect(page.locator("details.vr-past")).to_have_count(0)
