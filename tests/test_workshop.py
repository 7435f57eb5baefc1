"""The workshop without a browser: the gate, edits, what a prompt does to a person's list, versions, blind rounds."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from conftest import SOON, open_small
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from test_cli import run

import prompts
from agent.errors import AdapterError, InputError, PromptError
from agent.generation.fake import FakeGenerator
from agent.generation.measured import Measured
from agent.generation.prompting import PromptSet
from agent.schema import Item
from agent.settings import load_settings
from agent.trial import Trial, generator_with
from ui.desk import Desk
from ui.workshop import parts
from ui.workshop.bench import Bench
from ui.workshop.contest import AS_SERVED, Contest
from ui.workshop.drafts import Problem
from ui.workshop.gate import COOKIE, Gate, WorkshopRoute, only_here

ROOT = Path(__file__).parents[1]
REQUEST = "something tense but funny, from the 90s"
HERE = ("127.0.0.1", 50000)


class Backwards(FakeGenerator):
    """Likes what the other fake does not."""

    name, adapter = "backwards", "back"
    measured = Measured(5.0)

    def score(self, prefix, titles):
        told = super().score(prefix, titles)
        return type(told)(-told.total - 20, told.tokens)


@pytest.fixture
def bench(small):
    return Bench(small, Desk())


@pytest.fixture
def served(bench):
    return bench.chosen("recommend")


def edited(bench, chosen, name="rank", old="recommend {{ noun }}s.", new="recommend {{ noun }}s. Be bold."):
    text = bench.drafts.text(chosen, name)
    assert old in text
    bench.drafts.put(chosen, name, text.replace(old, new))


def last(steps):
    return list(steps)[-1]


# -- the gate


def gated(client=HERE, opened=lambda: None):
    inside = Route("/workshop/{rest:path}", lambda r: PlainTextResponse("in"), methods=["GET", "POST"])
    gate = Gate(Starlette(routes=[inside]), opened)
    app = Starlette(routes=[WorkshopRoute(gate), Route("/{rest:path}", lambda r: PlainTextResponse("chat"))])
    return gate, TestClient(app, base_url="http://127.0.0.1:7860", client=client, follow_redirects=False)


@pytest.mark.parametrize("path", ["/workshop", "/workshop/", "/workshop/config", "/workshop/gradio_api/queue/join"])
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%ff", "?token=é&token=x"])
def test_nobody_gets_in_without_the_token(path, query):
    opened = []
    _, client = gated(opened=lambda: opened.append(1))
    forged = {"Cookie": f"{COOKIE}=x"}
    for answer in (client.get(path + query), client.post(path + query), client.get(path, headers=forged)):
        assert answer.status_code == 403 and answer.text != "in" and "set-cookie" not in answer.headers
    assert not opened


def test_the_token_becomes_a_cookie_and_leaves_the_address():
    opened = []
    gate, client = gated(opened=lambda: opened.append(1))
    answer = client.get(gate.address)
    assert answer.status_code == 303 and answer.headers["location"] == "/workshop/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/workshop" in cookie
    assert gate.token not in cookie
    assert client.get("/workshop/").text == "in" and client.get("/workshop/config").text == "in"
    assert client.get("/workshop").headers["location"] == "/workshop/"
    assert opened == [1]
    assert client.get("/").text == "chat" and client.get("/workshopping").text == "chat"


@pytest.mark.parametrize("foreign", ['prefs={"a":1}', "a[b]=1", "c=one two", "bare"])
def test_a_cookie_of_another_program_of_this_machine_does_not_lock_the_owner_out(foreign):
    gate, client = gated()
    own = client.get(gate.address).headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    assert client.get("/workshop/", headers={"Cookie": f"{foreign}; {own}"}).text == "in"


def test_another_site_and_another_machine_stay_out():
    gate, client = gated()
    client.get(gate.address)
    assert client.post("/workshop/x", headers={"Origin": "http://127.0.0.1:9"}).status_code == 403
    assert client.post("/workshop/x", headers={"Origin": "null"}).status_code == 403
    assert client.post("/workshop/x", headers={"Origin": "http://127.0.0.1:7860"}).text == "in"
    assert client.post("/workshop/x", headers={"Content-Length": "4000001"}).status_code == 413
    assert client.post("/workshop/x", headers={"Content-Length": "-1"}).status_code == 413
    for address in ("192.168.0.7", "::ffff:192.168.0.7", "nowhere"):
        far, elsewhere = gated((address, 1))
        assert elsewhere.get(far.address).status_code == 403
    near, mapped = gated(("::ffff:127.0.0.1", 1))
    assert mapped.get(near.address).status_code == 303


def test_each_start_has_a_token_of_its_own():
    assert len({Gate(Starlette()).token for _ in range(20)}) == 20


def test_it_does_not_start_where_others_can_come(tmp_path):
    for host in ("0.0.0.0", "::", "192.168.0.7"):
        with pytest.raises(InputError, match="ssh -L"):
            only_here(host)
        refused = run("serve", "--workshop", "--host", host, "-w", str(tmp_path))
        assert refused.exit_code == 2 and "ssh -L" in refused.stderr
    refused = run("serve", "--workshop", "--api-only", "-w", str(tmp_path))
    assert refused.exit_code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="sends Ctrl-C to another process")
def test_serving_with_it_prints_an_address_that_opens_it(tmp_path):
    code = (
        # A shell starts background jobs deaf to Ctrl-C, and tests may run in one.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]; from pathlib import Path\n"
        f"from conftest import SOON, open_small; from ui.front import serve; from ui.terminal import Terminal\n"
        f"terminal = Terminal(opener=lambda *_: open_small(Path({str(tmp_path / 'w')!r})))\n"
        "serve(port=0, terminal=terminal, with_workshop=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            chat, workshop = server.stdout.readline(), server.stdout.readline()
            assert "Ctrl-C" in chat and "workshop" not in chat
            (address,) = re.findall(r"http://127\.0\.0\.1:\d+/workshop/\?token=\S+", workshop)
            with httpx.Client(follow_redirects=True, timeout=SOON) as client:
                assert client.get(address.partition("?")[0]).status_code == 403
                assert client.get(address.partition("/workshop")[0]).status_code == 200
                opened = client.get(address)
                assert opened.status_code == 200 and "Vouchrec prompt workshop" in opened.text
                assert "token" not in str(opened.url)
            server.send_signal(signal.SIGINT)
            _, err = server.communicate(timeout=SOON)
        finally:
            server.kill()
    assert (server.returncode, err.strip()) == (0, "Stopped.")


# -- trials


def test_a_trial_answers_as_the_agent_and_keeps_nothing(small):
    before = small.workspace.store.count_turns()
    tried = Trial(small).recommend("p1", intent=REQUEST)
    assert small.workspace.store.count_turns() == before
    own = small.recommend("p1", intent=REQUEST)
    assert [r.item.item_id for r in tried.recommendations] == [r.item.item_id for r in own.recommendations]
    assert [r.justification for r in tried.recommendations] == [r.justification for r in own.recommendations]
    assert small.workspace.store.count_turns() == before + 1


def test_a_trial_has_a_model_of_its_own(small):
    model = Backwards()
    tried = Trial(small, generator=model).recommend("p1", n=5)
    own = small.recommend("p1", n=5)
    assert (tried.model, tried.adapter, own.model) == ("backwards", "back", "fake")
    assert [c.item.item_id for c in tried.candidates] != [c.item.item_id for c in own.candidates]
    assert small.generator.name == "fake" and small.recommend("p1", n=5).candidates == own.candidates


def test_rank_is_rendered_as_a_turn_renders_it(small):
    seen = []

    class Watched(FakeGenerator):
        def read(self, messages, items=None, history=None):
            seen.append(messages)
            return super().read(messages, items, history)

    Trial(small, generator=Watched()).recommend("p1", intent=REQUEST, n=1)
    rendered = Trial(small).rendered("rank", "p1", REQUEST)
    assert rendered.messages == seen[0] and rendered.tokens == rendered.added == FakeGenerator().count(seen[0])


def test_justify_is_rendered_for_a_real_item_with_its_facts(small):
    rendered = Trial(small).rendered("justify", "p1", REQUEST)
    assert rendered.about is not None and rendered.messages[0].content == rendered.about.title
    assert "as you asked" in rendered.messages[1].content or "- It" in rendered.messages[1].content
    assert 0 < rendered.added < rendered.tokens and not rendered.sampled


def test_intent_is_rendered_with_the_catalogue_and_the_request(small):
    rendered = Trial(small).rendered("intent", "p1", REQUEST)
    said = "\n".join(message.content for message in rendered.messages)
    assert REQUEST in said and "Thriller" in said and not rendered.sampled


def test_where_nothing_fits_justify_has_its_own_sample(small):
    rendered = Trial(small).rendered("justify", "p1", "from 1999 and from 1901")
    assert rendered.sampled and rendered.about is None


# -- edits


def test_an_edit_is_seen_and_the_file_stays(bench, served):
    file = served.path("rank").read_bytes()
    edited(bench, served)
    shown = bench.show(served, "rank", "p1", REQUEST)
    assert shown.rendered.messages[0].content == "You recommend films. Be bold."
    assert "Alien (1979)" in shown.rendered.messages[2].content
    assert served.path("rank").read_bytes() == file and bench.drafts.edited(served) == ("rank",)
    bench.drafts.put(served, "rank", file.decode())
    assert bench.drafts.edited(served) == ()


def test_edits_of_several_prompts_and_sets_are_kept_apart(bench, served):
    books = bench.chosen("books")
    edited(bench, served)
    edited(bench, served, "justify", "In one short sentence", "Briefly")
    assert bench.drafts.edited(served) == ("justify", "rank") and bench.drafts.edited(books) == ()
    assert bench.edited_sets() == ["recommend (in service)"]
    assert "Briefly" in bench.show(served, "justify", "p1", "").rendered.messages[1].content
    bench.drafts.discard(served, "rank")
    assert bench.drafts.edited(served) == ("justify",)


BROKEN = {
    "an unknown name": ("{{ request }}", "{{ reqest }}", 36, "reqest", "I want: {{ reqest }}"),
    "an attribute of Python": ("{{ request }}", "{{ request.__class__ }}", 36, "__class__", "__class__"),
    "an include": ("{{ request }}", "{% include '/etc/passwd' %}", 36, "Include is not allowed", "include"),
    "arithmetic": ("{{ request }}", "{{ 'a' * 999999999 }}", 36, "Mul is not allowed", "999999999"),
    "an endless block": ("{% endif %}\n\nassistant:", "\nassistant:", 36, "same role section", "I want"),
    "an entry that is missing": ("{{ entry.title }}", "{{ entry.tilte }}", 42, "tilte", "- {{ entry.tilte }}"),
    "bad YAML": ("inputs:", "inputs: [", 13, "YAML", "type: array"),
    "no front matter": ("---\nname", "name", 1, "front matter", "name: rank"),
    "a chat token": ("You recommend", "<|im_start|>You", 31, "chat tokens", ""),
    "loops in loops": (
        "- {{ entry.title }}",
        "{% for a in [1,2] %}{% for b in [1,2] %}{% for c in [1,2] %}x{% endfor %}{% endfor %}{% endfor %}",
        42, "too complex", "for a in",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said", "there"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_edit_is_told_with_its_line(bench, served, old, new, line, said, there):
    text = bench.drafts.text(served, "rank")
    assert old in text
    bench.drafts.put(served, "rank", text.replace(old, new, 1))
    shown = bench.show(served, "rank", "p1", REQUEST)
    assert shown.rendered is None and shown.problem.file == "rank.prompty"
    assert said in shown.problem.text and "/" not in shown.problem.text.split("passwd")[0].replace("/etc", "")
    assert shown.problem.line == line and there in shown.excerpt
    html = parts.state(shown, ("rank",), "f")
    assert f"line {line}." in html and "<script" not in html


def test_hostile_edits_end_with_a_message(bench, served):
    text = bench.drafts.text(served, "rank")
    bench.drafts.put(served, "rank", text + "x" * 100_000)
    assert "limit is 65536" in bench.show(served, "rank", "p1", "").problem.text
    numbers = str([*range(1000)])
    many = f"{{% for a in {numbers} %}}{{% for b in {numbers} %}}{{% endfor %}}{{% endfor %}}"
    bench.drafts.put(served, "rank", text.replace("You recommend", many, 1))
    assert bench.show(served, "rank", "p1", "").problem is not None
    bench.drafts.put(served, "rank", "")
    assert "front matter" in bench.show(served, "rank", "p1", "").problem.text
    bench.drafts.put(served, "rank", text.replace("You recommend", "\ud800", 1))
    assert bench.show(served, "rank", "p1", "").rendered is not None


def test_a_problem_that_names_no_line_is_told_as_it_is():
    assert Problem.of(InputError("The message is too long.")) == Problem("The message is too long.")
    assert Problem.of(PromptError("/a b/rank.prompty:7: it\nis")) == Problem("it\nis", "rank.prompty", 7)


def test_nothing_of_a_prompt_or_an_item_becomes_html(tmp_path):
    hostile = "<img src=x onerror=alert(1)>"
    with open_small(tmp_path / "w") as agent:
        agent.workspace.store.put_items([Item("h", f"{hostile} (1995)", "tense funny", {"year": 1995})])
        agent.update_items([Item("4", f"{hostile} (1996)", "tense and funny", {"year": 1996, "genres": ("<b>",)})])
        bench = Bench(agent, Desk())
        chosen = bench.chosen("recommend")
        edited(bench, chosen, new=f"recommend {hostile} {{{{ noun }}}}s.")
        shown = bench.show(chosen, "rank", "p1", hostile)
        old, new = last(bench.compare(chosen, "p1", REQUEST))
        met = Contest(bench).begin(AS_SERVED, "edited prompts recommend (in service)", "p1", REQUEST)
        rows = bench.check(chosen)
        html = "".join(
            [
                parts.rendered(shown, hostile), parts.state(shown, (hostile,), hostile), parts.lists(old, new),
                parts.blind(met), parts.revealed(met.sides, "tie"), parts.tests(rows), parts.note(hostile),
                parts.diff(bench.changes(chosen)), parts.problem(Problem(hostile, hostile, 1), hostile),
            ]
        )  # fmt: skip
    assert hostile.replace("<", "&lt;").replace(">", "&gt;") in html and "<img" not in html and "<b>&lt;b" not in html


# -- tests and lists


def test_its_tests_run_on_the_edit(bench, served):
    assert all(row.ok for row in bench.check(served))
    edited(bench, served, old="I want: ", new="")
    wrong = [row for row in bench.check(served) if not row.ok]
    assert wrong and all(row.name.startswith("rank") for row in wrong)
    html = parts.tests(wrong)
    assert "failed" in html and "lacks" in html


def test_lists_of_today_and_of_the_edit(bench, served):
    with pytest.raises(InputError, match="nothing to compare"):
        list(bench.compare(served, "p1", REQUEST))
    edited(bench, served, old="- {{ entry.title }}", new="- Hamlet Hamlet {{ entry.title }}")
    steps = list(bench.compare(served, "p1", ""))
    old, new = steps[-1]
    assert len(steps[0][0].recommendations) == len(steps[0][1].recommendations) == 5  # lists before reasons
    assert not any(r.justification for r in steps[0][0].recommendations)
    assert old.complete and new.complete and old.prompt != new.prompt
    assert bench.desk.open_turns == 0 and bench.agent.workspace.store.count_turns() == 0


def test_what_moved_is_told(bench, small):
    old, new = Trial(small).recommend("p0", n=5), Trial(small, generator=Backwards()).recommend("p0", n=5)
    before = [r.item.item_id for r in old.recommendations]
    after = [r.item.item_id for r in new.recommendations]
    assert before != after
    html = parts.lists(old, new)
    stay = [i for i in after if i in before]
    moved = [i for i in stay if before.index(i) != after.index(i)]
    assert f"{len(stay)} of 5 stay, {len(moved)} of them in another place." in html
    assert html.count(">new<") == html.count(">gone<") == 5 - len(stay)
    assert html.count("▲") + html.count("▼") == len(moved)
    assert "The same items in the same order." in parts.lists(old, old)


def test_whoever_chats_is_not_starved(bench, served, small):
    """While the workshop's reasons are written, a list for the chat is made between two of its steps."""
    edited(bench, served)
    steps = bench.compare(served, "p1", REQUEST)
    next(steps)
    chat = bench.desk.turn(lambda stop: small.stream("p2", intent=REQUEST, stop=stop), lambda: False)
    assert len(next(chat).recommendations) == 5
    assert last(steps)[1].complete and last(chat).complete


