"""The service over real HTTP: every route, what it answers, and what it says when it cannot."""

import json

import httpx
import pytest
from conftest import SOON, open_small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import AssetError, WorkspaceError
from agent.generation.fake import FakeGenerator
from agent.schema import Item
from agent.wire import reply_from_json
from ui.api.app import build_api
from ui.api.serving import served

GUARDED = [
    ("POST", "/v1/recommend"), ("POST", "/v1/recommend/stream"), ("POST", "/v1/conversations"),
    ("POST", "/v1/conversations/x/say"), ("POST", "/v1/conversations/x/say/stream"),
    ("POST", "/v1/conversations/x/feedback"), ("DELETE", "/v1/conversations/x"), ("POST", "/v1/feedback"),
    ("DELETE", "/v1/feedback"), ("GET", "/v1/conversations"),
    ("GET", "/v1/people/p1"), ("DELETE", "/v1/people/p1"), ("GET", "/v1/items/1"), ("POST", "/v1/items"),
    ("PUT", "/v1/items/1"), ("DELETE", "/v1/items/1"), ("POST", "/v1/explain"), ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"), ("GET", "/metrics"),
]  # fmt: skip


@pytest.fixture
def http(small):
    with served(build_api(small, per_minute=0), port=0) as url, httpx.Client(base_url=url, timeout=SOON) as client:
        yield client


def problem(answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["type"]) == (status, f"urn:vouchrec:{slug}")
    assert body["title"] and body["detail"]
    return body


def events(text):
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


# -- recommend


def test_a_list_is_the_one_that_the_agent_gives(http, small):
    asked = {"history": ["Alien (1979)"], "intent": "a comedy or a drama", "n": 3, "where": {"year": {">=": 1990}}}
    answer = http.post("/v1/recommend", json=asked)
    assert answer.status_code == 200
    reply = reply_from_json(answer.content)
    own = small.recommend(**asked)
    assert reply.recommendations == own.recommendations and reply.intent == own.intent
    assert reply.complete and reply.recommendations and all(r.verified for r in reply.recommendations)
    assert "candidates" not in answer.json()


def test_conditions_and_intents_may_come_as_objects(http):
    intent = {"text": "x", "filters": [{"attribute": "genres", "op": "in", "value": ["Crime"]}], "habit": 1.0}
    where = [{"attribute": "year", "op": ">", "value": 1995}]
    listed = http.post("/v1/recommend", json={"intent": intent, "where": where, "strategy": "generate"}).json()
    assert [r["item"]["title"] for r in listed["recommendations"]] == ["Fargo (1996)"]


def test_a_stream_gives_the_list_then_each_reason_then_all(http):
    answer = http.post("/v1/recommend/stream", json={"user_id": "p1", "n": 3})
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in events(answer.text)]
    assert names == ["list", "reason", "reason", "reason", "done"]
    (_, first), *reasons, (_, done) = events(answer.text)
    assert not any(r["justification"] for r in first["recommendations"]) and not first["complete"]
    assert sorted((r for _, r in reasons), key=lambda r: r["rank"]) == done["recommendations"] and done["complete"]


def test_nothing_that_fits_is_an_answer(http):
    asked = {"where": {"year": {">": 2050}}}
    reply = http.post("/v1/recommend", json=asked).json()
    assert not reply["recommendations"] and reply["message"]
    assert [name for name, _ in events(http.post("/v1/recommend/stream", json=asked).text)] == ["list", "done"]


