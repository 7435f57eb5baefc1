"""What an edit of the prompts does, measured: with a fake model whose likes and lies follow the prompt."""

from __future__ import annotations

import shutil

import pytest
from conftest import open_small

import prompts
from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator
from agent.generation.prompting import PromptSet
from agent.schema import Interaction
from agent.workspace.encoder import HashEncoder
from finetune.evaluate.bootstrap import Interval
from finetune.prompts import BETTER, FUSED, OWN, RANK_TOKENS, REASON_TOKENS, TRUE, Measure, compare

SERVED = PromptSet.named("recommend")


class Suggestible(FakeGenerator):
    """Tells lies once the question after the title has the word "please"."""

    def write(self, prefix, branches, *, seed=None):
        for piece in super().write(prefix, branches, seed=seed):
            asked = branches[piece.row].messages[-2].content
            lie = "please" in asked and piece.done
            yield Piece(piece.row, "It won nine prizes.", True) if lie else piece


@pytest.fixture
def workspace(tmp_path):
    """Everybody goes on from Alien to a film that nobody else went on to, so only the model can know it."""
    with open_small(tmp_path / "w") as agent:
        people = [Interaction(f"q{n}", "1", "rating", 5.0, 1.0) for n in range(8)]
        people += [Interaction(f"q{n}", "8", "rating", 5.0, 2.0) for n in range(8)]
        agent.workspace.store.put_interactions(people)
        yield agent.workspace


def edited(tmp_path, name, old, new):
    folder = tmp_path / "edited"
    shutil.copytree(prompts.locate("recommend"), folder, dirs_exist_ok=True)
    path = folder / f"{name}.prompty"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return PromptSet(folder)


def words(messages):
    return sum(len(m.content.split()) for m in messages)


def scored(workspace, edit, generator=None, served=SERVED, **flags):
    from agent.settings import load_settings

    settings = load_settings(workspace.path, model_weight=1.0)
    generator = generator or FakeGenerator()
    found = compare(workspace, HashEncoder(64), settings, generator, words, served, edit, **flags)
    return found, {m.name: m for m in found.measures}


def test_the_same_text_changes_nothing(workspace, tmp_path):
    found, by_name = scored(workspace, edited(tmp_path, "rank", 'version: "1"', 'version: "2"'))
    assert found.people == 18 and found.asked == 9 and found.lists == 10
    assert list(by_name) == list(BETTER)
    assert {by_name[name].verdict for name in (OWN, FUSED, TRUE, RANK_TOKENS, REASON_TOKENS)} == {"same"}
    assert by_name[TRUE].served.mean > 0.3 and not found.is_worse


def test_an_edit_that_misleads_the_model_is_seen_and_its_price_too(workspace, tmp_path):
    words_of_others = "aliens blade runner scream toy story fargo airplane! chasing amy (1986) (1982) (1997) (1980)"
    bad = edited(tmp_path, "rank", "You recommend {{ noun }}s.", f"You recommend {words_of_others}")
    found, by_name = scored(workspace, bad)
    assert by_name[OWN].verdict == by_name[FUSED].verdict == "worse" and found.is_worse
    assert by_name[RANK_TOKENS].change == Interval(13.0, 13.0, 13.0) and by_name[RANK_TOKENS].verdict == "worse"
    back, by_name = scored(workspace, SERVED, served=bad)
    assert by_name[OWN].verdict == by_name[RANK_TOKENS].verdict == "better" and not back.is_worse


def test_an_edit_after_which_reasons_are_false_is_seen(workspace, tmp_path):
    polite = edited(tmp_path, "justify", "Use only these facts.", "Use only these facts, please.")
    found, by_name = scored(workspace, polite, Suggestible())
    assert by_name[TRUE].edited.mean == 0
    assert by_name[TRUE].verdict == "worse" and found.is_worse
    assert by_name[REASON_TOKENS].change.mean == 1 and by_name[OWN].verdict == "same"


def test_requests_reach_the_prompt_of_every_second_person(workspace, tmp_path):
    deaf = edited(tmp_path, "rank", "I want: {{ request }}", "I want")
    _, by_name = scored(workspace, deaf, people=6, lists=0)
    assert by_name[RANK_TOKENS].change.low < 0 and TRUE not in by_name


def test_the_same_people_are_asked_every_time(workspace, tmp_path):
    edit = edited(tmp_path, "rank", "You recommend", "You know")
    first, second = (scored(workspace, edit, people=5)[0].as_dict()["measures"] for _ in range(2))
    assert all(first[name] == second[name] for name in (OWN, FUSED, TRUE, RANK_TOKENS))


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        (OWN, (0.1, 0.01, 0.2), "better"),
        (OWN, (-0.1, -0.2, -0.01), "worse"),
        (RANK_TOKENS, (5, 4, 6), "worse"),
        (RANK_TOKENS, (-5, -6, -4), "better"),
        (OWN, (0.1, -0.01, 0.2), "unclear"),
        (OWN, (0, 0, 0), "same"),
    ],
)
def test_only_a_clear_change_is_one(name, change, verdict):
    half = Interval(0.5, 0.4, 0.6)
    assert Measure(name, half, half, Interval(*change)).verdict == verdict
