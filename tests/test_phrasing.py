from __future__ import annotations

import re

import pytest
from justified import ME, NINETIES, build, facts

from agent.generation.base import Message, Piece
from agent.generation.fake import FakeGenerator
from agent.justification.claims import check
from agent.justification.evidence import gather
from agent.justification.phrasing import phrase
from agent.justification.planning import plan_list
from agent.justification.sentences import description, opening
from agent.justification.wording import titled
from agent.schema import Evidence, Filter, Item, Profile
from agent.workspace.catalogue import Catalogue

ASKED = {
    "filters": (*NINETIES, Filter("genres", "==", "Thriller"), Filter("genres", "!=", "Horror")),
    "wishes": "tense",
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return build(tmp_path_factory.mktemp("films") / "store.sqlite")


def plans(films, *item_ids, profile=ME, **intent):
    items = [films[0].get(i) for i in item_ids]
    return plan_list(items, [gather(item, facts(films, profile, **intent)) for item in items], "film", films[0])


def leading(films, item_id, **intent):
    """One plan for every sentence of the evidence, as if it led, in each place of the list that changes its opener."""
    item = films[0].get(item_id)
    for lead in gather(item, facts(films, **intent)):
        rest = [e for e in gather(item, facts(films, **intent)) if e.kind == "property"]
        for row in range(6):
            fill = [[e] for e in [lead] * row]
            yield plan_list([item] * (row + 1), [*fill, [lead, *rest]], "film", films[0])[row]


def render(item, told):
    return (Message("user", f"{item.title}: {' '.join(told)}"), Message("assistant", ""))


def phrased(films, given, sentences=(), seed=None):
    return {p.row: p for p in phrase(FakeGenerator(sentences), (), given, render, "film", films[0], seed=seed)}


class Listening(FakeGenerator):
    """Writes like the fake, and remembers what it was asked for and whether it was stopped."""

    def __init__(self, sentences=()):
        super().__init__(sentences)
        self.asked = []
        self.stopped = False

    def write(self, prefix, branches, *, seed=None):
        self.asked.append((seed, [b.messages[-1].content for b in branches]))
        try:
            yield from super().write(prefix, branches, seed=seed)
        finally:
            self.stopped = True


@pytest.mark.parametrize("intent", [{}, ASKED])
def test_the_plain_sentence_of_every_plan_passes_the_checker(films, intent):
    given = plans(films, *films[0].ids, **intent)
    assert len(given) == len(films[0])
    for plan in given:
        assert check(plan.plain, plan.item, plan.everything, films[0]).ok, plan.plain


@pytest.mark.parametrize("item_id", ["aliens", "raising", "terminator", "thelma", "strange"])
def test_every_way_in_which_the_model_may_go_on_is_true(films, item_id):
    seen = set()
    for asked in ({}, ASKED, {"likes": ("alien",), "examples": ("alien",)}):
        for plan in leading(films, item_id, **asked):
            for ending in plan.endings:
                text = f"{plan.opener} {ending}"
                seen.add(plan.opener.split()[0])
                assert check(text, plan.item, plan.everything, films[0]).ok, text
    assert seen


def test_an_opener_alone_or_with_an_empty_ending_does_not_pass(films):
    for plan in leading(films, "terminator", **ASKED):
        for ending in (".", " is.", " a.", " a film and.", " too."):
            text = f"{plan.opener}{ending}"
            assert not check(text, plan.item, plan.everything, films[0]).ok, text


def test_the_list_does_not_lean_on_one_reason_only(films):
    given = plans(films, "aliens", "raising", "thelma", "terminator")
    assert len({(plan.lead.kind, plan.lead.item_ids, plan.lead.attribute) for plan in given}) == 4
    assert len({(plan.opener, *plan.endings) for plan in given}) == 4


def test_what_the_request_asked_for_comes_first(films):
    (plan,) = plans(films, "terminator", **ASKED)
    assert plan.lead.kind == "constraint"


def test_a_true_sentence_of_the_model_is_kept_and_says_so(films):
    given = plans(films, "aliens")
    said = "Like Alien (1979), which you liked, it is sci-fi too."
    found = phrased(films, given, [said])
    assert (found[0].text, found[0].phrased_by) == (said, "model")
    assert found[0].evidence == given[0].facts


def test_what_leaves_the_model_nothing_to_choose_is_no_phrase_of_its(films):
    given = plans(films, "bare", profile=Profile())
    found = list(phrase(FakeGenerator(), (), given, render, "film", films[0]))
    assert not any(plan.is_open for plan in given)
    assert [(p.text, p.phrased_by) for p in found] == [(plan.plain, "plain") for plan in given]


def test_a_false_sentence_is_asked_for_again_with_another_seed_and_then_replaced(films):
    given = plans(films, "aliens", "raising")
    generator = Listening(["It is directed by Ridley Scott.", "It is a comedy and crime film from 1987."])
    found = {p.row: p for p in phrase(generator, (), given, render, "film", films[0], seed=7)}
    assert (found[1].text, found[1].phrased_by) == ("It is a comedy and crime film from 1987.", "model")
    assert (found[0].text, found[0].phrased_by) == (given[0].plain, "plain")
    (first_seed, first), (second_seed, second) = generator.asked
    assert (first_seed, second_seed) == (7, 8)
    assert len(first) == 2
    assert second == [given[0].opener]


def test_every_plan_gets_exactly_one_sentence_even_one_that_nothing_is_known_of(films):
    given = plans(films, *films[0].ids, profile=Profile())
    rows = [p.row for p in phrase(FakeGenerator(["It is great."]), (), given, render, "film", films[0])]
    assert sorted(rows) == list(range(len(given)))
    (lonely,) = plans(films, "bare", profile=Profile())
    assert phrased(films, [lonely])[0].phrased_by == "plain"


def test_the_model_completes_the_opener_and_is_told_the_facts(films):
    given = plans(films, "raising")
    generator = Listening()
    list(phrase(generator, (), given, render, "film", films[0]))
    assert generator.asked[0][1] == [given[0].opener]


def test_closing_stops_the_model(films):
    class Endless(Listening):
        def write(self, prefix, branches, *, seed=None):
            try:
                yield Piece(0, "It is a comedy and crime film from 1987.", True)
                while True:
                    yield Piece(1, "It", False)
            finally:
                self.stopped = True

    generator = Endless()
    sentences = phrase(generator, (), plans(films, "raising", "aliens"), render, "film", films[0])
    assert next(sentences).row == 0
    sentences.close()
    assert generator.stopped


@pytest.mark.parametrize(
    ("attribute", "value", "straight", "turned"),
    [
        ("genres", "Crime", "Like Heat (1995), which you liked, it is a crime film too.",
         "You liked Heat (1995), and this is another crime film."),
        ("directors", "Michael Mann", "Like Heat (1995), which you liked, it is also directed by Michael Mann.",
         "You liked Heat (1995), and this film is also directed by Michael Mann."),
        ("cast", "Al Pacino", "Like Heat (1995), which you liked, it also stars Al Pacino.",
         "You liked Heat (1995), and this film also stars Al Pacino."),
        ("language", "English", *("Like Heat (1995), which you liked, its language is English too.",) * 2),
    ],
)  # fmt: skip
def test_what_is_shared_is_told_in_two_ways_in_turn(attribute, value, straight, turned):
    lead = Evidence("liked", straight, ("heat",), attribute, (value,))
    catalogue = Catalogue([Item("heat", "Heat (1995)")], {})
    assert [" ".join(opening(lead, None, row, "film", catalogue)) for row in (0, 1)] == [straight, turned]


def test_a_decade_that_was_asked_for_is_said_with_the_kind(films):
    found = gather(films[0].get("terminator"), facts(films, **ASKED))
    year = next(e for e in found if e.attribute == "year")
    kind = next(e for e in found if e.kind == "constraint" and e.attribute == "genres" and not e.negated)
    assert year.text == "It is from 1991, in the 90s you asked for."
    assert " ".join(opening(kind, year, 1, "film", films[0])) == "It is a 90s thriller, as you asked."
    assert not any(plan.facts[0] is year for plan in plans(films, "terminator", **ASKED))


def test_an_item_is_described_by_what_is_known_and_was_not_said(films):
    def described(item_id, *told):
        found = [e for e in gather(films[0].get(item_id), facts(films, Profile())) if e.kind == "property"]
        return description(found, frozenset(told), "film")

    assert (
        described("aliens")
        == "It is an action and sci-fi film by James Cameron with Sigourney Weaver and Michael Biehn."
    )
    assert (
        described("aliens", "genres") == "It is directed by James Cameron and stars Sigourney Weaver and Michael Biehn."
    )
    assert described("aliens", "directors", "genres") == "It stars Sigourney Weaver and Michael Biehn."
    assert described("bare") == ""


# -- no two reasons alike, none of its place, none of feelings


def told(catalogue, items, evidence, sentences=()):
    """The reasons of a list, in its order, and what each of them claims; all of them pass the checker."""
    given = plan_list(items, evidence, "film", catalogue)
    found = {p.row: p.text for p in phrase(FakeGenerator(sentences), (), given, render, "film", catalogue)}
    verdicts = [check(found[row], plan.item, plan.everything, catalogue) for row, plan in enumerate(given)]
    assert all(verdict.ok for verdict in verdicts), found
    return [found[row] for row in range(len(given))], {verdict.content for verdict in verdicts}


@pytest.mark.parametrize("sentences", [(), ["It is a comedy and crime film from 1987."], ["This is a film from 1991."]])
@pytest.mark.parametrize("profile", [ME, Profile(), Profile("me", ("heat",), ("heat",))])
def test_no_two_reasons_of_a_list_say_the_same(films, profile, sentences):
    items = films[0].items
    texts, contents = told(films[0], items, [gather(item, facts(films, profile)) for item in items], sentences)
    assert len(set(texts)) == len(items)
    named = sum(text.startswith(titled(item.title)) for item, text in zip(items, texts, strict=True))
    assert len(contents) >= len(items) - named  # only where nothing else is left to tell do titles make the difference


def test_items_of_which_the_same_is_known_are_told_apart_by_their_titles():
    genres, language = {"genres": ("Drama",)}, {"language": "English"}
    for attributes, types, expected in (
        (genres, {"genres": "list"}, ["It is a drama film.", "Solaris is a drama film.", '"Two" is a drama film.']),
        (language, {"language": "word"},
         ["Its language is English.", "Solaris has the language English.", '"Two" has the language English.']),
    ):  # fmt: skip
        items = [Item(title, title, "", attributes) for title in ("Stalker", "Solaris", "Two")]
        catalogue = Catalogue(items, types)
        (name, values), *_ = attributes.items()
        text = expected[0]
        evidence = [
            (Evidence("property", text, attribute=name, values=values if isinstance(values, tuple) else (values,)),)
            for _ in items
        ]
        assert told(catalogue, items, evidence, [expected[0]] * 6)[0] == expected


def test_what_the_model_says_of_two_items_alike_is_said_of_one(films):
    given = plans(films, "sabrina54", "sabrina95", "amelie", profile=Profile())
    generator = FakeGenerator(["It is a comedy and romance film."] * 6)
    generator.writes_reasons = True
    found = {p.row: p for p in phrase(generator, (), given, render, "film", films[0])}
    assert sorted(p.phrased_by for p in found.values()) == ["model", "plain", "plain"]
    assert len({p.text for p in found.values()}) == 3


PLACES = r"\b(?:first|second|third|last|next|above|below|previous|list|number|rank|top|pick|another one)\b"
FEELINGS = (
    r"\byou(?:'ll| will| would| should| may| might| must)?\s+(?:love|like|enjoy|adore|prefer|hate|want|need|feel)\b"
)


def test_nothing_that_is_said_without_the_model_speaks_of_places_or_feelings(films):
    for asked in ({}, ASKED):
        for plan in plans(films, *films[0].ids, **asked):
            for text in (plan.opener, *plan.plains(), *(e.text for e in plan.everything)):
                assert not re.search(f"{PLACES}|{FEELINGS}", text, re.IGNORECASE), text


@pytest.mark.parametrize(
    "verb", ["love", "adore", "loved", "will love", "would enjoy", "like", "prefer", "want", "crave"]
)
@pytest.mark.parametrize("form", ["You {} {}, and {}", "Since you {} {}, {}", "Like {1}, which you {0}, {2}"])
def test_no_feeling_that_is_not_on_record_passes(films, verb, form):
    item = films[0].get("aliens")
    evidence = gather(item, facts(films))
    for title in ("Alien (1979)", "Sigourney Weaver", "sci-fi"):
        text = form.format(verb, title, "it is a sci-fi film too.")
        assert not check(text, item, evidence, films[0]).ok, text
    assert check(form.format("liked", "Alien (1979)", "it is a sci-fi film too."), item, evidence, films[0]).ok


@pytest.mark.parametrize(
    "text",
    ["As the first of these, {}", "In place 2, {}", "Like the last one, {}", "Number 1: {}", "{} It tops this list.",
     "{} It is the third here.", "As above, {}", "Next, {}", "Finally, {}", "My top pick: {}"],
)  # fmt: skip
def test_no_place_in_the_list_passes(films, text):
    item = films[0].get("aliens")
    evidence = gather(item, facts(films))
    said = "it is an action film."
    whole = text.format(said if not text.startswith("{}") else said.capitalize())
    assert not check(whole, item, evidence, films[0]).ok, whole
