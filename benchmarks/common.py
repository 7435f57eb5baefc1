"""What every benchmark needs: the example workspace, the line that says where it ran, intervals, the JSON file."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agent import build
from agent.agent import Agent
from agent.generation.fake import FakeGenerator
from agent.progress import Progress
from agent.settings import Settings, load_settings
from agent.workspace.encoder import Encoder
from agent.workspace.vectors import cached_vectors
from agent.workspace.workspace import STORE
from finetune.evaluate.data import Dataset, from_store, read_folder, with_texts
from finetune.evaluate.splits import k_core

REPOSITORY = Path(__file__).resolve().parent.parent


def open_example(**flags: Any) -> Agent:  # noqa: ANN401 - the fields of Settings
    """The agent over MovieLens-100K: VOUCHREC_HOME if it is set, else a workspace of the benchmarks' own in the cache.

    It is built on the first call. Every request is kept as a turn, so nobody's own workspace should be measured.
    """
    with _progress() as progress:
        return Agent.open(example_home(progress, **flags), progress=progress, **flags)


def open_without_model(**flags: Any) -> Agent:  # noqa: ANN401 - the fields of Settings
    """The same agent, but nothing of its order comes from a language model, and its reasons are no model's either."""
    with _progress() as progress:
        home = example_home(progress, **flags)
        settings = load_settings(home, model_weight=0.0, **flags)
        encoder = build.open_encoder(settings, progress)
        return Agent(build.open_workspace(home), settings, encoder, FakeGenerator(), progress)


def open_data(
    folder: Path | None, texts: Path | None, core: int, progress: Progress
) -> tuple[Dataset, Settings, Encoder, Path]:
    """The example or a folder as `vouchrec evaluate --data` takes it, with its vectors, and a folder for what is kept.

    The workspace of the example is closed again, so that others can open it meanwhile.
    """
    if folder is None:
        home = example_home(progress)
        settings = load_settings(home)
        encoder = build.open_encoder(settings, progress)
        with build.open_workspace(home) as workspace:
            vectors = workspace.vectors(encoder, progress)[1]
            return replace(from_store(workspace.store, "example"), vectors=vectors), settings, encoder, home.parent
    settings = load_settings()
    dataset = read_folder(folder, progress)
    dataset = dataset if texts is None else with_texts(dataset, texts, progress)
    dataset = k_core(dataset, core) if core > 1 else dataset
    encoder = build.open_encoder(settings, progress)
    kept = settings.cache / "benchmarks" / f"{dataset.name}-{dataset.fingerprint()}"
    kept.mkdir(parents=True, exist_ok=True)
    vectors = cached_vectors(kept / "vectors.npz", dataset.catalogue, encoder, progress)
    return replace(dataset, vectors=vectors), settings, encoder, kept


def example_home(progress: Progress, **flags: Any) -> Path:  # noqa: ANN401 - the fields of Settings
    """Where the example workspace is; built on the first call."""
    home = Path(os.environ.get("VOUCHREC_HOME") or load_settings().cache / "benchmarks" / "movielens-100k")
    if not (home / STORE).is_file():
        build.build(home, settings=load_settings(home, **flags), dataset="movielens-100k", progress=progress)
    return home


@contextmanager
def _progress() -> Iterator[Progress]:
    with Console(stderr=True).status("open the example workspace") as status:

        def progress(stage: str, done: float, total: float | None) -> None:
            status.update(f"{stage}: {done:,.0f} of {total:,.0f}" if total else stage)

        yield progress


# -- where it ran


def describe_run() -> dict[str, str]:
    """`hardware`, `commit` and `command` of this run: what a reader needs to repeat it."""
    return {"hardware": hardware(), "commit": commit(), "command": command()}


def hardware() -> str:
    """Processor, cores, memory, accelerator, and the versions that decide speed, on one line."""
    import psutil
    import torch
    import transformers

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [
        _processor() + (" with AMX" if torch.cpu._is_amx_tile_supported() else ""),
        f"{cores} cores",
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU",
        f"Python {platform.python_version()}",
        f"torch {torch.__version__} with {torch.get_num_threads()} threads",
        f"transformers {transformers.__version__}",
    ]
    return ", ".join(parts)


def commit() -> str:
    """The commit of this checkout, with "+changes" when files differ from it; "unknown" outside a checkout."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return head + ("+changes" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def command() -> str:
    """The command line, without the folders that it names."""
    arguments = [Path(a).name if Path(a).is_absolute() else a for a in sys.argv[1:]]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments])


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip


# -- figures


def median_and_p95(values: Sequence[float]) -> dict[str, float | None]:
    """Both quantiles to one decimal; None where there is no value."""
    if not len(values):
        return {"median": None, "p95": None}
    return {"median": round(float(np.median(values)), 1), "p95": round(float(np.quantile(values, 0.95)), 1)}


def interval(
    values: Sequence[float] | NDArray[np.float64],
    statistic: Callable[..., NDArray[np.float64]] = np.median,
    draws: int = 5000,
    seed: int = 0,
) -> tuple[float, float]:
    """The percentile bootstrap 95% interval of a statistic over requests, resampled with replacement.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    rows = np.random.default_rng(seed).choice(np.asarray(values, dtype=float), (draws, len(values)))
    drawn = statistic(rows, axis=1)
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float | None]:
    """The median of above / below per request with its bootstrap 95% interval; None where there is no request."""
    if not len(above):
        return {"median": None, "low": None, "high": None}
    ratios = np.asarray(above, dtype=float) / np.asarray(below, dtype=float)
    low, high = interval(ratios)
    return {"median": round(float(np.median(ratios)), 2), "low": round(low, 2), "high": round(high, 2)}


def write_json(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Write the figures, if a path was given. NaN and infinity are refused: a figure that is missing must be None."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
