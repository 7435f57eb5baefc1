"""From a catalogue to a workspace that answers: store, vectors, index, behaviour; all but the store can be remade."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.assets import fetch, language_model
from agent.errors import AdapterError, InputError, WorkspaceError
from agent.generation.adapters import Adapter, AdapterManifest, Adapters, base_fingerprint
from agent.generation.base import Generator
from agent.generation.prompting import PromptSet
from agent.progress import Progress, silent
from agent.ranking.scoring import weight_in_force
from agent.retrieval.behaviour import Behaviour, as_items, probes_of
from agent.retrieval.fusion import Weights
from agent.retrieval.semantic import Semantic, Space
from agent.retrieval.substance import substance
from agent.retrieval.trained import load_encoder, read_manifest
from agent.retrieval.transitions import CONSTANTS, Transitions
from agent.schema import AttributeType, Interaction, Item
from agent.settings import Settings
from agent.shipped import add_shipped
from agent.versions import versions
from agent.workspace.conditions import metadata
from agent.workspace.encoder import Encoder, SentenceEncoder
from agent.workspace.film_cards import TYPES, with_cards
from agent.workspace.movielens import fetch_movielens
from agent.workspace.reading import Rejected, load_mapping, read_interactions, read_items
from agent.workspace.store import InteractionColumns
from agent.workspace.vectors import ABOUT, WHOLE
from agent.workspace.workspace import STORE, Workspace

DATASETS = ("movielens-100k",)
_COMPLETE = "import_complete"
BEHAVIOUR_INDEX = "chroma-behaviour"  # its folder in the cache


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What an import took in and left out. `timings` is seconds by stage."""

    accepted: int
    rejected: tuple[Rejected, ...]
    rejected_count: int
    interactions_accepted: int
    interactions_rejected: tuple[Rejected, ...]
    interactions_rejected_count: int
    guesses: tuple[str, ...]
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Import:
    items: list[Item]
    types: dict[str, AttributeType]
    interactions: list[Interaction]
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    noun: str = ""
    rejected: tuple[Rejected, ...] = ()
    rejected_count: int = 0
    interactions_rejected: tuple[Rejected, ...] = ()
    interactions_rejected_count: int = 0
    guesses: tuple[str, ...] = ()


def build(
    path: Path,
    *,
    settings: Settings,
    items: Path | None = None,
    interactions: Path | None = None,
    mapping: Path | None = None,
    dataset: str | None = None,
    update: bool = False,
    progress: Progress = silent,
) -> BuildReport:
    """Make a workspace from files or from a data set, or with `update` add to one. One that was cut short begins anew.

    Raises:
        ImportDataError: a file that cannot be read or has no usable row; then nothing is written.
        WorkspaceError: the folder holds a finished workspace and `update` is not set, or is in use.
    """
    path = Path(path)
    timings: dict[str, float] = {}
    if update and (path / STORE).is_file() and not is_finished(path):
        raise _cut_short(path)
    if not update and is_finished(path):
        raise WorkspaceError(
            f"{path} is a workspace already. Use it as it is, give another folder, or add to it with --update."
        )
    with _timed(timings, "read"):
        is_held = update and (items is None or (path / STORE).is_file())
        found = _read(items, interactions, mapping, dataset, settings, progress, path if is_held else None)
    if not update:
        _discard_unfinished(path)
    opened = Workspace.open(path) if (path / STORE).is_file() else Workspace.create(path)
    with opened as workspace:
        with _timed(timings, "store"):
            _store(workspace, found, progress)
        encoder = open_encoder(settings, progress)
        with _timed(timings, "encode and index"):
            for view in (WHOLE, ABOUT):
                workspace.index(encoder, progress, view)
        with _timed(timings, "learn transitions"):
            open_transitions(workspace, progress)
        if dataset is not None and not update:
            add_shipped(adapters_of(workspace), dataset, workspace.store)
        workspace.store.set_meta(_COMPLETE, True)
    return BuildReport(
        len(found.items), found.rejected, found.rejected_count, len(found.interactions), found.interactions_rejected,
        found.interactions_rejected_count, found.guesses, timings,
    )  # fmt: skip


