"""What the language model is tuned on: whole histories, requests, reasons made of evidence, messages and questions.

Every example is a conversation as it stands in serving, made by the same renderer from the same prompts. A history
stands in it as one vector an item, and the loss falls on what follows each: so one pass over a history trains every
place of it. What a task draws (the window, the order of what shares a time, the words of a request) is drawn anew in
each epoch, and is decided by the seed, the epoch and the person alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.generation.base import Message
from agent.generation.chat import Chat
from agent.generation.prompting import PromptSet, clean_title, continued
from agent.workspace.catalogue import Catalogue
from finetune.clarifying import Unclear
from finetune.context import Row, fitted
from finetune.evaluate.splits import Known
from finetune.explained import Explained
from finetune.intents import Messages
from finetune.requests import write_request
from finetune.training import ties_shuffled

Positions = NDArray[np.int64]
Task = Literal["next", "spell", "request", "justify", "understand", "clarify"]
TASKS: tuple[Task, ...] = get_args(Task)
NONE = -1  # no item
UNREAD = -100  # no token, as torch's cross-entropy has it
RECENT = 20  # items of a history that stand before a request
LISTED = 5  # items of a list in which a reason stands
TRIES = 8  # messages, before it is given up that one is unclear
FILLED = 1.3  # the longest of a group beside its shortest
SHARE_ASKED = 0.4  # of the reasons that answer a request
MEASURED = 64  # examples of each task, which tell how long it is
_SILENCE = np.full(1, UNREAD)


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence, place by place, all arrays (length,).

    At each place stands a token or an item (then `tokens` holds a filling). `next_items` and `next_tokens` are what is
    to come after it and counts in the loss, NONE and UNREAD where nothing does.
    """

    task: Task
    tokens: Positions
    items: Positions
    next_items: Positions
    next_tokens: Positions

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def writes(self) -> bool:
        """Whether tokens are to come, for which a model needs all its layers."""
        return bool((self.next_tokens != UNREAD).any())


class Sized(Protocol):
    """Something to be read, so many places long, after which words are to be written or not."""

    def __len__(self) -> int:
        """How many places."""

    @property
    def writes(self) -> bool:
        """Whether tokens are to come."""


Reading = TypeVar("Reading", bound=Sized)


