"""The real embedded model: what it scores, spells and writes. float32, so that equal means equal to rounding."""

import random
from itertools import zip_longest

import numpy as np
import pytest

from agent.errors import AssetError, InputError, PromptError
from agent.generation.base import Branch, Message, Piece
from agent.generation.local import LocalGenerator

PROMPT = (
    Message("system", "Recommend the next film."),
    Message("user", "liked Alien (1979)\nliked Blade Runner (1982)\nWhich film next?"),
    Message("assistant", "My pick for you:"),
)
TITLES = [
    "Aliens (1986)",
    "Toy Story (1995)",
    "The Godfather (1972)",
    "Big (1988)",
    "Monty Python and the Holy Grail (1974)",
]


@pytest.fixture(scope="module")
def generator(real):
    return real.generator


@pytest.fixture(scope="module")
def prefix(generator):
    return generator.read(PROMPT)


def naive(generator, prompt, title):
    """The log-probability of one title by the plainest road: the whole text through the model, token by token."""
    import torch

    head = generator._chat.encode(generator._chat.render(prompt))
    tail = generator._chat.title(title)
    with torch.inference_mode():
        logits = generator._model(torch.tensor([head + tail])).logits[0].double()
    logprobs = torch.log_softmax(logits, -1)
    return sum(float(logprobs[len(head) - 1 + i, token]) for i, token in enumerate(tail)), len(tail)


def test_packed_scores_equal_one_title_at_a_time(generator, prefix, real):
    titles = [real.lister.titles[p] for p in range(0, len(real.catalogue), 34)]
    packed = generator.score(prefix, titles)
    for place in range(0, len(titles), 6):
        total, tokens = naive(generator, PROMPT, titles[place])
        assert packed.total[place] == pytest.approx(total, abs=1e-3)
        assert packed.tokens[place] == tokens


def test_the_company_of_a_title_does_not_move_its_score(generator, prefix):
    alone = [generator.score(prefix, [title]).total[0] for title in TITLES]
    shuffled = random.Random(0).sample(range(len(TITLES)), len(TITLES))
    together = generator.score(prefix, [TITLES[p] for p in shuffled]).total
    assert together == pytest.approx([alone[p] for p in shuffled], abs=1e-3)


def test_a_prefix_is_left_as_it_was(generator, prefix):
    before = generator.score(prefix, TITLES).total
    list(generator.write(prefix, [branch()]))
    generator.spell(prefix, generator.trie(TITLES), np.ones(len(TITLES), dtype=bool), 2)
    assert generator.score(prefix, TITLES).total == pytest.approx(before, abs=0)


def test_a_history_moves_the_scores(generator, prefix):
    other = generator.read((*PROMPT[:1], Message("user", "liked Toy Story (1995)\nWhich film next?"), PROMPT[2]))
    assert not np.allclose(generator.score(prefix, TITLES).total, generator.score(other, TITLES).total, atol=0.1)


def test_no_titles_have_no_scores(generator, prefix):
    assert len(generator.score(prefix, []).total) == 0


def test_the_model_spells_only_allowed_titles_each_once_best_first(generator, prefix, real):
    allowed = np.zeros(len(real.catalogue), dtype=bool)
    allowed[::40] = True
    found = generator.spell(prefix, real.lister.trie, allowed, 8)
    places, scores = [p for p, _ in found], [s for _, s in found]
    assert len(found) == 8
    assert all(allowed[places])
    assert len({real.lister.titles[p] for p in places}) == 8
    assert scores == sorted(scores, reverse=True)
    # What it says of a title is what scoring says of it.
    assert generator.score(prefix, [real.lister.titles[p] for p in places]).mean == pytest.approx(scores, abs=1e-3)


def test_with_one_title_left_that_title_is_spelt(generator, prefix, real):
    allowed = np.zeros(len(real.catalogue), dtype=bool)
    allowed[77] = True
    assert [p for p, _ in generator.spell(prefix, real.lister.trie, allowed, 5)] == [77]


def test_nothing_allowed_spells_nothing(generator, prefix, real):
    assert generator.spell(prefix, real.lister.trie, np.zeros(len(real.catalogue), dtype=bool), 5) == []


