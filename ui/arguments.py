"""Mistakes in what was typed are told before any model is loaded: only the catalogue is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.schema import Strategy
from ui.where import parse_where


def check_request(
    workspace: Path | None,
    user_id: str | None,
    history: Sequence[str] | None,
    said: str,
    n: int,
    where: Sequence[str] | None,
    strategy: Strategy,
    seed: int | None,
    adapter: str | None = None,
) -> None:
    """Raise what `Agent.recommend` would raise of these; nothing where all can be used.

    Raises:
        WorkspaceError, UnknownItemError, FilterError, InputError: as `Agent.open` and `Agent.recommend`.
    """
    from agent.adapted import check_offered
    from agent.build import open_workspace
    from agent.request import read_request
    from agent.settings import load_settings
    from agent.workspace.catalogue import Catalogue

    settings = load_settings(home=workspace)
    with open_workspace(settings.home) as opened:
        catalogue = Catalogue(opened.store.items(), opened.store.attribute_types())
        if adapter is not None:
            check_offered(opened, adapter)
    filters = parse_where(where or (), catalogue.attribute_types)
    read_request(catalogue, settings, user_id, history, said, n, filters, strategy, seed)
