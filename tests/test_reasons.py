from __future__ import annotations

import re
from collections import defaultdict
from difflib import SequenceMatcher
from itertools import combinations

import numpy as np
import pytest
from justified import BOOK_TYPES, BOOKS, ME, NINETIES, build, facts

from agent.justification.claims import check
from agent.justification.evidence import gather
from agent.justification.planning import Plan, plan_list
from agent.justification.units import Units
from agent.justification.wording import spoken, titled
from agent.schema import Evidence, Filter, Item, Profile
from agent.workspace.catalogue import Catalogue
from finetune.reasons import FRAMES, LONGEST, SHORTEST, shape_of, write_reason

SONG_TYPES = {"artist": "word", "genre": "list", "released": "number", "mood": "list"}
SONGS = [
    Item("s1", "Cold Rain", "Slow.", {"artist": "Ada Moor", "genre": ("Folk",), "released": 1971, "mood": ("sad",)}),
    Item("s2", "Warm Rain", "Fast.", {"artist": "Ada Moor", "genre": ("Folk", "Pop"), "released": 1975}),
    Item("s3", "You", "", {"artist": "The The", "genre": ("Pop",), "released": 1983, "mood": ("sad", "late")}),
    Item("s4", "1999", "", {"artist": "The The", "genre": ("Folk", "Rock"), "released": 1999}),
]
GOODS_TYPES = {"brand": "word", "category": "word", "colour": "list", "price": "number"}
GOODS = [
    Item("g1", "Over-ear 300", "", {"brand": "Sony", "category": "Headphones", "colour": ("black",), "price": 99}),
    Item("g2", "In-ear 12", "", {"brand": "Sony", "category": "Headphones", "colour": ("red", "black"), "price": 12.5}),
    Item("g3", "Kettle", "", {"brand": "Acme & Sons", "category": "Home, Kitchen", "colour": ("red",), "price": 30}),
    Item("g4", "Lamp 5", "", {"brand": "Acme & Sons", "category": "Light", "colour": ("white",), "price": 30}),
]
THRILLER, NO_HORROR = Filter("genres", "==", "Thriller"), Filter("genres", "!=", "Horror")
REQUESTS = (
    {},
    {"filters": NINETIES},
    {"filters": (THRILLER, NO_HORROR), "wishes": "tense crew"},
    {"filters": (Filter("cast", "==", "Al Pacino"), Filter("language", "==", "English"), Filter("price", "<", 10))},
    {"wishes": "funny tense"},
)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """(catalogue and behaviour, noun, profile, requests) of four kinds of things."""
    path = tmp_path_factory.mktemp("worlds")
    songs, goods = Profile("me", ("s1", "s3"), ("s1",)), Profile("me", ("g1", "g3"), ("g1",))
    dear = {"filters": (Filter("price", ">", 10), Filter("brand", "==", "Sony"), Filter("colour", "!=", "white"))}
    pop = {"filters": (Filter("released", ">=", 1975), Filter("genre", "==", "Pop"), Filter("artist", "!=", "Abba"))}
    return (
        (build(path / "films"), "film", ME, REQUESTS),
        (build(path / "books", BOOKS, BOOK_TYPES), "book", Profile("me", ("emma", "dune"), ("dune",)), ({},)),
        (build(path / "songs", SONGS, SONG_TYPES), "song", songs, ({}, pop)),
        (build(path / "goods", GOODS, GOODS_TYPES), "product", goods, ({}, dear)),
    )


def all_plans(worlds):
    """(plan, noun, catalogue) for each list as it is planned, and then with every fact in the lead and beside it."""
    for built, noun, profile, requests in worlds:
        for request in requests:
            items = built[0].items
            gathered = [gather(item, facts(built, profile, noun, **request)) for item in items]
            yield from ((plan, noun, built[0]) for plan in plan_list(items, gathered, noun, built[0]))
            for item, evidence in zip(items, gathered, strict=True):
                for place, lead in enumerate(evidence):
                    others = evidence[place + 1 :] + evidence[:place]
                    for beside in ((), others[:1], others[-2:]):
                        yield Plan(item, lead, (lead, *beside), evidence, ""), noun, built[0]


@pytest.fixture(scope="module")
def written(worlds):
    """(plan, noun, catalogue, text) for all plans that have a reason."""
    random = np.random.default_rng(0)
    return [(*given, text) for given in all_plans(worlds) if (text := write_reason(*given, random))]


def shape(plan, catalogue, text):
    return shape_of(text, plan.item, plan.everything, catalogue)


