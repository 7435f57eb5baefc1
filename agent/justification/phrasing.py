"""Ask, check, replace: the model phrases the evidence, the checker reads it, and a plain sentence takes what fails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from agent.generation.base import Branch, Generator, Message
from agent.generation.prompting import Prompt, continued
from agent.justification.claims import Verdict, check
from agent.justification.tokens import Claim
from agent.justification.wording import is_year, listed, of_this, role_of, spoken, stated, titled, verb_of
from agent.schema import Evidence, Item, PhrasedBy
from agent.workspace.catalogue import Catalogue

Render = Callable[[Item, Sequence[str]], tuple[Message, ...]]
"""(item, facts) -> the whole conversation up to an open assistant message: the prompt file `justify`."""

# What may stand between the values of the evidence: enough to say "it is a crime and comedy film", not enough to claim
# anything by itself. "You" and "liked" are only in openers, so that a small model cannot say what a person likes.
_NEUTRAL = {"a": 1, "an": 1, "and": 2, ",": 2, ".": 1}
_ROLE_WORDS = {"directed": ("directed by",), "written": ("by",), "by": ("by",)}
_PRIORITY = ("constraint", "wish", "example", "feedback", "liked", "behaviour", "watched", "property", "nearest")


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
        """The justification that needs no model; a year that was asked for is said once."""
        if is_year(self.lead.attribute or "") and len(self.facts) > 1 and self.facts[1].kind == "property":
            year, fact = self.lead.values[0], self.facts[1].text
            return f"{self.lead.text} {fact.replace(f' from {year}', '')}" if fact != f"It is from {year}." else fact
        return " ".join(e.text for e in self.facts[:2])

    def plains(self) -> Iterator[str]:
        """`plain`, and what may take its place where another reason says the same: with a further fact."""
        yield self.plain
        yield from (f"{self.lead.text} {e.text}" for e in self.everything if e not in self.facts)

    def naming(self) -> Iterator[str]:
        """Plain reasons that name the item: what is left where all that is known of two items is the same."""
        title = titled(self.item.title)
        for name in (title, f'"{title}"'):  # a title such as "Two" is one in quotation marks only
            yield from (_naming(e.text, name) for e in (*self.facts, *self.everything))


def _naming(fact: str, title: str) -> str:
    """The fact with the item's title for "it", so that it can be said of no other item."""
    owned = re.fullmatch(r"Its (.+?) (?:is|are|includes?) (.+)", fact)
    return f"{title} has the {owned[1]} {owned[2]}" if owned else re.sub(r"\b[Ii]t\b", lambda _: title, fact, count=1)


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
    """One plan an item; neither what leads nor whom it leans on is the same twice where that can be helped."""
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
        opener = _dated_opener(facts) or _opener(lead, row, noun, catalogue)
        plans.append(Plan(item, lead, facts, tuple(evidence), opener))
    return plans


def _cost(evidence: Evidence, used: Counter[tuple[str, ...]]) -> int:
    """How much this would repeat what the list has said, or say little: what an item is not, most items can say."""
    cost = {kind: {"watched": 1, "property": 4, "nearest": 6}.get(kind, 0) for kind in _PRIORITY}
    cost["constraint"] = 3 * evidence.negated
    anchored = 2 * used[evidence.item_ids] if evidence.item_ids else 0
    return cost[evidence.kind] + used[(evidence.kind,)] + anchored


def _dated_opener(facts: Sequence[Evidence]) -> str:
    """For a year that was asked for, where more can be said: that was not asked for, and must not seem so."""
    lead, *others = facts
    more = any(not v.isdigit() for e in others if not e.negated for v in e.values)
    dated = lead.kind == "constraint" and is_year(lead.attribute or "") and not lead.negated
    return f"It is from {lead.values[0]}, as you asked, and it is" if dated and more else ""


def _opener(lead: Evidence, row: int, noun: str, catalogue: Catalogue) -> str:
    """How the sentence begins, up to "it is": true by itself, different from row to row; empty for a plain one only."""
    title = titled(catalogue.get(lead.item_ids[0]).title) if lead.item_ids else ""
    did = verb_of(noun)
    said = listed(spoken(v, lead.attribute or "") for v in lead.values)
    says = _says(lead)
    this = of_this(says, noun)
    choices: Mapping[str, Sequence[str]] = {
        "example": (f"You asked for something like {title}, and {this}", f"Like {title}, which you named, {says}"),
        "liked": (f"You liked {title}, and {this}", f"Like {title}, which you liked, {says}"),
        "feedback": (f"You liked {title} here, and {this}", f"Like {title}, which you liked here, {says}"),
        "watched": (f"You {did} {title}, and {this}", f"Like {title}, which you {did}, {says}"),
        "behaviour": (
            f"Of the {lead.total} other people who liked {title}, {lead.count} liked it too, and it is",
            f"{lead.count} of the {lead.total} other people who liked {title} liked it too, and it is",
        ),
        "constraint": (f"You asked for {said}, and {says}",) if says == "it is" else (f"As you asked, {says}",),
        "property": ("It is", "This is"),
    }
    openers = () if lead.negated else choices.get(lead.kind, ())
    if lead.item_ids and says.startswith("its"):  # after another title, whose?
        openers = openers[1:]
    if lead.kind == "constraint" and said.isdigit():
        openers = (f"As you asked, {says}",)
    return openers[row % len(openers)] if openers else ""


def _says(lead: Evidence) -> str:
    """What the values of the lead follow: "it is" for a kind or a year, "it stars", "it is directed by", and so on."""
    attribute = lead.attribute or ""
    kind = not attribute or is_year(attribute) or role_of(attribute) == "kind"
    return "it is" if kind else stated(attribute, "").rstrip()


def words_for(plan: Plan, noun: str) -> dict[str, int]:
    """The words that the model may use for this justification, and how often: see `Branch.words`."""
    words = {**_NEUTRAL, noun: 1}
    likened = {"too": 1} if plan.opener.startswith("Like ") else {}
    if _says(plan.lead) != "it is":
        # "It stars Jim Carrey, a comedy film" would call him one: after names comes nothing else.
        names = {spoken(v, plan.lead.attribute or ""): 1 for v in plan.lead.values}
        commas = {",": 2} if len(names) > 2 else {}
        return {".": 1, **({"and": 1} if len(names) > 1 else {}), **commas, **names, **likened}
    if likened:
        # What follows is claimed of both, so only what they share may be said.
        return words | {spoken(v, plan.lead.attribute or ""): 1 for v in plan.lead.values} | likened
    for evidence in plan.facts:
        attribute = evidence.attribute or ""
        for value in () if evidence.negated else evidence.values:
            if value.isdigit() and f"from {value}" in plan.opener:  # it was said
                continue
            words[f"from {value}" if value.isdigit() else spoken(value, attribute)] = 1
            words |= dict.fromkeys(_ROLE_WORDS.get(role_of(attribute), ()), 1)
    return words


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
    the checker refuses that, after an opener and under a mask. What is refused again is replaced by the plain sentence.
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
                    yield Phrased(row, text, "model", plans[row].facts)
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
    return Branch(opened, plan.opener, words_for(plan, noun))


def _close(iterator: Iterator[Any]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
