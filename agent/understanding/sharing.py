"""What is wanted as some item has it: "by the same director as the first", "from the same decade"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.schema import Filter
from agent.understanding.forgetting import names_of
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year

_FROM = r"(?:(?:by|from|with|of|in|starring)\s+)?"
_SHARED = re.compile(
    rf"\b{_FROM}the\s+(?:same\s+)?(?P<what>[^\W\d_]+)\s+(?:(?:as|of|like|from|in|that\s+made)\s+)?(?=(?P<at>\x00+))"
    rf"|\b{_FROM}(?:the\s+)?same\s+(?P<alone>[^\W\d_]+)(?=\s*(?:$|[.,;!?]|\b(?:please|but|and|again)\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shared:
    """Conditions that text[start:end] asks for, and where the item begins that it names; None where it names none."""

    start: int
    end: int
    filters: tuple[Filter, ...]
    at: int | None


def find_shared(
    text: str, named: Sequence[tuple[int, int, tuple[str, ...]]], others: Sequence[str], catalogue: Catalogue
) -> Iterator[Shared]:
    """What a message wants to be the same.

    Args:
        text: the message, in which references to items are blanked.
        named: where these references stand, and their item ids.
        others: the first of them is meant where none is named.
        catalogue: where the values stand.
    """
    for match in _SHARED.finditer(text):
        what = (match["what"] or match["alone"]).lower()
        at = match.start("at") if match["at"] else None
        ids = others[:1] if at is None else next((ids for start, end, ids in named if start <= at < end), ())
        filters = tuple(_filters(what, ids, catalogue))
        if filters:
            yield Shared(match.start(), match.end(), filters, at)


def _filters(what: str, ids: Sequence[str], catalogue: Catalogue) -> Iterator[Filter]:
    one = what.removesuffix("s")
    name = next((n for n in catalogue.attribute_types if one in {w.removesuffix("s") for w in names_of(n)}), None)
    values = tuple(dict.fromkeys(v for i in ids for v in catalogue.get(i).words(name or "")))
    if name is None or not values:
        return
    if is_year(name):
        years = [int(float(v)) for v in values]
        whole = 10 if one in ("decade", "era") else 1
        yield Filter(name, ">=", min(years) // whole * whole)
        yield Filter(name, "<=", max(years) // whole * whole + whole - 1)
    elif catalogue.attribute_types[name] != "number":
        yield Filter(name, "in", values) if len(values) > 1 else Filter(name, "==", values[0])
