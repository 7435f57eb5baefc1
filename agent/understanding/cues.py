"""Small words of English messages: numbers, filler, and the cues that turn what follows them down. Data first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent.understanding.sounds import SOUND

NUMBERS = {w: i for i, w in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)}

# What a request says around its wishes: "please recommend me a good film to watch".
FILLER = frozenset(
    """
    a about ago album albums also am an and anti any anything are as at be been before book books but by came can
    could decade did do does doing else enjoy enjoyed era ever every feel feeling film films find fine for free from
    game games get give go going good great had has have hello her hey hi his how i i'd i'll i'm i've if in is it
    it's item items ive just keep kind let let's like liked list looking lot lots love loved made make making may
    maybe me mood more most movie movies much music must my need new non of ok okay on one ones only option options
    or other our out pick picks play please published put read really recommend recommendation recommendations
    released request same saw say see seen series set shall should show shows similar so some something song songs
    sort stuff such suggest suggestion suggestions tell than that that's the their then there these they thing
    things think this time title titles to today tonight too top try up us very want wanted wants was watch watched
    we well were what which who will with would year years yes you your
    genre genres gotta having he kindly she
    though perhaps enough nah nope yep yeah yup both him them probably
    """.split()
)

# What stands around wishes too and asks for nothing; in a title or a value each of these words counts like any other.
_TALK = (
    r"(?:i['’]?m|i\s+am|we['’]?re|we\s+are)\s+(?:\w+\s+)?after",
    r"starring|featuring|directed|now|here|thanks|thank|thx|cheers|ideally|preferably|usually|wanna|gonna|bought|products?",
    r"(?:we|you|they)['’]?(?:re|ve)|(?:you|we|they|it)['’]d|youd|id|im|it['’]?s|lets|(?:what|that|there|here|who)['’]?s",
    r"(?:surprise|help)\s+(?:me|us)|(?:you\s+)?know(?=\s+(?:any|some|of|a|an)\b)|got(?=\s+(?:any|some))|could\s+use",
    r"(?:(?:big|huge|great|massive)\s+)?fan\s+of|(?:big|huge|great|massive)\s+fan",
    r"(?:in|for|been|after)\s+(?:quite\s+)?a\s+(?:long\s+)?while(?:\s+since)?",
    r"(?:for|over|on|at)\s+the\s+weekend|this\s+weekend|(?:my|our)\s+friends?\s+wants?",
    r"(?:watch|see|read|play|hear|try|do|get)\s+next|next(?=\s*(?:[.,;!?]|$))",
    r"(?:feel|love|like)\s+(?:watching|seeing|reading|playing|hearing)|wanting\s+to|as\s+long\s+as",
    r"after\s+all|either|scratch\s+that|already|(?:i\s+)?mean(?:t)?(?=\s)|sorry|instead|actually|anyway|hm+|oh|well(?=,)|wait",
    r"(?:have\s+you|else\s+you(?:['’]ve)?)\s+got|this\s+time|in\s+that\s+case|even(?=\s+\w+er\b)|a\s+(?:little\s+)?bit|slightly",
    r"in\s+the\s+(?:vein|style|spirit)\s+of|a\s+mix(?:ture)?\s+of|(?:last|this)\s+(?:week|night|year|month)|yesterday|recently|lately",
    r"(?:i['’]?ll|i\s+will|let['’]?s|we['’]?ll)\s+(?:take|have|go\s+(?:with|for)|watch|try|read)|different\s+(?:ones?|films?|movies?|books?)",
    r"(?:perfect|great|nice|cool|awesome|lovely|excellent|alright|right|yeah|yep|sure)(?=\s*[,!.])|(?:i\s+)?changed\s+my\s+mind",
    r"whatever(?=\s*(?:$|[.,!]))|you\s+(?:choose|decide|pick)|of\s+all\s+times?|where\s+(?:should|do)\s+i\s+(?:start|begin)|up\s+to\s+you|no\s+idea|again|(?<=\x00\s)(?:brothers|sisters)",
    SOUND,
    r"on\s+second\s+thoughts?|(?:now\s+that|come\s+to|when)\s+(?:i\s+)?think\s+(?:of|about)\s+it|to\s+be\s+honest|honestly",
    r"(?:i|we)(?:['’]?d)?\s+fanc(?:y|ied)|^\W*fancy(?:ing)?|(?:i\s+(?:was|am)|i['’]?m)\s+thinking(?:\s+of)?|or\s+so|i\s+(?:already\s+)?said|i\s+(?:guess|think|suppose|believe)|by\s+the\s+way|in\s+fact|you\s+know\s+what",
    r"forget\s+(?:it|that)|never\s*mind|of\s+course|obviously|definitely|for\s+sure|(?:movie|film|book)\s+night|at\s+the\s+moment|these\s+days|right\s+now|first\s+of\s+all|for\s+(?:starters|once)|at\s+all",
    r"(?:^|[.!?]\s)\s*(?:sweet|wonderful|brilliant|fantastic|amazing|beautiful|superb|fun)(?=\s*(?:[,!]|\.(?:\s|$)))",
    r"(?:my|our)\s+(?:girlfriend|boyfriend|wife|husband|partner|kids?|sons?|daughters?|mom|mum|dad|mother|father|brother|sister|parents?"
    r"|roommate|date)(?=\s+(?:wants?|hates?|loves?|likes?|prefers?|enjoys?|is|are|would|can['’]?t|do(?:es)?)\b)",
    r"(?:my|our)\s+favou?rite\s+(?:director|actor|actress|author|writer|film|movie|book|genre|kind)s?\s+(?:is|are|was)",
    r"(?:hey|hi|yo|hello|ok|okay|dear|come\s+on|please)\s+(?:bot|buddy|dude|bro|mate|pal|guys|folks)|^\W*(?:bot|buddy|dude|bro|mate)(?=,)|(?<=,\s)(?:bot|buddy|dude|bro|mate|pal)(?=\W*$)",
    r"if\s+possible|would\s+be\s+(?:perfect|great|nice|lovely)|(?<=,)\s+all",
)
SMALL_TALK = re.compile(rf"(?<![\w'’-])(?:{'|'.join(_TALK)})(?![\w'’-])", re.IGNORECASE)

# Words that some catalogue may have as a value ("type: new") and everybody uses otherwise: a condition only where the
# attribute is named with them.
EVERYDAY = frozenset(
    """
    all bad best better big black blue classic cold cool dark different easy fast favorite favourite first free
    fresh full fun funny happy hard high hot last late light live local long low modern nice normal old open other
    own popular public quick random real red right sad short simple slow small special standard the unknown used
    usual various white young
    """.split()
)

Stance = Literal["against", "less", "also", "open"]
# against: not this, a hard condition.            "no horror"
# less:    this is unwelcome, not forbidden.      "not too much romance"
# also:    this, and not only this: a mere wish.  "not only comedies"
# open:    this or not, it does not matter.       "I don't mind subtitles"

_NT = r"(?:n['’]?t|\s+not|not)"  # don't, dont, do not, cannot
_DO = rf"(?:do|does|did|would|could|can|ca|wo|will|should|need){_NT}"
_BE = rf"(?:is|are|was|were|be){_NT}"
_TRIED = r"(?:seen|watched|heard|read|tried|played)"

# One cue a line; of two cues that begin at the same word the upper one counts. None: looks like a negation and is none.
_CUES: tuple[tuple[Stance | None, str], ...] = (
    (None, rf"why\s+(?:not|{_DO})"),
    (None, rf"(?:{_DO}|{_BE}|have{_NT})\s+(?:you|we|there|it)"),
    (None, rf"(?:never|not|have{_NT}|had{_NT})\s+(?:yet\s+)?{_TRIED}"),
    (None, rf"{_DO}\s+(?:get\s+enough|go\s+wrong|wait|decide|know|forget|hesitate|be\s+better)"),
    (None, r"(?:no|not)\s+(?:more|less|fewer)\s+than|more\s+or\s+less|less\s+than|if\s+not|not\s+to\s+mention"),
    (None, r"not\s+(?:bad|sure|afraid|long\s+ago)|no\s+(?:idea|matter|problem|doubt|preference|one|longer)"),
    (None, r"nothing\s+(?:beats|but|except|other\s+than)|never\s+(?:mind|gets?\s+old|(?:get\s+)?tired\s+of)"),
    (None, r"no(?=\s*[,;.!?]|-)|whether\s+or\s+not|without\s+(?:a\s+)?doubt"),
    ("open", rf"{_DO}\s+(?:mind|care\s+(?:about|if|whether)|hate|dislike|(?:have|need)\s+to\s+be|matter)"),
    ("open", rf"not\s+that\s+i\s+{_DO}\s+(?:like|want|enjoy)"),
    ("open", r"not\s+necessarily|need\s?n['’]?t\s+be|no\s+need\s+(?:for|to\s+be)"),
    ("also", rf"not\s+(?:only|just|merely)|{_DO}\s+(?:only|just)\s+(?:want|like|need)"),
    ("less", r"(?:(?:far|way|much|all|a\s+(?:bit|little))\s+)*too(?=\s+(?!please|and|but|or|with|if|for|many|much)\w)"),
    ("less", r"(?:without|not)\s+(?:too\s+|that\s+)?(?:much|many)"),
    ("less", rf"(?:not|nothing|{_BE})\s+(?:too|so|very|overly|that|as|all\s+that)(?:\s+(?:much|many))?|less(?:\s+of)?"),
    ("against", rf"{_DO}\s+(?:really\s+)?(?:want|like|love|need|enjoy|care\s+for|be|have)"),
    ("against", rf"{_DO}\s+(?:give|show|recommend|suggest|include)(?:\s+me)?"),
    ("against", rf"{_DO}\s+stand|not\s+(?:a\s+fan\s+of|into|in\s+the\s+mood\s+for|keen\s+on|interested\s+in)"),
    ("against", r"(?:anything|everything|all|any\s+\w+)\s+(?:but|besides|except(?:\s+for)?)"),
    ("against", r"(?:other|rather)\s+than"),
    ("against", r"except(?:ing|\s+for)?|exclud(?:e|es|ing)|apart\s+from|aside\s+from|instead\s+of|unlike|minus|w/o"),
    ("against", r"(?:tired|sick|bored|fed\s+up|enough)\s+(?:of|with)|free\s+(?:of|from)"),
    ("against", r"(?:stay|steer|keep)\s+(?:away|clear)\s+(?:from|of)"),
    ("against", r"avoid(?:ing)?|skip|hat(?:e|ed|es)|dislik(?:e|ed|es)|loath(?:e|ed)|detest(?:ed)?|leave\s+out|ban"),
    ("against", r"(?:(?<![\w\s])|(?<=[.,;!?]\s))enough(?=\s+\w)"),
    ("against", r"nothing(?:\s+like)?|no\s+more|none\s+of|neither|nor|never|without|no|not"),
    ("against", rf"{_BE}|{_DO}"),
)  # fmt: skip
_CUE = re.compile("|".join(rf"(?P<c{i}>\b(?:{pattern})(?!\w))" for i, (_, pattern) in enumerate(_CUES)), re.IGNORECASE)

# What is turned down first and then told so: "casino i hated", "musicals? can't stand them".
_DISLIKE = (
    r"(?:can(?:['’]?t|not)\s+stand|hated?|dislike[d]?|loathed?|detest(?:ed)?"
    r"|(?:do|did)(?:n['’]?t|nt|\s+not)\s+(?:really\s+)?(?:like|enjoy|want|need|care\s+for))"
)
_OBJECT_FIRST = re.compile(
    r"(?:^|[.,;!?:\n]|\b(?:but|although|though|while|because)\b)\s*(?P<what>(?:(?!\b(?:but|although|though|while|because)\b)[^.,;!?:\n]){2,60}?)"
    rf"(?:\s*[,:?–-]?\s+(?:i|we)\s+(?:(?:really|just|absolutely|always|so)\s+)?(?P<i>{_DISLIKE})(?:\s+(?:it|him|her|them|that|those|these))?"
    rf"|\s*[,:?–-]\s*(?:(?:really|just|absolutely)\s+)?(?P<bare>{_DISLIKE})\s+(?:it|him|her|them|that|those|these))"
    r"(?=\s*(?:$|[.,;!?\n]|(?:but|and|so|please|though)\b))",
    re.IGNORECASE,
)

# How far a cue reaches: over a list ("no horror, war or crime"), up to a full stop or a word that begins a new thought.
_TOKEN = re.compile(r"[\w'’\x00]+(?:-[\w'’]+)*|\.(?!\d)|[,;!?:\n()/]")
_END = frozenset(".;!?:\n()")
_JOIN = frozenset(("or", "nor", "and", "/"))
_NEW_THOUGHT = frozenset(
    """
    about also although because but by except find for from give however i i'd i'm in instead just like make maybe
    more ok okay only please prefer preferably rather recommend set show something suggest thanks then though unless
    which with without yet
    """.split()
) | frozenset(NUMBERS)
_OPENERS = frozenset("about anything by for from i in like made more set something with".split())  # "not from the 80s"
_REACH, _LONGEST_MEMBER = 160, 3  # characters; words of one member of a list


@dataclass(frozen=True, slots=True)
class Scope:
    """A cue and what it reaches: the words of text[start:end]."""

    stance: Stance
    cue: str
    cue_start: int
    start: int
    end: int


@lru_cache(maxsize=16)
def scopes(text: str) -> tuple[Scope, ...]:
    """All cues of a message with their reach, in its order."""
    return tuple(_scopes(text))


def stance(text: str, place: int) -> Stance | None:
    """The stance towards what stands at `place`, None where no cue reaches it; the nearest cue counts."""
    return next((s.stance for s in reversed(scopes(text)) if s.start <= place < s.end), None)


def is_negated(text: str, place: int) -> bool:
    """Whether what stands at `place` is turned down, entirely or in part."""
    return stance(text, place) in ("against", "less")


def is_cue(text: str, place: int) -> bool:
    """Whether the word at `place` belongs to a cue."""
    return any(m.start() <= place < m.end() for m in _cue_matches(text))


@lru_cache(maxsize=16)
def _cue_matches(text: str) -> tuple[re.Match[str], ...]:
    return tuple(_CUE.finditer(text))


def _scopes(text: str) -> Iterator[Scope]:
    end = 0
    for match in _cue_matches(text):
        kind = _CUES[int((match.lastgroup or "c0")[1:])][0]
        # "no comedies except romantic ones": what is excepted from a refusal is not refused.
        excepted = match.start() <= end + 1 and match.group().lower().startswith("except")
        if kind is not None and not excepted:
            end = _end_of_scope(text, match.end())
            yield Scope(kind, match.group().lower().replace("’", "'"), match.start(), match.end(), end)
    for match in _OBJECT_FIRST.finditer(text):
        start, what = match.start("what"), match["what"]
        if re.search(r"\b(?:i|we)\b", what, re.IGNORECASE):  # "heat i loved and casino i hated"
            start += max(what.rfind(" and "), 0)
        cue = match["i"] or match["bare"]
        yield Scope(
            "against", cue.lower().replace("’", "'"), match.start("i" if match["i"] else "bare"), start, match.end()
        )


def _end_of_scope(text: str, start: int) -> int:
    end, members, said, opening = start, 1, 0, True
    for token in _TOKEN.finditer(text, start, start + _REACH):
        word = token.group().casefold().replace("’", "'")
        if word == "," and said and _goes_on(text, token.end(), members):
            members, said, opening = members + 1, 0, False
        elif word in _JOIN and (said or members > 1):
            members, said, opening = members + 1, 0, word in ("or", "nor")
        elif word in _END or word == "," or (word.isdecimal() and len(word) < 3):
            break
        elif word in _NEW_THOUGHT and not (opening and not said and word in _OPENERS):
            break
        else:
            said += word not in FILLER
            if said > _LONGEST_MEMBER:
                break
        end = token.end()
    return end


def _goes_on(text: str, place: int, members: int) -> bool:
    """Whether a comma goes on with a list: only if an "or" or "and" closes it, as in "no horror, war or crime"."""
    said = 0
    for token in _TOKEN.finditer(text, place, place + _REACH):
        word = token.group().casefold().replace("’", "'")
        if word in _JOIN:
            return said > 0 or members > 1 or word != "and"
        if word == ",":
            said = 0
        elif word in _END or word in _NEW_THOUGHT or said >= _LONGEST_MEMBER or _CUE.match(text, token.start()):
            return False
        else:
            said += 1
    return False
