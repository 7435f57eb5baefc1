"""The page without a browser: what it shows, what it refuses, and that an answer ends when it is told to."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import SOON, in_a_loop, open_small

from agent.errors import InputError
from agent.generation.base import Piece
from agent.generation.fake import FakeGenerator
from agent.schema import Filter, Intent, Item, Recommendation, Reply
from agent.understanding.intent import parse_intent
from ui.cards import cards, shares
from ui.desk import Desk
from ui.guest import WAITING, Guest
from ui.guests import Guests
from ui.known import Entry, add, entries, export, panel, remove
from ui.starters import starters
from ui.suggestions import suggestions
from ui.understood import CONDITIONS, corrected, told
from ui.view import View
from ui.words import ENGLISH

ROOT = Path(__file__).parents[1]
HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{alert(3)}} \"' `"


class SlowGenerator(FakeGenerator):
    """Writes a reason in 30 steps, and knows how many steps it made and whether its writing was ended early.

    `after` is called once the given number of steps is made.
    """

    def __init__(self):
        super().__init__()
        self.steps = 0
        self.after = {}
        self.ended_early = threading.Event()

    def write(self, prefix, branches, *, seed=None):
        finished = False
        try:
            for piece in super().write(prefix, branches, seed=seed):
                for _ in range(30 if piece.done else 0):
                    self.steps += 1
                    self.after.get(self.steps, bool)()
                    yield Piece(piece.row, "", False)
                yield piece
            finished = True
        finally:
            if not finished:
                self.ended_early.set()


class BrokenGenerator(FakeGenerator):
    """Fails in the middle of the reasons while `is_broken`."""

    is_broken = True

    def write(self, prefix, branches, *, seed=None):
        for number, piece in enumerate(super().write(prefix, branches, seed=seed)):
            if self.is_broken and number == 3:
                raise RuntimeError("secret detail")
            yield piece


@pytest.fixture
def guest(small):
    return Guest(small)


def one(title="Alien (1979)", **fields):
    return Recommendation(**({"rank": 1, "item": Item("1", title), "score": 0.5} | fields))


def seen(state, *listed, **fields):
    reply = Reply("t", None, Intent(), listed, model=fields.pop("model", "a model"), timings_ms={"list": 800.0})
    return View((), reply, state, 1, **fields)


def last(views):
    return list(views)[-1]


# -- cards


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


# -- a turn


def test_the_list_comes_first_and_its_reasons_after(guest):
    views = list(guest.answer("I liked Alien (1979), something tense"))
    assert [v.state for v in views] == ["looking", *["writing"] * (len(views) - 2), "done"]
    assert views[0].talk == (("user", "I liked Alien (1979), something tense"),)
    assert [r.justification for r in views[1].reply.recommendations] == [""] * 5
    written = [sum(bool(r.justification) for r in v.reply.recommendations) for v in views[1:]]
    assert written == [0, 1, 2, 3, 4, 5, 5]
    assert all(r.verified for r in views[-1].reply.recommendations)
    assert [part.text for part in views[-1].parts] == ["like Alien (1979)", "“tense”"]


def test_the_last_list_moves_up_into_the_talk(guest):
    first = last(guest.answer("I liked Alien (1979)"))
    second = last(guest.answer("something funny"))
    titles = "\n".join(f"{r.rank}. {r.item.title}" for r in first.reply.recommendations)
    assert ("assistant", titles) in second.talk and second.talk[-1][1] == "something funny"
    assert second.turn == first.turn + 1


def test_a_message_that_is_too_long_goes_back_into_the_box_and_the_list_stays(guest, small):
    before = last(guest.answer("I liked Alien (1979)"))
    longest = small.settings.max_message_chars
    after = last(guest.answer("x" * (longest + 1)))
    assert after.reply is before.reply and after.state == "done"
    assert after.talk[:-1] == before.talk
    assert f"{longest:,}" in after.talk[-1][1]
    assert after.draft == "x" * (longest + 1)


def test_an_empty_first_message_is_answered_with_a_hint(guest):
    view = last(guest.answer("  "))
    assert view.reply is None and len(view.talk) == 1 and "in the mood" in view.talk[0][1]


def test_a_failure_is_a_sentence_to_the_person_and_a_traceback_in_the_log(tmp_path, caplog):
    broken = BrokenGenerator()
    with open_small(tmp_path / "w", broken) as agent, caplog.at_level(logging.ERROR):
        guest = Guest(agent)
        view = last(guest.answer("I liked Alien (1979)"))
        assert view.state == "failed" and view.talk[-1] == ("assistant", ENGLISH("error.sorry"))
        assert len(view.reply.recommendations) == 5
        assert "secret detail" in caplog.text
        broken.is_broken = False
        assert last(guest.answer("something funny")).state == "done"


def test_stop_ends_the_writing_and_the_list_stays(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("I liked Alien (1979)")
        slow.after[40] = guest.stop  # in the middle of a reason
        *_, view = views
        assert view.state == "stopped" and len(view.reply.recommendations) == 5
        assert slow.ended_early.is_set() and slow.steps == 40
        assert "No reason: stopped." in cards(view) and "Stopped" in cards(view)
        assert agent.workspace.store.turn(view.reply.turn_id) is not None
        assert last(guest.answer("something funny")).state == "done"


def test_a_page_that_closes_ends_the_writing(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("I liked Alien (1979)")
        assert [next(views).state, next(views).state, next(views).state] == ["looking", "writing", "writing"]
        steps = slow.steps
        views.close()
        assert slow.ended_early.is_set() and slow.steps == steps
        assert guest.view().state == "stopped"


def test_a_stop_of_the_last_turn_does_not_reach_the_next(guest):
    last(guest.answer("I liked Alien (1979)"))
    guest.stop()
    assert last(guest.answer("something funny")).state == "done"


# -- reactions


def test_a_reaction_is_kept_shown_and_taken_back(guest, small):
    view = last(guest.answer("I liked Alien (1979)"))
    item = view.reply.recommendations[0].item
    assert guest.react(item.item_id, "like").marked == {item.item_id: "like"}
    assert item.title in guest.view().note
    (kept,) = small.workspace.store.feedback(view.reply.user_id)
    assert (kept.item_id, kept.event, kept.turn_id) == (item.item_id, "like", view.reply.turn_id)
    assert guest.react(item.item_id, "dislike").marked == {item.item_id: "dislike"}
    (kept,) = small.workspace.store.feedback(view.reply.user_id)
    assert kept.event == "dislike"
    assert guest.react(item.item_id, "dislike").marked == {}
    assert small.workspace.store.feedback(view.reply.user_id) == [] and "Taken back" in guest.view().note


def test_a_reaction_moves_the_next_list(guest, small):
    first = last(guest.answer("something funny, only comedies"))
    item = first.reply.recommendations[0].item
    guest.react(item.item_id, "not_now")
    again = last(guest.adjust("n", "3"))
    assert item.item_id not in {r.item.item_id for r in again.reply.recommendations}


@pytest.mark.parametrize(("item_id", "event"), [("1", "like"), ("no such", "like"), (None, "rating"), ("", "")])
def test_a_reaction_to_what_is_not_in_the_list_is_ignored(guest, small, item_id, event):
    view = last(guest.answer("I liked Alien (1979)"))
    guest.react(item_id if item_id is not None else view.reply.recommendations[0].item.item_id, event)
    assert small.workspace.store.count_feedback() == 0 and guest.view().marked == {}


# -- what was understood, and what to say next


def test_each_part_that_was_understood_can_be_taken_out(small):
    intent = Intent(
        "all of it", ("1",), ("4",),
        (Filter("year", ">=", 1990), Filter("year", "<=", 1999), Filter("genres", "==", "Drama")), "tense", "slow", 3,
    )  # fmt: skip
    parts = told(intent, small.catalogue)
    assert [p.text for p in parts] == [
        "1990 to 1999", "Drama", "like Alien (1979)", "not like Scream (1996)", "“tense”", "not “slow”",
        "3 in the list",
    ]  # fmt: skip
    for part in parts:
        left = told(corrected(intent, part.key, small.catalogue), small.catalogue)
        assert [p for p in parts if p not in left] == [part]
    assert corrected(intent, "filter:year >= 1990 & year <= 1999", small.catalogue).filters == (
        Filter("genres", "==", "Drama"),
    )
    assert "Alien" not in corrected(intent, "like:1", small.catalogue).text
    assert corrected(intent, CONDITIONS, small.catalogue).filters == ()
    for unknown in ("", "like", "like:99", "filter:", "nonsense:1"):
        with pytest.raises(InputError):
            corrected(intent, unknown, small.catalogue)


def test_taking_a_part_out_answers_again_without_it(guest):
    first = last(guest.answer("three dramas from 1996"))
    titles = {r.item.title for r in first.reply.recommendations}
    assert titles == {"Fargo (1996)", "Hamlet (1996)"}
    key = next(p.key for p in first.parts if p.key.startswith("filter:year"))
    again = last(guest.adjust("drop", key))
    assert again.state == "done" and len(again.reply.recommendations) == 3
    assert titles & {r.item.title for r in again.reply.recommendations}  # it is the same turn, made anew
    assert key not in {part.key for part in again.parts}
    assert [role for role, _ in again.talk] == [role for role, _ in first.talk]
    assert guest.undo().state == "new"  # one message was said, and it is taken back whole


@pytest.mark.parametrize(
    ("change", "value", "field", "wanted"),
    [("habit", "80", "habit", 0.8), ("n", "3", "n", 3), ("habit", "nan", "habit", 0.5), ("n", "9999", "n", None),
     ("drop", "no such", "n", None), ("text", "x", "n", None)],
)  # fmt: skip
def test_weight_and_length_take_what_they_offer_and_nothing_else(guest, change, value, field, wanted):
    last(guest.answer("something funny"))
    view = last(guest.adjust(change, value))
    assert getattr(view.reply.intent, field) == wanted
    assert len(view.reply.recommendations) == (3 if wanted == 3 else 5)


def test_nothing_to_adjust_before_the_first_answer(guest):
    assert last(guest.adjust("habit", "80")) == View()


def test_every_suggestion_is_understood_and_goes_on(guest, small):
    view = last(guest.answer("something funny"))
    said = suggestions(small, view.reply, {})
    assert len(said) >= 4 and len(set(said)) == len(said)
    assert any(text.startswith("Newer than") for text in said) and any(text.startswith("Surprise me") for text in said)
    for text in said:
        assert not parse_intent(text, small.catalogue).is_empty
    liked = view.reply.recommendations[2].item
    assert f"More like {liked.title}" in suggestions(small, view.reply, {liked.item_id: "like"})


def test_a_suggestion_turns_down_only_what_is_much_of_the_list(guest, small):
    reply = last(guest.answer("something funny")).reply
    one = replace(reply.recommendations[0], item=Item("x", "X", "", {"genres": ("Western",)}))
    two = replace(reply.recommendations[0], item=Item("y", "Y", "", {"genres": ("Comedy",)}))
    refused = [t for t in suggestions(small, replace(reply, recommendations=(one, two, two)), {}) if t.startswith("No")]
    assert refused == ["No Comedy"]
    assert "Funnier" not in suggestions(small, replace(reply, recommendations=(two, two)), {})
    varied = replace(reply, recommendations=(one, two, replace(one, item=Item("z", "Z", "", {"genres": ("War",)}))))
    assert not [t for t in suggestions(small, varied, {}) if t.startswith("No")]
    asked = replace(reply.intent, filters=(Filter("genres", "==", "Comedy"),))
    assert not [
        t for t in suggestions(small, replace(reply, intent=asked, recommendations=(two, two)), {}) if "No" in t
    ]


def test_where_nothing_fits_each_condition_can_be_taken_out(guest):
    view = last(guest.answer("comedies from 1940 to 1950"))
    html = cards(view)
    assert view.reply.recommendations == () and "Nothing fits" in html
    assert (
        html.count('data-do="drop"') == 2 * len(view.parts) + 1
    )  # among what was understood, as help, and all at once
    assert last(guest.adjust("drop", CONDITIONS)).intent.filters == ()
    guest.undo()
    view = last(guest.answer("comedies from 1940 to 1950"))
    assert last(
        guest.adjust("drop", next(p.key for p in view.parts if p.key.startswith("filter:year")))
    ).reply.recommendations


def test_conditions_are_said_as_people_say_them(small):
    filters = (
        Filter("genres", "!=", "Horror"), Filter("directors", "==", "Ridley Scott"), Filter("cast", "!=", "A. B."),
        Filter("price", "<=", 20), Filter("year", ">=", 1990),
    )  # fmt: skip
    said = [part.text for part in told(Intent(filters=filters), small.catalogue)]
    assert said == ["no Horror", "directed by Ridley Scott", "not with A. B.", "price up to 20", "from 1990"]


# -- the last message


def test_the_last_message_is_taken_back_with_its_answer(guest):
    first = last(guest.answer("I liked Alien (1979)"))
    last(guest.answer("something funny"))
    view = guest.undo()
    assert view.draft == "something funny"
    assert (view.talk, view.reply, view.state, view.parts) == (first.talk, first.reply, "done", first.parts)
    assert last(guest.answer("tense")).reply.intent.wishes == "tense"
    guest.undo()
    assert guest.undo().state == "new" and guest.undo() == View(turn=3)


def test_a_stopped_answer_can_be_tried_again(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        slow.after[40] = guest.stop
        stopped = last(guest.answer("I liked Alien (1979)"))
        assert stopped.state == "stopped" and 'data-do="retry"' in cards(stopped)
        again = last(guest.retry())
        assert again.state == "done" and again.talk == stopped.talk
        assert [r.item for r in again.reply.recommendations] == [r.item for r in stopped.reply.recommendations]


def test_a_second_message_while_one_is_answered_goes_back_into_the_box(guest):
    views = guest.answer("I liked Alien (1979)")
    next(views)
    assert last(guest.answer("something funny")).draft == "something funny"
    assert guest.undo().state == "looking"
    assert last(views).state == "done" and len(guest.view().talk) == 1


def test_a_correction_while_reasons_are_written_takes_over(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("something funny")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        first, second = guest.adjust("n", "3"), guest.adjust("habit", "80")
        assert next(first).state == "writing" and slow.steps == 0  # it waits for the answer to end
        assert last(views).state == "stopped"
        assert len(last(first).reply.recommendations) == 3
        view = last(second)
        assert view.state == "done" and (view.intent.n, view.intent.habit) == (3, 0.8)
        assert len(view.talk) == 2 and guest.undo().state == "new"


# -- others at the same time


def test_who_comes_while_others_are_answered_is_told_so_and_answered(small):
    desk = Desk()
    first, second = Guest(small, desk), Guest(small, desk)
    answering = first.answer("I liked Alien (1979)")
    assert [next(answering).state, next(answering).state] == ["looking", "writing"]
    other = second.answer("something funny")
    view = next(other)
    assert view.ahead == 1 and "another is being answered" in cards(view)
    assert last(other).state == "done" and last(answering).state == "done"
    assert desk.open_turns == 0


def test_more_than_can_be_answered_are_sent_back_with_their_message(small):
    desk = Desk()
    others = [Guest(small, desk).answer("I liked Alien (1979)") for _ in range(WAITING)]
    for views in others:
        assert [next(views).state, next(views).state] == ["looking", "writing"]
    view = last(Guest(small, desk).answer("something funny"))
    assert view.draft == "something funny" and "asked for already" in view.talk[-1][1] and not view.can_undo
    for views in others:
        views.close()
    assert last(Guest(small, desk).answer("something funny")).state == "done"


# -- what is known of a person


def test_what_is_known_is_shown_searched_and_taken_out(guest, small):
    view = last(guest.answer("something funny"))
    first, second = (r.item for r in view.reply.recommendations[:2])
    guest.react(first.item_id, "like")
    guest.react(second.item_id, "seen")
    found = entries(small, guest.user_id)
    assert [(e.item_id, e.said) for e in found] == [
        (second.item_id, ("you know it",)),
        (first.item_id, ("you like it",)),
    ]
    assert [e.item_id for e in entries(small, guest.user_id, first.title.upper())] == [first.item_id]
    assert entries(small, guest.user_id, "no such title") == []
    assert remove(small, guest.user_id, first.item_id) and not remove(small, guest.user_id, first.item_id)
    assert [e.item_id for e in entries(small, guest.user_id)] == [second.item_id]
    assert entries(small, Guest(small).user_id) == []


def test_what_was_imported_with_the_catalogue_can_be_taken_out_too(small):
    assert {e.item_id for e in entries(small, "p1")} == {"1", "2", "9"}
    assert remove(small, "p1", "2")
    assert {e.item_id for e in entries(small, "p1")} == {"1", "9"} and len(entries(small, "p2")) == 3


def test_titles_are_taken_in_and_what_is_not_is_told_with_its_line(guest, small):
    told = add(small, guest.user_id, 'title,rating\nAlien,5\nNo Such Thing,3\n"Heat (1995)",eleven\nHeat,\n')
    assert told.startswith("Added: 2. Not added: 2.")
    assert "line 3: No item" in told and "line 4: The rating “eleven”" in told
    assert [(e.title, e.said) for e in entries(small, guest.user_id)] == [
        ("Heat (1995)", ("you like it",)), ("Alien (1979)", ("you rated it: 5",)),
    ]  # fmt: skip
    assert add(small, guest.user_id, "Alien (1979)\nFargo\n").startswith("Added: 1. Not added: 0.")
    listed = last(guest.answer("anything")).reply.recommendations
    assert not {"1", "9", "6"} & {r.item.item_id for r in listed}


@pytest.mark.parametrize("given", ["", "\n \n", "title\n", "x" * 200_001, "Alien\n" * 1_001])
def test_an_import_without_use_is_refused_with_a_sentence(guest, small, given):
    with pytest.raises(InputError):
        add(small, guest.user_id, given)


def test_the_export_holds_all_of_one_person_and_nothing_of_another(guest, small):
    last(guest.answer("something funny"))
    add(small, guest.user_id, "Alien")
    known = json.loads(export(small, guest.user_id))
    assert [row["title"] for row in known["feedback"]] == ["Alien (1979)"] and len(known["turns"]) == 1
    assert json.loads(export(small, Guest(small).user_id))["history"] == []


def test_to_be_forgotten_leaves_nothing_and_begins_with_somebody_new(small):
    guests = Guests(small)
    guest = guests.get("a")
    last(guest.answer("something funny"))
    add(small, guest.user_id, "Alien")
    other = guests.get("b")
    add(small, other.user_id, "Heat")
    assert guests.forget("a").view() == View() and guests.get("a").user_id != guest.user_id
    assert not small.workspace.store.has_user(guest.user_id) and small.workspace.store.turns(guest.user_id) == []
    assert [e.title for e in entries(small, other.user_id)] == ["Heat (1995)"]


def test_a_new_conversation_is_one_of_the_same_person(small):
    guests = Guests(small)
    before = guests.get("a").user_id
    assert guests.renew("a").user_id == before


def test_nothing_of_a_hostile_title_becomes_html_in_the_panel():
    html = panel([Entry("<x>", HOSTILE, ("you like it",))], note=f"{HOSTILE}\nmore")
    assert "<img" not in html and "<x>" not in html and html.count("<br>") == 1


# -- guests


def test_sessions_are_strangers_to_each_other(small):
    guests = Guests(small)
    last(guests.get("a").answer("I liked Alien (1979)"))
    assert guests.get("b").view() == View()
    guests.get("b").react(guests.get("a").view().reply.recommendations[0].item.item_id, "like")
    assert small.workspace.store.count_feedback() == 0


def test_the_guest_who_was_quiet_longest_makes_room(small):
    guests = Guests(small, most=2)
    for session in ("a", "b"):
        last(guests.get(session).answer("I liked Alien (1979)"))
    guests.get("a")
    guests.get("c")
    assert len(guests) == 2
    assert guests.get("a").view().state == "done" and guests.get("b").view().state == "new"


def test_stop_for_an_unknown_session_does_nothing(small):
    guests = Guests(small)
    guests.stop("nobody")
    assert len(guests) == 0


def test_a_new_conversation_shows_nothing_of_the_answer_before_it(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guests = Guests(agent)
        views = guests.get("a").answer("I liked Alien (1979)")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        assert guests.renew("a").view() == View()
        assert list(views) == [] and slow.ended_early.is_set()


# -- starters


def test_starters_are_made_from_the_catalogue_and_find_something(small):
    first, second, third = starters(small)
    assert first == "I liked Alien (1979) and Heat (1995)"
    assert second == "Three drama films, but no sci-fi"
    assert "90s" in third
    for text in (first, second, third):
        assert last(Guest(small).answer(text)).reply.recommendations


# -- the page


@pytest.fixture
def page(small):
    return in_a_loop(build_page, small)


def build_page(agent):
    from ui.app import build_app

    return build_app(agent)


def test_no_event_of_the_page_is_public(page):
    visible = {f.api_visibility for f in page.fns.values()}
    assert visible == {"private"} and len(page.fns) >= 7


def test_the_queue_is_bounded_and_stop_does_not_wait(page):
    model = [f for f in page.fns.values() if f.concurrency_id == "model"]
    assert {(f.concurrency_limit, f.queue) for f in model} == {(WAITING + 1, True)} and len(model) == 5
    assert page._queue.max_size and page._queue.max_size <= 100
    (stop,) = [f for f in page.fns.values() if f.name == "_interrupt"]
    assert stop.queue is False


def test_the_talk_is_plain_text(page):
    import gradio as gr

    (talk,) = [block for block in page.blocks.values() if isinstance(block, gr.Chatbot)]
    assert talk.sanitize_html and talk.allow_tags is False and talk.render_markdown is False
    assert not talk.feedback_options and not talk.allow_file_downloads


@pytest.fixture
def served(page, monkeypatch):
    from ui.front import start

    monkeypatch.setenv("GRADIO_ALLOWED_PATHS", "/")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    yield in_a_loop(start, page, port=0)
    in_a_loop(page.close, verbose=False)


def fetched(url, data=None, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=SOON) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


def test_the_server_gives_no_file_takes_none_and_names_no_call(served, page, tmp_path):
    assert served.startswith("http://127.0.0.1:") and page.share is False and page.share_url is None
    secret = tmp_path / "a.txt"
    secret.write_text("the secret")
    for path in (str(secret), __file__, "pyproject.toml", "/etc/hostname"):
        status, text = fetched(f"{served}gradio_api/file={path}")
        assert status in (403, 404) and "the secret" not in text
    status, text = fetched(f"{served}gradio_api/info")
    assert status == 200 and json.loads(text) == {"named_endpoints": {}, "unnamed_endpoints": {}}
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n'
    status, _ = fetched(f"{served}gradio_api/upload", body, **{"Content-Type": "multipart/form-data; boundary=b"})
    assert status == 413
    too_much = b"x" * 1_000_001
    for path in ("queue/join", "component_server", "upload"):
        status, _ = fetched(f"{served}gradio_api/{path}", too_much, **{"Content-Type": "application/json"})
        assert status == 413


def test_the_page_names_no_other_server_for_fonts_or_scripts(served):
    _, css = fetched(f"{served}theme.css")
    assert "system-ui" in css
    assert set(re.findall(r"\w+://[^/]+", css)) <= {"http://www.w3.org"}  # the name of SVG, which nobody fetches


def test_a_port_that_is_taken_gives_way_to_the_next_free_one():
    from ui.address import free_port

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 20


def test_an_address_of_another_machine_is_refused_with_a_sentence():
    from ui.address import free_port

    with pytest.raises(InputError, match="--host"):
        free_port("192.0.2.1", 7860)


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to one process alone")
def test_serving_tells_where_it_is_and_ctrl_c_leaves_quietly(tmp_path):
    code = (
        # A shell starts background jobs deaf to Ctrl-C, and tests may run in one.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]; from pathlib import Path\n"
        f"from conftest import open_small; from ui.front import serve; from ui.terminal import Terminal\n"
        f"serve(port=0, terminal=Terminal(opener=lambda *_: open_small(Path({str(tmp_path / 'w')!r}))))"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        line = server.stdout.readline()
        assert "Ctrl-C" in line and "13 items" in line
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", line)
        assert fetched(address)[0] == 200
        server.send_signal(signal.SIGINT)
        try:
            out, err = server.communicate(timeout=SOON)
        finally:
            server.kill()
    assert (server.returncode, out, err.strip()) == (0, "", "Stopped.")
