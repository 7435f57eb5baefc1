"""Conversations that are kept: gone on with as they were, whose they are, and that they can be deleted for good."""

import json
import sqlite3

import pytest
from answering import HOSTILE, SlowGenerator, last
from conftest import open_small
from test_people import files_with, reopened

from agent.errors import InputError
from agent.schema import Feedback, Item
from agent.understanding.parts import without
from agent.workspace.kept import title_of
from agent.workspace.store import Store
from agent.workspace.tables import SCHEMA_VERSION
from ui.browsers import Browsers
from ui.cards import cards
from ui.guest import Guest
from ui.guests import Guests
from ui.keeping import Keeping
from ui.past import ago, panel
from ui.view import View
from ui.words import ENGLISH, WORDS

SECRET = "a" * 43


def talked(agent, user_id="ann"):
    chat = agent.conversation(user_id)
    chat.say("I liked Alien (1979), something tense", n=2)
    chat.say("newer than 1980", n=2)
    return chat


# -- in Python


def test_a_conversation_is_gone_on_with_as_it_was(small):
    chat = talked(small)
    item = chat.replies[-1].recommendations[0].item.item_id
    chat.feedback(item, "not_now")
    again = small.conversation("ann", chat.conversation_id)
    assert (again.intent, again.replies, again.lists) == (chat.intent, chat.replies, chat.lists)
    assert again.reactions == chat.reactions and list(again.history()) == list(chat.history())
    assert again.parts() == chat.parts()
    shown = {i for listed in chat.lists for i in listed}
    assert not shown & {r.item.item_id for r in again.say("more", n=5).recommendations}
    assert again.undo().item_id == item and small.workspace.store.feedback("ann") == []
    assert len(small.conversation("ann", chat.conversation_id).replies) == 3


def test_a_question_is_answered_in_the_conversation_that_is_gone_on_with(small):
    chat = small.conversation("ann")
    assert chat.say("something like Hamlet").question
    again = small.conversation("ann", chat.conversation_id)
    assert [f.value for f in again.say("the 1948 one").intent.filters] == [
        f.value for f in chat.say("the 1948 one").intent.filters
    ]
    assert again.intent.likes == chat.intent.likes == ("10",)


def test_a_dislike_that_is_taken_back_later_names_the_item_again(small):
    chat = talked(small)
    chat.feedback("1", "dislike")
    assert chat.intent.likes == ()
    again = small.conversation("ann", chat.conversation_id)
    assert again.intent.likes == () and again.undo().item_id == "1" and again.intent.likes == ("1",)


def test_conversations_are_listed_the_latest_first_by_their_first_message(small):
    first = talked(small)
    second = small.conversation("ann")
    assert [one.title for one in small.conversations("ann")] == ["I liked Alien (1979), something tense"]
    second.say("a drama", n=1)
    second.say("hello")
    first.say("more", n=1)
    listed = small.conversations("ann")
    assert [(one.conversation_id, one.lists) for one in listed] == [
        (first.conversation_id, 3), (second.conversation_id, 1),
    ]  # fmt: skip
    assert listed[0].began <= listed[1].began <= listed[1].changed <= listed[0].changed
    assert small.conversations("bob") == []
    second.rename("  Something\nfor\u202e Friday ")
    second.say("newer", n=1)
    assert [one.title for one in small.conversations("ann")][0] == "Something for Friday"


@pytest.mark.parametrize("title", ["", " \n", "\u202e"])
def test_a_title_without_letters_is_refused(small, title):
    chat = talked(small)
    with pytest.raises(InputError, match="at least one letter"):
        chat.rename(title)


@pytest.mark.parametrize("said", ["x" * 500, "word " * 100, HOSTILE * 9, "", "\u202e\n", "like Alien"])
def test_any_message_makes_a_title_of_one_short_line(said):
    title = title_of(said)
    assert 1 <= len(title) <= 81 and title.isprintable() and title == title.strip()


