"""The page without a browser: what it shows, what it refuses, and that an answer ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import open_small

from agent.errors import InputError
from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator
from agent.schema import Intent, Item, Recommendation, Reply
from ui.cards import cards, shares
from ui.guests import SORRY, Guest, Guests, View
from ui.starters import starters

ROOT = Path(__file__).parents[1]
HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{alert(3)}} \"' `"


class SlowGenerator(FakeGenerator):
    """Writes a reason in 30 steps, and knows how many steps it made and whether its writing was ended early.

    `after` is called once the given number of steps is made.
    """

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.after = {}
        self.ended_early = threading.Event()

    def write(self, prefix, branches, *, seed=None):
        finished = False
        try:
            for piece in super().write(prefix, branches, seed=seed):
                for _ in range(30 if piece.done else 0):
                    self.steps += 1
                    self.after.get(self.steps, bool)()
                    yield Piece(piece.row, "", False)
                yield piece
            finished = True
        finally:
            if not finished:
                self.ended_early.set()


class BrokenGenerator(FakeGenerator):
    """Fails in the middle of the reasons while `is_broken`."""

    is_broken = True

    def write(self, prefix, branches, *, seed=None):
        for number, piece in enumerate(super().write(prefix, branches, seed=seed)):
            if self.is_broken and number == 3:
                raise RuntimeError("secret detail")
            yield piece


@pytest.fixture
def guest(small):
    return Guest(small)


def one(title="Alien (1979)", **fields):
    return Recommendation(**({"rank": 1, "item": Item("1", title), "score": 0.5} | fields))


def seen(state, *listed, **fields):
    reply = Reply("t", None, Intent(), listed, model=fields.pop("model", "a model"), timings_ms={"list": 800.0})
    return View((), reply, state, 1, **fields)


def last(views):
    return list(views)[-1]


# -- cards


def test_nothing_of_a_hostile_item_becomes_html():
    item = Item('"><b>', HOSTILE, "", {"genres": ("<script>", "&amp;"), "by": "</li>"})
    listed = one(item=item, justification=f"</p>{HOSTILE}", verified=True, phrased_by="model")
    html = cards(seen("done", listed, model="<i>"))
    assert "<img" not in html and "<script" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert html.count("</li>") == 1 and html.count("</p>") == html.count("<p ")
    assert 'data-item="&quot;&gt;&lt;b&gt;"' in html


def test_letters_that_turn_the_writing_direction_are_left_out():
    assert "\u202e" not in cards(seen("done", one("abc\u202edef")))


@pytest.mark.parametrize(
    ("state", "said"),
    [("writing", "Writing and checking"), ("stopped", "No reason: stopped."), ("failed", "No reason.")],
)
def test_a_reason_that_is_missing_says_why(state, said):
    assert said in cards(seen(state, one()))


def test_a_reason_says_that_it_was_checked_and_who_phrased_it():
    by_model = cards(seen("done", one(justification="It is.", verified=True, phrased_by="model"), model="Smol"))
    assert "✓ checked" in by_model and "phrased by Smol" in by_model
    assert "a plain fact" in cards(seen("done", one(justification="It is.", verified=True, phrased_by="plain")))
    unchecked = cards(seen("done", one(justification="It is.", verified=False)))
    assert "not checked" in unchecked and "✓" not in unchecked


def test_the_button_that_was_pressed_is_marked():
    html = cards(seen("done", one(), marked={"1": "dislike"}))
    assert html.count('aria-pressed="true"') == 1
    assert 'data-event="dislike" data-item="1" aria-pressed="true"' in html


def test_bars_follow_the_scores():
    assert shares([one(score=2.0), one(score=1.0)]) == [1.0, 0.5]
    assert shares([one(score=1.0), one(score=-1.0)]) == [1.0, 0.2]
    assert shares([one(score=-3.0), one(score=-3.0)]) == [1.0, 1.0]
    assert shares([one(score=1.0), one(score=0.5), one(score=float("-inf"))]) == [1.0, 0.5, 0.06]
    assert shares([]) == []


# -- a turn


def test_the_list_comes_first_and_its_reasons_after(guest):
    views = list(guest.answer("I liked Alien (1979), something tense"))
    assert [v.state for v in views] == ["looking", *["writing"] * (len(views) - 2), "done"]
    assert views[0].talk == (("user", "I liked Alien (1979), something tense"),)
    assert [r.justification for r in views[1].reply.recommendations] == [""] * 5
    written = [sum(bool(r.justification) for r in v.reply.recommendations) for v in views[1:]]
    assert written == [0, 1, 2, 3, 4, 5, 5]
    assert all(r.verified for r in views[-1].reply.recommendations)
    role, text = views[-1].talk[-1]
    assert role == "assistant" and "Understood: " in text and "Alien (1979)" in text


def test_the_last_list_moves_up_into_the_talk(guest):
    first = last(guest.answer("I liked Alien (1979)"))
    second = last(guest.answer("something funny"))
    titles = "\n".join(f"{r.rank}. {r.item.title}" for r in first.reply.recommendations)
    assert [role for role, _ in second.talk] == ["user", "assistant", "assistant", "user", "assistant"]
    assert second.talk[2] == ("assistant", titles)
    assert second.turn == first.turn + 1


def test_a_message_that_is_too_long_goes_back_into_the_box_and_the_list_stays(guest, small):
    before = last(guest.answer("I liked Alien (1979)"))
    longest = small.settings.max_message_chars
    after = last(guest.answer("x" * (longest + 1)))
    assert after.reply is before.reply and after.state == "done"
    assert after.talk[:-1] == before.talk
    assert f"{longest:,}" in after.talk[-1][1]
    assert after.draft == "x" * (longest + 1)


def test_an_empty_first_message_is_answered_with_a_hint(guest):
    view = last(guest.answer("  "))
    assert view.reply is None and len(view.talk) == 1 and "in the mood" in view.talk[0][1]


def test_a_failure_is_a_sentence_to_the_person_and_a_traceback_in_the_log(tmp_path, caplog):
    broken = BrokenGenerator()
    with open_small(tmp_path / "w", broken) as agent, caplog.at_level(logging.ERROR):
        guest = Guest(agent)
        view = last(guest.answer("I liked Alien (1979)"))
        assert view.state == "failed" and view.talk[-1] == ("assistant", SORRY)
        assert len(view.reply.recommendations) == 5
        assert "secret detail" in caplog.text
        broken.is_broken = False
        assert last(guest.answer("something funny")).state == "done"


def test_stop_ends_the_writing_and_the_list_stays(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("I liked Alien (1979)")
        slow.after[40] = guest.stop  # in the middle of a reason
        *_, view = views
        assert view.state == "stopped" and len(view.reply.recommendations) == 5
        assert slow.ended_early.is_set() and slow.steps == 40
        assert "No reason: stopped." in cards(view) and "Stopped" in cards(view)
        assert agent.workspace.store.turn(view.reply.turn_id) is not None
        assert last(guest.answer("something funny")).state == "done"


def test_a_page_that_closes_ends_the_writing(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("I liked Alien (1979)")
        assert [next(views).state, next(views).state, next(views).state] == ["looking", "writing", "writing"]
        steps = slow.steps
        views.close()
        assert slow.ended_early.is_set() and slow.steps == steps
        assert guest.view().state == "stopped"


def test_a_stop_of_the_last_turn_does_not_reach_the_next(guest):
    last(guest.answer("I liked Alien (1979)"))
    guest.stop()
    assert last(guest.answer("something funny")).state == "done"


# -- reactions


def test_a_reaction_is_kept_once_and_shown(guest, small):
    view = last(guest.answer("I liked Alien (1979)"))
    item = view.reply.recommendations[0].item
    assert guest.react(item.item_id, "like").marked == {item.item_id: "like"}
    assert item.title in guest.view().note
    guest.react(item.item_id, "like")
    assert small.workspace.store.count_feedback() == 1
    (kept,) = small.workspace.store.feedback(view.reply.user_id)
    assert (kept.item_id, kept.event, kept.turn_id) == (item.item_id, "like", view.reply.turn_id)


@pytest.mark.parametrize(("item_id", "event"), [("1", "like"), ("no such", "like"), (None, "rating"), ("", "")])
def test_a_reaction_to_what_is_not_in_the_list_is_ignored(guest, small, item_id, event):
    view = last(guest.answer("I liked Alien (1979)"))
    guest.react(item_id if item_id is not None else view.reply.recommendations[0].item.item_id, event)
    assert small.workspace.store.count_feedback() == 0 and guest.view().marked == {}


# -- guests


def test_sessions_are_strangers_to_each_other(small):
    guests = Guests(small)
    last(guests.get("a").answer("I liked Alien (1979)"))
    assert guests.get("b").view() == View()
    guests.get("b").react(guests.get("a").view().reply.recommendations[0].item.item_id, "like")
    assert small.workspace.store.count_feedback() == 0


def test_the_guest_who_was_quiet_longest_makes_room(small):
    guests = Guests(small, most=2)
    for session in ("a", "b"):
        last(guests.get(session).answer("I liked Alien (1979)"))
    guests.get("a")
    guests.get("c")
    assert len(guests) == 2
    assert guests.get("a").view().state == "done" and guests.get("b").view().state == "new"


def test_stop_for_an_unknown_session_does_nothing(small):
    guests = Guests(small)
    guests.stop("nobody")
    assert len(guests) == 0


def test_a_new_conversation_shows_nothing_of_the_answer_before_it(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guests = Guests(agent)
        views = guests.get("a").answer("I liked Alien (1979)")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        assert guests.renew("a").view() == View()
        assert list(views) == [] and slow.ended_early.is_set()


# -- starters


def test_starters_are_made_from_the_catalogue_and_find_something(small):
    first, second, third = starters(small)
    assert first == "I liked Alien (1979) and Heat (1995)"
    assert second == "Three drama films, but no sci-fi"
    assert "90s" in third
    for text in (first, second, third):
        assert last(Guest(small).answer(text)).reply.recommendations


# -- the page


@pytest.fixture
def page(small):
    return in_a_loop(build_page, small)


def build_page(agent):
    from ui.app import build_app

    return build_app(agent)


def in_a_loop(call, *arguments, **named):
    """Gradio makes an event loop that it never closes, unless one runs already."""

    async def called():
        return call(*arguments, **named)

    return asyncio.run(called())


def test_no_event_of_the_page_is_public(page):
    visible = {f.api_visibility for f in page.fns.values()}
    assert visible == {"private"} and len(page.fns) >= 7


def test_one_message_at_a_time_is_with_the_model_and_stop_does_not_wait(page):
    model = [f for f in page.fns.values() if f.concurrency_id == "model"]
    assert {(f.concurrency_limit, f.queue) for f in model} == {(1, True)} and len(model) == 4
    assert page._queue.max_size and page._queue.max_size <= 100
    (stop,) = [f for f in page.fns.values() if f.name == "interrupt"]
    assert stop.queue is False


def test_the_talk_is_plain_text(page):
    import gradio as gr

    (talk,) = [block for block in page.blocks.values() if isinstance(block, gr.Chatbot)]
    assert talk.sanitize_html and talk.allow_tags is False and talk.render_markdown is False
    assert not talk.feedback_options and not talk.allow_file_downloads


@pytest.fixture
def served(page, monkeypatch):
    from ui.app import start

    monkeypatch.setenv("GRADIO_ALLOWED_PATHS", "/")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    yield in_a_loop(start, page, port=0)
    in_a_loop(page.close, verbose=False)


def fetched(url, data=None, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
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
        f"from conftest import open_small; from ui.app import serve; from ui.terminal import Terminal\n"
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
            out, err = server.communicate(timeout=30)
        finally:
            server.kill()
    assert (server.returncode, out, err.strip()) == (0, "", "Stopped.")
