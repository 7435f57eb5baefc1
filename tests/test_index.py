from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import FilterError, InputError, WorkspaceError
from agent.schema import Filter, Item, matches
from agent.workspace.chroma import HNSW, LARGEST_BATCH
from agent.workspace.conditions import MAX_CONDITIONS, where
from agent.workspace.encoder import HashEncoder
from agent.workspace.index import VectorIndex

TYPES = {"year": "number", "country": "word", "genres": "list"}
FILMS = {
    "alien": {"year": 1979, "country": "US", "genres": ("Horror", "Sci-Fi")},
    "brazil": {"year": 1985.0, "country": "UK", "genres": ("Comedy", "Sci-Fi")},
    "clue": {"year": 1985, "genres": ("Comedy",)},
    "diary": {"genres": ()},
}


def unit(n, dimension=8, seed=0):
    matrix = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def build(folder, films=FILMS, types=TYPES, seed=0, **more):
    return VectorIndex.build(folder, list(films), unit(len(films), seed=seed), list(films.values()), types, **more)


@pytest.fixture
def index(tmp_path):
    with build(tmp_path / "chroma") as built:
        yield built


def test_every_item_finds_itself_first_and_neighbours_come_in_exact_order(index):
    vectors = unit(4)
    for row, item_id in enumerate(FILMS):
        found = index.query(vectors[row], 4)
        exact = vectors @ vectors[row]
        assert [i for i, _ in found] == [list(FILMS)[j] for j in np.argsort(-exact)]
        assert found[0] == (item_id, pytest.approx(1.0, abs=1e-5))
        assert [s for _, s in found] == pytest.approx(sorted(exact, reverse=True), abs=1e-5)


def test_k_larger_than_the_catalogue_gives_all(index):
    assert len(index.query(unit(1)[0], 1000)) == 4


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), set(FILMS)),
        ((Filter("year", "==", 1985),), {"brazil", "clue"}),
        ((Filter("year", ">=", 1979.5),), {"brazil", "clue"}),
        ((Filter("year", "!=", 1985.0),), {"alien"}),
        ((Filter("genres", "==", "Comedy"),), {"brazil", "clue"}),
        ((Filter("genres", "in", ("Comedy", "Horror")),), {"alien", "brazil", "clue"}),
        ((Filter("genres", "in", ("Horror",)),), {"alien"}),
        ((Filter("genres", "not in", ("Comedy", "Horror")),), set()),
        ((Filter("country", "!=", "US"),), {"brazil"}),
        ((Filter("country", "not in", ("US",)),), {"brazil"}),
        ((Filter("country", "!=", "US"), Filter("genres", "!=", "Drama")), {"brazil"}),
        ((Filter("genres", "==", "Comedy"), Filter("year", "<=", 1985), Filter("country", "==", "UK")), {"brazil"}),
        ((Filter("country", "==", "uk"),), set()),
    ],
)
def test_filters_on_known_films(index, filters, expected):
    assert index.ids_where(filters) == expected
    assert {i for i, _ in index.query(unit(1)[0], 10, filters)} == expected


words = st.sampled_from(
    ["drama", "Drama", "DRAMA", "", "é", "e\u0301", "日本", "a'b", '"', "%", "1990", "Sci-Fi", "x\0y"]
)
numbers = st.one_of(
    st.sampled_from([1990, 1990.0, 1990.5, 0, -0.0, -3, 0.1, 2**53, 1e300, 5e-324]),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
)
attribute_sets = st.fixed_dictionaries(
    {}, optional={"year": numbers, "country": words, "genres": st.lists(words, max_size=3).map(tuple)}
)


def filters_on(name, of, ops):
    one = st.builds(Filter, st.just(name), st.sampled_from(ops), of)
    several = st.lists(of, min_size=1, max_size=3).map(tuple)
    return st.one_of(one, st.builds(Filter, st.just(name), st.sampled_from(["in", "not in"]), several))


any_filter = st.one_of(
    filters_on("year", numbers, ["==", "!=", ">=", "<=", ">", "<"]),
    filters_on("country", words, ["==", "!="]),
    filters_on("genres", words, ["==", "!="]),
)


