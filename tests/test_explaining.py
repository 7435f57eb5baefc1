import json

import pytest
from conftest import open_small
from test_cli import run

from agent.errors import InputError, UnknownItemError
from agent.explaining.asked import recall
from agent.explaining.explanation import Explanation
from agent.explaining.factors import factors, grouped
from agent.explaining.sensitivity import lifts, standings
from agent.schema import Feedback, Filter, Intent, Profile

NINETIES = {"year": {">=": 1990, "<=": 1999}}


@pytest.fixture
def told(small):
    """A person who knows four films, and the agent."""
    for item_id in ("1", "5", "8"):
        small.feedback(Feedback("eve", item_id, "like", None, None, float(item_id)))
    small.feedback(Feedback("eve", "7", "dislike", None, None, 9.0))
    return small


def explained(agent, title, user="eve", **asked):
    reply = agent.recommend(user, **{"n": 3, **asked})
    return reply, agent.explain(reply.turn_id, title)


def influence(found, name):
    return next(one for one in found.influences if one.name == name)


# -- what is in the list


def test_an_item_of_the_list_stands_where_it_stood(told):
    reply, _ = explained(told, "Aliens")
    for one in reply.recommendations:
        found = told.explain(reply.turn_id, one.item.item_id)
        assert (found.place, found.listed, found.obstacles) == (one.rank, 3, ())
        assert found.justification == one.justification
        kept = next(c for c in reply.candidates if c.item.item_id == one.item.item_id)
        assert found.standing.score == pytest.approx(kept.scores["retrieval"])
        assert found.ranked == {name: kept.scores[name] for name in ("retrieval", "model", "final")}
        assert sum(found.standing.by_source.values()) == pytest.approx(found.standing.score)


def test_leaving_out_is_what_a_turn_without_it_would_have_been(told):
    """The figures are those of a real request without the thing, not an estimate of them."""
    _, found = explained(told, "Aliens (1986)", user=None, history=["Alien", "Toy Story"], intent="a funny crime film")
    for name, asked in (
        ("Alien (1979)", {"history": ["Toy Story"], "intent": "a funny crime film"}),
        ("Toy Story (1995)", {"history": ["Alien"], "intent": "a funny crime film"}),
        ("funny", {"history": ["Alien", "Toy Story"], "intent": "a crime film"}),
    ):
        left = influence(found, name).without
        fresh = told.recommend(**asked, n=9)
        profile = Profile(None, tuple(told.catalogue.resolve(t) for t in asked["history"]))
        stages = told.stages()
        allowed = stages.allowed(profile, fresh.intent, ("1", "5"))
        (again,) = standings(["2"], profile, fresh.intent, stages, allowed)
        assert left.score == pytest.approx(again.score)
        assert left.place == again.place


def test_what_lifts_an_item_comes_first_and_the_sum_is_signed(told):
    _, found = explained(told, "Aliens")
    places = [one.without.place for one in found.influences]
    assert places == sorted(places, reverse=True)
    assert influence(found, "Alien (1979)").change > 0  # eight of ten went from Alien to Aliens
    for one in found.influences:
        assert one.change == pytest.approx(found.standing.score - one.without.score)


def test_each_thing_that_a_turn_went_by_can_be_left_out(small):
    filters = (Filter("year", ">=", 1970), Filter("year", "<=", 1999), Filter("genres", "!=", "Horror"))
    intent = Intent("slow", likes=("1",), dislikes=("9",), filters=filters, wishes="slow family tale", avoids="loud")
    profile = Profile("p", ("5", "1", "6"), times={})
    kinds = [(f.kind, f.name) for f in factors(profile, intent, small.catalogue)]
    assert kinds == [
        ("condition", "year 1970 to 1999"), ("condition", "not genres Horror"),
        ("wish", "slow family tale"), ("wish", "slow"), ("wish", "family"), ("wish", "tale"), ("avoid", "loud"),
        ("like", "Alien (1979)"), ("dislike", "Heat (1995)"),
        ("history", "Fargo (1996)"), ("history", "Toy Story (1995)"),
    ]  # fmt: skip
    left = {f.name: f for f in factors(profile, intent, small.catalogue)}
    assert left["Alien (1979)"].intent.likes == () and "1" not in left["Alien (1979)"].profile.history
    assert left["family"].intent.wishes == "slow tale"
    assert left["year 1970 to 1999"].intent.filters == filters[2:]


def test_the_bounds_of_one_number_are_one_condition():
    low, high, other = Filter("year", ">=", 1990), Filter("year", "<=", 1999), Filter("genres", "==", "Drama")
    assert grouped([low, other, high]) == [(low, high), (other,)]


def test_with_the_model_its_place_is_told_too(told):
    reply = told.recommend("eve", n=2)
    plain = told.explain(reply.turn_id, reply.recommendations[0].item.item_id)
    found = told.explain(reply.turn_id, reply.recommendations[0].item.item_id, with_model=True)
    assert plain.standing.final_place is None
    order = [c.item.item_id for c in reply.candidates]
    assert found.standing.final_place == order.index(found.item.item_id) + 1
    assert all(one.without.final_place for one in found.influences)


