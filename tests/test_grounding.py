import random

from hypothesis import example, given
from hypothesis import strategies as st

from agent.generation.grounding import WordMask

END = 1_000
LETTERS = {c: i for i, c in enumerate(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-'.,!()")}
BACK = {i: c for c, i in LETTERS.items()}
WORDS = {"it": 2, "is": 2, "a": 2, "film": 2, "sci-fi": 1, "Alien (1979)": 1, ",": 2, ".": 1}


def encode(text: str) -> list[int]:
    """A tokenizer of single characters: every word is several tokens long."""
    return [LETTERS[c] for c in text]


def write(mask: WordMask, choose: random.Random, steps: int = 400) -> str:
    said = []
    for _ in range(steps):
        token = choose.choice(mask.allowed())
        mask.advance(token)
        if token == END:
            return "".join(said)
        said.append(BACK[token])
    raise AssertionError(f"did not end: {''.join(said)}")


@given(st.integers(0, 10_000))
@example(1177)  # a comma, when no word was left to follow it
def test_whatever_a_model_prefers_only_allowed_words_come_out(seed):
    said = write(WordMask(WORDS, encode, END), random.Random(seed))
    rest = said.replace("Alien (1979)", "").replace("sci-fi", "")
    assert set(rest.replace(",", "").replace(".", "").split()) <= {"it", "is", "a", "film"}
    assert said.endswith(".")
    assert said.count("Alien (1979)") <= 1
    assert said.count("sci-fi") <= 1


@given(st.integers(0, 1_000))
def test_no_word_follows_itself_and_no_comma_opens(seed):
    said = write(WordMask(WORDS, encode, END), random.Random(seed)).split()
    assert all(a != b for a, b in zip(said, said[1:], strict=False))
    assert not said[0].startswith(",")


def test_a_sentence_cannot_end_before_it_has_said_something():
    mask = WordMask({"it": 2, ".": 1}, encode, END, least=2)
    assert LETTERS["."] not in mask.allowed()


def test_after_the_full_stop_only_the_end_is_left():
    mask = WordMask({"it": 3, "is": 3, ".": 1}, encode, END, least=1)
    for c in " it.":
        assert LETTERS[c] in mask.allowed()
        mask.advance(LETTERS[c])
    assert mask.allowed() == [END]


def test_a_word_that_begins_another_leaves_both_open():
    mask = WordMask({"film": 2, "film-noir": 1, ".": 1}, encode, END)
    for c in " film":
        mask.advance(LETTERS[c])
    assert LETTERS["-"] in mask.allowed()
    assert LETTERS[" "] in mask.allowed()
