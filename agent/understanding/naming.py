"""In what way a message names a title: as liked, as met, or only as an example of what is wanted.

"Something like Fargo" does not say that Fargo was liked, nor even that it was seen. So nothing but words of liking
count as one, and the cue that stands nearest before the title, in its sentence, is the one that speaks of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Naming = Literal["liked", "met", "example"]

# The same reading for every language; a cue of one is no word of the other.
_CUES: tuple[tuple[Naming, str], ...] = (
    (
        "example",  # somebody else's liking, or a liking of what is only likened to the title
        r"\b(?:s?he|they|every(?:one|body)|people|who|wife|husband|girlfriend|boyfriend|partner|mother|father|mom|mum|dad"
        r"|sister|brother|sons?|daughters?|kids?|children|friends?|boss|roommate|date)\s+(?:\w+ly\s+|all\s+|also\s+)?"
        r"(?:like[ds]?|loved?|loves|enjoy(?:ed|s)?|adored?|adores)\b",
    ),
    (
        "example",
        r"\b(?:would|['’]d|feel(?:ing)?|looks?|sounds?|something|anything|stuff|things?|much)\s+(?:love|like)\b",
    ),
    (
        "liked",
        r"\b(?:i|we)\s+(?:(?:really|just|absolutely|always|also|both|do|did|quite|rather|so|still|totally|very\s+much)\s+)*"
        r"(?:like|love|adore|enjoy)\b",
    ),
    (
        "liked",
        r"\b(?:loved|liked|loving|adored|adoring|enjoyed|enjoying|(?:fan|fond)\s+of|favou?rites?|obsessed\s+with)\b",
    ),
    ("liked", r"(?:(?<=^)|(?<=[,;:(]))\s*(?:(?:and|but|also|really)\s+)*(?:love|adore|enjoy)\b"),
    ("met", r"\b(?:saw|seen|watched|watching|read|reading|played|heard|finished|bought|own|know)\b"),
    ("example", r"\b(?:like|similar|more|such\s+as|vein|style|spirit|lines\s+of|reminds|than|resembl\w+|à\s+la)\b"),
    ("example", r"想看|要看|像|类似|比如|例如"),
    ("liked", r"喜欢|爱看|最爱|喜爱|爱听"),
    ("met", r"看过|看了|看完|读过|读了|听过|听了|买过|买了"),
)  # fmt: skip
_CUE = re.compile("|".join(f"(?P<c{i}>{pattern})" for i, (_, pattern) in enumerate(_CUES)), re.IGNORECASE)
_LIKED_AFTER = re.compile(
    r"""["”'’»)]*\s*(?: [,:?–-]*\s*(?:(?:which|that|and)\s+)?(?:i|we)(?:['’]?ve)?\s+
        (?:(?:really|just|absolutely|always|also|both|so|have)\s+)*
        (?:loved?|liked?|enjoyed?|adored?)\b
      | \s*[,:?–-]\s*(?:(?:i|we|really|just|absolutely)\s+)*
        (?:loved|liked|enjoyed|adored)\s+(?:it|them|that|this|both)\b
      | (?:is|was|are|were)\s+(?:\w+\s+){0,3}?
        (?:good|great|amazing|brilliant|perfect|wonderful|excellent|lovely|favou?rites?)\b
      | 很好看|很棒|真好|我?(?:很|最)?喜欢 )""",
    re.IGNORECASE | re.VERBOSE,
)
_LIKENED_AFTER = re.compile(
    r"[\"”'’»》]*(?:-?(?:like|style|esque|type)\b|\s+(?:vibes?|style)\b|(?:一样|那样|那种|类似|差不多|之类|同类|风格))",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?;\n。！？；]")
_JOIN = re.compile(
    r"[\"”'’»]*\s*(?:,|&|/|、|\band\b|\bor\b|和|与|以及|\s)+\s*(?:also\s+|both\s+)?[\"“‘«]*", re.IGNORECASE
)


def how_named(text: str, places: Sequence[tuple[int, int]]) -> list[Naming]:
    """For each place of a text, in its order, the way in which it is named there; all of them are blanked in the text.

    What is told after the last of a list of titles is told of all of them: "Alien and Heat, loved both".
    """
    found: list[Naming] = []
    for place, (start, _) in enumerate(places):
        before = text[max((m.end() for m in _SENTENCE_END.finditer(text, 0, start)), default=0) : start]
        cues = [m.lastgroup for m in _CUE.finditer(f"{before}\x00")]
        how = _CUES[int((cues[-1] or "c0")[1:])][0] if cues else "example"
        ends = place
        while ends + 1 < len(places) and _JOIN.fullmatch(text, places[ends][1], places[ends + 1][0]):
            ends += 1
        after = places[ends][1]
        how = "example" if _LIKENED_AFTER.match(text, after) else how
        found.append("liked" if _LIKED_AFTER.match(text, after) else how)
    return found