@pytest.fixture(scope="module")
def reused(tmp_path_factory):
    with VectorIndex(tmp_path_factory.mktemp("property") / "chroma", 8, TYPES) as opened:
        yield opened


@settings(max_examples=150, deadline=None)
@given(st.lists(attribute_sets, min_size=6, max_size=6), st.lists(any_filter, max_size=4))
def test_a_compiled_filter_means_what_matches_says(reused, attributes, filters):
    items = [Item(str(i), "x", attributes=a) for i, a in enumerate(attributes)]
    # The same six ids each time: an attribute that an item no longer has must be gone as well.
    reused.upsert([i.item_id for i in items], unit(6), attributes)
    expected = {i.item_id for i in items if matches(i, filters)}
    assert reused.ids_where(filters) == expected
    assert {i for i, _ in reused.query(unit(1)[0], 6, filters)} == expected


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Filter("director", "==", "Scott"), "country, genres, year"),
        (Filter("year", "==", "1990"), "number"),
        (Filter("year", "==", True), "number"),
        (Filter("year", "<", float("nan")), "number"),
        (Filter("year", "<", 2**53 + 1), "number"),
        (Filter("country", "==", 3), "word"),
        (Filter("country", ">=", "UK"), "no order"),
        (Filter("genres", "<", "a"), "no order"),
        (Filter("genres", "==", ("a", "b")), "one value"),
        (Filter("genres", "in", "Comedy"), "tuple"),
        (Filter("genres", "in", ()), "tuple"),
        (Filter("country", "==", "\ud800"), "word"),
        (Filter("year", "~", 3), "operator"),
        (Filter("genres", "in", tuple(map(str, range(MAX_CONDITIONS + 1)))), "too many"),
    ],
)
def test_a_filter_that_does_not_fit_says_why(wrong, says):
    with pytest.raises(FilterError, match=says):
        where([wrong], TYPES)


def test_as_many_conditions_as_allowed_do_run(index):
    many = Filter("genres", "in", (*map(str, range(MAX_CONDITIONS - 1)), "Horror"))
    assert index.ids_where([many]) == {"alien"}
    none = Filter("genres", "not in", (*map(str, range(MAX_CONDITIONS - 1)), "Horror"))
    assert index.ids_where([none]) == {"brazil", "clue"}


