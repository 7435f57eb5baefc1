"""Reasons made in code: varied, natural, true sentences of evidence, as targets for a model that learns to phrase it.

A sentence is a frame with slots, and the slots are phrases about the facts of one plan. Which frame and which phrases
come is drawn at random; the claim checker has the last word, so nothing untrue can be learned from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

import numpy as np

from agent.justification.claims import check
from agent.justification.planning import Plan
from agent.justification.tokens import Token
from agent.schema import Evidence, Item
from agent.workspace.catalogue import Catalogue
from finetune.phrases import Phrases, units_of

SHORTEST, LONGEST = 8, 30  # words of a reason, where the facts allow it
DRAWS = 3  # how often a frame is tried, with other phrases each time

# By what leads: frames, no two of which say the same in the same order. Slots are methods of `Phrases`.
FRAMES: Mapping[str, tuple[str, ...]] = {
    # Something the person liked or watched, and a trait that it shares.
    "anchor": (
        "Because you {did} {title}: another {kind}, and {more}.",
        "You {did} {title}, so here's {thing}.",
        "Like {title}, which you {did}, this one {is_kind}, and {more}.",
        "{More}; like {title}, which you {did}, it {is_kind}.",
        "You {did} {title}; both {are_kinds}, and this one {adds}.",
        "{Thing}, because you {did} {title}.",
        "{item} {is_kind}, just like {title}, which you {did}, and {more}.",
        "It shares {common} with {title}, which you {did}, and {more}.",
        "Since you {did} {title}, here's another {kind}: {more}.",
        "Both {title}, which you {did}, and this one {are_kinds}.",
        "You {did} {title}, and {item} brings the same mix of {mix}.",
        "{More}; {title}, which you {did}, {is_kind} too.",
        "{title}, which you {did}, and this {noun} share {common}.",
        "Here's {thing}, since you {did} {title}.",
    ),
    # The same where only a label can say it: a keyword, a brand.
    "anchor label": (
        "You {did} {title}, and {says} too.",
        "Like {title}, which you {did}, {says}; {more}.",
        "It shares {common} with {title}, which you {did}, and {more}.",
        "You {did} {title}, and this {noun} has the same {label}, {values}.",
        "{title}, which you {did}, and this {noun} share {common}, and {more}.",
        "{More}; like {title}, which you {did}, it has the {label} {values}.",
        "You {did} {title}; they share {common}, and this one {adds}.",
        "Because you {did} {title}: {thing}, and it has the same {label}, {values}.",
    ),
    # How many other people liked both.
    "behaviour": (
        "{count} of the {total} other people who liked {title} liked it too, and {more}.",
        "Of the {total} other people who liked {title}, {count} also liked this {noun}: {more}.",
        "{item} is {thing}, and {count} of the {total} other people who liked {title} liked it too.",
        "{count} other people who liked {title} also liked this one; it's {thing}.",
        "Here's {thing}: of the {total} other people who liked {title}, {count} liked it too.",
        "{This} {adds}, and of the {total} other people who liked {title}, {count} of them liked it.",
        "{Thing}, and {count} out of {total} people who liked {title} also liked it.",
        "{More}; {count} of the {total} other people who liked {title} enjoyed {item} too.",
    ),
    "behaviour alone": (
        "{count} of the {total} other people who liked {title} liked {item} too.",
        "Of the {total} other people who liked {title}, {count} also liked this one.",
        "{count} other people who liked {title} also enjoyed {item}.",
    ),
    # A condition of the request that the item meets.
    "constraint": (
        "As you asked, {says}, and {more}.",
        "You asked for {wanted}, and this is {thing}.",
        "{Says}, as you asked, and {more}.",
        "{More}, and {says}, just as you asked.",
        "{A_kind}, as you asked: {more}.",
        "{This} {is_kind}, as you asked, and {adds}.",
        "You asked for {wanted}: {item} {is_kind}, and {more}.",
        "Here's {a_kind}, as requested, and {more}.",
        "Since you asked for {wanted}, here's {thing}.",
        "{item} {is_kind}, as you asked; this one {adds}.",
    ),
    "refused": (
        "As you asked, {says}, and {more}.",
        "You asked for {wanted}, and this is {thing}.",
        "{More}, and {says}, just as you asked.",
        "{Says}, as you asked: {item} is {thing}.",
        "Here's {thing} without {refused}, as you asked.",
        "It's {thing}, not {not_kind}, just as you asked.",
        "{This} {adds}, and {says}, as requested.",
        "You asked for {wanted}: here's {thing} that {is_kind}.",
    ),
    # Words of the request in the description.
    "wish": (
        "Its description has your {words}, and {more}.",
        "{item} is {thing}, and its description has your {words}.",
        "Here's {thing}: its description includes the {words}.",
        "{Thing}, and its description has your {words}.",
        "{This} {adds}, and its description includes your {words}.",
        "{More}; its description has the {words}.",
        "Its description includes your {words}: this is {thing}.",
    ),
    # What it is, and nothing of the person.
    "property": (
        "It's {thing}.",
        "Here's {a_kind}, and {more}.",
        "{item} {is_kind}, and {more}.",
        "{This} {is_kind} and {adds}.",
        "It's a mix of {mix}, and {more}.",
        "{More}, and it {is_kind}.",
        "This {noun} brings a blend of {mix}, and {more}.",
    ),
    "property label": (
        "{Says}, and {more}.",
        "{item} is {thing}, and {says}.",
        "Here's {thing}: {says}.",
        "{This} {adds}, and {says}.",
        "{More}; {says}.",
        "{Thing}, and {says}.",
    ),
    "nearest": (),
}  # fmt: skip


def write_reason(plan: Plan, noun: str, catalogue: Catalogue, random: np.random.Generator) -> str | None:
    """One sentence that says why, from the facts of the plan only; None where the checker lets nothing pass.

    Args:
        plan: the item and what its reason rests on.
        noun: what such an item is called, in the singular.
        catalogue: where all items are.
        random: draws the frame and the phrases; the same state gives the same sentence.
    """
    spare = None
    for text in _drafts(Phrases(plan, noun, catalogue, random), plan, random):
        fits = _reads_well(text)
        if (fits or spare is None) and check(text, plan.item, plan.everything, catalogue).ok:
            if fits:
                return text
            spare = text
    return spare


def _drafts(phrases: Phrases, plan: Plan, random: np.random.Generator) -> Iterator[str]:
    """Sentences in the order in which they are to be tried; last the fact itself, which needs no phrasing."""
    for frames in _frames(phrases, plan):
        for _ in range(DRAWS):
            for place in random.permutation(len(frames)):
                phrases.draw()
                slots = {name: phrases.slot(name) for _, name, *_ in Formatter().parse(frames[place]) if name}
                if all(slots.values()):
                    yield frames[place].format(**slots)
    yield plan.lead.text


def _frames(phrases: Phrases, plan: Plan) -> list[Sequence[str]]:
    """The frames for what leads, and then those that take less to fill."""
    kind, lead = plan.lead.kind, phrases.lead
    if kind in ("feedback", "liked", "watched"):
        return [FRAMES["anchor label" if lead is None or lead.is_labelled else "anchor"]]
    if kind == "behaviour":
        return [FRAMES["behaviour"], FRAMES["behaviour alone"]]
    if kind == "constraint":
        return [FRAMES["refused" if lead is not None and lead.negated else "constraint"]]
    if kind == "property":
        return [FRAMES["property label" if lead is None or lead.is_labelled else "property"]]
    return [FRAMES[kind]] if kind in FRAMES else []


def _reads_well(text: str) -> bool:
    """Whether a sentence is neither clipped nor long, and does not end twice ("Airplane!.")."""
    return SHORTEST <= len(text.split()) <= LONGEST and re.search(r"[.!?][\"”]?\.$", text) is None


# What stands in a shape for the tokens that differ from item to item.
_PLACEHOLDERS = {kind: kind for kind in ("number", "year", "item", "title", "value", "noun", "attribute")}
_PLACEHOLDERS["decade"] = "year"
_SAME = (
    (r"\[value\](?:(?: ,| and| or| ,? and)* \[value\])+", "[value]"),  # however many there are
    (r"\[value\] \[noun\]", "[value]"),  # "a crime film" and "a thriller"
    (r"\ban\b", "a"),
    (r"\bwords\b", "word"),
)


def shape_of(text: str, item: Item, evidence: Sequence[Evidence], catalogue: Catalogue) -> str:
    """What is left of a sentence when titles, values, numbers and nouns become placeholders, and "it's" is "it is".

    Two reasons of one shape sound alike, whatever they are about.
    """
    units = units_of(item, evidence, catalogue)
    tokens: list[Token] = []
    for token in units.cut(text):
        # After a word, a sentence of the evidence is no unit any more, and falls into its own.
        tokens += list(units.cut(f"so {token.text}"))[1:] if token.kind == "fact" else [token]
    shape = " ".join(f"[{_PLACEHOLDERS[t.kind]}]" if t.kind in _PLACEHOLDERS else t.text.lower() for t in tokens)
    for pattern, one in _SAME:
        shape = re.sub(pattern, one, shape)
    return shape
