"""Words that a person found for an item become what they are for and what they are against, clause by clause."""

from __future__ import annotations

import re
import unicodedata

from agent.understanding.cues import FILLER, SMALL_TALK, is_cue, scopes

_CLAUSE = re.compile(r"[.;:!?,\n]+|\b(?:but|though|although|however|yet|while)\b", re.IGNORECASE)
_TOO = re.compile(r"(?<!not )(?<!never )\b(?:too|overly|lacks?|lacking)\b", re.IGNORECASE)
_WORD = re.compile(r"[\w'’]+(?:-[\w'’]+)*")


def read_remark(words: str, feeling: int) -> list[tuple[str, int]]:
    """What is said in favour (1) and against (-1), as pairs of content words and that sign, in the order of saying.

    `feeling` is what the person feels of the item: of one that they dislike (-1) every clause says why. A clause that
    turns something down ("too slow", "not funny") is against it, whatever the feeling.
    """
    found = []
    for clause in _CLAUSE.split(unicodedata.normalize("NFC", words)):
        said = " ".join(_content(SMALL_TALK.sub(" ", clause)))
        against = feeling < 0 or _TOO.search(clause) or any(s.stance in ("against", "less") for s in scopes(clause))
        if said:
            found.append((said, -1 if against else 1))
    return found


def _content(clause: str) -> list[str]:
    """The words that say something: no filler, and no word of a cue."""
    return [
        match.group()
        for match in _WORD.finditer(clause)
        if match.group().casefold() not in FILLER
        and not is_cue(clause, match.start())
        and not _TOO.fullmatch(match.group())
    ]