def test_nobody_opens_renames_or_deletes_the_conversation_of_another(small):
    chat = talked(small)
    for call in (
        lambda: small.conversation("bob", chat.conversation_id),
        lambda: small.conversation(None, chat.conversation_id),
        lambda: small.conversation("ann", "no such"),
        lambda: small.rename_conversation("bob", chat.conversation_id, "mine"),
        lambda: small.delete_entry("bob", f"conversation:{chat.conversation_id}"),
        lambda: small.delete_entry("ann", "conversation:% OR 1"),
    ):
        with pytest.raises(InputError):
            call()
    assert [one.title for one in small.conversations("ann")] == ["I liked Alien (1979), something tense"]


def test_what_is_deleted_is_in_no_file_and_does_not_come_back(tmp_path):
    words = "xylophones under moonlight"
    with open_small(tmp_path / "w") as agent:
        chat = agent.conversation("ann")
        chat.say(f"something with {words}", n=2)
        list(chat.again(chat.intent, n=1))  # the turn before it is referred to no more, but was kept
        chat.feedback("3", "like")
        other = talked(agent)
        assert files_with(tmp_path / "w", words)
        chat.delete()
        assert files_with(tmp_path / "w", words, chat.conversation_id) == []
        chat.say("a drama", n=1)
        assert [one.conversation_id for one in agent.conversations("ann")] == [other.conversation_id]
        assert [f.item_id for f in agent.workspace.store.feedback("ann")] == ["3"]


def test_what_is_said_after_a_conversation_is_deleted_is_not_kept(tmp_path):
    words = "a secret wish about lighthouses"
    with open_small(tmp_path / "w") as agent:
        chat = talked(agent)
        chat.delete()
        for said in (words, f"why the first, {words}?", "something like Hamlet"):
            assert chat.say(said).complete
        list(chat.again(chat.intent))
        assert agent.workspace.store.turns("ann") == [] and files_with(tmp_path / "w", words) == []


@pytest.mark.parametrize("said", ["a drama", "something from before 1900"])
def test_an_answer_under_way_is_not_kept_where_its_conversation_is_deleted_elsewhere(small, said):
    chat = talked(small)
    answer = chat.stream(said)
    next(answer)
    small.delete_entry("ann", f"conversation:{chat.conversation_id}")
    list(answer)
    assert len(chat.replies) == 3
    assert small.workspace.store.turns("ann") == [] and small.conversations("ann") == []


def test_all_of_it_is_given_out_and_forgotten(tmp_path):
    with open_small(tmp_path / "w") as agent:
        guest = Guest(agent, user_id=Browsers(agent).settled({"vouchrec": SECRET}))
        last(guest.answer("something funny"))
        wish = {"do": "share", "key": guest.shown.turn_id, "request": "true", "likes": "false"}
        Keeping(agent, Guests(agent)).share(guest, wish)
        known = json.loads(json.dumps(agent.known_of(guest.user_id)))
        (conversation,), (share,) = known["conversations"], known["shares"]
        assert conversation["state"]["steps"][0]["said"] == "something funny"
        assert share["page"]["asked"] == ["“funny”"] and len(share["page"]["items"]) == 5
        counts = agent.forget(guest.user_id)
        assert (counts["conversations"], counts["shares"], counts["browsers"]) == (1, 1, 1)
        traces = (guest.user_id, guest.conversation_id, share["entry"].partition(":")[2])
        assert files_with(tmp_path / "w", *traces) == []


def test_a_turn_that_is_deleted_leaves_its_conversation_with_its_words(small):
    chat = talked(small)
    small.delete_entry("ann", f"turn:{chat.replies[0].turn_id}")
    again = small.conversation("ann", chat.conversation_id)
    assert again.replies == chat.replies[1:] and [one.lists for one in small.conversations("ann")] == [1]
    assert small.conversations("ann")[0].title == "newer than 1980"


