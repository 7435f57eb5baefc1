"""Files that come in wheels: fetched once, checked, kept whole or not at all."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from agent.assets import fetch
from agent.errors import AssetError

ROOT = Path(__file__).parent.parent
MEMBERS = {
    "tiny/data/a.txt": b"alpha",
    "tiny/data/deep/b.txt": b"beta" * 1000,
    "tiny/other.txt": b"not wanted",
    "tiny-1.0.dist-info/licenses/LICENSE": b"do as you please",
}


def build_wheel(folder: Path, members: dict[str, bytes] = MEMBERS) -> str:
    """Write tiny-1.0 into the folder and return its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder that pip finds wheels in, and no other source."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def visible(cache: Path) -> list[str]:
    """Every file of the cache except the locks, which are empty and stay."""
    files = [str(p.relative_to(cache)) for p in cache.rglob("*") if p.is_file() and not p.name.endswith(".lock")]
    return sorted(files)


def tiny(sha256: str, path: str = "tiny/data") -> str:
    return f"pypi:tiny==1.0/{path}#sha256={sha256}"


def test_a_folder_of_a_wheel_comes_with_its_licence_and_nothing_else(shop, tmp_path):
    cache, told = tmp_path / "cache", []
    found = fetch(tiny(build_wheel(shop)), cache, lambda *step: told.append(step))
    assert (found / "a.txt").read_bytes() == b"alpha"
    assert (found / "deep" / "b.txt").read_bytes() == b"beta" * 1000
    assert (found.parent.parent / "LICENSE").read_bytes() == b"do as you please"
    assert len(visible(cache)) == 3  # no wheel, nothing half-made, no tiny/other.txt
    assert told[0][1] == 0 and told[-1][1] == told[-1][2] > 0


def test_one_file_of_a_wheel(shop, tmp_path):
    found = fetch(tiny(build_wheel(shop), "tiny/data/a.txt"), tmp_path / "cache")
    assert found.is_file() and found.read_bytes() == b"alpha"


def test_the_second_time_needs_no_source(shop, tmp_path):
    cache, sha256, told = tmp_path / "cache", build_wheel(shop), []
    first = fetch(tiny(sha256), cache)
    empty(shop)
    assert fetch(tiny(sha256), cache, lambda *step: told.append(step)) == first
    assert told == []
    with pytest.raises(AssetError):  # the source is truly empty: another member cannot be had
        fetch(tiny(sha256, "tiny/other.txt"), cache)


