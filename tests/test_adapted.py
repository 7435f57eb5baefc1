"""A request can ask for another adapter by its name; the models that were asked for last stay in memory."""

import gc
import json
import os
import shutil
import threading
import weakref

import httpx
import pytest
from conftest import SOON, open_small
from test_adapters import PASSED, put
from test_cli import run
from test_workshop import Backwards

from agent.adapted import MOST_LOADED, Adapted
from agent.build import adapters_of
from agent.client import Client
from agent.errors import InputError
from agent.generation.adapters import BASE, MANIFEST
from agent.generation.fake import FakeGenerator
from agent.schema import Item
from ui.api.app import build_api
from ui.api.serving import served


class Named(Backwards):
    """A backwards one of this name."""

    def __init__(self, adapter):
        super().__init__()
        self.adapter = adapter


def opened(path, generator=None, **flags):
    """With three adapters that may serve, two that may not, and models that are counted as they are loaded."""
    agent = open_small(path, generator, **flags)
    for name in ("one", "two", "three"):
        put(agent.workspace, name, measures=PASSED, model_weight=5.0)
    put(agent.workspace, "poor", measures={**PASSED, "passed": False})
    put(agent.workspace, "new")
    agent.loads = []

    def load(name):
        agent.loads.append(name)
        return FakeGenerator() if name is None else Named(name)

    agent.adapted = Adapted(agent.workspace, agent.prompts, load)
    return agent


@pytest.fixture
def agent(tmp_path):
    with opened(tmp_path / "w") as agent:
        yield agent


def ids(reply):
    return [one.item.item_id for one in reply.recommendations]


def test_an_adapter_answers_where_it_is_asked_for_and_nowhere_else(agent):
    plain = agent.recommend("p1", n=5)
    other = agent.recommend("p1", n=5, adapter="one")
    assert (plain.adapter, other.adapter) == (None, "one")
    assert other.model_weight == 5.0 != plain.model_weight and ids(other) != ids(plain)
    assert ids(agent.recommend("p1", n=5)) == ids(plain) and agent.generator.adapter is None
    assert agent.workspace.store.turn(other.turn_id)["reply"]["adapter"] == "one"
    assert all(one.justification and one.verified for one in other.recommendations)
    assert ids(agent.recommend("p1", n=5, adapter="one")) == ids(other) and agent.loads == ["one"]


def test_the_base_model_can_be_asked_for_and_what_serves_is_not_loaded_again(agent, tmp_path):
    assert agent.recommend("p1", adapter=BASE).adapter is None and agent.loads == []
    with opened(tmp_path / "other", Named("one")) as agent:
        assert agent.recommend("p1", adapter="one").adapter == "one" and agent.loads == []
        assert agent.recommend("p1", adapter=BASE).adapter is None and agent.loads == [None]


@pytest.mark.parametrize("name", ["poor", "new", "nothing", "../one", "", "in-service"])
def test_what_has_not_passed_the_gate_answers_nobody(agent, name):
    assert agent.adapted.names() == (BASE, "one", "three", "two")
    with pytest.raises(InputError, match="base, one, three, two"):
        agent.recommend("p1", adapter=name)
    assert agent.loads == []


def test_those_used_last_stay(agent):
    for name in ("one", "two", "one", "three", "one", "two"):
        agent.recommend("p1", n=1, adapter=name)
    assert MOST_LOADED == 2 and agent.loads == ["one", "two", "three", "two"]


def test_what_is_let_go_of_is_freed(agent):
    made = []

    def load(name):
        model = Named(name)
        made.append(weakref.ref(model))
        return model

    agent.adapted = Adapted(agent.workspace, agent.prompts, load)
    for name in ("one", "two", "three"):
        agent.recommend("p1", n=1, adapter=name)
    gc.collect()
    assert [model() is None for model in made] == [True, False, False]


def test_one_that_was_written_again_is_loaded_again(agent):
    agent.recommend("p1", n=1, adapter="one")
    manifest = adapters_of(agent.workspace).path("one") / MANIFEST
    os.utime(manifest, ns=(1, 1))
    agent.recommend("p1", n=1, adapter="one")
    assert agent.loads == ["one", "one"]


def test_it_knows_what_was_added_since_it_was_loaded(agent):
    agent.recommend("p1", adapter="one")
    agent.add_items([Item("added", "The Added Film (2001)", "A spaceship and a monster.", {"year": 2001})])
    reply = agent.recommend(history=["Alien (1979)"], where={"year": {">=": 2001}}, adapter="one")
    assert "added" in ids(reply) and agent.loads == ["one"]


def test_several_at_once_load_it_once_and_do_not_mix(agent):
    found = []

    def ask(name):
        found.append((name, agent.recommend("p1", n=3, adapter=name).adapter))

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("one", "two", None) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert len(found) == 12 and all(asked == answered for asked, answered in found)
    assert sorted(agent.loads) == ["one", "two"]


