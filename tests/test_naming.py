"""Titles that are liked, titles that were met, and titles named only as an example of what is wanted."""

from __future__ import annotations

import numpy as np
import pytest
from test_chinese import CATALOGUE as CHINESE
from written import catalogue

from agent.justification.claims import check
from agent.retrieval.likeness import Shared
from agent.schema import Evidence, Intent, Item
from agent.understanding.dialogue import State, understand
from agent.understanding.intent import follow_up, parse_intent
from agent.workspace.catalogue import Catalogue


def named(text, known=None):
    """liked / examples / met, by the bare titles."""
    known = known or catalogue("films")
    intent = parse_intent(text, known)
    assert {*intent.examples, *intent.met} <= {*intent.likes}
    lists = (intent.liked, intent.examples, intent.met)
    return tuple(" ".join(known.get(i).title.split(" (")[0] for i in ids) for ids in lists)


@pytest.mark.parametrize(
    ("text", "liked", "examples", "met"),
    [
        ("something like Fargo", "", "Fargo", ""),
        ("I'd like something like Fargo", "", "Fargo", ""),
        ("I'd love a film like Fargo", "", "Fargo", ""),
        ("in the vein of Fargo", "", "Fargo", ""),
        ("similar to Alien and Fargo", "", "Alien Fargo", ""),
        ("more like Fargo", "", "Fargo", ""),
        ("Fargo but newer", "", "Fargo", ""),
        ("my wife loves Fargo", "", "Fargo", ""),
        ("I loved Fargo", "Fargo", "", ""),
        ("I like Fargo and Heat", "Fargo Heat", "", ""),
        ("more like Fargo, which I loved", "Fargo", "", ""),
        ("Fargo was great", "Fargo", "", ""),
        ("my favourite films are Alien and Fargo", "Alien Fargo", "", ""),
        ("Alien and Heat, loved both", "Alien Heat", "", ""),
        ("I loved Fargo. Something like Heat, but not horror", "Fargo", "Heat", ""),
        ("I really enjoyed Fargo and want something similar to Heat", "Fargo", "Heat", ""),
        ("something like Fargo. I loved Fargo", "Fargo", "", ""),
        ("I saw Heat yesterday", "", "", "Heat"),
        ("I watched Alien and Blade Runner", "", "", "Alien Blade Runner"),
    ],
)
def test_only_words_of_liking_make_a_title_liked(text, liked, examples, met):
    assert named(text) == (liked, examples, met)


@pytest.mark.parametrize(
    ("text", "liked", "examples", "met"),
    [
        ("像《活着》一样的电影", "", "活着", ""),
        ("喜欢悬疑片，和《无间道》差不多的", "", "无间道", ""),
        ("我喜欢《活着》", "活着", "", ""),
        ("看过《英雄》", "", "", "英雄"),
        ("我很喜欢《活着》，想看像《无间道》那样的", "活着", "无间道", ""),
    ],
)
def test_so_in_chinese(text, liked, examples, met):
    assert named(text, CHINESE) == (liked, examples, met)


def test_a_liking_is_not_forgotten_and_can_come_later():
    liked, example = Intent(likes=("1",)), Intent(likes=("1",), examples=("1",))
    assert follow_up(liked, example).liked == ("1",)
    assert follow_up(example, liked).liked == ("1",)
    assert follow_up(example, Intent()).examples == ("1",)


@pytest.mark.parametrize(
    ("text", "liked"), [("more like the second", False), ("I loved the second, more of that", True)]
)
def test_an_item_of_the_list_that_is_pointed_at(text, liked):
    films = catalogue("films")
    shown = tuple(films.resolve(t) for t in ("Alien (1979)", "Fargo (1996)"))
    after = understand(text, State(lists=(shown,)), films).intent
    assert after.likes == (shown[1],)
    assert after.liked == (after.likes if liked else ())


def test_a_reason_says_named_and_not_liked(small):
    reply = small.recommend("new", intent="something like Alien")
    reasons = [r for r in reply.recommendations for e in r.evidence if e.kind == "example"]
    assert reasons and not any(e.kind in ("liked", "feedback") for r in reply.recommendations for e in r.evidence)
    assert all("you liked" not in r.justification.lower() for r in reply.recommendations)
    assert any("Alien (1979)" in r.justification for r in reasons)
    assert not small.workspace.store.feedback("new") and not small.workspace.store.interactions("new")


def test_somebody_who_rated_it_high_is_told_that_they_like_it(small):
    reply = small.recommend("p9", intent="something like Alien")
    assert {e.kind for r in reply.recommendations for e in r.evidence if e.item_ids == ("1",)} >= {"liked"}
    assert not any(e.kind == "example" for r in reply.recommendations for e in r.evidence)


ITEM = Item("2", "Aliens (1986)", "", {"genres": ("Action", "Sci-Fi")})
SMALL = Catalogue([Item("1", "Alien (1979)", "", {"genres": ("Sci-Fi",)}), ITEM], {"genres": "list"})


@pytest.mark.parametrize(
    ("text", "as_example", "as_liked"),
    [
        ("You asked for something like Alien (1979), and this is a sci-fi film.", True, False),
        ("Like Alien (1979), which you named, it is a sci-fi film.", True, False),
        ("You named Alien (1979), and this is a sci-fi film too.", True, False),
        ("You liked Alien (1979), and this is a sci-fi film.", False, True),
        ("Like Alien (1979), which you liked, it is a sci-fi film.", False, True),
        ("You asked for something like Alien (1979), and this is a comedy film.", False, False),
    ],
)
def test_the_checker_knows_a_name_from_a_liking(text, as_example, as_liked):
    for kind, passes in (("example", as_example), ("liked", as_liked)):
        known = Evidence(kind, "-", ("1",), "genres", ("Sci-Fi",))
        kinds = Evidence("property", "It is an action and sci-fi film.", (), "genres", ("Action", "Sci-Fi"))
        assert check(text, ITEM, (known, kinds), SMALL).ok == passes


def test_an_intent_given_whole_says_which_are_examples(small):
    given = Intent("x", likes=("Alien (1979)",), examples=("Alien (1979)", "no longer there"))
    intent = small.recommend("new", intent=given, n=1).intent
    assert intent.likes == intent.examples == ("1",) and not intent.liked


# -- retrieval


def test_what_shares_rare_values_is_more_alike():
    def item(name, *genres, director):
        return Item(name, name, "", {"genres": genres, "directors": (director,), "year": 1990})

    items = [item("a", "Drama", director="X"), item("b", "Drama", director="X"), item("c", "Drama", director="Y")]
    items += [item("d", "War", director="Z"), Item("e", "e")]
    found = Shared(Catalogue(items, {"genres": "list", "directors": "list", "year": "number"})).to(0)
    assert found[0] == pytest.approx(1) and found[1] == pytest.approx(1)
    assert 0 < found[2] < 0.5 and found[3] == found[4] == 0
    assert np.isfinite(found).all()


def test_a_named_title_outweighs_what_is_popular(small):
    def place(intent):
        return [c.item.title for c in small.recommend("new", intent=intent).candidates].index("Hamlet (1996)")

    assert place("something like Hamlet (1948)") == 0 < place("something")
    assert place("I loved Hamlet (1948)") == 0


def test_nothing_is_named_without_a_title(small):
    assert {c.scores["named"] for c in small.recommend("p9", intent="a tense film").candidates} == {0.0}
