"""Ask, check, replace: the model phrases the evidence, the checker reads it, and a plain sentence takes what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from agent.generation.base import Branch, Generator, Message
from agent.generation.prompting import Prompt, continued
from agent.justification.claims import Verdict, check
from agent.justification.planning import Plan
from agent.justification.tokens import Claim
from agent.schema import Evidence, Item, PhrasedBy
from agent.workspace.catalogue import Catalogue

Render = Callable[[Item, Sequence[str]], tuple[Message, ...]]
"""(item, facts) -> the whole conversation up to an open assistant message: the prompt file `justify`."""


@dataclass(frozen=True, slots=True)
class Phrased:
    """A finished justification of the item in place `row`."""

    row: int
    text: str
    phrased_by: PhrasedBy
    evidence: tuple[Evidence, ...]


def asking(justify: Prompt, prompt: tuple[Message, ...], noun: str) -> Render:
    """What the model reads before it writes a reason: the prompt that ranked, the title, and the facts."""

    def render(item: Item, facts: Sequence[str]) -> tuple[Message, ...]:
        return continued(prompt, justify.render(title=item.title, facts=list(facts), noun=noun))

    return render


def phrase(
    generator: Generator[Any, Any, Any],
    prefix: object,
    plans: Sequence[Plan],
    render: Render,
    noun: str,
    catalogue: Catalogue,
    *,
    seed: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> PyGenerator[Phrased]:
    """Justifications as they are finished and verified, in no fixed order; every plan gets exactly one.

    The model writes all of them side by side: first in its own words, where it was tuned to; else, and once more where
    the checker refuses that, after an opener, with one of its endings. What is refused again is replaced by the plain
    sentence, and what left the model nothing to choose counts as one.
    What says the same as the reason of another item of the list is refused as well, in whatever words.
    Closing the iterator stops the model; so does `stop`, which is asked after every step of it.
    """
    told = _Told(catalogue)
    waiting = list(range(len(plans)))
    for freely, attempt_seed in ((generator.writes_reasons, seed), (False, (seed or 0) + 1)):
        rows = [row for row in waiting if freely or plans[row].opener]
        for row in set(waiting) - set(rows):
            yield Phrased(row, told.plain(plans[row]), "plain", plans[row].facts)
        waiting = []
        attempts = attempt(generator, prefix, plans, rows, render, noun, catalogue, freely=freely, seed=attempt_seed)
        try:
            for tried in attempts:
                if stop():
                    return
                if tried is None:
                    continue
                row, text, passed = tried
                if passed and told.takes(text, plans[row]):
                    chosen = freely or plans[row].is_open
                    yield Phrased(row, text, "model" if chosen else "plain", plans[row].facts)
                else:
                    waiting.append(row)
        finally:
            attempts.close()
    for row in sorted(waiting):
        yield Phrased(row, told.plain(plans[row]), "plain", plans[row].facts)


class _Told:
    """What the reasons of one list have said so far."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._contents: set[frozenset[Claim]] = set()

    def takes(self, text: str, plan: Plan) -> bool:
        """Whether a text passes the checker and says something that none before it said; then it is noted."""
        verdict = self._verdict(text, plan)
        if not verdict.ok or verdict.content in self._contents:
            return False
        self._contents.add(verdict.content)
        return True

    def plain(self, plan: Plan) -> str:
        """The first plain reason that is new, else one that names the item."""
        new = (text for text in plan.plains() if self.takes(text, plan))
        named = (text for text in plan.naming() if text not in plan.plain and self._verdict(text, plan).ok)
        return next(chain(new, named), plan.plain)

    def _verdict(self, text: str, plan: Plan) -> Verdict:
        return check(text, plan.item, plan.everything, self._catalogue)


def attempt(
    generator: Generator[Any, Any, Any],
    prefix: object,
    plans: Sequence[Plan],
    rows: Sequence[int],
    render: Render,
    noun: str,
    catalogue: Catalogue,
    *,
    freely: bool = False,
    seed: int | None = None,
) -> PyGenerator[tuple[int, str, bool] | None]:
    """The model writes these rows once, side by side: (row, text, whether the checker passes it) as each is finished.

    None stands for a step of the model, so that whoever asks can stop between two. `freely` lets the model choose every
    word; else it continues an opener, under a mask.
    """
    rows, last = sorted(rows), -1
    pieces = generator.write(prefix, [_branch(plans[row], render, noun, freely) for row in rows], seed=seed)
    try:
        for piece in pieces:
            if piece.row <= last:  # the rows of a step come in their order, so this is the next one
                yield None
            last = piece.row
            if not piece.done:
                continue
            plan = plans[rows[piece.row]]
            # A model may end where nothing but the full stop is left to say; half a sentence the checker refuses.
            text = piece.text if piece.text.endswith(".") else f"{piece.text}."
            yield rows[piece.row], text, check(text, plan.item, plan.everything, catalogue).ok
    finally:
        _close(pieces)


def _branch(plan: Plan, render: Render, noun: str, freely: bool) -> Branch:
    messages = render(plan.item, [e.text for e in plan.facts])
    if freely:
        return Branch(messages)
    *before, last = messages
    opened = (*before, Message(last.role, last.content + plan.opener))
    return Branch(opened, plan.opener, dict.fromkeys(plan.endings, 1))


def _close(iterator: Iterator[Any]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