@pytest.mark.parametrize("path", ["/v1/recommend", "/v1/recommend/stream"])
def test_what_the_agent_refuses_is_told_with_its_words(http, path):
    said = problem(http.post(path, json={"history": ["Alein"]}), 404, "unknown-item")
    assert said["given"] == "Alein" and "Alien (1979)" in said["nearest"] and "Alien (1979)" in said["detail"]
    assert "year (number)" in problem(http.post(path, json={"where": {"colour": 1}}), 422, "filter")["detail"]
    assert "2,000" in problem(http.post(path, json={"intent": "x" * 3000}), 422, "input")["detail"]
    assert "from 1 to 50" in problem(http.post(path, json={"n": 51}), 422, "input")["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"n": 0}, "n: Input should be greater than or equal to 1, got 0"),
        ({"colour": 1}, "colour: Extra inputs are not permitted"),
        ({"history": "Alien"}, "history: Input should be a valid list, got 'Alien'"),
        ({"strategy": "guess"}, "'score' or 'generate'"),
        ({"seed": 2**70}, "seed:"),
        ([], "the body:"),
        (None, "the body:"),
    ],
)
def test_a_body_that_does_not_fit_is_told_where(http, body, says):
    assert says in problem(http.post("/v1/recommend", json=body), 422, "invalid")["detail"]


def test_a_body_that_is_no_json_is_told(http):
    typed = {"Content-Type": "application/json"}
    problem(http.post("/v1/recommend", content=b'{"n": ', headers=typed), 400, "malformed")
    problem(http.post("/v1/recommend", content=b"\xff\xfe{", headers=typed), 400, "malformed")
    said = problem(http.post("/v1/recommend", content=b"{}", headers={"Content-Type": "text/plain"}), 422, "invalid")
    assert "application/json" in said["detail"]
    problem(http.post("/v1/recommend", content=b'{"intent": "\\ud800"}', headers=typed), 422, "invalid")
    problem(http.post("/v1/recommend", content=b'{"where": {"year": NaN}}', headers=typed), 422, "invalid")
    problem(http.post("/v1/recommend", content=b"[" * 100_000, headers=typed), 400, "malformed")


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(http):
    large = b'{"intent": "' + b"x" * 1_100_000 + b'"}'
    problem(http.post("/v1/recommend", content=large), 413, "too-large")
    problem(
        http.post("/v1/recommend", content=(large[i : i + 9999] for i in range(0, len(large), 9999))), 413, "too-large"
    )


# -- conversations


def test_a_conversation_goes_on_and_ends(http):
    begun = http.post("/v1/conversations", json={})
    assert begun.status_code == 201 and begun.json()["user_id"].startswith("guest-")
    path = f"/v1/conversations/{begun.json()['conversation_id']}"
    first = http.post(f"{path}/say", json={"text": "a crime film", "n": 2}).json()
    assert http.post(f"{path}/feedback", json={"item_id": "6", "event": "like"}).json()["event"] == "like"
    second = events(http.post(f"{path}/say/stream", json={"text": "newer than 1990"}).text)[-1][1]
    shown = {r["item"]["item_id"] for r in first["recommendations"]}
    assert shown and not shown & {r["item"]["item_id"] for r in second["recommendations"]}
    assert {f["attribute"] for f in second["intent"]["filters"]} == {"genres", "year"}
    assert http.delete(path).status_code == 204
    problem(http.post(f"{path}/say", json={"text": "more"}), 404, "not-found")
    problem(http.delete(path), 404, "not-found")


def test_an_empty_first_message_is_refused_and_the_conversation_goes_on(http):
    path = f"/v1/conversations/{http.post('/v1/conversations', json={}).json()['conversation_id']}"
    problem(http.post(f"{path}/say", json={"text": " "}), 422, "input")
    assert http.post(f"{path}/say", json={"text": "a comedy"}).json()["recommendations"]


def test_conversations_make_room_for_new_ones(small):
    api = build_api(small, per_minute=0)
    api.state.service.talks._most = 2
    with served(api, port=0) as url, httpx.Client(base_url=url, timeout=SOON) as http:
        ids = [http.post("/v1/conversations", json={}).json()["conversation_id"] for _ in range(3)]
        assert http.delete(f"/v1/conversations/{ids[2]}").status_code == 204
        problem(http.delete(f"/v1/conversations/{ids[0]}"), 404, "not-found")


# -- what is kept


