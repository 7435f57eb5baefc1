"""What the tests with a real browser share: a page that is watched, and waits for what comes an instant later."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect, OutOfTime = playwright.expect, playwright.TimeoutError

PATIENCE = 90_000  # milliseconds, for a machine that is busy
BOX, SEND, STOP, CARD = "#vr-box textarea", "#vr-send", "#vr-stop", ".vr-card:not(.vr-ghost)"
TALK, FOUND, TITLES, STARTER, STATUS = "#vr-talk", "#vr-found", ".vr-title", ".vr-starter", "#vr-found .vr-status"
# The number of the answer that is shown; 0 without any.
TURN = "() => Number.parseInt(document.querySelector('#vr-found [data-part]')?.dataset.part ?? '0')"
# Whether an answer after that one is there with its list, its reasons and what can be done with it.
IS_ANSWERED = f"""turn => ({TURN})() > turn
  && ['.vr-quiet', '.vr-check'].every((part) => document.querySelector('#vr-found ' + part))"""
# Until colours and places have come to rest.
REST = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
  const moving = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(moving.map((one) => one.finished));
}"""
_STREAMS: dict[object, set[object]] = {}  # the events that a page still waits for

expect.set_options(timeout=PATIENCE)


@contextmanager
def opened_browser():
    """Chromium without a window."""
    path = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if path is None:
        pytest.skip("no chromium on the PATH: install it, or set CHROMIUM to where it is")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def watched(browser, address, *, silent=True, **options):
    """A page of a browser of its own, at an address.

    Afterwards: nothing was asked of another server, no script ran that should not, or failed, and, where the page is
    to be `silent`, nothing stands in the console.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    page, asked, wrong, streams = context.new_page(), [], [], set()
    _STREAMS[page] = streams
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda request: streams.add(request) if "/queue/data" in request.url else None)
    page.on("requestfinished", lambda request: streams.discard(request))
    page.on("requestfailed", lambda request: streams.discard(request))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    if silent:
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    try:
        page.goto(address)
        yield page
    finally:
        context.close()
        del _STREAMS[page]
    own = "/".join(address.split("/")[:3]) + "/"
    assert not wrong
    assert not {url for url in asked if not url.startswith((own, "data:", "blob:"))}


@contextmanager
def opened_tab(browser, address, **options):
    """The chat in a page of its own, as a newcomer sees it."""
    with watched(browser, address, **options) as page:
        expect(page.locator(BOX)).to_be_visible()
        expect(page.locator(STARTER).first).to_be_visible()
        yield page


def settled(page):
    """Wait until no event of the page is under way: gradio complains in the console of a page that is left before."""
    for _ in range(PATIENCE // 50):
        if not _STREAMS[page]:
            return
        page.wait_for_timeout(50)
    raise AssertionError("an event of the page does not end")


def say(page, text):
    """Send a message; `answered` waits for what comes of it."""
    page.fill(BOX, text)
    page.press(BOX, "Enter")


@contextmanager
def answered(page):
    """What is asked for in here is answered to its end: a new list, its reasons, and the page is ready again."""
    turn = page.evaluate(TURN)
    yield
    page.wait_for_function(IS_ANSWERED, arg=turn)
    expect(page.locator(STOP)).to_be_hidden()
    expect(page.locator(SEND)).to_be_visible()
    settled(page)


def ask(page, text):
    """Send a message and wait for the whole answer."""
    with answered(page):
        say(page, text)


def titles(page):
    """Those of the list, in its order."""
    return page.locator(TITLES).all_inner_texts()


def fits(page, width):
    """Wait until nothing of the page is wider than that."""
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
