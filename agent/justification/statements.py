"""Statements about an item: what it is, what it has, and what it has in common with titles of the evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.justification.bounds import BETWEEN, BOUNDS
from agent.justification.tokens import Claim, Cursor, NotUnderstood

MET_VERBS = frozenset("watched read played heard visited chose saw".split())
LIKED = ("liked", "enjoyed")
ALSO = ("also", "too", "again", "likewise", "as well")
HAS = ("has", "have", "brings", "bring", "offers", "offer", "features", "feature")
BE = ("is", "are")
DETERMINERS = ("a", "an", "some")
# How a clause may name what it gives: the phrase, and the relation that its values stand in.
BY = {"directed by": "directed", "written by": "written", "by": "by", "starring": "stars", "with": "with"}
DOING = {"directed": "directed", "wrote": "written"}
_FROM = ("released in", "made in", "published in", "released", "from", "of", "in")
_SPREAD = frozenset("kind directed written by stars with has from in its shares year decade number bound".split())


class Statements(Cursor):
    """Reads from a verb or a noun phrase on; the claims that it makes go to `claims`."""

    def statement(self, about: frozenset[str], body: Callable[[], None]) -> None:
        """Read a statement; its claims hold of what it is said of, and of all that it is likened to."""
        before = len(self.claims)
        self.also = False
        body()
        if self.also and not self.likeness and (self.named or not self.said):
            self.likeness = frozenset(self.looked_back())
        about |= self.likeness
        if self.also:
            about |= self.item  # "Heat is a thriller too" says it of the item as well
        made = self.claims[before:]
        self.claims[before:] = [replace(c, about=about) if c.relation in _SPREAD else c for c in made]
        self.said = self.said or any(c.relation in _SPREAD for c in made)
        self.likeness = frozenset()

    def adverbs(self) -> bool:
        """Pass over "also", "too" and the like; whether there were any."""
        before = self.place
        while self.take(*ALSO):
            self.also = True
        return self.place > before

    def verb(self) -> None:
        """A verb and what belongs to it."""
        before = len(self.claims)
        self.adverbs()
        if self.take(*BE):
            if self.sees("with", "starring", "of"):
                self.fail()
            self.part()
        elif self.take("was"):
            self.past()
        elif word := self.take("does not star", "stars", "star"):
            self.adverbs()
            self.add("stars", self.values(articles=False), negated=" not " in word)
        elif self.take("shares", "share"):
            self.sharing()
        elif self.take(*HAS):
            self.adverbs()
            if not self.attributed():
                self.phrase("has")
        else:
            self.fail()
        self.rest()
        if len(self.claims) == before and not self.likeness:  # "it is too"
            self.fail()

    def past(self) -> None:
        """What follows "was": when it was made, or by whom."""
        if word := self.take("released in", "made in", "published in"):
            self.origin(word)
            return
        word = self.need("directed by", "written by")
        self.add(BY[word], self.values(articles=False))

    def rest(self) -> None:
        """What else belongs to the statement, as long as it comes."""
        while True:
            comma = int(bool(self.sees(",")))
            joined = int(bool(self.sees("and", "but", ahead=comma)))
            lists = comma + joined or not self.starts_phrase()  # "a film comedy" is no English
            if not (lists and self.starts_part(comma + joined)):
                return
            self.place += comma + joined
            self.part()

    def starts_part(self, ahead: int) -> bool:
        """Whether something that `part` reads begins so many tokens ahead."""
        after = 1 + ahead
        if self.sees("that", "which", ahead=ahead):
            return bool(self.sees(*BE, *HAS, *ALSO, "stars", "shares", ahead=after))
        if word := self.sees(*_FROM, ahead=ahead):
            after = ahead + len(word.split())
            return self.kind("year", "decade", "value", ahead=after + bool(self.sees("the", ahead=after)))
        if word := self.sees("just like", "like", ahead=ahead):
            return self.kind("title", ahead=ahead + len(word.split()))
        return self.starts_phrase(ahead) or bool(self.sees("not", "no", "without", *ALSO, *BY, ahead=ahead))

    def starts_phrase(self, ahead: int = 0) -> bool:
        """Whether a noun phrase begins there."""
        return self.kind("value", ahead=ahead) or bool(
            self.sees(*DETERMINERS, "another", "both", "the same", "the mix", "the blend", ahead=ahead)
        )

    def part(self) -> None:
        """One thing that belongs to the statement: a noun phrase, an origin, "by" whom, "like" what."""
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
            if word := self.take(*BY, *(f"also {word}" for word in BY)):
                self.also = self.also or word.startswith("also ")
                relation = BY[word.removeprefix("also ")]
                self.take(*(DETERMINERS if relation == "with" else ()))
                self.add(relation, self.values(articles=relation == "with"), negated)
            elif negated and (word := self.take("from", "in")):
                self.add(word, self.values(articles=False), negated)
            else:
                self.phrase("kind", negated)

    def origin(self, word: str) -> None:
        """When or where it is from, after a word such as "from"."""
        the = bool(self.take("the"))
        if self.kind("decade" if the else "year") and word != "in":
            relation = self.peek().kind
            self.claims.append(Claim(relation, self.next()))
            if relation == "year" and self.sees(", in the") and self.kind("decade", ahead=3):
                self.take(", in the")
                asked = self.next()
                self.need("you asked for")
                self.claims += [Claim("decade", asked), Claim("asked", asked)]
            self.bounds()
        elif word in ("from", "in") and not the:
            self.add(word, self.values(articles=False))
        else:
            self.fail()

    def bounds(self, attribute: str = "") -> None:
        """What was asked of the number just said, if that comes: ", after 1995", ", at least 5 and below 9"."""
        more = ","
        while self.sees(more) and (word := self.sees(*BOUNDS, ahead=1)):
            self.take(more)
            self.take(word)
            bound = self.amount()
            if word == BETWEEN:
                self.need("and")
                bound = f"{bound} and {self.amount()}"
            self.claims.append(Claim("bound", f"{word} {bound}", attribute=attribute))
            more = "and"

    def amount(self) -> str:
        """A number."""
        return self.next() if self.kind("number", "year") else self.fail()

    def phrase(self, relation: str, negated: bool = False) -> None:
        """A noun phrase: "another comedy and drama film", "a mix of comedy and drama", "a 1996 comedy"."""
        negated = bool(self.take("no")) or negated
        self.also = bool(self.take("another", "the same")) or self.also
        determined = bool(self.article()) or self.also or negated
        both = bool(self.take("both"))
        determined = both and bool(self.article()) or determined
        mixed = bool(self.take("the mix of", "the blend of", "mix of", "blend of"))
        if self.kind("year", "decade") and self.kind("value", "noun", ahead=1) and not negated:
            dating = self.peek().kind
            self.claims.append(Claim(dating, self.next()))
        if self.kind("value"):
            values = self.values()
            if both and len(values) < 2 and len(self.subject or ()) < 2:
                self.fail()
            self.add(relation, values, negated)
            mixed = not mixed and determined and bool(self.take("mix", "blend"))
        elif negated or not (self.kind("noun") or self.sees("one")):
            self.fail()
        if not mixed and (self.kind("noun") or self.sees("one")):
            if not (determined or self.peek().text.endswith("s")):
                self.fail()
            self.next()

    def article(self) -> str:
        """An article that suits the next word, as far as spelling tells."""
        found = self.take(*DETERMINERS, "any")
        first = self.peek().text
        wrong = {"a": r"[aio]|e(?!u)|18|11|8", "an": r"(?![aeiouh8]|18|11)"}.get(found)
        if wrong and re.match(wrong, first) and first != "one":
            self.fail()
        return found

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
        if self.kind("number", "year"):
            self.claims.append(Claim("number", self.next(), attribute=attribute))
        else:
            self.add("its", self.values(articles=False), attribute=attribute)
        return True

    def sharing(self) -> None:
        """What follows "shares": values, and with which titles; those named so far where none are."""
        with_titles = self.titles() if self.take("with") else ()
        if not self.attributed():
            self.take("the same", "the", "its")
            self.take("mix of", "blend of")
            self.add("shares", self.values())
        if self.sees("with", ", with") and self.kind("title", ahead=2 if self.sees(",") else 1):
            self.take("with", ", with")
            with_titles = (*with_titles, *self.titles())
        self.likeness |= frozenset(with_titles or self.looked_back())

    def add(self, relation: str, values: Sequence[str], negated: bool = False, attribute: str = "") -> None:
        """Note a claim for each value; `statement` says later of whom."""
        self.claims += [Claim(relation, value, negated=negated, attribute=attribute) for value in values]

    def values(self, *, articles: bool = True) -> list[str]:
        """Values in a row: "comedy", "horror, sci-fi and thriller", "a comedy and a drama"."""
        if not self.kind("value"):
            self.fail()
        found = [self.next()]
        while True:
            comma = int(bool(self.sees(",")))
            joint = comma + bool(self.sees("and", "or", ahead=comma))
            article = int(articles and bool(self.sees(*DETERMINERS, ahead=joint)))
            if not self.kind("value", ahead=joint + article) or (article and not joint):
                return found
            self.place += joint + article
            found.append(self.next())

    # -- titles

    def titles(self) -> tuple[str, ...]:
        """Titles in a row, each perhaps with ", which you liked,"."""
        self.take("both")
        found: list[str] = []
        told = 0
        while True:
            if not self.kind("title"):
                self.fail()
            if self.peek().text in found:
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
        if self.take("named"):
            self.claims.append(Claim("named", titles=titles))
        elif self.take(*LIKED):
            self.claims.append(Claim("liked here" if self.take("here") else "liked", titles=titles))
        else:
            self.claims.append(Claim("watched", self.need(*MET_VERBS), titles=titles))
        return len(titles)

    def looked_back(self) -> tuple[str, ...]:
        """The titles named so far, which "too" and "both" mean; there must be some."""
        if not self.named:
            raise NotUnderstood("a likeness is stated without saying with what")
        return self.named