class Examples:
    """All that one epoch after another is drawn from.

    Args:
        catalogue: positions in it are those of the histories.
        training: the histories; nothing of validation or test is in them.
        chat: the tokenizer of the model that is tuned.
        prompts: the set that serves.
        explained: makes reasons.
        noun: what an item is called.
        shares: of each task among the examples; what is not named has none.
        window: items of a history at most.
        seed: decides every draw.
        context: tokens and items of one example at most, None for any number; see `finetune.context.fitted`.

    `plain` holds the tokens of the prompt without a request, `people` the row of the person behind each number.

    Raises:
        InputError: shares that cannot be, nobody with two interactions, or a prompt that fills the context.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        training: Known,
        chat: Chat,
        prompts: PromptSet,
        explained: Explained,
        *,
        noun: str,
        shares: Mapping[str, float],
        window: int,
        seed: int,
        context: int | None = None,
    ) -> None:
        if set(shares) - set(TASKS) or min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0:
            raise InputError(f"Shares are numbers from 0 up, of {', '.join(TASKS)}; got {dict(shares)}.")
        self._catalogue, self._training, self._chat = catalogue, training, chat
        self._rank, self._reason = prompts.get("rank"), prompts.get("justify")
        reads = shares.get("understand") or shares.get("clarify")
        self._messages = Messages(catalogue, prompts, noun) if reads else None
        asks = self._messages if shares.get("clarify") else None
        self._unclear = None if asks is None else Unclear(catalogue, asks, noun)
        self._noun, self._window, self._seed, self._explained = noun, window, seed, explained
        # Somebody stands here once for each window that their history fills, so that an epoch reads all of it.
        lengths = [len(history) - 1 for history in training.histories]
        self.people = [row for row, n in enumerate(lengths) for _ in range(math.ceil(n / window))]
        if not self.people:
            raise InputError("Nobody here has two interactions, so there is nothing to learn an order from.")
        self._tasks = list(shares)
        self._spells = shares.get("spell", 0) > 0  # after a request, too: else words would be learned by the way
        self._odds = np.array([shares[task] for task in self._tasks]) / sum(shares.values())
        self.plain = self._tokens(self._asking(""))
        if context is not None and len(self.plain) >= context:
            raise InputError(
                f"The prompt rank has {len(self.plain)} tokens without a request, and the base model reads {context} "
                "tokens and items at once. Shorten the prompt, or take a model with a longer context."
            )
        self._context = context

    def __len__(self) -> int:
        return len(self.people)

    def draw(self, epoch: int, number: int) -> Example:
        """The example of one person in one epoch; always the same one.

        Where its words alone are longer than the context, the history stands without them.
        """
        found = fitted(self._whole(epoch, number), self._context)
        if found is None:
            found = fitted(self._whole(epoch, number, "next"), self._context)
        assert found is not None  # the plain prompt leaves room
        return found

    def rows(self) -> list[Row]:
        """How long examples are before anything gives way: up to MEASURED of each task, as often as it is drawn."""
        numbers = np.unique(np.linspace(0, len(self) - 1, MEASURED).astype(int)).tolist()
        told = zip(self._tasks, self._odds.tolist(), strict=True)
        wholes = [(self._whole(0, number, task), odds) for task, odds in told if odds for number in numbers]
        return [Row(one.task, len(one), int((one.items == NONE).sum()), odds) for one, odds in wholes]

    def _whole(self, epoch: int, number: int, asked: Task | None = None) -> Example:
        """An example as long as it comes, of a task that is asked for or of the one that is drawn."""
        random = np.random.default_rng([self._seed, epoch, number])
        person = self.people[number]
        history = ties_shuffled(self._training.histories[person], self._training.times[person], random)
        drawn = self._tasks[int(random.choice(len(self._tasks), p=self._odds))]
        task = asked or drawn
        found = None
        if task == "request":
            found = self._request(history, random)
        elif task == "justify":
            found = self._justify(person, history, random)
        elif task == "understand":
            found = self._understand(history, random)
        elif task == "clarify":
            found = self._clarify(history, random)
        return self._next(history, random, task == "spell") if found is None else found

    def _next(self, history: Positions, random: np.random.Generator, spelled: bool) -> Example:
        """A part of a history that ends at a random place; every item in it is to come after what stands before it.

        If the last one is spelled too, the model can also write what it would choose.
        """
        end = len(history) - int(random.integers(0, max(0, len(history) - self._window) + 1))
        chosen = history[max(0, end - self._window - 1) : end]
        said = self._title(chosen[-1]) if spelled else _SILENCE
        return self._example("spell" if spelled else "next", self.plain, chosen[:-1], chosen, said)

    def _request(self, history: Positions, random: np.random.Generator) -> Example | None:
        """A request that one item of the history meets, after some of what came before it."""
        place = int(random.integers(1, len(history)))
        before = history[max(0, place - int(random.integers(0, RECENT + 1))) : place]
        item = self._catalogue.items[history[place]]
        liked = [self._catalogue.ids[p] for p in before[-8:]]
        written = write_request(item, self._catalogue, random, liked, self._noun)
        if written is None:
            return None
        targets = np.append(np.full(len(before), NONE), history[place])
        said = self._title(history[place]) if self._spells else _SILENCE
        return self._example("request", self._tokens(self._asking(written.text)), before, targets, said)

    def _justify(self, person: int, history: Positions, random: np.random.Generator) -> Example | None:
        """A reason for one of the items that the person went on to, as it is asked for in a turn."""
        place = int(random.integers(1, len(history)))
        listed, before = history[place : place + LISTED], history[max(0, place - RECENT) : place]
        row = int(random.integers(0, len(listed)))
        asked = None
        if random.random() < SHARE_ASKED:
            asked = write_request(self._catalogue.items[listed[row]], self._catalogue, random, noun=self._noun)
        request = "" if asked is None else asked.text
        ratings = dict(zip(self._training.histories[person], self._training.values[person], strict=True))
        profile = self._explained.profile(before, np.array([ratings[p] for p in before]))
        found = self._explained.reason(profile, request, listed.tolist(), row, random)
        if found is None:
            return None
        plan, said = found
        messages = self._asking(request)
        facts = [evidence.text for evidence in plan.facts]
        whole = continued(messages, self._reason.render(title=plan.item.title, facts=facts, noun=self._noun))
        between = self._chat.encode(self._chat.continuation(self._chat.render(messages), whole))
        reason = [*self._chat.encode(said), self._chat.end]
        targets = np.append(np.full(len(before), NONE), listed[row])
        told = np.array([*between, *reason], dtype=np.int64)
        example = self._example("justify", self._tokens(messages), before, targets, told)
        unread = len(example) - len(reason)
        example.next_tokens[:unread] = UNREAD  # the question between title and reason is the prompt's
        return example

    def _understand(self, history: Positions, random: np.random.Generator) -> Example | None:
        """What a message changes, as it is asked for where the model fills it in."""
        assert self._messages is not None
        if (drawn := self._messages.draw(history, random)) is None:
            return None
        return self._answered("understand", *drawn, history)

    def _clarify(self, history: Positions, random: np.random.Generator) -> Example | None:
        """Which words of a message must be asked about, where it can mean several things."""
        assert self._unclear is not None
        drawn = next(filter(None, (self._unclear.draw(random) for _ in range(TRIES))), None)
        return None if drawn is None else self._answered("clarify", *drawn, history)

    def _answered(self, task: Task, messages: tuple[Message, ...], answer: str, history: Positions) -> Example:
        """The answer to a message, as JSON; nothing of the history is read."""
        said = np.array([*self._chat.encode(f" {answer}"), self._chat.end], dtype=np.int64)
        return self._example(task, self._tokens(messages), history[:0], np.full(1, NONE), said)

    def _example(
        self, task: Task, prompt: Positions, history: Positions, targets: Positions, said: Positions
    ) -> Example:
        """The prompt, the items, what is said; `targets` (history + 1,) follow the prompt and each item."""
        length = len(prompt) + len(history) + len(said) - 1  # the end mark is only predicted, never read
        tokens, items = np.full(length, self._chat.end), np.full(length, NONE)
        next_items, next_tokens = np.full(length, NONE), np.full(length, UNREAD)
        begun, ended = len(prompt), len(prompt) + len(history)
        tokens[:begun] = prompt
        items[begun:ended] = history
        tokens[ended:] = said[:-1]
        next_items[begun - 1 : ended] = targets
        next_tokens[ended - 1 :] = said
        return Example(task, tokens, items, next_items, next_tokens)

    def _asking(self, request: str) -> tuple[Message, ...]:
        return self._rank.render(history=[], request=request, noun=self._noun)

    def _tokens(self, messages: tuple[Message, ...]) -> Positions:
        return np.array(self._chat.encode(self._chat.render(messages)), dtype=np.int64)

    def _title(self, position: int) -> Positions:
        return np.array(self._chat.title(clean_title(self._catalogue.items[position].title)), dtype=np.int64)


def of_like_length(examples: Sequence[Reading]) -> list[list[Reading]]:
    """Examples in groups, none of which is filled up by more than FILLED of its shortest: filling costs like text.

    What writes and what does not stand apart, since the latter may need fewer layers.
    """
    groups: list[list[Reading]] = []
    for example in sorted(examples, key=lambda e: (e.writes, len(e))):
        first = groups[-1][0] if groups else None
        if first is not None and first.writes == example.writes and len(example) <= FILLED * len(first):
            groups[-1].append(example)
        else:
            groups.append([example])
    return groups


def padded(examples: Sequence[Example], end: int) -> dict[str, Positions]:
    """Examples side by side, (examples, longest) each, with `there` False where one has ended."""
    longest = max(len(example) for example in examples)
    filling = {"tokens": end, "items": NONE, "next_items": NONE, "next_tokens": UNREAD}
    batch = {name: np.full((len(examples), longest), value) for name, value in filling.items()}
    batch["there"] = np.zeros((len(examples), longest), dtype=np.int64)
    for row, example in enumerate(examples):
        for name in filling:
            batch[name][row, : len(example)] = getattr(example, name)
        batch["there"][row, : len(example)] = 1
    return batch
