"""Prompt files edited under a running agent: the last good version serves, and what is wrong is said with its line."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from conftest import open_small

import prompts
from agent.agent import Agent
from agent.errors import PromptError
from agent.generation.fake import FakeGenerator
from agent.settings import load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(prompts.locate("recommend"), tmp_path / "mine"))


@pytest.fixture
def agent(tmp_path, folder):
    with open_small(tmp_path / "workspace", prompts=str(folder)) as opened:
        yield opened


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / f"{name}.prompty"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def hashes(reply) -> list[str]:
    return [part.split("@")[1] for part in reply.prompt.split("/")[1].split("+")]


BROKEN = {
    "a name that is none": ("rank", "{{ request }}", "{{ reqest }}", 36),
    "a block that never ends": ("rank", "{% endif %}\n\nassistant:", "\n\nassistant:", 36),
    "an entry that no history has": ("rank", "{{ entry.title }}", "{{ entry.tilte }}", 42),
    "an end on which no title can follow": ("rank", "{% endfor %}\n-", "{% endfor %}", 39),
    "a key that is none": ("justify", "version:", "versoin:", 3),
    "a filter that is not allowed": ("justify", "{{ fact }}", "{{ fact | map }}", 33),
}


@pytest.mark.parametrize(("name", "old", "new", "line"), BROKEN.values(), ids=list(BROKEN))
def test_broken_and_mended_between_two_turns(agent, folder, caplog, name, old, new, line):
    before = agent.recommend("p1", intent="a tense film", n=2)
    edit(folder, name, old, new)
    with caplog.at_level(logging.WARNING, "vouchrec.prompts"):
        during = [agent.recommend("p1", intent="a tense film", n=2) for _ in range(2)]
    for reply in during:
        assert hashes(reply) == hashes(before)
        assert [r.item for r in reply.recommendations] == [r.item for r in before.recommendations]
    (said,) = agent.prompts.problems.values()
    assert said.startswith(f"{folder / name}.prompty:{line}: ")
    (told,) = caplog.messages  # once, not with every turn
    assert said in told and "stays in service" in told
    edit(folder, name, new, old)
    edit(folder, name, 'version: "1"', 'version: "2"')
    mended = agent.recommend("p1", intent="a tense film", n=2)
    assert agent.prompts.problems == {}
    changed = [now != then for now, then in zip(hashes(mended), hashes(before), strict=True)]
    assert changed == [name == "rank", name == "justify"]


def test_an_edit_reaches_the_model_with_the_next_turn(agent, folder, monkeypatch):
    read = []
    monkeypatch.setattr(
        agent.generator, "read", lambda messages, *_: read.append(messages[0].content) or tuple(messages)
    )
    agent.recommend("p1", n=1)
    edit(folder, "rank", "You recommend {{ noun }}s.", "You know {{ noun }}s well.")
    agent.recommend("p1", n=1)
    assert read == ["You recommend films.", "You know films well."]


def test_a_conversation_goes_on_over_a_broken_file(agent, folder):
    chat = agent.conversation()
    chat.say("a comedy")
    (folder / "justify.prompty").write_text("nonsense", encoding="utf-8")
    assert chat.say("or rather a drama").recommendations
    assert "justify.prompty:1: " in agent.prompts.problems["justify"]


def test_a_file_that_is_broken_from_the_start_is_an_error_with_its_line(tmp_path, folder):
    edit(folder, "rank", "{{ request }}", "{{ reqest }}")
    with (
        open_small(tmp_path / "other", prompts=str(folder)) as agent,
        pytest.raises(PromptError, match=r"rank\.prompty:36"),
    ):
        agent.recommend("p1", n=1)


def test_a_set_lends_its_noun_where_the_workspace_has_none(tmp_path):
    with open_small(tmp_path / "w", prompts="books") as agent:
        assert agent.noun == "film"  # what the import said counts more
    with Workspace.open(tmp_path / "w") as workspace:
        settings = load_settings(tmp_path / "w", prompts="books")
        assert Agent(workspace, settings, HashEncoder(64), FakeGenerator()).noun == "film"
        workspace.store.set_meta("noun", "")
        assert Agent(workspace, settings, HashEncoder(64), FakeGenerator()).noun == "book"
