"""Prompt files, rendered into messages: the only renderer, for serving and for training.

The file format is in promptfile.py, what a template may do in sandbox.py, what data may carry in cleaning.py.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import Template

import prompts
from agent.errors import PromptError
from agent.generation.base import Message
from agent.generation.cleaning import chat_token, clean, clean_title, clean_value
from agent.generation.contract import prove
from agent.generation.promptfile import Case, Input, InputType, Section, read_cases, read_set, read_source
from agent.generation.sandbox import Pace, compile_section, problem, render_section

__all__ = ["Check", "Input", "Prompt", "PromptSet", "clean", "clean_title", "continued", "load_prompt", "open_text"]

_PYTHON_TYPES: Mapping[InputType, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "object": (Mapping,),
}
_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
SET_FILE = "set.yaml"
_MOST_BASES = 4
_Stamp = tuple[Path, int, int]
_log = logging.getLogger("vouchrec.prompts")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file, ready to render. `hash` identifies its text: 12 hex digits of sha256, newlines normalised."""

    name: str
    version: str
    description: str
    inputs: Mapping[str, Input]
    sample: Mapping[str, Any]
    body: str
    hash: str
    path: Path
    _parts: tuple[tuple[Section, Template], ...] = field(repr=False, compare=False)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The messages of the file, not rendered."""
        return tuple(section for section, _ in self._parts)

    def render(self, **inputs: object) -> tuple[Message, ...]:
        """The messages for these inputs, in the order of the file.

        Values are data: cleaned by `clean_value`, never parsed as template, unable to make a message. A last message of
        the assistant is open, and may be empty: what the language model writes continues it, without an end of
        message between. (So apply the chat template to the messages before it, with `add_generation_prompt=True`,
        and append its content; `continue_final_message` fails on an empty one.)

        Raises:
            PromptError: an input that is missing, unknown or of another type, an entry that the data lacks, a cap on
                size, steps or time, a message without text or with a chat token; with file and line.
        """
        values = self._values(inputs)
        pace = Pace()
        messages = []
        for section, template in self._parts:
            text = render_section(template, values, pace, str(self.path), section.line)
            if not text and not (section.role == "assistant" and section is self._parts[-1][0]):
                raise problem(self.path, section.line, f"the {section.role} message has no text with these inputs.")
            if token := chat_token(text):
                raise problem(
                    self.path, section.line, f"the {section.role} message holds {token!r}; leave chat tokens out."
                )
            messages.append(Message(section.role, text))
        return tuple(messages)

    def _values(self, given: Mapping[str, object]) -> dict[str, object]:
        for name in given:
            if name not in self.inputs:
                known = ", ".join(self.inputs) or "none"
                raise problem(self.path, 1, f"{self.name} has no input {name[:80]!r}; its inputs are: {known}.")
        values = {}
        for name, declared in self.inputs.items():
            if declared.required and name not in given:
                raise problem(self.path, declared.line, f"the input {name!r} ({declared.type}) is missing.")
            values[name] = _value(given.get(name, declared.default), declared, self.path)
        return values


class Check(NamedTuple):
    """One row of `PromptSet.check`: a prompt ("rank") or a case beside it ("rank: no history")."""

    name: str
    ok: bool
    message: str


def load_prompt(path: str | Path) -> Prompt:
    """Read, check and compile a `.prompty` file.

    Raises:
        PromptError: anything in it that is wrong, with file and line.
    """
    path = Path(path)
    source = read_source(path)
    for declared in source.inputs.values():
        if not declared.required:
            _value(declared.default, declared, path)
        if declared.name in source.sample:
            _value(source.sample[declared.name], declared, path)
    return Prompt(
        name=source.name,
        version=source.version,
        description=source.description,
        inputs=source.inputs,
        sample=source.sample,
        body=source.body,
        hash=source.hash,
        path=path,
        _parts=tuple((s, compile_section(s.text, str(path), s.line, source.inputs)) for s in source.sections),
    )


def open_text(messages: Sequence[Message], text: str) -> str:
    """`text` as it follows the open message: after a space, or as it is where that message is still empty."""
    return f" {text}" if messages and messages[-1].role == "assistant" and messages[-1].content else text


def continued(messages: Sequence[Message], more: Sequence[Message]) -> tuple[Message, ...]:
    """One conversation: the open message of `messages` is completed by the first of `more`, which the assistant says.

    `continued(rank.render(...), justify.render(title=...))` is `rank`'s conversation with the title written, and the
    question that follows it; up to the title its tokens are those of `rank`'s own, so their cache can be kept.

    Raises:
        PromptError: `messages` does not end, or `more` does not begin, with a message of the assistant.
    """
    if not messages or not more or messages[-1].role != "assistant" or more[0].role != "assistant":
        ends = messages[-1].role if messages else "nothing"
        begins = more[0].role if more else "nothing"
        raise PromptError(
            f"A conversation that ends with {ends} cannot be continued by one that begins with {begins}. "
            "End the first prompt with 'assistant:' and begin the second with it."
        )
    joint = Message("assistant", messages[-1].content + open_text(messages, more[0].content))
    return (*messages[:-1], joint, *more[1:])


class PromptSet:
    """The prompts of one folder, read again when a file changes. Safe to share between threads.

    A `set.yaml` in the folder may name a `base`, another set from which comes whatever the folder lacks, and a `noun`,
    which takes the place of the inputs' default. `noun` and `language` are what the nearest set.yaml says, or "".

    A file that was good and is broken now stays in service as it was; `problems` says what is wrong with it, and so
    does the log `vouchrec.prompts`, once. Good means that it renders, that a turn can go on from it, and that it is the
    text that the set is bound to, if it is.

    Raises:
        PromptError: a set.yaml that cannot be read, or names a base that there is not.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        heads = [(folder, read_set(folder / SET_FILE)) for folder in _with_bases(self.folder)]
        self._folders = tuple(folder for folder, _ in heads)
        self.noun = next((head.noun for _, head in heads if head.noun), "")
        self.language: Literal["", "en", "zh"] = next((head.language for _, head in heads if head.language), "")
        self.description = heads[0][1].description
        self._lock = threading.Lock()
        self._good: dict[str, Prompt] = {}
        self._stamps: dict[str, _Stamp | None] = {}
        self._problems: dict[str, PromptError] = {}
        self._bound: tuple[Mapping[str, str], str] = {}, ""

    @classmethod
    def named(cls, name_or_path: str | Path) -> PromptSet:
        """A shipped set by its name ("recommend"), or any folder by its path ("./mine").

        Raises:
            PromptError: there is no such set.
        """
        try:
            return cls(prompts.locate(name_or_path))
        except FileNotFoundError as error:
            raise PromptError(str(error)) from error

    def bind(self, hashes: Mapping[str, str], adapter: str) -> None:
        """Let no other text of these prompts serve from now on than the one of that hash: an adapter knows no other."""
        with self._lock:
            self._bound = dict(hashes), adapter

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong now, by prompt name, as of the last `get` of each."""
        with self._lock:
            return {name: str(error) for name, error in self._problems.items()}

    def names(self) -> tuple[str, ...]:
        """The prompts of the set, its bases' included, in alphabetical order."""
        return tuple(sorted({path.stem for folder in self._folders for path in folder.glob("*.prompty")}))

    def path(self, name: str) -> Path:
        """The file of a prompt: in the folder itself, or in the nearest base that has it."""
        found = (folder / f"{name}.prompty" for folder in self._folders)
        return next((path for path in found if path.exists()), self.folder / f"{name}.prompty")

    def get(self, name: str) -> Prompt:
        """The newest good version of a prompt.

        Raises:
            PromptError: there is no such prompt, or it was never good.
        """
        if not _SET_NAME.fullmatch(name):
            raise PromptError(f"A prompt cannot be called {name[:80]!r}. Prompts of {self.folder}: {self._known()}.")
        with self._lock:
            stamp = _stamp(self.path(name))
            if name not in self._stamps or stamp != self._stamps[name]:
                self._reload(name)
                self._stamps[name] = stamp  # taken before reading: a write in between is seen by the next call
            if name in self._good:
                return self._good[name]
            raise PromptError(str(self._problems[name])) from self._problems[name]

    def check(self) -> list[Check]:
        """Load every prompt afresh, render it with its own sample, and run the cases beside it. Never raises."""
        rows: list[Check] = []
        for name in self.names():
            try:
                prompt = self._load(name)
                prompt.render(**prompt.sample)
                prove(prompt)
                path = self.folder / f"{name}.cases.yaml"
                cases = read_cases(path) if path.exists() else ()
            except PromptError as error:
                rows.append(Check(name, False, str(error)))
                continue
            rows.append(Check(name, True, f"renders its sample; {len(cases)} cases beside it"))
            rows.extend(_checked_case(prompt, case) for case in cases)
        return rows

    def _known(self) -> str:
        return ", ".join(self.names()) or "none"

    def _load(self, name: str) -> Prompt:
        prompt = load_prompt(self.path(name))
        declared = prompt.inputs.get("noun")
        if not self.noun or declared is None or declared.required:
            return prompt
        inputs = {**prompt.inputs, "noun": replace(declared, default=self.noun)}
        return replace(prompt, inputs=inputs, sample={**prompt.sample, "noun": self.noun})

    def _reload(self, name: str) -> None:
        before = self._problems.pop(name, None)
        try:
            if not self.path(name).exists():
                raise PromptError(f"There is no prompt {name!r} in {self.folder}. It has: {self._known()}.")
            prompt = self._load(name)
            prove(prompt)
            self._require_bound(prompt)
        except PromptError as error:
            self._problems[name] = error
            if name in self._good:
                _log.warning("%s The last good version, %s, stays in service.", error, self._good[name].hash)
        else:
            self._good[name] = prompt
            if before is not None:
                _log.warning("%s is right again: %s is in service.", prompt.path, prompt.hash)

    def _require_bound(self, prompt: Prompt) -> None:
        hashes, adapter = self._bound
        if hashes.get(prompt.name, prompt.hash) != prompt.hash:
            raise PromptError(
                f"{prompt.path} is not the text that the adapter {adapter!r}, which serves, was tuned with. Put that "
                "text back, tune with this one (`vouchrec finetune sft`), or let the base model serve (`vouchrec "
                "adapters use base`) and start again."
            )