def rebuild(path: Path, settings: Settings, progress: Progress = silent) -> None:
    """Make everything but the store again."""
    with Workspace.open(path) as workspace:
        encoder = open_encoder(settings, progress)
        workspace.rebuild(encoder, progress)
        _transitions_file(workspace).unlink(missing_ok=True)
        open_transitions(workspace, progress)
        shutil.rmtree(workspace.cache / BEHAVIOUR_INDEX, ignore_errors=True)
        items = workspace.store.items()
        vectors = workspace.vectors(encoder, progress, items=items)[1]
        open_behaviour(workspace, encoder.name, items, vectors, progress)


def open_workspace(path: Path, alone: bool = True) -> Workspace:
    """Open a finished workspace; WorkspaceError when it is absent, in use, or its import was cut short.

    `alone` is as in `Workspace.open`.
    """
    workspace = Workspace.open(path, alone)
    if not workspace.store.get_meta(_COMPLETE, False):
        workspace.close()
        raise _cut_short(path)
    return workspace


def _cut_short(path: Path) -> WorkspaceError:
    return WorkspaceError(f"The import into {path} was cut short. Run the same `vouchrec init` again; it starts over.")


def open_encoder(settings: Settings, progress: Progress = silent) -> Encoder:
    """The sentence encoder of the settings, fetched if need be."""
    folder = fetch(settings.encoder, settings.cache, progress)
    progress("load the encoder", 0, 1)
    encoder = SentenceEncoder(folder, name=settings.encoder)
    progress("load the encoder", 1, 1)
    return encoder


def open_transitions(
    workspace: Workspace, progress: Progress = silent, columns: InteractionColumns | None = None
) -> Transitions:
    """What was learned from behaviour: read if it is up to date with the store, else learned and kept.

    `columns` are all interactions of the store, where they have been read already.
    """
    columns = workspace.store.interaction_columns() if columns is None else columns
    fingerprint = _fingerprint(columns)
    file = _transitions_file(workspace)
    if file.is_file():
        known = Transitions.load(file)
        if known.fingerprint == fingerprint:
            return known
    progress("learn transitions", 0, 1)
    learned = Transitions.learn(columns, fingerprint)
    learned.save(file)
    progress("learn transitions", 1, 1)
    return learned


def open_behaviour(
    workspace: Workspace,
    encoder: str,
    items: Sequence[Item],
    texts: NDArray[np.float32],
    progress: Progress = silent,
) -> tuple[Behaviour | None, Weights]:
    """The sequential model that was trained for a workspace, with its index, and the weights of all sources.

    Args:
        workspace: the open workspace.
        encoder: the name of what made the text vectors.
        items: those of the store, in its order.
        texts: float32 (items, dimension), their text vectors.
        progress: what is told how far it has come.

    Returns:
        None and the weights for doing without, where nothing was trained.

    Raises:
        WorkspaceError: it is damaged, or belongs to another encoder.
    """
    folder = behaviour_folder(workspace)
    manifest = read_manifest(folder)
    if manifest is None:
        return None, Weights()
    ids = [item.item_id for item in items]
    trained = load_encoder(folder, manifest, ids, texts, encoder)
    made_by = f"{manifest.file} {manifest.encoder}"
    index = workspace.index_of(
        BEHAVIOUR_INDEX,
        made_by,
        trained.width + 1,
        lambda: as_items(trained.items),
        lambda: probes_of(trained),
        progress,
        items,
    )
    return Behaviour(index, trained, ids), manifest.weights


def open_meaning(
    workspace: Workspace, encoder: Encoder, items: Sequence[Item], progress: Progress = silent
) -> Semantic:
    """Retrieval by meaning over the items of a workspace, given in the store's order, with what they are about."""
    ids, vectors = workspace.vectors(encoder, progress, items=items)
    told = workspace.vectors(encoder, progress, ABOUT, items)[1]
    about = Space(workspace.index(encoder, progress, ABOUT, items), told, substance(items))
    return Semantic(workspace.index(encoder, progress, items=items), encoder, ids, vectors, about)


