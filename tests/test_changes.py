"""The catalogue changes while it serves, and begins with nothing known of anybody."""

import threading

import numpy as np
import pytest
from conftest import films, open_small

from agent.agent import Agent
from agent.build import _COMPLETE
from agent.errors import FilterError, InputError, UnknownItemError
from agent.generation.fake import FakeGenerator
from agent.openers import how_telling
from agent.schema import Feedback, Interaction, Item
from agent.settings import load_settings
from agent.understanding.texts import TEXTS
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

STORM = Item(
    "99", "Storm Watch (2001)", "A lighthouse keeper and a smuggler in a storm.", {"year": 2001, "genres": ("Drama",)}
)


def listed(agent, n=5, **asked):
    return [r.item.item_id for r in agent.recommend(n=n, **asked).recommendations]


def reopened(path):
    return Agent(Workspace.open(path), load_settings(path), HashEncoder(64), FakeGenerator())


def test_what_was_added_is_found_by_its_words_in_the_next_call(small):
    assert small.add_items([STORM]) == 1
    assert listed(small, intent="a smuggler and a lighthouse keeper")[0] == "99"
    assert listed(small, history=["Storm Watch"], n=13)  # its title is known too
    assert listed(small, where={"year": {">": 2000}}) == ["99"]
    assert "99" in listed(small, n=14, strategy="generate")


def test_what_was_added_is_there_after_opening_again_and_nothing_is_built_again(tmp_path):
    with open_small(tmp_path / "w") as agent:
        many = [Item(f"x{n}", f"Film number {n}", f"It is the number {n}.", {"year": 1950 + n % 50}) for n in range(30)]
        agent.add_items(many)
        before = agent.serving.index.path
        agent.add_items([STORM])
        agent.update_items([Item("x3", "Film number three", "Now it has whales in it.", {"year": 1990})])
        agent.remove_items(["x4"])
        assert agent.serving.index.path == before  # only what differs was written
        assert agent.serving.index.ids_where([]) == set(agent.catalogue.ids)
        assert listed(agent, intent="whales")[0] == "x3"
    with reopened(tmp_path / "w") as agent:
        assert agent.serving.index.path == before
        assert listed(agent, intent="whales")[0] == "x3"
        assert all(check.ok for check in agent.workspace.check(HashEncoder(64)))


def test_an_update_changes_texts_and_conditions_and_keeps_what_people_did(small):
    small.update_items([Item("2", "Aliens (1986)", "Now about beekeeping.", {"year": 1999, "genres": ("Comedy",)})])
    assert listed(small, intent="beekeeping")[0] == "2"
    assert "2" in listed(small, where={"year": 1999})
    assert "2" in {i.item_id for i in small.workspace.store.interactions("p1")}


def test_what_was_removed_never_comes_again_and_old_conversations_go_on(small):
    chat = small.conversation("p11")
    chat.say("something like Blade Runner", n=2)
    small.feedback(Feedback("p11", "6", "like"))
    assert small.remove_items(["3", "6"]) == 2
    assert not {"3", "6"} & {r.item.item_id for r in chat.say("and newer", n=13).recommendations}
    assert [f.item_id for f in small.workspace.store.feedback("p11")] == []


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        (lambda a: a.add_items([STORM, films()[0]]), InputError, "'1' already"),
        (lambda a: a.add_items([STORM, STORM]), InputError, "'99' more than once"),
        (lambda a: a.add_items([STORM, Item("100", "B", "", {"year": "soon"})]), InputError, "'year'"),
        (lambda a: a.add_items([STORM, Item("", "B")]), InputError, "an item id"),
        (lambda a: a.add_items([STORM, Item("100", "B\ud800")]), InputError, "surrogate"),
        (lambda a: a.add_items([STORM, {"item_id": "100"}]), InputError, "agent.Item"),
        (lambda a: a.update_items([STORM]), UnknownItemError, "99"),
        (lambda a: a.remove_items(["1", "99"]), UnknownItemError, "99"),
        (lambda a: a.remove_items("1"), InputError, "list of ids"),
    ],
)
def test_a_change_that_cannot_be_leaves_everything_as_it_was(small, change, error, problem):
    with pytest.raises(error, match=problem):
        change(small)
    assert small.workspace.store.items() == films() and len(small.catalogue) == len(films())
    assert "99" not in listed(small, n=13)


def test_attributes_that_are_new_are_declared_by_their_values(small):
    about = {"year": 1990, "mood": "calm", "tags": ["sea", "night"], "price": 3.5}
    small.add_items([Item("99", "Storm Watch", "", about)])
    types = small.catalogue.attribute_types
    assert (types["mood"], types["tags"], types["price"]) == ("word", "list", "number")
    assert listed(small, where={"tags": "night"}) == listed(small, where={"price": {"<": 4}}) == ["99"]
    with pytest.raises(FilterError):
        small.recommend(where={"weight": 3})


