import csv
import io
import json
import random
import time

import pytest
from conftest import open_small
from rich.console import Console
from test_behaviour import QUICK, SMALL
from test_cli import run
from typer.testing import CliRunner

from agent.errors import InputError, UnknownPersonError, WorkspaceError
from agent.schema import Feedback, Interaction, Item
from agent.stages import Stages
from agent.votes import Side, Vote
from agent.workspace.database import Database
from agent.workspace.encoder import HashEncoder
from agent.workspace.store import Store
from finetune.retrieval import tune
from ui.cli import app
from ui.terminal import Terminal

PERSON = "person-7f3a-unmistakable"
WORDS = "xylophones under moonlight"
SAID = "it hums like a zeppelin"
TRACES = (PERSON, WORDS, SAID, "Atlantis-of-the-test")


@pytest.fixture
def path(tmp_path):
    """A workspace in which somebody has a history, feedback, attributes and turns, and behaviour was trained."""
    with open_small(tmp_path / "w") as agent:
        store, ids = agent.workspace.store, agent.catalogue.ids
        store.put_interactions(Interaction(PERSON, ids[i], "rating", 5.0, float(i)) for i in range(4))
        store.put_person(PERSON, {"city": "Atlantis-of-the-test"})
        reply = agent.recommend(PERSON, intent=f"something with {WORDS}", n=2)
        agent.feedback(
            Feedback(PERSON, reply.recommendations[0].item.item_id, "like", reply.turn_id, None, time.time(), SAID)
        )
        side = Side.of(PERSON, reply)
        store.put_vote(Vote(f"v-{PERSON}", PERSON, WORDS, side, side, "tie", 100.0))
        agent.workspace.cache  # noqa: B018 - it is made
        tune(agent.workspace, HashEncoder(64), shape=SMALL, recipe=QUICK)
    return tmp_path / "w"


def reopened(path):
    from agent.agent import Agent
    from agent.generation.fake import FakeGenerator
    from agent.settings import load_settings
    from agent.workspace.workspace import Workspace

    return Agent(Workspace.open(path), load_settings(path), HashEncoder(64), FakeGenerator())


def files_with(path, *texts):
    return [
        (file.name, text)
        for file in path.rglob("*")
        if file.is_file()
        for text in texts
        for coded in (text.encode(), text.encode("utf-32-le"))  # numpy keeps ids four bytes a letter
        if coded in file.read_bytes()
    ]


def test_everything_is_told(path):
    with reopened(path) as agent:
        known = agent.known_of(PERSON)
        assert known["attributes"] == {"city": "Atlantis-of-the-test"}
        assert [row["title"] for row in known["history"]] == [agent.catalogue.items[i].title for i in range(4)]
        assert [row["event"] for row in known["feedback"]] == ["like"]
        assert len(known["turns"]) == 1 and WORDS in json.dumps(known["turns"][0])
        json.dumps(known, allow_nan=False)
        with pytest.raises(UnknownPersonError, match="letter by letter"):
            agent.known_of("nobody")


def test_what_is_forgotten_is_in_no_file(path):
    assert {text for _, text in files_with(path, *TRACES)} == set(TRACES)
    with reopened(path) as agent:
        assert files_with(path, PERSON)
        before = agent.serving.transitions.liked_both(0, 0)[1]
        counts = agent.forget(PERSON)
        kept = {"votes": 1, "conversations": 0, "shares": 0, "browsers": 0, "accounts": 0}
        assert counts == {"interactions": 4, "feedback": 1, "turns": 1, **kept, "users": 1}
        assert agent.serving.transitions.liked_both(0, 0)[1] == before - 1
        assert agent.lister.sources[0] is agent.serving.transitions
        assert files_with(path, *TRACES) == []
        assert "I know nothing of you yet" in agent.recommend(PERSON).message
        with pytest.raises(UnknownPersonError):
            agent.forget("nobody")
        assert agent.known_of("p1")["history"]


@pytest.mark.parametrize("talking", [False, True])
def test_an_answer_under_way_stores_nothing_of_whom_was_forgotten_meanwhile(path, talking):
    def asked(agent, user_id):
        words = f"{WORDS}, but funny"
        return agent.conversation(user_id).stream(words) if talking else agent.stream(user_id, intent=words)

    with reopened(path) as agent:
        mine, other = asked(agent, PERSON), asked(agent, "p2")
        next(mine), next(other)
        agent.forget(PERSON)
        assert list(mine)[-1].complete and list(other)
        assert files_with(path, PERSON) == [] and len(agent.workspace.store.turns("p2")) == 1
        with pytest.raises(UnknownPersonError):
            agent.known_of(PERSON)


