"""The page without a browser: what it is made of, what its server refuses, and that it ends quietly."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import SOON, in_a_loop

from agent.errors import InputError
from ui.guest import WAITING

ROOT = Path(__file__).parents[1]


@pytest.fixture
def page(small):
    return in_a_loop(build_page, small)


def build_page(agent):
    from ui.app import build_app

    return build_app(agent)


def build_parts(agent):
    import gradio as gr

    from ui.app import _Page
    from ui.guests import Guests

    with gr.Blocks():
        return _Page(agent, Guests(agent))


def asked_by(session):
    """A request of a browser that keeps no cookie."""
    return SimpleNamespace(session_hash=session, cookies={}, query_params={}, headers={})


def test_no_event_of_the_page_is_public(page):
    visible = {f.api_visibility for f in page.fns.values()}
    assert visible == {"private"} and len(page.fns) >= 7


def test_the_queue_is_bounded_and_stop_does_not_wait(page):
    model = [f for f in page.fns.values() if f.concurrency_id == "model"]
    assert {(f.concurrency_limit, f.queue) for f in model} == {(WAITING + 1, True)} and len(model) == 5
    assert page._queue.max_size and page._queue.max_size <= 100
    (stop,) = [f for f in page.fns.values() if f.name == "_interrupt"]
    assert stop.queue is False


def test_a_correction_is_sent_while_another_is_answered(page):
    (ask,) = [f for f in page.fns.values() if f.name == "_ask"]
    assert ask.trigger_mode == "multiple"


def test_what_is_typed_while_an_answer_is_written_stays_in_the_box(small):
    parts, request = in_a_loop(build_parts, small), asked_by("a")
    steps = [step.get(parts.box) for step in parts._answer("something funny", request)]
    assert len(steps) > 5 and steps == ["", *[None] * (len(steps) - 1)]
    fewer = SimpleNamespace(_data={"do": "n", "value": "3"})
    assert {step.get(parts.box) for step in parts._ask(fewer, request)} == {None}
    too_long = "x" * (small.settings.max_message_chars + 1)
    assert [step.get(parts.box) for step in parts._answer(too_long, request)][-1] == too_long


def test_the_talk_is_plain_text(page):
    import gradio as gr

    (talk,) = [block for block in page.blocks.values() if isinstance(block, gr.Chatbot)]
    assert talk.sanitize_html and talk.allow_tags is False and talk.render_markdown is False
    assert not talk.feedback_options and not talk.allow_file_downloads


@pytest.fixture
def served(page, monkeypatch):
    from ui.front import start

    monkeypatch.setenv("GRADIO_ALLOWED_PATHS", "/")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    yield in_a_loop(start, page, port=0)
    in_a_loop(page.close, verbose=False)


def fetched(url, data=None, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=SOON) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


def test_the_server_gives_no_file_takes_none_and_names_no_call(served, page, tmp_path):
    assert served.startswith("http://127.0.0.1:") and page.share is False and page.share_url is None
    secret = tmp_path / "a.txt"
    secret.write_text("the secret")
    for path in (str(secret), __file__, "pyproject.toml", "/etc/hostname"):
        status, text = fetched(f"{served}gradio_api/file={path}")
        assert status in (403, 404) and "the secret" not in text
    status, text = fetched(f"{served}gradio_api/info")
    assert status == 200 and json.loads(text) == {"named_endpoints": {}, "unnamed_endpoints": {}}
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n'
    status, _ = fetched(f"{served}gradio_api/upload", body, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert status == 413
    too_much = b"x" * 1_000_001
    for path in ("queue/join", "component_server", "upload"):
        status, _ = fetched(f"{served}gradio_api/{path}", too_much, **{"Content-Type": "application/json"})
        assert status == 413


def test_the_page_names_no_other_server_for_fonts_or_scripts(served):
    _, css = fetched(f"{served}theme.css")
    assert "system-ui" in css
    assert set(re.findall(r"\w+://[^/]+", css)) <= {"http://www.w3.org"}  # the name of SVG, which nobody fetches


def test_a_port_that_is_taken_gives_way_to_the_next_free_one():
    from ui.address import free_port

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 20


def test_an_address_of_another_machine_is_refused_with_a_sentence():
    from ui.address import free_port

    with pytest.raises(InputError, match="--host"):
        free_port("192.0.2.1", 7860)


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to one process alone")
def test_serving_tells_where_it_is_and_ctrl_c_leaves_quietly(tmp_path):
    code = (
        # A shell starts background jobs deaf to Ctrl-C, and tests may run in one.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]; from pathlib import Path\n"
        f"from conftest import open_small; from ui.front import serve; from ui.terminal import Terminal\n"
        f"serve(port=0, terminal=Terminal(opener=lambda *_: open_small(Path({str(tmp_path / 'w')!r}))))"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        line = server.stdout.readline()
        assert "Ctrl-C" in line and "13 items" in line
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", line)
        assert fetched(address)[0] == 200
        server.send_signal(signal.SIGINT)
        try:
            out, err = server.communicate(timeout=SOON)
        finally:
            server.kill()
    assert (server.returncode, out, err.strip()) == (0, "", "Stopped.")