def test_another_checksum_is_refused_with_both_and_nothing_kept(shop, tmp_path):
    sha256 = build_wheel(shop)
    wrong = "0" * 64
    with pytest.raises(AssetError, match=f"expected {wrong}, got {sha256}"):
        fetch(tiny(wrong), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


def test_a_path_that_the_wheel_lacks_is_named(shop, tmp_path):
    with pytest.raises(AssetError, match=r"holds no tiny/dat\. It holds .*tiny/data/a.txt"):
        fetch(tiny(build_wheel(shop), "tiny/dat"), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


@pytest.mark.parametrize("member", ["tiny/data/../../../evil.txt", "tiny/data/..\\evil.txt", "tiny/data//evil.txt"])
def test_a_member_that_leads_out_is_refused(shop, tmp_path, member):
    sha256 = build_wheel(shop, MEMBERS | {member: b"evil"})
    with pytest.raises(AssetError, match="leads out"):
        fetch(tiny(sha256), tmp_path / "cache")
    assert not list(tmp_path.rglob("*evil*"))
    assert visible(tmp_path / "cache") == []


@pytest.mark.parametrize(
    "reference",
    [
        "pypi:tiny/data",
        "pypi:tiny==1.0",
        "pypi:--evil==1.0/data#sha256=" + "0" * 64,
        "pypi:tiny==1.0/../data#sha256=" + "0" * 64,
        "pypi:tiny==1.0/data#sha256=abc",
        "pypi:tiny==1.0/data",
        "hf:only-a-name",
        "hf:org/name@",
        "no/such/folder",
        "",
    ],
)
def test_a_reference_of_no_known_form_is_refused_before_any_work(tmp_path, reference):
    with pytest.raises(AssetError):
        fetch(reference, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_path_on_disk_is_used_where_it_lies(tmp_path):
    assert fetch(str(tmp_path), tmp_path / "cache") == tmp_path
    assert not (tmp_path / "cache").exists()


def test_a_failed_download_says_which_why_and_what_to_do(shop, tmp_path):
    with pytest.raises(AssetError) as raised:
        fetch(tiny("0" * 64), tmp_path / "cache")
    place = str(tmp_path / "cache" / "wheels")
    for part in ("tiny 1.0", "No matching distribution found", "proxy", place, "VOUCHREC_CACHE"):
        assert part in str(raised.value)


def test_an_unreachable_index_is_named_as_the_reason(shop, tmp_path, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AssetError, match="The connection failed: .*[Rr]efused"):
        fetch(tiny("0" * 64), tmp_path / "cache")


def test_a_wheel_placed_by_hand_is_used_and_left(shop, tmp_path):
    cache = tmp_path / "cache"
    sha256 = build_wheel(cache / "wheels")
    assert (fetch(tiny(sha256), cache) / "a.txt").read_bytes() == b"alpha"
    assert (cache / "wheels" / "tiny-1.0-py3-none-any.whl").is_file()


def test_a_wrong_wheel_placed_by_hand_is_refused(shop, tmp_path):
    build_wheel(tmp_path / "cache" / "wheels")
    with pytest.raises(AssetError, match="Remove it, or place the right one there"):
        fetch(tiny("0" * 64), tmp_path / "cache")


def test_without_pip_the_error_says_how_to_get_it(shop, tmp_path):
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    # The packages of this Python are put on the path of the one process, so the pip that it starts does not see them.
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {sysconfig.get_path('purelib')!r}]\n"
        "from pathlib import Path\nfrom agent.assets import fetch\nfrom agent.errors import AssetError\n"
        f"try: fetch({tiny('0' * 64)!r}, Path({str(tmp_path / 'cache')!r}))\n"
        "except AssetError as error: sys.exit(str(error))"
    )
    done = subprocess.run([bare / "bin" / "python", "-c", code], capture_output=True, text=True)
    assert "has no pip" in done.stderr and f"{bare}/bin/python -m ensurepip" in done.stderr


def test_a_cache_that_is_a_file_is_refused(shop, tmp_path):
    cache = tmp_path / "cache"
    cache.write_text("I am no folder")
    with pytest.raises(AssetError, match="cannot be kept in the cache .*set VOUCHREC_CACHE"):
        fetch(tiny(build_wheel(shop)), cache)


def _fetch_with_little_room(reference: str, cache: Path, answers: multiprocessing.Queue) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # no file may grow beyond this: the write fails midway
    try:
        answers.put(f"fetched {fetch(reference, cache)}")
    except AssetError as error:
        answers.put(str(error))


def test_a_write_that_fails_midway_leaves_nothing(shop, tmp_path):
    pytest.importorskip("resource")
    cache = tmp_path / "cache"
    reference = tiny(build_wheel(cache / "wheels"))
    (answer,) = _in_processes(_fetch_with_little_room, [(reference, cache)])
    assert "cannot be kept in the cache" in answer and "File too large" in answer
    assert visible(cache) == ["wheels/tiny-1.0-py3-none-any.whl"]


def _in_processes(function, calls):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=function, args=(*call, answers)) for call in calls]
    for process in processes:
        process.start()
    found = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return found


def _fetch_and_tell(reference: str, cache: Path, barrier, answers: multiprocessing.Queue) -> None:
    told: list[str] = []
    barrier.wait(timeout=120)
    found = fetch(reference, cache, lambda stage, done, total: told.append(stage))
    answers.put(((found / "a.txt").read_bytes(), any("downloading" in stage for stage in told)))


def test_two_processes_at_once_download_once(shop, tmp_path):
    barrier = multiprocessing.get_context("spawn").Barrier(2)
    call = (tiny(build_wheel(shop)), tmp_path / "cache", barrier)
    found = _in_processes(_fetch_and_tell, [call, call])
    assert [content for content, _ in found] == [b"alpha", b"alpha"]
    assert sorted(downloaded for _, downloaded in found) == [False, True]


def _fetch_and_die(reference: str, cache: Path, when: int) -> None:
    steps = iter(range(when + 1))

    def progress(stage: str, done: float, total: float | None) -> None:
        if next(steps) == when or (when > 0 and done == total):
            os.kill(os.getpid(), signal.SIGKILL)

    fetch(reference, cache, progress)


@pytest.mark.parametrize("when", [0, 10**6], ids=["before-pip", "after-pip"])
def test_what_a_kill_leaves_is_cleaned_by_the_next_fetch(shop, tmp_path, when):
    cache, reference = tmp_path / "cache", tiny(build_wheel(shop))
    killed = multiprocessing.get_context("spawn").Process(target=_fetch_and_die, args=(reference, cache, when))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert list((cache / "pypi").glob(".*.part-*"))
    assert (fetch(reference, cache) / "a.txt").read_bytes() == b"alpha"
    assert not list((cache / "pypi").glob(".*.part-*"))
    assert len(visible(cache)) == 3
