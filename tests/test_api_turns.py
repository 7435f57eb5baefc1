"""Several at once: lists before reasons, nobody passed over, whoever leaves stops the model, nobody sees another's."""

import asyncio
import json
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest
from answering import SlowGenerator
from conftest import SOON, open_small, until
from test_api import problem

from agent.schema import Intent, Interaction, Reply
from ui.api.app import build_api
from ui.api.metrics import Metrics
from ui.api.problems import Problem
from ui.api.serving import served
from ui.api.turns import Turns, last
from ui.desk import IN_A_ROW, LIST, Desk


def reply(complete=False):
    return Reply("t", None, Intent(), complete=complete)


# -- the desk


def work(name, log, steps=3, begin=None, at_work=None):
    """A turn that lists, then writes in steps; `log` gets what it does in order."""

    def start(stop):
        if begin is not None:
            begin.set()
        log.append((name, "list"))
        yield reply()
        for _ in range(steps):
            if at_work is not None:
                at_work()
            if stop():
                return
            log.append((name, "step"))
        yield reply(complete=True)

    return start


def test_a_list_passes_reasons_and_then_those_who_write_take_turns():
    desk, log = Desk(), []
    second = threading.Thread(target=lambda: list(desk.turn(work("b", log), bool)))

    def at_work():
        if second.ident is None:
            second.start()
        until(lambda: desk._is_waited_for() or not second.is_alive())

    list(desk.turn(work("a", log, at_work=at_work), bool))
    second.join(SOON)
    assert log.index(("b", "list")) < log.index(("a", "step"))  # it did not wait for the reasons
    # Each asks before a step whether it may, so "b" first lets "a" make the one it has asked for.
    assert [name for name, what in log if what == "step"] == ["a", "a", "b", "a", "b", "b"]


class NotedDesk(Desk):
    """Notes who was let to it: a list, or somebody who writes."""

    def __init__(self):
        super().__init__()
        self.let = ""

    def _take(self, phase, stop):
        is_mine = super()._take(phase, stop)
        self.let += ("l" if phase == LIST else "w") if is_mine else ""
        return is_mine


def test_lists_without_end_cannot_keep_anybody_from_writing():
    desk, log, lists = NotedDesk(), [], 5 * IN_A_ROW
    writing, queued, let = threading.Event(), threading.Event(), []

    def at_work():
        writing.set()
        queued.wait(SOON)
        let.append(len(desk.let))

    writer = threading.Thread(target=lambda: list(desk.turn(work("w", log, at_work=at_work), bool)))
    writer.start()
    writing.wait(SOON)
    with ThreadPoolExecutor(lists) as threads:
        rest = [threads.submit(lambda: list(desk.turn(work("l", log, steps=0), bool))) for _ in range(lists)]
        until(lambda: len(desk._waiting) == lists)
        queued.set()
        [one.result(SOON) for one in rest]
    writer.join(SOON)
    assert log.count(("l", "list")) == lists and log.count(("w", "step")) == 3
    assert log[1 + IN_A_ROW] == ("w", "step")
    # As long as it wrote, somebody waited to write all the time.
    assert max(map(len, desk.let[let[0] : let[-1]].split("w"))) == IN_A_ROW


def test_who_is_stopped_while_others_have_the_desk_leaves_at_once_and_leaves_it_to_them():
    desk, log, stopped, held = Desk(), [], threading.Event(), threading.Event()
    ended = threading.Event()

    def holds(stop):
        held.set()
        ended.wait(SOON)
        yield reply(complete=True)

    holder = threading.Thread(target=lambda: list(desk.turn(holds, bool)))

    def at_work():
        if holder.ident is None:
            holder.start()
            until(desk._is_waited_for)
            threading.Thread(target=lambda: (held.wait(SOON), stopped.set())).start()

    assert len(list(desk.turn(work("a", log, at_work=at_work), stopped.is_set))) == 1  # the list, and no more
    assert desk._taken and log == [("a", "list")]
    ended.set()
    holder.join(SOON)
    assert not desk._taken and not desk._waiting


def test_one_at_a_time_computes_and_everyone_is_served():
    desk, inside, most = Desk(), 0, []
    lock = threading.Lock()

    def start(stop):
        nonlocal inside
        for number in range(4):
            with lock:
                inside += 1
                most.append(inside)
            time.sleep(0.001)
            with lock:
                inside -= 1
            yield reply(complete=number == 3)

    with ThreadPoolExecutor(8) as threads:
        served_ = list(threads.map(lambda _: len(list(desk.turn(start, bool))), range(16)))
    assert served_ == [4] * 16 and max(most) == 1 and not desk._waiting and not desk._taken


