"""What a prompt's template may do: a short list, on purpose.

Jinja's sandbox stops escapes, not the abuse of memory and time. So a template is parsed first and refused unless every
node, filter and test is on a short list. It has no arithmetic, calls or assignments: no value can grow. What is left,
loops and output, is counted while it runs.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, Undefined, meta, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.errors import PromptError

MAX_SOURCE_BYTES = 64 * 1024
MAX_OUTPUT_CHARS = 64 * 1024
MAX_LOOP_STEPS = 20_000
MAX_SECONDS = 2.0
MAX_NODES = 2000
MAX_DEPTH = 40
RESERVED = frozenset({"self", "loop", "super", "caller", "varargs", "kwargs", "true", "false", "none"})

FILTERS = ("default", "first", "last", "length", "lower", "upper", "capitalize", "trim", "join")
TESTS = ("defined", "undefined", "string", "number", "boolean", "mapping", "sequence", "odd", "even")
_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Const),
    *(nodes.List, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.CondExpr),
)
_LOOP_WORDS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_MAX_NESTED_LOOPS = 3
_PACE = "<pace>"  # no template can spell this name


def problem(file: object, line: int, text: str) -> PromptError:
    """A PromptError that says where: "file:line: text"."""
    return PromptError(f"{file}:{line}: {text}")


def compile_section(text: str, file: str, line: int, declared: Collection[str]) -> Template:
    """The template of one role section that starts at `line` of `file`; `declared` are the names it may use.

    Raises:
        PromptError: bad syntax, a construct that is not on the list, a name that is no input; with file and line.
    """
    tree = _parse(text, file, line)
    for count, (node, depth, loops) in enumerate(_walk(tree)):
        reason = _refusal(node)
        if count > MAX_NODES or depth > MAX_DEPTH or loops > _MAX_NESTED_LOOPS:
            reason = f"the template is too complex ({MAX_NODES} parts, {_MAX_NESTED_LOOPS} loops inside each other)"
        if reason:
            raise problem(file, node.lineno, f"{reason}. {_allowed()}")
    try:
        for name in sorted(meta.find_undeclared_variables(tree) - set(declared)):
            where = min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
            known = ", ".join(sorted(declared)) or "none"
            raise problem(file, where, f"{name!r} is not an input; declare it or correct it. Declared: {known}.")
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return Template.from_code(_ENVIRONMENT, _ENVIRONMENT.compile(tree, file, file), {})
    except TemplateSyntaxError as error:
        raise problem(file, error.lineno, f"{error.message}.") from error
    except PromptError:
        raise
    except Exception as error:  # Jinja computes constants as it compiles, so anything that they do may be raised here
        raise problem(file, line, f"the template does not compile: {error}. Make it simpler.") from error


@dataclass(slots=True)
class Pace:
    """What one render may still spend, over all its sections."""

    chars: int = MAX_OUTPUT_CHARS
    steps: int = MAX_LOOP_STEPS
    deadline: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)

    def spend(self, chars: int = 0, steps: int = 0) -> None:
        """Take from what is left; TemplateError once it is less than nothing or the time is over."""
        self.chars -= chars
        self.steps -= steps
        if self.chars < 0:
            raise TemplateError(f"it writes more than {MAX_OUTPUT_CHARS} characters")
        if self.steps < 0:
            raise TemplateError(f"its loops take more than {MAX_LOOP_STEPS} steps")
        if time.monotonic() > self.deadline:
            raise TemplateError(f"it takes longer than {MAX_SECONDS} s")


def render_section(template: Template, values: Mapping[str, object], pace: Pace, file: str, line: int) -> str:
    """The text of one section, stripped at both ends.

    Raises:
        PromptError: a missing entry, an operation that its values do not have, a cap; with the line that did it.
    """
    pieces: list[str] = []
    try:
        for piece in template.generate({**values, _PACE: pace}):
            pace.spend(chars=len(piece))
            pieces.append(piece)
    except Exception as error:  # whatever a template raises, callers see one type, with the line
        lines = [at for frame, at in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
        raise problem(file, lines[-1] if lines else line, f"the prompt cannot be rendered: {error}") from error
    return "".join(pieces).strip()


class _Environment(ImmutableSandboxedEnvironment):
    """Attribute and item access reach entries of data, and nothing of Python's: `entry.items` is the entry "items"."""

    def getattr(self, obj: object, attribute: str) -> object:
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, Undefined):
            str(obj)  # StrictUndefined raises here, naming the part that is missing rather than what was asked of it
        if isinstance(obj, LoopContext) and argument in _LOOP_WORDS:
            return getattr(obj, str(argument))
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=str(argument))


