"""What of the surroundings may not reach the page. Knows nothing of gradio but its variables."""

from __future__ import annotations

import os

from ui.address import LOCAL


def ignore_variables() -> None:
    """Variables such as GRADIO_ALLOWED_PATHS open a page wider than its arguments say: none but these two counts."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # else it sums up all events so far after each event


def reach_without_proxy(host: str) -> None:
    """Gradio asks its own page whether it is up; a proxy of the environment must not stand between."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join(dict.fromkeys([*known, *LOCAL, host]))
