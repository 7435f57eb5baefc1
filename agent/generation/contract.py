"""What a turn gives to its prompts `rank`, `justify`, `intent`, and needs back: tried before a version serves.

A file can be right by itself and still end every turn: without its last `assistant:` no title can follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.errors import PromptError
from agent.generation.sandbox import problem

if TYPE_CHECKING:
    from agent.generation.prompting import Prompt

_SEEN = [{"title": "One", "feeling": "liked"}, {"title": "Two", "feeling": "disliked"}]
_GIVEN: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "rank": (
        {"history": [], "request": "", "noun": "item"},
        {"history": [*_SEEN, {"title": "Three", "feeling": "watched"}], "request": "something", "noun": "item"},
    ),
    "justify": (
        {"title": "One", "facts": [], "noun": "item"},
        {"title": "One", "facts": ["It is long.", "It is old."], "noun": "item"},
    ),
    "intent": (
        {"attributes": [], "examples": [], "so_far": "nothing", "shown": [], "message": "One", "noun": "item"},
        {
            "attributes": [{"name": "year", "values": "a number"}],
            "examples": [{"so_far": "nothing", "message": "One", "changes": "{}"}],
            "so_far": "year 1990",
            "shown": [{"title": "One", "numbers": ""}],
            "message": "One",
            "noun": "item",
        },
    ),
}


def prove(prompt: Prompt) -> None:
    """Render a prompt with its own sample, and one of the turn's with what turns give.

    Raises:
        PromptError: it cannot be rendered, or a conversation could not go on from it; with file and line.
    """
    if all(name in prompt.sample for name, declared in prompt.inputs.items() if declared.required):
        prompt.render(**prompt.sample)
    for given in _GIVEN.get(prompt.name, ()):
        messages = prompt.render(**given)
        first, last = messages[0], messages[-1]
        if last.role != "assistant":
            raise _broken(prompt, f"it ends with a {last.role} message", "End it with a line 'assistant:'")
        if prompt.name in ("rank", "intent") and not last.content:
            raise _broken(prompt, "its last message is empty", "Put at least one sign or word there, such as '-'")
        if prompt.name == "justify" and (first.role != "assistant" or "One" not in first.content):
            remedy = "Begin it with a line 'assistant:' and then '{{ title }}'"
            raise _broken(prompt, "its first message is not the title, said by the assistant", remedy)


def _broken(prompt: Prompt, why: str, remedy: str) -> PromptError:
    """At the line of the section that is meant."""
    section = prompt.sections[-1] if remedy.startswith(("End", "Put")) else prompt.sections[0]
    return problem(prompt.path, section.line - 1, f"{why}, so no turn can go on from it. {remedy}.")
