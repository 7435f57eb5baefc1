"""Which column of a catalogue file means what: read from a YAML, JSON or TOML file, or guessed from the data."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.errors import ImportDataError, InputError
from agent.schema import AttributeType
from agent.workspace.rows import Table

_FIXED = ConfigDict(extra="forbid", frozen=True)


class AttributeMapping(BaseModel):
    """One attribute: the column it comes from, its type, and what separates the words of a list.

    Where a list holds objects instead of words, `key` says which of their entries is the word.
    """

    model_config = _FIXED

    column: str
    type: AttributeType = "word"
    separator: str = Field(default="|", min_length=1)
    key: str | None = None


class ItemMapping(BaseModel):
    """Where items come from. `year_from_title` reads a `year` from titles such as "Alien (1979)"."""

    model_config = _FIXED

    item_id: str
    title: str
    text: tuple[str, ...] = ()
    attributes: dict[str, AttributeMapping] = {}
    year_from_title: bool = False

    @field_validator("text", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("attributes")
    @classmethod
    def _names(cls, given: dict[str, AttributeMapping]) -> dict[str, AttributeMapping]:
        for name in given:
            if name != attribute_name(name):
                raise ValueError(f"call the attribute {attribute_name(name)!r} instead of {name!r}")
        return given

    def columns(self) -> list[str]:
        """Every column that is used, in the order of the fields."""
        return [self.item_id, self.title, *self.text, *(a.column for a in self.attributes.values())]


class InteractionMapping(BaseModel):
    """Where interactions come from. Without `event` each is a "rating" if there is a value, else "seen"."""

    model_config = _FIXED

    user_id: str
    item_id: str
    value: str | None = None
    timestamp: str | None = None
    event: str | None = None

    def columns(self) -> list[str]:
        """Every column that is used."""
        return [c for c in (self.user_id, self.item_id, self.value, self.timestamp, self.event) if c is not None]


class Mapping(BaseModel):
    """The whole mapping file; either part may be absent, and is then guessed."""

    model_config = _FIXED

    items: ItemMapping | None = None
    interactions: InteractionMapping | None = None

    def as_yaml(self) -> str:
        """The mapping as the text of a file that `load_mapping` reads, to be looked at and corrected."""
        said = self.model_dump(mode="json", exclude_none=True)
        for attribute in said.get("items", {}).get("attributes", {}).values():
            if attribute["type"] != "list":  # nothing else is taken apart
                del attribute["separator"]
        return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def load_mapping(path: Path | str) -> Mapping:
    """Read a mapping file; InputError says which entry is wrong."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping file {path} cannot be read: {error}.") from error
    try:
        parsed = _parse(path, text)
        return Mapping.model_validate(parsed if parsed is not None else {})
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise InputError(f"The mapping file {path} does not parse: {str(error)[:300]}") from error
        first = error.errors()[0]
        entry = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise InputError(f"The mapping file {path} has a wrong entry, {entry}: {first['msg']}.") from error


def _parse(path: Path, text: str) -> object:
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return yaml.safe_load(text)
    if suffix == ".json":
        return json.loads(text)
    if suffix == ".toml":
        return tomllib.loads(text)
    raise InputError(f"{path.name} is no mapping file. Give one that ends in .yaml, .json or .toml.")


def require_columns(table: Table, columns: Iterable[str]) -> None:
    """ImportDataError when the mapping names a column that the file does not have."""
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise ImportDataError(
            f"{table.path.name} has no column {absent[0]!r}. Its columns are: {', '.join(table.columns)}. "
            "Correct the mapping."
        )


def attribute_name(column: str) -> str:
    """A column name as an identifier: "Release Year" and "releaseYear" become "release_year"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    name = re.sub(r"\W+", "_", spaced.casefold()).strip("_") or "attribute"
    return name if name.isidentifier() else f"a_{name}"
