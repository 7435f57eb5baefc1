"""What is shown about the items of a list: numbers that can be worked out again, and words of the page's language."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import open_small

from agent.ranking.scoring import final_scores
from agent.schema import Candidate, Intent, Item, Recommendation, Reply
from ui.listing import formula, standardised
from ui.messages import item_said
from ui.why import trace
from ui.words import ENGLISH, WORDS

SUM = re.compile(r"\((?:retrieval|model) ([-+]) ([\d.e+-]+)\) / ([\d.e+-]+)")


def replied(retrieval, model, weight):
    """A reply whose candidates were ranked by these scores."""
    final = final_scores(np.array(retrieval), np.array(model), weight)
    rows = zip(retrieval, model, final, strict=True)
    candidates = tuple(
        Candidate(Item(str(n), f"Film {n}"), {"retrieval": r, "model": m, "final": float(f)})
        for n, (r, m, f) in enumerate(rows)
    )
    first = Recommendation(1, candidates[0].item, candidates[0].scores["final"])
    return Reply("t", None, Intent(), (first,), candidates=candidates, model_weight=weight)


@pytest.mark.parametrize(
    ("retrieval", "model", "weight"),
    [([1.171, 0.902, 0.4], [5.635, -2.25, 1.0], 0.3), ([-3.0, -1.0], [0.25, 0.5], 2.0), ([1.0, 2.5], [7.0, 8.0], 0.0)],
)
def test_a_score_can_be_worked_out_by_hand_from_what_is_printed(retrieval, model, weight):
    reply = replied(retrieval, model, weight)
    said = formula(reply)
    parts = [(float(f"{sign}{mean}"), float(spread)) for sign, mean, spread in SUM.findall(said)]
    assert len(parts) == 1 + bool(weight)
    for candidate in reply.candidates:
        shown = [round(candidate.scores[name], 3) for name in ("retrieval", "model")]
        terms = [(value + mean) / spread for value, (mean, spread) in zip(shown, parts, strict=False)]
        assert math.isclose(terms[0] + weight * sum(terms[1:]), candidate.scores["final"], abs_tol=0.01)


def test_scores_that_do_not_differ_add_nothing_and_none_are_named_without_candidates():
    assert standardised("model", replied([1.0, 2.0], [4.0, 4.0], 1.0).candidates) == "0"
    assert formula(Reply("t", None, Intent(), model_weight=0.25)) == "score = retrieval + 0.25 x model"


@pytest.mark.parametrize("words", WORDS.values(), ids=str)
def test_the_page_prints_the_same_numbers(words):
    html = trace(replied([1.171, 0.902, 0.4], [5.635, -2.25, 1.0], 0.3), "film", words)
    mean, spread = np.mean([1.171, 0.902, 0.4]), np.std([1.171, 0.902, 0.4])
    assert f"− {mean:.4g}) ÷ {spread:.4g} + 0.3 × (" in html


def test_a_turn_of_an_older_version_claims_nothing_of_its_weight():
    reply = replace(replied([1.0, 2.0], [4.0, 3.0], 0.5), model_weight=None)
    assert ENGLISH("trace.order") not in trace(reply, "film", ENGLISH)
    assert ENGLISH("trace.order") in trace(replace(reply, model_weight=0.0), "film", ENGLISH)


def test_a_real_list_prints_what_makes_its_scores(tmp_path):
    with open_small(tmp_path) as agent:
        reply = agent.recommend(intent="a crime film", n=3)
        (r_mean, r_spread), (m_mean, m_spread) = (
            (float(f"{sign}{mean}"), float(spread)) for sign, mean, spread in SUM.findall(formula(reply))
        )
        for one in reply.recommendations:
            scores = next(c.scores for c in reply.candidates if c.item.item_id == one.item.item_id)
            made = (scores["retrieval"] + r_mean) / r_spread
            made += reply.model_weight * (scores["model"] + m_mean) / m_spread
            assert math.isclose(made, one.score, abs_tol=0.01)


FILM = Item("x", "X (1994)", "", {"genres": ("Comedy", "War"), "countries": ("United States", "China"), "cast": ("A",)})


def test_kinds_and_countries_of_a_chinese_card_are_chinese_and_names_stay():
    said = item_said(FILM, WORDS["zh"])
    assert said.attributes == {"genres": ("喜剧", "战争"), "countries": ("美国", "中国"), "cast": ("A",)}
    assert item_said(FILM, ENGLISH) == FILM
