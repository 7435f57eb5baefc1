"""What a message takes back: everything ("start over"), conditions ("forget the year"), or one word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.schema import Filter, Intent
from agent.understanding.mentions import find_mentions
from agent.understanding.names import people_named
from agent.understanding.spans import blank, spaced
from agent.understanding.words import find_words
from agent.workspace.catalogue import Catalogue, phrase_key, title_key
from agent.workspace.roles import is_year, role_of

_ALL = spaced(
    r"(?:(?:let['’]?s|we|can we|please) )?(?:start|begin) (?:over|again|afresh|anew|from scratch)|from scratch"
    r"|reset(?: (?:everything|all|it))?|new search|clear (?:everything|all(?: of it)?)"
    r"|forget (?:about )?(?:everything|all(?: of)?(?: (?:that|it|this))?)"
    r"(?: (?:that )?(?:i|we)(?:['’]ve)? (?:said|told you))?"
    r"|forget (?:what|whatever) i (?:said|told you)"
    r"|(?:anything|everything|whatever) (?:is (?:fine|ok|okay|good)|goes|works|will do)"
    r"|(?:i['’]?m|i am) (?:fine|ok|okay|happy) with anything"
)
_STOP = r"(?=\s*(?:$|[.,;!?\n]|\b(?:but|please|instead|after\s+all|anymore|any\s+more|just|show|give|then|though)\b))"
_WHAT = r"(?P<what>[^\s.,;!?\n](?:[^.,;!?\n]{0,60}?[^\s.,;!?\n])?)"
_NT = r"(?:n['’]?t|\s+not)"
_BACK = tuple(
    re.compile(rf"(?<![\w'’-]){pattern}", re.IGNORECASE)
    for pattern in (
        rf"(?:forget|never\s*mind|nevermind|drop|scrap|lose|remove|take\s+out|leave\s+aside)\s+(?:about\s+)?{_WHAT}{_STOP}",
        rf"(?:(?:it|they|this)\s+)?(?:do(?:es)?{_NT}\s+(?:have|need)\s+to\s+be|need(?:s)?{_NT}\s+be|no\s+need\s+to\s+be)\s+{_WHAT}{_STOP}",
        rf"(?:i\s+)?do{_NT}\s+(?:care|mind)\s+(?:about|which|what)\s+{_WHAT}{_STOP}",
        rf"(?:^|(?<=[.,;!?\n]))\s*(?:and\s+|but\s+|ok(?:ay)?,?\s+)?{_WHAT}\s+(?:do(?:es)?{_NT}\s+matter|(?:is|are)\s+(?:not|n['’]t)\s+important)",
    )
)  # fmt: skip
# "any year", but "any comedies?" takes none back.
_ANY = re.compile(
    rf"(?<![\w'’-])any\s+{_WHAT}(?=\s+(?:is\s+(?:fine|ok|okay|good)|goes|works|will\s+do|but|except)\b|\s*$|\s*[.,;!?])"
    r"(?:\s+(?:is\s+(?:fine|ok|okay|good)|goes|works|will\s+do))?",
    re.IGNORECASE,
)
# "horror is fine after all" lifts a refusal and asks for nothing.
_FINE = re.compile(
    rf"(?:^|(?<=[.,;!?\n]))\s*(?:and\s+|but\s+|ok(?:ay)?,?\s+)?{_WHAT}\s+(?:is|are)\s+"
    r"(?:fine|ok|okay|all\s+right|alright)(?:\s+(?:after\s+all|again|now|with\s+me|by\s+me))?(?=\s*(?:$|[.,;!?]))",
    re.IGNORECASE,
)
_NO_NAME = frozenset(
    "the that this a an my any no about part parts thing things bit rule rules condition conditions limit filter"
    " filters requirement number amount of in films film movies movie books book items item one ones stuff idea".split()
)
# What people call an attribute, by what `role_of` tells of it; any attribute has its own name too.
_CALLED = {
    "kind": "genre genres kind type category style",
    "stars": "actor actors actress actresses cast star stars",
    "directed": "director directors",
    "written": "author authors writer writers",
    "place": "country countries origin",
    "language": "language languages",
    "year": "year years decade decades era period date age release",
    "price": "price prices budget cost money",
    "pages": "length pages page",
    "minutes": "length runtime minutes",
    "color": "color colour",
    "colour": "color colour",
}


def forgotten(before: Intent, text: str, catalogue: Catalogue) -> tuple[Intent, str]:
    """The intent without what the message takes back, and the message without the words that do so."""
    everything = list(_ALL.finditer(text))
    if everything:
        before, text = Intent(), blank(text, [m.span() for m in everything])
    for pattern in _BACK:
        for match in pattern.finditer(text):
            after = _without(before, match["what"], catalogue)
            if after is not None:
                before, text = after, blank(text, [match.span()])
    for match in _ANY.finditer(text):
        after = _without_attribute(before, phrase_key(match["what"]).split(), catalogue)
        if after is not None:
            excepted = re.match(r"\s+(?:but|except)\b", text[match.end() :], re.IGNORECASE)
            before, text = after, text if excepted else blank(text, [match.span()])
    for match in _FINE.finditer(text):
        refused = tuple(f for f in before.filters if f.op in ("!=", "not in"))
        values = {(w.attribute, w.value) for w in find_words(match["what"], match["what"], catalogue)}
        lifted = _dropped(refused, values)
        if lifted != refused:
            kept = tuple(f for f in before.filters if f not in refused)
            before, text = replace(before, filters=kept + lifted), blank(text, [match.span()])
    return before, text


def _without(intent: Intent, what: str, catalogue: Catalogue) -> Intent | None:
    """The intent without all that `what` names; None where a part of it names nothing that could be taken out."""
    for piece in re.split(r",|\band\b|\bor\b|/", what):
        words = [w for w in phrase_key(piece).split() if w not in _NO_NAME]
        if not words:
            return None
        found = _without_attribute(intent, words, catalogue) or _without_words(intent, piece, words, catalogue)
        if found is None:
            return None
        intent = found
    return intent


def _without_attribute(intent: Intent, words: Sequence[str], catalogue: Catalogue) -> Intent | None:
    names = {n for n in catalogue.attribute_types if set(words) <= names_of(n)}
    if not names:
        return None
    return replace(intent, filters=tuple(f for f in intent.filters if f.attribute not in names))


def names_of(attribute: str) -> set[str]:
    """What people call an attribute: "year", "decade"."""
    own = {attribute.lower(), attribute.lower().rstrip("s")}
    key = "year" if is_year(attribute) else role_of(attribute)
    return own | set(_CALLED.get(key, "").split()) | set(_CALLED.get(attribute.lower(), "").split())


def _without_words(intent: Intent, piece: str, words: Sequence[str], catalogue: Catalogue) -> Intent | None:
    """Values, titles or wishes of the intent that a piece names."""
    values = {(w.attribute, w.value) for w in find_words(f"by {piece}", "", catalogue)}
    values |= {(w.attribute, w.value) for w in find_words(piece, "", catalogue)}
    values |= set(people_named(phrase_key(piece), catalogue))
    titles = {m.item_id for m in find_mentions(piece, catalogue)}
    key = title_key(" ".join(words))
    titles |= {i for i in (*intent.likes, *intent.dislikes) if i in catalogue.by_title.get(key, ())}
    gone = {w.casefold() for w in words}
    after = replace(
        intent,
        likes=tuple(i for i in intent.likes if i not in titles),
        dislikes=tuple(i for i in intent.dislikes if i not in titles),
        filters=_dropped(intent.filters, values),
        wishes=" ".join(w for w in intent.wishes.split() if w.casefold() not in gone),
        avoids=" ".join(w for w in intent.avoids.split() if w.casefold() not in gone),
    )
    return after if after != intent else None


def _dropped(filters: Sequence[Filter], values: set[tuple[str, str]]) -> tuple[Filter, ...]:
    """The conditions without some of their values, and without those that then have none."""
    kept = []
    for f in filters:
        said = f.value if isinstance(f.value, tuple) else (f.value,)
        left = tuple(v for v in said if (f.attribute, v) not in values)
        if len(left) == len(said):
            kept.append(f)
        elif left:
            kept.append(replace(f, value=left))
    return tuple(kept)
