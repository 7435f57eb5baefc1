"""Signing in, in a real browser: wrong, limited, right; two people side by side; out; and a sign-in that has ended."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from conftest import open_small
from pages import BOX, CARD, STARTER, TALK, TITLES, OutOfTime, ask, expect, fits, say, titles, watched
from test_auth import PASSWORD, Clock, put, served

from ui.auth.attempts import FIRST, Attempts
from ui.auth.door import FREE_BY_ADDRESS, FREE_BY_NAME
from ui.auth.passwords import Passwords
from ui.auth.sessions import IDLE


@pytest.fixture(scope="module")
def clocks():
    return Clock(time.time()), Clock()


@pytest.fixture(scope="module")
def address(tmp_path_factory, clocks):
    passwords = Passwords(PasswordHasher.from_parameters(CHEAPEST))
    with open_small(tmp_path_factory.mktemp("auth") / "w") as agent:
        for name in ("anna", "bob", "carl", "dora"):
            put(agent.workspace.store.accounts, passwords, name)
        limits = {"by_name": Attempts(FREE_BY_NAME, clocks[1]), "by_address": Attempts(FREE_BY_ADDRESS, clocks[1])}
        with served(agent, passwords, clocks[0], **limits) as url:
            yield url


@contextmanager
def visitor(browser, address, **options):
    """A browser of one's own, which tells in its console of what is refused."""
    with watched(browser, address, silent=False, **options) as page:
        yield page


def sign_in(page, name, password=PASSWORD):
    """Fill in the form, and wait for the page that answers it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation(wait_until="domcontentloaded"):
        page.get_by_role("button", name="Sign in").click()


def test_wrong_then_limited_then_right(browser, address, clocks):
    with visitor(browser, address) as page:
        assert page.url == f"{address}/sign-in"
        expect(page.get_by_label("Name")).to_be_focused()
        for _ in range(FREE_BY_NAME - 1):
            sign_in(page, "anna", "not this one, I fear")
            page.get_by_role("alert").get_by_text("do not go together.").wait_for()
        expect(page.get_by_label("Name")).to_have_value("anna")
        expect(page.get_by_label("Password")).to_have_value("")
        sign_in(page, "anna", "not this one, I fear")
        page.get_by_role("alert").get_by_text("again in 30 seconds").wait_for()
        sign_in(page, "anna")
        page.get_by_role("alert").get_by_text("tried too often").wait_for()
        clocks[1].now += FIRST
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(BOX)
        page.locator("#vr-account").get_by_text("anna").wait_for()


def test_two_people_have_each_their_own_and_find_it_at_another_browser(browser, address):
    with visitor(browser, address) as bobs, visitor(browser, address) as carls:
        sign_in(bobs, "bob")
        sign_in(carls, "carl")
        for page in (bobs, carls):
            expect(page.locator(STARTER).first).to_be_visible()
        ask(bobs, "I liked Alien (1979)")
        bobs.locator(f"{CARD} button[data-event=like]").first.click()
        bobs.wait_for_selector("button[data-event=like][aria-pressed=true]")
        listed = titles(bobs)
        ask(carls, "something funny")
        expect(carls.locator(TALK)).not_to_contain_text("Alien")
        carls.click("#vr-me")
        carls.locator("#vr-known").get_by_text("Nothing yet").wait_for()
        with visitor(browser, address, viewport={"width": 390, "height": 844}) as phone:
            sign_in(phone, "bob")
            expect(phone.locator(TITLES)).to_have_text(listed)
            expect(phone.locator(TALK)).to_contain_text("Alien")
            phone.wait_for_selector("button[data-event=like][aria-pressed=true]")
            phone.click("#vr-me")
            phone.locator("#vr-known").get_by_text("1 so far").wait_for()
            fits(phone, 390)


def test_signing_out_leads_back_and_closes_the_other_tab_too(browser, address):
    with visitor(browser, address) as page:
        sign_in(page, "dora")
        page.wait_for_selector(BOX)
        other = page.context.new_page()
        other.goto(address)
        other.wait_for_selector(BOX)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out.").wait_for()
        page.go_back()
        page.get_by_role("button", name="Sign in").wait_for()
        expect(page.locator(BOX)).to_have_count(0)
        say(other, "something funny")
        other.get_by_role("button", name="Sign in").wait_for()
        expect(other.locator(CARD)).to_have_count(0)


def test_a_sign_in_that_has_ended_leads_to_the_page_to_sign_in_on(browser, address, clocks):
    with visitor(browser, address) as page:
        sign_in(page, "dora")
        page.wait_for_selector(BOX)
        page.fill(BOX, "something funny")
        clocks[0].now += IDLE
        with suppress(OutOfTime):  # any event of the page's own may have led away before the key
            page.press(BOX, "Enter", timeout=5_000)
        page.get_by_text("Your sign-in has ended.").wait_for()
        sign_in(page, "dora")
        page.wait_for_selector(BOX)
        ask(page, "something funny")


def test_a_link_from_another_site_finds_who_is_signed_in(browser, address):
    with visitor(browser, address) as page:
        sign_in(page, "dora")
        page.wait_for_selector(BOX)
        elsewhere = page.context.new_page()
        elsewhere.route(
            "http://elsewhere.test/",
            lambda route: route.fulfill(content_type="text/html", body=f'<a href="{address}/">a link</a>'),
        )
        elsewhere.goto("http://elsewhere.test/")
        elsewhere.get_by_text("a link").click()
        elsewhere.wait_for_selector(BOX)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_signs_in_without_scripts_and_without_scrolling_sideways(browser, address, scheme):
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme, "java_script_enabled": False}
    with visitor(browser, address, **options) as page:
        sign_in(page, "nobody", "a password of some length")
        page.get_by_role("alert").wait_for()
        for field in (page.get_by_label("Name"), page.get_by_label("Password"), page.get_by_role("button")):
            box = field.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 44
        sign_in(page, "dora")
        page.wait_for_url(f"{address}/")
