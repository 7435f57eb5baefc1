"""What a language model may fill in for one message: the changes of the intent, as a pydantic model and a JSON schema.

The schema is narrowed to a catalogue: only its attributes have names, and where an attribute has few values, only
those can be written. So whatever is written under it is short, and about this catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.schema import Op
from agent.workspace.catalogue import Catalogue

MOST_ATTRIBUTES = 24
FEW_VALUES = 40  # so many are told in the prompt and written out in the grammar
MOST_ENTRIES = 6  # of any list
MOST_ITEMS = 50
MOST = 1e12  # of any number

Phrase = Annotated[str, Field(min_length=1, max_length=60)]
Title = Annotated[str, Field(min_length=1, max_length=120)]
Words = dict[str, Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=MOST_ENTRIES)]]
Numbers = dict[str, Annotated[float, Field(ge=-MOST, le=MOST)]]

CHOICES = ("all_of", "one_of", "none_of")
BOUNDS: Mapping[str, Op] = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<"}


class UnfitAnswerError(ValueError):
    """What the model wrote cannot be used; its text goes on from "the model's answer"."""


class Changes(BaseModel):
    """What one message changes. What is left out stays as it was.

    `forget` names attributes, values, titles or words that no longer count, or "everything". `like` and `unlike` are
    titles, or places of the list last shown such as "#2". What is wanted of an attribute (`all_of`, `one_of`) takes the
    place of what was wanted of it before. `unclear` are words of the message that can mean several things: the person
    is asked which before anything is listed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    forget: tuple[Phrase, ...] = Field(default=(), max_length=MOST_ENTRIES)
    like: tuple[Title, ...] = Field(default=(), max_length=MOST_ENTRIES)
    unlike: tuple[Title, ...] = Field(default=(), max_length=MOST_ENTRIES)
    all_of: Words = {}
    one_of: Words = {}
    none_of: Words = {}
    at_least: Numbers = {}
    at_most: Numbers = {}
    above: Numbers = {}
    below: Numbers = {}
    wishes: str = Field(default="", max_length=120)
    avoids: str = Field(default="", max_length=120)
    count: int | None = Field(default=None, ge=1, le=MOST_ITEMS)
    usual: Literal["same", "more", "less"] = "same"
    surprise: Literal["same", "yes", "no"] = "same"
    unclear: str = Field(default="", max_length=60)


def schema_of(catalogue: Catalogue) -> dict[str, Any]:
    """The JSON schema of `Changes` with the attributes of a catalogue; what it has no attributes for is left out."""
    words = {name: _values(name, catalogue) for name in attributes(catalogue) if name in catalogue.vocabulary}
    numbers = {name: _range(name, catalogue) for name in attributes(catalogue) if name not in catalogue.vocabulary}
    schema = Changes.model_json_schema()
    narrowed: dict[str, Any] = {}
    for name, said in schema["properties"].items():
        known = words if name in CHOICES else numbers if name in BOUNDS else None
        if known is None:
            narrowed[name] = said
        elif known:
            narrowed[name] = {"type": "object", "properties": known, "additionalProperties": False}
    narrowed["count"] = {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS}
    return {"type": "object", "properties": narrowed, "additionalProperties": False}


def attributes(catalogue: Catalogue) -> tuple[str, ...]:
    """The attributes that a message may speak of: those that have a value at all, the first so many of them."""
    known = (n for n, kind in catalogue.attribute_types.items() if kind == "number" or catalogue.vocabulary[n])
    return tuple(known)[:MOST_ATTRIBUTES]


def listed_values(attribute: str, catalogue: Catalogue) -> tuple[str, ...]:
    """All values of an attribute that has few short ones, the commonest first; none of any other attribute."""
    values = catalogue.vocabulary[attribute].values()
    if len(values) > FEW_VALUES or any(len(v) > 60 for v in values):
        return ()
    return tuple(sorted(values, key=lambda v: (-catalogue.frequency(attribute, v), v)))


def numbers_of(attribute: str, catalogue: Catalogue) -> list[float]:
    """What an attribute says of the items that have it."""
    said = (item.attributes.get(attribute) for item in catalogue.items)
    return [v for v in said if isinstance(v, int | float)]


def read_changes(answer: str, catalogue: Catalogue) -> Changes:
    """What an answer says.

    Raises:
        UnfitAnswerError: it is no whole JSON object of this schema.
    """
    try:
        changes = Changes.model_validate_json(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise UnfitAnswerError("was cut off") from error
        where = ".".join(str(part) for part in first["loc"])
        raise UnfitAnswerError(f"does not fit ({where}: {first['msg']})") from error
    for field in (*CHOICES, *BOUNDS):
        for name in getattr(changes, field):
            if (name in catalogue.vocabulary) != (field in CHOICES) or name not in catalogue.attribute_types:
                raise UnfitAnswerError(f"names no attribute of the catalogue ({field}: {name[:40]})")
    return changes


def _values(attribute: str, catalogue: Catalogue) -> dict[str, Any]:
    few = listed_values(attribute, catalogue)
    one: dict[str, Any] = {"enum": list(few)} if few else {"type": "string", "minLength": 1, "maxLength": 60}
    return {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_ENTRIES}


def _range(attribute: str, catalogue: Catalogue) -> dict[str, Any]:
    """Numbers with no more digits than the catalogue has, and whole ones where it has no others."""
    known = numbers_of(attribute, catalogue) or [0]
    most = 10 ** max(2, len(str(int(max(abs(v) for v in known))))) - 1
    bounds: dict[str, Any] = {"minimum": -most if min(known) < 0 else 0, "maximum": most}
    if all(float(v).is_integer() for v in known):
        return {"type": "integer", **bounds}
    return {"type": "number", "multipleOf": 0.01, **bounds}
