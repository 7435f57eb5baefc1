"""What an attribute says of an item, told by its name."""

from __future__ import annotations

_ROLES = {
    "kind": "genre genres category categories type types style styles",
    "directed": "director directors directed_by",
    "written": "author authors writer writers screenwriter screenwriters written_by",
    "stars": "cast actor actors star stars starring lead leads",
    "place": "country countries",
    "language": "language languages",
    "by": "artist artists creator creators composer composers developer developers studio designer designers",
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names.split()}
PEOPLE = frozenset({"directed", "written", "stars", "by"})  # roles of people
_YEARS = frozenset({"year", "published", "released"})


def role_of(attribute: str) -> str:
    """What an attribute says of an item: a key of `_ROLES` or "other"."""
    return _ROLE_OF.get(attribute.lower(), "other")


def is_year(attribute: str) -> bool:
    """Whether the numbers of an attribute are years that a thing is from."""
    name = attribute.lower()
    return name in _YEARS or name.endswith("_year") or name.startswith("year_of_")