def test_a_run_that_is_stopped_ends(bench, served):
    edited(bench, served)
    stop = threading.Event()
    steps = bench.compare(served, "p1", REQUEST, stop.is_set)
    next(steps)
    stop.set()
    assert all(not (old.complete and new.complete) for old, new in steps)
    assert bench.desk.open_turns == 0


# -- versions


def test_a_version_is_saved_whole_and_never_again(bench, served):
    package = {file: file.read_bytes() for file in served.folder.parent.rglob("*") if file.is_file()}
    assert bench.next_name(served) == "recommend-2"
    with pytest.raises(InputError, match="Nothing was edited"):
        bench.save(served, "mine")
    edited(bench, served)
    folder = bench.save(served, bench.next_name(served))
    assert folder == bench.agent.settings.home / "prompts" / "recommend-2"
    saved = PromptSet(folder)
    assert "Be bold." in saved.get("rank").body and all(row.ok for row in saved.check())
    assert saved.get("justify").path.parent == folder and (folder / "rank.cases.yaml").exists()
    assert bench.drafts.edited(served) == () and bench.next_name(served) == "recommend-3"
    assert bench.sets()["recommend-2"] == str(folder)
    edited(bench, served)
    with pytest.raises(InputError, match="already"):
        bench.save(served, "recommend-2")
    assert bench.drafts.edited(served) == ("rank",)
    assert {file: file.read_bytes() for file in served.folder.parent.rglob("*") if file.is_file()} == package
    assert [path.name for path in bench.home.iterdir()] == ["recommend-2"]


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "/tmp/x", "films", "x" * 65, "a b"])
def test_a_version_goes_nowhere_else(bench, served, name):
    edited(bench, served)
    with pytest.raises(InputError):
        bench.save(served, name)
    assert not bench.home.exists() or not list(bench.home.iterdir())


