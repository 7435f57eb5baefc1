import numpy as np
import pytest
from conftest import events, films, open_small

from agent.errors import WorkspaceError
from agent.retrieval.base import Query, top
from agent.retrieval.fusion import Weights, fuse
from agent.retrieval.lexical import Lexical
from agent.retrieval.transitions import SHORT, Transitions, recency
from agent.schema import Filter, Interaction, Item
from agent.workspace.store import Store


def query(history=(), wishes="", avoids="", allowed=None, filters=(), habit=0.5, n=13, times=None):
    history = np.array(history, dtype=np.int64)
    times = np.full(len(history), np.nan) if times is None else np.array(times, dtype=np.float64)
    open_items = np.ones(n, dtype=bool) if allowed is None else allowed
    return Query(history, times, wishes, wishes, avoids, filters, open_items, habit)


@pytest.fixture
def transitions(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.put_items(films())
    store.put_interactions(events())
    yield Transitions.learn(store.interaction_columns(), "print")
    store.close()


def test_what_people_did_next_comes_first(transitions):
    # After Alien (position 0) eight people went to Aliens (1) at once, two to Heat (8); all ended at Heat.
    long = query([0] * SHORT)
    assert transitions.best(long, 2).tolist() == [1, 8]
    assert transitions.score(long, np.array([1]))[0] == 1.0
    assert transitions.score(long, np.array([4]))[0] == 0.0


def test_the_shorter_the_history_the_more_popularity_counts(transitions):
    toys = [transitions.score(query([0] * length), np.array([4]))[0] for length in (1, 2, SHORT - 1, SHORT)]
    assert toys == sorted(toys, reverse=True) and toys[-2] > toys[-1] == 0.0  # one person, and nobody after Alien
    assert transitions.best(query([]), 3).tolist() == [0, 8, 1]


def test_the_most_recent_item_counts_most(transitions):
    assert transitions.best(query([4] * SHORT + [0]), 1).tolist() == [1]


def test_what_shares_a_time_shares_its_weight():
    assert recency(np.array([1.0, 2.0, 2.0]), 0.5).tolist() == [0.25, 0.75, 0.75]
    assert recency(np.array([np.nan, np.nan]), 0.5).tolist() == [0.5, 1.0]
    assert recency(np.array([]), 0.5).tolist() == []


def test_steps_between_items_of_one_time_go_both_ways(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.put_items(films())
    ids = [film.item_id for film in films()]
    for person in "abc":
        store.put_interactions(Interaction(person, ids[i], "seen", None, t) for i, t in ((0, 1.0), (1, 1.0), (2, 5.0)))
    learned = Transitions.learn(store.interaction_columns()).transitions
    store.close()
    assert learned[0, 1] > 0 and learned[1, 0] > 0 and learned[0, 2] > 0 and learned[2, 0] == 0


def test_without_a_history_the_popular_come_first(transitions):
    assert transitions.best(query(), 2).tolist() == [0, 8]


def test_what_is_not_allowed_is_never_named(transitions):
    allowed = np.ones(13, dtype=bool)
    allowed[1] = False
    assert transitions.best(query([0] * SHORT, allowed=allowed), 5).tolist() == [8]


def test_a_filter_does_not_move_the_scores(transitions):
    allowed = np.zeros(13, dtype=bool)
    allowed[8] = True
    assert transitions.score(query([0], allowed=allowed), np.array([8])) == transitions.score(query([0]), np.array([8]))


def test_likings_are_counted_by_rating_and_without_the_person_who_asks(transitions):
    assert transitions.liked_both(0, 1) == (8, 10)
    assert transitions.liked_both(0, 1, without="p1") == (7, 9)
    assert transitions.liked_both(0, 8) == (0, 10)  # Heat was rated 1 by all
    assert transitions.liked_both(1, 0) == (8, 8)


def test_what_was_learned_survives_the_disk(transitions, tmp_path):
    transitions.save(tmp_path / "transitions.npz")
    again = Transitions.load(tmp_path / "transitions.npz")
    assert again.fingerprint == "print"
    assert again.liked_both(0, 1, without="p1") == (7, 9)
    assert np.array_equal(again.score(query([0]), np.arange(13)), transitions.score(query([0]), np.arange(13)))


def test_a_damaged_file_says_what_to_do(tmp_path):
    (tmp_path / "transitions.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(WorkspaceError, match="index rebuild"):
        Transitions.load(tmp_path / "transitions.npz")


def test_no_interactions_are_no_obstacle(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.put_items(films())
    learned = Transitions.learn(store.interaction_columns())
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
        few, many = (fuse(agent.lister.sources, asked, k, Weights()) for k in (3, 10))
        assert many.positions[:3].tolist() == few.positions.tolist()
        assert {name: len(v) for name, v in many.by_source.items()} == {
            "transitions": 10,
            "semantic": 10,
            "lexical": 10,
            "named": 10,
            "reactions": 10,
        }


def test_a_filter_that_leaves_one_item_finds_it(tmp_path):
    with open_small(tmp_path / "w") as agent:
        allowed = np.zeros(13, dtype=bool)
        allowed[9] = True
        asked = query([0], wishes="toys", allowed=allowed, filters=(Filter("year", "<=", 1950),))
        assert fuse(agent.lister.sources, asked, 5, Weights()).positions.tolist() == [9]


def test_of_one_work_the_best_alone_is_a_candidate(tmp_path):
    with open_small(tmp_path / "w") as agent:
        asked, sources = query([0], wishes="tense and funny"), agent.lister.sources
        works = np.array([0, 0, 2, 3, 3, 3, 6, 7, 8, 9, 10, 11, 11])
        every = fuse(sources, asked, 13, Weights()).positions.tolist()
        first = [p for at, p in enumerate(every) if works[p] not in works[every[:at]]]
        for k in (3, 9, 13):
            assert fuse(sources, asked, k, Weights(), works).positions.tolist() == first[:k]


def test_chinese_words_are_found_within_a_text():
    texts = ("太空中的一次漫长旅行", "海边的小镇", "一个关于太空的故事")
    items = [Item(str(n), f"影片{n}", text, {}) for n, text in enumerate(texts)]
    lexical, positions = Lexical(items), np.arange(len(items))
    scores = lexical.score(query(wishes="太空旅行", n=len(items)), positions)
    assert scores[0] > scores[2] > 0 == scores[1]
