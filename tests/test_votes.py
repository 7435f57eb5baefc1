"""Votes of blind comparisons: what they add up to, and that they are kept, told and forgotten with the person."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest
from conftest import open_small
from scipy.stats import binomtest
from test_cli import run

from agent.errors import InputError, UnknownPersonError
from agent.people import as_csv
from agent.votes import Side, Vote, left_share, tally, wilson
from agent.workspace.store import Store

SERVED = Side("as served", "m", None, "recommend/rank@1+justify@2", ("1", "2"))
EDITED = Side("edited", "m", None, "recommend/rank@9+justify@2", ("2", "1"))
TUNED = Side("adapter x", "m", "x", "recommend/rank@1+justify@2", ("3",))


def vote(number, left, right, verdict, user_id=None):
    return Vote(f"v{number}", user_id, "a comedy", left, right, verdict, 100.0 + number)


@pytest.mark.parametrize(("won", "n"), [(0, 1), (1, 1), (1, 2), (7, 10), (50, 100), (990, 1000)])
def test_the_interval_is_that_of_wilson(won, n):
    expected = binomtest(won, n).proportion_ci(method="wilson")
    assert wilson(won, n) == pytest.approx((won / n, expected.low, expected.high), abs=1e-6)


def test_without_votes_anything_is_possible():
    assert wilson(0, 0) == (0.5, 0.0, 1.0)
    with pytest.raises(InputError, match="2 of 1"):
        wilson(2, 1)


def test_a_pair_is_one_pair_whichever_side_one_stood_on():
    cast = [
        vote(1, SERVED, EDITED, "right"),
        vote(2, EDITED, SERVED, "left"),
        vote(3, SERVED, EDITED, "left"),
        vote(4, SERVED, EDITED, "tie"),
        vote(5, EDITED, SERVED, "bad"),
        vote(6, TUNED, SERVED, "left"),
    ]
    first, second = tally(cast)
    assert (first.first.name, first.second.name) == ("edited", "as served")
    assert (first.won, first.lost, first.ties, first.bad) == (2, 1, 1, 1)
    assert first.interval[0] == pytest.approx(2 / 3) and not first.is_clear
    assert (second.first.name, second.won, second.lost) == ("adapter x", 1, 0)
    assert left_share(cast) == (3, 4)


def test_it_is_clear_once_the_interval_leaves_out_one_half():
    few, many = ([vote(n, EDITED, SERVED, "left") for n in range(k)] for k in (3, 6))
    assert not tally(few)[0].is_clear and tally(many)[0].is_clear


def test_an_edited_file_is_another_contender_and_a_copy_in_another_folder_is_the_same():
    edited_again = replace(EDITED, prompt="recommend/rank@10+justify@2")
    copied = replace(EDITED, name="prompts mine", prompt="mine/rank@9+justify@2")
    cast = [vote(1, SERVED, EDITED, "left"), vote(2, SERVED, edited_again, "left"), vote(3, SERVED, copied, "right")]
    assert sorted((one.won, one.lost) for one in tally(cast)) == [(1, 0), (1, 1)]


def test_a_vote_is_on_the_disk_and_is_cast_once(small):
    store = small.workspace.store
    given = vote(1, SERVED, EDITED, "left", "p1")
    store.put_vote(given)
    with sqlite3.connect(store.path) as other:
        assert other.execute("SELECT verdict FROM votes").fetchall() == [("left",)]
    other.close()
    with pytest.raises(InputError, match="voted on already"):
        store.put_vote(replace(given, verdict="right"))
    with pytest.raises(InputError, match="left, right, tie, bad"):
        store.put_vote(replace(given, vote_id="v2", verdict="best"))
    assert store.votes() == [given]


def test_a_vote_that_names_a_person_is_theirs(small):
    store = small.workspace.store
    store.put_vote(vote(1, SERVED, EDITED, "left", "p1"))
    store.put_vote(vote(2, SERVED, EDITED, "tie", "p1"))
    store.put_vote(vote(3, SERVED, EDITED, "right"))
    known = small.known_of("p1")
    assert [(one["entry"], one["verdict"], one["request"]) for one in known["votes"]] == [
        ("vote:v1", "left", "a comedy"),
        ("vote:v2", "tie", "a comedy"),
    ]
    json.dumps(known, allow_nan=False)
    assert "vote:v2,,,tie,,a comedy" in as_csv(known)
    small.delete_entry("p1", "vote:v2")
    with pytest.raises(InputError, match="no entry"):
        small.delete_entry("p2", "vote:v1")
    assert small.forget("p1")["votes"] == 1
    assert [one.vote_id for one in store.votes()] == ["v3"]


def test_of_somebody_unknown_a_vote_is_all_that_is_known(small):
    small.workspace.store.put_vote(vote(1, SERVED, EDITED, "left", "stranger"))
    assert len(small.known_of("stranger")["votes"]) == 1
    small.forget("stranger")
    with pytest.raises(UnknownPersonError):
        small.known_of("stranger")


def test_a_store_of_before_gets_votes(tmp_path):
    open_small(tmp_path / "w").close()
    path = tmp_path / "w" / "store.sqlite"
    with sqlite3.connect(path) as old:
        for table in ("votes", "sign_ins", "accounts"):  # those of this version and of later ones
            old.execute(f"DROP TABLE {table}")
        old.execute("PRAGMA user_version = 3")
    old.close()
    store = Store(path)
    store.put_vote(vote(1, SERVED, EDITED, "left"))
    assert len(store.votes()) == 1
    store.close()


def test_the_command(tmp_path):
    with open_small(tmp_path / "w") as agent:
        none = run("votes", "-w", str(tmp_path / "other"))
        assert none.exit_code == 2
        for number in range(6):
            agent.workspace.store.put_vote(vote(number, EDITED, SERVED, "left"))
        agent.workspace.store.put_vote(vote(9, SERVED, replace(TUNED, name="\x1b[31mred"), "tie"))
    told = run("votes", "-w", str(tmp_path / "w"))
    assert told.exit_code == 0 and "1.00 (0.61 to 1.00)" in told.stdout and "\x1b[31m" not in told.stdout
    assert "The left list won 6 of 6" in told.stderr
    said = json.loads(run("votes", "-w", str(tmp_path / "w"), "--json").stdout)
    assert said["votes"] == 7 and said["pairs"][0]["first"]["name"] == "edited" and said["pairs"][0]["clear"]
    assert said["pairs"][1]["won"] == 0 and said["left_side"]["decided"] == 6


def test_the_command_without_votes(tmp_path):
    open_small(tmp_path / "w").close()
    assert "no votes yet" in run("votes", "-w", str(tmp_path / "w")).stdout
