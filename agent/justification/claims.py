"""The claim checker: lets a justification pass only when every claim that it makes rests on evidence.

No judge model: public checkers that use one pass contradictions and misread numbers (docs/design.md). A text is cut
into units - titles and values of the evidence, numbers, a few dozen words - and read by a small grammar. What does not
fit it is refused, so that the meaning of every sentence that passes is known; each claim is then held against the
evidence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.justification.bounds import bounds_of, is_decade
from agent.justification.grammar import read
from agent.justification.themes import THEMES, themes_of
from agent.justification.tokens import Claim, NotUnderstood, Token
from agent.justification.units import Units
from agent.justification.wording import is_year, number, quoted, role_of, spoken, verb_of
from agent.schema import Evidence, Item
from agent.workspace.catalogue import Catalogue

LONGEST = 320  # characters of a justification; more is rambling
SHORTEST = 3  # units

# By the relation of a claim: what the attribute that has its value may say of an item (`wording.role_of`).
_ROLES: Mapping[str, frozenset[str]] = {
    "kind": frozenset({"kind"}),
    "directed": frozenset({"directed"}),
    "written": frozenset({"written"}),
    "by": frozenset({"by", "directed", "written"}),
    "stars": frozenset({"stars"}),
    "with": frozenset({"kind", "stars", "other"}),
    "has": frozenset({"kind", "stars", "other"}),
    "from": frozenset({"place"}),
    "in": frozenset({"language"}),
    "shares": frozenset({"kind", "directed", "written", "by", "stars", "place", "language", "other"}),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found: `ok` only with no problems and at least one supported claim.

    `content` is what the text claims, without regard to which item it is about and in which words: two reasons of one
    list with the same content are alike.
    """

    problems: tuple[str, ...]
    claims: int
    content: frozenset[Claim] = frozenset()

    @property
    def ok(self) -> bool:
        """Whether the text may reach a person as verified."""
        return not self.problems and self.claims > 0


def check(text: str, item: Item, evidence: Sequence[Evidence], catalogue: Catalogue) -> Verdict:
    """Check every claim of a justification of `item` against all evidence computed for it."""
    text = unicodedata.normalize("NFC", text.strip())
    anchors = dict.fromkeys(i for e in evidence for i in e.item_ids if i in catalogue.position and i != item.item_id)
    others = [catalogue.get(i) for i in anchors]
    units = Units(item, others, evidence, catalogue)
    tokens = list(units.cut(text[: 4 * LONGEST]))
    if problems := _form(text, tokens):
        return Verdict(tuple(problems), 0)
    record = _Record(item, others, evidence, catalogue, units.nouns)
    claims: list[Claim] = []
    try:
        for sentence in read(tokens, item.item_id):
            problems += [_objection(claim) for claim in sentence if not record.holds(claim, sentence)]
            claims += sentence
    except NotUnderstood as refusal:
        problems.append(str(refusal))
    if len(set(map(_content, claims))) < len(claims):
        problems.append("it repeats itself")
    if not problems and not any(item.item_id in claim.about for claim in claims):
        problems.append("it says nothing of the item")
    return Verdict(tuple(problems), len(claims), _contents(text, item, units))


def _contents(text: str, item: Item, units: Units) -> frozenset[Claim]:
    """The claims of a text, sentences of the evidence among them, as if they were of any item."""
    try:
        said = [claim for sentence in read(list(units.cut(text, facts=False)), item.item_id) for claim in sentence]
    except NotUnderstood:  # a sentence of the evidence that the grammar has no words for
        said = [Claim("fact", text)]
    return frozenset(replace(_content(claim), about=claim.about - {item.item_id}) for claim in said)


def _form(text: str, tokens: Sequence[Token]) -> list[str]:
    if len(tokens) < SHORTEST and not any(t.kind == "fact" for t in tokens):
        return ["it is empty or too short"]
    problems = []
    if len(text) > LONGEST:
        problems.append(f"it is longer than {LONGEST} characters")
    if tokens[-1].kind != "fact" and tokens[-1] not in (Token("mark", "."), Token("mark", "!")):
        problems.append("it stops in the middle of a sentence")
    return problems