def _finalize(value: object) -> object:
    if isinstance(value, list | tuple | dict | LoopContext) or value is None:
        raise TypeError(f"a {type(value).__name__} has no text of its own; loop over it, or use the filter join")
    return value


def _join(values: object, separator: str = ", ") -> str:
    if not isinstance(values, list | tuple) or not all(isinstance(v, str | int | float) for v in values):
        raise TypeError("join needs a list of texts")
    parts = [str(v) for v in values]
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_OUTPUT_CHARS:
        raise ValueError(f"join would write more than {MAX_OUTPUT_CHARS} characters")
    return separator.join(parts)


@pass_context
def _counted(context: Context, values: object) -> Iterator[object]:
    if isinstance(values, Undefined):
        str(values)
    if not isinstance(values, list | tuple):
        raise TypeError(f"a loop needs a list, and this is a {type(values).__name__}")
    pace = context[_PACE]
    for value in values:
        pace.spend(steps=1)
        yield value


def _environment() -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=_finalize
    )
    filters: dict[str, Callable[..., object]] = {name: environment.filters[name] for name in FILTERS}
    environment.filters = {**filters, "join": _join, "counted": _counted}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    environment.globals = {}
    return environment


_ENVIRONMENT = _environment()
_IS_OPEN = "end of template"  # how Jinja says that something was not closed


def _parse(text: str, file: str, line: int) -> nodes.Template:
    try:
        tree = _ENVIRONMENT.parse(text, file, file)
    except TemplateSyntaxError as error:
        hint = ". What opens, such as {{ or {%, closes within the same role section" if _IS_OPEN in str(error) else ""
        raise problem(file, line + error.lineno - 1, f"{str(error.message).rstrip('.')}{hint}") from error
    except (RecursionError, ValueError, MemoryError) as error:
        raise problem(file, line, f"the template cannot be parsed: {error}. Make it simpler.") from error
    for node, _, _ in _walk(tree):
        node.lineno = (node.lineno or 1) + line - 1  # Jinja leaves an inline if without a line
    return tree


def _walk(root: nodes.Node) -> Iterator[tuple[nodes.Node, int, int]]:
    """Every node with its depth and the number of loops around it, without recursion."""
    waiting = [(root, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        loops += isinstance(node, nodes.For)
        yield node, depth, loops
        waiting.extend((child, depth + 1, loops) for child in node.iter_child_nodes())


def _refusal(node: nodes.Node) -> str | None:  # noqa: C901 - one line per construct reads better than a table
    """Why a prompt may not hold this node; None if it may."""
    match node:
        case nodes.Filter(name=name) if name not in FILTERS:
            return f"the filter {name!r} is not allowed"
        case nodes.Test(name=name) if name not in TESTS:
            return f"the test {name!r} is not allowed"
        case nodes.Name(name=name) if name.startswith("_") or (name in RESERVED and name != "loop"):
            return f"the name {name!r} is not allowed"
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            return f"the attribute {attr!r} is not allowed"
        case nodes.Filter(args=[_, *_], name=name) if name not in ("default", "join"):
            return f"the filter {name!r} takes no argument here"
        case nodes.Filter() | nodes.Test() if node.kwargs or node.dyn_args or node.dyn_kwargs:
            return "named and starred arguments are not allowed"
        case nodes.For(recursive=True):
            return "a recursive loop is not allowed"
        case _ if not isinstance(node, _NODES):
            return f"{type(node).__name__} is not allowed in a prompt"
    return None


def _allowed() -> str:
    return f"Allowed: inputs, if, for, comparisons, the filters {', '.join(FILTERS)}, the tests {', '.join(TESTS)}."