def _with_bases(folder: Path) -> list[Path]:
    """The folder and the bases that it rests on, nearest first."""
    found = [folder]
    while base := read_set(found[-1] / SET_FILE).base:
        here = found[-1]
        if len(found) > _MOST_BASES:
            raise problem(here / SET_FILE, 1, f"more than {_MOST_BASES} sets rest on each other; is it a ring?")
        try:
            found.append(prompts.locate(base if base in prompts.shipped() else here / base))
        except FileNotFoundError as error:
            raise problem(here / SET_FILE, 1, f"the base cannot be had. {error}") from error
    return found


def _value(value: object, declared: Input, path: Path) -> object:
    """The cleaned value of one input, of its declared type."""
    fits = isinstance(value, _PYTHON_TYPES[declared.type]) and (declared.type == "bool" or not isinstance(value, bool))
    if not fits:
        came = f"{type(value).__name__} {str(value)[:80]!r}"
        raise problem(path, declared.line, f"the input {declared.name!r} is {declared.type}, and {came} came.")
    try:
        return clean_value(value, declared.name)
    except ValueError as error:
        raise problem(path, declared.line, f"the input {declared.name!r} cannot be used: {error}.") from error


def _checked_case(prompt: Prompt, case: Case) -> Check:
    name = f"{prompt.name}: {case.name}"
    try:
        messages = prompt.render(**case.inputs)
    except PromptError as error:
        return Check(name, False, str(error))
    text = "\n\n".join(message.content for message in messages)
    roles = [message.role for message in messages]
    wrong = [f"lacks {part!r}" for part in case.contains if part not in text]
    wrong += [f"holds {part!r}" for part in case.excludes if part in text]
    if case.roles is not None and roles != case.roles:
        wrong.append(f"has the roles {roles}, not {case.roles}")
    if case.max_chars is not None and len(text) > case.max_chars:
        wrong.append(f"has {len(text)} characters, not at most {case.max_chars}")
    return Check(name, not wrong, "; ".join(wrong) or "ok")


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None  # absent: reading it says so, as an error
    return path, status.st_mtime_ns, status.st_size