# -- what is not


@pytest.mark.parametrize(
    ("title", "asked", "kinds", "said"),
    [
        ("Alien", {}, ["seen"], "in your history"),
        ("Airplane!", {}, ["seen"], "turned it down"),
        ("Aliens", {"where": NINETIES}, ["condition"], "'year 1990 to 1999' (its year: 1986)"),
        ("Scream", {"where": {"genres": "Drama", "year": {"<": 1980}}}, ["condition", "condition"], "genres Drama"),
        ("Heat", {"intent": "something like Heat"}, ["named"], "You named it as an example"),
        ("Heat", {"intent": "I saw Heat"}, ["named"], "You named it as something you know"),
        ("Heat", {"intent": "I liked Heat"}, ["named"], "You named it as something you like"),
        ("Heat", {"intent": "nothing like Heat"}, ["named"], "stay away"),
    ],
)
def test_where_something_is_that_could_not_come(told, title, asked, kinds, said):
    _, found = explained(told, title, **asked)
    assert found.place is None
    assert [one.kind for one in found.obstacles] == kinds
    assert said in found.verdict


def test_what_was_shown_before_or_put_aside(small):
    chat = small.conversation("guest-1")
    first = chat.say("a drama", n=1)
    chat.feedback("4", "not_now")
    second = chat.say("more", n=1)
    shown = first.recommendations[0].item.item_id
    assert [one.kind for one in small.explain(second.turn_id, shown).obstacles] == ["shown"]
    aside = small.explain(second.turn_id, "Scream")
    assert "put it aside" in aside.verdict


def test_an_edition_of_what_is_listed(small):
    reply = small.recommend(intent="a romance", n=1)
    assert reply.recommendations[0].item.title == "Chasing Amy (1997)"
    other = ({"12", "13"} - {reply.recommendations[0].item.item_id}).pop()
    assert [one.kind for one in small.explain(reply.turn_id, other).obstacles] == ["edition"]


def test_what_could_have_come_and_did_not_has_its_place_and_its_scores(tmp_path):
    with open_small(tmp_path / "w", candidates=2) as agent:
        reply = agent.recommend("p0", n=1)
        every = {i: agent.explain(reply.turn_id, i) for i in agent.catalogue.ids if i != "1"}
        (listed,) = (found for found in every.values() if found.place)
        assert "number 1 of 1 in the list" in listed.verdict
        verdicts = [found.verdict for found in every.values()]
        assert sum("number 2 of 2 candidates" in v for v in verdicts) == 1
        assert sum("not among the 2 best of retrieval" in v for v in verdicts) == len(every) - 2
        beaten = max(every.values(), key=lambda found: found.standing.place)
        item, last = beaten.last
        assert item == listed.item and last.score >= beaten.standing.score
        assert last.place < beaten.standing.place <= beaten.allowed


def test_a_list_that_the_model_wrote_itself_says_so(told):
    reply = told.recommend("eve", n=1, strategy="generate")
    other = next(i for i in told.catalogue.ids if i not in ("1", "5", "7", "8", reply.candidates[0].item.item_id))
    assert "wrote this list itself" in told.explain(reply.turn_id, other).verdict


def test_an_unknown_title_gets_the_nearest(told):
    reply = told.recommend("eve", n=1)
    with pytest.raises(UnknownItemError, match="Alien"):
        told.explain(reply.turn_id, "Alian")


def test_of_several_works_of_one_title_the_one_in_the_list_is_meant(small):
    reply = small.recommend(intent=Intent(filters=(Filter("year", "==", 1948),)), n=1)
    assert small.explain(reply.turn_id, "Hamlet").item.title == "Hamlet (1948)"
    with pytest.raises(InputError, match="Several items"):
        small.explain(small.recommend(where={"genres": "Comedy"}).turn_id, "Hamlet")


# -- turns


def test_a_turn_is_explained_as_it_was_after_a_restart_and_whatever_was_said_since(tmp_path):
    from agent.agent import Agent
    from agent.generation.fake import FakeGenerator
    from agent.settings import load_settings
    from agent.workspace.encoder import HashEncoder
    from agent.workspace.workspace import Workspace

    path = tmp_path / "w"
    with open_small(path) as agent:
        reply = agent.recommend("p1", intent="funny, not horror", where=NINETIES, n=2)
        before = {i: agent.explain(reply.turn_id, i).as_dict() for i in agent.catalogue.ids}
        agent.feedback(Feedback("p1", reply.recommendations[0].item.item_id, "dislike"))
    with Agent(Workspace.open(path), load_settings(path), HashEncoder(64), FakeGenerator()) as agent:
        assert {i: agent.explain(reply.turn_id, i).as_dict() for i in agent.catalogue.ids} == before


