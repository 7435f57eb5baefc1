"""Evidence as sentences: how a reason may begin, how it may go on, and what is told of an item in one breath."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.justification.bounds import is_decade
from agent.justification.themes import THEMES
from agent.justification.wording import (
    is_year,
    kinds_said,
    listed,
    of_this,
    role_of,
    spoken,
    stated,
    titled,
    verb_of,
    with_article,
)
from agent.schema import Evidence
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import PEOPLE

Opening = tuple[str, str]
"""How a sentence begins, true by itself, and how it ends; the model writes on from the beginning."""

_LEADS = 2  # of those who star in it
_KINDS = 3  # more would be a list
_SHORT = 160  # characters of two sentences that can be one
_MADE = ("directed", "written", "by")


def opening(lead: Evidence, dated: Evidence | None, row: int, noun: str, catalogue: Catalogue) -> Opening:
    """The first sentence in the form that is this row's turn; two empty texts where only the plain one will do.

    Args:
        lead: what it says.
        dated: the year that was asked for too, which a kind takes along: "a 90s thriller", "a thriller from 1997".
        row: the place in the list.
        noun: what the item is called.
        catalogue: where the title of another item stands.
    """
    if lead.negated or lead.kind == "nearest":
        return "", ""
    if lead.kind == "constraint":
        return _asked(lead, dated, row, noun)
    if lead.kind == "behaviour":
        title, count, total = _title(lead, catalogue), lead.count, lead.total
        forms = (
            (f"{count} of the {total} other people who liked {title}", "liked it too."),
            (f"Of the {total} other people who liked {title},", f"{count} liked it too."),
        )
        return forms[row % len(forms)]
    if lead.item_ids and lead.attribute != THEMES:
        return _likened(lead, row, noun, catalogue)
    bare = re.fullmatch(r"It is an? (.+) from (\d{4})\.", lead.text) if row % 2 and lead.kind == "property" else None
    return ("This is", f"{with_article(f'{bare[2]} {bare[1]}')}.") if bare else cut(lead.text)


def _asked(lead: Evidence, dated: Evidence | None, row: int, noun: str) -> Opening:
    said = summary(lead, dated, noun)
    if row % 2 or not said.endswith(" as you asked."):
        return cut(said)
    return "As you asked,", f"{said[0].lower()}{said.removesuffix(' as you asked.').removesuffix(',')[1:]}."


def _likened(lead: Evidence, row: int, noun: str, catalogue: Catalogue) -> Opening:
    """What it shares with another item: as it stands in the evidence, or told the other way round."""
    title, role = _title(lead, catalogue), role_of(lead.attribute or "")
    did = {"liked": "liked", "feedback": "liked", "example": "named"}.get(lead.kind) or verb_of(noun)
    here = " here" * (lead.kind == "feedback")
    values = [spoken(v, lead.attribute or "") for v in lead.values]
    told = f"You asked for something like {title}, and" if lead.kind == "example" else f"You {did} {title}{here}, and"
    likened = f"Like {title}, which you {did}{here},"
    if role == "kind":
        kind = kinds_said(values, noun)
        forms = ((likened, f"it is {with_article(kind)} too."), (told, f"this is another {kind}."))
        return forms[row % len(forms)]
    if role in PEOPLE and row % 2:
        return told, f"{of_this(stated(lead.attribute or '', listed(values), noun, likewise=True), noun)}."
    rest = lead.text.removeprefix(f"{likened} ")
    return (likened, rest) if rest != lead.text else cut(lead.text)


def summary(asked: Evidence, dated: Evidence | None, noun: str) -> str:
    """A condition that is met as one sentence, a kind with the year that was asked for: "It is a 90s thriller"."""
    if role_of(asked.attribute or "") != "kind" or asked.negated:
        return asked.text
    kind = kinds_said([spoken(v, asked.attribute or "") for v in asked.values], noun)
    if dated is None:
        return f"It is {with_article(kind)}, as you asked."
    if is_decade(dated.said):
        return f"It is {with_article(f'{dated.said} {kind}')}, as you asked."
    bound = f" {dated.said}" if dated.said else ""
    return f"It is {with_article(kind)} from {dated.values[0]},{bound} as you asked."


def description(
    properties: Sequence[Evidence], told: frozenset[str], noun: str, named: frozenset[str] = frozenset()
) -> str:
    """What the item is, who made it and who stars in it, in one sentence; "" where only its kind is known.

    Args:
        properties: evidence of the item itself.
        told: attributes that were told already.
        noun: what the item is called.
        named: values that were told already, of whatever attribute: who makes a film may star in it, too.
    """
    properties = [replace(e, values=tuple(v for v in e.values if v not in named)) for e in properties]
    by_role = {role_of(e.attribute or ""): e for e in properties if e.attribute and e.attribute not in told}
    kinds, stars = _values(by_role.get("kind")), _values(by_role.get("stars"), _LEADS)
    made = next((by_role[role] for role in _MADE if role in by_role), None)
    makers = listed(_values(made, _LEADS))
    made = made if makers else None
    stars = [name for name in stars if name not in _values(made, _LEADS)]
    stars.sort(key=lambda name: not name.endswith("."))  # "Jr." is not to look like an end
    if not (makers or stars):
        return f"It is {with_article(kinds_said(kinds, noun))}." if kinds and any(map(is_year, told)) else ""
    if 0 < len(kinds) <= _KINDS:
        by, stars_too = f" by {makers}" * bool(makers), f" with {listed(stars)}" * bool(stars)
        return ended(f"It is {with_article(kinds_said(kinds, noun))}{by}{stars_too}")
    if made is None:
        return ended(f"It stars {listed(stars)}")
    directed = "directed " * (role_of(made.attribute or "") == "directed")
    return ended(f"It is {directed}by {makers}" + f" and stars {listed(stars)}" * bool(stars))


def ended(sentence: str) -> str:
    """With a full stop, unless it has one: "with Cuba Gooding Jr."."""
    return sentence if sentence.endswith(".") else f"{sentence}."


def joined(opener: str, first: str, second: str, row: int) -> tuple[str, ...]:
    """Endings of two sentences: apart, and as one where both are short; which comes first goes by the row.

    What was asked for is not joined: "as you asked, it is a thriller, and it stars" would say it of the star as well.
    """
    apart = f"{first} {second}"
    short = len(opener) + len(apart) <= _SHORT and "as you" not in f"{opener} {apart}".lower()
    if not short or not re.match(r"Its? |\d|Of the", second) or re.search(r"Jr\.$|[\"”]\.$", first):
        return (apart,)
    together = f"{first.removesuffix('.')}, and {second[0].lower()}{second[1:]}"
    return (together, apart) if row % 2 else (apart, together)


def _values(evidence: Evidence | None, most: int | None = None) -> list[str]:
    if evidence is None:
        return []
    return [spoken(v, evidence.attribute or "") for v in evidence.values if not v.isdigit()][:most]


def _title(lead: Evidence, catalogue: Catalogue) -> str:
    return titled(catalogue.get(lead.item_ids[0]).title)


def cut(text: str) -> Opening:
    """A sentence after its first word, or after "It is"."""
    first, _, rest = text.partition(" ")
    second, _, more = rest.partition(" ")
    return (f"{first} {second}", more) if second in ("is", "themes", "shares", "stars") and more else (first, rest)
