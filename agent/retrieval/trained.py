"""What `vouchrec finetune behaviour` leaves in a workspace: the sequential model, the fusion weights, their origin.

behaviour/manifest.json       what was trained on what, how well it did, and the weights of all sources
behaviour/<name>.safetensors  the weights of the network

The manifest names the file, and is put in its place last: a kill at any moment leaves the old pair or the new one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import WorkspaceError
from agent.files import replacing
from agent.retrieval.fusion import Weights
from agent.retrieval.sequence import Encoder, Shape, network
from agent.workspace.checks import Check

MANIFEST = "manifest.json"
AGAIN = "Run `vouchrec finetune behaviour` again, or delete that folder to do without."


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a model comes from.

    `encoder` made its text vectors; `item_ids` are those of the rows of its own parts, `untouched` those of them that
    were in no history; `members` is how many networks stand side by side and `voices` how much each counts, none where
    all count alike; `habit` are the fusion weights; `training` says how all of it came about and how well it did.
    """

    shape: Shape
    encoder: str
    item_ids: tuple[str, ...]
    habit: Mapping[str, float]
    members: int = 1
    voices: tuple[float, ...] = ()
    untouched: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    @property
    def weights(self) -> Weights:
        """The learned weights of the habit beside the given ones of the request."""
        return Weights(habit=dict(self.habit))


def save(folder: Path, manifest: Manifest, networks: Sequence[Any]) -> None:
    """Keep trained networks (torch modules) and their manifest, and remove what they replace.

    Raises:
        WorkspaceError: the folder cannot be written; then what was there before stays in force.
    """
    from safetensors.torch import save_file

    name = f"{uuid.uuid4().hex[:12]}.safetensors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(_as_one(networks), folder / name)
        with replacing(folder / MANIFEST) as draft:
            draft.write_text(json.dumps({**asdict(manifest), "file": name}, indent=1), encoding="utf-8")
    except OSError as error:
        (folder / name).unlink(missing_ok=True)
        raise WorkspaceError(f"{folder} cannot be written ({error}). Free some space or check the folder.") from error
    for old in folder.glob("*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest, or None where nothing was trained; WorkspaceError when it is damaged."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        shape = Shape(**said.pop("shape"))
        item_ids, untouched, voices = (tuple(said.pop(name, ())) for name in ("item_ids", "untouched", "voices"))
        manifest = Manifest(shape=shape, item_ids=item_ids, untouched=untouched, voices=voices, **said)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WorkspaceError(f"The trained behaviour in {folder} cannot be read ({error}). {AGAIN}") from error
    is_whole = len(manifest.item_ids) == shape.items and len(manifest.voices) in (0, manifest.members)
    if not is_whole or not (folder / manifest.file).is_file():
        raise WorkspaceError(f"The trained behaviour in {folder} is not whole. {AGAIN}")
    return manifest


def check_behaviour(folder: Path, encoder: str) -> Check:
    """What `vouchrec doctor` says of it: the weights of all sources, and how well they did."""
    try:
        manifest = read_manifest(folder)
    except WorkspaceError as error:
        return Check("behaviour", False, str(error))
    if manifest is None:
        given = ", ".join(f"{name} {weight:.2f}" for name, weight in Weights().habit.items())
        return Check(
            "behaviour", True, f"not trained, which is no fault; weights: {given}; `vouchrec finetune behaviour` learns"
        )
    if manifest.encoder != encoder:
        return Check("behaviour", False, f"trained with the encoder {manifest.encoder!r}; {encoder!r} is in use", AGAIN)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in manifest.habit.items())
    told = manifest.training
    fused = told.get("ndcg@10", {}).get("fused")
    found = f"; ndcg@10 {fused['mean']:.3f} on {told['asked']:,} held-out choices" if fused else ""
    return Check("behaviour", True, f"trained on {len(manifest.item_ids):,} items; weights: {weights}{found}")


def load_encoder(
    folder: Path, manifest: Manifest, ids: Sequence[str], texts: NDArray[np.float32], encoder: str
) -> Encoder:
    """The trained model over the catalogue as it is now: new items by their text alone, removed ones left out.

    Args:
        folder: what `save` wrote to.
        manifest: its manifest.
        ids: of the catalogue, in its order.
        texts: float32 (items, dimension), the text vectors in the same order.
        encoder: the name of what made them.

    Raises:
        WorkspaceError: the file is damaged, or the text vectors are another encoder's.
    """
    import torch
    from safetensors.torch import load_file

    if manifest.encoder != encoder or manifest.shape.text != texts.shape[1]:
        raise WorkspaceError(
            f"The trained behaviour in {folder} was made with the encoder {manifest.encoder!r}; {encoder!r} is in use. "
            f"{AGAIN}"
        )
    try:
        state = load_file(folder / manifest.file)
        shape = replace(manifest.shape, items=len(ids))
        row = {item_id: place for place, item_id in enumerate(manifest.item_ids)}
        known = [(place, row[item_id]) for place, item_id in enumerate(ids) if item_id in row]
        here, there = (list(places) for places in zip(*known, strict=True)) if known else ([], [])
        touched = np.zeros(len(ids), dtype=bool)
        touched[here] = True
        untouched = set(manifest.untouched)
        touched[[place for place, item_id in enumerate(ids) if item_id in untouched]] = False
        networks = []
        for member in range(manifest.members):
            own = {n.removeprefix(f"{member}."): t for n, t in state.items() if n.startswith(f"{member}.")}
            table = torch.zeros(len(ids) + 2, shape.width)
            table[here] = own["own.weight"][there]
            table[-2:] = own["own.weight"][-2:]
            reads = any(name.startswith("texts.") for name in own)
            networks.append(network(shape, texts if reads else None))
            networks[-1].load_state_dict({**own, "own.weight": table})
    except Exception as error:
        raise WorkspaceError(f"The trained behaviour in {folder} cannot be read ({error}). {AGAIN}") from error
    return Encoder(networks, shape, touched, manifest.voices or None)


def _as_one(networks: Sequence[Any]) -> dict[str, Any]:
    """The weights of all of them, each name after the number of its network."""
    named = (
        (f"{number}.{name}", tensor) for number, net in enumerate(networks) for name, tensor in net.state_dict().items()
    )
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in named}
