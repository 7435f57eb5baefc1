"""Messages that ask nothing of a recommender: greetings, thanks, other errands, orders to the program itself.

Each is told by how it begins, sentence by sentence; what is left of a message is read as a request.
"""

from __future__ import annotations

import re
from typing import Literal

from agent.understanding.spans import blank, spaced

Kind = Literal["greeting", "thanks", "order", "errand", "rude", "help", "aside"]

_LEAD = r"(?:(?:please|pls|now|ok(?:ay)?|hey|so|and|then|can|could|would|will|you|i want you to)[\s,]+)*"
_RULES = r"(?:instructions?|rules?|prompts?|guidelines?|restrictions?|constraints?|programming|training|guardrails?)"
_WRITTEN = (
    r"(?:poems?|haikus?|limericks?|songs?|essays?|e-?mails?|letters?|jokes?|stor(?:y|ies)|code|scripts?|functions?"
    r"|programs?|speech(?:es)?|recipes?|python|javascript|sql|html|tweets?|resumes?|cvs?|homework)"
)
_INSULT = r"(?:stupid|dumb|useless|idiots?|idiotic|crap|sucks?|moron|garbage|trash|worthless|pathetic|annoying)"
_MACHINE = r"(?:bot|machine|program|thing|robot|ai|computer|recommender|app|tool)"
# How a sentence of each kind reads; a space is any white space.
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("order", rf"(?:ignore|forget|disregard|override|bypass|break|drop)\b[^.!?\n]{{0,60}}\b{_RULES}\b.*"),
    ("order", r"you are now\b.*|(?:act|behave) (?:as|like) (?:an?|if|though|my)\b.*|pretend\b.*|role-?play\b.*"),
    ("order", r"from now on\b.*|repeat after me\b.*|jailbreak\b.*"),
    ("order", r"(?:reveal|print|show|tell|give|output|repeat|what(?:['’]?s| is| are))\b[^.!?\n]{0,40}\b(?:system prompt"
              r"|your (?:(?:system|secret|hidden|initial) )?(?:prompt|instructions|rules|password|api key))\b.*"),
    ("errand", r"(?:write|compose|draft|generate|create|make|give|tell|sing|say|recite|code|program) (?:(?:me|us|up) )?"
               rf"(?:(?:an?|some|the|my|another|short|long|little|python) ){{0,3}}{_WRITTEN}\b.*"),
    ("errand", r"(?:translate|calculate|compute|solve|summari[sz]e|debug|refactor|proofread|convert)\b.*"),
    ("errand", r"(?:what(?:['’]?s| is)|how much is) (?:\d+|the (?:weather|time|date|capital|population|square|sum"
               r"|meaning|price of|news|stock)|today['’]?s|your (?:name|age|favou?rite colou?r))\b.*"),
    ("errand", r"(?:what (?:time|day|date) is|how['’]?s the weather|who (?:won|is the president|invented))\b.*"),
    ("errand", r"(?:(?:can|could|would|will) you (?:please )?(?:fix|repair|order|call|phone|cook|clean|wash|feed|pay"
               r"|lend|hack|install|charge|send|marry|kiss|hug|drive|teach|book|reboot|buy|bring)"
               r" (?:me|my|us|our|an?|the|some)|(?:fix|repair|call|clean|wash|feed|charge|reboot|do) (?:my|our)"
               r"|(?:turn|switch) (?:on|off)"
               r"|play (?:some )?music)\b.*"),
    ("errand", r"do you (?:love|like|hate|know|miss|remember) me|where (?:are you|do you live)|how old are you"
               r"|are you (?:married|single|alive|conscious|ok|there|drunk|kidding|serious)"
               r"|do you (?:like|love|enjoy|prefer|want|sleep|dream|eat|drink|think|feel)\b.*"
               r"|what(?:['’]?s| is) your favou?rite\b.*|can you (?:speak|hear|see|feel|think|sing|dance)\b.*"),
    ("help", r"(?:who|what) are you|who made you|what can you do(?: for me)?|how do(?:es)? (?:you|this) work"
             r"|help(?: me)?|are you (?:an? )?(?:human|robot|bot|ai|person|real|machine|chatgpt)"),
    ("rude", rf"(?:(?:you(?:['’]?re| are)?|(?:this|that|it)(?:['’]?s| is)) )?"
             rf"(?:(?:so|really|a|an|such|very|fucking|bloody) )*{_INSULT}(?: {_MACHINE})?"),
    ("rude", r"(?:you(?:['’]?re| are) |what |this is |such )?(?:(?:just|simply|the|a|an|so) )*"
             r"(?:worst|dumbest|stupidest|most (?:useless|stupid|annoying)"
             rf"|(?:terrible|awful|horrible|lousy|shitty|bad|rubbish)(?= (?:\w+ )*{_MACHINE}))"
             rf"(?: (?:damn|fucking))?(?: {_MACHINE})?(?: (?:i|ever|in|of|that|have|i['’]ve)\b.*)?"),
    ("rude", r"(?:you|your (?:\w+ )?(?:recommendations?|suggestions?|taste|lists?)"
             r"|(?:this|the) (?:bot|app|thing|machine|tool))(?: (?:is|are|just|really|all|so|totally|such))*"
             r" (?:sucks?|stinks?|terrible|awful|horrible|rubbish|bad|lousy"
             r"|shit|worthless|useless|stupid|dumb|(?:an? )?(?:joke|waste of (?:my )?time))"),
    ("rude", r"you know nothing|are you (?:even )?(?:listening|reading|deaf|blind|broken|stupid|dumb)\b.*"
             r"|you (?:never|don['’]?t) (?:listen|understand|get it)\b.*|what a (?:waste of (?:my )?time|joke)"),
    ("rude", r"(?:fuck|screw|damn) (?:you|off|this|it)|shut up|go to hell|i hate you|this sucks"),
    ("thanks", r"(?:(?:many|ok(?:ay)?|no|great) )?(?:thanks|thank you|thx|cheers|ta)"
               r"(?: (?:a lot|so much|very much|you|again|anyway|for \w+(?: \w+)?))?"),
    ("thanks", r"(?:that(?:['’]?s| is) )?(?:perfect|great|awesome|cool|lovely|excellent|brilliant|wonderful|fantastic"
               r"|amazing|sweet|nice"
               r"|well done|good (?:job|bot|one)|nice (?:job|one|work))(?: (?:bot|job|work|list|picks|one|choices?))?"),
    ("thanks", r"(?:good ?)?bye|see (?:you|ya)(?: later)?|that(?:['’]?s| is| will be|['’]ll be) all|good night"
               r"|(?:i['’]?m|we['’]?re) (?:done|good)"),
    ("greeting", r"(?:hi|hello|hey|hiya|yo|howdy|greetings|good (?:morning|afternoon|evening|day))"
                 r"(?: (?:there|again|you|everyone|all|bot|vouchrec))?"),
    ("greeting", r"how are you(?: (?:doing|today))*|how(?:['’]?s| is) (?:it going|life|everything|your day)"
                 r"|what(?:['’]?s| is) up|nice to meet you"),
)  # fmt: skip
_KINDS = tuple((kind, spaced(_LEAD + f"(?:{pattern})")) for kind, pattern in _PATTERNS)
_SENTENCE = re.compile(r"[^.!?\n,;]+(?:,(?!\s)[^.!?\n,;]+)*|[^\w\s]+")
_WHOLE = re.compile(r"[^.!?\n]+")


