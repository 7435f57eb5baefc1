"""Messages to learn to read: what is taught is what the vocabulary reads, in the words in which the model is asked."""

import numpy as np
import pytest
from test_examples import CATALOGUE, chat, drawn, read, said

from agent.generation.prompting import PromptSet
from agent.schema import Filter, Intent
from agent.understanding.dialogue import State
from agent.understanding.filling import filled
from agent.understanding.intent import parse_intent
from agent.understanding.slots import read_changes
from agent.workspace.catalogue import Catalogue
from finetune.ground import Skills
from finetune.intents import Messages, changes
from finetune.recipe import SftConfig

assert chat  # the fixture


def test_what_words_read_in_a_message_is_written_in_the_fields_of_the_answer():
    text = "three comedies or westerns from 1962 to 1970 like Film Number 3, no horror"
    written = changes(parse_intent(text, CATALOGUE), CATALOGUE)
    assert written == {
        "one_of": {"genres": ["Comedy", "Western"]}, "none_of": {"genres": ["Horror"]},
        "at_least": {"year": 1962}, "at_most": {"year": 1970}, "like": ["Film Number 3 (1963)"], "count": 3,
    }  # fmt: skip
    one_year = Intent(filters=(Filter("year", "==", 1964),))
    assert changes(one_year, CATALOGUE) == {"at_least": {"year": 1964}, "at_most": {"year": 1964}}
    assert changes(Intent(), CATALOGUE) == {}


def test_an_answer_that_is_taught_fits_and_is_the_same_for_the_same_draw():
    messages = Messages(CATALOGUE, PromptSet.named("recommend"), "film")
    wanted, following = np.arange(len(CATALOGUE.items)), 0
    for seed in range(40):
        first, again = (messages.draw(wanted, np.random.default_rng(seed)) for _ in range(2))
        assert first == again
        if first is None:
            continue
        prompt, answer = first
        following += "So far: nothing" not in prompt[-2].content
        assert read_changes(answer, CATALOGUE)
        message = prompt[-2].content.split("Message: ")[-1]
        assert not filled(answer, message, State().intent, (), CATALOGUE).is_empty
    assert following > 5


def test_only_the_answer_is_learned_after_the_prompt_that_serving_asks_with(chat):
    for example in drawn(chat, "understand", n=20):
        text = read(chat, example)
        assert text.startswith("<|im_start|>system") and "Changes: {" in text
        answer = said(chat, example)
        assert answer.endswith("}<|im_end|>") and read_changes(answer.removesuffix("<|im_end|>"), CATALOGUE)
        assert (example.items < 0).all() and (example.next_items < 0).all()


SKILLS = (
    ({"next": 0.9, "request": 0.1, "justify": 0.0}, (False, False, True)), ({"spell": 1.0}, (False, False, False)),
    ({"understand": 1.0}, (False, True, False)), ({"justify": 1.0}, (True, False, False)),
)  # fmt: skip


@pytest.mark.parametrize(("shares", "skills"), SKILLS)
def test_an_adapter_says_what_it_has_learned(shares, skills):
    assert Skills.of(SftConfig(shares=shares)) == Skills(*skills)


def test_a_catalogue_without_facts_teaches_no_messages():
    bare = Catalogue([CATALOGUE.items[0]], {})
    messages = Messages(bare, PromptSet.named("recommend"), "film")
    assert messages.draw(np.array([0]), np.random.default_rng(0)) is None
