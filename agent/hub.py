"""Snapshots from the Hugging Face hub: safetensors and texts only, and no network once a snapshot is whole."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import AssetError
from agent.progress import Progress

RECORD = "snapshot.json"
_REFERENCE = re.compile(r"hf:(?P<name>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)
# Weights as safetensors alone: the other formats of the hub are pickles, which run code when they are read.
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One repository of the hub at a revision: a branch, tag or commit; None is its main branch."""

    name: str
    revision: str | None

    @property
    def key(self) -> str:
        """A folder name that is this snapshot's alone."""
        return re.sub(r"[^\w.-]", "--", f"{self.name}@{self.revision or 'main'}")


def parse_snapshot(reference: str) -> Snapshot:
    """Read `hf:org/name[@revision]`.

    Raises:
        AssetError: the form is another one.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise AssetError(f"{reference[:200]!r} is no reference to the hub. Expected hf:org/name[@revision].")
    return Snapshot(match["name"], match["revision"])


def download_snapshot(snapshot: Snapshot, store: Path, folder: Path, progress: Progress) -> None:
    """Bring the snapshot into `store`, going on where a kill stopped it; then note in `folder` that it is whole.

    The note is needed because the store itself cannot tell a whole snapshot from one that a kill cut short.

    Raises:
        AssetError: the hub cannot be reached or refuses.
    """
    progress(f"downloading {snapshot.name}", 0, None)
    path = _snapshot_in(
        store, snapshot, local_files_only=False, tqdm_class=_bar(f"downloading {snapshot.name}", progress)
    )
    record = {"name": snapshot.name, "revision": snapshot.revision, "commit": path.name}
    (folder / RECORD).write_text(json.dumps(record) + "\n", encoding="utf-8")


def local_snapshot(snapshot: Snapshot, store: Path) -> Path:
    """The folder of a snapshot that is in `store`, found without a network.

    Raises:
        AssetError: it is not there.
    """
    return _snapshot_in(store, snapshot, local_files_only=True)


def _snapshot_in(store: Path, snapshot: Snapshot, **how: Any) -> Path:  # noqa: ANN401 - passed on as it is
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.errors import HTTPError as Broken  # type: ignore[attr-defined]

    remedy = "Or give the path of a folder that has it, or point VOUCHREC_CACHE at a cache that has it."
    try:
        return Path(
            snapshot_download(snapshot.name, revision=snapshot.revision, cache_dir=store, allow_patterns=_FILES, **how)
        )
    except LocalEntryNotFoundError as error:
        raise AssetError(
            f"{snapshot.name} is not in {store} and the hub could not be reached: {_first_line(error)} Check the "
            f"network or proxy (HTTPS_PROXY, HF_ENDPOINT). {remedy}"
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise AssetError(
            f"{snapshot.name} could not be downloaded from the hub: {_first_line(error)} Check the name and revision; "
            f"for a gated model accept its terms on its page and set HF_TOKEN. {remedy}"
        ) from error
    except Broken as error:  # the connection broke, and again when it was tried again
        raise AssetError(
            f"{snapshot.name} could not be downloaded from the hub: {_first_line(error)} Check the network or proxy "
            f"(HTTPS_PROXY, HF_ENDPOINT) and repeat the command: what has come is kept. {remedy}"
        ) from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


def _bar(stage: str, progress: Progress) -> type:
    """A bar in the hub's terms that draws nothing and passes the bytes on to `progress`."""
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - tqdm's own signature
            # Three are made: files, bytes over the wire, bytes on the disk. The last is what a person waits for.
            self.is_told = options.get("unit") == "B" and not str(options.get("name")).endswith(".transfer")
            super().__init__(*args, **(options | {"file": io.StringIO(), "disable": False}))  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            if self.is_told:
                progress(stage, self.n, self.total or None)
            return shown

    return Bar
