"""The English that a justification may be written in: a sentence becomes the claims it makes, or it is not understood.

Words come as tokens (`agent.justification.claims` makes them). This reads them from left to right, without going back,
by a small grammar of statements about the item, about what it shares with items of the evidence, about what the person
liked, watched or asked for, and about counts of people. A sentence that does not fit it whole is refused: nothing is
skipped, so nothing can be said between the lines. Whether a claim is true is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "word", "mark", "item", "title", "value", "year", "decade", "number", "attribute", "noun", "fact", "other"
]

MET_VERBS = frozenset("watched read played heard visited chose saw".split())
_LIKED = ("liked", "enjoyed")
_ALSO = ("also", "too", "again", "likewise", "as well")
_HAS = ("has", "have", "brings", "bring", "offers", "offer", "features", "feature")
_BE = ("is", "are")
_DETERMINERS = ("a", "an", "some")
_AS_ASKED = ("as you asked for", "as you asked", "just as you asked", "as you wished", "as requested")
# How a clause may name what it gives: the phrase, and the relation that its values stand in.
_BY = {"directed by": "directed", "written by": "written", "by": "by", "starring": "stars", "with": "with"}
_FROM = ("released in", "made in", "published in", "released", "from", "of", "in")
# All words with a meaning here; none of them can be a title or a value without quotation marks.
WORDS = frozenset(
    """a again also an and another are as asked because been blend both bring brings but by chose description did directed
    do does enjoyed feature features for from has have heard here in include includes is it its just like liked likewise made
    mix no not of offer offers one or other out people played published read released requested same saw share shared shares
    since so star starring stars that the them they this to too visited watched well what which while who wished with without
    word words written you your""".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """A unit of a sentence. `text` is the word, the value, the number, the attribute's name or the item's id."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a sentence says.

    `relation` is one of:
        "kind", "directed", "written", "by", "stars", "with", "has", "from", "its": `about` all have `value`, in a role that
            fits the relation; with "its", in the attribute `attribute`; with "shares", in whichever attribute.
        "year", "decade", "number": `about` all are from that year or decade, or have that number as `attribute`.
        "wish": the description has the word `value`.
        "liked", "watched", "asked for": the person did or said so, of `titles` or of `value`.
        "asked": something in this sentence is what the person asked for.
        "because": something in this sentence links the item to each of `titles`.
        "count": `count` of the `total` (None: not said) people who liked `titles[0]` liked the item.
        "fact": a whole sentence of the evidence, unchanged.
    """

    relation: str
    value: str = ""
    about: frozenset[str] = frozenset()
    titles: tuple[str, ...] = ()
    attribute: str = ""
    negated: bool = False
    count: int = 0
    total: int | None = None


_SPREAD = frozenset("kind directed written by stars with has from its shares year decade number".split())


class NotUnderstood(Exception):
    """The sentence is outside the grammar; the message says where."""


def read(tokens: Sequence[Token], item_id: str) -> Iterator[list[Claim]]:
    """The claims of each sentence in turn; raises NotUnderstood at the first one that does not fit the grammar."""
    reader = _Reader(tokens, item_id)
    while not reader.at_end:
        yield reader.sentence()


class _Reader:
    def __init__(self, tokens: Sequence[Token], item_id: str) -> None:
        self.tokens = tokens
        self.place = 0
        self.item = frozenset({item_id})
        self.named: tuple[str, ...] = ()  # titles so far: what "too" and "both" look back to
        self.said = False  # whether anything was said of the item, which "also" may add to
        self.claims: list[Claim] = []
        self.subject: frozenset[str] | None = None
        self.likeness: frozenset[str] = frozenset()  # titles that the statement at hand is said of too
        self.foreign: frozenset[str] = frozenset()  # titles that were a subject, which "it" might mean
        self.also = False  # whether the statement at hand has "also", "too", "another" or the like

    # -- tokens

    @property
    def at_end(self) -> bool:
        return self.place >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("mark", "end")

    def sees(self, *phrases: str, ahead: int = 0) -> str:
        """The first of the phrases that comes next, or ""."""
        for phrase in phrases:
            if all(self.peek(ahead + i) in _said(word) for i, word in enumerate(phrase.split())):
                return phrase
        return ""

    def take(self, *phrases: str) -> str:
        found = self.sees(*phrases)
        self.place += len(found.split())
        return found

    def kind(self, *kinds: Kind, ahead: int = 0) -> bool:
        return self.peek(ahead).kind in kinds

    def next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1].text

    def need(self, *phrases: str) -> str:
        return self.take(*phrases) or self.fail()

    def fail(self) -> str:
        token = self.peek()
        if token.kind == "other":
            raise NotUnderstood(f"{token.text!r} rests on no evidence")
        around = " ".join(t.text for t in self.tokens[max(0, self.place - 3) : self.place + 1])
        raise NotUnderstood(f"it says something that cannot be checked, at {around!r}")

    # -- sentences

    def sentence(self) -> list[Claim]:
        self.claims, self.subject, self.likeness = [], None, frozenset()
        if self.kind("fact"):
            self.next()
            self.said = True
            return [Claim("fact", about=self.item)]
        opens = True  # whether a bare "a comedy film" may stand here for "it is a comedy film"
        while True:
            self.clause(opens)
            if self.sees(".", "!") and not self.likeness:
                self.next()
                return self.claims
            colon = bool(self.take(":", ";", "—"))
            before = self.place
            self.take(",")
            if self.take("so"):
                self.claims.append(Claim("because", titles=self.looked_back()))
            self.take("and", "but")
            if not colon and self.place == before and not self.sees("because", "since", *_AS_ASKED):
                self.fail()
            opens = colon and self.claims[-1].relation == "because"

    def clause(self, opens: bool) -> None:
        if self.take(*_AS_ASKED):
            self.claims.append(Claim("asked"))
        elif cause := self.take("because", "since"):
            self.person(bool(cause))
        elif self.sees("you"):
            self.person(cause=False)
        elif self.take("just like", "like"):
            self.likeness |= frozenset(self.titles())
        elif self.kind("number") or (self.sees("of") and self.kind("number", ahead=2 if self.sees("of the") else 1)):
            self.people()
        elif self.sees("its"):
            self.possession()
        elif opens and self.starts_phrase():
            self.statement(self.item, self.bare)
        else:
            before = len(self.claims)
            about = self.subjects()
            self.claims[before:] = [replace(claim, about=about) for claim in self.claims[before:]]
            self.predicate(about)

    # -- the person

    def person(self, cause: bool) -> None:
        self.need("you")
        if self.take("asked for"):
            self.request()
            return
        self.take("also")
        relation = "liked" if self.take(*_LIKED) else "watched"
        verb = "" if relation == "liked" else self.need(*MET_VERBS)
        titles = self.titles()
        self.claims.append(Claim(relation, verb, titles=titles))
        if cause:
            self.claims.append(Claim("because", titles=titles))

    def request(self) -> None:
        """What follows "you asked for": values, wanted or refused, and nothing that was not in the request."""
        self.take("something", "something with")
        negated = bool(self.take("no", "nothing with", "not"))
        self.take(*_DETERMINERS)
        for value in self.values():
            self.claims.append(Claim("asked for", value, about=self.item, negated=negated))
        if self.kind("noun"):
            self.next()

    def titles(self) -> tuple[str, ...]:
        """Titles in a row, each perhaps with ", which you liked,"."""
        self.take("both")
        found: list[str] = []
        told = 0
        while True:
            if not self.kind("title"):
                self.fail()
            found.append(self.next())
            told = self.aside(tuple(found[told:])) or told
            if self.kind("title", ahead=1) and self.take(",", "and", "or"):
                continue
            if self.kind("title", ahead=2) and self.take(", and"):
                continue
            self.named = tuple(dict.fromkeys((*self.named, *found)))
            return tuple(found)

    def aside(self, titles: tuple[str, ...]) -> int:
        """What ", which you liked" says of the titles before it; how many titles that were, 0 if it does not come."""
        comma = int(bool(self.sees(",")))
        if not self.sees("which you", "that you", "both of which you", ahead=comma):
            return 0
        self.place += comma
        self.take("both of which you", "which you", "that you")
        self.take("also")
        if self.take(*_LIKED):
            self.claims.append(Claim("liked", titles=titles))
        else:
            self.claims.append(Claim("watched", self.need(*MET_VERBS), titles=titles))
        return len(titles)

    # -- people

    def people(self) -> None:
        """How many of the people who liked one thing liked the item: the number may stand before or after the people."""
        if self.take("of"):
            total: int | None = self.group()
            title = self.likers()
            self.take(",")
            count = self.count()
            self.take("of them")
        else:
            count = self.count()
            total = self.group() if self.take("out of", "of") else None
            if total is None:
                self.need("other people", "people")
            title = self.likers()
            self.take(",")
        self.take("also")
        self.need(*_LIKED)
        self.thing()
        self.take(*_ALSO)
        self.claims.append(Claim("count", about=self.item, titles=(title,), count=count, total=total))

    def count(self) -> int:
        if not self.kind("number") or not self.peek().text.isdigit():
            self.fail()
        return int(self.next())

    def group(self) -> int:
        """The number of "the 46 other people": with "the" they are all, and "other" leaves out the person who reads."""
        all_of_them = self.take("the")
        size = self.count()
        self.need("other people", *([] if all_of_them else ["people"]))
        return size

    def likers(self) -> str:
        self.need("who")
        self.take("also")
        self.need(*_LIKED)
        before = len(self.claims)
        titles = self.titles()
        if len(titles) != 1 or any(c.titles != titles for c in self.claims[before:]):
            self.fail()
        return titles[0]

    def thing(self) -> None:
        """The item as an object: "it", "this", "this film", its title."""
        if self.kind("item"):
            self.next()
            return
        self.need("it", "this")
        if self.kind("noun") or self.sees("one"):
            self.next()

    # -- the item

    def subjects(self) -> frozenset[str]:
        """Whom the next predicate is said of; "both" and "they" are the item and all titles named so far."""
        if self.take("here"):
            return self.item
        both = self.take("both", "they")
        if both and self.starts_predicate():
            return self.item | frozenset(self.looked_back())
        if not both and self.subject is not None and self.starts_predicate():
            return self.subject
        found: set[str] = set()
        while True:
            found |= self.one_subject()
            if not (self.take(",") and self.take("and") or self.take("and")):
                break
        return frozenset(found)

    def one_subject(self) -> frozenset[str]:
        if self.kind("title"):
            return frozenset(self.titles())
        if self.kind("item"):
            self.next()
        elif self.take("it"):
            return self.item | self.foreign
        else:
            self.need("this")
            if self.kind("value"):
                self.claims += [Claim("kind", value, self.item) for value in self.values()]
            if self.kind("noun") or self.sees("one"):
                self.next()
        return self.item

    def looked_back(self) -> tuple[str, ...]:
        if not self.named:
            raise NotUnderstood("a likeness is stated without saying with what")
        return self.named

    def starts_predicate(self) -> bool:
        return bool(self.sees(*_BE, *_HAS, *_ALSO, "shares", "share", "stars", "star", "does not star"))

    def bare(self) -> None:
        self.phrase("kind")
        self.rest()

    def predicate(self, about: frozenset[str]) -> None:
        """A verb and what belongs to it; all of it holds of every subject."""
        self.subject = about
        if not about & self.item:
            self.foreign |= about
        self.statement(about, self.verb)

    def statement(self, about: frozenset[str], body: Callable[[], None]) -> None:
        """Read a statement; its claims hold of what it is said of, and of all that it is likened to."""
        before = len(self.claims)
        self.also = False
        body()
        if self.also and not self.likeness and (self.named or not self.said):
            self.likeness = frozenset(self.looked_back())
        about |= self.likeness
        made = self.claims[before:]
        self.claims[before:] = [replace(c, about=about) if c.relation in _SPREAD else c for c in made]
        self.said = self.said or any(c.relation in _SPREAD for c in made)
        self.likeness = frozenset()

    def adverbs(self) -> bool:
        before = self.place
        while self.take(*_ALSO):
            self.also = True
        return self.place > before

    def verb(self) -> None:
        self.adverbs()
        if self.take(*_BE):
            self.part()
        elif word := self.take("does not star", "stars", "star"):
            self.adverbs()
            self.add("stars", self.values(articles=False), negated=" not " in word)
        elif self.take("shares", "share"):
            self.sharing()
        elif self.take(*_HAS):
            self.adverbs()
            if not self.attributed():
                self.phrase("has")
        else:
            self.fail()
        self.rest()

    def rest(self) -> None:
        """What else belongs to the statement, as long as it comes."""
        while True:
            comma = int(bool(self.sees(",")))
            joined = int(bool(self.sees("and", "but", ahead=comma)))
            if not self.starts_part(comma + joined):
                return
            self.place += comma + joined
            self.part()

    def starts_part(self, ahead: int) -> bool:
        after = 1 + ahead
        if self.sees("that", "which", ahead=ahead):
            return bool(self.sees(*_BE, *_HAS, *_ALSO, "stars", "shares", ahead=after))
        if word := self.sees(*_FROM, ahead=ahead):
            after = ahead + len(word.split())
            return self.kind("year", "decade", "value", ahead=after + bool(self.sees("the", ahead=after)))
        if word := self.sees("just like", "like", ahead=ahead):
            return self.kind("title", ahead=ahead + len(word.split()))
        return self.starts_phrase(ahead) or bool(self.sees("not", "no", "without", *_ALSO, *_BY, ahead=ahead))

    def starts_phrase(self, ahead: int = 0) -> bool:
        return self.kind("value", ahead=ahead) or bool(
            self.sees(*_DETERMINERS, "another", "both", "the same", "the mix", "the blend", ahead=ahead)
        )

    def part(self) -> None:
        if self.adverbs():
            if self.starts_part(0):
                self.part()
            return
        if self.take("just like", "like"):
            self.likeness |= frozenset(self.titles())
        elif self.take("that", "which"):
            self.verb()
        elif word := self.take(*_FROM):
            self.origin(word)
        else:
            negated = bool(self.take("not", "no", "without"))
            if word := self.take(*_BY, *(f"also {word}" for word in _BY)):
                self.also = self.also or word.startswith("also ")
                relation = _BY[word.removeprefix("also ")]
                self.take(*(_DETERMINERS if relation == "with" else ()))
                self.add(relation, self.values(articles=relation == "with"), negated)
            else:
                self.phrase("kind", negated)

    def origin(self, word: str) -> None:
        self.take("the")
        if self.kind("year", "decade"):
            relation = self.peek().kind
            self.claims.append(Claim(relation, self.next()))
        elif word in ("from", "in"):
            self.add("from", self.values(articles=False))
        else:
            self.fail()

    def phrase(self, relation: str, negated: bool = False) -> None:
        """A noun phrase: "another comedy and drama film", "a mix of comedy and drama", "a 1996 comedy"."""
        negated = bool(self.take("no")) or negated
        self.also = bool(self.take("another", "the same")) or self.also
        self.take(*_DETERMINERS, "any", "the")
        self.take("both")
        self.take("mix of", "blend of")
        dated = self.kind("year", "decade") and self.kind("value", "noun", ahead=1)
        if dated and not negated:
            dating = self.peek().kind
            self.claims.append(Claim(dating, self.next()))
        if self.kind("value"):
            self.add(relation, self.values(), negated)
            self.take("mix", "blend")
        elif negated or not (self.kind("noun") or self.sees("one")):
            self.fail()
        if self.kind("noun") or self.sees("one"):
            self.next()

    def attributed(self) -> bool:
        """Values after the name of their attribute, as in "the same director, Ridley Scott"."""
        start = self.place
        self.also = bool(self.take("the same")) or self.also
        self.take("the", "its")
        if not self.kind("attribute"):
            self.place = start
            return False
        attribute = self.next()
        self.take(",", ":")
        self.add("its", self.values(articles=False), attribute=attribute)
        return True

    def sharing(self) -> None:
        with_titles = self.titles() if self.take("with") else ()
        if not self.attributed():
            self.take("the same", "the", "its")
            self.take("mix of", "blend of")
            self.add("shares", self.values())
        if self.sees("with", ", with") and self.kind("title", ahead=2 if self.sees(",") else 1):
            self.take("with", ", with")
            with_titles = (*with_titles, *self.titles())
        self.likeness |= frozenset(with_titles or self.looked_back())

    def possession(self) -> None:
        """What the item's description or one of its attributes is: "its language is French too"."""
        self.need("its")
        self.subject = None
        if self.take("description"):
            self.need("has", "includes")
            self.need("your words", "your word", "the words", "the word")
            self.claims += [Claim("wish", value, self.item) for value in self.values(articles=False)]
            self.said = True
            return
        if not self.kind("attribute"):
            self.fail()
        attribute = self.next()

        def body() -> None:
            self.adverbs()
            negated = bool(self.take("do not include", "is not", "are not"))
            if not negated:
                self.need("is", "are", "include", "includes")
            self.adverbs()
            if self.kind("number", "year"):
                self.claims.append(Claim("number", self.next(), attribute=attribute))
            else:
                self.add("its", self.values(articles=False), negated, attribute)
            self.adverbs()

        self.statement(self.item, body)

    def add(self, relation: str, values: Sequence[str], negated: bool = False, attribute: str = "") -> None:
        self.claims += [Claim(relation, value, negated=negated, attribute=attribute) for value in values]

    def values(self, *, articles: bool = True) -> list[str]:
        """Values in a row: "comedy", "horror, sci-fi and thriller", "a comedy and a drama"."""
        if not self.kind("value"):
            self.fail()
        found = [self.next()]
        while True:
            comma = int(bool(self.sees(",")))
            joint = comma + bool(self.sees("and", "or", ahead=comma))
            article = int(articles and bool(self.sees(*_DETERMINERS, ahead=joint)))
            if not self.kind("value", ahead=joint + article) or (article and not joint):
                return found
            self.place += joint + article
            found.append(self.next())


def _said(word: str) -> tuple[Token, Token]:
    return Token("word", word), Token("mark", word)