def test_feedback_moves_the_next_list(http):
    first = http.post("/v1/recommend", json={"user_id": "p1", "n": 1}).json()
    liked = first["recommendations"][0]["item"]["item_id"]
    said = {"user_id": "p1", "item_id": liked, "event": "like", "turn_id": first["turn_id"]}
    kept = http.post("/v1/feedback", json=said).json()
    assert {name: kept[name] for name in said} == said
    again = http.post("/v1/recommend", json={"user_id": "p1", "n": 5}).json()
    assert liked not in [r["item"]["item_id"] for r in again["recommendations"]]
    problem(http.post("/v1/feedback", json={"user_id": "p1", "item_id": "99", "event": "like"}), 404, "unknown-item")
    problem(http.post("/v1/feedback", json={"item_id": "1", "event": "like"}), 422, "invalid")
    problem(http.post("/v1/feedback", json={"user_id": "p1", "item_id": "1", "event": "love"}), 422, "invalid")


def test_a_person_gets_all_of_theirs_and_is_forgotten(http, small):
    begun = http.post("/v1/conversations", json={"user_id": "p1"}).json()["conversation_id"]
    http.post("/v1/recommend", json={"user_id": "p1"})
    known = http.get("/v1/people/p1").json()
    assert known == small.known_of("p1") and len(known["turns"]) == 1
    gone = http.delete("/v1/people/p1").json()
    assert gone["removed"]["interactions"] == 3 and gone["keys"] == 0
    assert problem(http.get("/v1/people/p1"), 404, "unknown-person")["given"] == "p1"
    problem(http.delete("/v1/people/p1"), 404, "unknown-person")
    problem(http.post(f"/v1/conversations/{begun}/say", json={"text": "x"}), 404, "not-found")


def test_items_come_change_and_go_while_serving(http, small):
    assert http.get("/v1/items/1").json()["title"] == "Alien (1979)"
    problem(http.get("/v1/items/99"), 404, "unknown-item")
    body = {"title": "Dune (2021)", "text": "Sand.", "attributes": {"year": 2021, "genres": ["Sci-Fi"]}}
    assert http.post("/v1/items", json={"items": [{"item_id": "a/14", **body}]}).json() == {"items": 1}
    assert small.catalogue.get("a/14") == Item("a/14", "Dune (2021)", "Sand.", {"year": 2021, "genres": ("Sci-Fi",)})
    taken = problem(http.post("/v1/items", json={"items": [{"item_id": "a/14", **body}]}), 422, "input")
    assert "already" in taken["detail"]
    for item_id, title in (("a%2F14", "Dune (1984)"), ("15", "Tenet (2020)")):  # one replaced, one new
        assert http.put(f"/v1/items/{item_id}", json={**body, "title": title}).json() == {"items": 1}
    assert [small.catalogue.get(i).title for i in ("a/14", "15")] == ["Dune (1984)", "Tenet (2020)"]
    assert http.post("/v1/recommend", json={"where": {"year": 2021}, "n": 5}).json()["recommendations"]
    assert http.delete("/v1/items/a%2F14").json() == {"items": 1}
    problem(http.delete("/v1/items/a%2F14"), 404, "unknown-item")
    problem(http.post("/v1/items", json={"items": []}), 422, "invalid")


def test_an_explanation_is_of_a_turn_that_is_known(http):
    listed = http.post("/v1/recommend", json={"user_id": "p1"}).json()
    one = listed["recommendations"][0]
    asked = {"turn_id": listed["turn_id"], "item": one["item"]["title"]}
    told = http.post("/v1/explain", json=asked).json()
    assert told["item_id"] == one["item"]["item_id"] and told["turn_id"] == listed["turn_id"]
    problem(http.post("/v1/explain", json={**asked, "turn_id": "0"}), 404, "not-found")
    problem(http.post("/v1/explain", json={**asked, "item": "Nowhere"}), 404, "unknown-item")


