from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import SOON

from agent.errors import WorkspaceError
from agent.schema import Feedback, Filter, Interaction, Item
from agent.workspace.encoder import HashEncoder
from agent.workspace.vectors import ABOUT, WHOLE, WORDS_OF_A_LIST, VectorFile, item_text, read_vectors, write_vectors
from agent.workspace.workspace import Workspace

ROOT = Path(__file__).parents[1]
TYPES = {"year": "number", "genres": "list"}
ITEMS = [
    Item("1", "Alien (1979)", "A crew meets a guest.", {"year": 1979, "genres": ("Horror", "Sci-Fi")}),
    Item("2", "Brazil (1985)", "A clerk dreams.", {"year": 1985, "genres": ("Comedy", "Sci-Fi")}),
    Item("3", "Clue (1985)", "A butler did it, or not.", {"year": 1985, "genres": ("Comedy",)}),
    Item("4", "Dune (1984)", "Sand and spice.", {"year": 1984}),
]


class CountingEncoder(HashEncoder):
    """The shipped fake, which also remembers what it was asked to encode."""

    def __init__(self, dimension=64):
        super().__init__(dimension)
        self.asked = []

    def encode(self, texts, progress=lambda *_: None):
        self.asked.extend(texts)
        return super().encode(texts)


@pytest.fixture
def workspace(tmp_path):
    with Workspace.create(tmp_path / "films") as made:
        made.store.put_items(ITEMS)
        made.store.put_attribute_types(TYPES)
        yield made


def by_name(checks):
    return {check.name: check for check in checks}


# -- the folder and its lock


def test_what_was_made_can_be_opened_again(tmp_path):
    with Workspace.create(tmp_path / "new" / "films") as made:
        made.store.put_items(ITEMS)
    with Workspace.open(tmp_path / "new" / "films") as again:
        assert again.store.items() == ITEMS
        assert again.path == tmp_path / "new" / "films"


def test_an_absent_workspace_says_how_to_make_one(tmp_path):
    with pytest.raises(WorkspaceError, match="vouchrec init"):
        Workspace.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_is_not_made_twice(tmp_path):
    Workspace.create(tmp_path).close()
    with pytest.raises(WorkspaceError, match="already"):
        Workspace.create(tmp_path)


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError, match="cannot be made"):
        Workspace.create(tmp_path / "file")


def test_a_second_open_in_this_process_is_an_error_and_no_deadlock(workspace):
    with pytest.raises(WorkspaceError, match="open in this process already"):
        Workspace.open(workspace.path)
    caught = []
    thread = threading.Thread(
        target=lambda: caught.append(pytest.raises(WorkspaceError, Workspace.open, workspace.path))
    )
    thread.start()
    thread.join(SOON)
    assert len(caught) == 1
    assert workspace.store.count_items() == 4


def test_another_thread_may_close_it(tmp_path):
    opened = Workspace.create(tmp_path)
    thread = threading.Thread(target=opened.close)
    thread.start()
    thread.join(SOON)
    Workspace.open(tmp_path).close()


OPENS = """
import sys
from agent.errors import WorkspaceError
from agent.workspace.workspace import Workspace
try:
    Workspace.open(sys.argv[1])
except WorkspaceError as error:
    sys.stdout.write(str(error))
"""