def remove_training(workspace: Workspace) -> None:
    """Remove what a training that was stopped has left."""
    for file in behaviour_folder(workspace).glob("training-*"):
        file.unlink(missing_ok=True)


def remove_learned(workspace: Workspace) -> None:
    """Remove what can be learned again from the store at the next opening, and what a training left."""
    _transitions_file(workspace).unlink(missing_ok=True)
    remove_training(workspace)


def behaviour_folder(workspace: Workspace) -> Path:
    """Where the trained behaviour of a workspace lies."""
    return workspace.path / "behaviour"


def model_weight_of(workspace: Workspace, manifest: AdapterManifest) -> float:
    """How much an adapter's scores count beside retrieval as this workspace has it now."""
    is_trained = read_manifest(behaviour_folder(workspace)) is not None
    return weight_in_force(None, manifest.measured, is_trained=is_trained, is_asked=False)


def generator_with(
    workspace: Workspace, settings: Settings, encoder: str, called: str, adapter: str | None
) -> Generator[Any, Any, Any]:
    """The language model with one of the workspace's adapters, or with none: read anew, which takes seconds.

    `encoder` is the name of what made the text vectors, `called` what the model is called.

    Raises:
        AdapterError: it was tuned with another model, encoder or prompt, or there is none of that name.
    """
    from agent.generation.local import LocalGenerator

    folder = language_model(settings.model, settings.cache)
    chosen = None if adapter is None else adapters_of(workspace).get(adapter)
    if chosen is not None:
        check_adapter(chosen, settings, folder, encoder)
    return LocalGenerator(folder, dtype=settings.dtype, name=called, adapter=chosen)


def adapters_of(workspace: Workspace) -> Adapters:
    """The LoRA adapters of a workspace."""
    return adapters_in(workspace.path)


def adapters_in(home: Path) -> Adapters:
    """The LoRA adapters of the workspace in a folder, which need not be open for it."""
    return Adapters(home / "adapters")


def adapter_in_service(workspace: Workspace, settings: Settings, model: Path) -> Adapter | None:
    """The adapter that serves a workspace, None for the base model alone; `model` is the folder of that.

    One that came with the package was chosen by nobody, so the base model serves where it does not fit.

    Raises:
        AdapterError: it is damaged, or was tuned with another model, encoder or prompt.
    """
    adapter = adapters_of(workspace).in_service
    if adapter is None:
        return None
    try:
        check_adapter(adapter, settings, model, settings.encoder)
    except AdapterError:
        if adapter.manifest.shipped:
            return None
        raise
    return adapter


def check_adapter(adapter: Adapter, settings: Settings, model: Path, encoder: str) -> None:
    """AdapterError when it was tuned with another model, encoder, prompt or major version of a library.

    `model` is the folder of the one in use.
    """
    prompts = PromptSet.named(settings.prompts)
    hashes = {name: prompts.get(name).hash for name in adapter.manifest.prompts if name in prompts.names()}
    adapter.check(base_fingerprint(model), hashes, encoder, versions())


def _transitions_file(workspace: Workspace) -> Path:
    return workspace.cache / "transitions.npz"


def _fingerprint(columns: InteractionColumns) -> str:
    # The constants too: what an older version counted is counted again.
    named = (repr(CONSTANTS), *columns.item_ids, "\x01", *columns.user_ids, *columns.event_names)
    digest = hashlib.sha256("\x00".join(named).encode())
    for array in (columns.users, columns.items, columns.events, columns.values, columns.timestamps):
        digest.update(array.tobytes())
    return digest.hexdigest()[:32]


def is_finished(path: Path) -> bool:
    """Whether there is a workspace whose import came to its end; another process may have it open."""
    if not (path / STORE).is_file():
        return False
    with Workspace.open(path, alone=False) as workspace:
        return bool(workspace.store.get_meta(_COMPLETE, False))


