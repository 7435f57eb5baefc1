"""Facts that answer the request: conditions that an item meets, and wishes that its themes, words or kinds bear out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.justification.bounds import asked_of, is_decade
from agent.justification.themes import THEMES, themes_of
from agent.justification.wording import (
    is_year,
    kinds_listed,
    kinds_said,
    listed,
    number,
    quoted,
    role_of,
    sentence,
    source,
    spoken,
    stated,
    with_article,
)
from agent.schema import Evidence, Filter, Intent, Item, matches
from agent.understanding.feelings import is_feeling
from agent.understanding.moods import leanings
from agent.workspace.catalogue import Catalogue

_LEAST = 4  # letters of a single word that says something
_FROM = "your request"
_EMPTY = frozenset("story stories tale film movie book novel".split())  # alone they say nothing
_HAN = re.compile(r"[\u3400-\u9fff]")


def answers(item: Item, intent: Intent, noun: str, catalogue: Catalogue) -> list[Evidence]:
    """What the item has of that which was asked for, conditions first."""
    return [*_constraints(item, intent, noun), *_wishes(item, intent), *_moods(item, intent, noun, catalogue)]


# -- conditions


def _constraints(item: Item, intent: Intent, noun: str) -> list[Evidence]:
    """The conditions that the item is known to meet, one sentence for each attribute that they ask for."""
    met = [f for f in intent.filters if matches(item, (f,))]
    wanted: dict[str, list[Filter]] = {}
    for f in met:
        if f.op not in ("!=", "not in"):
            wanted.setdefault(f.attribute, []).append(f)
    found: list[Evidence] = []
    for name, conditions in wanted.items():
        if isinstance(item.attributes.get(name), int | float):
            found.append(_met_number(name, conditions, item, intent.text))
        else:
            found += _met_words(name, conditions, item, noun)
    for f in met:
        if f.op in ("!=", "not in"):
            found += _refused_words(item, f, noun)
    return found


def _met_number(name: str, conditions: Sequence[Filter], item: Item, text: str) -> Evidence:
    value = number(float(item.words(name)[0]))
    told = f"It is from {value}" if is_year(name) else f"Its {spoken(name)} is {value}"
    asked = asked_of(conditions, text)
    if is_decade(asked):
        said = f"{told}, in the {asked} you asked for."
    else:
        said = f"{told}, {asked} as you asked." if asked else f"{told}, as you asked."
    whence = source(name, beside=_FROM)
    return Evidence("constraint", said, attribute=name, values=(value,), source=whence, said=asked)


def _met_words(name: str, conditions: Sequence[Filter], item: Item, noun: str) -> list[Evidence]:
    met = tuple(dict.fromkeys(v for f in conditions for v in _words(f) if v in item.words(name)))
    if not met or not isinstance(item.attributes[name], str | tuple):
        return []
    said = kinds_listed(met, name, noun)
    text = f"{sentence(stated(name, said, noun))[:-1]}, as you asked."
    return [Evidence("constraint", text, attribute=name, values=met, source=source(name, beside=_FROM))]


def _refused_words(item: Item, f: Filter, noun: str) -> list[Evidence]:
    """What the item is not; an item of which the attribute is unknown meets such a filter, but proves nothing."""
    refused = tuple(_words(f))
    if not refused or not item.words(f.attribute):
        return []
    said = kinds_listed(refused, f.attribute, noun, "or")
    text = f"{sentence(stated(f.attribute, said, noun, negated=True))[:-1]}, as you asked."
    whence = source(f.attribute, beside=_FROM)
    return [Evidence("constraint", text, attribute=f.attribute, values=refused, negated=True, source=whence)]


def _words(f: Filter) -> list[str]:
    return [v for v in (f.value if isinstance(f.value, tuple) else (f.value,)) if isinstance(v, str)]


# -- wishes


def _wishes(item: Item, intent: Intent) -> list[Evidence]:
    """Themes that were wished for, then what else of the wishes stands in the item's own text."""
    themes = [t for t in themes_of(item) if _within(t, intent.wishes)]
    said = [p for p in _phrases(item, intent.wishes) if not any(_within(p, t) for t in themes)]
    found = []
    if themes:
        text = f"Its themes include {listed(map(quoted, themes))}, as you wished."
        found.append(
            Evidence("wish", text, attribute=THEMES, values=tuple(themes), source=source(THEMES, beside=_FROM))
        )
    if said:
        alone = len(said) == 1 and " " not in said[0]
        text = f"Its description has your word{'' if alone else 's'} {listed(map(quoted, said))}."
        found.append(Evidence("wish", text, values=tuple(said), source=f"{_FROM}; its description in the catalogue"))
    return found


def _phrases(item: Item, wishes: str) -> list[str]:
    """Words of the wishes that stand in the text, as many together as do: "new york" and not "york"."""
    words, found, at = wishes.casefold().split(), [], 0
    while at < len(words):
        end = next((e for e in range(len(words), at, -1) if _within(" ".join(words[at:e]), item.text)), at)
        phrase = " ".join(words[at:end])
        vague = len(words) > 1 and " " not in phrase and (phrase in _EMPTY or is_feeling(phrase))
        if not vague and len(phrase) >= (_LEAST if phrase.isascii() else _LEAST // 2):
            found.append(phrase)
        at = max(end, at + 1)
    return list(dict.fromkeys(found))


def _within(phrase: str, text: str) -> bool:
    """Whether a phrase stands in a text as words of its own, whatever the case; Chinese sets no spaces."""
    if _HAN.search(phrase):
        return phrase in text
    return re.search(rf"(?<![\w'-]){re.escape(phrase)}(?![\w'-])", text, re.IGNORECASE) is not None


def _moods(item: Item, intent: Intent, noun: str, catalogue: Catalogue) -> list[Evidence]:
    """The kinds of the item that mood words of the wishes lean to: scary, and it is a horror film."""
    asked = {(f.attribute, v) for f in intent.filters for v in _words(f)}
    leaning = leanings(intent.wishes, catalogue.vocabulary).items()
    met = {
        word: (name, kind) for word, (name, kind) in leaning if kind in item.words(name) and (name, kind) not in asked
    }
    found = []
    for name in dict.fromkeys(name for name, _ in met.values()):
        words = [word for word, (attribute, _) in met.items() if attribute == name]
        kinds = tuple(dict.fromkeys(met[word][1] for word in words))
        said = [spoken(k, name) for k in kinds]
        what = (
            f"it is {with_article(kinds_said(said, noun))}" if role_of(name) == "kind" else stated(name, listed(said))
        )
        text = f"You said {listed(map(quoted, words))}, and {what}."
        whence = source(name, beside=_FROM)
        found.append(Evidence("wish", text, attribute=name, values=kinds, source=whence, said=" ".join(words)))
    return found
