"""One tree of exceptions; every message says what came, what was expected and what to do.

VouchrecError
├── InputError            what a person or a developer gave cannot be used
│   ├── UnknownItemError      a title or id that is not in the catalogue (carries the nearest real ones)
│   ├── UnknownPersonError    a person of whom nothing is stored
│   ├── FilterError           a condition on an attribute that does not exist or has another type
│   └── ImportDataError       a catalogue file with no usable row, a column that is missing
├── AssetError            a model or data reference that cannot be had (download, checksum, disk)
├── AdapterError          a LoRA adapter that is absent, damaged, or belongs to another model, prompt or catalogue
├── WorkspaceError        a workspace that is absent, locked by another process, or damaged
├── PromptError           a prompt file that does not parse, render or keep within its caps
└── ServiceError          a service that cannot be reached, or does not serve this caller, or not now
"""

from __future__ import annotations

from collections.abc import Sequence


class VouchrecError(Exception):
    """The root: catch this to catch everything that this project raises on purpose."""


class InputError(VouchrecError):
    """What a person or a developer gave cannot be used."""


class UnknownItemError(InputError):
    """A title or id that is not in the catalogue."""

    def __init__(self, given: str, nearest: Sequence[str] = ()) -> None:
        self.given = given
        self.nearest = tuple(nearest)
        hint = (
            f" Did you mean {_either(self.nearest)}?" if nearest else " Give a title or an item id of this catalogue."
        )
        super().__init__(f"No item of this catalogue is called {given[:80]!r}.{hint}")


class UnknownPersonError(InputError):
    """A person of whom nothing is stored."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(f"Nothing is stored of a person {given[:80]!r}. Check the id: it counts letter by letter.")


class FilterError(InputError):
    """A condition on an attribute that does not exist or has another type."""


class ImportDataError(InputError):
    """A catalogue file that cannot be imported."""


class AssetError(VouchrecError):
    """A model or data reference that cannot be had."""


class AdapterError(VouchrecError):
    """A LoRA adapter that is absent, damaged, or belongs to another model, prompt or catalogue."""


class WorkspaceError(VouchrecError):
    """A workspace that is absent, locked by another process, or damaged."""


class PromptError(VouchrecError):
    """A prompt file that does not parse, render or keep within its caps."""


class ServiceError(VouchrecError):
    """A service that cannot be reached, or does not serve this caller, or not now.

    `status` is the HTTP status it answered with, None where there was no answer; `retry_after` is in seconds, where
    the service said that a later attempt may succeed.
    """

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


def _either(names: Sequence[str]) -> str:
    quoted = [f'"{n}"' for n in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
