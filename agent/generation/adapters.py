"""LoRA adapters on disk: each in a folder with a manifest that says what it belongs to, and one of them in service.

<folder>/<name>/manifest.json               what it was tuned on, with what result, and what it may serve with
<folder>/<name>/adapter_model.safetensors   the weights, as peft writes them
<folder>/in-service                         the name of the one that serves; absent: the base model alone

A manifest is written last, so a folder without one is a training that was cut short, and counts as nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AdapterError, PromptError
from agent.files import replacing, writing
from agent.generation.items import ItemShape
from agent.generation.measured import Measured
from agent.versions import other_major

if TYPE_CHECKING:
    from agent.generation.prompting import PromptSet

BASE = "base"  # called so instead of an adapter: the model without one
MANIFEST, IN_SERVICE, WEIGHTS = "manifest.json", "in-service", "adapter_model.safetensors"
RECORD = "learned"  # in `training`: the rows of a store that it has learned from, see `finetune.learned`
FORMAT = 1  # of manifests; it grows when what is new in one changes how an adapter must be served
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SAMPLE = 1 << 20  # bytes at each end of the weights that tell one base model from another


@dataclass(frozen=True, slots=True)
class AdapterManifest:
    """What an adapter belongs to, and what it is worth.

    `base` is the fingerprint of the model that it was tuned on, `prompts` the hash of each prompt by name, `encoder`
    the name of what made the text vectors, `items` the keys (`agent.workspace.catalogue.item_key`) of those whose own
    parts it has learned, `window` how many items of a history it reads, `model_weight` how much its scores count beside
    those of retrieval as the gate had it, `weight_new` beside retrieval without trained behaviour. `writes` says
    whether it has learned to phrase reasons freely, `fills` whether to fill in what a message asks for, `ranks_alone`
    whether it has learned no words at all: they are then the base model's, since such tuning spoils them (docs/log.md).
    `shipped` says whether it came with the package. `versions` are those of Vouchrec and the libraries that tuned it,
    by name, `sha256` is that of its weights; older manifests tell neither. `format` is the manifest's own. `measures`
    is what the gate found, `training` how it came about.
    """

    name: str
    base: str
    base_name: str
    prompts: Mapping[str, str]
    encoder: str = ""
    shape: ItemShape | None = None
    items: tuple[str, ...] = ()
    window: int = 100
    model_weight: float = 0.0
    weight_new: float | None = None
    writes: bool = False
    fills: bool = False
    ranks_alone: bool = False
    shipped: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    format: int = 1
    measures: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it has passed the gate; one that was never examined has not."""
        return bool(self.measures.get("passed"))

    @property
    def measured(self) -> Measured:
        """How much its scores count. What knows the next item alone reads no request."""
        return Measured(self.model_weight, self.weight_new, reads_requests=not self.ranks_alone)

    def unlike(self, chosen: PromptSet) -> tuple[str, ...]:
        """The prompts of a set of which it was tuned with another text; what cannot be read is told elsewhere."""
        changed = []
        for name, hashed in self.prompts.items():
            with suppress(PromptError):
                if name in chosen.names() and chosen.get(name).hash != hashed:
                    changed.append(name)
        return tuple(changed)


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on disk."""

    folder: Path
    manifest: AdapterManifest

    def check(self, base: str, prompts: Mapping[str, str], encoder: str, versions: Mapping[str, str]) -> None:
        """Refuse to serve with what it was not tuned with.

        Raises:
            AdapterError: another base model, text encoder or prompt, or another major version of a library; says
                which, and what to do.
        """
        tuned = self.manifest
        if tuned.base != base:
            raise AdapterError(
                f"The adapter {tuned.name!r} was tuned on the model {tuned.base_name}, and another one is in use. Set "
                "VOUCHREC_MODEL to that one, or take the adapter out of service with `vouchrec adapters use base`."
            )
        if tuned.encoder and tuned.encoder != encoder:
            raise AdapterError(
                f"The adapter {tuned.name!r} was tuned with the encoder {tuned.encoder!r}, and {encoder!r} is in use. "
                "Set VOUCHREC_ENCODER to that one, or tune again with `vouchrec finetune sft`."
            )
        changed = [name for name, hashed in tuned.prompts.items() if prompts.get(name) != hashed]
        if changed:
            raise AdapterError(
                f"The adapter {tuned.name!r} was tuned with another text of the prompt {' and '.join(changed)}. Put "
                "that text back, tune again with `vouchrec finetune sft`, or run `vouchrec adapters use base`."
            )
        if library := other_major(tuned.versions, versions):
            raise AdapterError(
                f"The adapter {tuned.name!r} was tuned with {library} {tuned.versions[library]}, and "
                f"{versions[library]} is installed. Put that version back, tune again with `vouchrec finetune sft`, or "
                "run `vouchrec adapters use base`."
            )

    def check_weights(self) -> None:
        """Refuse weights that are not those that were tuned. AdapterError says what to do."""
        if self.manifest.sha256 not in ("", weights_hash(self.folder)):
            raise AdapterError(
                f"The adapter in {self.folder} is damaged: {WEIGHTS} is not the file that its manifest speaks of. "
                f"Remove it with `vouchrec adapters remove {self.folder.name}` and tune again, or copy it again."
            )


def save_manifest(folder: Path, manifest: AdapterManifest) -> None:
    """Write it in one step. AdapterError when the disk is full or the folder closed."""
    with writing("The manifest of an adapter", folder), replacing(folder / MANIFEST) as draft:
        draft.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder. AdapterError when it is absent, not whole or damaged."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if (newer := said.get("format", FORMAT)) > FORMAT:
            raise AdapterError(
                f"The adapter in {folder} is of a newer Vouchrec: its manifest has format {newer}, and up to {FORMAT} "
                "is understood here. Update Vouchrec, or tune again with `vouchrec finetune sft`."
            )
        shape = said.pop("shape")
        manifest = AdapterManifest(
            shape=None if shape is None else ItemShape(**shape), items=tuple(said.pop("items")), **said
        )
    except FileNotFoundError as error:
        raise AdapterError(f"There is no adapter in {folder}. `vouchrec adapters list` shows what there is.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AdapterError(
            f"The manifest of the adapter in {folder} is damaged ({error}). Remove it with `vouchrec adapters remove "
            f"{folder.name}` and tune again, or copy it again."
        ) from error
    if not (folder / WEIGHTS).is_file():
        raise AdapterError(f"The adapter in {folder} lacks {WEIGHTS}: only safetensors are loaded. Tune it again.")
    return Adapter(folder, manifest)


class Adapters:
    """The adapters of one workspace, in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """Those that are whole, in alphabetical order."""
        return tuple(sorted(file.parent.name for file in self.root.glob(f"*/{MANIFEST}")))

    def path(self, name: str) -> Path:
        """The folder of an adapter of this name, whether it is there or not. AdapterError for a bad name."""
        if not _NAME.fullmatch(name) or name in (BASE, IN_SERVICE):
            raise AdapterError(
                f"An adapter cannot be called {name[:80]!r}: up to 64 letters, digits, dots, dashes and underscores, "
                f"beginning with a letter or digit, and not {BASE!r}."
            )
        return self.root / name

    def get(self, name: str) -> Adapter:
        """The adapter of this name, which is that of its folder, whatever was written into it under another one.

        AdapterError when there is none.
        """
        found = read_adapter(self._whole(name))
        return replace(found, manifest=replace(found.manifest, name=name))

    def all(self) -> dict[str, Adapter | AdapterError]:
        """Each by its name, or what is wrong with it: one that is damaged hides no other."""
        found: dict[str, Adapter | AdapterError] = {}
        for name in self.names():
            try:
                found[name] = self.get(name)
            except AdapterError as error:
                found[name] = error
        return found

    def _whole(self, name: str) -> Path:
        if name not in self.names():
            known = ", ".join(self.names()) or "none yet; `vouchrec finetune sft` makes one"
            raise AdapterError(f"There is no adapter called {name[:80]!r} here. There are: {known}.")
        return self.path(name)

    @property
    def in_service(self) -> Adapter | None:
        """The one that serves; None for the base model alone. AdapterError when it is gone or damaged."""
        name = self.serving
        return None if name is None else self.get(name)

    @property
    def serving(self) -> str | None:
        """The name of the one that serves; None for the base model alone."""
        try:
            return (self.root / IN_SERVICE).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def add(self, source: Path, name: str | None = None) -> Adapter:
        """Copy an adapter from a folder elsewhere. It does not serve by that, but what the gate found comes with it.

        Raises:
            AdapterError: there is none, it is not whole or damaged, its name is taken, or it cannot be written here.
        """
        given = read_adapter(source)
        given.check_weights()
        name = name or given.manifest.name
        folder = self.path(name)
        if name in self.names():
            raise AdapterError(
                f"There is an adapter called {name!r} already. Give another name with --name, or remove it first."
            )
        with writing("The adapter", folder):
            folder.mkdir(parents=True, exist_ok=True)
            for file in source.iterdir():
                if file.is_file() and file.name != MANIFEST:
                    shutil.copyfile(file, folder / file.name)
        save_manifest(folder, replace(given.manifest, name=name))
        return self.get(name)

    def use(self, name: str | None) -> None:
        """Put an adapter in service from the next opening on; None for the base model alone."""
        if name is None:
            (self.root / IN_SERVICE).unlink(missing_ok=True)
            return
        self.get(name).check_weights()
        with replacing(self.root / IN_SERVICE) as draft:
            draft.write_text(name, encoding="utf-8")

    def remove(self, name: str) -> None:
        """Delete an adapter. AdapterError when there is none, or when it is the one in service."""
        folder = self._whole(name)  # and not read: one that is damaged goes, too
        if self.serving == name:
            raise AdapterError(f"{name!r} is in service. Put another in its place first: `vouchrec adapters use base`.")
        (folder / MANIFEST).unlink()  # so that a kill in the middle leaves nothing that looks whole
        shutil.rmtree(folder)


def weights_hash(folder: Path) -> str:
    """The SHA-256 of an adapter's weights."""
    with (folder / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_fingerprint(folder: Path) -> str:
    """Tells one language model from another: its configuration, and the size and both ends of its weights."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        with file.open("rb") as weights:
            digest.update(f"{size}".encode() + weights.read(_SAMPLE))
            weights.seek(max(0, size - _SAMPLE))
            digest.update(weights.read(_SAMPLE))
    return digest.hexdigest()[:16]