def branch(words=None, opener="You liked Alien (1979), and"):
    closed = Message("assistant", "My pick for you: Aliens (1986)")
    asked = Message("user", "Facts:\n- It is a sci-fi film.\nSay why in one short sentence.")
    return Branch((*PROMPT[:2], closed, asked, Message("assistant", opener)), opener, words or {})


WORDS = {"it": 2, "is": 2, "a": 2, "sci-fi": 1, "film": 2, "too": 1, ".": 1}


def test_writing_side_by_side_equals_writing_alone(generator, prefix):
    branches = [branch(WORDS), branch(WORDS, "Like Alien (1979), which you liked,"), branch(WORDS, "It is")]
    together = {p.row: p.text for p in generator.write(prefix, branches) if p.done}
    alone = [next(p.text for p in generator.write(prefix, [b]) if p.done) for b in branches]
    assert [together[row] for row in range(3)] == alone


def test_writing_while_another_request_writes_equals_writing_alone(generator, prefix):
    other = generator.read((*PROMPT[:1], Message("user", "liked Heat (1995)\nWhich film next?"), PROMPT[2]))
    asked = Message("user", "Facts:\n- It is a crime film.\nSay why.")
    *before, last = (
        *other.messages[:2],
        Message("assistant", "My pick for you: Fargo (1996)"),
        asked,
        branch().messages[-1],
    )
    jobs = [(prefix, [branch(WORDS), branch()]), (other, [Branch((*before, last), last.content, WORDS)])]
    alone = [[piece for piece in generator.write(*job) if piece.done] for job in jobs]
    first, second = (generator.write(*job) for job in jobs)
    pairs = list(zip_longest(first, second))
    assert [[p for p in side if p is not None and p.done] for side in zip(*pairs, strict=True)] == alone


def test_grounded_writing_uses_only_its_words_and_ends(generator, prefix):
    *_, last = generator.write(prefix, [branch(WORDS)])
    assert last.done
    assert last.text.startswith("You liked Alien (1979), and")
    assert last.text.endswith(".")
    rest = last.text.removeprefix("You liked Alien (1979), and").rstrip(".")
    assert set(rest.split()) <= set(WORDS)


def test_what_leaves_nothing_to_choose_comes_at_once_in_its_own_place(generator, prefix):
    only = branch({"it is a crime film.": 1})
    pieces = list(generator.write(prefix, [branch(WORDS), only, branch(WORDS, "It is")]))
    assert pieces[0] == Piece(1, "You liked Alien (1979), and it is a crime film.", True)
    alone = [
        next(p.text for p in generator.write(prefix, [branch(WORDS, o)]) if p.done)
        for o in ("You liked Alien (1979), and", "It is")
    ]
    assert [next(p.text for p in pieces if p.done and p.row == row) for row in (0, 2)] == alone
    assert {p.row for p in pieces[1:]} == {0, 2}


def test_a_seed_repeats_and_another_seed_may_differ(generator, prefix):
    def write(seed):
        return [p.text for p in generator.write(prefix, [branch()], seed=seed, max_tokens=12) if p.done]

    assert write(1) == write(1)
    assert len({write(seed)[0] for seed in range(4)}) > 1


def test_closing_the_iterator_stops_the_work(generator, prefix):
    pieces = generator.write(prefix, [branch()], max_tokens=1_000)
    first = next(pieces)
    pieces.close()
    assert not first.done
    assert list(pieces) == []


def test_a_branch_of_another_conversation_is_refused(generator, prefix):
    stranger = Branch((Message("user", "hello"), Message("assistant", "Hi")), "Hi")
    with pytest.raises(InputError, match="does not continue"):
        list(generator.write(prefix, [stranger]))


def test_a_prompt_must_end_with_an_open_assistant_message(generator):
    with pytest.raises(PromptError, match="open assistant message"):
        generator.read(PROMPT[:2])


def test_a_prompt_longer_than_the_model_reads_is_refused(generator):
    with pytest.raises(InputError, match="tokens"):
        generator.read((Message("user", "word " * 20_000), PROMPT[2]))


def test_a_folder_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(AssetError, match="fetch it anew"):
        LocalGenerator(tmp_path)
