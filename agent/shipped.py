"""The adapters that come with the package, each for a data set that `vouchrec init --dataset` makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.generation.adapters import MANIFEST, RECORD, Adapters, save_manifest
from agent.workspace.store import Store

FOLDER = Path(__file__).with_name("shipped_adapters")


def add_shipped(adapters: Adapters, dataset: str, store: Store) -> None:
    """Put the adapter of a data set, where there is one, among those of a new workspace, and in service.

    The rows that it has learned from are those of the data set, so of the store into which that was just imported: it
    can be tuned further there. Nobody has chosen it, so it steps aside where it does not fit: see
    `agent.build.adapter_in_service`.
    """
    if not (FOLDER / dataset / MANIFEST).is_file() or dataset in adapters.names():
        return
    added = adapters.add(FOLDER / dataset, dataset)
    training = dict(added.manifest.training)
    if RECORD in training:
        training[RECORD] = {**training[RECORD], "store": store.identity}
        save_manifest(added.folder, replace(added.manifest, training=training))
    adapters.use(dataset)