def test_items_that_left_the_catalogue_stay_in_the_lists_and_leave_the_wishes(tmp_path):
    with open_small(tmp_path / "w") as agent:
        chat = talked(agent)
        gone = chat.replies[0].recommendations[0].item
        agent.remove_items([gone.item_id, "1"])
        again = agent.conversation("ann", chat.conversation_id)
        shown = again.replies[0].recommendations[0].item
        assert (shown.title, shown.attributes) == (gone.title, gone.attributes)
        assert again.intent.likes == () and again.say("more", n=1).recommendations
        assert Guest(agent, user_id="ann", conversation_id=chat.conversation_id).view().state == "done"


@pytest.mark.parametrize("item_id", ["10", "11"])
def test_an_item_that_was_asked_of_and_left_the_catalogue_is_not_chosen(small, item_id):
    chat = small.conversation("ann")
    assert chat.say("something like Hamlet").question
    small.remove_items([item_id])
    assert chat.say("the first").complete and item_id not in chat.intent.likes


def test_an_answer_is_made_again_without_what_left_the_catalogue(small):
    chat = small.conversation("ann")
    chat.say("something like Fargo, funny", n=2)
    small.remove_items(["6"])
    *_, reply = chat.again(without(chat.intent, "wish:funny"), n=2)
    assert len(reply.recommendations) == 2 and chat.intent.likes == reply.intent.likes == ()


def test_the_chinese_page_shows_a_list_though_what_its_reasons_rest_on_has_left_the_catalogue(small):
    guest = Guest(small, words=WORDS["zh"])
    first = last(guest.answer("I liked Alien (1979)")).reply.recommendations[0]
    rests = {fact.text for fact in first.evidence if "1" in fact.item_ids}
    small.remove_items(["1"])
    assert rests and rests <= set(guest.view().facts[first.item.item_id])


def test_a_message_of_any_letters_is_kept(small):
    chat = small.conversation("ann")
    chat.say("\ud800 drama \u2028 \U0001f600", n=1)
    assert small.conversation("ann", chat.conversation_id).replies == chat.replies


def test_a_store_of_the_version_before_gets_the_tables(tmp_path):
    with open_small(tmp_path / "w") as agent:
        version = SCHEMA_VERSION
        path = agent.workspace.store.path
    with sqlite3.connect(path) as old:
        for table in ("conversations", "shares", "browsers", "votes", "sign_ins", "accounts"):  # and of later ones
            old.execute(f"DROP TABLE {table}")
        old.execute("PRAGMA user_version = 2")
    old.close()
    Store(path).close()
    with sqlite3.connect(path) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (version,)
    new.close()
    with reopened(tmp_path / "w") as agent:
        talked(agent)
        assert len(agent.conversations("ann")) == 1


# -- at the page


def test_a_page_stands_where_it_stood(small):
    guest = Guest(small, user_id="ann")
    last(guest.answer("something funny"))
    last(guest.answer("hello"))
    last(guest.adjust("n", "3"))
    view = last(guest.answer("more"))
    guest.react(view.reply.recommendations[0].item.item_id, "like")
    before = guest.view()
    after = Guest(small, user_id="ann", conversation_id=guest.conversation_id).view()
    for name in ("talk", "reply", "state", "marked", "intent", "parts", "next", "can_undo"):
        assert getattr(after, name) == getattr(before, name), name


def test_messages_can_be_taken_back_in_a_conversation_that_was_opened_again(small):
    guest = Guest(small, user_id="ann")
    first = last(guest.answer("something funny"))
    last(guest.answer("newer than 1985"))
    again = Guest(small, user_id="ann", conversation_id=guest.conversation_id)
    view = again.undo()
    assert (view.draft, view.talk, view.reply) == ("newer than 1985", first.talk, first.reply)
    assert again.undo().state == "new" and small.conversations("ann") == []
    assert last(again.answer("a drama")).state == "done"
    assert [one.title for one in small.conversations("ann")] == ["a drama"]