def test_a_turn_under_way_ends_with_the_catalogue_that_it_began_with(small):
    turn = small.stream(intent="a drama", n=5)
    first = next(turn)
    small.remove_items([r.item.item_id for r in first.recommendations])
    small.add_items([STORM])
    last = list(turn)[-1]
    assert [r.item.item_id for r in last.recommendations] == [r.item.item_id for r in first.recommendations]
    assert last.complete and all(r.verified for r in last.recommendations)
    twin = {"12", "13"}.difference(r.item.item_id for r in first.recommendations)  # of one in the list
    assert len(twin) == 1 and set(listed(small, intent="a drama")) == {"99", *twin}


def test_threads_ask_while_others_change_the_catalogue(small):
    problems: list[BaseException] = []
    done = threading.Event()

    def ask():
        while not done.is_set():
            try:
                reply = small.recommend("p0", intent="a drama with a storm", n=4)
                assert reply.complete and len({r.item.item_id for r in reply.recommendations}) == 4
                small.feedback(Feedback("p0", "5", "like"))
            except BaseException as problem:
                problems.append(problem)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(6):
        small.add_items([Item(f"n{number}", f"Storm {number}", "A storm at sea.", {"genres": ("Drama",)})])
        if number % 2:
            small.remove_items([f"n{number}"])
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert {"n0", "n2", "n4"} <= set(small.catalogue.ids)


# -- nothing known yet


@pytest.fixture
def fresh(tmp_path):
    """A catalogue that nobody has touched."""
    workspace = Workspace.create(tmp_path / "w")
    workspace.store.put_attribute_types({"year": "number", "genres": "list"})
    workspace.store.put_items(films())
    workspace.store.set_meta(_COMPLETE, True)
    with Agent(workspace, load_settings(tmp_path / "w"), HashEncoder(64), FakeGenerator()) as agent:
        yield agent


def test_a_catalogue_without_any_interaction_works(fresh):
    assert len(listed(fresh, n=12)) == 12
    assert listed(fresh, intent="toys come alive")[0] == "5"
    assert set(listed(fresh, intent="a comedy")) == {"5", "7"}
    assert len({item.title for item in fresh.openers(4)}) == 4
    fresh.feedback(Feedback("ann", "10", "like"))
    assert listed(fresh, user_id="ann")[0] == "11"
    fresh.add_items([STORM])
    assert listed(fresh, intent="a smuggler and a lighthouse keeper")[0] == "99"


@pytest.mark.parametrize("chosen", [0, 3])
def test_what_nobody_chose_is_listed_in_a_large_catalogue_too(tmp_path, chosen):
    """No source names anything that nobody chose where nothing is asked for in words and nothing is known."""
    workspace = Workspace.create(tmp_path / "w")
    workspace.store.put_attribute_types({"year": "number"})
    books = [Item(f"b{n}", f"Book {n}", "", {"year": 1900 + n % 100}) for n in range(300)]
    workspace.store.put_items(books)
    workspace.store.put_interactions(Interaction("p", f"b{n}", "seen") for n in range(chosen))
    workspace.store.set_meta(_COMPLETE, True)
    settings = load_settings(tmp_path / "w", candidates=5)
    with Agent(workspace, settings, HashEncoder(64), FakeGenerator()) as agent:
        found = listed(agent)
        assert len(found) == 5 and {f"b{n}" for n in range(chosen)} < set(found)
        assert set(found) != {book.item_id for book in books[:5]}
        assert listed(agent) == found == listed(agent, user_id="new")
        late = agent.recommend(where={"year": {">": 1950}}).recommendations
        assert len(late) == 5 and all(r.item.attributes["year"] > 1950 for r in late)
        said = agent.conversation().say("something from 1951 or later")
        assert len(said.recommendations) == 5
        messages = agent.recommend().message, said.message
        assert messages == tuple(TEXTS["en"][k] for k in (("popular", "new") if chosen else ("some", "new alone")))


def test_a_catalogue_can_begin_empty(tmp_path):
    workspace = Workspace.create(tmp_path / "w")
    workspace.store.set_meta(_COMPLETE, True)
    with Agent(workspace, load_settings(tmp_path / "w"), HashEncoder(64), FakeGenerator()) as agent:
        agent.add_items(films())
        assert listed(agent, intent="toys come alive")[0] == "5"
        agent.remove_items(agent.catalogue.ids)
        with pytest.raises(InputError, match="empty"):
            agent.recommend()


# -- what to ask first


def test_openers_are_known_disputed_and_of_different_works(small):
    telling = how_telling(small.serving.transitions)
    place = small.catalogue.position
    assert telling[place["2"]] < telling[place["1"]]  # everybody who saw Aliens likes it: that tells nothing
    assert small.openers(1)[0].item_id == small.catalogue.ids[int(np.argmax(telling))]
    titles = [item.title for item in small.openers(12)]
    assert len(titles) == len(set(titles)) == 12


def test_openers_leave_out_what_the_person_knows(small):
    assert not {"1", "2", "9"} & {item.item_id for item in small.openers(12, user_id="p1")}
    small.feedback(Feedback("new", "5", "not_now"))
    assert "5" not in {item.item_id for item in small.openers(12, user_id="new")}
    with pytest.raises(InputError):
        small.openers(0)
