"""Ask, check, replace: the model phrases the evidence, the checker reads it, and a plain sentence takes what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass
from typing import Any

from agent.generation.base import Branch, Generator, Message
from agent.justification.claims import check
from agent.justification.wording import spoken, verb_of
from agent.schema import Evidence, Item, PhrasedBy
from agent.workspace.catalogue import Catalogue

Render = Callable[[Item, Sequence[str]], tuple[Message, ...]]
"""(item, facts) -> the whole conversation up to an open assistant message: the prompt file `justify`."""

# Neutral words by what leads the sentence: each may appear twice. None of them can make a claim by itself, and "you" is
# only in openers, so that a small model cannot say what a person likes.
_COMMON = "it is a an the and with of from this in its".split()
_WORDS: Mapping[str, list[str]] = {
    "liked": [*_COMMON, "too", "also", "another", "again", "brings", "has", "same", "shares"],
    "watched": [*_COMMON, "too", "also", "another", "again", "brings", "has", "same", "shares"],
    "behaviour": [*_COMMON, "also", "liked", "too"],
    "constraint": [*_COMMON, "that", "has", "brings", "mix", "blend", "as"],
    "wish": [*_COMMON, "has", "brings"],
    "property": [*_COMMON, "mix", "blend", "that", "has"],
}
_MARKS = {",": 2, ".": 1}
_PRIORITY = ("constraint", "wish", "liked", "behaviour", "watched", "property", "nearest")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one justification will rest on: `lead` opens it, `facts` are what the model is told, all is true."""

    item: Item
    lead: Evidence
    facts: tuple[Evidence, ...]
    everything: tuple[Evidence, ...]
    opener: str

    @property
    def plain(self) -> str:
        """The justification that needs no model."""
        return " ".join(e.text for e in self.facts[:2])


@dataclass(frozen=True, slots=True)
class Phrased:
    """A finished justification of the item in place `row`."""

    row: int
    text: str
    phrased_by: PhrasedBy
    evidence: tuple[Evidence, ...]


def plan_list(
    items: Sequence[Item], gathered: Sequence[Sequence[Evidence]], noun: str, catalogue: Catalogue
) -> list[Plan]:
    """One plan an item, chosen so that neither what leads nor whom it leans on is the same twice where that can be helped."""
    used: Counter[tuple[str, ...]] = Counter()
    plans = []
    for row, (item, evidence) in enumerate(zip(items, gathered, strict=True)):
        lead = min(evidence, key=lambda e: (_cost(e, used), _PRIORITY.index(e.kind), evidence.index(e)))
        used[(lead.kind,)] += 1
        used.update([lead.item_ids] if lead.item_ids else [])
        support = [e for e in evidence if e is not lead and e.kind == "property"][:1]
        if lead.kind != "constraint":
            support = [e for e in evidence if e.kind == "constraint" and e is not lead][:1] + support
        facts = (lead, *(e for e in support if e.text != lead.text))
        plans.append(Plan(item, lead, facts, tuple(evidence), _opener(lead, row, noun, catalogue)))
    return plans


def _cost(evidence: Evidence, used: Counter[tuple[str, ...]]) -> int:
    """How much this would repeat what the list has said; properties and the nearest are a last resort."""
    cost = {"constraint": 0, "wish": 0, "liked": 0, "behaviour": 0, "watched": 1, "property": 4, "nearest": 6}
    anchored = 2 * used[evidence.item_ids] if evidence.item_ids else 0
    return cost[evidence.kind] + used[(evidence.kind,)] + anchored


def _opener(lead: Evidence, row: int, noun: str, catalogue: Catalogue) -> str:
    """How the sentence begins: true by itself, and different from row to row."""
    title = catalogue.get(lead.item_ids[0]).title if lead.item_ids else ""
    did = "liked" if lead.kind == "liked" else verb_of(noun)
    said = " and ".join(spoken(v, lead.attribute or "") for v in lead.values)
    choices: Mapping[str, Sequence[str]] = {
        "liked": (f"You liked {title}, and", f"Like {title}, which you liked,", f"Because you liked {title}:"),
        "watched": (f"You {did} {title}, and", f"Like {title}, which you {did},"),
        "behaviour": (
            f"Of the {lead.total} other people who liked {title}, {lead.count}",
            f"{lead.count} of the {lead.total} other people who liked {title}",
        ),
        "constraint": ("As you asked,",)
        if lead.negated or _is_year(lead)
        else (f"You asked for {said}, and", "As you asked,"),
        "property": ("It is", "This is"),
    }
    openers = choices.get(lead.kind, ())
    return openers[row % len(openers)] if openers else ""


def _is_year(evidence: Evidence) -> bool:
    return evidence.attribute is not None and "year" in evidence.attribute


def words_for(plan: Plan, noun: str) -> dict[str, int]:
    """The words that the model may use for this justification, and how often: see `Branch.words`."""
    words = {word: 2 for word in (*_WORDS.get(plan.lead.kind, _COMMON), noun)} | _MARKS
    for evidence in plan.facts:
        for value in evidence.values:
            if not evidence.negated:
                words[spoken(value, evidence.attribute or "")] = 1
    return words


def phrase(
    generator: Generator[Any, Any],
    prefix: object,
    plans: Sequence[Plan],
    render: Render,
    noun: str,
    catalogue: Catalogue,
    *,
    seed: int | None = None,
) -> PyGenerator[Phrased]:
    """Justifications as they are finished and verified, in no fixed order; every plan gets exactly one.

    The model writes all of them side by side; what the checker refuses is written once more, sampled, and then replaced
    by the plain sentence. Closing the iterator stops the model.
    """
    waiting = [row for row, plan in enumerate(plans) if plan.opener]
    for row in set(range(len(plans))) - set(waiting):
        yield Phrased(row, plans[row].plain, "plain", plans[row].facts)
    for attempt_seed in (seed, (seed or 0) + 1):
        branches = [_branch(plans[row], render, noun) for row in waiting]
        failed = []
        pieces = generator.write(prefix, branches, seed=attempt_seed)
        try:
            for piece in pieces:
                if not piece.done:
                    continue
                row = waiting[piece.row]
                plan = plans[row]
                if check(piece.text, plan.item, plan.everything, catalogue).ok:
                    yield Phrased(row, piece.text, "model", plan.facts)
                else:
                    failed.append(row)
        finally:
            _close(pieces)
        waiting = sorted(failed)
        if not waiting:
            return
    for row in waiting:
        yield Phrased(row, plans[row].plain, "plain", plans[row].facts)


def _branch(plan: Plan, render: Render, noun: str) -> Branch:
    *before, last = render(plan.item, [e.text for e in plan.facts])
    opened = (*before, Message(last.role, last.content + plan.opener))
    return Branch(opened, plan.opener, words_for(plan, noun))


def _close(iterator: Iterator[Any]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