def test_an_answer_that_was_stopped_is_stopped_when_it_is_opened_again(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guest = Guest(agent, user_id="ann")
        slow.after[40] = guest.stop
        stopped = last(guest.answer("I liked Alien (1979)"))
        again = Guest(agent, user_id="ann", conversation_id=guest.conversation_id)
        assert again.view().state == "stopped" and again.view().reply == stopped.reply
        assert last(again.retry()).state == "done"


def test_a_page_that_is_loaded_again_goes_on_where_its_person_was(small):
    browsers, cookies = Browsers(small), {"vouchrec": SECRET}
    assert browsers.person(cookies) is None and small.workspace.store.count_turns() == 0
    person = browsers.settled(cookies)
    assert browsers.settled(cookies) == browsers.person(cookies) == person
    guests = Guests(small)
    view = last(guests.get("tab", person).answer("something funny"))
    assert guests.arrive("tab again", person).view() == view
    later = Guests(small)  # the server was started again
    assert later.arrive("tab", person).view().reply == view.reply
    assert later.arrive("elsewhere", None).view() == View()


def test_a_new_conversation_stays_new_when_the_page_is_loaded_again(small):
    guests = Guests(small)
    last(guests.get("a", "ann").answer("something funny"))
    kept = guests.get("a", "ann").conversation_id
    assert guests.renew("a", "ann").view() == View() and guests.arrive("b", "ann").view() == View()
    assert guests.open("b", "ann", kept).view().reply is not None


def test_two_pages_of_one_person_may_show_one_conversation(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guests = Guests(agent)
        views = guests.get("a", "ann").answer("I liked Alien (1979)")
        assert [next(views).state, next(views).state] == ["looking", "writing"]
        following = guests.arrive("b", "ann").follow()
        assert next(following).state == "writing"
        guests.close("a")  # the other page still shows it
        assert last(views).state == "done"
        assert last(following).state == "done"


def test_a_page_that_closes_ends_its_answer(tmp_path):
    slow = SlowGenerator()
    with open_small(tmp_path / "w", slow) as agent:
        guests = Guests(agent)
        views = guests.get("a", "ann").answer("I liked Alien (1979)")
        next(views)
        guests.close("a")
        assert last(views).state == "stopped"


def test_another_guest_cannot_open_list_rename_or_delete_mine(small):
    guests = Guests(small)
    keeping = Keeping(small, guests)
    last(guests.get("a", "ann").answer("something funny"))
    mine = guests.get("a", "ann").conversation_id
    for do in ("open", "rename", "delete"):
        guest, note = keeping.change("b", "bob", {"do": do, "key": mine, "text": "x"})
        assert guest.view() == View() and note == ENGLISH("past.gone") and keeping.past(guest) == ""
    assert [one.title for one in small.conversations("ann")] == ["something funny"]


def test_a_conversation_is_deleted_wherever_it_is_open(small):
    guests = Guests(small)
    keeping = Keeping(small, guests)
    last(guests.get("a", "ann").answer("something funny"))
    mine = guests.get("a", "ann").conversation_id
    guests.arrive("b", "ann")
    guest, note = keeping.change("a", "ann", {"do": "delete", "key": mine})
    assert guest.view() == View() and note == ENGLISH("past.deleted") and keeping.past(guest) == ""
    assert guests.get("b", "ann").view() == View()
    assert small.workspace.store.turns("ann") == []


def test_to_be_forgotten_ends_every_page_of_the_person(small):
    guests, browsers = Guests(small), Browsers(small)
    person = browsers.settled({"vouchrec": SECRET})
    for session in ("a", "b"):
        last(guests.get(session, person).answer("something funny"))
        guests.renew(session, person)
    guests.forget("a", person)
    assert guests.get("b", browsers.settled({"vouchrec": SECRET})).user_id != person
    assert browsers.settled({"vouchrec": SECRET}) != person and small.conversations(person) == []


@pytest.mark.parametrize("cookie", ["", "a" * 42, "a" * 44, "é" * 43, "' OR 1 --" + "a" * 34])
def test_a_cookie_that_we_did_not_give_is_nobody(small, cookie):
    assert Browsers(small).settled({"vouchrec": cookie}) is None


def test_the_secret_of_a_browser_is_in_no_file(tmp_path):
    with open_small(tmp_path / "w") as agent:
        assert Browsers(agent).settled({"vouchrec": SECRET})
        assert files_with(tmp_path / "w", SECRET) == []


def test_nothing_of_a_hostile_title_becomes_html_in_the_list_of_conversations(small):
    chat = small.conversation("ann")
    chat.say(f"a drama {HOSTILE}", n=1)
    html = panel(small.conversations("ann"), "", f"films{HOSTILE}", HOSTILE)
    assert "<img" not in html and "&lt;img" in html and html.count("<li>") == 1


def test_how_long_ago():
    assert [ago(s) for s in (5, 65, 7300, 90_000, 200_000)] == [
        "just now", "1 min ago", "2 h ago", "yesterday", "2 days ago",
    ]  # fmt: skip


# -- what moved an item


def test_bars_are_drawn_when_they_are_asked_for(tmp_path):
    with open_small(tmp_path / "w") as agent:
        agent.workspace.store.put_items([Item("x", f"{HOSTILE} (1995)", "tense", {"year": 1995, "genres": ("Drama",)})])
        agent.feedback(Feedback("ann", "1", "like"))
        guest = Guest(agent, user_id="ann")
        view = last(guest.answer("tense dramas from the 90s"))
        html = cards(view)
        assert html.count('data-do="sway"') == len(view.reply.recommendations) and "vr-sway" not in html
        item = view.reply.recommendations[0].item.item_id
        swayed = guest.sway(item)
        found = swayed.swayed[item]
        html = cards(swayed)
        assert html.count('class="vr-sway"') == 1 and f"number {found.place} of" in swayed.note
        # Two places are told, and which is which.
        assert f"by it this is number {found.standing.place:,} of the {found.allowed:,} that may come" in html
        assert f"so there it is number {found.place} of {found.listed}." in html
        for one in found.influences:
            if abs(one.change) >= 0.0005:
                assert f"{one.change:+.3f}".replace("-", "−") in html
        assert 'scope="row"' in html and "you asked for" in html and "instead of" in html
        assert guest.sway("no such").swayed == swayed.swayed


def test_bars_of_an_item_that_was_only_spoken_of_are_those_of_its_list(guest_with_list):
    guest, item = guest_with_list
    view = last(guest.answer("why the first?"))
    assert [r.item.item_id for r in view.reply.recommendations] == [item]
    assert item in guest.sway(item).swayed


def test_bars_of_a_turn_that_is_gone_are_refused_with_a_sentence(guest_with_list, small):
    guest, item = guest_with_list
    small.delete_entry(guest.user_id, f"turn:{guest.view().reply.turn_id}")
    assert guest.sway(item).note == ENGLISH("sway.failed") and guest.sway(item).swayed == {}


@pytest.fixture
def guest_with_list(small):
    guest = Guest(small, user_id="ann")
    return guest, last(guest.answer("something funny")).reply.recommendations[0].item.item_id


def test_a_session_without_its_browser_is_nobody(small):
    """A session's name is chosen by the page; who sends another's without the cookie gets nothing of theirs."""
    guests = Guests(small)
    last(guests.get("a", "ann").answer("something funny"))
    for person in (None, "bob"):
        assert guests.get("a", person).view() == View()


def test_bars_share_the_room_by_what_they_show():
    from ui.sway import _bar

    assert "left:0.0%;width:100.0%" in _bar(0.5, 0.5, 0.0) and "<i" not in _bar(0.5, 0.5, 0.0)
    assert "left:25.0%;width:75.0%" in _bar(0.3, 0.3, 0.1) and "left:0.0%;width:25.0%" in _bar(-0.1, 0.3, 0.1)
    assert "left:25.0%;width:0.0%" in _bar(0.0, 0.3, 0.1) and "width:1.0%" in _bar(0.001, 1.0, 0.0)
    assert "width:0.0%" in _bar(0.0, 0.0, 0.0)