def test_feedback_is_taken_back(http, small):
    said = {"user_id": "p9", "item_id": "4", "event": "dislike", "words": "too slow"}
    kept = http.post("/v1/feedback", json=said).json()
    assert kept["words"] == "too slow" and kept["timestamp"] > 0
    assert http.request("DELETE", "/v1/feedback", json=said).json() == {"undone": True}
    assert http.request("DELETE", "/v1/feedback", json=said).json() == {"undone": False}
    assert not small.workspace.store.feedback("p9")


# -- operations, and what goes wrong on our side


def test_the_service_says_how_it_is(http):
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready", "model": "fake"}
    http.post("/v1/recommend", json={"user_id": "p1"})
    text = http.get("/metrics").text
    assert 'vouchrec_requests_total{route="/v1/recommend",method="POST",status="200"} 1\n' in text
    assert 'vouchrec_turns_total{outcome="complete"} 1\n' in text and "vouchrec_answer_seconds_count 1\n" in text
    assert "vouchrec_items 13\n" in text and "p1" not in text


def test_what_is_not_there_is_told(http):
    problem(http.get("/v1/nothing"), 404, "not-found")
    answer = http.get("/v1/recommend")
    problem(answer, 405, "method")
    assert answer.headers["allow"] == "POST"
    assert http.post("/v1/items/1").headers["allow"] == "DELETE, GET, PUT"


def test_the_document_names_every_route_and_shows_an_example(http):
    document = http.get("/openapi.json").json()
    named = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert len(named) == len(GUARDED) + 2  # and the two that are open
    assert document["components"]["schemas"]["Asked"]["examples"]
    assert "candidates" not in document["components"]["schemas"]["Reply"]["properties"]
    for path, item in document["paths"].items():
        for operation in item.values():
            errors = [status for status in operation["responses"] if status[0] in "45"]
            assert errors or path in ("/healthz",)
            for status in errors:
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"]


class Broken(FakeGenerator):
    """Raises what it is told to while it ranks, or while it writes."""

    def __init__(self, error, while_writing=False):
        super().__init__()
        self.error, self.while_writing = error, while_writing

    def score(self, prefix, titles):
        if not self.while_writing:
            raise self.error
        return super().score(prefix, titles)

    def write(self, prefix, branches, *, seed=None):
        yield from list(super().write(prefix, branches, seed=seed))[:2]
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (WorkspaceError("/srv/private/store.sqlite is damaged"), 503, "workspace"),
        (AssetError("/srv/private/model cannot be had"), 503, "asset"),
        (RuntimeError("/srv/private/file.py line 7"), 500, "internal"),
    ],
)
def test_our_own_faults_leak_nothing(tmp_path, caplog, error, status, slug):
    with open_small(tmp_path / "w", Broken(error)) as agent, served(build_api(agent), port=0) as url:
        for path in ("/v1/recommend", "/v1/recommend/stream"):
            said = problem(httpx.post(f"{url}{path}", json={"user_id": "p1"}, timeout=SOON), status, slug)
            assert "private" not in str(said) and "Traceback" not in str(said)
    assert "private" in caplog.text  # the log of the service has it


def test_a_stream_that_fails_in_the_middle_says_so(tmp_path):
    broken = Broken(RuntimeError("/srv/private"), while_writing=True)
    with open_small(tmp_path / "w", broken) as agent, served(build_api(agent), port=0) as url:
        *_, (name, said) = events(httpx.post(f"{url}/v1/recommend/stream", json={"user_id": "p1"}, timeout=SOON).text)
        assert (name, said["type"]) == ("problem", "urn:vouchrec:internal") and "private" not in str(said)
        problem(httpx.post(f"{url}/v1/recommend", json={"user_id": "p1"}, timeout=SOON), 500, "internal")


# -- whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["user_id", "history", "intent", "n", "where", "strategy", "seed", "excluded", "year", "text"])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=st.dictionaries(FIELDS, JSON | st.sampled_from(["p1", 3, ["1"], {"year": {">=": 1990}}]), max_size=4))
def test_no_body_brings_the_service_down(http, body):
    content = json.dumps(body).encode("ascii")
    answer = http.post("/v1/recommend", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 404, 422), (body, answer.text)
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
