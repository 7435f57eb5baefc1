"""How long until the page is there, and what is on it? From the command to the last reason, in a real browser.

`vouchrec serve` is started anew several times, and timed until /readyz answers. Against the last one, headless Chromium
opens the page in a browser without a cache, several times, and each visitor sends a request in words: timed are when
the box takes text and Send can be pressed, from then the list on screen, the first reason and the last. The first visit
after a start is told apart, for it pays for what is made once. Needs playwright and a Chromium (set CHROMIUM).

    python benchmarks/startup.py --starts 3 --visits 5 --json out.json
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from asking import ask  # type: ignore[import-not-found]
from common import describe_run, median_and_p95, open_example, write_json  # type: ignore[import-not-found]
from rich.console import Console
from rich.table import Table

from ui.address import free_port

PATIENCE = 300.0  # seconds for whatever must happen
BOX, SEND, CARD = "#vr-box textarea", "#vr-send", ".vr-card:not(.vr-ghost)"
MOMENTS = {
    "ready_ms": "command to ready",
    "interactive_ms": "visit to a page that takes a request",
    "list_ms": "request to list",
    "reason_ms": "request to first reason",
    "answer_ms": "request to last reason",
}


@contextmanager
def served(home: Path) -> Iterator[tuple[str, float]]:
    """A server of its own process while the context lasts: its address, and the milliseconds until it was ready."""
    port = free_port("127.0.0.1", 7860)
    url, start = f"http://127.0.0.1:{port}", time.perf_counter()
    command = [sys.executable, "-m", "ui.cli", "serve", "--workspace", str(home), "--port", str(port), "--rate", "0"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not _is_ready(url):
            if server.poll() is not None or time.perf_counter() - start > PATIENCE:
                raise SystemExit("The server did not start; what it said is above.")
            time.sleep(0.02)
        yield url, 1000 * (time.perf_counter() - start)
    finally:
        server.terminate()
        server.wait(30)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def visit(browser: Any, url: str, words: str) -> dict[str, float]:  # noqa: ANN401 - playwright's own
    """One visitor with an empty cache, who asks once: the milliseconds of each moment."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    try:
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.fill(BOX, words)  # waits until it can be filled
        page.locator(SEND).click(trial=True)  # waits until it can be pressed
        found = {"interactive_ms": _since(start)}
        start = time.perf_counter()
        page.click(SEND)
        page.wait_for_selector(f"{CARD} .vr-title, .vr-none h2")
        found["list_ms"] = _since(start)
        page.wait_for_selector(f"{CARD} .vr-check, .vr-none h2")
        found["reason_ms"] = _since(start)
        page.wait_for_selector(SEND, state="visible")
        return found | {"answer_ms": _since(start)}
    finally:
        context.close()


def _since(start: float) -> float:
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Start, visit, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    from playwright.sync_api import sync_playwright  # type: ignore[import-not-found,unused-ignore]

    with open_example() as agent:
        random = np.random.default_rng(arguments.seed)
        words = [ask(agent.catalogue, random).text for _ in range(arguments.visits + 1)]
        home = agent.workspace.path
    starts = []
    for _ in range(arguments.starts - 1):
        with served(home) as (_, ready):
            starts.append(ready)
    with served(home) as (url, ready), sync_playwright() as driver:
        starts.append(ready)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        first, *rest = [visit(browser, url, said) for said in words]
        browser.close()
    figures = {
        name: {
            **median_and_p95(starts if name == "ready_ms" else [one[name] for one in rest]),
            "first": round(starts[0] if name == "ready_ms" else first[name], 1),
        }
        for name in MOMENTS
    }
    table = Table("moment", "median, ms", "p95", "the first")
    for name, told in MOMENTS.items():
        table.add_row(told, *[f"{figures[name][part]:,.0f}" for part in ("median", "p95", "first")])
    Console().print(table)
    counted = {"starts": len(starts), "visits": len(rest)}
    write_json(arguments.json, {**describe_run(), **counted, **figures})


if __name__ == "__main__":
    main()
