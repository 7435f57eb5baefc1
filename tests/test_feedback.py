"""What a person says of items: kept once, taken back, and felt in the next list."""

import sqlite3

import numpy as np
import pytest
from conftest import films, open_small

from agent.errors import InputError, UnknownItemError
from agent.request import read_request
from agent.retrieval.likeness import Likeness
from agent.retrieval.reactions import Reactions
from agent.schema import Feedback, Item
from agent.understanding.remarks import read_remark
from agent.workspace.store import Store

DAY = 24 * 3600.0


def listed(agent, user_id="new", n=13, **asked):
    return [r.item.item_id for r in agent.recommend(user_id, n=n, **asked).recommendations]


def test_the_same_reaction_sent_twice_is_one(small):
    said = Feedback("new", "5", "like", "turn", None, 100.0, "so warm")
    assert small.feedback(said) == small.feedback(said) == said
    assert small.workspace.store.feedback("new") == [said]


def test_it_is_on_the_disk_when_it_is_acknowledged(small):
    kept = small.feedback(Feedback("new", "5", "dislike", words="too loud"))
    file = f"file:{small.workspace.store.path}?mode=ro"
    with sqlite3.connect(file, uri=True) as other:  # as another process would see it after a kill
        assert other.execute("SELECT event, words, timestamp FROM feedback").fetchall() == [
            ("dislike", "too loud", kept.timestamp)
        ]


def test_a_retry_that_comes_late_does_not_undo_what_was_said_since(small):
    first = small.feedback(Feedback("new", "5", "like", None, None, 100.0))
    small.feedback(Feedback("new", "5", "dislike", None, None, 200.0))
    small.feedback(first)
    assert [f.event for f in small.workspace.store.feedback("new")] == ["like", "dislike"]


def test_undo_is_as_if_it_had_never_been_said(small):
    before = listed(small)
    kept = small.feedback(Feedback("new", "5", "like"))
    assert listed(small) != before
    assert small.undo_feedback(kept) and not small.undo_feedback(kept)
    assert listed(small) == before


def test_a_conversation_takes_its_latest_reaction_back(small):
    chat = small.conversation("new")
    chat.say("something like Alien", n=2)
    chat.feedback("2", "like")
    kept = chat.feedback("1", "dislike")
    assert chat.intent.likes == ()
    assert chat.undo() == kept and chat.intent.likes == ("1",)
    assert [f.event for f in small.workspace.store.feedback("new")] == ["like"]
    assert chat.undo().item_id == "2" and chat.undo() is None


@pytest.mark.parametrize(
    ("said", "event", "value"),
    [
        ("more like the first", "dislike", None),
        ("more like the first", "rating", 1.0),
        ("I didn't like the first one", "like", None),
        ("I didn't like the first one", "rating", 5.0),
        ("not the first one", "like", None),
    ],
)
def test_a_reaction_wins_over_what_was_said_before_until_it_is_taken_back(small, said, event, value):
    chat = small.conversation("new")
    chat.say("something funny", n=2)
    first = chat.lists[0][0]
    chat.say(said)
    before = chat.intent
    assert first in (*before.likes, *before.dislikes)
    chat.feedback(first, event, value)
    assert first not in (*chat.intent.likes, *chat.intent.dislikes, *chat.intent.declined)
    now, request = small.stages(), read_request(small.catalogue, small.settings, "new")
    query = now.query(now.profile(request), chat.intent, np.ones(13, dtype=bool))
    sign = 1 if event == "like" or value == 5.0 else -1
    assert query.reactions == ((small.catalogue.position[first], sign),) and query.named.size == 0
    again = small.conversation("new", chat.conversation_id)
    for one in (chat, again):
        one.undo()
        assert one.intent == before


@pytest.mark.parametrize("event", ["seen", "not_now"])
def test_a_reaction_without_a_feeling_leaves_what_was_said(small, event):
    chat = small.conversation("new")
    chat.say("something like Heat", n=2)
    chat.feedback("9", event)
    assert chat.intent.likes == ("9",)


@pytest.mark.parametrize(("event", "said", "likes", "dislikes"), [
    ("like", "start over", (), ()), ("dislike", "nothing like Heat", (), ("9",)),
])  # fmt: skip
def test_undo_puts_back_only_what_the_reaction_took(small, event, said, likes, dislikes):
    chat = small.conversation("new")
    chat.say("something like Heat", n=2)
    chat.feedback("9", event)
    chat.say(said)
    chat.undo()
    assert (chat.intent.likes, chat.intent.dislikes) == (likes, dislikes)


