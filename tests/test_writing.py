"""Several requests writing at once: each as if it were alone, nobody paying for who has left or failed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier, RLock

import pytest

from agent.generation import writing as module
from agent.generation.base import Branch
from agent.generation.grounding import WordMask
from agent.generation.packing import read_together
from agent.generation.writing import AHEAD, Writers, Writing

LETTERS = "\0 .,abcdefghijklmnopqrstuvwxyz"
WORDS = {"a": 2, "film": 2, "and": 1, "funny": 1, "fun": 1, "tense": 1, ",": 1, ".": 1}


class Letters:
    """A tokenizer of letters; the first ends a message."""

    end = 0

    def encode(self, text):
        return [LETTERS.index(letter) for letter in text]

    def decode(self, tokens):
        return "".join(LETTERS[token] for token in tokens if token)


SHAPE = {
    "vocab_size": len(LETTERS), "hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 3,
    "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 16, "initializer_range": 0.3, "pad_token_id": 0,
}  # fmt: skip


@pytest.fixture(scope="module", params=["float32", "bfloat16", "an attention of its own"])
def model(request):
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    if request.param == "an attention of its own":  # which caps its scores
        config = Gemma2Config(**SHAPE, query_pre_attn_scalar=16, attn_logit_softcapping=1.0)
        config._attn_implementation = "eager"
        return Gemma2ForCausalLM(config).float().eval()
    return LlamaForCausalLM(LlamaConfig(**SHAPE)).to(getattr(torch, request.param)).eval()


REQUESTS = {
    "you liked heat": ((", it is a", WORDS), ("like that, it is", WORDS), ("this is a long beginning of", WORDS)),
    "something funny please": (("it is", WORDS),),
    "a": (("as you asked, it is", WORDS), ("it is", {})),
    "what people did": (("free", {}), ("freely, and longer", {}), ("x", WORDS), ("it is", WORDS)),
}
"""By prefix: what follows on each branch, and its words; without words it writes freely."""


def start(model, prefix, branches, seed=None, most=20):
    import torch

    chat = Letters()

    def begin():
        with torch.inference_mode():
            cache = model.model(torch.tensor([chat.encode(prefix)]), use_cache=True).past_key_values
        opened = [Branch((), text, words) for text, words in branches]
        return Writing(model, chat, cache, [text for text, _ in branches], opened, seed, most)

    return begin


def written(pieces):
    return {piece.row: piece.text for piece in pieces if piece.done}


def alone(model, prefix, **options):
    return written(Writers(model, RLock()).write(start(model, prefix, REQUESTS[prefix], **options)))


def in_turns(writers):
    """The texts of iterators that take turns, a piece at a time, by place; an exception where one failed."""
    texts, open_ = [{} for _ in writers], set(range(len(writers)))
    while open_:
        for place in sorted(open_):
            try:
                piece = next(writers[place])
            except StopIteration:
                open_.discard(place)
            except Exception as error:
                texts[place] = error
                open_.discard(place)
            else:
                texts[place] |= {piece.row: piece.text} if piece.done else {}
    return texts


@contextmanager
def watched(monkeypatch, fails=lambda fed: False):
    """What goes through the model, pass by pass: a list of what each request feeds."""
    passes = []

    def read(model, fed):
        if fails(fed):
            raise MemoryError("too much")
        passes.append(fed)
        return read_together(model, fed)

    with monkeypatch.context() as patched:
        patched.setattr(module, "read_together", read)
        yield passes


def by_the_plainest_road(model, prefix, text, words, most=20):
    """One branch, the whole text through the model for every letter."""
    import torch

    chat, told = Letters(), []
    mask = WordMask(words, chat.encode, chat.end) if words else None
    while len(told) < most and chat.end not in told:
        with torch.inference_mode():
            logits = model(torch.tensor([chat.encode(prefix + text) + told])).logits[0, -1].float()
        tokens = mask.allowed() if mask else list(range(len(LETTERS)))
        told.append(max(tokens, key=lambda token: logits[token]))
        if mask:
            mask.advance(told[-1])
    return (text + chat.decode(told)).strip()


@pytest.mark.parametrize("prefix", REQUESTS)
def test_what_is_written_is_what_the_plainest_road_gives(model, prefix):
    if str(model.dtype) == "torch.bfloat16":
        pytest.skip("the whole text at once is rounded otherwise there")
    expected = {row: by_the_plainest_road(model, prefix, *branch) for row, branch in enumerate(REQUESTS[prefix])}
    before = model.config._attn_implementation
    assert alone(model, prefix) == expected
    assert model.config._attn_implementation == before  # everything else attends as it did


@pytest.mark.parametrize("seed", [None, 3])
def test_in_company_each_writes_what_it_writes_alone(model, seed):
    expected = [alone(model, prefix, seed=seed) for prefix in REQUESTS]
    writers = Writers(model, RLock())
    together = in_turns([writers.write(start(model, p, b, seed)) for p, b in REQUESTS.items()])
    assert together == expected
    assert all(len(texts) == len(REQUESTS[prefix]) for texts, prefix in zip(together, REQUESTS, strict=True))


def test_threads_may_write_at_the_same_time(model):
    expected = [alone(model, prefix) for prefix in REQUESTS] * 2
    writers, begin = Writers(model, RLock()), Barrier(2 * len(REQUESTS))

    def write(prefix):
        begin.wait()
        return written(writers.write(start(model, prefix, REQUESTS[prefix])))

    with ThreadPoolExecutor(begin.parties) as threads:
        assert list(threads.map(write, [*REQUESTS] * 2)) == expected
    assert not writers._all


def test_a_step_is_made_for_all_who_write(model, monkeypatch):
    prefix, branches = next(iter(REQUESTS.items()))
    with watched(monkeypatch) as passes:
        alone(model, prefix)
    steps = len(passes) - 1  # the first read the branches
    writers = Writers(model, RLock())
    with watched(monkeypatch) as passes:
        in_turns([writers.write(start(model, prefix, branches)) for _ in range(5)])
    met, opening = set(), []
    for fed in passes:
        new = {id(one.packed) for one in fed} - met
        opening += [fed] if new else []
        met |= new
    assert len(opening) == 5 and all(len(fed) == 1 for fed in opening)
    # Whoever came later was joined by those who wrote already: not five times the steps of one.
    assert max(map(len, passes)) == 5 and len(passes) - len(opening) < 2 * steps


def test_long_branches_are_read_in_portions_and_lose_nothing(model, monkeypatch):
    expected = alone(model, "what people did")
    monkeypatch.setattr(module, "OPENED", 10)
    with watched(monkeypatch) as passes:
        assert alone(model, "what people did") == expected
    assert [len(fed[0].tokens) for fed in passes[:2]] == [10, len("freely, and longer")]  # a branch is not cut


def test_who_leaves_costs_nothing_from_the_next_step_on(model, monkeypatch):
    prefixes = [*REQUESTS][:3]
    expected = alone(model, prefixes[0])
    writers = Writers(model, RLock())
    with watched(monkeypatch) as passes:
        stays, leaves, never = (writers.write(start(model, p, REQUESTS[p])) for p in prefixes)
        with closing(leaves):
            texts = written([next(stays)])
            next(leaves)
            next(stays)
            rooms = {id(one.packed) for one in passes[1]}  # the pass that read its branches
        never.close()
        before = len(passes)
        assert texts | written(stays) == expected
    assert all(id(one.packed) not in rooms for fed in passes[before:] for one in fed)
    assert not writers._all


def test_nobody_is_written_for_further_than_a_few_steps_ahead(model, monkeypatch):
    slow, quick = [*REQUESTS][0], [*REQUESTS][3]
    expected = alone(model, slow)
    writers = Writers(model, RLock())
    waiting = writers.write(start(model, slow, REQUESTS[slow]))
    begun = written([next(waiting)])
    with watched(monkeypatch) as passes:
        list(writers.write(start(model, quick, REQUESTS[quick])))
    assert [len(fed) for fed in passes].count(2) == AHEAD
    assert begun | written(waiting) == expected


class Broken(Letters):
    """Fails at its third word."""

    def __init__(self):
        self.left = 10

    def decode(self, tokens):
        self.left -= 1
        if self.left < 0:
            raise ValueError("broken")
        return super().decode(tokens)


def test_an_error_of_one_is_its_own(model):
    prefixes = [*REQUESTS]
    expected = [alone(model, prefix) for prefix in prefixes]
    writers = Writers(model, RLock())
    begins = [start(model, prefix, REQUESTS[prefix]) for prefix in prefixes]

    def broken():
        writing = begins[1]()
        writing._chat = Broken()
        return writing

    together = in_turns([writers.write(begin) for begin in (begins[0], broken, *begins[2:])])
    assert str(together[1]) == "broken"
    assert [together[place] for place in (0, 2, 3)] == [expected[place] for place in (0, 2, 3)]


def test_where_there_is_no_room_for_all_each_is_served_alone(model, monkeypatch):
    expected = [alone(model, prefix) for prefix in REQUESTS]
    writers = Writers(model, RLock())
    with watched(monkeypatch, fails=lambda fed: len(fed) > 2) as passes:
        together = in_turns([writers.write(start(model, p, b)) for p, b in REQUESTS.items()])
    assert together == expected and max(map(len, passes)) <= 2


def test_a_pass_that_fails_for_one_alone_is_an_error(model, monkeypatch):
    writers = Writers(model, RLock())
    with watched(monkeypatch, fails=lambda fed: True), pytest.raises(MemoryError):
        list(writers.write(start(model, "a", REQUESTS["a"])))
    assert not writers._all