@pytest.mark.parametrize("words", ["I've already seen Heat, something funny", "something from before 1900"])
def test_who_is_forgotten_before_there_is_a_list_stays_so(path, words, monkeypatch):
    with reopened(path) as agent:
        asked = Stages.query

        def query(stages, *given):
            monkeypatch.setattr(Stages, "query", asked)
            agent.forget(PERSON)
            return asked(stages, *given)

        monkeypatch.setattr(Stages, "query", query)
        assert agent.conversation(PERSON).say(words).complete
        assert files_with(path, PERSON) == []


def test_a_conversation_goes_on_after_its_person_is_forgotten_and_is_kept_no_more(path):
    with reopened(path) as agent:
        chat = agent.conversation(PERSON)
        chat.say(f"something with {WORDS}")
        agent.forget(PERSON)
        for words in ("something funny", "why the first?"):
            assert chat.say(words).recommendations
        list(chat.again(chat.intent))
        assert files_with(path, *TRACES) == [] and agent.conversations(PERSON) == []
        agent.conversation(PERSON).say("something funny")
        assert len(agent.conversations(PERSON)) == 1


def test_the_commands(path, tmp_path):
    shown = run("people", "show", PERSON, "-w", str(path)).stdout
    assert "city: Atlantis-of-the-test" in shown and "History: 4, the latest first" in shown and "Turns: 1" in shown
    written = run("people", "export", PERSON, "-w", str(path), "--out", str(tmp_path / "me.json"))
    assert written.exit_code == 0 and json.loads((tmp_path / "me.json").read_text())["user_id"] == PERSON
    assert json.loads(run("people", "export", PERSON, "-w", str(path)).stdout)["history"]
    screen = Terminal(out=Console(file=io.StringIO(), force_terminal=True, width=80))
    assert CliRunner().invoke(app, ["people", "export", PERSON, "-w", str(path)], obj=screen).exit_code == 0
    assert "4 of history" in screen.out.file.getvalue() and "Atlantis" not in screen.out.file.getvalue()
    assert run("people", "forget", PERSON, "-w", str(path), text="n\n").exit_code == 1
    removed = run("people", "forget", PERSON, "-w", str(path), text="y\n")
    assert "interactions 4, feedback 1, turns 1" in removed.stdout and "trains it without them" in removed.stderr
    again = run("people", "forget", PERSON, "--yes", "-w", str(path))
    assert again.exit_code == 2 and "Nothing is stored" in again.stderr
    assert files_with(path, *TRACES) == []


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_left_between_the_rows_of_others(tmp_path, seed):
    """Rows of all sizes come and go, so that pages split and merge; SQLite's secure_delete alone leaves traces then."""
    draw = random.Random(seed)
    store = Store(tmp_path / "store.sqlite")
    store.put_items(Item(str(number), "A title") for number in range(30))
    for turn in range(300):
        person = draw.choice([PERSON, f"other-{draw.randrange(30)}"])
        words = f"{SAID} " if person == PERSON else "other words "
        store.put_turn(f"{draw.randrange(10**9)}", person, {}, {"said": words * draw.choice([1, 3, 20, 90, 500])})
        item = str(draw.randrange(30))
        store.put_feedback(Feedback(person, item, "remark", f"turn-{turn}", words=words * draw.choice([1, 5, 30])))
        if draw.random() < 0.05:
            store.forget(f"other-{draw.randrange(30)}")
    store.forget(PERSON)
    assert files_with(tmp_path, *TRACES) == []
    assert store.integrity_problems() == [] and store.count_turns() > 50
    store.close()


