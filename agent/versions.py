"""Which versions are installed of what adapters are made with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("torch", "transformers", "peft")


def versions() -> dict[str, str]:
    """Of Vouchrec, unless it is run from its source and not installed, and of the libraries."""
    found = {}
    for name in ("vouchrec", *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def other_major(then: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """The first library whose major version is another; one that either side does not tell of is passed over."""
    told = (name for name in LIBRARIES if name in then and name in now)
    return next((name for name in told if then[name].split(".")[0] != now[name].split(".")[0]), None)
