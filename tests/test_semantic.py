"""Meaning: a wish is compared with what items are about, a taste with whole items."""

import numpy as np
import pytest

from agent.retrieval.base import Query
from agent.retrieval.lexical import Lexical
from agent.retrieval.semantic import Semantic, Space
from agent.retrieval.substance import ENOUGH, LITTLE, substance
from agent.schema import Item
from agent.workspace.encoder import HashEncoder
from agent.workspace.vectors import ABOUT
from agent.workspace.workspace import Workspace

FILLING = " ".join(f"plain{n}" for n in range(ENOUGH))
ITEMS = (
    Item("1", "Slow sad love", f"Robbers hide money in a cellar {FILLING}"),
    Item("2", "Heist", f"A slow sad love {FILLING}"),
    Item("3", "Slow love", f"Dogs and cats {FILLING}"),
)


@pytest.fixture
def workspace(tmp_path):
    with Workspace.create(tmp_path) as made:
        made.store.put_items(ITEMS)
        yield made


def meaning(workspace):
    encoder = HashEncoder()
    ids, whole = workspace.vectors(encoder)
    about = workspace.vectors(encoder, view=ABOUT)[1]
    space = Space(workspace.index(encoder, view=ABOUT), about, substance(workspace.store.items()))
    return Semantic(workspace.index(encoder), encoder, ids, whole, space)


def query(wishes="", history=(), n=3):
    history = np.array(history, dtype=np.int64)
    allowed = np.ones(n, dtype=bool)
    allowed[history] = False
    return Query(history, np.full(len(history), np.nan), wishes, wishes, "", (), allowed, 0.5)


def test_a_wish_is_found_by_what_happens_and_not_by_what_is_in_a_title(workspace):
    asked = query("a slow sad love")
    found = meaning(workspace)
    assert found.best(asked, 1).tolist() == [1]
    scores = found.score(asked, np.arange(3))
    assert scores[1] > max(scores[0], scores[2])


def test_a_taste_is_compared_with_whole_items(workspace):
    liked = query(history=[0])
    whole = workspace.vectors(HashEncoder())[1]
    assert meaning(workspace).score(liked, np.arange(3)) == pytest.approx(whole @ whole[0], abs=1e-6)
    assert meaning(workspace).best(liked, 2).tolist() == (1 + np.argsort(-(whole @ whole[0])[1:])).tolist()


def test_a_text_that_says_little_counts_less(workspace):
    short = Item("4", "Short", "sad love")
    assert substance([*ITEMS, short]).tolist() == pytest.approx([1.0, 1.0, 1.0, LITTLE])
    assert substance([ITEMS[0], short, short]).tolist() == [1.0] * 3  # where most say little, nobody stands out by it
    workspace.store.put_items([short])
    found, asked = meaning(workspace), query("sad love", n=4)
    cosine = float(HashEncoder().encode(["sad love"])[0] @ HashEncoder().encode(["sad love"])[0])
    assert found.score(asked, np.array([3]))[0] == pytest.approx(LITTLE * cosine, abs=1e-5)
    assert found.best(asked, 4).tolist() == np.argsort(-found.score(asked, np.arange(4)), kind="stable").tolist()


def test_words_of_a_text_that_says_little_count_less_too():
    rich, poor = Item("1", "A", f"comedy {FILLING}"), Item("2", "B", "comedy")
    assert Lexical([rich, rich, rich, poor]).score(query("comedy", n=4), np.array([3])) == pytest.approx([LITTLE])
    assert Lexical([rich, poor, poor, poor]).score(query("comedy", n=4), np.array([3])) == pytest.approx([1.0])