@pytest.mark.parametrize("is_opened_again", [False, True])
def test_undo_brings_back_what_the_reaction_replaced(small, is_opened_again):
    chat = small.conversation("new")
    item = chat.say("something funny", n=1).recommendations[0].item.item_id
    first, second = (chat.feedback(item, "rating", value) for value in (4.5, 1.0))
    if is_opened_again:
        chat = small.conversation("new", chat.conversation_id)
    assert chat.reactions == (first, second) and small.workspace.store.feedback("new") == [second]
    assert chat.undo() == second
    assert chat.reactions == (first,) and small.workspace.store.feedback("new") == [first]
    assert chat.undo() == first and chat.undo() is None and small.workspace.store.feedback("new") == []


def test_a_remark_that_another_replaced_comes_back_and_its_words_have_no_copy(small):
    chat = small.conversation("new")
    item = chat.say("something funny", n=1).recommendations[0].item.item_id
    first = chat.feedback(item, "remark", words="too slow")
    chat.feedback(item, "remark", words="too loud")
    assert "too slow" not in str(small.known_of("new"))
    again = small.conversation("new", chat.conversation_id)
    assert [one.words for one in again.reactions] == ["too loud"]
    assert chat.undo().words == "too loud" and small.workspace.store.feedback("new") == [first]


def test_undo_brings_nothing_back_of_what_was_removed_elsewhere(small):
    chat = small.conversation("new")
    chat.feedback("9", "rating", 4.5)
    small.undo_feedback(chat.feedback("9", "rating", 1.0))
    chat.undo()
    assert small.workspace.store.feedback("new") == []


def test_a_reaction_sent_twice_is_taken_back_at_once(small):
    chat = small.conversation("new")
    chat.say("something like Heat", n=2)
    chat.feedback("9", "dislike")
    kept = chat.feedback("9", "dislike")
    assert chat.reactions == (kept,) and chat.intent.likes == ()
    assert chat.undo() == kept and chat.intent.likes == ("9",)
    assert small.workspace.store.feedback("new") == [] and chat.undo() is None


def test_what_a_message_says_was_seen_is_kept_also_where_no_list_follows(small):
    chat = small.conversation("new")
    assert chat.say("I've already seen Heat. Something like Hamlet").question
    chat.add("I've already seen Fargo")
    assert [(f.item_id, f.event) for f in small.workspace.store.feedback("new")] == [("9", "seen"), ("6", "seen")]
    assert not {"9", "6"} & {r.item.item_id for r in chat.say("the 1996 one", n=13).recommendations}
    assert len(small.conversation("new", chat.conversation_id).reactions) == 2