def without_talk(text: str) -> tuple[str, Kind | None]:
    """The text with such sentences blanked, and the kind of the last of them; None where there is none.

    An order takes its whole sentence; a greeting or thanks only its own part of one, as in "thanks, a comedy".
    """
    kind: Kind | None = None
    taken: list[tuple[int, int]] = []
    for pieces, kinds in ((_WHOLE, ("order", "errand", "help")), (_SENTENCE, ("rude", "thanks", "greeting"))):
        for piece in pieces.finditer(text):
            said = piece.group().strip()
            here = next((k for k, p in _KINDS if k in kinds and p.fullmatch(said)), None)
            if here is not None and not any(s < piece.end() and piece.start() < e for s, e in taken):
                kind = here if kind is None or kind in ("greeting", "thanks") else kind
                taken.append(piece.span())
    return blank(text, taken), kind


def answer(kind: Kind, noun: str) -> str:
    """A polite sentence that comes back to the job; `noun` is what one item is called."""
    first = {
        "greeting": "Hello!",
        "thanks": "You are welcome.",
        "rude": "Sorry that this did not help.",
        "aside": "I see.",
        "help": f"I recommend {noun}s out of this catalogue, and say truthfully why each one fits.",
    }.get(kind, f"That is not mine to do: I only recommend {noun}s.")
    return f"{first} Tell me what you like or what you feel like, and I look for {noun}s that fit."
