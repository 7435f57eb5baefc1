"""The adapters that come with the package, each for a data set that `vouchrec init --dataset` makes."""

from __future__ import annotations

from pathlib import Path

from agent.generation.adapters import MANIFEST, Adapters

FOLDER = Path(__file__).with_name("shipped_adapters")


def add_shipped(adapters: Adapters, dataset: str) -> None:
    """Put the adapter of a data set, where there is one, among those of a new workspace, and in service.

    Nobody has chosen it, so it steps aside where it does not fit: see `agent.build.adapter_in_service`.
    """
    if (FOLDER / dataset / MANIFEST).is_file() and dataset not in adapters.names():
        adapters.add(FOLDER / dataset, dataset)
        adapters.use(dataset)