def test_another_process_is_told_who_has_it_and_since_when(workspace):
    second = subprocess.run(
        [sys.executable, "-c", OPENS, str(workspace.path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    since = json.loads((workspace.path / "workspace.holder").read_text())["since"]
    assert f"process {os.getpid()}" in second.stdout
    assert Path(sys.argv[0]).name in second.stdout
    assert f"since {datetime.fromisoformat(since):%H:%M}" in second.stdout  # as people say it, and not 14:05:59+00:00
    assert since not in second.stdout
    assert "Close that one first" in second.stdout


DIES = """
import os, signal, sys
from agent.workspace.workspace import Workspace
Workspace.open(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lock_of_a_dead_process_does_not_block(tmp_path):
    Workspace.create(tmp_path).close()
    ended = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "workspace.holder").exists()
    Workspace.open(tmp_path).close()


def test_a_damaged_store_does_not_stay_locked(tmp_path):
    Workspace.create(tmp_path).close()
    whole = (tmp_path / "store.sqlite").read_bytes()
    (tmp_path / "store.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(WorkspaceError, match="damaged"):
        Workspace.open(tmp_path)
    (tmp_path / "store.sqlite").write_bytes(whole)
    Workspace.open(tmp_path).close()


def test_closing_twice_does_not_free_the_lock_of_the_next(tmp_path):
    first = Workspace.create(tmp_path)
    first.close()
    with Workspace.open(tmp_path):
        first.close()
        with pytest.raises(WorkspaceError, match="in this process"):
            Workspace.open(tmp_path)


# -- vectors


def test_the_text_of_an_item_is_its_title_its_lists_and_its_text():
    assert item_text(ITEMS[0]) == "Alien (1979)\nHorror, Sci-Fi\nA crew meets a guest."
    assert item_text(Item("9", "Bare")) == "Bare"
    crowd = Item("9", "Crowd", attributes={"cast": tuple(f"p{n}" for n in range(100))})
    assert item_text(crowd).count("p") == WORDS_OF_A_LIST


def test_what_an_item_is_about_is_its_text_without_title_and_lists(workspace):
    encoder = CountingEncoder()
    _, matrix = workspace.vectors(encoder, view=ABOUT)
    texts = [item.text or item_text(item) for item in ITEMS]
    assert texts != [item_text(item) for item in ITEMS]
    assert np.array_equal(matrix, HashEncoder().encode(texts))
    index = workspace.index(encoder, view=ABOUT)
    assert index.path != workspace.index(encoder).path
    assert index.query(HashEncoder().encode([ITEMS[0].text])[0], 1)[0][0] == ITEMS[0].item_id


def test_without_any_text_one_index_does_for_both(tmp_path):
    with Workspace.create(tmp_path) as bare:
        bare.store.put_items([Item("1", "Alien (1979)"), Item("2", "Brazil (1985)", " ")])
        encoder = CountingEncoder()
        assert bare.index(encoder, view=ABOUT) is bare.index(encoder)
        assert len(encoder.asked) == 2
        assert list(by_name(bare.check())) == ["store", "contents", "vectors", "index"]


def test_vectors_are_in_the_order_of_the_store(workspace):
    encoder = CountingEncoder()
    ids, matrix = workspace.vectors(encoder)
    assert ids == ("1", "2", "3", "4")
    assert np.array_equal(matrix, HashEncoder().encode([item_text(i) for i in ITEMS]))


def test_only_what_changed_is_encoded_again(workspace):
    encoder = CountingEncoder()
    workspace.vectors(encoder)
    encoder.asked.clear()
    workspace.vectors(encoder)
    assert encoder.asked == []
    changed = Item("2", "Brazil (1985)", "Another text.", ITEMS[1].attributes)
    workspace.store.put_items([changed, Item("5", "Eraserhead (1977)")])
    workspace.store.remove_items(["1"])
    ids, matrix = workspace.vectors(encoder)
    assert encoder.asked == [item_text(changed), "Eraserhead (1977)"]
    assert ids == ("2", "3", "4", "5")
    assert np.array_equal(matrix, HashEncoder().encode([item_text(i) for i in workspace.store.items()]))
    assert read_vectors(workspace.cache / "vectors.npz").ids == ids


def test_items_that_swap_their_texts_get_each_others_vectors(workspace):
    encoder = CountingEncoder()
    _, before = workspace.vectors(encoder)
    a, b = ITEMS[0], ITEMS[1]
    workspace.store.put_items([Item("1", b.title, b.text, b.attributes), Item("2", a.title, a.text, a.attributes)])
    _, after = workspace.vectors(encoder)
    assert np.array_equal(after, before[[1, 0, 2, 3]])
    assert by_name(workspace.check())["vectors"].ok


def test_another_encoder_encodes_everything(workspace):
    workspace.vectors(HashEncoder(64))
    other = CountingEncoder(32)
    _, matrix = workspace.vectors(other)
    assert len(other.asked) == 4
    assert matrix.shape == (4, 32)


def test_an_empty_catalogue_has_an_empty_matrix_and_an_empty_index(tmp_path):
    with Workspace.create(tmp_path) as empty:
        ids, matrix = empty.vectors(HashEncoder())
        assert ids == () and matrix.shape == (0, 64)
        assert empty.index(HashEncoder()).query(np.ones(64, np.float32), 3) == []


def test_a_damaged_vector_file_says_how_to_rebuild_and_rebuild_does(workspace):
    encoder = HashEncoder()
    workspace.vectors(encoder)
    file = workspace.cache / "vectors.npz"
    os.truncate(file, 300)
    with pytest.raises(WorkspaceError, match="vouchrec index rebuild"):
        workspace.vectors(encoder)
    workspace.rebuild(encoder)
    assert all(check.ok for check in workspace.check(encoder))


# -- the index


def test_the_index_answers_and_is_not_built_again_without_need(workspace):
    encoder = CountingEncoder()
    index = workspace.index(encoder)
    assert index.query(encoder.encode([item_text(ITEMS[2])])[0], 1)[0][0] == "3"
    assert index.ids_where([Filter("genres", "==", "Sci-Fi")]) == {"1", "2"}
    assert workspace.index(encoder).path == index.path


@pytest.mark.parametrize("change", ["an item", "an attribute", "a type", "the encoder", "removal"])
def test_a_change_of_the_store_or_the_encoder_builds_it_anew(workspace, change):
    first = workspace.index(HashEncoder()).path
    encoder = HashEncoder(32) if change == "the encoder" else HashEncoder()
    if change == "an item":
        workspace.store.put_items([Item("5", "Eraserhead (1977)")])
    elif change == "an attribute":
        workspace.store.put_items([Item("1", ITEMS[0].title, ITEMS[0].text, {**ITEMS[0].attributes, "year": 1980})])
    elif change == "a type":
        workspace.store.put_attribute_types({"year": "number"})
    elif change == "removal":
        workspace.store.remove_items(["4"])
    index = workspace.index(encoder)
    assert index.path != first
    assert index.ids_where([]) == {item.item_id for item in workspace.store.items()}
    assert index.ids_where([Filter("year", "==", 1979)]) == (set() if change == "an attribute" else {"1"})


def test_a_damaged_index_is_reported_by_opening_and_made_again_by_rebuild(workspace):
    encoder = HashEncoder()
    index = workspace.index(encoder)
    index.close()
    (index.path / "chroma.sqlite3").write_bytes(b"garbage" * 3000)
    with pytest.raises(WorkspaceError, match="vouchrec index rebuild"):
        workspace.index(encoder)
    check = by_name(workspace.check())["index"]
    assert not check.ok and "vouchrec index rebuild" in check.remedy
    workspace.rebuild(encoder)
    assert workspace.index(encoder).count() == 4
    assert all(check.ok for check in workspace.check(encoder))


# -- doctor


def test_all_is_well_after_an_index_was_built(workspace):
    workspace.store.put_interactions([Interaction("ann", "1")])
    workspace.store.put_feedback(Feedback("ann", "2", "like"))
    for view in (WHOLE, ABOUT):
        workspace.index(HashEncoder(), view=view)
    checks = by_name(workspace.check(HashEncoder()))
    assert list(checks) == ["store", "contents", "vectors", "index", "text vectors", "text index"]
    assert all(check.ok and not check.remedy for check in checks.values())
    assert checks["contents"].detail == "4 items, 1 interaction, 1 person, 1 reaction, 0 turns"
    assert checks["index"].detail == "4 of 4 items that were asked for find themselves; 4 entries for 4 items"


def test_a_new_workspace_says_what_is_to_be_done(tmp_path):
    with Workspace.create(tmp_path) as empty:
        checks = by_name(empty.check())
    assert checks["store"].ok
    assert "vouchrec init --update" in checks["contents"].remedy
    assert "vouchrec index rebuild" in checks["vectors"].remedy
    assert "vouchrec index rebuild" in checks["index"].remedy


def test_an_index_of_the_right_size_with_the_wrong_vectors_is_found_out(workspace):
    encoder = HashEncoder()
    index = workspace.index(encoder)
    wrong = encoder.encode(["one", "two", "three", "four"])
    index.upsert([i.item_id for i in ITEMS], wrong, [i.attributes for i in ITEMS])
    assert index.count() == 4
    index.close()
    check = by_name(workspace.check())["index"]
    assert not check.ok
    assert "4 entries for 4 items" in check.detail and "not found: " in check.detail


def test_an_index_that_lacks_an_item_is_found_out(workspace):
    index = workspace.index(HashEncoder())
    index.delete(["3"])
    check = by_name(workspace.check())["index"]
    assert not check.ok
    assert "3 of 4 items" in check.detail and "3 entries for 4 items; not found: 3" in check.detail


def test_items_with_the_same_text_may_stand_for_each_other(tmp_path):
    with Workspace.create(tmp_path) as twins:
        twins.store.put_items([Item("1", "Same"), Item("2", "Same"), Item("3", "Other")])
        twins.index(HashEncoder())
        assert by_name(twins.check())["index"].ok


@pytest.mark.parametrize("fault", ["nan", "length", "outdated", "encoder"])
def test_faulty_vectors_are_found_out(workspace, fault):
    encoder = HashEncoder()
    workspace.index(encoder)
    path = workspace.cache / "vectors.npz"
    file = read_vectors(path)
    matrix = file.vectors.copy()
    if fault == "nan":
        matrix[1, 0] = np.nan
    elif fault == "length":
        matrix[1] *= 2
    elif fault == "outdated":
        workspace.store.put_items([Item("1", "Alien (1979)", "New text.")])
    write_vectors(path, VectorFile(file.encoder, file.ids, file.hashes, matrix))
    check = by_name(workspace.check(HashEncoder(32) if fault == "encoder" else encoder))["vectors"]
    says = {
        "nan": "1 is no unit",
        "length": "1 is no unit",
        "outdated": "1 is of an older",
        "encoder": "encoder in use",
    }
    assert not check.ok and says[fault] in check.detail and check.remedy
    if fault in ("nan", "length"):  # only sound vectors are taken from the file
        assert np.array_equal(workspace.vectors(encoder)[1], file.vectors)


# -- a kill while the index is built


KILLED = """
import os, signal, sys
from agent.schema import Interaction, Item
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

def die(stage, done, total):
    if stage == "index":
        os.kill(os.getpid(), signal.SIGKILL)

workspace = Workspace.open(sys.argv[1])
workspace.store.put_items(Item(f"new {n}", f"Film {n}") for n in range(6000))
workspace.store.put_interactions([Interaction("ann", "new 5999")])
workspace.index(HashEncoder(), die)
"""


def test_a_kill_during_a_build_loses_nothing_and_the_next_opening_builds_it(tmp_path):
    with Workspace.create(tmp_path) as made:
        made.store.put_items(ITEMS)
        made.index(HashEncoder())
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    with Workspace.open(tmp_path) as again:
        assert again.store.count_items() == 6004
        assert again.store.interactions("ann") == [Interaction("ann", "new 5999")]
        assert by_name(again.check())["store"].ok
        assert not by_name(again.check())["index"].ok  # the old index, which lacks the new items
        index = again.index(HashEncoder())
        assert index.count() == 6004
        checks = by_name(again.check(HashEncoder()))
        assert checks["index"].ok, checks["index"].detail
        assert len(list((again.cache / "chroma").glob("generation-*"))) == 1
