"""The service as it is started: beside the chat at one address, alone, and ended by Ctrl-C."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from conftest import SOON, in_a_loop
from test_cli import run

from ui.api.app import build_api
from ui.desk import Desk
from ui.guests import Guests

ROOT = Path(__file__).parents[1]


@pytest.fixture
def beside(small):
    """A page of the chat with the service at the same address."""
    from ui.app import build_app
    from ui.front import start

    desk = Desk()
    guests, api = Guests(small, desk=desk), build_api(small, desk, per_minute=0)
    page = in_a_loop(build_app, small, guests)
    yield in_a_loop(start, page, port=0, api=api), guests
    api.state.service.close()
    in_a_loop(page.close, verbose=False)


def test_chat_and_service_answer_at_one_address(beside):
    url, guests = beside
    with httpx.Client(base_url=url, timeout=SOON) as http:
        assert "Vouchrec" in http.get("/").text and http.get("/config").status_code == 200
        assert http.get("/healthz").json() == {"status": "ok"}
        assert http.get("/openapi.json").json()["info"]["title"] == "Vouchrec"
        assert http.post("/v1/recommend", json={"user_id": "p1"}).json()["complete"] is True
        assert http.get("/v1/nothing").headers["content-type"] == "application/problem+json"
        assert http.get("/v1", headers={"Origin": "https://example.org"}).status_code == 403
        assert http.get("/v10").status_code == http.get("/nothing").status_code == 404
    *_, view = guests.get("a").answer("a comedy")
    assert view.state == "done" and view.reply.recommendations


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to one process alone")
def test_the_service_alone_tells_where_it_is_and_ctrl_c_leaves_quietly(tmp_path):
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]; from pathlib import Path\n"
        "from conftest import open_small; from ui.api.serving import serve; from ui.terminal import Terminal\n"
        f"serve(port=0, terminal=Terminal(opener=lambda *_: open_small(Path({str(tmp_path / 'w')!r}))))\n"
        "assert 'gradio' not in sys.modules"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        line = server.stdout.readline()
        assert "Ctrl-C" in line and "13 items" in line
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", line)
        assert httpx.get(f"{address}/readyz", timeout=SOON).status_code == 200
        assert httpx.get(address, timeout=SOON).status_code == 404  # there is no page
        server.send_signal(signal.SIGINT)
        try:
            out, err = server.communicate(timeout=SOON)
        finally:
            server.kill()
    assert (server.returncode, out, err.strip()) == (0, "", "Stopped.")


def test_an_address_that_is_not_ours_is_refused_with_a_sentence(small):
    refused = run("serve", "--api-only", "--host", "192.0.2.1", agent=small)
    assert refused.exit_code == 2 and "--host" in refused.stderr
    assert "--api-only" in run("serve", "--help").stdout
