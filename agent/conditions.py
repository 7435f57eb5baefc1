"""Hard conditions as a developer writes them: a mapping or filters, checked against the catalogue's attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.errors import FilterError
from agent.schema import Filter, Op
from agent.workspace.catalogue import Catalogue

Where = Mapping[str, object] | Sequence[Filter]

_OPS: Mapping[str, Op] = {
    "==": "==", "!=": "!=", ">=": ">=", "<=": "<=", ">": ">", "<": "<", "in": "in", "not in": "not in",
    "$eq": "==", "$ne": "!=", "$gte": ">=", "$lte": "<=", "$gt": ">", "$lt": "<", "$in": "in", "$nin": "not in",
}  # fmt: skip


def read_where(where: Where | None, catalogue: Catalogue) -> tuple[Filter, ...]:
    """Filters from `{"year": {">=": 1990}, "genres": "Comedy", "language": ["en", "fr"]}` or from Filter objects.

    A plain value asks for equality (on a list attribute: for containing it), a list for any of its values. Chroma's
    operator names ("$gte", "$in", ...) are understood too. Words are matched whatever their case.

    Raises:
        FilterError: an attribute or operator that does not exist, or a value of the wrong type.
    """
    if where is None:
        return ()
    if not isinstance(where, Mapping):
        filters = list(where)
        for given in filters:
            if not isinstance(given, Filter):
                raise FilterError(
                    f'Expected filters or a mapping such as {{"year": {{">=": 1990}}}}; got {given!r:.80}.'
                )
        return tuple(_checked(f, catalogue) for f in filters)
    filters = []
    for attribute, condition in where.items():
        if isinstance(condition, Mapping):
            filters += [_filter(str(attribute), str(op), value) for op, value in condition.items()]
        else:
            filters.append(
                _filter(str(attribute), "in" if isinstance(condition, list | tuple | set) else "==", condition)
            )
    return tuple(_checked(f, catalogue) for f in filters)


def _filter(attribute: str, op: str, value: object) -> Filter:
    if op not in _OPS:
        raise FilterError(f"There is no operator {op[:20]!r} for {attribute!r}; there are: {', '.join(_OPS)}.")
    several = isinstance(value, list | tuple | set)
    known = _OPS[op]
    if several != (known in ("in", "not in")):
        expected = "a list of values" if known in ("in", "not in") else "one value"
        raise FilterError(f"The operator {op!r} of {attribute!r} takes {expected}; got {value!r:.80}.")
    values = tuple(value) if isinstance(value, list | tuple | set) else (value,)
    for v in values:
        if isinstance(v, bool) or not isinstance(v, str | int | float):
            raise FilterError(f"A condition on {attribute!r} takes words or numbers; got {v!r:.80}.")
    return Filter(attribute, known, values if several else values[0])


def _checked(f: Filter, catalogue: Catalogue) -> Filter:
    if f.attribute not in catalogue.attribute_types:
        known = ", ".join(f"{n} ({t})" for n, t in catalogue.attribute_types.items()) or "none"
        raise FilterError(f"The catalogue has no attribute {f.attribute[:60]!r}. Its attributes: {known}.")
    return catalogue.canonical(f)