@pytest.mark.parametrize(("serving", "asked"), [(FakeGenerator(), "one"), (Named("one"), BASE)])
def test_a_turn_is_explained_by_what_ranked_it(tmp_path, serving, asked):
    with opened(tmp_path / "w", serving) as agent:
        reply = agent.recommend("p1", n=5, adapter=asked)
        assert ids(reply) != ids(agent.recommend("p1", n=5))
        for place, one in enumerate(reply.candidates, 1):
            assert agent.explain(reply.turn_id, one.item.item_id, with_model=True).standing.final_place == place


def test_what_cannot_rank_a_turn_again_is_told(agent):
    turn = agent.recommend("p1", adapter="one").turn_id
    shutil.rmtree(adapters_of(agent.workspace).path("one"))
    assert agent.explain(turn, "Heat").standing.final_place is None
    with pytest.raises(InputError, match="No adapter 'one' can be asked for; .* Without the model it can be explained"):
        agent.explain(turn, "Heat", with_model=True)
    told = run("explain", turn, "Heat", "--with-model", agent=agent)
    assert told.exit_code == 2 and "No adapter 'one'" in told.stderr


def test_over_http(agent):
    with served(build_api(agent, per_minute=0), port=0) as url, Client(url) as client:
        assert client.recommend("p1", adapter="one").adapter == "one"
        assert list(client.stream("p1", adapter="two"))[-1].adapter == "two"
        assert client.recommend("p1").adapter is None
        with pytest.raises(InputError, match="'poor'"):
            client.recommend("p1", adapter="poor")


@pytest.fixture(params=["here", "over HTTP"])
def talk(agent, request):
    """A conversation with the agent, or with the same agent as a service."""
    if request.param == "here":
        yield agent.conversation("p1")
        return
    with served(build_api(agent, per_minute=0), port=0) as url, Client(url) as client:
        yield client.conversation("p1")


def test_one_message_of_a_conversation_can_ask_for_it_and_the_next_goes_on_without(agent, talk):
    plain = agent.recommend("p1", intent="from 1980 on", n=3)
    first = talk.say("from 1980 on", 3, adapter="one")
    assert (first.adapter, first.model_weight) == ("one", 5.0) and ids(first) != ids(plain)
    assert ids(first) == ids(agent.recommend("p1", intent="from 1980 on", n=3, adapter="one"))
    more = talk.say("more", 3)
    assert more.adapter is None and more.intent.filters == first.intent.filters and not set(ids(more)) & set(ids(first))
    *_, last = talk.stream("more", 3, adapter="two")
    assert last.adapter == "two" and ids(last) and not set(ids(last)) & {*ids(first), *ids(more)}


@pytest.mark.parametrize("said", ["from 1980 on", "thank you!"])
def test_a_message_that_asks_for_what_may_not_serve_is_not_answered(agent, talk, said):
    with pytest.raises(InputError, match="'poor'.*base, one, three, two"):
        talk.say(said, adapter="poor")
    with pytest.raises(InputError, match="'poor'"):
        list(talk.stream(said, adapter="poor"))
    assert not talk.replies and talk.say("from 1980 on").adapter is None and agent.loads == []


def test_the_model_that_is_asked_for_reads_the_message_too(tmp_path):
    class Understanding(Named):
        fills_intents = True

    with opened(tmp_path / "w", understanding="auto") as agent:
        agent.adapted = Adapted(agent.workspace, agent.prompts, Understanding)
        talk = agent.conversation("p1")
        assert talk.say("a drama", adapter="one").understood == "by the model"
        assert talk.say("a comedy").understood == "by words"


def test_a_chat_completion_names_it_in_the_model(agent):
    with served(build_api(agent, per_minute=0), port=0) as url, httpx.Client(base_url=url, timeout=SOON) as http:
        listed = [model["id"] for model in http.get("/v1/models").json()["data"]]
        assert listed == ["vouchrec", "vouchrec/base", "vouchrec/one", "vouchrec/three", "vouchrec/two"]

        def ask(model, **more):
            body = {"model": model, "messages": [{"role": "user", "content": "from 1980 on"}], "user": "p1", **more}
            return http.post("/v1/chat/completions", json=body)

        for model, adapter in (("vouchrec", None), ("vouchrec/base", None), ("vouchrec/one", "one")):
            told = ask(model).json()
            turn = agent.workspace.store.turn(told["id"].removeprefix("chatcmpl-"))
            assert (told["model"], turn["reply"]["adapter"]) == (model, adapter)
            assert f'"model": "{model}"' in ask(model, stream=True).text
        for model in ("vouchrec/poor", "vouchrec/", "one", "other/one"):
            for stream in (False, True):
                refused = ask(model, stream=stream)
                assert refused.status_code == 404 and "vouchrec/one" in refused.json()["error"]["message"]


def test_in_the_terminal_a_name_that_is_none_is_told_before_any_model_is_loaded(agent):
    said = run("recommend", "--adapter", "one", "--json", agent=agent)
    assert json.loads(said.stdout)["adapter"] == "one"
    path = str(agent.workspace.path)
    agent.close()
    refused = run("recommend", "-w", path, "--adapter", "poor")
    assert refused.exit_code == 2 and "No adapter 'poor'" in refused.stderr and "Load" not in refused.stderr
