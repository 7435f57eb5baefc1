import numpy as np
import pytest
from conftest import events, films, open_small

from agent.errors import WorkspaceError
from agent.retrieval.base import Query, top
from agent.retrieval.behaviour import Behaviour
from agent.retrieval.fusion import fuse
from agent.retrieval.lexical import Lexical
from agent.schema import Filter
from agent.workspace.store import Store


def query(history=(), wishes="", avoids="", allowed=None, filters=(), habit=0.5, n=13):
    history = np.array(history, dtype=np.int64)
    open_items = np.ones(n, dtype=bool) if allowed is None else allowed
    return Query(history, wishes, wishes, avoids, filters, open_items, habit)


@pytest.fixture
def behaviour(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.put_items(films())
    store.put_interactions(events())
    yield Behaviour.learn(store.interaction_columns(), "print")
    store.close()


def test_what_people_did_next_comes_first(behaviour):
    # After Alien (position 0) eight people went to Aliens (1) at once, two to Heat (8); all ended at Heat.
    assert behaviour.best(query([0]), 2).tolist() == [1, 8]
    assert behaviour.score(query([0]), np.array([1]))[0] == 1.0
    assert behaviour.score(query([0]), np.array([4]))[0] == 0.0


def test_the_most_recent_item_counts_most(behaviour):
    assert behaviour.best(query([4, 0]), 1).tolist() == [1]


def test_without_a_history_the_popular_come_first(behaviour):
    assert behaviour.best(query(), 2).tolist() == [0, 8]


def test_what_is_not_allowed_is_never_named(behaviour):
    allowed = np.ones(13, dtype=bool)
    allowed[1] = False
    assert behaviour.best(query([0], allowed=allowed), 5).tolist() == [8]


def test_a_filter_does_not_move_the_scores(behaviour):
    allowed = np.zeros(13, dtype=bool)
    allowed[8] = True
    assert behaviour.score(query([0], allowed=allowed), np.array([8])) == behaviour.score(query([0]), np.array([8]))


def test_likings_are_counted_by_rating_and_without_the_person_who_asks(behaviour):
    assert behaviour.liked_both(0, 1) == (8, 10)
    assert behaviour.liked_both(0, 1, without="p1") == (7, 9)
    assert behaviour.liked_both(0, 8) == (0, 10)  # Heat was rated 1 by all
    assert behaviour.liked_both(1, 0) == (8, 8)


def test_what_was_learned_survives_the_disk(behaviour, tmp_path):
    behaviour.save(tmp_path / "behaviour.npz")
    again = Behaviour.load(tmp_path / "behaviour.npz")
    assert again.fingerprint == "print"
    assert again.liked_both(0, 1, without="p1") == (7, 9)
    assert np.array_equal(again.score(query([0]), np.arange(13)), behaviour.score(query([0]), np.arange(13)))


def test_a_damaged_file_says_what_to_do(tmp_path):
    (tmp_path / "behaviour.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(WorkspaceError, match="index rebuild"):
        Behaviour.load(tmp_path / "behaviour.npz")


def test_no_interactions_are_no_obstacle(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.put_items(films())
    learned = Behaviour.learn(store.interaction_columns())
    store.close()
    assert learned.best(query([0]), 5).tolist() == []
    assert learned.best(query(), 5).tolist() == []


def test_words_find_titles_and_texts():
    lexical = Lexical(films())
    assert lexical.best(query(wishes="kidnapping snow"), 3).tolist() == [5]
    assert lexical.score(query(wishes="godfather"), np.array([7]))[0] == pytest.approx(1.0)
    assert lexical.best(query(wishes="zebra"), 3).tolist() == []
    assert lexical.best(query(), 3).tolist() == []


def test_a_catalogue_without_words_has_no_lexical_matches():
    assert Lexical([]).best(query(wishes="anything", n=0), 3).tolist() == []


def test_top_keeps_ties_in_the_order_of_positions():
    assert top(np.array([1.0, 2, 2, 2, 0]), np.ones(5, dtype=bool), 2).tolist() == [1, 2]
    assert top(np.array([1.0, 2, 2, 2, 0]), np.array([1, 0, 1, 1, 1], dtype=bool), 9).tolist() == [2, 3, 0]


def test_every_source_scores_every_candidate_and_k_does_not_move_the_order(tmp_path):
    with open_small(tmp_path / "w") as agent:
        asked = query([0], wishes="tense and funny")
        few, many = fuse(agent.lister.sources, asked, 3), fuse(agent.lister.sources, asked, 10)
        assert many.positions[:3].tolist() == few.positions.tolist()
        assert {name: len(v) for name, v in many.by_source.items()} == {"behaviour": 10, "semantic": 10, "lexical": 10}


def test_a_filter_that_leaves_one_item_finds_it(tmp_path):
    with open_small(tmp_path / "w") as agent:
        allowed = np.zeros(13, dtype=bool)
        allowed[9] = True
        asked = query([0], wishes="toys", allowed=allowed, filters=(Filter("year", "<=", 1950),))
        assert fuse(agent.lister.sources, asked, 5).positions.tolist() == [9]