def test_who_is_not_wanted_any_more_leaves_the_queue():
    desk, log = Desk(), []
    gone, held = threading.Event(), threading.Event()

    def holds(stop):
        held.set()
        gone.wait(SOON)
        yield reply(complete=True)

    holder = threading.Thread(target=lambda: list(desk.turn(holds, bool)))
    holder.start()
    held.wait(SOON)
    assert list(desk.turn(work("b", log), lambda: True)) == []
    gone.set()
    holder.join(SOON)
    assert log == [] and not desk._waiting
    assert len(list(desk.turn(work("c", log), bool))) == 2  # the desk is free


def test_a_turn_that_fails_or_is_closed_leaves_the_desk_free():
    desk, closed = Desk(), []

    def fails(stop):
        yield reply()
        raise ValueError("x")

    def lingers(stop):
        try:
            yield reply()
            yield reply()
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="x"):
        list(desk.turn(fails, bool))
    with closing(desk.turn(lingers, bool)) as turn:
        next(turn)
    assert closed and not desk._taken and len(list(desk.turn(work("c", []), bool))) == 2


# -- turns


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, SOON))


def test_whoever_comes_when_too_many_wait_is_told_to_come_again():
    async def scene():
        turns, hold = Turns(Desk(), Metrics(), at_once=1, waiting=2), threading.Event()

        def start(stop):
            hold.wait(SOON)
            yield reply(complete=True)

        waiting = [asyncio.ensure_future(last(turns.replies(start))) for _ in range(3)]
        while turns.waiting < 2:
            await asyncio.sleep(0.001)
        assert turns.is_full and turns.running == 1
        with pytest.raises(Problem) as refused:
            await last(turns.replies(start))
        assert refused.value.slug == "busy" and refused.value.headers["Retry-After"]
        hold.set()
        assert [r.complete for r in await asyncio.gather(*waiting)] == [True] * 3
        while turns.running:
            await asyncio.sleep(0.001)
        assert turns.waiting == 0

    run(scene())


def test_they_are_begun_in_the_order_in_which_they_came():
    async def scene():
        turns, order = Turns(Desk(), Metrics(), at_once=1), []

        def start(number):
            def begin(stop):
                order.append(number)
                yield reply(complete=True)

            return begin

        await asyncio.gather(*[last(turns.replies(start(number))) for number in range(20)])
        assert order == list(range(20))

    run(scene())


def test_one_that_is_cancelled_while_it_waits_never_begins_and_frees_its_place():
    async def scene():
        turns, hold, begun = Turns(Desk(), Metrics(), at_once=1), threading.Event(), []

        def start(name):
            def begin(stop):
                begun.append(name)
                hold.wait(SOON)
                yield reply(complete=True)

            return begin

        first = asyncio.ensure_future(last(turns.replies(start("first"))))
        while not begun:
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(last(turns.replies(start("second"))))
        while not turns.waiting:
            await asyncio.sleep(0.001)
        second.cancel()
        third = asyncio.ensure_future(last(turns.replies(start("third"))))
        hold.set()
        await asyncio.gather(first, third)
        assert begun == ["first", "third"]

    run(scene())


def test_a_turn_out_of_time_gives_its_list():
    def lists(stop):
        yield reply()
        until(stop)
        yield reply()

    async def scene():
        listed = await last(Turns(Desk(), Metrics(), seconds=3).replies(lists))
        assert not listed.complete

    run(scene())


def test_a_turn_that_has_no_list_in_time_says_so(monkeypatch):
    monkeypatch.setattr("ui.api.turns.GRACE", 0.05)

    async def scene():
        hold = threading.Event()

        def hangs(stop):
            hold.wait(SOON)
            yield reply()

        with pytest.raises(Problem) as late:
            await last(Turns(Desk(), Metrics(), seconds=0.2).replies(hangs))
        assert late.value.slug == "timeout"
        hold.set()

    run(scene())


# -- over HTTP


