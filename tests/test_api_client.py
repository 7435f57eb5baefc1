"""The client: the same calls, types and exceptions as the agent beside it."""

import inspect
import json
import threading

import httpx
import pytest
from answering import SlowGenerator
from conftest import SOON, open_small, until
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.agent import Agent
from agent.client import Client, RemoteConversation, _segment
from agent.conversation import Conversation
from agent.errors import (
    AssetError,
    FilterError,
    InputError,
    ServiceError,
    UnknownItemError,
    UnknownPersonError,
    VouchrecError,
    WorkspaceError,
)
from agent.schema import Evidence, Feedback, Filter, Intent, Item, Recommendation, Reply
from ui.api.app import build_api
from ui.api.guard import Caller
from ui.api.keys import Keys
from ui.api.problems import Problem, describe
from ui.api.serving import served
from ui.api.talks import Talks


@pytest.fixture
def client(small):
    with served(build_api(small, per_minute=0), port=0) as url, Client(url) as client:
        yield client


def raised(call, *arguments, **named):
    with pytest.raises(VouchrecError) as error:
        call(*arguments, **named)
    return type(error.value), str(error.value), getattr(error.value, "nearest", None)


# -- the same


def signature(kind, name):
    given = inspect.signature(getattr(kind, name)).parameters.values()
    return [(p.name, p.kind, p.annotation, "..." if callable(p.default) else p.default) for p in given]


@pytest.mark.parametrize("name", ["recommend", "stream", "conversation", "feedback", "known_of", "forget"])
def test_calls_have_the_signatures_of_the_agent(name):
    assert signature(Client, name) == signature(Agent, name)


@pytest.mark.parametrize("name", ["say", "stream", "feedback"])
def test_a_conversation_has_the_signatures_of_the_agents(name):
    assert signature(RemoteConversation, name) == signature(Conversation, name)


@pytest.mark.parametrize(
    "asked",
    [
        {"user_id": "p1"},
        {"history": ["Alien (1979)", "2"], "intent": "a comedy", "n": 3, "seed": 3},
        {"intent": Intent("x", likes=("6",), filters=(Filter("year", ">=", 1990),), habit=0.2)},
        {"where": {"year": {">=": 1990}, "genres": {"Comedy", "Drama"}}, "strategy": "generate"},
        {"where": [Filter("genres", "in", ("Comedy", "Drama"))], "user_id": "someone/new"},
    ],
)
def test_the_same_list_with_the_same_reasons(client, small, asked):
    far, near = client.recommend(**asked), small.recommend(**asked)
    assert far.recommendations == near.recommendations and far.recommendations
    assert (far.intent, far.message, far.user_id, far.model) == (near.intent, near.message, near.user_id, near.model)
    snapshots = list(client.stream(**asked))
    assert snapshots[-1].recommendations == near.recommendations
    assert [r.complete for r in snapshots] == [False] * (len(snapshots) - 1) + [True]
    assert snapshots[-2].recommendations == near.recommendations  # put together from its reasons


def test_a_stream_may_hold_any_letter(client, small):
    small.add_items([Item("14", "One\u2028Two\u2029Three\x85 (1995)", "Tense.", {"year": 1995})])
    *_, reply = client.stream(where={"year": 1995}, n=9)
    assert "14" in {r.item.item_id for r in reply.recommendations}
    *_, reply = client.conversation("p2").stream("from 1995", n=9)
    assert "14" in {r.item.item_id for r in reply.recommendations}


def test_the_same_exceptions_with_the_same_words(client, small):
    for asked in (
        {"history": ["Alein"]},
        {"where": {"colour": 1}},
        {"intent": "x" * 3000},
        {"history": "Alien"},
        {"n": 51},
    ):
        assert raised(client.recommend, **asked) == raised(small.recommend, **asked)
        assert raised(lambda a=asked: list(client.stream(**a))) == raised(small.recommend, **asked)
    assert raised(client.known_of, "nobody") == raised(small.known_of, "nobody")
    assert raised(client.forget, "nobody") == raised(small.forget, "nobody")
    bad = Feedback("p1", "99", "like")
    assert raised(client.feedback, bad) == raised(small.feedback, bad)
    assert raised(client.recommend, n=0)[0] is InputError  # the service's own words


def test_people_and_feedback(client, small):
    said = Feedback("a/../b", "4", "rating", None, 4.5, 100.0)
    assert client.feedback(said) == said
    assert client.undo_feedback(said) and not client.undo_feedback(said)
    client.feedback(said)
    assert client.known_of("a/../b") == small.known_of("a/../b")
    assert client.known_of("a/../b")["feedback"][0]["value"] == 4.5
    assert client.forget("a/../b")["feedback"] == 1
    with pytest.raises(UnknownPersonError):
        small.known_of("a/../b")


