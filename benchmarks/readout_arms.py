"""The ways in which a language model can say which item comes next, one class each; see `readouts.py`.

Each has `parts`, which gives the loss of a batch of people in pieces that are small enough for memory, and `scores`,
which says how likely each candidate of a choice is, higher is better. All read the same prompt of the set that serves,
but for the lettered ones, whose candidates must stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from readout_people import Asked, Ground  # type: ignore[import-not-found]
from torch.nn.functional import cross_entropy

from agent.generation.base import Message
from agent.generation.chat import Chat
from agent.generation.loading import load_model
from finetune.examples import Examples, of_like_length, padded
from finetune.explained import Explained
from finetune.recipe import SftConfig
from finetune.sft import next_items, with_lora
from finetune.training import touched_in

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]
HISTORY = 12  # titles of a history that are read as text, as a turn has them
PLACES, NEGATIVES = 4, 7  # of a history at which candidates are contrasted, and the wrong ones at each
LETTERS = 25  # candidates in a prompt: two prompts hold all of them


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a batch: its mean loss, how many tokens and items were read, and how many choices were learned."""

    loss: torch.Tensor
    places: int
    choices: int


class Arm(Protocol):
    """One readout; `batch` is how many people make a step: so many that it reads 300 to 700 tokens or items."""

    batch: int

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """The loss of a batch, piece by piece."""

    def scores(self, asked: Asked) -> Floats:
        """(candidates,), higher is likelier."""


class Reader:
    """The language model with LoRA and item vectors, and how histories of titles stand before it."""

    def __init__(self, ground: Ground, config: SftConfig) -> None:
        base, tokenizer = load_model(ground.model)
        self.ground, self.config = ground, config
        self.touched = touched_in(ground.training.histories, len(ground.texts))
        self.texts = torch.from_numpy(ground.texts)
        self.model: Any = with_lora(base, self.texts, torch.from_numpy(~self.touched), config)
        self.base: Any = base
        self.chat = Chat(tokenizer)
        opening = ground.prompts.get("rank").render(history=[], request="", noun=ground.noun)
        self.opening = self.chat.encode(self.chat.render(opening))
        self.titles = [self.chat.title(title) for title in ground.titles]  # with the mark that ends each
        self.line = self.chat.encode("\n-")

    def serve(self) -> None:
        """From training to asking, as a turn does it: merged into the weights, with fused attention."""
        self.model.eval()
        self.model.merge_adapter()
        self.base.set_attn_implementation("sdpa")

    def story(self, history: Positions) -> tuple[list[int], list[int]]:
        """The tokens of a prompt with these titles, and the places after which each of them, and the next, begins."""
        tokens = list(self.opening)
        asks = [len(tokens) - 1]
        for item in history:
            tokens += [*self.titles[item][:-1], *self.line]
            asks.append(len(tokens) - 1)
        return tokens, asks

    def window(self, person: int, random: np.random.Generator) -> tuple[Positions, int]:
        """A random part of a history, HISTORY + 1 items at most, and the place where it begins."""
        history = self.ground.training.histories[person]
        begin = int(random.integers(0, max(0, len(history) - HISTORY - 1) + 1))
        return history[begin : begin + HISTORY + 1], begin

    def states(self, tokens: Sequence[int], **more: torch.Tensor) -> torch.Tensor:
        """(tokens, hidden): the last states."""
        found: torch.Tensor = self.base.model(torch.tensor([tokens]), use_cache=False, **more).last_hidden_state[0]
        return found

    def title_scores(self, tokens: list[int], branches: Sequence[tuple[int, int]]) -> torch.Tensor:
        """(branches,): the log-probability of each title, its end included, after a place of the prompt; one pass.

        A branch is (the place, the item). It sees the prompt up to its place, and itself, and no other branch.
        """
        length = len(tokens)
        fed = list(tokens)
        owner: list[int] = []
        position: list[int] = []
        rows: list[int] = []
        wanted: list[int] = []
        number: list[int] = []
        for branch, (ask, item) in enumerate(branches):
            title = self.titles[item]
            rows += [ask, *range(len(fed), len(fed) + len(title) - 1)]
            fed += title[:-1]
            owner += [branch] * (len(title) - 1)
            position += range(ask + 1, ask + len(title))
            wanted += title
            number += [branch] * len(title)
        own = torch.tensor(owner)
        sees = torch.ones(len(fed), len(fed), dtype=torch.bool).tril()
        sees[length:, :length] = torch.arange(length) <= torch.tensor([ask for ask, _ in branches])[own][:, None]
        sees[length:, length:] &= own[:, None] == own
        mask = torch.zeros(sees.shape, dtype=self.base.dtype).masked_fill_(~sees, torch.finfo(self.base.dtype).min)
        states = self.states(
            fed, attention_mask=mask[None, None], position_ids=torch.tensor([[*range(length), *position]])
        )
        logits = self.base.lm_head(states[rows]).float()
        said = -cross_entropy(logits, torch.tensor(wanted), reduction="none")
        return said.new_zeros(len(branches)).index_add(0, torch.tensor(number), said)


