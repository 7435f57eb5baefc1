"""What is unclear in a message: the model points at words, the catalogue says what they mean, a person chooses."""

import json

import numpy as np
import pytest
from conftest import open_small
from test_examples import chat, examples, said
from test_filling import CATALOGUE, SHOWN

from agent.generation.fake import FakeGenerator
from agent.generation.prompting import PromptSet
from agent.reader import BY_MODEL, BY_WORDS, Reader
from agent.schema import Filter
from agent.understanding.asking import choices_for
from agent.understanding.briefing import brief
from agent.understanding.dialogue import State, understand
from agent.understanding.slots import UnfitAnswerError, read_changes
from finetune.clarifying import Unclear
from finetune.intents import Messages
from finetune.recipe import SftConfig

assert chat  # the fixture
COPPOLAS = {Filter("directors", "==", "Sofia Coppola"), Filter("directors", "==", "Francis Coppola")}


def reader(answer):
    return Reader("model", FakeGenerator(answers=[json.dumps(answer)]), PromptSet.named("films"), "film")


def test_words_mean_people_works_or_places_of_the_list():
    assert set(choices_for("coppola", "that coppola mood", (), CATALOGUE)) == COPPOLAS
    assert choices_for("Hamlet", "as sad as Hamlet", SHOWN, CATALOGUE) == ("10", "11")
    assert choices_for("the blue one", "rather the blue one", SHOWN, CATALOGUE) == SHOWN
    assert choices_for("the blue one", "rather the blue one", (), CATALOGUE) == ()


@pytest.mark.parametrize(
    ("words", "text", "why"),
    [
        ("Hamlet", "something by Coppola", "what was not said"),
        ("ham", "like Hamlet", "what was not said"),
        ("  ", "like Hamlet", "what was not said"),
        ("Fargo", "like Fargo", "what means one thing"),
        ("Cameron", "by Cameron", "what means one thing"),
    ],
)
def test_only_what_was_said_and_means_several_things_is_asked_about(words, text, why):
    with pytest.raises(UnfitAnswerError, match=why):
        choices_for(words, text, SHOWN, CATALOGUE)


def test_the_model_can_ask_where_the_words_do_not():
    text, state = "the blue one, a comedy", State(lists=(SHOWN,))
    assert understand(text, state, CATALOGUE).does == "list"
    turn, how = reader({"unclear": "the blue one", "all_of": {"genres": ["Comedy"]}}).turn(text, state, CATALOGUE)
    assert (turn.does, turn.choices, how) == ("ask", SHOWN, BY_MODEL)
    assert turn.intent.filters == (Filter("genres", "==", "Comedy"),)  # the rest is kept for when it is answered
    turn, how = reader({"unclear": "Coppola"}).turn(text, state, CATALOGUE)
    assert turn.does == "list" and how.startswith(f"{BY_WORDS}, for the model's answer finds unclear what was not said")


def test_one_request_cannot_be_asked_back_so_its_words_count():
    intent, how = reader({"unclear": "blue one"}).intent("a comedy like the blue one", CATALOGUE)
    assert intent.filters == (Filter("genres", "==", "Comedy"),)
    assert how.startswith(BY_WORDS) and "would ask" in how


def test_a_question_of_the_model_is_asked_and_its_answer_understood(tmp_path):
    generator = FakeGenerator(answers=["{}", '{"unclear": "the blue one"}', "{}"])
    with open_small(tmp_path / "w", generator, understanding="model") as agent:
        talk = agent.conversation("p1")
        first = talk.say("a comedy", n=3)
        asked = talk.say("rather the blue one")
        assert asked.question and not asked.recommendations
        assert first.recommendations[0].item.title in asked.question
        assert talk.say("the first", n=3).intent.likes == (first.recommendations[0].item.item_id,)


def test_what_is_taught_is_what_the_words_would_ask():
    unclear, kinds = Unclear(CATALOGUE, Messages(CATALOGUE, PromptSet.named("recommend"), "film"), "film"), set()
    for seed in range(120):
        first, again = (unclear.draw(np.random.default_rng(seed)) for _ in range(2))
        assert first == again
        if first is None:
            continue
        prompt, answer = first
        text, words = prompt[-2].content.split("Message: ")[-1].strip(), read_changes(answer, CATALOGUE).unclear
        turn = understand(text, State(), CATALOGUE)
        assert turn.does == "ask" and set(choices_for(words, text, (), CATALOGUE)) == set(turn.choices)
        kinds.add("place" if not turn.choices else "work" if isinstance(turn.choices[0], str) else "person")
    assert kinds == {"place", "work", "person"}


def test_it_is_a_task_of_the_mixture(chat):
    made = examples(chat, clarify=1.0)
    found = [made.draw(epoch, number) for epoch in range(2) for number in range(10)]
    told = [said(chat, example) for example in found if example.task == "clarify"]
    assert len(told) > 10 and all(one.startswith(' {"unclear": "') and one.endswith('"}<|im_end|>') for one in told)
    assert not SftConfig(shares={"clarify": 1.0}).ranks_alone


def test_the_prompt_shows_how_it_is_done_where_the_catalogue_has_namesakes():
    changes = [json.loads(example["changes"]) for example in brief(CATALOGUE)["examples"]]
    assert {"unclear": "Coppola"} in changes
