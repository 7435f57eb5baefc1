"""Who is served: keys, persons, addresses, rates. And that a key is kept by its hash alone."""

import json

import httpx
import pytest
from answering import last
from conftest import SOON
from hypothesis import example, given
from hypothesis import strategies as st
from test_api import GUARDED, problem
from test_cli import run

from agent.errors import InputError, WorkspaceError
from ui.api.app import build_api
from ui.api.guard import Caller, _is_loopback
from ui.api.keys import Keys
from ui.api.problems import Problem
from ui.api.rates import Rates
from ui.api.serving import served
from ui.api.talks import Talks
from ui.guests import Guests


@pytest.fixture
def keys(small):
    return Keys(small.settings.home)


@pytest.fixture
def http(small):
    with served(build_api(small, per_minute=0), port=0) as url, httpx.Client(base_url=url, timeout=SOON) as client:
        yield client


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


# -- keys on disk


def test_a_key_is_kept_by_its_hash_alone(keys):
    secret = keys.add("shop")
    text = keys.path.read_text()
    assert secret.startswith("vr_") and len(secret) > 40
    assert secret not in text and secret[3:] not in text
    assert keys.path.stat().st_mode & 0o077 == 0
    assert keys.find(secret).name == "shop" and keys.find(secret + "x") is None and keys.find("") is None


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 41, "\n", "-x"])
def test_a_name_that_cannot_be_one_is_refused(keys, name):
    with pytest.raises(InputError, match="cannot be called"):
        keys.add(name)
    assert not keys.path.exists()


def test_names_are_given_once_and_removal_counts_at_once(keys):
    first, second = keys.add("a"), keys.add("b", "p1")
    with pytest.raises(InputError, match="already"):
        keys.add("a")
    other = Keys(keys.path.parent)  # as the running service has it
    assert other.find(first) and other.find(second).person == "p1"
    keys.remove("a")
    assert other.find(first) is None and other.find(second)
    with pytest.raises(InputError, match="there are: b"):
        keys.remove("a")


def test_a_damaged_file_serves_nobody(keys, http):
    keys.add("a")
    for damage in ("", "{", "[{}]", '[{"name": "a", "sha256": 1, "created": ""}]'):
        keys.path.write_text(damage)
        with pytest.raises(WorkspaceError, match="nobody is served"):
            Keys(keys.path.parent).all()
        said = problem(httpx.get(f"{http.base_url}/v1/models", timeout=SOON), 503, "workspace")
        assert str(keys.path) not in str(said)


# -- keys at the door


def test_with_a_key_every_route_but_two_needs_one(http, keys):
    assert http.get("/v1/models").status_code == 200  # no key yet: this machine is served
    secret = keys.add("shop")
    for method, path in GUARDED:
        for headers in ({}, bearer("vr_wrong"), {"Authorization": secret}, {"Authorization": f"Basic {secret}"}):
            answer = http.request(method, path, headers=headers)
            problem(answer, 401, "unauthorised")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert http.request(method, path, headers=bearer(secret), json={}).status_code not in (401, 403)
    assert http.get("/healthz").status_code == http.get("/readyz").status_code == 200
    assert http.get("/v1/models", headers={"Authorization": f"bearer {secret}"}).status_code == 200
    keys.remove("shop")
    keys.add("other")
    problem(http.get("/v1/models", headers=bearer(secret)), 401, "unauthorised")