def test_what_cannot_be_read_is_not_saved(bench, served):
    edited(bench, served, new="{{ oops }}")
    with pytest.raises(PromptError, match="oops"):
        bench.save(served, "mine")
    assert not (bench.home / "mine").exists() and bench.drafts.edited(served) == ("rank",)


def test_versions_of_versions_rest_on_nothing(bench):
    chosen = bench.chosen("books")
    for turn in range(7):
        edited(bench, chosen, "justify", "In one short", f"{turn} In one short")
        chosen = bench.chosen(str(bench.save(chosen, bench.next_name(chosen))))
    assert chosen.folder.name == "books-8" and chosen.noun == "book" and all(row.ok for row in chosen.check())


def test_a_version_is_put_in_service_as_the_command_does(bench, served):
    home = bench.agent.settings.home
    edited(bench, served)
    with pytest.raises(InputError, match="not saved"):
        bench.use("recommend")
    folder = bench.save(served, "mine")
    assert "mine serves from the next start on" in bench.use(str(folder))
    assert load_settings(home).prompts == str(folder)
    assert run("prompts", "check", "--set", str(folder)).exit_code == 0


def test_a_version_whose_case_fails_does_not_serve(bench, served):
    edited(bench, served, old="I want: ", new="")
    folder = bench.save(served, "mine")
    with pytest.raises(InputError, match="cannot serve"):
        bench.use(str(folder))


