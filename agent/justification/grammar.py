"""The English that a justification may be written in: a sentence becomes the claims it makes, or it is not understood.

Words come as tokens (`agent.justification.units` makes them). This reads them from left to right, without going back,
by a small grammar of statements about the item, about what it shares with items of the evidence, about what the person
liked, watched or asked for, and about counts of people. A sentence that does not fit it whole is refused: nothing is
skipped, so nothing can be said between the lines. Whether a claim is true is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.justification.statements import ALSO, BE, BY, DETERMINERS, DOING, HAS, LIKED, MET_VERBS, Statements
from agent.justification.tokens import Claim, Token

_AS_ASKED = ("as you asked for", "as you asked", "just as you asked", "as you wished", "as requested")


def read(tokens: Sequence[Token], item_id: str) -> Iterator[list[Claim]]:
    """The claims of each sentence in turn; raises NotUnderstood at the first one that does not fit the grammar."""
    reader = _Reader(tokens, item_id)
    while not reader.at_end:
        yield reader.sentence()


class _Reader(Statements):
    # -- sentences

    def sentence(self) -> list[Claim]:
        self.claims, self.subject, self.likeness = [], None, frozenset()
        if self.kind("fact"):
            text = self.next()
            self.said = True
            return [Claim("fact", text, self.item)]
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
            opens = colon and any(claim.relation == "because" for claim in self.claims)

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
        elif word := self.take("directed by", "written by", "starring"):
            self.participle(word)
        elif self.doers():
            return
        elif opens and self.starts_phrase() and not self.sees("both"):
            self.statement(self.item, self.bare)
        else:
            before = len(self.claims)
            about = self.subjects()
            self.claims[before:] = [replace(claim, about=about) for claim in self.claims[before:]]
            self.predicate(about)

    # -- the person

    def person(self, cause: bool) -> None:
        self.need("you")
        if self.take("asked for something like", "named"):
            titles = self.titles()
            self.claims += [Claim("named", titles=titles), *([Claim("because", titles=titles)] if cause else [])]
            return
        if self.take("asked for"):
            self.request()
            return
        if not cause and self.take("said"):
            self.claims += [Claim("said", value) for value in self.values(articles=False)]
            return
        self.take("also")
        relation = "liked" if self.take(*LIKED) else "watched"
        verb = "" if relation == "liked" else self.need(*MET_VERBS)
        titles = self.titles()
        if relation == "liked" and self.take("here"):
            relation = "liked here"
        self.claims.append(Claim(relation, verb, titles=titles))
        if cause:
            self.claims.append(Claim("because", titles=titles))

    def request(self) -> None:
        """What follows "you asked for": values, wanted or refused, and nothing that was not in the request."""
        self.take("something with", "something")
        negated = bool(self.take("no", "nothing with", "not"))
        self.take(*DETERMINERS)
        for value in self.values():
            self.claims.append(Claim("asked for", value, negated=negated))
        if self.kind("noun"):
            self.next()

    # -- people

    def people(self) -> None:
        """How many of the people who liked one thing liked the item; the count stands before or after the people."""
        if self.sees("of the", ahead=1) and self.sees("people here chose it", ahead=4):
            count, _ = self.count(), self.take("of the")
            self.claims.append(Claim("chosen", about=self.item, count=count, total=self.count()))
            self.take("people here chose it")
            return
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
        self.need(*LIKED)
        self.thing()
        self.take(*ALSO)
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
        self.need(*LIKED)
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
        found: frozenset[str] = frozenset()
        while True:
            more = self.one_subject()
            if more <= found:
                self.fail()  # "Aliens and it are": a thing is not like itself
            found |= more
            if not self.take(", and", "and"):
                break
        if both and len(found) < 2:
            self.fail()
        return found

    def one_subject(self) -> frozenset[str]:
        if self.kind("title"):
            before = len(self.claims)
            titles = self.titles()
            if len(self.claims) > before:
                self.take(",")  # that ends "which you liked"
            return frozenset(titles)
        if self.kind("item"):
            self.next()
        elif self.take("it"):
            return self.item | self.foreign
        elif self.sees("the") and self.kind("noun", ahead=1):  # which may mean any that was named
            self.place += 2
            return self.item | frozenset(self.named)
        else:
            self.need("this")
            if self.kind("value"):
                self.claims += [Claim("kind", value, self.item) for value in self.values()]
            if self.kind("noun") or self.sees("one"):
                self.next()
        return self.item

    def starts_predicate(self) -> bool:
        return bool(self.sees(*BE, *HAS, *ALSO, "was", "shares", "share", "stars", "star", "does not star"))

    def bare(self) -> None:
        self.phrase("kind")
        self.rest()

    def predicate(self, about: frozenset[str]) -> None:
        """A verb and what belongs to it; all of it holds of every subject."""
        self.subject = about
        if not about & self.item:
            self.foreign |= about
        self.statement(about, self.verb)

    def participle(self, word: str) -> None:
        """What opens a sentence on the item: "Directed by Ridley Scott, it is a drama"."""
        self.claims += [Claim(BY[word], value, self.item) for value in self.values(articles=False)]
        self.said = True
        self.need(",")
        about = self.subjects()
        if about != self.item:
            self.fail()
        self.predicate(about)

    def doers(self) -> bool:
        """Who made it or plays in it, as the subject: "Ridley Scott directed it"; False where nothing like it comes."""
        start = self.place
        names = self.values(articles=False) if self.kind("value") else []
        verb = names and self.take(*DOING, "stars in" if len(names) == 1 else "star in")
        if not verb:
            self.place = start
            return False
        about = self.one_subject()
        self.subject = None
        if not about & self.item:
            self.foreign |= about

        def body() -> None:
            self.add(DOING.get(verb, "stars"), names)
            self.adverbs()

        self.statement(about, body)
        return True

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
                self.bounds(attribute)
            else:
                self.add("its", self.values(articles=False), negated, attribute)
            self.adverbs()

        self.statement(self.item, body)
