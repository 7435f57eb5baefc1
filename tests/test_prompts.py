"""The prompt files that ship: they load, their cases hold, and a package carries them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import prompts
from agent.generation.base import Message
from agent.generation.prompting import PromptSet, continued

ROOT = Path(prompts.__file__).parent
CHECKS = [check for name in prompts.shipped() for check in PromptSet.named(name).check()]


@pytest.fixture
def shipped() -> PromptSet:
    return PromptSet.named("recommend")


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_every_sample_and_case_holds(check):
    assert check.ok, check.message


def test_each_prompt_has_at_least_six_cases():
    for name in ("rank", "justify"):
        assert sum(check.name.startswith(f"{name}: ") for check in CHECKS) >= 6


def test_the_shipped_set_is_found_by_name_and_by_path(tmp_path, monkeypatch):
    (tmp_path / "recommend").mkdir()
    monkeypatch.chdir(tmp_path)  # a folder of that name in the working directory does not replace the shipped set
    assert prompts.shipped() == ("recommend",)
    assert prompts.locate("recommend") == ROOT / "recommend"
    assert prompts.locate("./recommend").resolve() == tmp_path / "recommend"
    assert prompts.locate(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["", "nothing", "./nothing", "..\\nothing", "__pycache__"])
def test_an_unknown_set_names_the_real_ones(name):
    with pytest.raises(FileNotFoundError, match="Shipped sets: recommend"):
        prompts.locate(name)


def test_the_wheel_takes_the_whole_package():
    wheel = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "prompts" in wheel["packages"]
    assert "exclude" not in wheel


def test_what_never_changes_is_the_prefix(shipped):
    rank = shipped.get("rank")
    one = rank.render(history=[{"title": "Alien (1979)", "feeling": "liked"}], noun="film")
    other = rank.render(history=[], request="something else", noun="film")
    assert one[0] == other[0] == Message("system", "You recommend films.")
    longer = rank.render(
        history=[{"title": "Alien (1979)", "feeling": "liked"}, {"title": "Dune (2021)", "feeling": "liked"}],
        noun="film",
    )
    assert longer[1] == one[1]
    assert longer[2].content.startswith(one[2].content)


def test_justify_continues_rank(shipped):
    asked = shipped.get("rank").render(history=[], noun="film")
    told = shipped.get("justify").render(title="Alien (1979)", facts=["It is set in space."], noun="film")
    whole = continued(asked, told)
    assert whole[:2] == asked[:2]
    assert [message.role for message in whole] == ["system", "user", "assistant", "user", "assistant"]
    assert whole[2].content == asked[-1].content + " Alien (1979)"
    assert whole[-1] == Message("assistant", "")