def test_only_sets_of_the_menu_are_opened(bench, tmp_path):
    other = shutil.copytree(prompts.locate("recommend"), tmp_path / "other")
    for spec in (str(other), "../recommend", "", "nothing"):
        with pytest.raises(InputError, match="menu"):
            bench.chosen(spec)


def test_people_are_found_by_a_part_of_their_id(bench):
    assert bench.people("p1")[:2] == ["p1", "p10"] and bench.people("1")[0] == "p1"
    assert bench.people("%") == [] and len(bench.people()) == 12
    assert "Aliens (1986), Alien (1979)" in bench.person("p1")
    assert "new" in bench.person(None) and "Nothing is stored" in bench.person("nobody")
    assert "Ids with that part: p1, p10, p11." in bench.person("1")


# -- blind rounds


@pytest.fixture
def contest(bench, served):
    edited(bench, served, old="- {{ entry.title }}", new="- Hamlet {{ entry.title }}")
    return Contest(bench)


MINE = "edited prompts recommend (in service)"


def test_contenders_are_what_there_is(contest, bench):
    there = contest.contenders()
    assert there[:2] == [AS_SERVED, MINE] and "prompts zh" in there and "prompts recommend" not in there
    bench.drafts.discard(bench.chosen("recommend"))
    assert MINE not in contest.contenders()
    with pytest.raises(InputError, match="no contender"):
        contest.begin(AS_SERVED, MINE, None, REQUEST)


