"""A guest without a browser: a turn and what can be done with it, and that an answer ends when it is told to."""

from __future__ import annotations

import logging

import pytest
from answering import SlowGenerator, last
from conftest import open_small

from agent.generation.fake import FakeGenerator
from ui.cards import cards
from ui.desk import Desk
from ui.guest import WAITING, Guest
from ui.guests import Guests
from ui.view import View
from ui.words import ENGLISH


class BrokenGenerator(FakeGenerator):
    """Fails in the middle of the reasons while `is_broken`."""

    is_broken = True

    def write(self, prefix, branches, *, seed=None):
        for number, piece in enumerate(super().write(prefix, branches, seed=seed)):
            if self.is_broken and number == 3:
                raise RuntimeError("secret detail")
            yield piece


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
    assert last(guest.answer("I liked Alien (1979)")).draft == ""  # the very one: a double click
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


def test_a_correction_that_waits_while_its_person_is_forgotten_stores_nothing(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent)
        views = guest.answer("something funny")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        waiting = guest.adjust("n", "3")
        next(waiting)
        guest.leave()
        list(views)
        agent.forget(guest.user_id)
        assert list(waiting) == [] == list(guest.answer("a drama"))
        assert agent.workspace.store.turns(guest.user_id) == []


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


def test_an_answer_ends_when_the_last_page_that_shows_it_is_closed(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guests = Guests(agent)
        views = guests.arrive("first", "p1").answer("something funny")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        assert guests.arrive("loaded again", "p1") is guests.get("first", "p1")
        guests.close("first")
        assert not slow.ended_early.is_set() and next(views).state == "writing"
        guests.close("loaded again")
        assert last(views).state == "stopped" and slow.ended_early.is_set()


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
