"""A text cut into units: titles and values of the evidence, numbers, and the words of the grammar."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from agent.justification.themes import THEMES
from agent.justification.tokens import WORDS, Kind, Token
from agent.justification.wording import VERBS, plural, quoted, role_of, spoken, titled
from agent.schema import Evidence, Item
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue, bare_key, title_key

_NOUNS = (frozenset({"film", "movie"}), frozenset({"show", "series"}))  # two names of one thing
_PLAIN = re.compile(
    r"(?P<decade>(?:18|19|20)[0-9]0s\b|'?[2-9]0s\b)|(?P<number>[0-9]+(?:\.[0-9]+)?(?!\w))"
    r"|(?P<word>\w+(?:[-'’]\w+)*)|(?P<other>.)",
    re.DOTALL,
)
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_DECADES = {f"{word[:-1]}ies": str(start) for word, start in _TENS.items()}  # "the nineties"


class Units:
    """The phrases that stand for something in a justification of `item`, and how a text is cut into them.

    Args:
        item: what is justified.
        others: the items of the evidence.
        evidence: all that was computed for the item.
        catalogue: where a short title must be unmistakable.
    """

    def __init__(self, item: Item, others: Sequence[Item], evidence: Sequence[Evidence], catalogue: Catalogue) -> None:
        self._item = item
        self._subjects = (item, *others)
        self._evidence = evidence
        self._catalogue = catalogue
        self.nouns = frozenset(self._nouns())
        self._values = {
            name: {v for s in self._subjects for v in s.words(name)}
            | {v for e in evidence if e.attribute == name for v in e.values}
            for name, kind in catalogue.attribute_types.items()
            if kind != "number"
        }
        self._known_words = (
            WORDS | self.nouns | {spoken(v, n).casefold() for n, values in self._values.items() for v in values}
        )
        self._units: dict[str, Token] = {}
        for phrase, token in self._phrases():
            if phrase:  # a title may have nothing visible in it
                self._units.setdefault(unicodedata.normalize("NFC", phrase), token)
        # A value may change its case; a title stands as it is written.
        loose = ("value", "attribute")
        self._lower = {p.lower(): t for p, t in self._units.items() if t.kind in loose}
        forms = (f"(?i:{re.escape(p)})" if t.kind in loose else re.escape(p) for p, t in self._longest())
        self._pattern = re.compile("|".join(forms) or r"(?!)")
        self._facts = sorted((unicodedata.normalize("NFC", e.text) for e in evidence), key=len, reverse=True)
        self._counts = {str(n) for e in evidence for n in (e.count, e.total)}

    def cut(self, text: str, *, facts: bool = True) -> Iterator[Token]:
        """The units of a text: whole sentences of the evidence, then the longest phrase, then words one by one.

        Without `facts`, sentences of the evidence are cut like all others.
        """
        place, opens = 0, True
        while place < len(text):
            if text[place] == " ":
                place += 1
                continue
            fact = self._fact(text, place) if facts and opens else None
            if fact is not None:
                yield Token("fact", fact)
                place += len(fact)
                continue
            if (unit := self._unit(text, place)) is not None:
                phrase, token = unit
                yield token
                place += len(phrase)
                opens = False
                continue
            match = _PLAIN.match(text, place)
            assert match is not None  # `other` takes any character
            yield from self._plain(match, opens=opens)
            place, opens = match.end(), match[0] in (".", "!")

    def _fact(self, text: str, place: int) -> str | None:
        return next(
            (f for f in self._facts if text.startswith(f, place) and text[place + len(f) :][:1] in ("", " ")), None
        )

    def _unit(self, text: str, place: int) -> tuple[str, Token] | None:
        match = self._pattern.match(text, place)
        if match is None or (place and _joined(text[place - 1], match[0][0])):
            return None
        if match.end() < len(text) and _joined(text[match.end()], match[0][-1]):
            return None
        token = self._units.get(match[0]) or self._lower.get(match[0].lower())
        return None if token is None else (match[0], token)

    def _plain(self, match: re.Match[str], *, opens: bool) -> Iterator[Token]:
        said = match[0].replace("’", "'")
        if match.lastgroup == "decade":
            yield Token("decade", said[:-1].lstrip("'"))
        elif match.lastgroup == "number":
            is_year = len(said) == 4 and said.isdigit() and said not in self._counts
            yield Token("year" if is_year else "number", said)
        elif match.lastgroup == "other":
            said = said.replace("–", "—")
            yield Token("mark" if said in ".!,:;—" else "other", said)
        else:
            word = said[0].lower() + said[1:] if opens else said
            for part in (word[:-2], "is") if word in ("it's", "here's") else (word,):
                yield self._word(part)

    def _word(self, word: str) -> Token:
        if word in _DECADES:
            return Token("decade", _DECADES[word])
        count = _count(word)
        return Token("word" if word in WORDS else "other", word) if count is None else Token("number", str(count))

    # -- phrases

    def _longest(self) -> list[tuple[str, Token]]:
        return sorted(self._units.items(), key=lambda unit: -len(unit[0]))

    def _nouns(self) -> Iterator[str]:
        """What the evidence calls the item, its plural, and another name of the same thing."""
        for e in self._evidence:
            kinds = [spoken(v, e.attribute) for v in e.values if e.attribute and not v.isdigit()]
            said = (
                e.text.rsplit(max(kinds, key=e.text.rfind), 1)[-1]
                if kinds
                else e.text.removeprefix("It is a ").removeprefix("It is an ")
            )
            match = re.fullmatch(r"(?!from ) ?(?!from )([^\W\d][\w -]*?)(?: from [0-9.]+)?\.", said)
            # "It is a film-noir from 1944": the noun is a part of the kind.
            inside = [word for kind in kinds for word in re.split(r"[ -]", kind) if word in VERBS]
            for noun in ([match[1]] if match else inside) if e.kind == "property" else ():
                for name in next((names for names in _NOUNS if noun in names), frozenset({noun})):
                    yield from (name, plural(name))

    def _phrases(self) -> Iterator[tuple[str, Token]]:
        """Phrases and what they stand for, the weightier first: titles, then values, then names of attributes."""
        for subject in self._subjects:
            kind: Kind = "item" if subject is self._item else "title"
            yield from ((name, Token(kind, subject.item_id)) for name in self._names(subject))
        yield from ((noun, Token("noun", noun)) for noun in sorted(self.nouns))
        for name, values in self._values.items():
            for value in sorted(values):
                yield from self._value(spoken(value, name), role_of(name) == "kind")
        for wish in dict.fromkeys(v for e in self._evidence if e.kind == "wish" and not e.attribute for v in e.values):
            yield from self._value(wish, False)
        for word in dict.fromkeys(w for e in self._evidence if e.kind == "wish" for w in e.said.split()):
            yield from self._value(quoted(word), False)
        themes = dict.fromkeys(v for e in self._evidence if e.attribute == THEMES for v in e.values)
        for theme in themes:
            yield from self._value(quoted(theme), False)
        yield from ((name, Token("attribute", THEMES)) for name in ("themes", "theme") if themes)
        for name in self._catalogue.attribute_types:
            said = spoken(name)
            forms = {said, said.removesuffix("s")} - self._known_words
            yield from ((form, Token("attribute", name)) for form in sorted(forms) if form)

    def _names(self, subject: Item) -> Iterator[str]:
        """The title as it may be said; in quotation marks where it could be read as words of the sentence."""
        bare = YEAR_SUFFIX.sub("", subject.title)
        same = self._catalogue.by_title.get(bare_key(subject.title), ())
        alone = len({title_key(self._catalogue.get(i).title) for i in same}) <= 1
        for name in dict.fromkeys((subject.title, *([bare] if alone else ()))):
            said = titled(name)
            if said.startswith('"'):
                yield said  # already quoted, or it reads like a statement
                continue
            yield from _quoted(said)
            if not self._is_plain(said):
                yield said

    def _is_plain(self, phrase: str) -> bool:
        """Whether a phrase consists of words that mean something else here: "It", "Comedy", "1984"."""
        words = re.findall(r"[\w'-]+", phrase)
        return phrase.casefold() in self._known_words or (
            re.fullmatch(r"[\w' -]+", phrase) is not None
            and all(w.casefold() in self._known_words or w[0].isdigit() or _count(w.casefold()) for w in words)
        )

    def _value(self, said: str, is_kind: bool) -> Iterator[tuple[str, Token]]:
        token = Token("value", said.casefold())
        if said.startswith('"'):
            yield said, token
            return
        yield from ((form, token) for form in _quoted(said))
        words = re.findall(r"[\w'-]+", said)
        if not all(w.casefold() in WORDS | self.nouns or w.isdigit() for w in words):
            yield said, token
            if is_kind:
                yield plural(said), token


def _count(word: str) -> int | None:
    """A number in words, two to ninety-nine; "one" is a pronoun here."""
    tens, _, ones = word.partition("-")
    if word in _ONES[2:]:
        return _ONES.index(word)
    if tens in _TENS and (not ones or ones in _ONES[1:10]):
        return _TENS[tens] + (_ONES.index(ones) if ones else 0)
    return None


def _quoted(said: str) -> tuple[str, str]:
    return f'"{said}"', f"“{said}”"


def _joined(outside: str, inside: str) -> bool:
    """Whether a character just outside a phrase makes it part of a longer word."""
    return (outside.isalnum() or outside in "_-'’" or unicodedata.category(outside)[0] in "MC") and (
        inside.isalnum() or inside in "_-'’"
    )