def test_why_something_is_listed(client, small):
    reply = client.recommend("p1", n=3)
    item = reply.recommendations[0].item
    assert client.explain(reply.turn_id, item.title) == json.loads(
        json.dumps(small.explain(reply.turn_id, item.item_id).as_dict())
    )
    with pytest.raises(ServiceError, match="no such turn"):
        client.explain("none", item.title)


@pytest.mark.parametrize("user_id", ["..", ".", "a/b", "?x=1#y", "é %2F", "a.json"])
def test_any_id_reaches_the_service_as_it_is(client, user_id):
    with pytest.raises(UnknownPersonError) as error:
        client.known_of(user_id)
    assert error.value.given == user_id


def test_items_go_through(client, small):
    item = Item("14", "Dune (2021)", "Sand.", {"year": 2021, "genres": ("Sci-Fi",)})
    assert client.add_items([item]) == 1 and small.catalogue.get("14") == item
    assert raised(client.add_items, [item]) == raised(small.add_items, [item])
    assert client.remove_items(["14"]) == 1 and "14" not in small.catalogue.position
    assert raised(client.remove_items, "12") == raised(small.remove_items, "12") and "1" in small.catalogue.position


def test_a_conversation_goes_on(client, small):
    talk = client.conversation("p2")
    first = talk.say("a crime film", 2)
    talk.feedback(first.recommendations[0].item.item_id, "like")
    *_, second = talk.stream("newer than 1990")
    assert talk.user_id == "p2" and talk.replies == [first, second] and talk.intent == second.intent
    shown = {r.item.item_id for r in first.recommendations}
    assert shown and not shown & {r.item.item_id for r in second.recommendations}
    assert [f["event"] for f in small.known_of("p2")["feedback"]] == ["like"]
    talk.close()
    with pytest.raises(ServiceError, match="no such conversation"):
        talk.say("more")


# -- its own


def test_a_conversation_that_is_kept_is_gone_on_with(client):
    talk = client.conversation("p2")
    first = talk.say("something tense from the 90s", n=2)
    (saved,) = client.conversations("p2")
    assert saved.conversation_id == talk.conversation_id and saved.lists == 1
    again = client.conversation("p2", saved.conversation_id)
    assert again.replies == [first] and again.intent == first.intent
    shown = {one.item.item_id for one in first.recommendations}
    assert not shown & {one.item.item_id for one in again.say("more of that", n=2).recommendations}
    assert client.conversations("p1") == []
    assert raised(client.conversation, "p1", saved.conversation_id)[0] is InputError


def test_what_is_said_in_two_openings_of_one_conversation_adds_up(client, small):
    talk = client.conversation("p2")
    talk.say("a crime film", n=2)
    first, second = (client.conversation("p2", talk.conversation_id) for _ in range(2))
    first.say("newer than 1990", n=2)
    assert second.say("something funny", n=2).intent.filters
    kept = small.conversation("p2", talk.conversation_id)
    assert [step.said for _, step, _ in kept.history()] == ["a crime film", "newer than 1990", "something funny"]
    first.close()
    assert second.say("more", n=1).complete


def test_one_conversation_answers_one_message_at_a_time_however_often_it_is_open(small):
    talks, chat = Talks(small), small.conversation("p2")
    chat.say("a crime film", n=2)
    first, second = (talks.begin(Caller(name), "p2", chat.conversation_id) for name in "ab")
    replies = first.answer("newer than 1990", 2)(lambda: False)
    next(replies)
    with pytest.raises(Problem, match="still being answered"):
        second.answer("something funny", 2)
    replies.close()
    assert second.answer("something funny", 2)


def test_closing_a_stream_stops_the_model(tmp_path):
    slow, hold = SlowGenerator(), threading.Event()
    slow.after[5] = lambda: hold.wait(SOON)
    with open_small(tmp_path / "w", slow) as agent:
        api = build_api(agent)
        turns = api.state.service.turns
        with served(api, port=0) as url, Client(url) as client:
            replies = client.stream(n=5)
            assert not next(replies).complete
            replies.close()
            until(lambda: any(stop.is_set() for stop in tuple(turns._stops)))
            hold.set()
            assert slow.ended_early.wait(SOON) and slow.steps < 150


def test_a_stream_ends_when_stop_says_so(small):
    with served(build_api(small), port=0) as url, Client(url) as client:
        stopped = list(client.stream(n=5, stop=lambda: True))
        assert len(stopped) == 1


