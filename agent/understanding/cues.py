"""Negation, numbers and small words of English messages: data, and the few functions that read it."""

from __future__ import annotations

import re

NUMBERS = {w: i for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)}
DECADES = dict(
    zip(
        "twenties thirties forties fifties sixties seventies eighties nineties".split(),
        range(1920, 2000, 10),
        strict=True,
    )
)
GENRE_SYNONYMS = {
    "sci fi": "sci-fi", "scifi": "sci-fi", "science fiction": "sci-fi", "sf": "sci-fi", "noir": "film-noir",
    "film noir": "film-noir", "animated": "animation", "cartoon": "animation", "kids": "children's",
    "children": "children's", "childrens": "children's", "family": "children's", "comedic": "comedy",
    "comedies": "comedy", "romances": "romance", "rom com": "romance|comedy", "romcom": "romance|comedy",
    "rom-com": "romance|comedy", "documentaries": "documentary", "mysteries": "mystery", "fantasies": "fantasy",
    "horrors": "horror", "scary movie": "horror", "scary movies": "horror", "doc": "documentary",
}  # fmt: skip

# What a request says around its wishes: "please recommend me a good film to watch".
FILLER = frozenset(
    """a about album albums also am an and any anything are as at be been book books but can could decade do else enjoy enjoyed
    era feel feeling film films find for from game games get give good great had has have hello hey hi i i'd i'll i'm i've if in
    is it item items ive just kind let like list liked lot love loved looking made maybe me mood more movie movies music my need
    new of on one ones option options or other our out pick picks please read really recommend recommendation recommendations
    released request saw see seen set should show similar so some something song songs sort suggest suggestion suggestions
    tell than that that's the then there these they thing things think this time title titles to today tonight too top try up
    us very want wants was watch watched we well were what which who will with would year years you your""".split()
)

_NEGATION = re.compile(
    r"\b(?:not|no|without|nothing|never|except|excluding|avoid|hate|hated|dislike|disliked|don'?t (?:want|like|need)|didn'?t (?:like|enjoy)"
    r"|isn'?t|aren'?t|wasn'?t|but not|anything but|other than|tired of|sick of|skip|less)\b",
    re.IGNORECASE,
)
# These look like a negation and are none.
_PSEUDO = re.compile(
    r"\b(?:not only|not just|why not|not bad|no more than|no less than|can'?t get enough of|nothing beats)\b", re.I
)
# After one of these a new thought begins, in which an earlier "not" no longer counts.
_TERMINATOR = re.compile(
    r"[.;!?\n]|\bbut\b(?! not)|\binstead\b|\bjust\b|\bwith\b|\bfrom\b|\bi (?:want|like|love)\b|\bmore\b", re.I
)
_LIST = re.compile(r"^[\s,]*(?:(?:[\w'’-]+\s+){0,3}(?:or|and|nor|,)\s+)*(?:a|an|any|the|too|very|so|that|like|from|in|of|another|to|be|more)?\s*"
                   r"(?:[\w'’-]+\s*){0,2}[\"“'‘]?$", re.I)  # fmt: skip


def is_negated(text: str, start: int) -> bool:
    """Whether what begins at `start` stands in the scope of a negation: it runs over a list, up to a new thought."""
    before = text[max(0, start - 80) : start]
    pseudo = list(_PSEUDO.finditer(before))
    for negation in reversed(list(_NEGATION.finditer(before))):
        if any(p.start() <= negation.start() < p.end() for p in pseudo):
            continue
        between = before[negation.end() :]
        stops = [m for m in _TERMINATOR.finditer(between) if not _opens_value(between, m)]
        return not stops and _LIST.match(between) is not None
    return False


def _opens_value(between: str, stop: re.Match[str]) -> bool:
    """ "not from the 80s": the "from" belongs to what is negated when nothing stands before it."""
    return stop.group().lower() in ("from", "with") and not between[: stop.start()].strip()