def test_which_stands_left_is_chance_and_the_page_does_not_tell(contest):
    left = set()
    for _ in range(30):
        met = contest.begin(AS_SERVED, MINE, "p1", REQUEST)
        left.add(met.names[0])
        html = parts.blind(met)
        for told in (*met.names, met.replies[0].prompt, met.replies[1].prompt, met.vote_id):
            assert parts.text(told) not in html
        assert html.count("<h4>A</h4>") == html.count("<h4>B</h4>") == 1
    assert left == {AS_SERVED, MINE}


def test_a_vote_names_who_stood_where(bench):
    contest = Contest(bench, load=lambda agent, adapter: Backwards())
    (bench.agent.settings.home / "adapters" / "back").mkdir(parents=True)
    (bench.agent.settings.home / "adapters" / "back" / "manifest.json").write_text("{}")
    assert "adapter back" in contest.contenders()
    met = contest.begin("adapter back", AS_SERVED, "p0", "")
    assert not met.is_same
    vote = contest.vote(met, "left")
    stored = bench.agent.workspace.store.votes("p0")
    assert stored == [vote] and (stored[0].left.name, stored[0].right.name) == met.names
    winner = stored[0].left
    assert winner.adapter == ("back" if met.names[0] == "adapter back" else None)
    assert winner.items == tuple(r.item.item_id for r in met.replies[0].recommendations)
    assert contest.standings()[0].first.key == winner.key
    with pytest.raises(InputError, match="voted on already"):
        contest.vote(met, "right")
    assert parts.VERDICTS["left"] in parts.revealed(met.sides, "left")