def test_a_key_is_sent_and_a_wrong_one_is_told(small):
    secret = Keys(small.settings.home).add("shop")
    with served(build_api(small), port=0) as url:
        with Client(url, key=secret) as client:
            assert client.recommend("p1").recommendations
        with Client(url) as client, pytest.raises(ServiceError, match="No key came") as error:
            client.recommend("p1")
        assert error.value.status == 401


def test_too_many_requests_say_when_to_come_again(small):
    with served(build_api(small, per_minute=1), port=0) as url, Client(url) as client:
        client.recommend("p1")
        with pytest.raises(ServiceError) as error:
            client.recommend("p1")
        assert error.value.status == 429 and 1 <= error.value.retry_after <= 60


def test_no_service_is_told_with_its_address():
    with Client("http://127.0.0.1:9", timeout=5) as client, pytest.raises(ServiceError, match=r"127\.0\.0\.1:9"):
        client.recommend()
    with Client("http://[", timeout=5) as client, pytest.raises(ServiceError, match="address"):
        client.recommend()
    with pytest.raises(InputError, match="key"):
        Client(key="é")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"turn_id": 1}', b"\xff"])
def test_what_is_no_service_is_told(answer):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))
    with Client("http://x", transport=transport) as client:
        with pytest.raises(ServiceError):
            client.recommend()
        with pytest.raises(ServiceError):
            list(client.stream())
    odd = httpx.MockTransport(lambda _: httpx.Response(502, content=answer))
    with Client("http://x", transport=odd) as client, pytest.raises(ServiceError) as error:
        client.recommend()
    assert error.value.status == 502


def test_what_cannot_be_sent_is_told(client):
    for where in ({"year": {">=": float("nan")}}, {"year": object()}):
        with pytest.raises(InputError):
            client.recommend(where=where)


# -- on the wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
ITEMS = st.builds(
    Item, TEXT, TEXT, TEXT, st.dictionaries(TEXT, NUMBER | TEXT | st.lists(TEXT, max_size=3).map(tuple), max_size=3)
)
EVIDENCE = st.builds(
    Evidence, TEXT, TEXT, st.just(("1",)), st.none() | TEXT, st.just(("a",)), st.none() | st.integers()
)
FILTERS = st.builds(Filter, TEXT, st.sampled_from(["==", ">="]), NUMBER | TEXT) | st.builds(
    Filter, TEXT, st.just("in"), st.lists(TEXT | NUMBER, min_size=1, max_size=3).map(tuple)
)
RECOMMENDATIONS = st.builds(
    Recommendation, st.integers(1, 50), ITEMS, st.floats(-9, 9), TEXT, st.booleans(),
    st.sampled_from(["model", "plain", None]), st.lists(EVIDENCE, max_size=2).map(tuple),
)  # fmt: skip
INTENTS = st.builds(Intent, TEXT, filters=st.lists(FILTERS, max_size=3).map(tuple), n=st.none() | st.integers(1, 9))
REPLIES = st.builds(
    Reply, TEXT, st.none() | TEXT, INTENTS, st.lists(RECOMMENDATIONS, max_size=3).map(tuple), TEXT, st.none() | TEXT,
    st.dictionaries(TEXT, st.floats(0, 9), max_size=2), complete=st.booleans(),
)  # fmt: skip


@given(REPLIES)
def test_a_reply_comes_back_as_it_was(reply):
    assert wire.reply_from_json(wire.reply_to_json(reply)) == reply
    for one in reply.recommendations:
        assert wire.recommendation_from_json(wire.recommendation_to_json(one)) == one


@pytest.mark.parametrize("kind", wire.KINDS, ids=lambda kind: kind.slug)
def test_every_exception_comes_back_as_what_it_was(kind):
    special = {UnknownItemError: ("x", ("y", "z")), UnknownPersonError: ("x",)}
    error = kind.error(*special.get(kind.error, ("what came, what to do",)))
    problem, _ = describe(error)
    again = wire.error_of(problem, kind.status)
    assert type(again) is kind.error and problem["status"] == kind.status
    if kind.told:
        assert str(again) == str(error)
    else:
        assert "what came" not in str(problem)


def test_an_exception_is_of_the_most_special_kind_that_fits():
    raised_ = FilterError("x"), InputError("x"), AssetError("x"), WorkspaceError("x")
    assert [wire.kind_of(error).slug for error in raised_] == ["filter", "input", "asset", "workspace"]


@given(TEXT.filter(bool))
def test_an_id_is_one_part_of_a_path(text):
    assert not set(_segment(text)) & set("/?#. ")
