"""In what an item differs from another, in words: "funnier", "from the 80s", "not a horror film"; and its title."""

from __future__ import annotations

import re

import numpy as np

from agent.schema import Item
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue, bare_key, phrase_key, plain
from finetune import request_words as tables
from finetune.request_phrases import (
    Phrase,
    askable,
    decade_name,
    is_plain,
    kind_names,
    phrase,
    pick,
    sort_of,
    with_article,
)

REFUSED_AMONG = 12  # the most frequent kinds that an item lacks: nobody turns down what is never offered


def differences(item: Item, other: Item, catalogue: Catalogue, noun: str, random: np.random.Generator) -> list[Phrase]:
    """What is true of the item and not of the other; `adjective` where it can stand alone, as "newer" can."""
    found: list[Phrase] = []
    theirs = askable(other, catalogue)
    for attribute, values in askable(item, catalogue).items():
        sort = sort_of(attribute, catalogue)
        if attribute not in theirs:  # the other may have it all the same: nothing is known
            continue
        if sort in ("year", "number"):
            found += _by_number(attribute, values[0], theirs[attribute][0], sort, random)
            continue
        for value in values:
            if value in (*theirs[attribute], *other.words(attribute)):
                continue
            if sort != "kind":
                said = phrase(attribute, [value], catalogue, noun, random)
                found += [said] if said and (said.place == "after" or said.adjective) else []
            elif catalogue.attribute_types[attribute] == "list":  # a lamp is not more of a lamp than a chair is
                found += _by_kind(attribute, value, noun, random)
    lost = [kind for kind in refusable(item, catalogue) if kind in _kinds(other, catalogue)]
    return found + [Phrase((), "after", f"not {_with_article(kind, noun, random)}") for kind in lost]


def _by_number(attribute: str, value: str, other: str, sort: str, random: np.random.Generator) -> list[Phrase]:
    mine, theirs = float(value), float(other)
    fact = ((attribute, value),)
    names = ["year"] if sort == "year" else attribute.lower().split("_")
    smaller, larger = next((tables.SMALLER_LARGER[n] for n in names if n in tables.SMALLER_LARGER), ((), ()))
    words = smaller if mine < theirs else larger if mine > theirs else ()
    found = [Phrase(fact, "before", pick(random, words), adjective=True)] if words else []
    if sort == "year" and mine // 10 != theirs // 10:
        found.append(Phrase(fact, "after", f"from the {decade_name(int(mine) // 10 * 10, random)}"))
    return found


def _by_kind(attribute: str, value: str, noun: str, random: np.random.Generator) -> list[Phrase]:
    fact = ((attribute, value),)
    found = [Phrase(fact, "after", f"more of {_with_article(value, noun, random)}")]
    words = tables.COMPARED.get(value.casefold(), ())
    return found + ([Phrase(fact, "before", pick(random, words), adjective=True)] if words else [])


def _with_article(kind: str, noun: str, random: np.random.Generator) -> str:
    one, many = kind_names(kind, noun, random)
    return one if one == many else with_article(one)


def _kinds(item: Item, catalogue: Catalogue) -> list[str]:
    return [v for a in catalogue.vocabulary if sort_of(a, catalogue) == "kind" for v in item.words(a)]


def refusable(item: Item, catalogue: Catalogue) -> list[str]:
    """Kinds that the item truly is not, by name and by its text; none where its own kinds are not known.

    Only of attributes that are lists: what has one kind is asked for by that, and nobody refuses all the others.
    """
    own = {word for kind in _kinds(item, catalogue) for word in phrase_key(kind).split()}
    told = plain(f"{item.title} {item.text}")
    found = [
        (name, value)
        for name, kind in catalogue.attribute_types.items()
        if kind == "list" and sort_of(name, catalogue) == "kind" and item.words(name)
        for value in catalogue.vocabulary[name].values()
        if is_plain(value) and not own.intersection(phrase_key(value).split()) and plain(value) not in told
    ]
    found.sort(key=lambda v: -catalogue.frequency(*v))
    return [value for _, value in found[:REFUSED_AMONG]]


def said_title(item: Item, catalogue: Catalogue, random: np.random.Generator) -> str:
    """A title as people write it: without its year where no other work is called so, in quotation marks or not."""
    short = YEAR_SUFFIX.sub("", item.title)
    alone = catalogue.by_title.get(bare_key(item.title), ("",))[0] == item.item_id
    title = short if alone and random.random() < 0.75 else item.title
    if random.random() < 0.15:
        return f'"{title}"'
    return re.sub(r"[()]", "", title) if random.random() < 0.1 else title
