"""Take the pictures of this folder anew: `make screenshots`. Needs a workspace (VOUCHREC_HOME) and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
DESK, PHONE = {"width": 1100, "height": 860}, {"width": 390, "height": 844}
REQUEST = "I loved Fargo. Something darkly funny, not horror, from the 90s"
MINUTES = 5 * 60_000  # milliseconds that an answer may take here


def main() -> None:
    """Serve the pages, look at each in three ways, and keep what is seen as small PNG files."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on the PATH. Install it, or set CHROMIUM to where it is.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for options, looks in ((("--workshop",), (_look, _look_at_workshop)), (("--auth",), (_look_at_sign_in,))):
            with _served(*options) as addresses:
                for look, address in zip(looks, addresses, strict=False):
                    for scheme, viewport in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
                        colours = "light" if scheme == "phone" else scheme
                        page = browser.new_page(viewport=viewport, color_scheme=colours, reduced_motion="reduce")
                        page.goto(address)
                        look(page, scheme)
                        page.close()
                if _look in looks:
                    page = browser.new_page(viewport=PHONE, locale="zh-CN", reduced_motion="reduce")
                    page.goto(addresses[0])
                    _look_in_chinese(page)
                    page.close()
        browser.close()


@contextmanager
def _served(*options: str) -> Iterator[list[str]]:
    """The addresses that the server names: that of the chat, and that of the workshop where it is asked for."""
    serve = [sys.executable, "-m", "ui.cli", "serve", "--example", "--port", "0", *options]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]) as server:
        try:
            found = []
            for _ in range(2 if "--workshop" in options else 1):
                said = server.stdout.readline() if server.stdout is not None else ""
                found += re.findall(r"http://127\.0\.0\.1:\d+/\S*", said)
            if not found:
                sys.exit(f"The server said {said!r} where its address was expected.")
            yield found
        finally:
            server.send_signal(signal.SIGINT)


def _look_at_sign_in(page: Page, scheme: str) -> None:
    if scheme != "dark":
        _keep(page, f"sign-in-{scheme}")


def _look(page: Page, scheme: str) -> None:
    page.wait_for_selector(".vr-starter")
    if scheme != "dark":
        _keep(page, f"start-{scheme}")
    page.fill("#vr-box textarea", REQUEST)
    page.press("#vr-box textarea", "Enter")
    page.wait_for_selector(".vr-next button", timeout=MINUTES)
    page.click(".vr-card button[data-event=like]")
    page.wait_for_selector("button[aria-pressed=true]")
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    _keep(page, f"list-{scheme}")
    if scheme == "light":
        page.click(".vr-why summary")
        _keep(page, "why-light")
        _look_at_shared(page)
    page.click("#vr-me")
    page.wait_for_selector("#vr-known .vr-entries li")
    page.evaluate("window.scrollTo(0, 0)")
    if scheme != "light":
        _keep(page, f"about-{scheme}")
    else:
        page.click("#vr-me")
        page.click("#vr-new")
        page.click(".vr-past > summary")
        page.locator(".vr-kept summary").first.click()
        _keep(page, "earlier-light")


def _look_at_shared(page: Page) -> None:
    """Share the list that is shown, with all that can be ticked, look at its page, and stop sharing it."""
    page.click("#vr-share summary")
    for box in page.locator("#vr-share input[type=checkbox]").all():
        box.check()
    page.click("#vr-share button[data-do=share]")
    address = page.url
    page.goto(page.locator("#vr-share a").evaluate("link => link.href"))
    _keep(page, "shared-light")
    page.goto(address)
    page.wait_for_selector(".vr-next button")
    page.click("#vr-share summary")
    page.click("#vr-share button[data-do=unshare]")
    page.wait_for_selector("#vr-share a", state="detached")


def _look_in_chinese(page: Page) -> None:
    page.locator(".vr-starter").first.click()
    page.wait_for_selector(".vr-next button", timeout=MINUTES)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    _keep(page, "chinese-phone")


def _look_at_workshop(page: Page, scheme: str) -> None:
    page.wait_for_selector("#vw-rendered .vw-message")
    if scheme == "light":
        page.click("#vw-code .cm-content")
        page.keyboard.press("Control+End")
        page.keyboard.insert_text(" I like short films.")
        page.wait_for_selector("#vw-rendered >> text=I like short films.")
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        _keep(page, "workshop-light")
        page.click("#vw-compare")
        page.wait_for_selector("#vw-found h3:not(:has-text('being written'))", timeout=MINUTES)
        _keep(page, "compare-light")
        page.click("#vw-discard")
        page.wait_for_selector("#vw-rendered >> text=I like short films.", state="detached")


def _keep(page: Page, name: str) -> None:
    path = HERE / f"{name}.png"
    page.wait_for_timeout(500)  # colours and scrolling come to rest
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(128)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
