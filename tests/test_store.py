from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from conftest import SOON
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import InputError, UnknownItemError, WorkspaceError
from agent.schema import Feedback, Interaction, Item
from agent.workspace.store import BATCH, Store
from agent.workspace.tables import SCHEMA_VERSION

ALIEN = Item("1", "Alien (1979)", "A crew meets a guest.", {"year": 1979, "genres": ("Horror", "Sci-Fi"), "score": 8.0})
BRAZIL = Item("2", "Brazil (1985)", "", {"year": 1985, "country": "UK", "genres": ()})
CLUE = Item("3", "Clue (1985)")


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store.sqlite")
    opened.put_items([ALIEN, BRAZIL, CLUE])
    yield opened
    opened.close()


# -- items


def test_items_come_back_equal_and_in_insertion_order(store):
    assert store.items() == [ALIEN, BRAZIL, CLUE]
    types = {k: type(v) for k, v in store.items()[0].attributes.items()}
    assert types == {"year": int, "genres": tuple, "score": float}


def test_a_replaced_item_keeps_its_place(store):
    longer = Item("1", "Alien: Director's Cut (1979)")
    assert store.put_items([longer]) == 1
    assert store.items() == [longer, BRAZIL, CLUE]
    assert store.count_items() == 3


texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts, st.lists(texts, max_size=3).map(tuple)
)
any_item = st.builds(
    Item, texts.filter(bool), texts.filter(bool), texts, st.dictionaries(texts.filter(bool), values, max_size=4)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(any_item, max_size=4, unique_by=lambda i: i.item_id))
def test_any_valid_item_survives_the_round_trip(items):
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.sqlite")
        store.put_items(items)
        read = store.items()
        store.close()
    assert read == items
    for before, after in zip(items, read, strict=True):
        assert {k: type(v) for k, v in before.attributes.items()} == {k: type(v) for k, v in after.attributes.items()}


@pytest.mark.parametrize(
    "bad",
    [
        Item("", "No id"),
        Item("9", ""),
        Item("9", "x", attributes={"score": math.nan}),
        Item("9", "x", attributes={"score": math.inf}),
        Item("9", "x", attributes={"score": {1}}),
        Item("9", "lone \ud800"),
        Item("9", "x", attributes={"word": "\udfff"}),
    ],
)
def test_an_item_that_cannot_be_kept_is_refused_and_nothing_of_its_batch_stays(store, bad):
    with pytest.raises(InputError):
        store.put_items([Item("8", "Fine"), bad])
    assert store.items() == [ALIEN, BRAZIL, CLUE]


def test_removing_an_item_removes_what_was_said_of_it(store):
    store.put_interactions([Interaction("ann", "1"), Interaction("ann", "2")])
    store.put_feedback(Feedback("ann", "1", "like"))
    assert store.remove_items(["1", "absent"]) == 1
    assert store.items() == [BRAZIL, CLUE]
    assert [i.item_id for i in store.interactions("ann")] == ["2"]
    assert store.feedback("ann") == []


# -- interactions


def test_interactions_are_oldest_first_and_ties_keep_insertion_order(store):
    given_ = [
        Interaction("ann", "1", "rating", 4.0, 20.0),
        Interaction("bob", "1", "rating", 1.0, 0.0),
        Interaction("ann", "3", "rating", 3.5, 10.0),
        Interaction("ann", "2", "seen", None, 10.0),
        Interaction("ann", "2", "like", None, None),
    ]
    assert store.put_interactions(iter(given_)) == 5
    assert store.interactions("ann") == [given_[4], given_[2], given_[3], given_[0]]
    assert store.interactions("nobody") == []
    assert store.user_ids() == ["ann", "bob"]
    assert store.has_user("bob") and not store.has_user("nobody")
    assert (store.count_interactions(), store.count_users()) == (5, 2)


def test_importing_the_same_interactions_again_changes_only_their_values(store):
    rows = [Interaction("ann", "1", "rating", 4.0, 20.0), Interaction("ann", "2", "rating", 3.0, None)]
    store.put_interactions(rows)
    store.put_interactions([*rows, Interaction("ann", "2", "rating", 5.0, None)])
    assert store.interactions("ann") == [Interaction("ann", "2", "rating", 5.0, None), rows[0]]