def test_a_key_of_one_person_speaks_for_that_person_alone(http, keys):
    own = bearer(keys.add("phone", "p1"))
    everybody = bearer(keys.add("shop"))
    reply = http.post("/v1/recommend", json={}, headers=own).json()
    assert reply["user_id"] == "p1"
    for path, body in [
        ("/v1/recommend", {"user_id": "p2"}),
        ("/v1/recommend/stream", {"user_id": "p2"}),
        ("/v1/conversations", {"user_id": "p2"}),
        ("/v1/feedback", {"user_id": "p2", "item_id": "1", "event": "like"}),
        ("/v1/chat/completions", {"model": "vouchrec", "messages": [{"role": "user", "content": "x"}], "user": "p2"}),
        ("/v1/items", {"items": [{"item_id": "1", "title": "x"}]}),
    ]:
        problem(http.post(path, json=body, headers=own), 403, "forbidden")
    for method, path in [("GET", "/v1/people/p2"), ("DELETE", "/v1/people/p2"), ("GET", "/metrics")]:
        problem(http.request(method, path, headers=own), 403, "forbidden")
    problem(http.put("/v1/items/1", json={"title": "x"}, headers=own), 403, "forbidden")
    problem(http.delete("/v1/items/1", headers=own), 403, "forbidden")
    assert http.get("/v1/people/p2", headers=everybody).status_code == 200
    assert http.post("/v1/feedback", json={"item_id": "4", "event": "like"}, headers=own).status_code == 200
    assert http.get("/v1/people/p1", headers=own).json()["feedback"][0]["item_id"] == "4"


def test_a_turn_is_explained_to_whose_it_is(http, keys, small, monkeypatch):
    class Explained:
        def as_dict(self):
            return {}

    monkeypatch.setattr(type(small), "explain", lambda *_: Explained(), raising=False)
    own, shop = bearer(keys.add("phone", "p1")), bearer(keys.add("shop"))
    turns = {
        user: http.post("/v1/recommend", json={"user_id": user}, headers=shop).json()["turn_id"]
        for user in ("p1", "p2")
    }
    asked = {user: {"turn_id": turn, "item": "1"} for user, turn in turns.items()}
    assert http.post("/v1/explain", json=asked["p1"], headers=own).status_code == 200
    problem(http.post("/v1/explain", json=asked["p2"], headers=own), 404, "not-found")
    assert http.post("/v1/explain", json=asked["p2"], headers=shop).status_code == 200


def test_a_conversation_belongs_to_the_key_that_began_it(http, keys):
    mine, other = bearer(keys.add("a")), bearer(keys.add("b"))
    path = f"/v1/conversations/{http.post('/v1/conversations', json={}, headers=mine).json()['conversation_id']}"
    problem(http.post(f"{path}/say", json={"text": "x"}, headers=other), 404, "not-found")
    problem(http.delete(path, headers=other), 404, "not-found")
    assert http.delete(path, headers=mine).status_code == 204


def test_who_is_forgotten_loses_their_key(http, keys):
    own, shop = bearer(keys.add("phone", "p1")), bearer(keys.add("shop"))
    assert http.delete("/v1/people/p1", headers=own).json()["keys"] == 1
    problem(http.get("/v1/people/p1", headers=own), 401, "unauthorised")
    assert "p1" not in keys.path.read_text()
    problem(http.get("/v1/people/p1", headers=shop), 404, "unknown-person")


def test_keys_of_somebody_of_whom_nothing_else_is_stored_are_forgotten(http, keys, small):
    for forget in (
        lambda: http.delete("/v1/people/zoe", headers=bearer(keys.add("shop"))).raise_for_status(),
        lambda: Guests(small).forget("tab", "zoe"),
        lambda: (small.close(), run("people", "forget", "zoe", "--yes", "--workspace", str(small.settings.home))),
    ):
        keys.add("phone", "zoe")
        forget()
        assert [key.name for key in keys.all()] == ["shop"]


def test_to_be_forgotten_at_the_page_ends_what_programs_do_for_the_person(small, keys):
    talks = Talks(small)
    talk = talks.begin(Caller("phone", "zoe"), "zoe")
    last(Guests(small).get("tab", "zoe").answer("something funny"))
    keys.add("phone", "zoe")
    Guests(small, talks=talks).forget("tab", "zoe")
    assert keys.all() == [] and len(talks) == 0 and talk._dropped.is_set()


# -- without a key


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "vouchrec.example"},  # a name that leads here: how a page of another site would get at it
        {"Host": "localhost.example:7860"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"X-Forwarded-For": "203.0.113.9"},  # through a proxy of this machine, from elsewhere
    ],
)
def test_without_a_key_only_programs_of_this_machine_are_served(http, headers):
    said = problem(http.get("/v1/models", headers=headers), 403, "forbidden")
    assert "vouchrec keys add" in said["detail"]
    assert http.get("/healthz", headers=headers).status_code == 200