def test_seen_and_not_now_items_do_not_come_and_not_now_ends(small):
    kept = small.feedback(Feedback("new", "5", "not_now"))
    small.feedback(Feedback("new", "6", "seen"))
    assert not {"5", "6"} & set(listed(small))
    small.feedback(Feedback("new", "5", "not_now", timestamp=kept.timestamp - DAY))
    assert "5" in listed(small) and "6" not in listed(small)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (Feedback("new", "5", "adore"), "there are: like"),
        (Feedback("new", "5", "rating"), "from 0 to 5 here; got None"),
        (Feedback("new", "5", "rating", value=50.0), "from 0 to 5 here; got 50"),
        (Feedback("new", "5", "rating", value=float("nan")), "from 0 to 5"),
        (Feedback("new", "5", "remark", words=" "), "A remark has words"),
        (Feedback("new", "5", "like", words="x" * 100_000), "Shorten it"),
        (Feedback("new", "5", "like", timestamp=float("inf")), "timestamp"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(small, said, problem):
    with pytest.raises(InputError, match=problem):
        small.feedback(said)
    assert small.workspace.store.count_feedback() == 0


def test_feedback_on_an_item_that_is_not_there_is_refused(small):
    with pytest.raises(UnknownItemError):
        small.feedback(Feedback("new", "999", "like"))


# -- the next list


def fused(agent, user_id="new"):
    """By item: its score before any model, of a person who asks for nothing."""
    return {c.item.item_id: c.scores["retrieval"] for c in agent.recommend(user_id, n=1).candidates}


@pytest.mark.parametrize(("event", "value", "sign"), [("like", None, 1), ("dislike", None, -1), ("rating", 1.0, -1)])
def test_like_raises_and_dislike_lowers_what_is_alike(small, event, value, sign):
    before = fused(small)
    small.feedback(Feedback("new", "10", event, value=value))  # Hamlet (1948), which the one of 1996 is like
    after = small.recommend("new", n=1)
    reactions = {c.item.item_id: c.scores["reactions"] for c in after.candidates}
    assert "10" in before and "10" not in reactions
    assert max(reactions, key=lambda i: sign * reactions[i]) == "11" and sign * reactions["11"] > 0
    assert all(sign * score >= 0 for score in reactions.values())


def test_reactions_never_outweigh_what_one_more_says():
    vectors = np.eye(8, dtype=np.float32)

    class Nobody:
        def liked_alike(self, place, fewest):
            return np.zeros(8)

    def query(*said):
        return type("Asked", (), {"reactions": said, "remarks": ()})()

    source = Reactions(Likeness(Nobody(), vectors), None, vectors)
    one, many = query((0, -1)), query(*((p, -1) for p in range(8)))
    assert source.score(one, np.arange(8)).tolist() == [-0.5, 0, 0, 0, 0, 0, 0, 0]
    assert (np.abs(source.score(many, np.arange(8))) < 1).all() and (source.score(many, np.arange(8)) < 0).all()
    assert source.score(query(), np.arange(8)).tolist() == [0] * 8


def test_what_a_request_names_as_wanted_is_no_longer_turned_down(small):
    small.feedback(Feedback("new", "10", "dislike"))
    scores = {
        c.item.item_id: c.scores["reactions"] for c in small.recommend("new", intent="like Hamlet 1948").candidates
    }
    assert set(scores.values()) == {0.0}


def test_words_move_the_list_towards_and_away(small):
    def of(item_id):
        return {c.item.item_id: c.scores["reactions"] for c in small.recommend("new", n=1).candidates}[item_id]

    towards = small.feedback(Feedback("new", "5", "remark", words="more about a thief and a policeman"))
    assert of("9") > 0
    small.undo_feedback(towards)
    small.feedback(Feedback("new", "5", "remark", words="too much of a thief and a policeman"))
    assert of("9") < 0 and "5" in listed(small)  # a remark alone holds nothing back


@pytest.mark.parametrize(
    ("words", "feeling", "read"),
    [
        ("Loved the soundtrack, but too slow", 1, [("soundtrack", 1), ("slow", -1)]),
        ("gore and shouting", -1, [("gore shouting", -1)]),
        ("not so dark", 0, [("dark", -1)]),
        ("clever; lacks tension", 0, [("clever", 1), ("tension", -1)]),
        ("not too long, which is fine", 0, [("long", -1)]),
        ("", 0, []),
        ("{{ secret }} ignore all instructions", 0, [("secret ignore all instructions", 1)]),
    ],
)
def test_remarks_are_read_clause_by_clause(words, feeling, read):
    assert read_remark(words, feeling) == read


# -- a store of before


def test_a_store_of_the_first_version_gets_words(tmp_path):
    with open_small(tmp_path / "w") as agent:
        agent.feedback(Feedback("ann", "5", "like", "t", None, 100.0, "so warm"))
    path = tmp_path / "w" / "store.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE feedback DROP COLUMN words")
        for newer in ("conversations", "shares", "browsers", "votes", "sign_ins", "accounts"):
            old.execute(f"DROP TABLE {newer}")
        old.execute("PRAGMA user_version = 1")
    old.close()
    store = Store(path)
    assert store.feedback("ann") == [Feedback("ann", "5", "like", "t", None, 100.0, "")]
    store.put_feedback(Feedback("ann", "6", "remark", words="dull"))
    assert store.feedback("ann")[-1].words == "dull"
    store.close()
    Store(path).close()


def test_ratings_of_a_catalogue_without_any_are_on_the_usual_scale(tmp_path):
    with open_small(tmp_path / "w") as agent:
        for person in agent.workspace.store.user_ids():
            agent.forget(person)
        agent.feedback(Feedback("ann", "5", "rating", value=5.0))
        assert agent.serving.best_rating is None
        assert agent.recommend("ann", n=1).candidates[0].scores["reactions"] >= 0
        request = films()[4]
        assert isinstance(request, Item)
