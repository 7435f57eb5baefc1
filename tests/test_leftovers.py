"""What Chroma writes behind its items is memory of the process: it must not stay in a file."""

import os

import numpy as np
import pytest
from test_index import build, unit

from agent.workspace.index import VectorIndex
from agent.workspace.leftovers import HEADER, clear_leftovers

MARK = b"person-7f3a-unmistakable "


def graphs(folder):
    return sorted(folder.rglob("header.bin"))


def behind(header):
    """The bytes after the saved items, in both files that are written with room to spare."""
    _, _, _, items, size, *_ = HEADER.unpack(header.read_bytes())
    level, length = (header.with_name(name).read_bytes() for name in ("data_level0.bin", "length.bin"))
    return level[items * size :] + length[items * 4 :]


def used_memory():
    """Fill memory with a mark and let go of it, so that what is written without being cleared shows it."""
    del [MARK * size for size in range(1, 4000)][:]


def many(n, seed=0):
    return [f"{seed}-{i}" for i in range(n)], unit(n, seed=seed), [{}] * n


@pytest.mark.parametrize("n", [4, 60, 1500])
def test_nothing_is_left_behind_the_items(tmp_path, n):
    used_memory()
    with VectorIndex.build(tmp_path, *many(n), {}) as index:
        assert [set(behind(header)) - {0} for header in graphs(tmp_path)] == [set()]
        used_memory()
        index.upsert(*many(30, seed=1))
        index.query(unit(1)[0], 3)
        assert not any(behind(graphs(tmp_path)[0]))
    used_memory()
    with VectorIndex(tmp_path, 8) as index:
        index.query(unit(1)[0], 3)
        assert not any(behind(graphs(tmp_path)[0]))
        assert index.count() == n + 30


def test_an_index_of_an_older_version_is_cleared_when_it_is_opened(tmp_path):
    build(tmp_path).close()
    header = graphs(tmp_path)[0]
    header.with_name("length.bin").write_bytes(MARK * 16)
    clear_leftovers(header.parent.parent)
    assert header.with_name("length.bin").read_bytes() == bytes(16 * len(MARK))


def test_saved_items_are_not_touched(tmp_path):
    build(tmp_path).close()
    with VectorIndex.build(tmp_path, *many(1200), {}) as index:
        found = index.query(unit(1200)[7], 5)
        generation = index.path
    before = {path: path.read_bytes() for path in generation.rglob("*.bin")}
    header = graphs(generation)[0]
    with header.with_name("data_level0.bin").open("ab") as room:
        room.write(MARK)
    clear_leftovers(generation)
    after = {path: path.read_bytes() for path in generation.rglob("*.bin")}
    level = header.with_name("data_level0.bin")
    assert after.pop(level) == before.pop(level) + bytes(len(MARK))
    assert after == before
    with VectorIndex(tmp_path, 8) as index:
        assert np.array_equal([i for i, _ in index.query(unit(1200)[7], 5)], [i for i, _ in found])


def test_a_header_that_is_cut_off_is_left_to_chroma(tmp_path):
    build(tmp_path).close()
    header = graphs(tmp_path)[0]
    os.truncate(header, 30)
    clear_leftovers(header.parent.parent)