def test_without_a_key_a_page_of_this_machine_is_served(http):
    for headers in ({"Host": "localhost:1"}, {"Origin": "http://127.0.0.1:7860"}, {"Host": "[::1]:7860"}):
        assert http.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "local"])
def test_addresses_of_this_machine(address):
    assert _is_loopback(address)


@given(st.ip_addresses())
def test_no_other_address_counts_as_this_machine(address):
    local = address.is_loopback or (address.version == 6 and (address.ipv4_mapped or address).is_loopback)
    assert _is_loopback(str(address)) == local


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_caller_speaks_for_nobody_else(person, other):
    caller = Caller("key", person)
    assert caller.speaking_for(None) == caller.speaking_for(person) == person
    if other != person:
        with pytest.raises(Problem):
            caller.speaking_for(other)
    assert Caller("key").speaking_for(other) == other


# -- rates


def test_a_caller_gets_as_many_as_said_and_then_some_with_time():
    now = [0.0]
    rates = Rates(6, clock=lambda: now[0])
    assert [rates.wait("a") for _ in range(7)] == [0] * 6 + [10]
    assert rates.wait("b") == 0  # another is not slowed by it
    now[0] = 10.0
    assert [rates.wait("a"), rates.wait("a")] == [0, 10]
    now[0] = 1000.0
    assert [rates.wait("a") for _ in range(7)] == [0] * 6 + [10]
    assert all(Rates(0).wait("a") == 0 for _ in range(100))


@example(pauses=[4.892792271754977, 0.0], rate=1)  # refilled in two parts, whose sum is a little less than one token
@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 30))
def test_never_more_than_the_rate_and_the_wait_is_enough(pauses, rate):
    now, granted = [0.0], 0
    rates = Rates(rate, clock=lambda: now[0])
    for pause in pauses:
        now[0] += pause
        wait = rates.wait("a")
        granted += wait == 0
        if wait:
            now[0] += wait
            assert rates.wait("a") == 0
            granted += 1
    assert granted <= rate + now[0] * rate / 60 + 1e-6


def test_too_many_requests_are_told_when_to_come_again(small, keys):
    with served(build_api(small, per_minute=2), port=0) as url, httpx.Client(base_url=url, timeout=SOON) as http:
        assert [http.get("/v1/models").status_code for _ in range(3)] == [200, 200, 429]
        answer = http.get("/v1/models")
        problem(answer, 429, "rate")
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert http.get("/healthz").status_code == 200
        secret = keys.add("shop")  # a key has a rate of its own, and guesses at one are counted by address
        assert [http.get("/v1/models", headers=bearer(secret)).status_code for _ in range(3)] == [200, 200, 429]
        problem(http.get("/v1/models", headers=bearer("vr_guess")), 429, "rate")


# -- the commands


def test_the_commands_add_list_and_remove(small, keys):
    home = str(small.settings.home)
    assert "There is no key" in run("keys", "list", "--workspace", home).stdout
    added = run("keys", "add", "phone", "--person", "p1", "--workspace", home)
    secret = added.stdout.strip()
    assert keys.find(secret).person == "p1" and "not shown again" in added.stderr
    listed = run("keys", "list", "--workspace", home).stdout
    assert "phone" in listed and "p1" in listed and secret not in listed and json.loads(keys.path.read_text())
    again = run("keys", "add", "phone", "--workspace", home)
    assert again.exit_code == 2 and "already" in again.stderr
    assert "Removed: phone" in run("keys", "remove", "phone", "--workspace", home).stdout
    assert run("keys", "remove", "phone", "--workspace", home).exit_code == 2


def test_a_key_needs_a_workspace(tmp_path):
    assert "vouchrec init" in run("keys", "add", "x", "--workspace", str(tmp_path / "none")).stderr


def test_forgetting_a_person_in_the_terminal_removes_their_key(small, keys):
    keys.add("phone", "p1")
    keys.add("shop")
    home = str(small.settings.home)
    small.close()
    told = run("people", "forget", "p1", "--yes", "--workspace", home)
    assert told.exit_code == 0 and "keys 1" in told.stdout
    assert [key.name for key in keys.all()] == ["shop"]
