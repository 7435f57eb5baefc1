"""The adapters that come with the package, each for a data set that `vouchrec init --dataset` makes."""

from __future__ import annotations

from pathlib import Path

from agent.generation.adapters import MANIFEST, Adapters
from agent.generation.prompting import PromptSet
from agent.settings import DEFAULT_MODEL, Settings

FOLDER = Path(__file__).with_name("shipped_adapters")


def add_shipped(adapters: Adapters, dataset: str, settings: Settings) -> bool:
    """Put the adapter of a data set among a new workspace's, and in service where the settings fit it.

    Returns whether it serves. Without one, or with another language model or other prompts, the base model does.
    """
    source = FOLDER / dataset
    if not (source / MANIFEST).is_file() or dataset in adapters.names():
        return False
    adapter = adapters.add(source, dataset)
    prompts = PromptSet.named(settings.prompts)
    same = all(n in prompts.names() and prompts.get(n).hash == h for n, h in adapter.manifest.prompts.items())
    if settings.model != DEFAULT_MODEL or settings.encoder != adapter.manifest.encoder or not same:
        return False
    adapters.use(dataset)
    return True
