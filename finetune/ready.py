"""What must hold before anything is loaded for a tuning, so that a slip of the hand is told at once."""

from __future__ import annotations

from importlib.util import find_spec

from agent.build import adapters_of
from agent.errors import AdapterError, InputError
from agent.extras import how_to_install
from agent.workspace.workspace import Workspace


def require_ready(
    workspace: Workspace, name: str, *, start: str | None = None, report_to: str = "none", bits: int | None = None
) -> None:
    """Whether an adapter can be tuned here.

    Args:
        workspace: where it is to be kept.
        name: what it is to be called.
        start: the adapter that it is tuned from, None for none or for the one in service.
        report_to: what is to draw curves of the run.
        bits: of the base model, None for a whole one.

    Raises:
        AdapterError: the name is taken or cannot be one, or there is no such start.
        InputError: a library is missing, or 4 bits are asked for without a GPU.
    """
    if missing := [library for library in ("trl", "datasets") if find_spec(library) is None]:
        raise InputError(f"Tuning needs {' and '.join(missing)}: run {how_to_install('train')}.")
    adapters = adapters_of(workspace)
    adapters.path(name)
    if name in adapters.names():
        raise AdapterError(f"There is an adapter called {name!r} already. Give another name, or remove it first.")
    if start is not None:
        adapters.get(start)
    if report_to != "none" and find_spec(report_to) is None:
        raise InputError(f"To report to {report_to} it must be installed: `.venv/bin/pip install {report_to}`.")
    if bits is not None:
        _require_gpu(bits)


def _require_gpu(bits: int) -> None:
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            f"A base model in {bits} bits needs an NVIDIA GPU, and there is none here. On a CPU it is slower than "
            "whole: leave `bits` out."
        )
    if find_spec("bitsandbytes") is None:
        raise InputError(f"A base model in {bits} bits needs bitsandbytes: run {how_to_install('qlora')}.")
