"""What a message says beside its request: sounds and oaths ("hmm", "a damn western"), and how somebody's day went."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.schema import Intent
from agent.understanding.intent import parse_intent
from agent.understanding.pointers import find_pointers
from agent.understanding.sounds import SOUND
from agent.understanding.spans import blank, phrases_in
from agent.workspace.catalogue import Catalogue

_SOUND = re.compile(rf"(?<![\w'’-])(?:{SOUND})(?![\w'’-])[\s,!.]*", re.IGNORECASE)
# A clause ends with its mark, or before a word that begins a request: "I'm tired so give me something light".
_CLAUSE = re.compile(
    r"(?:(?!\s+(?:so|but|and)\s+(?:can|could|would|will|give|show|find|(?:now\s+)?(?:i|we)\s+(?:need|want|would)|i['’]?d|please|something|anything"
    r"|just|let|how|what|recommend|suggest|maybe|an?)\b)(?:[^.!?\n;,]|[.,](?=\w)))+(?P<mark>[.!?\n;]?)",
    re.IGNORECASE,
)
# Who or what a clause tells of that is no request: somebody, the day, the weather.
_TELLS = re.compile(
    r"""\W*(?:(?:so|and|but|because|since|also|today|tonight|anyway)\s+)*
    (?: (?:i|we)\b | (?:i|we|it)['’](?:m|re|ve|d|s)\b | (?:im|ive|its)\b | (?:my|our)\b
      | it\s+(?:is|was|rains|snows)\b
      | (?:what\s+)?(?:(?:an?|the|such|had|just|having)\s+){0,3}(?:\w+\s+){1,2}
        (?:day|week|month|morning|shift|weather)\b
      | (?:today|yesterday|work|school|traffic|life)\s+(?:is|was|has|s|sucks|sucked)\b )""",
    re.IGNORECASE | re.VERBOSE,
)
_ASKS = re.compile(
    r"""\b(?: you | find | show | give | recommend\w* | suggest\w* | needs? | wants? | wish | look | looking | searching
      | mood | something | anything | nothing | everything | some | any | what | which | please | let['’]?s | lets
      | like | likes | liked | love[sd]? | hate[sd]? | prefer\w* | enjoy\w* | fan | into | seen | saw | see
      | watch\w* | read | reading | (?:sick|tired|bored|enough|afraid|scared)\s+(?:of|with) | avoid | more | less
      | than | films? | movies?
      | books? | crav\w+ | fancy | after | feel | feels | feeling | up\s+for | hop\w+ | wonder\w*
      | thinking | ones? | play | played | buy | mean | meant | own | stand | take | pick | choose | same | also
      | too | set | where | about | who | that | mind
      | care | try | usual\w* | normally | said | prefer | favou?rites? | already
      | must | should | could | would | (?:has|have|got|supposed)\s+to | gotta
      | ador\w+ | dig | seek\w* | dream\w* )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# "exams are over", which is no leave as "subtitles are fine" is.
_IS = re.compile(
    r"\W*\w+(?:\s+\w+){0,2}\s+(?:is|are|was|were|sucks?|sucked)\b"
    r"(?!.*\b(?:fine|ok|okay|all\s+right|alright|good|great|welcome|important|must|required|better|best|enough|plus|nice|perfect)\b)",
    re.IGNORECASE,
)
# Said alone, only how things are or went is no request: "I'm sad" is none, "I collect vampires" may be one.
_STATES = re.compile(
    r"['’](?:m|s|re)\b|\b(?:im|am|is|are|was|were|had|got|lost|broke|went|died|sucks|\w{3,}ed)\b", re.IGNORECASE
)
_PRONOUN = re.compile(r"\W*(?:he|she|they|that|this|it|these)\b", re.IGNORECASE)
# "what" and "had", which mostly ask, here do not.
_DAY = re.compile(
    r"\W*(?:(?:i|we)['’]?(?:ve)?\s+)?(?:what\s+|have\s+|had\s+|just\s+)*(?:an?\s+|the\s+)?(?:\w+\s+){0,2}(?:day|week|month|morning|shift)\b"
    r"(?:\s+(?:at|in|with)\s+(?:the\s+|my\s+)?(?:work|office|school|kids|job|hospital|home)|\s+(?:today|so\s+far|behind\s+me|ever))*\W*$",
    re.IGNORECASE,
)


def without_sounds(text: str, catalogue: Catalogue) -> str:
    """The text with sounds and oaths as white space, but for those of a title ("Damn Yankees")."""
    titles = list(phrases_in(text, catalogue.by_title, catalogue.title_starts))
    for match in reversed(list(_SOUND.finditer(text))):
        start, end = match.start(), match.start() + len(match.group().rstrip(" ,!.\n\t"))
        if not any(t.overlaps(start, end) for t in titles):
            opens = not text[:start].strip() or text[:start].rstrip()[-1] in ".!?;:\n"
            end = match.end() if opens else end  # the comma after it goes too
            text = text[:start] + " " * (end - start) + text[end:]
    return text


def without_asides(text: str, shown: Sequence[str], catalogue: Catalogue) -> tuple[str, bool]:
    """The text with what it tells of a day or a mood blanked, and whether nothing else was said.

    Args:
        text: the message.
        shown: item ids of the last list; what points at them is no aside.
        catalogue: what names something of it is no aside either.
    """
    asides, requests = [], 0
    for sentence in _sentences(text):
        told = [_is_aside(text[start:end], shown, catalogue) for start, end in sentence]
        asking = [place for place, aside in enumerate(told) if not aside]
        named = [place for place in asking if _is_request(text[slice(*sentence[place])], shown, catalogue)]
        whole = bool(told and told[0] and not named)  # "my boss yelled at me, for an hour."
        asides += [span for span, aside in zip(sentence, told, strict=True) if aside or whole]
        requests += 0 if whole else len(asking)
    if requests:
        return blank(text, asides), False
    said = [text[start:end] for start, end in asides]
    return text, bool(said) and all(_DAY.match(clause) or _STATES.search(clause) for clause in said)


def _sentences(text: str) -> Iterator[list[tuple[int, int]]]:
    """The clauses of each sentence that have a word."""
    clauses: list[tuple[int, int]] = []
    for match in _CLAUSE.finditer(text):
        if re.search(r"\w", match.group()):
            clauses.append(match.span())
        if match["mark"] and clauses:
            yield clauses
            clauses = []
    if clauses:
        yield clauses


def _is_aside(clause: str, shown: Sequence[str], catalogue: Catalogue) -> bool:
    if _DAY.match(clause):
        return True
    tells = _TELLS.match(clause) or (_IS.match(clause) and not _PRONOUN.match(clause))
    return bool(tells) and not _is_request(clause, shown, catalogue)


def _is_request(clause: str, shown: Sequence[str], catalogue: Catalogue) -> bool:
    if _ASKS.search(clause) or find_pointers(clause, shown, catalogue):
        return True
    now = parse_intent(clause, catalogue)
    return now != Intent(now.text, wishes=now.wishes, avoids=now.avoids)