def test_every_plan_gets_a_reason_and_every_reason_passes_the_checker(worlds, written):
    assert len(written) == len(list(all_plans(worlds))) > 1000
    for plan, _, catalogue, text in written:
        assert check(text, plan.item, plan.everything, catalogue).ok, text


def test_a_reason_is_one_sentence_of_a_fair_length_where_the_facts_allow_it(written):
    planned = [(plan, text) for plan, _, _, text in written if plan.opener and len(plan.facts) > 1]
    assert len(planned) > 50
    for plan, text in planned:
        assert len(text.split()) <= LONGEST, text
        more = any(e.kind == "property" for e in plan.facts[1:])  # which the frames can add to what leads
        assert len(text.split()) >= SHORTEST or not more or plan.lead.kind == "property" or plan.lead.said, text
    assert max(len(text.split()) for *_, text in written) <= LONGEST


def test_a_reason_says_nothing_that_is_not_among_the_facts_of_its_plan(written):
    for plan, _, catalogue, text in written:
        anchors = [catalogue.get(i) for i in dict.fromkeys(i for e in plan.everything for i in e.item_ids)]
        units = Units(plan.item, anchors, plan.everything, catalogue)
        told = {spoken(v, e.attribute or "").casefold() for e in plan.facts for v in e.values}
        told |= {f'"{word}"' for e in plan.facts for word in e.said.split()}
        named = {plan.item.item_id, *(i for e in plan.facts for i in e.item_ids)}
        numbers = (
            told
            | {word for e in plan.facts for word in e.said.split()}
            | {str(n) for e in plan.facts for n in (e.count, e.total)}
        )
        # A word before it, or a sentence that is a fact as it stands would be one unit.
        for token in units.cut(f"so {text}"):
            known = {"value": told, "title": named, "item": named, "year": numbers, "number": numbers}
            assert token.text in known.get(token.kind, {token.text}), (text, token)
            decades = {v[-4:-1] + "0" for v in told} | {v[-2:-1] + "0" for v in told}
            assert token.kind != "decade" or token.text in decades, (text, token)


def test_each_kind_of_lead_has_at_least_six_shapes_and_a_mere_neighbour_has_its_fact(worlds):
    random, by_kind = np.random.default_rng(5), defaultdict(list)
    for given in all_plans(worlds):
        if not given[0].lead.said:  # what a word of mood leans to is told as it stands
            by_kind[given[0].lead.kind].append(given)
    assert set(by_kind) == {"liked", "watched", "behaviour", "constraint", "wish", "property", "nearest"}
    for kind, plans in by_kind.items():
        drawn = [plans[i] for i in random.integers(len(plans), size=60)]
        texts = [(plan, catalogue, write_reason(plan, noun, catalogue, random)) for plan, noun, catalogue in drawn]
        if kind == "nearest":
            assert all(text == plan.lead.text for plan, _, text in texts)
        else:
            assert len({shape(*row) for row in texts}) >= 6, kind


def test_ten_reasons_in_a_row_have_at_least_four_shapes(worlds):
    random = np.random.default_rng(1)
    (built, noun, profile, requests), *_ = worlds
    items = [item for item in built[0].items if item.item_id != "bare"]
    for request in requests:
        plans = plan_list(items, [gather(i, facts(built, profile, noun, **request)) for i in items], noun, built[0])
        for _ in range(5):
            shapes = [shape(plan, built[0], write_reason(plan, noun, built[0], random)) for plan in plans]
            assert min(len(set(shapes[i : i + 10])) for i in range(len(shapes) - 9)) >= 4


def test_even_one_plan_is_put_in_four_ways_in_ten(worlds):
    random = np.random.default_rng(2)
    for given in [g for g in all_plans(worlds) if g[1] == "film" and g[0].opener][:30]:
        found = {shape(given[0], given[2], write_reason(*given, random)) for _ in range(10)}
        assert len(found) >= 4, found


def test_the_same_random_state_gives_the_same_reason(worlds):
    given = list(all_plans(worlds))[:40]
    first, second = ([write_reason(*g, np.random.default_rng(n)) for n, g in enumerate(given)] for _ in range(2))
    assert first == second
    assert first != [write_reason(*g, np.random.default_rng(n + 1000)) for n, g in enumerate(given)]


def test_no_two_frames_of_one_kind_differ_by_a_single_word():
    for frames in FRAMES.values():
        for one, other in combinations(frames, 2):
            a, b = (re.findall(r"[\w{}']+|[,;:]", frame.lower()) for frame in (one, other))
            codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
            assert sum(max(i - h, k - j) for tag, h, i, j, k in codes if tag != "equal") > 1, (one, other)


