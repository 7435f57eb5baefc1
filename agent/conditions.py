"""Hard conditions as a developer writes them: a mapping or filters, checked against the catalogue's attributes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from agent.errors import FilterError
from agent.schema import Filter, Op
from agent.workspace.catalogue import Catalogue

Where = Mapping[str, object] | Sequence[Filter]

_OPS: Mapping[str, Op] = {
    "==": "==", "!=": "!=", ">=": ">=", "<=": "<=", ">": ">", "<": "<", "in": "in", "not in": "not in",
    "$eq": "==", "$ne": "!=", "$gte": ">=", "$lte": "<=", "$gt": ">", "$lt": "<", "$in": "in", "$nin": "not in",
}  # fmt: skip
_EXPECTED = 'Expected filters or a mapping such as {"year": {">=": 1990}}'


def read_where(where: Where | None, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Filters from `{"year": {">=": 1990}, "genres": "Comedy", "language": ["en", "fr"]}` or from Filter objects.

    A plain value asks for equality (on a list attribute: for containing it), a list for any of its values. Chroma's
    operator names ("$gte", "$in", ...) are understood too. Words are matched whatever their case. An item without the
    attribute meets no condition on it: `{"country": {"!=": "US"}}` asks for items of another country that is known.

    Raises:
        FilterError: an attribute or operator that does not exist, or a value of the wrong type.
    """
    if where is None:
        return ()
    if isinstance(where, Mapping):
        return tuple(
            _filter(attribute, op, value, catalogue)
            for attribute, condition in where.items()
            for op, value in _comparisons(condition).items()
        )
    if isinstance(where, str) or not isinstance(where, Sequence):
        raise FilterError(f"{_EXPECTED}; got {where!r:.80}.")
    for given in where:
        if not isinstance(given, Filter):
            raise FilterError(f"{_EXPECTED}; got {given!r:.80}.")
    return tuple(_filter(f.attribute, f.op, f.value, catalogue) for f in where)


def _comparisons(condition: object) -> Mapping[object, object]:
    if isinstance(condition, Mapping):
        return condition
    return {"in" if _is_several(condition) else "==": condition}


def _is_several(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _filter(attribute: object, op: object, value: object, catalogue: Catalogue) -> Filter:
    kind = catalogue.attribute_types.get(attribute) if isinstance(attribute, str) else None
    if not isinstance(attribute, str) or kind is None:
        known = ", ".join(f"{n} ({t})" for n, t in catalogue.attribute_types.items()) or "none"
        raise FilterError(f"The catalogue has no attribute {attribute!r:.60}. Its attributes: {known}.")
    known_op = _OPS.get(op) if isinstance(op, str) else None
    if known_op is None:
        raise FilterError(f"There is no operator {op!r:.20} for {attribute!r}; there are: {', '.join(_OPS)}.")
    takes_several = known_op in ("in", "not in")
    if _is_several(value) != takes_several or (takes_several and not value):
        expected = "a list of one value or more" if takes_several else "one value"
        raise FilterError(f"The operator {op!r} of {attribute!r} takes {expected}; got {value!r:.80}.")
    if known_op in (">=", "<=", ">", "<") and kind != "number":
        raise FilterError(f"{attribute!r} is a {kind}, which has no order: use ==, !=, in or not in, not {op!r}.")
    values = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
    if isinstance(value, set | frozenset):
        values = tuple(sorted(values, key=str))  # a set has no order, and the same request must give the same answer
    right = [v for v in values if (_is_number(v) if kind == "number" else isinstance(v, str))]
    if len(right) < len(values):
        wrong = next(v for v in values if v not in right)
        expected = "finite numbers" if kind == "number" else "words"
        raise FilterError(f"{attribute!r} is a {kind}: a condition on it takes {expected}; got {wrong!r:.80}.")
    return catalogue.canonical(Filter(attribute, known_op, tuple(right) if takes_several else right[0]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