class NextTitle:
    """(a) Trained to write every title of a history after those before it; scored by a title's log-probability."""

    batch = 2

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """See `Arm`."""
        for person in people:
            chosen, _ = self.reader.window(person, random)
            tokens, asks = self.reader.story(chosen[:-1])
            titles = [self.reader.titles[item] for item in chosen]
            tokens += titles[-1][:-1]
            rows = [ask + n for ask, title in zip(asks, titles, strict=True) for n in range(len(title))]
            logits = self.reader.base.lm_head(self.reader.states(tokens)[rows]).float()
            loss = cross_entropy(logits, torch.tensor([token for title in titles for token in title]))
            yield Part(loss, len(tokens), len(chosen))

    def scores(self, asked: Asked) -> Floats:
        """See `Arm`."""
        tokens, asks = self.reader.story(asked.history[-HISTORY:])
        said = self.reader.title_scores(tokens, [(asks[-1], int(item)) for item in asked.candidates])
        return said.double().numpy()


class Untuned(NextTitle):
    """The model as it came, read as it serves: the mean log-probability of a token (docs/log.md)."""

    def scores(self, asked: Asked) -> Floats:
        """See `Arm`."""
        lengths = [len(self.reader.titles[item]) for item in asked.candidates]
        return np.asarray(super().scores(asked) / lengths)


class Contrast(NextTitle):
    """(a') The same readout, trained to tell the next title from retrieved ones by their log-probabilities."""

    batch = 1

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """See `Arm`."""
        for person in people:
            chosen, begin = self.reader.window(person, random)
            tokens, asks = self.reader.story(chosen[:-1])
            places = random.permutation(np.arange(1 if begin == 0 else 0, len(chosen)))[:PLACES]
            branches = []
            for place in places:
                candidates = self.reader.ground.place(person, begin + int(place)).candidates
                wrong = random.permutation(candidates[candidates != chosen[place]])[:NEGATIVES]
                branches += [(asks[place], int(item)) for item in (chosen[place], *wrong)]
            said = self.reader.title_scores(tokens, branches).view(len(places), -1)
            read = len(tokens) + sum(len(self.reader.titles[item]) - 1 for _, item in branches)
            yield Part(cross_entropy(said, said.new_zeros(len(places), dtype=torch.long)), read, len(places))