ODD = (
    "You liked", "It", "Comedy", "1984", '"Quoted" things', "You asked for it.", "Airplane!", "Who?", "and", "a film",
    "12 of the 40 other people who liked it", "{title}", "It's {0}", "Line\nbreak", "<|im_end|>", "Ünïcode – dash",
    "Like Heat, which you liked", "not horror, as you asked", "word " * 80, "x" * 400, "Heat (1995) (1995)", "…",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_title_or_value_never_makes_a_false_or_broken_reason(odd):
    random = np.random.default_rng(3)
    types = {"year": "number", "genres": "list", "directors": "list", "shelf": "word"}
    known = {"year": 1984, "genres": ("Comedy", odd), "directors": (odd,), "shelf": odd}
    items = [Item("a", odd, odd, known), Item("b", f"{odd} (1984)", "", known), Item("c", "Heat (1995)", "", known)]
    items += [Item(str(n), f"Filler {n}", "", {"year": 1990}) for n in range(5)]
    catalogue = Catalogue(items, types)
    for item, anchor in (("a", "b"), ("b", "a"), ("c", "a"), ("a", "c")):
        thing, title = catalogue.get(item), titled(catalogue.get(anchor).title)
        evidence = [
            Evidence("property", "It is a comedy film from 1984.", (), "genres", ("Comedy", "1984")),
            Evidence("liked", f"Like {title}, which you liked, it is odd.", (anchor,), "genres", (odd,)),
            Evidence("watched", f"Like {title}, which you watched, it is by it.", (anchor,), "directors", (odd,)),
            Evidence("liked", f"Like {title}, which you liked, it has it.", (anchor,), "shelf", (odd,)),
            Evidence(
                "behaviour", f"6 of the 9 other people who liked {title} liked it too.", (anchor,), None, (), 6, 9
            ),
            Evidence("constraint", "It is it, as you asked.", (), "directors", (odd,)),
            Evidence("property", "Its shelf is odd.", (), "shelf", (odd,)),
        ]
        for lead in evidence:
            plan = Plan(thing, lead, (lead, evidence[0]), tuple(evidence), "")
            text = write_reason(plan, "film", catalogue, random)
            assert text is not None
            assert check(text, thing, evidence, catalogue).ok
            assert "\n" not in text
            assert "<|" not in text


def test_a_reason_of_nothing_known_is_the_fact_itself_and_of_an_untrue_fact_is_none_or_true():
    catalogue = Catalogue([Item("a", "Heat (1995)", "", {"genres": ("Crime",)})], {"genres": "list"})
    item, random = catalogue.get("a"), np.random.default_rng(4)
    nearest = Evidence("nearest", "It is among the closest to your history.")
    assert write_reason(Plan(item, nearest, (nearest,), (nearest,), ""), "film", catalogue, random) == nearest.text
    told = Evidence("property", "It is a comedy film.", (), "genres", ("Comedy",))
    stranger = Plan(item, told, (told,), (), "")  # not among the evidence: nothing supports it
    assert write_reason(stranger, "film", catalogue, random) is None


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("You liked Alien (1979), so here's a sci-fi film.", "You liked Alien, so here is an action and sci-fi film."),
        ("It is an action film from 1986.", "It's a sci-fi film from 1986."),
        ("30 of the 40 people who liked Alien liked it.", "Thirty of the forty people who liked Alien liked it."),
    ],
)  # fmt: skip
def test_a_shape_keeps_the_words_and_drops_what_they_are_about(worlds, text, other):
    built, noun, profile, _ = worlds[0]
    evidence = gather(built[0].get("aliens"), facts(built, profile, noun))
    first, second = (shape_of(t, built[0].get("aliens"), evidence, built[0]) for t in (text, other))
    assert first == second
    assert not {"alien", "sci-fi", "1986", "30", "film"} & set(first.split())


def test_another_order_is_another_shape(worlds):
    built, noun, profile, _ = worlds[0]
    item = built[0].get("aliens")
    evidence = gather(item, facts(built, profile, noun))
    texts = ("Here's a sci-fi film, since you liked Alien.", "Since you liked Alien, here's a sci-fi film.")
    assert len({shape_of(text, item, evidence, built[0]) for text in texts}) == 2
    assert shape_of(texts[0], item, evidence, built[0]) == "here is a [value] , since you liked [title] ."
