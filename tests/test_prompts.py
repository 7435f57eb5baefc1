"""The prompt files that ship: they load, their cases hold, and a package carries them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import prompts
from agent.generation.base import Message
from agent.generation.prompting import PromptSet, continued

ROOT = Path(prompts.__file__).parent
CHECKS = [(name, check) for name in prompts.shipped() for check in PromptSet.named(name).check()]
NOUNS = {"films": "film", "books": "book", "music": "song", "shop": "product", "news": "article"}


@pytest.fixture
def shipped() -> PromptSet:
    return PromptSet.named("recommend")


@pytest.mark.parametrize("check", [check for _, check in CHECKS], ids=[f"{s}/{check.name}" for s, check in CHECKS])
def test_every_sample_and_case_holds(check):
    assert check.ok, check.message


@pytest.mark.parametrize("name", ["rank", "justify"])
@pytest.mark.parametrize("which", prompts.shipped())
def test_each_prompt_of_each_set_has_cases(which, name):
    found = sum(s == which and check.name.startswith(f"{name}: ") for s, check in CHECKS)
    assert found >= (6 if which == "recommend" else 1)


@pytest.mark.parametrize(("which", "noun"), NOUNS.items())
def test_a_set_knows_what_its_items_are_called(which, noun):
    chosen = PromptSet.named(which)
    assert chosen.noun == noun
    system, asked, _ = chosen.get("rank").render(history=[])
    assert system.content == f"You recommend {noun}s." and f"{noun}s did I" in asked.content
    assert f"this {noun} suits" in chosen.get("justify").render(title="A", facts=[])[1].content


def test_films_are_read_as_ever(shipped):
    # An adapter remembers the texts that it was tuned with, so these two must not drift apart.
    films = PromptSet.named("films")
    assert [films.get(n).hash for n in ("rank", "justify")] == [shipped.get(n).hash for n in ("rank", "justify")]


def test_chinese_prompts_know_our_english_nouns():
    rank = PromptSet.named("zh").get("rank")
    said = {noun: rank.render(history=[], noun=noun)[0].content for noun in (*NOUNS.values(), "item", "播客")}
    assert list(said.values()) == [f"你推荐{n}。" for n in ("电影", "书", "歌曲", "商品", "文章", "作品", "播客")]


def test_the_shipped_set_is_found_by_name_and_by_path(tmp_path, monkeypatch):
    (tmp_path / "recommend").mkdir()
    monkeypatch.chdir(tmp_path)  # a folder of that name in the working directory does not replace the shipped set
    assert prompts.shipped() == ("books", "films", "music", "news", "recommend", "shop", "zh")
    assert prompts.locate("recommend") == ROOT / "recommend"
    assert prompts.locate("./recommend").resolve() == tmp_path / "recommend"
    assert prompts.locate(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["", "nothing", "./nothing", "..\\nothing", "__pycache__"])
def test_an_unknown_set_names_the_real_ones(name):
    with pytest.raises(FileNotFoundError, match="Shipped sets: books, films, .*recommend"):
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
