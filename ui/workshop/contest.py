"""Two contenders answer the same request, shown without their names and in a random order, until a vote is stored."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.adapted import Loaded
from agent.errors import InputError
from agent.schema import Reply
from agent.trial import Trial, adapter_names, generator_with
from agent.votes import Side, Standing, Verdict, Vote, tally
from ui.workshop.bench import Bench, Stop

if TYPE_CHECKING:
    from agent import Agent
    from agent.generation.base import Generator

AS_SERVED, BASE = "as served", "the base model alone"
ADAPTER, PROMPTS, EDITED = "adapter ", "prompts ", "edited prompts "
Load = Callable[["Agent", str | None], "Generator[Any, Any, Any]"]


@dataclass(frozen=True, slots=True)
class Round:
    """One comparison. `replies` and `names` stand as they are shown: left, right."""

    vote_id: str
    user_id: str | None
    request: str
    names: tuple[str, str]
    replies: tuple[Reply, Reply]

    @property
    def is_same(self) -> bool:
        """Whether both gave the same list with the same reasons, so that neither can be better."""
        left, right = ([(r.item.item_id, r.justification) for r in reply.recommendations] for reply in self.replies)
        return left == right

    @property
    def sides(self) -> tuple[Side, Side]:
        """What stood where."""
        left, right = (Side.of(name, reply) for name, reply in zip(self.names, self.replies, strict=True))
        return left, right


class Contest:
    """Comparisons at one bench; `load` reads a model with an adapter, or with none."""

    def __init__(self, bench: Bench, load: Load = generator_with) -> None:
        self._bench = bench
        self._models: Loaded[str | None, Generator[Any, Any, Any]] = Loaded(lambda adapter: load(bench.agent, adapter))

    def contenders(self) -> list[str]:
        """What can be compared: the agent as it serves, its adapters, the other prompt sets, and unsaved edits."""
        bench = self._bench
        agent, sets = bench.agent, bench.sets()
        serving = agent.generator.adapter
        others = [f"{ADAPTER}{name}" for name in adapter_names(agent) if name != serving]
        base = [BASE] if serving is not None else []
        edited = [f"{EDITED}{label}" for label in bench.edited_sets()]
        prompts = [f"{PROMPTS}{label}" for label, spec in sets.items() if spec != agent.settings.prompts]
        return [AS_SERVED, *base, *others, *edited, *prompts]

    def begin(
        self, one: str, other: str, user_id: str | None, request: str, stop: Stop = lambda: False
    ) -> Round | None:
        """Ask both in a random order; None where it was stopped before both had answered.

        Raises:
            InputError: a contender that there is not, two that are the same, a request that cannot be read.
            AdapterError, PromptError: a contender that cannot answer.
        """
        if one == other:
            raise InputError("A comparison needs two different contenders. Choose another one.")
        names = (one, other) if random.random() < 0.5 else (other, one)
        with ExitStack() as stack:
            left, right = (stack.enter_context(self._contender(name)) for name in names)
            replies: tuple[Reply, Reply] | None = None
            for told in self._bench.side_by_side((left, right), user_id, request, stop):
                replies = told
        if replies is None or stop():
            return None
        met = Round(uuid.uuid4().hex, user_id or None, request, names, replies)
        if met.sides[0].key == met.sides[1].key:
            raise InputError(f"{one!r} and {other!r} are the same model with the same prompts. Choose another one.")
        return met

    def vote(self, met: Round, verdict: Verdict) -> Vote:
        """Store the verdict, once and for good. InputError where one was stored, or neither can be better."""
        if met.is_same and verdict in ("left", "right"):
            raise InputError("Both gave the same, so neither is better. It is a tie, or both are bad.")
        left, right = met.sides
        vote = Vote(met.vote_id, met.user_id, met.request, left, right, verdict, time.time())
        self._bench.agent.workspace.store.put_vote(vote)
        return vote

    def standings(self) -> list[Standing]:
        """What all votes of the workspace add up to."""
        return tally(self._bench.agent.workspace.store.votes())

    @contextmanager
    def _contender(self, name: str) -> Iterator[Trial]:
        bench = self._bench
        if name not in self.contenders():
            raise InputError(f"There is no contender {name[:80]!r} any more. Choose one of the menu.")
        if name.startswith(ADAPTER) or name == BASE:
            yield Trial(bench.agent, generator=self._models.get(None if name == BASE else name.removeprefix(ADAPTER)))
        elif name.startswith(EDITED):
            with bench.drafts.applied(bench.chosen(bench.sets()[name.removeprefix(EDITED)])) as drafted:
                yield Trial(bench.agent, drafted)
        elif name.startswith(PROMPTS):
            yield Trial(bench.agent, bench.chosen(bench.sets()[name.removeprefix(PROMPTS)]))
        else:
            yield Trial(bench.agent)
