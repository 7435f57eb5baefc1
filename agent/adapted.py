"""The language model with other adapters than the one in service, for requests that ask for one by its name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from agent.build import adapters_of
from agent.errors import InputError
from agent.generation.adapters import BASE, MANIFEST, Adapter
from agent.generation.base import Generator
from agent.generation.prompting import PromptSet
from agent.listing import Lister
from agent.workspace.workspace import Workspace

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST_LOADED = 2  # models in memory beside the one that serves


class Loaded(Generic[Key, Value]):
    """Models by what they are loaded for; the ones used last stay in memory. Threads may share it."""

    def __init__(self, load: Callable[[Key], Value]) -> None:
        self._load = load
        self._loaded: OrderedDict[Key, Value] = OrderedDict()
        self._loading = threading.Lock()

    def get(self, key: Key) -> Value:
        """The model for this, loaded where it is not there: that takes seconds."""
        with self._loading:
            if key not in self._loaded:
                self._loaded[key] = self._load(key)
                while len(self._loaded) > MOST_LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]


class _Model:
    """A model, and the lists that it makes of the items as they are now. What is let go of takes both along."""

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self._made: tuple[Lister, Lister] | None = None  # what serves, and the same with this model

    def lister(self, serving: Lister) -> Lister:
        made = self._made
        if made is None or made[0] is not serving:  # the catalogue has changed since
            made = self._made = serving, serving.using(self._generator)
        return made[1]


def offered(workspace: Workspace) -> tuple[str, ...]:
    """What a request can ask for: BASE, and every adapter that has passed the gate."""
    found = adapters_of(workspace).all().items()
    return (BASE, *(name for name, one in found if isinstance(one, Adapter) and one.manifest.passed))


def check_offered(workspace: Workspace, name: str) -> None:
    """InputError where a request cannot ask for this adapter."""
    names = offered(workspace)
    if name not in names:
        raise InputError(
            f"No adapter {name[:80]!r} can be asked for; there are {', '.join(names)}. One may serve after "
            "`vouchrec finetune promote NAME`."
        )


class Adapted:
    """The models by the names of their adapters. `load` gives one with an adapter of the workspace, or with none."""

    def __init__(
        self, workspace: Workspace, prompts: PromptSet, load: Callable[[str | None], Generator[Any, Any, Any]]
    ) -> None:
        self._workspace, self._prompts = workspace, prompts
        self._models: Loaded[tuple[str, Hashable], _Model] = Loaded(
            lambda key: _Model(load(None if key[0] == BASE else key[0]))
        )

    def names(self) -> tuple[str, ...]:
        """See `offered`."""
        return offered(self._workspace)

    def lister(self, name: str, serving: Lister) -> Lister:
        """Lists with this adapter, of the items and out of the sources of the lister that serves.

        Raises:
            InputError: there is none of this name that may serve.
            AdapterError: it was tuned with another model, encoder or prompt.
        """
        check_offered(self._workspace, name)
        return self._models.get((name, None if name == BASE else self._now(name))).lister(serving)

    def _now(self, name: str) -> Hashable:
        """Tells an adapter from one that was judged or tuned again under its name, or whose prompts were edited."""
        adapter = adapters_of(self._workspace).get(name)
        return (adapter.folder / MANIFEST).stat().st_mtime_ns, adapter.manifest.unlike(self._prompts)
