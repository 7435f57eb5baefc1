"""`vouchrec prompts new, diff, test, use`: a set of one's own, from the first copy to service."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import open_small
from test_adapters import PASSED, put
from typer.testing import CliRunner

from agent.build import adapters_in
from agent.generation.adapters import read_adapter, save_manifest
from agent.generation.prompting import PromptSet
from agent.settings import load_settings
from ui.cli import app
from ui.terminal import Terminal


def run(*arguments: object):
    return CliRunner().invoke(app, ["prompts", *map(str, arguments)], obj=Terminal())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    assert run("new", tmp_path / "mine").exit_code == 0
    return tmp_path / "mine"


def test_a_new_set_is_whole_and_right(mine):
    assert sorted(path.name for path in mine.iterdir()) == [
        "intent.cases.yaml",
        "intent.prompty",
        "justify.cases.yaml",
        "justify.prompty",
        "rank.cases.yaml",
        "rank.prompty",
    ]
    assert all(row.ok for row in PromptSet(mine).check())
    again = run("new", mine)
    assert again.exit_code == 2 and "already" in again.stderr


def test_a_set_that_rests_on_another_is_copied_with_what_it_inherits(tmp_path):
    assert run("new", tmp_path / "mine", "--from", "books").exit_code == 0
    mine = PromptSet(tmp_path / "mine")
    assert mine.noun == "book" and all(row.ok for row in mine.check())
    assert "this book suits" in mine.get("justify").render(title="Dune", facts=[])[1].content
    assert mine.get("justify").path.parent == tmp_path / "mine"


def test_one_prompt_of_ones_own_rests_on_the_rest(tmp_path):
    assert run("new", tmp_path / "mine", "--from", "books", "--prompt", "rank").exit_code == 0
    assert (tmp_path / "mine/set.yaml").read_text() == 'base: "books"\nnoun: "book"\n'
    assert PromptSet(tmp_path / "mine").get("justify").hash == PromptSet.named("recommend").get("justify").hash
    assert run("new", tmp_path / "mine", "--from", "books", "--prompt", "justify").exit_code == 0
    assert PromptSet(tmp_path / "mine").get("justify").path.parent == tmp_path / "mine"
    listed = run("list", "--set", tmp_path / "mine")
    assert listed.stdout.count("from recommend") == 1  # the prompt intent, which no other set has
    assert "from recommend" in run("list", "--set", "books").stdout


def test_diff_shows_the_lines_of_an_edit(mine):
    assert "No difference" in run("diff", "--set", mine).stderr
    edit(mine / "rank.prompty", "You recommend", "You know")
    shown = run("diff", "--set", mine).stdout
    assert "-You recommend {{ noun }}s." in shown and "+You know {{ noun }}s." in shown
    assert "justify" not in shown
    assert run("diff", "justify", "--set", mine).stdout == ""
    unknown = run("diff", "nothing", "--set", mine)
    assert unknown.exit_code == 2 and "There is no prompt 'nothing'" in unknown.stderr


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_git_has_the_version_before(mine, monkeypatch):
    git(mine, "init", "-q")
    git(mine, "add", ".")
    git(mine, "commit", "-qm", "one")
    monkeypatch.setenv("VOUCHREC_PROMPTS", str(mine))
    edit(mine / "rank.prompty", "You recommend", "You know")
    assert "+You know" in run("diff").stdout  # the set in service, beside what is committed
    git(mine, "commit", "-qam", "two")
    assert "+You know" in run("diff").stdout  # now beside recommend
    assert "No difference" in run("diff", "--against", "git").stderr
    assert "+You know" in run("diff", "--against", "git:HEAD~1").stdout
    for spec in ("git:nothing", "git:--help", "git:HEAD~9"):
        wrong = run("diff", "--against", spec)
        assert wrong.exit_code == 2 and "--against" in wrong.stderr + "--against" * ("no revision" in wrong.stderr)


def test_the_cases_are_run_first_and_end_the_test(mine):
    held = run("test", "--set", mine, "--cases")
    assert held.exit_code == 0 and "3 prompts and all of their cases hold" in held.stderr
    edit(mine / "rank.prompty", "I want:", "Wanted:")
    broken = run("test", "--set", mine)
    assert broken.exit_code == 1 and "lacks" in broken.stdout and "ok" not in broken.stdout


def test_what_says_the_same_is_not_scored(mine):
    same = run("test", "--set", mine)
    assert same.exit_code == 0 and "say the same" in same.stderr
    assert "nothing to compare with" in run("test").stderr


def test_a_set_is_put_in_service(tmp_path, mine):
    with open_small(tmp_path / "w") as agent:
        home = agent.workspace.path
    (home / "vouchrec.toml").write_text("# mine\ncandidates = 20\n", encoding="utf-8")
    assert run("use", mine, "-w", home).exit_code == 0
    settings = load_settings(home)
    assert (settings.prompts, settings.candidates) == (str(mine), 20)
    assert "# mine" in (home / "vouchrec.toml").read_text()
    assert run("use", "films", "-w", home).exit_code == 0
    assert load_settings(home).prompts == "films"
    edit(mine / "rank.prompty", "{{ request }}", "{{ reqest }}")
    refused = run("use", mine, "-w", home)
    assert refused.exit_code == 2 and "rank.prompty:36" in refused.stderr
    assert load_settings(home).prompts == "films"
    nowhere = run("use", "films", "-w", tmp_path / "nothing")
    assert nowhere.exit_code == 2 and "no workspace" in nowhere.stderr


def test_a_set_does_not_serve_beside_an_adapter_that_was_tuned_with_another_text(tmp_path, mine):
    with open_small(tmp_path / "w") as agent:
        home, ranked = agent.workspace.path, agent.prompts.get("rank").hash
        put(agent.workspace, "tuned", measures=PASSED)
        folder = adapters_in(home).path("tuned")
        save_manifest(folder, replace(read_adapter(folder).manifest, prompts={"rank": ranked}))
        adapters_in(home).use("tuned")
    edit(mine / "justify.prompty", 'version: "1"', 'version: "2"')
    assert run("use", mine, "-w", home).exit_code == 0
    edit(mine / "rank.prompty", 'version: "1"', 'version: "2"')
    refused = run("use", mine, "-w", home)
    assert refused.exit_code == 2 and "another text of rank" in " ".join(refused.stderr.split())
    adapters_in(home).use(None)
    assert run("use", mine, "-w", home).exit_code == 0


def test_a_check_takes_one_line_at_any_width(monkeypatch):
    for width in ("60", "80", "140"):
        monkeypatch.setenv("COLUMNS", width)
        lines = run("check").stdout.splitlines()
        assert len(lines) > 5 and all(line.strip() for line in lines)