@pytest.mark.parametrize("path", ["/v1/recommend", "/v1/recommend/stream", "/v1/chat/completions"])
def test_a_client_that_goes_away_stops_the_model(tmp_path, path):
    slow, started, hold = SlowGenerator(), threading.Event(), threading.Event()
    slow.after[5] = lambda: started.set() or hold.wait(SOON)
    body = {"model": "vouchrec", "messages": [{"role": "user", "content": "x"}]} if "chat" in path else {"n": 3}
    with open_small(tmp_path / "w", slow) as agent:
        api = build_api(agent)
        with served(api, port=0) as url:
            host, port = url.removeprefix("http://").split(":")
            content = json.dumps(body).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            with socket.create_connection((host, int(port))) as raw:
                raw.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
                assert started.wait(SOON)
            until(lambda: any(stop.is_set() for stop in tuple(api.state.service.turns._stops)))
            hold.set()
            assert slow.ended_early.wait(SOON) and slow.steps < 30
            until(lambda: api.state.service.turns.running == 0)
            assert httpx.get(f"{url}/readyz", timeout=SOON).status_code == 200
            until(lambda: 'turns_total{outcome="stopped"} 1' in httpx.get(f"{url}/metrics", timeout=SOON).text)


@contextmanager
def answering(tmp_path):
    """A conversation whose first answer is being written: the generator, the address, threads, the answer to come.

    The answer goes on when the event is set.
    """
    slow, started, hold = SlowGenerator(), threading.Event(), threading.Event()
    slow.after[5] = lambda: started.set() or hold.wait(SOON)
    with open_small(tmp_path / "w", slow) as agent, served(build_api(agent), port=0) as url:
        path = f"{url}/v1/conversations"
        path += "/" + httpx.post(path, json={}, timeout=SOON).json()["conversation_id"]
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(httpx.post, f"{path}/say", json={"text": "a drama"}, timeout=SOON)
            assert started.wait(SOON)
            yield slow, path, threads, first, hold


def test_ending_a_conversation_stops_its_answer_and_a_second_message_waits(tmp_path):
    with answering(tmp_path) as (slow, path, threads, first, hold):
        second = threads.submit(httpx.post, f"{path}/say", json={"text": "newer"}, timeout=SOON)
        assert httpx.delete(path, timeout=SOON).status_code == 204
        hold.set()
        assert first.result().json()["complete"] is False
        assert second.result().status_code in (404, 409)
        assert slow.ended_early.wait(SOON) and slow.steps < 30


def test_two_messages_at_once_in_one_conversation_are_refused(tmp_path):
    with answering(tmp_path) as (_, path, threads, first, hold):
        second = threads.submit(httpx.post, f"{path}/say/stream", json={"text": "newer"}, timeout=SOON)
        problem(second.result(), 409, "conflict")
        hold.set()
        assert first.result().json()["complete"] is True


def test_eight_at_once_each_see_only_their_own(tmp_path):
    """Every person has one film that nobody else has touched, and asks under their own name."""
    people = [f"canary-{number}" for number in range(8)]
    films = [str(number) for number in range(3, 11)]
    with open_small(tmp_path / "w") as agent:
        agent.workspace.store.put_interactions(
            Interaction(person, film, "rating", 5.0, 1.0) for person, film in zip(people, films, strict=True)
        )
        with served(build_api(agent, per_minute=0), port=0) as url:

            def ask(number):
                draw, person = random.Random(number), people[number]
                with httpx.Client(base_url=url, timeout=SOON) as http:
                    said = {"user_id": person}
                    talk = http.post("/v1/conversations", json=said).json()
                    for _ in range(6):
                        path = draw.choice(["/v1/recommend", "say"])
                        if path == "say":
                            path = f"/v1/conversations/{talk['conversation_id']}/say"
                            got = http.post(path, json={"text": draw.choice(["a drama", "newer than 1980"])})
                        else:
                            got = http.post(path, json=said)
                        assert got.status_code == 200, got.text
                        yield got.text
                    yield http.get(f"/v1/people/{person}").text

            with ThreadPoolExecutor(8) as threads:
                answers = list(threads.map(lambda number: list(ask(number)), range(8)))
    for number, texts in enumerate(answers):
        others = [person for person in people if person != people[number]]
        assert len(texts) == 7
        for text in texts:
            assert people[number] in text
            assert not any(other in text for other in others)
        own = json.loads(texts[-1])
        assert [row["item_id"] for row in own["history"]] == [films[number]] and len(own["turns"]) == 6
        for turn in own["turns"]:
            assert films[number] not in [r["item_id"] for r in turn["reply"]["recommendations"]]
