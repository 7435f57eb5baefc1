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
    """Serve the page, look at it in three ways, and keep what is seen as small PNG files."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on the PATH. Install it, or set CHROMIUM to where it is.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for options, look in (((), _look), (("--auth",), _look_at_sign_in)):
            with _served(*options) as address:
                for scheme, viewport in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
                    colours = "light" if scheme == "phone" else scheme
                    page = browser.new_page(viewport=viewport, color_scheme=colours, reduced_motion="reduce")
                    page.goto(address)
                    look(page, scheme)
                    page.close()
        browser.close()


@contextmanager
def _served(*options: str) -> Iterator[str]:
    serve = [sys.executable, "-m", "ui.cli", "serve", "--example", "--port", "0", *options]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]) as server:
        try:
            said = server.stdout.readline() if server.stdout is not None else ""
            found = re.search(r"http://127\.0\.0\.1:\d+/", said)
            if found is None:
                sys.exit(f"The server said {said!r} where its address was expected.")
            yield found[0]
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
    page.click("#vr-me")
    page.wait_for_selector(".vr-entries li")
    page.evaluate("window.scrollTo(0, 0)")
    if scheme != "light":
        _keep(page, f"about-{scheme}")


def _keep(page: Page, name: str) -> None:
    path = HERE / f"{name}.png"
    page.wait_for_timeout(500)  # colours and scrolling come to rest
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