def _discard_unfinished(path: Path) -> None:
    """Nothing was ever served from it, and what is imported now may be something else.

    WorkspaceError where an import into it goes on at this moment.
    """
    if not (path / STORE).is_file():
        return
    Workspace.open(path).close()
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        (path / name).unlink(missing_ok=True)


def _store(workspace: Workspace, found: _Import, progress: Progress) -> None:
    store = workspace.store
    progress("store", 0, len(found.items) + len(found.interactions))
    store.put_attribute_types(_types(found, store.attribute_types()))
    store.put_items(found.items)
    progress("store", len(found.items), len(found.items) + len(found.interactions))
    store.put_interactions(found.interactions)
    for user_id, attributes in found.people.items():
        store.put_person(user_id, attributes)
    if found.noun:
        store.set_meta("noun", found.noun)
    progress("store", len(found.items) + len(found.interactions), len(found.items) + len(found.interactions))


def _types(found: _Import, held: dict[str, AttributeType]) -> dict[str, AttributeType]:
    """Those of all attributes; InputError where what is found contradicts what is held, or a value its own type."""
    for name, kind in found.types.items():
        if held.get(name, kind) != kind:
            raise InputError(
                f"The attribute {name!r} of what is given is a {kind}, but in this workspace it is a {held[name]}. "
                "Give it that type or another name in a mapping file; nothing was added."
            )
    types = {**held, **found.types}
    for item in found.items:
        metadata(item.item_id, item.attributes, types)
    return types


def _read(
    items: Path | None, interactions: Path | None, mapping: Path | None, dataset: str | None, settings: Settings,
    progress: Progress, known: Path | None = None,
) -> _Import:  # fmt: skip
    """What is given. Where a workspace is there (`known`), it is added to that: interactions alone, too."""
    if dataset is not None:
        return _dataset(dataset, settings, progress)
    columns = load_mapping(mapping) if mapping else None
    types: dict[str, AttributeType] = {}
    ids: set[str] = set()
    if known is not None:
        with Workspace.open(known) as workspace:
            types, ids = workspace.store.attribute_types(), {item.item_id for item in workspace.store.items()}
    if items is not None:
        catalogue = read_items(items, columns, progress, types)
        guesses = _guesses(items, catalogue.mapping.as_yaml() if catalogue.guessed else "", catalogue.warnings)
        found = _Import(
            list(catalogue.items), catalogue.attribute_types, [], rejected=catalogue.rejected,
            rejected_count=catalogue.rejected_count, guesses=guesses,
        )  # fmt: skip
        ids |= {item.item_id for item in catalogue.items}
    elif known is not None and interactions is not None:
        found = _Import([], {}, [])
    else:
        raise InputError(f"Give a file of items, or one of the data sets: {', '.join(DATASETS)}.")
    if interactions is None:
        return found
    events = read_interactions(interactions, columns, ids, progress)
    guesses = _guesses(interactions, events.mapping.as_yaml() if events.guessed else "", events.warnings)
    return replace(
        found, interactions=list(events.interactions), interactions_rejected=events.rejected,
        interactions_rejected_count=events.rejected_count, guesses=found.guesses + guesses,
    )  # fmt: skip


def _guesses(path: Path, mapping: str, warnings: tuple[str, ...]) -> tuple[str, ...]:
    said = [f"{path.name}: {warning}" for warning in warnings]
    if mapping:
        said.append(
            f"No mapping was given for {path.name}; its columns were read as follows (save and edit to change):"
        )
        said += [f"  {line}" for line in mapping.rstrip().splitlines()]
    return tuple(said)


def _dataset(name: str, settings: Settings, progress: Progress) -> _Import:
    if name not in DATASETS:
        raise InputError(f"There is no data set called {name[:60]!r}; there are: {', '.join(DATASETS)}.")
    movielens = fetch_movielens(settings.cache, progress)
    left_out = movielens.untitled()
    return _Import(
        with_cards(movielens.items()),
        {"year": "number", "genres": "list", **TYPES},
        movielens.interactions(),
        movielens.people(),
        noun="film",
        guesses=(f"{len(left_out)} item without a title was left out with its ratings.",) if left_out else (),
    )


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = time.perf_counter() - start
