import json
import time

import pytest
from conftest import open_small
from test_behaviour import QUICK, SMALL
from test_cli import run

from agent.errors import UnknownPersonError
from agent.schema import Feedback, Interaction
from agent.workspace.encoder import HashEncoder
from finetune.retrieval import tune

PERSON = "person-7f3a-unmistakable"
WORDS = "xylophones under moonlight"


@pytest.fixture
def path(tmp_path):
    """A workspace in which somebody has a history, feedback, attributes and turns, and behaviour was trained."""
    with open_small(tmp_path / "w") as agent:
        store, ids = agent.workspace.store, agent.catalogue.ids
        store.put_interactions(Interaction(PERSON, ids[i], "rating", 5.0, float(i)) for i in range(4))
        store.put_person(PERSON, {"city": "Atlantis-of-the-test"})
        reply = agent.recommend(PERSON, intent=f"something with {WORDS}", n=2)
        agent.feedback(
            Feedback(PERSON, reply.recommendations[0].item.item_id, "like", reply.turn_id, None, time.time())
        )
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
    assert files_with(path, PERSON, WORDS, "Atlantis-of-the-test")
    with reopened(path) as agent:
        assert files_with(path, PERSON)
        before = agent._serving.transitions.liked_both(0, 0)[1]
        counts = agent.forget(PERSON)
        assert counts == {"interactions": 4, "feedback": 1, "turns": 1, "users": 1}
        assert agent._serving.transitions.liked_both(0, 0)[1] == before - 1
        assert agent.lister.sources[0] is agent._serving.transitions
        assert files_with(path, PERSON, WORDS, "Atlantis-of-the-test") == []
        assert "I know nothing of you yet" in agent.recommend(PERSON).message
        with pytest.raises(UnknownPersonError):
            agent.forget("nobody")
        assert agent.known_of("p1")["history"]


def test_the_commands(path, tmp_path):
    shown = run("people", "show", PERSON, "-w", str(path)).stdout
    assert "city: Atlantis-of-the-test" in shown and "History: 4, the latest first" in shown and "Turns: 1" in shown
    written = run("people", "export", PERSON, "-w", str(path), "--out", str(tmp_path / "me.json"))
    assert written.exit_code == 0 and json.loads((tmp_path / "me.json").read_text())["user_id"] == PERSON
    assert json.loads(run("people", "export", PERSON, "-w", str(path)).stdout)["history"]
    assert run("people", "forget", PERSON, "-w", str(path), text="n\n").exit_code == 1
    removed = run("people", "forget", PERSON, "-w", str(path), text="y\n")
    assert "interactions 4, feedback 1, turns 1" in removed.stdout and "trains it without them" in removed.stderr
    again = run("people", "forget", PERSON, "--yes", "-w", str(path))
    assert again.exit_code == 2 and "Nothing is stored" in again.stderr
    assert files_with(path, PERSON, WORDS) == []