def test_only_a_persons_own_turn_and_none_after_they_were_forgotten(told):
    reply = told.recommend("eve", n=1)
    assert told.explain(reply.turn_id, "Aliens", "eve")
    with pytest.raises(InputError, match="No turn of 'p1' is kept") as refused:
        told.explain(reply.turn_id, "Aliens", "p1")
    with pytest.raises(InputError) as absent:
        told.explain("0" * 32, "Aliens", "p1")
    assert str(absent.value).replace("0" * 32, reply.turn_id) == str(refused.value)
    told.recommend("p1", n=1)
    assert told.explain("last", "Aliens", "eve").turn_id == reply.turn_id
    told.forget("eve")
    for given in (reply.turn_id, reply.turn_id[:6]):
        with pytest.raises(InputError, match="No turn"):
            told.explain(given, "Aliens")
    with pytest.raises(InputError, match="No turn"):
        told.explain("last", "Aliens", "eve")


def test_a_turn_is_found_by_its_first_letters(small):
    store = small.workspace.store
    reply = small.recommend("p1", n=1)
    assert small.explain(reply.turn_id[:8], "Heat").turn_id == reply.turn_id
    with pytest.raises(InputError, match="at least its first 4"):
        small.explain(reply.turn_id[:3], "Heat")
    for other in ("a", "b"):
        store.put_turn(f"same-{other}", None, {}, {})
    with pytest.raises(InputError, match="Several turns"):
        small.explain("same-", "Heat")
    with pytest.raises(InputError, match="without what it went by"):
        small.explain("same-a", "Heat")
    with pytest.raises(InputError, match="No turn"):
        small.explain("%", "Heat")


def test_nothing_to_leave_out_is_said(small):
    found = small.explain(small.recommend(n=1).turn_id, "Alien")
    assert found.influences == ()
    assert "nothing to leave out" in str(found)


def test_an_empty_list_can_be_asked_about(small):
    reply = small.recommend(where={"year": {">": 2020}})
    found = small.explain(reply.turn_id, "Heat")
    assert found.last is None and "2020" in found.verdict
    assert found.standing.place == 1 and found.allowed == 0


# -- how it is told


def test_it_reads_well_and_is_plain_data(told):
    _, found = explained(told, "Aliens", intent="tense")
    text = str(found)
    assert isinstance(found, Explanation)
    assert text.splitlines()[:2] == [f'Turn {found.turn_id[:8]}: "tense".', found.verdict]
    assert "without" in text and "tense (wish)" in text and "Alien (1979) (history" in text
    assert max(map(len, text.splitlines()[3:])) <= 92
    said = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert said["influences"][0].keys() == {"kind", "name", "without", "change", "item_id", "cited"}
    assert said["standing"]["place"] == found.standing.place


def test_the_command(told):
    reply = told.recommend("eve", n=2)
    title = reply.recommendations[0].item.title
    shown = run("explain", "last", title, agent=told)
    assert shown.exit_code == 0
    assert f"{title} is number 1 of 2 in the list." in shown.stdout
    as_json = run("explain", reply.turn_id, "Alien", "--user", "eve", "--json", agent=told)
    assert json.loads(as_json.stdout) == json.loads(json.dumps(told.explain(reply.turn_id, "Alien").as_dict()))
    missing = run("explain", "nothing", "Alien", agent=told)
    assert missing.exit_code == 2 and "No turn is kept under 'nothing'" in missing.stderr


def test_the_last_turn_is_the_last_that_made_a_list(told):
    chat = told.conversation("ann")
    listed = chat.say("something tense", n=2)
    chat.say("thank you!")
    assert told.explain("last", listed.recommendations[0].item.title, "ann").turn_id == listed.turn_id


# -- what is cited is what lifted


def test_a_turn_cites_only_what_lifted_the_item(told):
    reply = told.recommend("eve", n=5)
    cited = 0
    for one in reply.recommendations:
        found = told.explain(reply.turn_id, one.item.item_id)
        change = {i.item_id: i.change for i in found.influences}
        for evidence in one.evidence:
            assert all(change[i] > 0 for i in evidence.item_ids)
            cited += len(evidence.item_ids)
    assert cited
    assert any(
        i.cited for one in reply.recommendations for i in told.explain(reply.turn_id, one.item.item_id).influences
    )


def test_lifts_are_the_changes_of_leaving_one_out(told):
    reply = told.recommend("eve", n=3)
    ids = [one.item.item_id for one in reply.recommendations]
    profile = recall(told.workspace.store, reply.turn_id).profile
    stages = told.stages()
    allowed = stages.allowed(profile, Intent(), ("7",))
    found = lifts(ids, profile.history, profile, Intent(), stages, allowed)
    for item_id in ids:
        told_of = told.explain(reply.turn_id, item_id)
        assert found[item_id] == pytest.approx({i.item_id: i.change for i in told_of.influences}, abs=1e-6)


def test_a_liking_that_is_all_that_is_known_lifts_what_is_like_it(told):
    """Without it the request alone would count, on another scale: that must not look like what the liking took away."""
    told.feedback(Feedback("new", "1", "like"))
    reply = told.recommend("new", intent="funny", n=5)
    given = {}
    for one in reply.recommendations:
        found = told.explain(reply.turn_id, one.item.item_id)
        (liking,) = [i for i in found.influences if i.item_id == "1"]
        given[one.item.item_id] = (liking.change, found.standing.by_source["reactions"])
    liked_alike = [change for change, reaction in given.values() if reaction > 0.1]
    assert liked_alike and min(liked_alike) > 0, given
