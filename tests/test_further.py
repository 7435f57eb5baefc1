"""Bounds that were asked for, what a reason says twice, and what "why the third?" adds."""

from __future__ import annotations

import re

import pytest
from justified import ME, build, facts

from agent import answers
from agent.justification.bounds import asked_of, in_chinese
from agent.justification.chinese import sentence
from agent.justification.claims import check
from agent.justification.evidence import gather
from agent.justification.further import unsaid
from agent.justification.planning import plan_list
from agent.schema import Candidate, Filter, Intent, Item, Profile, Recommendation, Reply

SINCE, THRILLER = (Filter("year", ">=", 1991),), Filter("genres", "==", "Thriller")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return build(tmp_path_factory.mktemp("films") / "store.sqlite")


def gathered(films, item_id, profile=ME, **intent):
    return gather(films[0].get(item_id), facts(films, profile, **intent))


def passes(films, told, **intent):
    return check(told, films[0].get("terminator"), gathered(films, "terminator", **intent), films[0]).ok


@pytest.mark.parametrize(
    ("bounds", "text", "said"),
    [
        ({">=": 1996}, "newer than 1995", "after 1995"),
        ({">=": 1996}, "since 1996", "no earlier than 1996"),
        ({">=": 1996}, "newer than the first", "no earlier than 1996"),
        ({"<=": 1959}, "before 1960", "before 1960"),
        ({"<=": 1959}, "until 1959", "no later than 1959"),
        ({">=": 1982, "<=": 1988}, "1982 to 1988", "between 1982 and 1988"),
        ({">=": 1990, "<=": 1999}, "the 90s", "90s"),
        ({">=": 1995, "<=": 1995}, "1995", ""),
    ],
)
def test_what_was_asked_of_a_year(bounds, text, said):
    assert asked_of([Filter("year", op, value) for op, value in bounds.items()], text) == said


def test_what_was_asked_of_another_number():
    assert asked_of([Filter("price", "<", 10)], "below 10") == "below 10"
    both = asked_of([Filter("price", ">", 5), Filter("price", "<=", 9.5)], "")
    assert both == "above 5 and at most 9.5" and in_chinese(both) == "高于5、至多9.5"


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("It is from 1991, after 1990 as you asked.", True),
        ("As you asked, it is a thriller from 1991, after 1990.", True),
        ("This film is from 1991, after 1990 as you asked.", True),
        ("This film is from 1991, as you asked.", False),  # the very year was not
        ("It is from 1991, after 1989 as you asked.", False),
        ("It is from 1991, before 1990 as you asked.", False),
        ("It is from 1992, after 1990 as you asked.", False),
        ("It is from 1991, between 1990 and 1992 as you asked.", False),
        ("Fargo (1996) is from 1996, after 1990 as you asked.", False),
        ("Its price is 10, after 1990 as you asked.", False),
    ],
)
def test_a_bound_is_checked(films, text, true):
    assert passes(films, text, filters=(*SINCE, THRILLER), text="a thriller newer than 1990") is true


def test_a_year_that_was_bounded_is_said_with_its_bound_and_with_the_kind(films):
    asked = {"filters": (*SINCE, THRILLER), "text": "a thriller newer than 1990"}
    (plan,) = plan_list(
        [films[0].get("terminator")], [gathered(films, "terminator", Profile(), **asked)], "film", films[0]
    )
    assert plan.plain.startswith("As you asked, it is a thriller from 1991, after 1990.")
    (year,) = [e for e in plan.everything if e.kind == "constraint" and e.attribute == "year"]
    assert sentence(year, plan.item, "film", films[0]) == "1991年的作品，晚于1990年，符合你的要求。"


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        (("Film-Noir",), "It is a film-noir from 1944."),
        (("Crime", "Film-Noir"), "It is a film-noir and crime film from 1944."),
        (("Crime",), "It is a crime film from 1944."),
    ],
)
def test_a_kind_that_is_called_by_the_noun_needs_none(tmp_path, kinds, text):
    noir = Item("noir", "Laura (1944)", "", {"year": 1944, "genres": kinds})
    built = build(tmp_path / "s", [noir, *(Item(str(n), f"Filler {n}", "", {"year": 1990}) for n in range(5))])
    found = gather(noir, facts(built, Profile()))
    assert found[0].text == text
    said = f"This film is a {kinds[0].lower()} film from 1944."
    assert check(said, noir, found, built[0]).ok


def test_no_second_sentence_says_what_the_first_one_does(films):
    for asked in ({}, {"filters": (THRILLER,)}, {"filters": (Filter("directors", "==", "Joel Coen"),)}):
        items = [i for i in films[0].items if i.item_id != "bare"]
        for plan in plan_list(items, [gathered(films, i.item_id, **asked) for i in items], "film", films[0]):
            said = {value for value in plan.lead.values if not value.isdigit()}
            for value in said:
                assert len(re.findall(re.escape(value), plan.plain, re.IGNORECASE)) <= 1, plan.plain


def test_why_adds_what_the_reason_does_not_say(films):
    item = films[0].get("aliens")
    evidence = gathered(films, "aliens")
    reason = "Like Alien (1979), which you liked, it also stars Sigourney Weaver."
    one = Recommendation(2, item, 1.0, reason, True, "model", evidence)
    added = unsaid(one, films[0])
    assert added and not any("Sigourney" in e.text or "Alien (1979)" in e.text for e in added)
    ranked = [
        Candidate(i, {"final": f, "retrieval": f, "model": -f})
        for i, f in zip(films[0].items[:3], (3.0, 2.0, 1.0), strict=True)
    ]
    before = Reply("t", None, Intent(), (one,), candidates=tuple(ranked))
    said = answers.reasons([one], [before], films[0])
    assert reason not in said and said.startswith("Aliens (1986): ")
    assert said.endswith("Of 3 candidates it is number 2 by score: number 2 by retrieval and 2 by the language model.")


def test_a_reason_that_says_all_is_called_complete(films):
    one = Recommendation(1, films[0].get("bare"), 1.0, "Metropolis is here.", True, "plain")
    assert "all that is known" in answers.reasons([one], [], films[0])