class Letters:
    """(b) Candidates stand in the prompt behind letters, in a new order each time; the letter is what is told."""

    batch = 1
    question = "Which one did I choose next?"

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        spelled = [reader.chat.encode(f" {chr(ord('A') + n)}") for n in range(LETTERS)]
        self.letters = torch.tensor(spelled)[:, 0]

    def prompt(self, asked: Asked, places: Positions) -> list[int]:
        """The tokens of a prompt with the candidates at these places."""
        titles, noun = self.reader.ground.titles, self.reader.ground.noun
        history = "\n".join(f"- {titles[item]}" for item in asked.history[-HISTORY:])
        lines = "\n".join(f"{chr(ord('A') + n)}. {self.line(asked, place)}" for n, place in enumerate(places))
        question = f"I chose these {noun}s, in order:\n{history}\n\n{self.question}\n{lines}"
        messages = [Message("system", f"You recommend {noun}s."), Message("user", question)]
        return self.reader.chat.encode(self.reader.chat.render([*messages, Message("assistant", "Answer:")]))

    def line(self, asked: Asked, place: int) -> str:
        """How a candidate stands in the prompt."""
        return str(self.reader.ground.titles[asked.candidates[place]])

    def said(self, tokens: list[int]) -> torch.Tensor:
        """(LETTERS,): the logits of the letters after a prompt."""
        logits: torch.Tensor = self.reader.base.lm_head(self.reader.states(tokens)[-1])[self.letters].float()
        return logits

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """See `Arm`."""
        for _ in people:
            asked = self.reader.ground.found(random)
            others = np.delete(np.arange(len(asked.candidates)), asked.chosen)
            places = random.permutation([asked.chosen, *random.permutation(others)[: LETTERS - 1]])
            tokens = self.prompt(asked, places)
            right = torch.from_numpy(np.flatnonzero(places == asked.chosen))
            yield Part(cross_entropy(self.said(tokens)[None, : len(places)], right), len(tokens), 1)

    def scores(self, asked: Asked) -> Floats:
        """The log-probability of each one's letter, in two prompts that hold half of them each, drawn at random."""
        random = np.random.default_rng([self.reader.config.seed, len(asked.history), int(asked.history[-1])])
        found = np.zeros(len(asked.candidates))
        for places in np.array_split(random.permutation(len(found)), -(-len(found) // LETTERS)):
            said = self.said(self.prompt(asked, places))[: len(places)]
            found[places] = torch.log_softmax(said, 0).double().numpy()
        return found


class LettersTold(Letters):
    """(b+) The same, and beside each candidate what retrieval knows of it."""

    question = "Which one did I choose next? Behind each, its rank in a search and how many chose it after one of mine."

    def line(self, asked: Asked, place: int) -> str:
        """The title, its rank in retrieval, and how many others chose it soon after one recent title."""
        return f"{super().line(asked, place)} (rank {place + 1}, {asked.followed[place]} people)"


class States:
    """(c) Titles are read as text; the state after each meets the vectors of all items, in full cross-entropy."""

    batch = 2

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def logits(self, history: Positions, forget: float) -> tuple[torch.Tensor, int]:
        """(history + 1, items): what comes after the prompt and after each title, and how many tokens were read."""
        items, texts = self.reader.base.items, self.reader.texts
        tokens, asks = self.reader.story(history)
        table = items.table(texts, torch.arange(len(texts)), forget)
        return items.answer(self.reader.states(tokens)[asks], table), len(tokens)

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """See `Arm`."""
        untouched = torch.from_numpy(~self.reader.touched)
        for person in people:
            chosen, _ = self.reader.window(person, random)
            logits, read = self.logits(chosen[:-1], self.reader.config.forget)
            loss = cross_entropy(logits.masked_fill(untouched, -torch.inf), torch.from_numpy(chosen))
            yield Part(loss, read, len(chosen))

    def scores(self, asked: Asked) -> Floats:
        """See `Arm`."""
        logits, _ = self.logits(asked.history[-HISTORY:], 0.0)
        return logits[-1, torch.from_numpy(asked.candidates)].double().numpy()


class Vectors:
    """(d) Histories are read as vectors, one place an item, as in `vouchrec finetune sft`; the answer is as in (c)."""

    batch = 4

    def __init__(self, reader: Reader) -> None:
        self.reader, ground, config = reader, reader.ground, reader.config
        explained = Explained(ground.catalogue, ground.training, ground.transitions, ground.noun)
        self.examples = Examples(
            ground.catalogue, ground.training, reader.chat, ground.prompts, explained, noun=ground.noun,
            shares={"next": 1.0}, window=config.window, seed=config.seed,
        )  # fmt: skip

    def parts(self, people: Sequence[int], random: np.random.Generator) -> Iterator[Part]:
        """See `Arm`."""
        epoch, numbers = int(random.integers(1 << 30)), random.integers(0, len(self.examples), len(people))
        drawn = [self.examples.draw(epoch, int(number)) for number in numbers]
        parts = [padded(group, self.reader.chat.end) for group in of_like_length(drawn)]
        tensors = [{name: torch.from_numpy(values) for name, values in part.items()} for part in parts]
        choices = sum(int((example.next_items >= 0).sum()) for example in drawn)
        yield Part(self.reader.model(parts=tensors)["loss"], sum(map(len, drawn)), choices)

    def scores(self, asked: Asked) -> Floats:
        """See `Arm`."""
        config = self.reader.config
        found = next_items(
            self.reader.base, self.examples.plain, [asked.history], self.reader.ground.texts, config.window,
            config.depth,
        )  # fmt: skip
        return np.asarray(found[0, asked.candidates], dtype=np.float64)


class FirstLayers(Vectors):
    """(d10) The same, where ten of the thirty layers are enough."""


ARMS: dict[str, type[Any]] = {
    "d10": FirstLayers, "d": Vectors, "c": States, "a": NextTitle, "untuned": Untuned, "a'": Contrast,
    "b+": LettersTold, "b": Letters,
}  # fmt: skip
DEPTH = {"d10": 10}  # layers that are read; all of them elsewhere