@pytest.mark.parametrize(
    ("ids", "vectors", "attributes", "says"),
    [
        (["a"], unit(2), [{}], "one vector"),
        (["a"], unit(1, dimension=4), [{}], "one vector"),
        (["a"], unit(1), [], "one vector"),
        (["a"], unit(1) * 2, [{}], "length 1"),
        (["a"], unit(1) * np.float32("nan"), [{}], "length 1"),
        (["a"], unit(1) * 0, [{}], "length 1"),
        (["a", "a"], unit(2), [{}, {}], "once"),
        ([""], unit(1), [{}], "non-empty"),
        (["\udc80"], unit(1), [{}], "Unicode"),
        (["a"], unit(1), [{"year": "old"}], "number"),
        (["a"], unit(1), [{"genres": "Comedy"}], "list"),
        (["a"], unit(1), [{"country": "\ud800"}], "word"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(index, ids, vectors, attributes, says):
    with pytest.raises(InputError, match=says):
        index.upsert(ids, vectors, attributes)
    assert index.ids_where(()) == set(FILMS)


@pytest.mark.parametrize("vector", [np.zeros(8), np.full(8, np.nan), np.ones(7), np.ones((1, 8))])
def test_a_bad_query_vector_is_refused(index, vector):
    with pytest.raises(InputError, match="vector"):
        index.query(vector, 3)


def test_k_below_one_is_refused(index):
    with pytest.raises(InputError, match="at least 1"):
        index.query(unit(1)[0], 0)


def test_an_empty_index_answers_with_nothing(tmp_path):
    with VectorIndex(tmp_path / "chroma", 8, TYPES) as empty:
        assert empty.query(unit(1)[0], 5) == []
        assert empty.ids_where([Filter("year", "==", 1)]) == set()
        assert empty.count() == 0
        assert empty.vectors([]).shape == (0, 8)


def test_recall_at_50_against_exact_search(tmp_path):
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(40, 32))[rng.integers(40, size=2000)] + rng.normal(size=(2000, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    with VectorIndex.build(tmp_path / "chroma", [str(i) for i in range(2000)], vectors, [{}] * 2000, {}) as index:
        found = [{int(i) for i, _ in index.query(vectors[row], 50)} for row in range(0, 2000, 40)]
    exact = [set(np.argsort(-(vectors @ vectors[row]))[:50].tolist()) for row in range(0, 2000, 40)]
    assert HNSW["space"] == "cosine"
    assert np.mean([len(f & e) / 50 for f, e in zip(found, exact, strict=True)]) > 0.99


def test_where_the_graph_loses_items_queries_are_exact(tmp_path):
    # Bags of two words fall into cliques of equal vectors, of which Chroma's graph finds 86 to 94%.
    n, dimension = 6000, 384
    vectors = HashEncoder(dimension).encode([f"Film {place}" for place in range(n)])
    attributes = [{"year": place} for place in range(n)]
    ids = [str(place) for place in range(n)]
    with VectorIndex.build(tmp_path / "chroma", ids, vectors, attributes, {"year": "number"}) as index:
        assert index.exact and index.recall < 0.98
        for place in range(0, n, 97):
            found = [similarity for _, similarity in index.query(vectors[place] * 3, 30)]
            assert found == pytest.approx(sorted(vectors @ vectors[place], reverse=True)[:30], abs=1e-5)
        recent = index.query(vectors[3], 40, [Filter("year", ">=", 5970)])
        assert {i for i, _ in recent} == set(ids[5970:])
        first = index.query(vectors[3], 1)[0][0]
        index.delete([first])
        assert index.query(vectors[3], 1)[0][0] != first
    with VectorIndex(tmp_path / "chroma", dimension) as again:
        assert again.exact


def test_ordinary_vectors_are_searched_by_the_graph(index):
    assert index.recall == 1.0
    assert not index.exact


def test_vectors_come_back_in_the_order_asked(index):
    assert np.allclose(index.vectors(["diary", "alien"]), unit(4)[[3, 0]], atol=1e-6)
    with pytest.raises(InputError, match="'nope'"):
        index.vectors(["alien", "nope"])


def test_delete_and_replace(index):
    index.delete(["alien", "never there"])
    index.upsert(["clue"], unit(1, seed=9), [{"country": "FR"}])
    assert index.count() == 3
    assert index.ids_where([Filter("country", "==", "FR")]) == {"clue"}
    assert index.ids_where([Filter("genres", "==", "Comedy")]) == {"brazil"}
    assert index.query(unit(1, seed=9)[0], 1)[0][0] == "clue"


def test_more_than_one_batch(tmp_path):
    n = LARGEST_BATCH + 3
    seen = []
    ids = [str(i) for i in range(n)]
    vectors = unit(n)
    with VectorIndex.build(
        tmp_path / "chroma", ids, vectors, [{}] * n, {}, progress=lambda *step: seen.append(step)
    ) as index:
        assert index.count() == n
        assert index.query(vectors[n - 1], 1)[0][0] == str(n - 1)
        assert np.allclose(index.vectors(ids), vectors, atol=1e-6)
    assert seen == [("index", LARGEST_BATCH, n), ("index", n, n)]


def test_it_reopens_with_what_it_was_built_with(tmp_path):
    build(tmp_path / "chroma", fingerprint="abc").close()
    with VectorIndex(tmp_path / "chroma", 8) as again:
        assert (again.fingerprint, again.attribute_types, again.count()) == ("abc", TYPES, 4)


def test_a_new_build_takes_over_while_the_old_one_still_answers(tmp_path):
    old = build(tmp_path / "chroma")
    new = build(tmp_path / "chroma", {"extra": {"year": 1}}, seed=5)
    assert old.path.is_dir() and old.path != new.path
    assert old.count() == 4
    assert old.query(unit(4)[1], 1)[0][0] == "brazil"
    assert new.ids_where(()) == {"extra"}
    old.close()
    new.close()
    with build(tmp_path / "chroma", seed=6) as newest:
        assert newest.count() == 4
        assert len(list((tmp_path / "chroma").glob("generation-*"))) == 1


def test_a_failed_build_leaves_the_old_index(tmp_path):
    build(tmp_path / "chroma").close()
    with pytest.raises(InputError):
        VectorIndex.build(tmp_path / "chroma", ["a"], unit(1) * 3, [{}], TYPES)
    with VectorIndex(tmp_path / "chroma", 8, TYPES) as index:
        assert index.ids_where(()) == set(FILMS)
    assert len(list((tmp_path / "chroma").glob("generation-*"))) == 1


def test_a_closed_index_says_so(tmp_path):
    index = build(tmp_path / "chroma")
    index.close()
    index.close()
    with pytest.raises(WorkspaceError, match="closed"):
        index.count()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "no database", "no generation", "no name"])
def test_a_damaged_folder_says_how_to_rebuild(tmp_path, damage):
    folder = tmp_path / "chroma"
    with build(folder) as index:
        database = index.path / "chroma.sqlite3"
    if damage == "truncated":
        os.truncate(database, 5000)
    elif damage == "garbage":
        database.write_bytes(b"garbage " * 5000)
    elif damage == "empty":
        os.truncate(database, 0)
    elif damage == "no database":
        database.unlink()
    elif damage == "no generation":
        index.path.rename(tmp_path / "elsewhere")
    else:
        (folder / "current").write_text("../..")
    with pytest.raises(WorkspaceError, match="vouchrec index rebuild"):
        VectorIndex(folder, 8, TYPES)
    with build(folder) as rebuilt:
        assert rebuilt.query(unit(4)[2], 1)[0][0] == "clue"


@pytest.mark.parametrize("damage", ["segment removed", "vectors lost", "header emptied"])
def test_a_damaged_graph_does_not_pass_for_a_sound_one(tmp_path, damage):
    n = 2500  # enough for Chroma to write its graph files
    with VectorIndex.build(tmp_path / "chroma", [str(i) for i in range(n)], unit(n), [{}] * n, {}) as index:
        segment = next(p for p in index.path.iterdir() if p.is_dir())
    if damage == "segment removed":
        shutil.rmtree(segment)
    elif damage == "vectors lost":
        # Zeros, as a crashed file system leaves them; where the file ends early, hnswlib reads on in whatever its
        # memory held before, which can be these very vectors.
        data = segment / "data_level0.bin"
        size = data.stat().st_size
        os.truncate(data, size // 10)
        os.truncate(data, size)
    else:
        os.truncate(segment / "header.bin", 0)
    with pytest.raises(WorkspaceError, match="vouchrec index rebuild"):
        VectorIndex(tmp_path / "chroma", 8, {})


def test_another_dimension_or_other_attributes_need_a_rebuild(tmp_path):
    build(tmp_path / "chroma").close()
    with pytest.raises(WorkspaceError, match="8-dimensional.*index rebuild"):
        VectorIndex(tmp_path / "chroma", 16, TYPES)
    with pytest.raises(WorkspaceError, match="attributes.*index rebuild"):
        VectorIndex(tmp_path / "chroma", 8, {"year": "word"})


KILLED = """
import os, signal, sys
import numpy as np
from agent.workspace.index import VectorIndex

vectors = np.random.default_rng(1).normal(size=(12000, 8)).astype("f4")
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

def die(stage, done, total):
    os.kill(os.getpid(), signal.SIGKILL)

VectorIndex.build(sys.argv[1], [str(i) for i in range(12000)], vectors, [{}] * 12000, {}, progress=die)
"""


@pytest.mark.parametrize("there_was_one", [True, False])
def test_a_kill_during_a_build_leaves_the_old_index_or_none(tmp_path, there_was_one):
    folder = tmp_path / "chroma"
    if there_was_one:
        build(folder).close()
    root = Path(__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(folder.glob("generation-*"))) == 1 + there_was_one
    with VectorIndex(folder, 8, TYPES if there_was_one else {}) as index:
        assert index.ids_where(()) == (set(FILMS) if there_was_one else set())
    with build(folder) as rebuilt:
        assert rebuilt.query(unit(4)[3], 1)[0][0] == "diary"
    assert len(list(folder.glob("generation-*"))) == 1
