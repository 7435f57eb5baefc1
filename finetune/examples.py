"""What the language model is tuned on: whole histories, requests made of facts, and reasons made of evidence.

Every example is a conversation as it stands in serving, made by the same renderer from the same prompts. A history
stands in it as one vector an item, and the loss falls on what follows each: so one pass over a history trains every
place of it. What a task draws (the window, the order of what shares a time, the words of a request) is drawn anew in
each epoch, and is decided by the seed, the epoch and the person alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agent.errors import InputError
from agent.generation.chat import Chat
from agent.generation.prompting import PromptSet, clean_title, continued
from agent.workspace.catalogue import Catalogue
from finetune.behaviour import ties_shuffled
from finetune.evaluate.splits import Known
from finetune.explained import Explained
from finetune.requests import write_request

Positions = NDArray[np.int64]
Task = Literal["next", "request", "justify"]
TASKS: tuple[Task, ...] = get_args(Task)
NONE = -1  # no item
UNREAD = -100  # no token, as torch's cross-entropy has it
RECENT = 20  # items of a history that stand before a request
LISTED = 5  # items of a list in which a reason stands
FILLED = 1.3  # the longest of a group beside its shortest
SHARE_ASKED = 0.4  # of the reasons that answer a request


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

    `plain` holds the tokens of the prompt without a request.

    Raises:
        InputError: shares that cannot be, or nobody with two interactions.
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
    ) -> None:
        if set(shares) - set(TASKS) or min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0:
            raise InputError(f"Shares are numbers from 0 up, of {', '.join(TASKS)}; got {dict(shares)}.")
        self._catalogue, self._training, self._chat = catalogue, training, chat
        self._rank, self._reason = prompts.get("rank"), prompts.get("justify")
        self._noun, self._window, self._seed, self._explained = noun, window, seed, explained
        self._people = [row for row, history in enumerate(training.histories) if len(history) >= 2]
        if not self._people:
            raise InputError("Nobody here has two interactions, so there is nothing to learn an order from.")
        self._tasks = list(shares)
        self._odds = np.array([shares[task] for task in self._tasks]) / sum(shares.values())
        self.plain = self._prompt("")

    def __len__(self) -> int:
        return len(self._people)

    def draw(self, epoch: int, number: int) -> Example:
        """The example of one person in one epoch; always the same one."""
        random = np.random.default_rng([self._seed, epoch, number])
        person = self._people[number]
        history = ties_shuffled(self._training.histories[person], self._training.times[person], random)
        task = self._tasks[int(random.choice(len(self._tasks), p=self._odds))]
        found = None
        if task == "request":
            found = self._request(history, random)
        elif task == "justify":
            found = self._justify(person, history, random)
        return self._next(history, random) if found is None else found

    def _next(self, history: Positions, random: np.random.Generator) -> Example:
        """A part of a history that ends at a random place; every item in it is to come after what stands before it.

        The last one is spelled too, so that the model can also write what it would choose.
        """
        end = len(history) - int(random.integers(0, max(0, len(history) - self._window) + 1))
        chosen = history[max(0, end - self._window - 1) : end]
        return self._example("next", self.plain, chosen[:-1], chosen, self._title(chosen[-1]))

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
        return self._example("request", self._prompt(written.text), before, targets, self._title(history[place]))

    def _justify(self, person: int, history: Positions, random: np.random.Generator) -> Example | None:
        """A reason for one of the items that the person went on to, as it is asked for in a turn."""
        place = int(random.integers(1, len(history)))
        listed = random.permutation(history[place : place + LISTED])
        chosen, before = int(listed[0]), history[max(0, place - RECENT) : place]
        asked = None
        if random.random() < SHARE_ASKED:
            asked = write_request(self._catalogue.items[chosen], self._catalogue, random, noun=self._noun)
        request = "" if asked is None else asked.text
        ratings = dict(zip(self._training.histories[person], self._training.values[person], strict=True))
        profile = self._explained.profile(before, np.array([ratings[p] for p in before]))
        row = int(random.integers(0, len(listed)))
        listed[[0, row]] = listed[[row, 0]]
        found = self._explained.reason(profile, request, listed, row, random)
        if found is None:
            return None
        plan, said = found
        messages = self._rank.render(history=[], request=request, noun=self._noun)
        facts = [evidence.text for evidence in plan.facts]
        whole = continued(messages, self._reason.render(title=plan.item.title, facts=facts, noun=self._noun))
        between = self._chat.encode(self._chat.continuation(self._chat.render(messages), whole))
        reason = [*self._chat.encode(said), self._chat.end]
        targets = np.append(np.full(len(before), NONE), chosen)
        example = self._example(
            "justify", self._prompt(request), before, targets, np.array([*between, *reason], dtype=np.int64)
        )
        unread = len(example) - len(reason)
        example.next_tokens[:unread] = UNREAD  # the question between title and reason is the prompt's
        return example

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

    def _prompt(self, request: str) -> Positions:
        messages = self._rank.render(history=[], request=request, noun=self._noun)
        return np.array(self._chat.encode(self._chat.render(messages)), dtype=np.int64)

    def _title(self, position: int) -> Positions:
        return np.array(self._chat.title(clean_title(self._catalogue.items[position].title)), dtype=np.int64)


def of_like_length(examples: Sequence[Example]) -> list[list[Example]]:
    """Examples in groups, none of which is filled up by more than FILLED of its shortest: filling costs like text."""
    groups: list[list[Example]] = []
    for example in sorted(examples, key=len):
        if groups and len(example) <= FILLED * len(groups[-1][0]):
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
