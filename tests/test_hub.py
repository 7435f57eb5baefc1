"""Snapshots of the hub, from a small server that speaks the part of its protocol that one needs."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.errors import AssetError
from agent.hub import Snapshot, local_snapshot

ROOT = Path(__file__).parent.parent
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


def test_a_connection_that_breaks_is_told(tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import HTTPError

    def broken(*_, **__):
        raise HTTPError("peer closed the connection")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", broken)
    with pytest.raises(AssetError, match="org/tiny could not be downloaded.*peer closed.*what has come is kept"):
        local_snapshot(Snapshot("org/tiny", "main"), tmp_path)