@pytest.mark.parametrize(
    "bad",
    [
        Interaction("ann", "nowhere"),
        Interaction("", "1"),
        Interaction("ann", "1", value=math.nan),
        Interaction("ann", "1", timestamp=math.inf),
        Interaction("ann", "1", event=""),
        Interaction("\ud800", "1"),
    ],
)
def test_one_bad_interaction_leaves_nothing_of_the_whole_call(store, bad):
    many = [Interaction("ann", "1", timestamp=float(t)) for t in range(BATCH + 10)]
    with pytest.raises(InputError):
        store.put_interactions([*many, bad])
    assert store.count_interactions() == 0
    assert store.user_ids() == []


def test_an_unknown_item_is_named(store):
    with pytest.raises(UnknownItemError, match="'nowhere'"):
        store.put_interactions([Interaction("ann", "nowhere")])


def test_columns_hold_every_interaction_in_insertion_order(store):
    store.put_interactions(
        [
            Interaction("bob", "3", "rating", 4.0, 20.0),
            Interaction("ann", "1", "seen", None, None),
            Interaction("bob", "1", "rating", 2.0, 5.0),
        ]
    )
    store.remove_items(["2"])
    columns = store.interaction_columns()
    assert len(columns) == 3
    assert columns.user_ids == ("bob", "ann")
    assert columns.item_ids == ("1", "3")
    assert [columns.user_ids[u] for u in columns.users] == ["bob", "ann", "bob"]
    assert [columns.item_ids[i] for i in columns.items] == ["3", "1", "1"]
    assert [columns.event_names[e] for e in columns.events] == ["rating", "seen", "rating"]
    assert columns.values[[0, 2]].tolist() == [4.0, 2.0] and math.isnan(columns.values[1])
    assert columns.timestamps[[0, 2]].tolist() == [20.0, 5.0] and math.isnan(columns.timestamps[1])


def test_the_number_of_an_interaction_is_never_given_again(store, tmp_path):
    def numbers():
        return store.interaction_numbers().tolist()

    store.put_items([Item(f"n{n}", f"New {n}") for n in range(3)])
    store.put_interactions([Interaction(person, f"n{n}", timestamp=1.0) for person in ("x", "y") for n in range(3)])
    before = numbers()
    store.forget("y")
    assert numbers() == before[:-3]
    store.put_interactions([Interaction("z", "n0", timestamp=1.0)])
    assert numbers()[:-1] == before[:-3] and numbers()[-1] > before[-1]


def test_a_store_in_which_numbers_were_given_again_is_brought_up_to_date_with_all_that_is_in_it(tmp_path):
    path = tmp_path / "old.sqlite"
    with closing(Store(path)) as new:
        new.put_items([Item(f"n{n}", f"New {n}") for n in range(3)])
        new.put_interactions([Interaction("x", f"n{n}", value=n, timestamp=n) for n in range(3)])
        new.remove_items(["n1"])
        rows, numbers = new.interactions("x"), new.interaction_numbers().tolist()
    with closing(sqlite3.connect(path)) as old:
        (made,) = old.execute("SELECT sql FROM sqlite_master WHERE name = 'interactions'").fetchone()
        assert "AUTOINCREMENT" in made
        old.executescript(
            "ALTER TABLE interactions RENAME TO new; DROP INDEX one_interaction; DROP INDEX interactions_of_item;"
            f"{made.replace(' AUTOINCREMENT', '')}; INSERT INTO interactions SELECT * FROM new; DROP TABLE new;"
            "CREATE UNIQUE INDEX one_interaction ON interactions (user, item, event, ifnull(timestamp, -1e300));"
            "CREATE INDEX interactions_of_item ON interactions (item); PRAGMA user_version = 5"
        )
    with closing(Store(path)) as store:
        assert store.interactions("x") == rows and store.interaction_numbers().tolist() == numbers == [1, 3]
        store.put_interactions([Interaction("x", "n2", value=9, timestamp=2)])  # the same one, with a newer value
        assert store.interaction_numbers().tolist() == numbers and store.integrity_problems() == []
        store.forget("x")
        store.put_interactions([Interaction("x", "n2", timestamp=2)])
        assert store.interaction_numbers()[0] > 3


