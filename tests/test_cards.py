"""The cards: what they show of an answer, and that no text of others becomes HTML."""

from __future__ import annotations

import pytest
from answering import HOSTILE

from agent.schema import Intent, Item, Recommendation, Reply
from ui.cards import cards, shares
from ui.view import View


def one(title="Alien (1979)", **fields):
    return Recommendation(**({"rank": 1, "item": Item("1", title), "score": 0.5} | fields))


def seen(state, *listed, **fields):
    reply = Reply("t", None, Intent(), listed, model=fields.pop("model", "a model"), timings_ms={"list": 800.0})
    return View((), reply, state, 1, **fields)


def test_nothing_of_a_hostile_item_becomes_html():
    item = Item('"><b>', HOSTILE, "", {"genres": ("<script>", "&amp;"), "by": "</li>"})
    listed = one(item=item, justification=f"</p>{HOSTILE}", verified=True, phrased_by="model")
    html = cards(seen("done", listed, model="<i>"))
    assert "<img" not in html and "<script" not in html and "<b>" not in html and "<i>" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert html.count('<li class="vr-card">') == 1 and html.count("</p>") == html.count("<p ") + html.count("<p>")
    assert 'data-item="&quot;&gt;&lt;b&gt;"' in html


def test_letters_that_turn_the_writing_direction_are_left_out():
    assert "\u202e" not in cards(seen("done", one("abc\u202edef")))


@pytest.mark.parametrize(
    ("state", "said"),
    [("writing", "Writing and checking"), ("stopped", "No reason: stopped."), ("failed", "No reason.")],
)
def test_a_reason_that_is_missing_says_why(state, said):
    assert said in cards(seen(state, one()))


def test_a_reason_says_that_it_was_checked_and_who_phrased_it():
    by_model = cards(seen("done", one(justification="It is.", verified=True, phrased_by="model"), model="Smol"))
    assert "✓ checked" in by_model and "phrased by Smol" in by_model and "a plain fact" not in by_model
    assert "a plain fact" in cards(seen("done", one(justification="It is.", verified=True, phrased_by="plain")))
    unchecked = cards(seen("done", one(justification="It is.", verified=False)))
    assert "not checked" in unchecked and "✓" not in unchecked


def test_the_button_that_was_pressed_is_marked():
    html = cards(seen("done", one(), marked={"1": "dislike"}))
    assert html.count('aria-pressed="true"') == 1
    assert 'data-event="dislike" data-item="1" aria-pressed="true"' in html and html.count('aria-pressed="false"') == 3


def test_bars_follow_the_scores():
    assert shares([one(score=2.0), one(score=1.0)]) == [1.0, 0.5]
    assert shares([one(score=1.0), one(score=-1.0)]) == [1.0, 0.2]
    assert shares([one(score=-3.0), one(score=-3.0)]) == [1.0, 1.0]
    assert shares([one(score=1.0), one(score=0.5), one(score=float("-inf"))]) == [1.0, 0.5, 0.06]
    assert shares([]) == []