class _Record:
    """What is known of an item, of the items of its evidence and of the person; `holds` judges a claim by it."""

    def __init__(
        self, item: Item, others: Sequence[Item], evidence: Sequence[Evidence], catalogue: Catalogue,
        nouns: frozenset[str],
    ) -> None:  # fmt: skip
        self.item = item
        self.subjects = {subject.item_id: subject for subject in (*others, item)}
        self._by_title = {subject.title: subject.item_id for subject in reversed((item, *others))}
        self.types = catalogue.attribute_types
        self.conditions = [e for e in evidence if e.kind == "constraint"]
        self.wishes = {v.casefold() for e in evidence if e.kind == "wish" and not e.attribute for v in e.values}
        self.said = {f'"{word}"' for e in evidence if e.kind == "wish" for word in e.said.casefold().split()}
        self.themes = {quoted(v) for e in evidence if e.kind == "wish" and e.attribute == THEMES for v in e.values}
        self.here = {i for e in evidence if e.kind == "feedback" for i in self._meant(e)}
        self.liked = self.here | {i for e in evidence if e.kind == "liked" for i in self._meant(e)}
        self.named = {i for e in evidence if e.kind == "example" for i in self._meant(e)}
        watched = [e for e in evidence if e.kind == "watched"]
        self.met = self.liked | {i for e in watched for i in self._meant(e)}
        self.verbs = {verb_of(noun) for noun in nouns}
        self.chosen = {(e.count, e.total) for e in evidence if e.kind == "popular"}
        self.counts = {(self._meant(e), e.count, e.total) for e in evidence if e.kind == "behaviour"}
        self._judges: Mapping[str, Callable[[Claim, Sequence[Claim]], bool]] = {
            "year": self._dated, "decade": self._dated, "number": self._numbered, "asked": self._asked,
            "bound": self._bound,
            "because": self._caused, "said": lambda claim, _: claim.value in self.said,
            "chosen": lambda claim, _: (claim.count, claim.total) in self.chosen,
        }  # fmt: skip

    def holds(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        """Whether a claim of a sentence is true."""
        match claim.relation:
            case "fact":
                return True
            case "liked":
                return self.liked.issuperset(claim.titles)
            case "liked here":
                return self.here.issuperset(claim.titles)
            case "named":
                return self.named.issuperset(claim.titles)
            case "watched":
                return self.met.issuperset(claim.titles) and self._did(claim.value)
            case "count":
                return any(
                    titles == claim.titles and count == claim.count and claim.total in (total, None)
                    for titles, count, total in self.counts
                )
            case "wish":
                return claim.value in self.wishes
            case "asked for":
                return claim.value in self._requested(negated=claim.negated)
        judge = self._judges.get(claim.relation)
        return self._has(claim) if judge is None else judge(claim, sentence)

    def _meant(self, evidence: Evidence) -> tuple[str, ...]:
        """Its items as a title names them: one work can stand in the catalogue twice, under one title."""
        return tuple(self._by_title[self.subjects[i].title] for i in evidence.item_ids if i in self.subjects)

    def _did(self, verb: str) -> bool:
        return verb in self.verbs or (verb == "saw" and "watched" in self.verbs)

    def _requested(self, *, negated: bool, attributes: Sequence[str] | None = None) -> set[str]:
        """Values that conditions of the request ask for, or turn down."""
        return {
            spoken(v, e.attribute or "").casefold()
            for e in self.conditions
            if e.negated == negated and (attributes is None or e.attribute in attributes)
            for v in e.values
        }

    def _has(self, claim: Claim) -> bool:
        """A value must stand in one attribute of all that it is said of; what is denied must have been turned down."""
        if claim.attribute == THEMES and claim.relation == "its" and not claim.negated:
            return all(claim.value in map(quoted, themes_of(self.subjects[i])) for i in claim.about)
        fitting = [
            name
            for name, kind in self.types.items()
            if kind != "number"
            and (name == claim.attribute if claim.relation == "its" else role_of(name) in _ROLES[claim.relation])
        ]
        if claim.negated:
            known = [name for name in fitting if claim.value in self._requested(negated=True, attributes=[name])]
            about_item = claim.about == {self.item.item_id}
            return about_item and bool(known) and not any(self._in(self.item, n, claim.value) for n in fitting)
        about = [self.subjects[i] for i in claim.about]
        return any(all(self._in(subject, name, claim.value) for subject in about) for name in fitting)

    @staticmethod
    def _in(subject: Item, attribute: str, value: str) -> bool:
        return value in {spoken(v, attribute).casefold() for v in subject.words(attribute)}

    def _dated(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        def fits(year: float) -> bool:
            if claim.relation == "year":
                return number(year) == claim.value
            start = int(year) // 10 * 10
            return str(start) == claim.value or (len(claim.value) == 2 and start == 1900 + int(claim.value))

        return all(
            any(
                is_year(name) and isinstance(v, int | float) and fits(v)
                for name, v in self.subjects[i].attributes.items()
            )
            for i in claim.about
        )

    def _numbered(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        values = [self.subjects[i].attributes.get(claim.attribute) for i in claim.about]
        return all(isinstance(v, int | float) and number(v) == claim.value for v in values)

    def _asked(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        """Whether there is, for "as you asked", anything in the sentence that was asked for."""
        named = [e.attribute or "" for e in self.conditions if not e.said or is_decade(e.said)]
        dates = any(map(is_year, named))
        if claim.value:
            return any(e.said == f"{claim.value}s" for e in self.conditions)
        return any(
            (dates and said.relation in ("year", "decade"))
            or (said.relation == "number" and said.attribute in named)
            or said.relation == "bound"
            or (said.relation in (*_ROLES, "its") and said.value in self._requested(negated=said.negated))
            or (said.attribute == THEMES and said.value in self.themes)
            for said in sentence
        )

    def _bound(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        """Whether the request asked this of that number; that the item meets it is what the evidence says."""
        return claim.about == {self.item.item_id} and any(
            claim.value in bounds_of(e.said)
            and (e.attribute == claim.attribute if claim.attribute else is_year(e.attribute or ""))
            for e in self.conditions
        )

    def _caused(self, claim: Claim, sentence: Sequence[Claim]) -> bool:
        """Whether there is, for "because", anything in the sentence that links the item to each title."""
        return all(
            any(
                (said.relation == "count" and title in said.titles)
                or (
                    said.relation in (*_ROLES, "its", "year", "decade")
                    and not said.negated
                    and self.holds(replace(said, about=frozenset({self.item.item_id, title})), ())
                )
                for said in sentence
            )
            for title in claim.titles
        )


def _content(claim: Claim) -> Claim:
    """A claim without the way in which it was put: "an action film with action" says one thing twice."""
    return replace(claim, relation="has") if claim.relation in ("kind", "with") else claim


def _objection(claim: Claim) -> str:
    said = claim.value or " and ".join(str(n) for n in (claim.count, claim.total) if n)
    reasons = {
        "liked": "it says that the person liked something that is not on record",
        "liked here": "it says that the person liked something here that they did not",
        "watched": "it says that the person did something that is not on record",
        "named": "it says that the person named something that they did not",
        "asked for": f"{said!r} is not what was asked for",
        "asked": "nothing in it is what was asked for",
        "bound": f"{said!r} is not what was asked for",
        "said": f"the person did not say {said}",
        "chosen": f"{said} is not how many people chose it",
        "because": "a cause is stated that the evidence does not show",
        "count": f"{said} does not match any count of people",
        "year": f"{said} is not the year of what it is said of",
        "decade": f"the {said}s are not the decade of what it is said of",
    }
    no = "not " if claim.negated else ""
    return reasons.get(claim.relation, f"'{no}{said}' is not true, as {claim.relation!r}, of all that it is said of")