def test_neither_of_two_equal_answers_is_better(contest, bench, served):
    bench.drafts.discard(served)
    edited(bench, served, "justify", "In one short sentence", "Briefly")
    met = contest.begin(AS_SERVED, MINE, "p1", REQUEST)
    assert met.is_same and "the same list" in parts.blind(met)
    with pytest.raises(InputError, match="neither is better"):
        contest.vote(met, "left")
    assert contest.vote(met, "tie").verdict == "tie"


def test_two_names_of_the_same_are_no_comparison(contest, bench, served):
    folder = bench.save(served, "mine")
    shutil.copytree(folder, bench.home / "again")
    with pytest.raises(InputError, match="two different"):
        contest.begin(AS_SERVED, AS_SERVED, None, REQUEST)
    with pytest.raises(InputError, match="the same model with the same prompts"):
        contest.begin("prompts mine", "prompts again", None, REQUEST)


def test_a_round_that_is_stopped_is_none(contest):
    assert contest.begin(AS_SERVED, MINE, None, REQUEST, lambda: True) is None


def test_models_that_were_not_asked_for_lately_are_let_go(bench):
    loaded = []

    def load(agent, adapter):
        loaded.append(adapter)
        return Backwards()

    contest = Contest(bench, load)
    for adapter in ("a", "b", "a", "c", "a", "b"):
        contest._models.get(adapter)
    assert loaded == ["a", "b", "c", "b"]


def test_an_adapter_that_is_not_there_is_refused(small):
    with pytest.raises(AdapterError, match="nothing"):
        generator_with(small, "nothing")


def test_votes_of_an_empty_workspace_are_told(contest):
    assert "No votes yet" in parts.standings(contest.standings())
