"""The `.prompty` file format: YAML front matter, then sections headed `system:`, `user:` or `assistant:`.

It follows microsoft/prompty, so that its editors work on our files. Samples stand with their inputs (`sample:` there is
what Prompty reads since 1.0; a `sample:` at the root, its older place, is read too). Types have Prompty's names or
Python's. Prompty's `model`, `authors`, `tags`, `outputs` and `metadata` are accepted and not used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.errors import PromptError
from agent.generation.sandbox import MAX_SOURCE_BYTES, RESERVED, problem

InputType = Literal["str", "int", "float", "bool", "list", "object"]
TYPES: Mapping[str, InputType] = {
    **{"str": "str", "int": "int", "float": "float", "bool": "bool", "list": "list", "object": "object"},
    **{"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list"},
}
MAX_MESSAGES = 32
_MARKER = re.compile(r"#?[ \t]*(system|user|assistant)[ \t]*:", re.IGNORECASE)
_FOREIGN_MARKER = re.compile(r"#?[ \t]*(?:function|developer|tool|\w+\[[^\]]*\])[ \t]*:", re.IGNORECASE)
_INPUT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Model = TypeVar("_Model")


@dataclass(frozen=True, slots=True)
class Input:
    """One declared input. Required exactly when it has no default; `line` is where the file declares it."""

    name: str
    type: InputType
    required: bool
    default: Any
    description: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """One role section, before rendering. `line` is that of its first line of text."""

    role: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """A `.prompty` file, read and checked, not yet compiled. `hash` is of the text with newlines normalised."""

    name: str
    version: str
    description: str
    inputs: Mapping[str, Input]
    sample: Mapping[str, Any]
    body: str
    sections: tuple[Section, ...]
    hash: str


class Case(BaseModel):
    """One expectation beside a prompt file: what its messages, rendered with `inputs`, hold and do not hold."""

    model_config = ConfigDict(extra="forbid")

    name: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    contains: list[str] = Field(default_factory=list)
    excludes: list[str] = Field(default_factory=list)
    roles: list[str] | None = None
    max_chars: int | None = None


class SetHead(BaseModel):
    """A `set.yaml`: the set that lends what a folder lacks, and what the set calls an item. All of it may be absent."""

    model_config = ConfigDict(extra="forbid")

    base: str = ""
    noun: str = ""
    language: Literal["", "en", "zh"] = ""
    description: str = ""


class _InputHead(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: str
    description: str = ""
    required: bool | None = None
    default: Any = None
    sample: Any = None


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    version: str = Field("", coerce_numbers_to_str=True)
    description: str = ""
    inputs: dict[str, _InputHead] = Field(default_factory=dict)
    sample: dict[str, Any] = Field(default_factory=dict)
    template: Literal["jinja2"] | dict[str, str] = "jinja2"
    schema_: Any = Field(None, alias="$schema")
    model: Any = None
    authors: Any = None
    tags: Any = None
    outputs: Any = None
    metadata: Any = None


def read_source(path: Path) -> Source:
    """Read a `.prompty` file.

    Raises:
        PromptError: not readable, too large, bad YAML, an unknown key, sections out of order; with file and line.
    """
    text = _read_text(path)
    match = re.match(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", text, re.DOTALL | re.MULTILINE)
    if match is None:
        raise problem(path, 1, "the file must begin with front matter: YAML between two lines of '---'.")
    head, lines = _checked(TypeAdapter(_Head), match[1], path, 2)
    if head.name != path.stem:
        raise problem(path, lines("name"), f"the name {head.name!r} must be that of the file, {path.stem!r}.")
    if isinstance(head.template, dict) and head.template.get("format", "jinja2") != "jinja2":
        raise problem(path, lines("template"), "only Jinja2 is rendered here; leave the key out.")
    inputs = {name: _input(name, given, path, lines("inputs", name)) for name, given in head.inputs.items()}
    sample = {name: given.sample for name, given in head.inputs.items() if "sample" in given.model_fields_set}
    for name in head.sample:
        if name not in inputs or name in sample:
            why = "has a sample of its own too; keep one" if name in sample else f"is not one of {list(inputs)}"
            raise problem(path, lines("sample", name), f"the sample names the input {name!r}, which {why}.")
    return Source(
        name=head.name,
        version=head.version,
        description=head.description,
        inputs=inputs,
        sample={**sample, **head.sample},
        body=text[match.end() :],
        sections=_sections(text, match.end(), path),
        hash=hashlib.sha256(text.strip().encode()).hexdigest()[:12],
    )


def read_cases(path: Path) -> tuple[Case, ...]:
    """The cases of a `<name>.cases.yaml`, in the order of the file.

    Raises:
        PromptError: not readable, bad YAML, an unknown key; with file and line.
    """
    return tuple(_checked(TypeAdapter(list[Case]), _read_text(path), path, 1)[0])


def read_set(path: Path) -> SetHead:
    """A `set.yaml`; where there is none, one that says nothing.

    Raises:
        PromptError: not readable, bad YAML, an unknown key; with file and line.
    """
    return _checked(TypeAdapter(SetHead), _read_text(path), path, 1)[0] if path.exists() else SetHead()


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_SOURCE_BYTES:
            raise problem(path, 1, f"the file has {len(raw)} bytes, the limit is {MAX_SOURCE_BYTES}; make it shorter.")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise problem(path, 1, f"the file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise problem(path, line, "the file is not UTF-8; save it as UTF-8.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _input(name: str, given: _InputHead, path: Path, line: int) -> Input:
    if not _INPUT_NAME.fullmatch(name) or name in RESERVED:
        raise problem(path, line, f"an input cannot be called {name!r}; use lower case words, not a word of Jinja's.")
    if given.type not in TYPES:
        raise problem(path, line, f"the type {given.type!r} of {name!r} is unknown; use one of {', '.join(TYPES)}.")
    has_default = "default" in given.model_fields_set
    if given.required is not None and given.required == has_default:
        raise problem(path, line, f"{name!r} must have a default or be required, and not both.")
    return Input(name, TYPES[given.type], not has_default, given.default, given.description, line)


def _sections(text: str, start: int, path: Path) -> tuple[Section, ...]:
    """Cut the body at its markers, before anything is rendered: data can then never make a message."""
    found: list[tuple[str, int, list[str]]] = []
    first = text.count("\n", 0, start) + 1
    for number, line in enumerate(text[start:].split("\n"), first):
        if marker := _MARKER.fullmatch(line.strip()):  # stripped first: blanks on both sides of "#?" would make it slow
            role = marker[1].lower()
            if found and (role == "system" or role == found[-1][0]):
                raise problem(path, number, f"{role!r} cannot follow {found[-1][0]!r}: system first, then in turns.")
            if len(found) == MAX_MESSAGES:
                raise problem(path, number, f"more than {MAX_MESSAGES} messages; a prompt needs a handful.")
            found.append((role, number + 1, []))
        elif _FOREIGN_MARKER.fullmatch(line.strip()):
            raise problem(path, number, f"{line.strip()!r} is no role here; use system:, user: or assistant:.")
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            raise problem(path, number, "text before the first role; begin the body with a line 'system:' or 'user:'.")
    if not found:
        raise problem(path, first, "the body is empty; begin it with a line 'system:' or 'user:'.")
    return tuple(Section(role, "\n".join(lines), line) for role, line, lines in found)


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases (a few lines of them unfold to gigabytes) and without keys that stand twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.current_event.start_mark
            raise yaml.composer.ComposerError(None, None, "an alias (*name) is not allowed; write it out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for at, (key, _) in enumerate(node.value):
            if key.value in keys[:at]:
                message = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
        return super().construct_mapping(node, deep)


class _Lines:
    """Finds the line of an entry in a YAML document; for what is absent, the line of what would hold it."""

    def __init__(self, root: yaml.Node | None, first: int) -> None:
        self._root = root
        self._first = first

    def __call__(self, *where: str | int) -> int:
        node, line = self._root, self._first
        for step in where:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                pair = (node.value[step], node.value[step])
            else:
                pair = None
            if pair is None:
                break
            line, node = self._first + pair[0].start_mark.line, pair[1]
        return line


def _checked(adapter: TypeAdapter[_Model], text: str, path: Path, first: int) -> tuple[_Model, _Lines]:
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
    except Exception as error:  # PyYAML raises KeyError, ValueError and others of its own on bad tagged values
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error) or type(error).__name__
        raise problem(path, first + (mark.line if mark else 0), f"the YAML does not parse: {what}.") from error
    lines = _Lines(root, first)
    try:
        return adapter.validate_python(data), lines
    except ValidationError as error:
        raise _explained(error, path, lines) from error


def _explained(error: ValidationError, path: Path, lines: _Lines) -> PromptError:
    first = error.errors()[0]
    where: Sequence[str | int] = first["loc"]
    name = ".".join(map(str, where)) or "the document"
    if first["type"] == "extra_forbidden":
        text = f"the key {name!r} is unknown; correct or remove it."
    else:
        text = f"{name!r} cannot be {str(first['input'])[:80]!r}: {first['msg']}."
    return problem(path, lines(*where), text)
