"""`vouchrec prompts`: what the prompt files say, whether they are right, and what the language model would read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ui.options import PromptFolder, PromptName
from ui.terminal import Terminal, clean

if TYPE_CHECKING:
    from agent.generation.prompting import Prompt, PromptSet


def list_prompts(ctx: typer.Context, folder: PromptFolder = None) -> None:
    """Name the prompts of a set, with version and hash."""
    from prompts import locate, shipped
    from ui.listing import INDENT, width_of, wrapped

    terminal: Terminal = ctx.obj
    chosen = prompt_set(folder)
    for name in chosen.names():
        prompt = chosen.get(name)
        lent = "" if prompt.path.parent == chosen.folder else f", from {prompt.path.parent.name}"
        about = f"  version {clean(prompt.version)}, {prompt.hash}{clean(lent)}"
        terminal.say(Text.assemble((clean(name), "bold"), (about, "dim")))
        terminal.say(wrapped(terminal.out, prompt.description, width_of(terminal.out), INDENT))
    others = ", ".join(name for name in shipped() if locate(name) != chosen.folder)
    terminal.note(f"These files are in {chosen.folder}. Shipped besides (--set NAME): {others}.", style="dim")


def show(ctx: typer.Context, name: PromptName, folder: PromptFolder = None) -> None:
    """Print a prompt file as it is."""
    terminal: Terminal = ctx.obj
    prompt = prompt_set(folder).get(name)
    terminal.note(f"{prompt.path}, hash {prompt.hash}", style="dim")
    terminal.out.out(clean(prompt.path.read_text(encoding="utf-8"), keep_lines=True), highlight=False, end="")


def check(ctx: typer.Context, folder: PromptFolder = None) -> None:
    """Render every prompt of a set with its sample and run the cases beside it. Exit code 1 if one fails."""
    from ui.verdict import verdict

    terminal: Terminal = ctx.obj
    rows = prompt_set(folder).check()
    for row in rows:
        verdict(terminal, row.ok, row.name, "" if row.message == "ok" else row.message)
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def render(
    ctx: typer.Context,
    name: PromptName,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; a list or object as JSON. Repeatable."),
    ] = None,
    folder: PromptFolder = None,
) -> None:
    """Print the messages that the language model would read; inputs that are not given come from the file's sample."""
    terminal: Terminal = ctx.obj
    prompt = prompt_set(folder).get(name)
    inputs = {**prompt.sample, **dict(_input(text, prompt) for text in given or ())}
    for place, message in enumerate(prompt.render(**inputs)):
        if place:
            terminal.say()
        terminal.say(Text(f"{message.role}:", style="bold cyan"))
        terminal.out.out(clean(message.content, keep_lines=True), highlight=False)


def prompt_set(folder: str | None) -> PromptSet:
    """The set of a --set, or the one in service."""
    from agent.generation.prompting import PromptSet
    from agent.settings import load_settings

    return PromptSet.named(folder or load_settings().prompts)


def _input(text: str, prompt: Prompt) -> tuple[str, Any]:
    """One NAME=VALUE; what is declared as a text is taken as it is, everything else is read as JSON."""
    from agent.errors import InputError

    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"--input needs NAME=VALUE; {text[:80]!r} has no =. For example --input request='a comedy'.")
    declared = prompt.inputs.get(name)
    if declared is None or declared.type == "str":
        return name, value  # an unknown name is explained by `render`, which knows the file
    try:
        return name, json.loads(value)
    except ValueError as error:
        example = json.dumps(prompt.sample.get(name, declared.default), ensure_ascii=False)
        raise InputError(
            f"--input {name} is of type {declared.type} and takes JSON, which {value[:80]!r} is not. For example "
            f"--input {name}='{example[:200]}'"
        ) from error