def test_one_entry_is_corrected_or_deleted_and_leaves_nothing(path):
    with reopened(path) as agent:
        known = agent.known_of(PERSON)
        (first, *rest), (said,), (turn,) = known["history"], known["feedback"], known["turns"]
        likers = agent.serving.transitions.liked_both(0, 0)[1]
        agent.edit_entry(PERSON, first["entry"], value=1.0)
        assert agent.known_of(PERSON)["history"][0]["value"] == 1.0
        assert agent.serving.transitions.liked_both(0, 0)[1] == likers - 1
        agent.edit_entry(PERSON, said["entry"], words="changed")
        assert agent.known_of(PERSON)["feedback"] == [{**said, "words": "changed"}]
        agent.delete_entry(PERSON, turn["entry"])
        agent.delete_entry(PERSON, known["votes"][0]["entry"])
        assert files_with(path, SAID, WORDS) == []
        agent.delete_entry(PERSON, first["entry"])
        agent.delete_entry(PERSON, said["entry"])
        left = agent.known_of(PERSON)
        assert (left["history"], left["feedback"], left["turns"]) == (rest, [], [])


@pytest.mark.parametrize(
    ("entry", "given", "problem"),
    [
        ("history:999999", {"value": 1.0}, "no entry 'history:999999'"),
        ("users:1", {"value": 1.0}, "people show"),
        ("history:1 OR 1", {"value": 1.0}, "people show"),
        ("history:1", {"words": "no"}, "Only feedback has words"),
        ("history:1", {}, "what is to change"),
        ("history:1", {"value": float("nan")}, "finite"),
    ],
)
def test_an_entry_that_cannot_be_corrected_is_refused(path, entry, given, problem):
    with reopened(path) as agent:
        before = agent.known_of(PERSON)
        with pytest.raises(InputError, match=problem):
            agent.edit_entry(PERSON, entry, **given)
        assert agent.known_of(PERSON) == before


@pytest.mark.parametrize("value", [99.0, 9.0, -1.0])
def test_no_entry_is_corrected_off_the_scale_by_which_everybody_is_understood(path, value):
    with reopened(path) as agent:
        likes = agent.stages().known("p1").likes
        entry = agent.known_of(PERSON)["history"][0]["entry"]
        with pytest.raises(InputError, match="from 0 to 5 here"):
            agent.edit_entry(PERSON, entry, value=value)
        assert agent.serving.best_rating == 5 and agent.stages().known("p1").likes == likes != ()


def test_what_is_forgotten_without_room_is_wiped_when_there_is_some(path, monkeypatch, caplog):
    with monkeypatch.context() as full, reopened(path) as agent:
        agent.serving.transitions.save(path / "cache" / "transitions.npz")
        full.setattr(Database, "_wipe", lambda self: self._writer.execute("SELECT full FROM nowhere"))
        with pytest.raises(WorkspaceError, match="gone from every list.*wiped when the workspace is opened next"):
            agent.forget(PERSON)
        assert not agent.workspace.store.has_user(PERSON)
        assert not (path / "cache" / "transitions.npz").exists()  # it has ids in it
    with monkeypatch.context() as full:
        full.setattr(Database, "_wipe", lambda self: self._writer.execute("SELECT full FROM nowhere"))
        Store(path / "store.sqlite").close()  # still none: it opens all the same, and the log says so
        assert "wiped when the workspace is opened next" in caplog.text
    Store(path / "store.sqlite").close()
    assert files_with(path, *TRACES) == []


def test_nobody_reaches_the_entries_of_another(path):
    with reopened(path) as agent:
        known = agent.known_of(PERSON)
        for part in ("history", "feedback", "turns"):
            with pytest.raises(InputError, match="has no entry"):
                agent.delete_entry("p1", known[part][0]["entry"])
        assert agent.known_of(PERSON) == known


def test_the_table_has_a_row_for_each_entry(path, tmp_path):
    run("people", "export", PERSON, "-w", str(path), "--format", "csv", "--out", str(tmp_path / "me.csv"))
    with (tmp_path / "me.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = ["attribute", *["history"] * 4, "feedback", "turn", "vote"]
    assert [row["entry"].partition(":")[0] for row in rows] == kinds
    assert rows[0]["value"] == "Atlantis-of-the-test" and rows[5]["words"] == SAID and WORDS in rows[6]["words"]
    assert run("people", "edit", PERSON, rows[5]["entry"], "--words", "less", "-w", str(path)).exit_code == 0
    assert '"less"' in run("people", "show", PERSON, "-w", str(path)).stdout
    assert run("people", "delete", PERSON, rows[1]["entry"], "-w", str(path)).exit_code == 0
    assert "History: 3" in run("people", "show", PERSON, "-w", str(path)).stdout
    again = run("people", "delete", PERSON, rows[1]["entry"], "-w", str(path))
    assert again.exit_code == 2 and "has no entry" in again.stderr
