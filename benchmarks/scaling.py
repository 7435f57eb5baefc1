"""How do building, memory, latency and recall grow with the catalogue, for Chroma's graph and for exact search?

Made-up items: clustered unit vectors with much noise, as sentence encoders give, one attribute each. Each size runs in
a process of its own, so that memory is its own. Queries are noisy items. Exact search compares with every vector in
memory, as the product does where a graph measures less than its ENOUGH_RECALL; "default" is what the product takes.

    python benchmarks/scaling.py --sizes 1000,10000,100000 --dimension 384 --json out.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import describe_run, write_json  # type: ignore[import-not-found]
from memory import PeakMemory, give_back  # type: ignore[import-not-found]
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agent.workspace.index import VectorIndex

K = 50
QUERIES = 200
NOISE = 0.8  # beside a cluster's centre of length 1


def vectors(n: int, dimension: int, seed: int = 0) -> np.ndarray:
    """Unit rows around one centre for every 100 of them."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, n // 100), dimension)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    found = centres[random.integers(0, len(centres), n)]
    for start in range(0, n, 100_000):
        part = found[start : start + 100_000]
        part += random.normal(scale=NOISE / dimension**0.5, size=part.shape).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def measured(n: int, dimension: int) -> dict[str, Any]:
    """One size, in this process."""
    rows = vectors(n, dimension)
    random = np.random.default_rng(1)
    queries = rows[random.integers(0, n, QUERIES)] + random.normal(
        scale=NOISE / 2 / dimension**0.5, size=(QUERIES, dimension)
    ).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    ids = [str(i) for i in range(n)]
    attributes = [{"year": 1900 + i % 100} for i in range(n)]
    give_back()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with PeakMemory() as memory:
            index = VectorIndex.build(folder, ids, rows, attributes, {"year": "number"})
        built = time.perf_counter() - begun
        disk = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        exact_times, found_exact = timed(lambda q: exact(rows, q), queries)
        default = "exact" if index.exact else "graph"
        index.recall = 1.0  # so that the graph answers, whatever the product would choose
        graph_times, found_graph = timed(lambda q: [int(i) for i, _ in index.query(q, K)], queries)
        index.close()
    recall = np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found_graph, found_exact, strict=True)])
    graph = {"build_s": built, "memory_mib": memory.peak - memory.before, "disk_mib": disk / 2**20, "recall@50": recall}
    return {
        "items": n,
        "dimension": dimension,
        "default": default,
        "graph": {**graph, "query_ms": graph_times},
        "exact": {"build_s": 0.0, "memory_mib": rows.nbytes / 2**20, "recall@50": 1.0, "query_ms": exact_times},
    }


def exact(rows: np.ndarray, query: np.ndarray) -> list[int]:
    """The positions of the K nearest."""
    scores = rows @ query
    best = np.argpartition(-scores, min(K, len(scores) - 1))[:K]
    return [int(i) for i in best[np.argsort(-scores[best])]]


def timed(search: Any, queries: np.ndarray) -> tuple[dict[str, float], list[list[int]]]:  # noqa: ANN401
    """Milliseconds a query, and what was found; the first 10 queries warm up and are asked again."""
    for query in queries[:10]:
        search(query)
    times, found = [], []
    for query in queries:
        begun = time.perf_counter()
        found.append(search(query))
        times.append(1000 * (time.perf_counter() - begun))
    return {"median": float(np.median(times)), "p95": float(np.quantile(times, 0.95))}, found


def main() -> None:
    """Run each size, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one, arguments.dimension)))
        return
    console, results = Console(), []
    for size in arguments.sizes.split(","):
        with console.status(f"{int(size):,} items"):
            command = [sys.executable, __file__, "--one", size, "--dimension", str(arguments.dimension)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            console.print(f"{int(size):,} items: stopped with {done.returncode}. {done.stderr.strip()[-300:]}")
            continue
        results.append(json.loads(done.stdout.strip().splitlines()[-1]))
        console.print(f"{int(size):,} items: built in {results[-1]['graph']['build_s']:.1f} s")
    table = Table(title=f"{arguments.dimension} numbers a vector, {K} nearest; memory and disk in MiB", box=SIMPLE_HEAD)
    heads = ("items", "search", "build", "memory", "disk", "median ms", "p95 ms", "recall", "default")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True, min_width=9 if head == "items" else None)
    for result in results:
        for kind in ("graph", "exact"):
            row = result[kind]
            table.add_row(
                f"{result['items']:,}", kind, f"{row['build_s']:.1f} s", f"{row['memory_mib']:.0f}",
                f"{row['disk_mib']:.0f}" if "disk_mib" in row else "-", f"{row['query_ms']['median']:.2f}",
                f"{row['query_ms']['p95']:.2f}", f"{row['recall@50']:.3f}", "x" if result["default"] == kind else "",
            )  # fmt: skip
    console.print(table)
    if arguments.json:
        write_json(arguments.json, {**describe_run(), "sizes": results})


if __name__ == "__main__":
    main()
