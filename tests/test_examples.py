"""What the language model is tuned on, read back as text: the conversation must be the one of serving."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_data import dataset

from agent.assets import language_model
from agent.errors import InputError
from agent.generation.chat import Chat
from agent.generation.prompting import PromptSet
from agent.justification.claims import check
from agent.schema import Item, matches
from agent.settings import DEFAULT_MODEL, Settings
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue
from finetune.evaluate.splits import hold_out_last
from finetune.examples import FILLED, NONE, UNREAD, Examples, of_like_length, padded
from finetune.explained import Explained
from finetune.retrieval import transitions_of

N = 14
KINDS = ("Drama", "Comedy", "Western", "Horror", "Thriller")
FILMS = tuple(
    Item(f"f{n}", f"Film Number {n} ({1960 + n})", "A story of the sea.", {"year": 1960 + n, "genres": (KINDS[n % 5],)})
    for n in range(N)
)
WALKS = dataset([[(start + step) % N for step in range(8)] for start in range(30)], N)
DATA = replace(WALKS, catalogue=FILMS, attribute_types={"year": "number", "genres": "list"})
TRAINING, ASKED = hold_out_last(DATA, 0, 30)
CATALOGUE = Catalogue(DATA.catalogue, DATA.attribute_types)


@pytest.fixture(scope="module")
def chat():
    from transformers import AutoTokenizer

    return Chat(AutoTokenizer.from_pretrained(language_model(DEFAULT_MODEL, Settings().cache)))


def examples(chat, window=5, context=None, catalogue=CATALOGUE, **shares):
    explained = Explained(catalogue, TRAINING, transitions_of(TRAINING, DATA), "film")
    sizes = {"window": window, "context": context}
    prompts = PromptSet.named("recommend")
    return Examples(catalogue, TRAINING, chat, prompts, explained, noun="film", shares=shares, seed=0, **sizes)


def drawn(chat, task, n=60, **others):
    """Examples of one task."""
    made = examples(chat, **{task: 1.0}, **others)
    found = [made.draw(epoch, number) for epoch in range(3) for number in range(len(made))][:n]
    kept = [example for example in found if example.task == task]
    assert len(kept) > len(found) / 2
    return kept


def read(chat, example):
    """The text, with an item as its id in brackets."""
    pieces, tokens = [], []
    for token, item in zip(example.tokens, example.items, strict=True):
        if item == NONE:
            tokens.append(int(token))
            continue
        pieces += [chat._tokenizer.decode(tokens), f"[{CATALOGUE.ids[item]}]"]
        tokens = []
    return "".join([*pieces, chat._tokenizer.decode(tokens)])


def said(chat, example):
    """What of it is in the loss, as text."""
    return chat._tokenizer.decode([int(t) for t in example.next_tokens if t != UNREAD])


def test_every_item_of_a_history_is_to_come_after_what_stands_before_it(chat):
    for example in drawn(chat, "next"):
        history = example.items[example.items != NONE]
        targets = example.next_items[example.next_items != NONE]
        assert 1 <= len(history) <= 5 and (targets[:-1] == history).all() and len(targets) == len(history) + 1
        assert targets[-1] == (history[-1] + 1) % N
        assert said(chat, example) == ""
        assert read(chat, example).endswith(f"[f{history[-1]}]")


def test_the_last_of_a_history_can_be_spelled_too(chat):
    for example in drawn(chat, "spell"):
        history = example.items[example.items != NONE]
        last = FILMS[example.next_items[example.next_items != NONE][-1]]
        assert said(chat, example) == f" {last.title}<|im_end|>"
        assert read(chat, example).endswith(f"[f{history[-1]}] {last.title}")


def test_nothing_that_was_held_out_is_learned(chat):
    held_out = {int(u): int(t[0]) for u, t in zip(ASKED.known.users, ASKED.targets, strict=True)}
    made = examples(chat, next=0.4, request=0.3, justify=0.3)
    assert len(held_out) == len(set(made.people)) == 30
    for epoch in range(3):
        for number in range(len(made)):
            example = made.draw(epoch, number)
            assert held_out[int(TRAINING.users[made.people[number]])] not in {
                *example.items.tolist(),
                *example.next_items.tolist(),
            }


def test_a_request_stands_in_the_prompt_and_the_item_meets_it(chat):
    for example in drawn(chat, "request"):
        text, target = read(chat, example), int(example.next_items.max())
        intent = parse_intent(text.split("I want: ")[1].split("<|im_end|>")[0], CATALOGUE)
        assert not intent.is_empty and matches(FILMS[target], intent.filters)
        assert (example.next_items != NONE).sum() == 1 and not example.writes
    spelled = drawn(chat, "request", spell=0.2)
    for example in spelled:  # where a mixture spells at all, it does so here too
        assert read(chat, example).endswith(f" {FILMS[int(example.next_items.max())].title}")


def test_a_reason_is_asked_for_as_in_serving_and_says_nothing_else(chat):
    for example in drawn(chat, "justify"):
        text, target = read(chat, example), int(example.next_items.max())
        assert f" {FILMS[target].title}<|im_end|>\n<|im_start|>user\nFacts:\n- " in text
        reason = said(chat, example).removesuffix("<|im_end|>")
        assert reason.endswith(".") and f"<|im_start|>assistant\n{reason}" in text
        assert 4 <= len(reason.split()) <= 40
        assert not check(reason.replace(".", ", and it is a musical."), FILMS[target], (), CATALOGUE).ok


def test_the_same_draw_gives_the_same_example_and_another_epoch_another_one(chat):
    one, again = (examples(chat, next=1.0, request=1.0) for _ in range(2))
    same = [(one.draw(1, n), again.draw(1, n)) for n in range(10)]
    assert all(np.array_equal(a.tokens, b.tokens) and np.array_equal(a.items, b.items) for a, b in same)
    assert any(not np.array_equal(one.draw(0, n).items, one.draw(1, n).items) for n in range(10))


def test_a_long_history_stands_for_each_window_that_it_fills(chat):
    made = examples(chat, window=2, next=1.0)
    lengths = [len(history) for history in TRAINING.histories]
    assert [made.people.count(row) for row in range(30)] == [-(-(length - 1) // 2) for length in lengths]


def test_what_writes_and_what_does_not_stand_in_groups_apart(chat):
    made = [example for task in ("next", "spell") for example in drawn(chat, task)[:6]]
    groups = of_like_length(made)
    assert sorted(map(len, made)) == sorted(len(example) for group in groups for example in group)
    for group in groups:
        assert len({example.writes for example in group}) == 1
        assert max(map(len, group)) <= FILLED * min(map(len, group))


def test_examples_side_by_side_are_filled_up(chat):
    made = drawn(chat, "next")[:4]
    batch = padded(made, chat.end)
    longest = max(len(example) for example in made)
    assert {values.shape for values in batch.values()} == {(4, longest)}
    for row, example in enumerate(made):
        assert batch["there"][row].sum() == len(example)
        assert (batch["next_tokens"][row, len(example) :] == UNREAD).all()
        assert (batch["items"][row, : len(example)] == example.items).all()


def test_groups_are_of_like_length_and_lose_nobody(chat):
    made = [*drawn(chat, "next")[:6], *drawn(chat, "justify")[:6]]
    groups = of_like_length(made)
    assert sorted(map(id, made)) == sorted(id(example) for group in groups for example in group)
    assert all(max(map(len, group)) <= 1.3 * min(map(len, group)) for group in groups)
    assert 2 <= len(groups) < len(made)


def test_shares_that_cannot_be_are_refused(chat):
    for shares in ({}, {"next": 0.0}, {"dance": 1.0}, {"next": -1.0, "request": 2.0}):
        with pytest.raises(InputError, match="Shares"):
            examples(chat, **shares)