def test_columns_of_an_empty_store(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    columns = store.interaction_columns()
    assert (len(columns), columns.user_ids, columns.item_ids, columns.users.dtype.name) == (0, (), (), "int32")
    store.close()


# -- people, feedback, turns, meta


def test_a_person_has_the_attributes_last_given(store):
    assert store.person("ann") is None
    store.put_interactions([Interaction("ann", "1")])
    assert store.person("ann") == {}
    store.put_person("ann", {"age": 31, "job": "cook", "languages": ("fr", "en")})
    assert store.person("ann") == {"age": 31, "job": "cook", "languages": ("fr", "en")}
    assert store.count_interactions() == 1


def test_feedback_is_idempotent_and_the_newest_value_counts(store):
    first = Feedback("ann", "1", "rating", "turn-1", 2.0, 10.0)
    newer = Feedback("ann", "1", "rating", "turn-1", 5.0, 11.0)
    other_turn = Feedback("ann", "1", "rating", "turn-2", 3.0, 12.0)
    for one in (first, other_turn, first, newer):
        store.put_feedback(one)
    assert store.feedback("ann") == [newer, other_turn]
    assert store.count_feedback() == 2
    assert store.has_user("ann")


def test_feedback_without_a_turn_or_time_is_one_row_where_it_last_arrived(store):
    for item_id, event in (("1", "like"), ("2", "dislike"), ("1", "like")):
        store.put_feedback(Feedback("ann", item_id, event))
    assert store.feedback("ann") == [Feedback("ann", "2", "dislike"), Feedback("ann", "1", "like")]


def test_feedback_on_an_unknown_item_leaves_no_person_behind(store):
    with pytest.raises(UnknownItemError):
        store.put_feedback(Feedback("ann", "nowhere", "like"))
    assert not store.has_user("ann")


def test_turns_come_back_as_stored(store):
    store.put_turn("t1", None, {"message": "something like Alien\0"}, {"titles": ["Brazil (1985)"], "score": 0.5})
    store.put_turn("t2", "ann", {}, {"old": 1})
    store.put_turn("t2", "ann", {}, {"new": 1})
    assert store.turn("t1") == {
        "turn_id": "t1",
        "user_id": None,
        "request": {"message": "something like Alien\0"},
        "reply": {"titles": ["Brazil (1985)"], "score": 0.5},
    }
    assert store.turn("t2") == {"turn_id": "t2", "user_id": "ann", "request": {}, "reply": {"new": 1}}
    assert store.turn("absent") is None
    assert store.count_turns() == 2


def test_declared_attributes_and_meta(store):
    assert store.attribute_types() == {}
    store.put_attribute_types({"year": "number", "genres": "list"})
    assert store.attribute_types() == {"year": "number", "genres": "list"}
    store.set_meta("source", {"name": "ml-100k", "rows": [1, 2]})
    assert store.get_meta("source") == {"name": "ml-100k", "rows": [1, 2]}
    assert store.get_meta("absent") is None
    assert store.get_meta("absent", 3) == 3
    with pytest.raises(InputError, match="'bad'"):
        store.set_meta("bad", math.nan)


def test_an_id_must_be_text(store):
    with pytest.raises(InputError, match="got 1"):
        store.interactions(1)


# -- the file


def test_everything_is_there_after_reopening(tmp_path, store):
    store.put_interactions([Interaction("ann", "1", "rating", 4.0, 20.0)])
    store.put_feedback(Feedback("ann", "2", "like", "t", None, 30.0))
    store.close()
    again = Store(tmp_path / "store.sqlite")
    assert again.items() == [ALIEN, BRAZIL, CLUE]
    assert again.interactions("ann") == [Interaction("ann", "1", "rating", 4.0, 20.0)]
    assert again.feedback("ann") == [Feedback("ann", "2", "like", "t", None, 30.0)]
    assert again.integrity_problems() == []
    again.close()


def test_it_writes_ahead_and_waits_for_the_disk(store):
    with store._writing() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_closed_store_says_so(store):
    store.close()
    store.close()
    for use in (store.items, lambda: store.put_items([ALIEN])):
        with pytest.raises(WorkspaceError, match="closed"):
            use()


def edit(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_newer_schema_is_refused(tmp_path):
    Store(tmp_path / "store.sqlite").close()
    edit(tmp_path / "store.sqlite", f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(WorkspaceError, match=f"version {SCHEMA_VERSION + 1}.*newest"):
        Store(tmp_path / "store.sqlite")


def test_the_file_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "store.sqlite"
    edit(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(WorkspaceError, match="another program"):
        Store(path)
    assert path.read_bytes() == before


def test_what_is_no_database_says_what_to_do(tmp_path):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database at all " * 500)
    with pytest.raises(WorkspaceError, match="damaged.*vouchrec init"):
        Store(path)


def test_a_cut_off_database_says_what_to_do(tmp_path):
    path = tmp_path / "store.sqlite"
    store = Store(path)
    store.put_items(Item(str(i), "x" * 400) for i in range(500))
    store.close()
    with path.open("r+b") as file:
        file.truncate(20_000)
    with pytest.raises(WorkspaceError, match="damaged.*vouchrec init"):
        damaged = Store(path)
        try:
            damaged.items()
        finally:
            damaged.close()


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        Store(tmp_path / "absent" / "store.sqlite")


def test_a_full_disk_leaves_nothing_half_written(store):
    # SQLite reports a file that may not grow exactly as it reports a full disk.
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(WorkspaceError, match="full; nothing was written"):
        store.put_items(Item(f"big {i}", "x" * 4000) for i in range(1000))
    assert store.items() == [ALIEN, BRAZIL, CLUE]
    store._writer.execute("PRAGMA max_page_count = 1000000")
    store.put_items([Item("4", "Dune (1984)")])
    assert store.count_items() == 4


# -- several threads, and sudden ends


def test_reads_do_not_wait_for_a_long_write(store):
    writing, done = threading.Event(), threading.Event()

    def slow_rows():
        yield Interaction("ann", "1", timestamp=0.0)
        for t in range(BATCH):
            yield Interaction("ann", "2", timestamp=float(t))
        writing.set()
        assert done.wait(SOON)

    writer = threading.Thread(target=store.put_interactions, args=(slow_rows(),))
    writer.start()
    assert writing.wait(SOON)
    assert store.count_interactions() == 0  # answered in the middle of the transaction, from before it
    assert store.items() == [ALIEN, BRAZIL, CLUE]
    done.set()
    writer.join(SOON)
    assert store.count_interactions() == BATCH + 1


def test_many_threads_write_and_read_at_once(store):
    failures = []

    def work(user_id):
        try:
            for t in range(30):
                store.put_feedback(Feedback(user_id, "1", "like", str(t), None, float(t)))
                assert len(store.feedback(user_id)) == t + 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"u{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.count_feedback() == 8 * 30


KILLED = """
import os, signal, sys
from agent.schema import Feedback, Interaction, Item
from agent.workspace.store import BATCH, Store

store = Store(sys.argv[1])
store.put_items([Item("1", "Alien (1979)")])
store.put_interactions([Interaction("ann", "1", "rating", 5.0, 1.0)])
store.put_feedback(Feedback("ann", "1", "like", "t", None, 2.0))

def rows():
    for t in range(5 * BATCH):
        yield Interaction("bob", "1", "rating", 1.0, float(t))
    os.kill(os.getpid(), signal.SIGKILL)

store.put_interactions(rows())
"""


def test_a_kill_in_the_middle_of_a_write_keeps_what_was_acknowledged_and_nothing_else(tmp_path):
    path = tmp_path / "store.sqlite"
    root = Path(__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = Store(path)
    assert store.integrity_problems() == []
    assert store.interactions("ann") == [Interaction("ann", "1", "rating", 5.0, 1.0)]
    assert store.feedback("ann") == [Feedback("ann", "1", "like", "t", None, 2.0)]
    assert store.user_ids() == ["ann"]
    assert store.count_interactions() == 1
    store.put_interactions([Interaction("bob", "1")])
    assert store.count_interactions() == 2
    store.close()
