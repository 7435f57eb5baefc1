"""Which titles of the catalogue a message names, and in what mood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.understanding.cues import is_negated
from agent.workspace.catalogue import Catalogue, title_key

LONGEST_TITLE = 14  # words looked at together
_WORD = re.compile(r"[\w'’]+(?:[-.:&][\w'’]+)*")
_CUE = re.compile(
    r"\b(?:like|liked|likes|love|loved|loves|enjoyed|enjoy|adore|adored|saw|seen|watched|watch|read|played|heard|hate|hated"
    r"|dislike|disliked|similar to|such as|than|fan of|more of|recommend)\s+(?:the (?:film|movie|book|game|show)\s+)?[\"“'‘]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One title in a message: where it stands, and whether the person speaks against it."""

    start: int
    end: int
    item_id: str
    negated: bool


def find_mentions(text: str, catalogue: Catalogue) -> list[Mention]:
    """Titles named in a message, in its order, longest first where they overlap.

    Many titles are ordinary words ("Speed", "The Game"), so a title counts only with a sign that it is meant as one:
    a year, quotation marks, a verb of liking or seeing before it, capitals as in the title, or a length that no
    ordinary phrase shares.
    """
    words = list(_WORD.finditer(text))
    found: list[Mention] = []
    taken = 0
    for i, word in enumerate(words):
        if word.start() < taken:
            continue
        for mention in _at(text, words, i, catalogue):
            found.append(mention)
            taken = mention.end
            break
    return found


def _at(text: str, words: list[re.Match[str]], i: int, catalogue: Catalogue) -> Iterator[Mention]:
    start = words[i].start()
    for j in range(min(i + LONGEST_TITLE, len(words)), i, -1):
        end = words[j - 1].end()
        if text[end : end + 1] == ")":
            end += 1
        span = text[start:end]
        ids = catalogue.by_title.get(title_key(span))
        if ids and _is_meant(text, start, end, catalogue.get(ids[0]).title):
            # Of several works with one name the first is taken; the reply shows what was understood.
            yield Mention(start, end, ids[0], is_negated(text, start))
            return


def _is_meant(text: str, start: int, end: int, title: str) -> bool:
    span = text[start:end]
    words = span.split()
    if re.search(r"\(?\b\d{4}\)?$", span) and len(words) > 1:
        return True
    if text[start - 1 : start] in ('"', "“", "‘", "'") and text[end : end + 1] in ('"', "”", "’", "'"):
        return True
    capitals = [w for w in words if w[:1].isupper()]
    if _CUE.search(text[:start]) and (capitals or len(span) > 3):
        return True
    main = [w for w in words if w.lower() not in _SMALL]
    if len(main) >= 3:
        return True
    # At the start of a sentence a capital says nothing, so one more word must carry one.
    opens_sentence = not text[:start].strip() or text[:start].rstrip()[-1] in ".!?\n"
    needed = [w for w in main if any(c.isalpha() for c in w)]
    if not needed or any(w[:1].islower() for w in needed):
        return False
    return len(needed) > 1 if opens_sentence else title_key(title) != "" and not text.isupper()


_SMALL = frozenset("the a an of and in on to for with from at by or is it".split())
