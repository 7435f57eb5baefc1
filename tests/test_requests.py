"""Written requests: true of their item, read so by the agent, and as varied as people are."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schema import Intent, Item, matches
from agent.understanding.cues import NUMBERS
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue
from finetune import request_frames as frames
from finetune import request_words as words
from finetune.request_phrases import sort_of, with_article
from finetune.requests import Written, write_request

FILMS = """
Alien (1979)|Horror,Sci-Fi|Ridley Scott|Sigourney Weaver,Tom Skerritt|United Kingdom|claustrophobic,monster,space crew
Aliens (1986)|Action,Sci-Fi,Thriller|James Cameron|Sigourney Weaver,Michael Biehn|United States|soldiers,motherhood
Blade Runner (1982)|Film-Noir,Sci-Fi|Ridley Scott|Harrison Ford,Rutger Hauer|United States|dystopia,gloomy city
Scream (1996)|Horror,Thriller|Wes Craven|Neve Campbell,Drew Barrymore|United States|masked killer,high school
Toy Story (1995)|Animation,Children's,Comedy|John Lasseter|Tom Hanks,Tim Allen|United States|friendship,toys
Fargo (1996)|Crime,Drama,Thriller|Joel Coen|Frances McDormand,William H. Macy|United States|snow,dark humour
The Godfather (1972)|Action,Crime,Drama|Francis Ford Coppola|Al Pacino,James Caan|United States|family,mafia,power
Heat (1995)|Action,Crime,Thriller|Michael Mann|Al Pacino,Val Kilmer|United States|heist,cat and mouse
Annie Hall (1977)|Comedy,Romance|Woody Allen|Woody Allen,Diane Keaton|United States|neurotic,new york
Antz (1998)|Animation,Children's|Eric Darnell|Woody Allen,Gene Hackman|United States|ants,witty
Jean de Florette (1986)|Drama|Claude Berri|Yves Montand,Gérard Depardieu|France|greed,village life
La Strada (1954)|Drama|Federico Fellini|Anthony Quinn,Giulietta Masina|Italy|bittersweet,circus
Michael (1996)|Comedy,Romance|Nora Ephron|John Travolta,Andie MacDowell|United States|angel,road trip
Das Boot (1981)|Action,Drama,War|Wolfgang Petersen|Jürgen Prochnow|West Germany|submarine,anti-war,tense
Unforgiven (1992)|Western|Clint Eastwood|Clint Eastwood,Gene Hackman|United States|revenge,old age
"""
BOOKS = """
Dune|Science Fiction,Adventure|Frank Herbert|1965|612|English|desert,politics,messiah
Emma|Romance,Comedy|Jane Austen|1815|474|English|matchmaking,witty,village life
The Stranger|Philosophical Fiction|Albert Camus|1942|123|French|absurd,murder trial
Middlemarch|Historical Fiction,Drama|George Eliot|1871|880|English|marriage,ambition
Neuromancer|Science Fiction,Thriller|William Gibson|1984|271|English|hackers,gritty
Beloved|Historical Fiction,Horror|Toni Morrison|1987|324|English|grief,motherhood,ghost
The Hobbit|Fantasy,Adventure|J. R. R. Tolkien|1937|310|English|dragons,treasure hunt,friendship
It|Horror|Stephen King|1986|1138|English|childhood,small town,scary clown
Candide|Satire,Adventure|Voltaire|1759|129|French|optimism,travel
Persepolis|Memoir,Graphic Novel|Marjane Satrapi|2000|160|French|coming of age,revolution
"""
SHOP = """
Arco Desk Lamp|Lamps|Lumo|49.9|4.3|bedside,reading
Globe Floor Lamp|Lamps|Haldor|129|3.9|living room,warm
Trail Runner 3|Shoes|Fjell|89.95|4.7|running,light-weight
City Sneaker|Shoes|Fjell|59|4.1|everyday wear,walking
Studio 50|Headphones|Sonic|199.0|4.8|noise cancelling,travel
Pocket Buds|Headphones|Sonic|24.5|3.2|wireless,running
Oak Chair|Furniture|Haldor|74|4.4|dining,solid wood
2000 Watt Kettle|Kitchen|Lumo|35|4.0|tea,breakfast
"""


def rows(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.strip().split("\n")]


@cache
def films() -> Catalogue:
    items = []
    for place, (title, genres, directors, cast, country, themes) in enumerate(rows(FILMS)):
        lists = {"genres": genres, "directors": directors, "cast": cast, "countries": country}
        attributes = {"year": int(title[-5:-1])} | {k: tuple(v.split(",")) for k, v in lists.items()}
        items.append(Item(str(place), title, f"A story. Themes: {themes.replace(',', ', ')}. A film.", attributes))
    return Catalogue(items, {"year": "number"} | dict.fromkeys(("genres", "directors", "cast", "countries"), "list"))


@cache
def books() -> Catalogue:
    types = {"genre": "list", "author": "word", "publication_year": "number", "pages": "number"}
    items = []
    for place, (title, genres, author, year, pages, language, themes) in enumerate(rows(BOOKS)):
        said = {"genre": tuple(genres.split(",")), "author": author, "publication_year": int(year), "pages": int(pages)}
        said |= {"language": language, "keywords": tuple(themes.split(","))}
        items.append(Item(f"b{place}", title, "", said))
    return Catalogue(items, types | {"language": "word", "keywords": "list"})


@cache
def shop() -> Catalogue:
    types = {"category": "word", "brand": "word", "price": "number", "rating": "number", "tags": "list", "sku": "word"}
    items = []
    for place, (title, category, brand, price, rating, tags) in enumerate(rows(SHOP)):
        said = {"category": category, "brand": brand, "price": float(price), "rating": float(rating)}
        items.append(Item(f"s{place}", title, "", said | {"tags": tuple(tags.split(",")), "sku": f"X{place}-77"}))
    return Catalogue(items, types)


CATALOGUES = {"film": films, "book": books, "product": shop}


@cache
def written(noun: str, seeds: int = 60) -> list[tuple[Item, Written, Intent]]:
    """Requests for every item of a catalogue with all its items as liked, and how each is read."""
    catalogue = CATALOGUES[noun]()
    found = []
    for seed in range(seeds):
        for place, item in enumerate(catalogue.items):
            request = write_request(item, catalogue, np.random.default_rng((seed, place)), catalogue.ids, noun)
            assert request is not None, item.title
            found.append((item, request, parse_intent(request.text, catalogue)))
    return found


def asks_for(intent: Intent, attribute: str, value: str, sort: str) -> bool:
    """Whether a condition of the intent wants this fact of an item that meets all of them."""
    said = [f for f in intent.filters if f.attribute == attribute and f.op not in ("!=", "not in")]
    return (
        bool(said)
        if sort in ("year", "number")
        else any(value in (f.value if f.op == "in" else [f.value]) for f in said)
    )


@pytest.mark.parametrize("noun", CATALOGUES)
def test_an_item_meets_its_request_as_the_agent_reads_it(noun):
    for item, request, intent in written(noun):
        assert matches(item, intent.filters), request.text
        assert not intent.dislikes and item.item_id not in intent.likes, request.text
        assert intent.likes == (() if request.like is None else (request.like,)), request.text


@pytest.mark.parametrize("noun", CATALOGUES)
def test_what_is_asked_for_is_true_of_the_item(noun):
    for item, request, _ in written(noun):
        assert request.like != item.item_id and len(request.facts) <= 6
        assert request.facts or request.like, request.text
        for attribute, value in request.facts:
            told = item.attributes.get(attribute, item.text)
            is_true = float(value) == told if isinstance(told, int | float) else value in told
            assert is_true, (request.text, attribute, value)


def test_most_of_what_is_asked_for_becomes_a_condition():
    read: dict[tuple[str, str], list[bool]] = {}
    for noun, catalogue in CATALOGUES.items():
        for _, request, intent in written(noun):
            for attribute, value in () if request.like else request.facts:
                sort = sort_of(attribute, catalogue())
                read.setdefault((noun, sort), []).append(asks_for(intent, attribute, value, sort))
    share = {key: np.mean(found) for key, found in read.items()}
    for kind in (("film", "kind"), ("film", "year"), ("film", "stars"), ("film", "directed"), ("book", "kind"),
                 ("book", "year"), ("book", "written"), ("product", "kind"), ("product", "other")):  # fmt: skip
        assert share[kind] > 0.9, (kind, share[kind])


def test_a_comparison_is_true_of_both_items():
    compared = 0
    for noun, catalogue in CATALOGUES.items():
        for item, request, _ in written(noun):
            if request.like is None:
                continue
            other = catalogue().get(request.like)
            text = request.text.lower().replace(other.title.lower(), "")
            for word, attribute, more in (
                ("newer", "year", True), ("more recent", "year", True), ("older", "year", False),
                ("cheaper", "price", False), ("pricier", "price", True), ("shorter", "pages", False),
                ("longer", "pages", True), ("better rated", "rating", True),
            ):  # fmt: skip
                name = "publication_year" if noun == "book" and attribute == "year" else attribute
                if re.search(rf"\b{word}\b(?! than \d)", text):
                    compared += 1
                    assert (item.attributes[name] > other.attributes[name]) is more, request.text
            if "funnier" in text:
                compared += 1
                kinds = "genre" if noun == "book" else "genres"
                assert "Comedy" in item.words(kinds) and "Comedy" not in other.words(kinds), request.text
    assert compared > 50


def test_what_is_turned_down_is_not_true_of_the_item():
    refused = 0
    for item, request, intent in written("film"):
        for condition in intent.filters:
            if condition.op in ("!=", "not in"):
                refused += 1
                assert matches(item, [condition]), request.text
    assert refused > 30


def test_a_range_of_numbers_holds_the_number():
    under, over = re.compile(r"(?:under|below|than|up to) \$?([\d.]+)"), re.compile(r"(?:above|over|rated) ([\d.]+)")
    seen = 0
    for _, request, _ in written("product"):
        for attribute, value in request.facts:
            if attribute in ("price", "rating") and sum(a in ("price", "rating") for a, _ in request.facts) == 1:
                assert all(float(value) < float(n.rstrip(".")) for n in under.findall(request.text)), request.text
                assert all(float(value) > float(n.rstrip(".")) for n in over.findall(request.text)), request.text
                seen += bool(under.search(request.text) or over.search(request.text))
        assert "sku" not in dict(request.facts)
    assert seen > 40


def test_a_count_is_read_as_the_count():
    counts = 0
    for _, request, intent in written("film"):
        said = re.match(r"(?:top|give me|show me|just|recommend me) (\d+|[a-z]+) (?!me\b)", request.text.lower())
        number = said and (NUMBERS.get(said[1]) or (int(said[1]) if said[1].isdecimal() and len(said[1]) < 3 else None))
        if number:
            counts += 1
            assert intent.n == number, request.text
    assert counts > 30


def test_the_same_state_writes_the_same_request():
    for item in films().items:
        twice = [write_request(item, films(), np.random.default_rng(7), films().ids, "film") for _ in range(2)]
        assert twice[0] == twice[1]


def test_an_item_without_anything_to_ask_for_has_no_request():
    bare = Item("1", "Nameless")
    coded = Item("2", "Coded", "Just a text.", {"sku": "A-1", "price": float("nan"), "kind": "x" * 99})
    catalogue = Catalogue([bare, coded], {"sku": "word", "price": "number", "kind": "word"})
    assert [write_request(item, catalogue, np.random.default_rng(1)) for item in (bare, coded)] == [None, None]


def test_nothing_liked_and_nothing_alike_means_no_title_is_named():
    one = films().items[0]
    assert all(write_request(one, films(), np.random.default_rng(s), (), "film").like is None for s in range(50))
    assert all(
        write_request(one, films(), np.random.default_rng(s), ("0", "?"), "film").like is None for s in range(50)
    )


def test_requests_are_of_many_forms_and_some_are_sloppy():
    tables = (frames.SHORT, frames.ASKS, frames.COUNTED, frames.LIKES)
    lines = [line for table in tables for line in table.strip().split("\n")]
    assert len(set(lines)) == len(lines) > 100
    texts = [request.text for _, request, _ in written("film")]
    assert len(set(texts)) > 0.9 * len(texts)
    assert not any("{" in t or "  " in t or t != t.strip() for t in texts)
    assert sum(t == t.lower() for t in texts) > 0.3 * len(texts)
    assert sum(t[0].isupper() and t[-1] in ".?!" for t in texts) > 0.1 * len(texts)
    assert sum("'" not in t and re.search(r"\b(?:im|id|ive|dont|whats)\b", t) is not None for t in texts) > 5


def test_every_frame_names_only_phrases_that_there_are():
    known = set(
        "a many bare keys some kind kinds post x more newer newer_a n verb do doing seen when noun nouns".split()
    )
    for table in (frames.SHORT, frames.ASKS, frames.COUNTED, frames.LIKES):
        for line in table.strip().split("\n"):
            assert {name for _, name, _, _ in Formatter().parse(line) if name} <= known, line


@pytest.mark.parametrize(("kind", "place"), [(k, i) for k, names in words.KINDS.items() for i in range(len(names))])
def test_every_name_of_a_kind_is_read_as_it(kind, place):
    catalogue = Catalogue([Item("1", "One", "", {"genres": (kind.title(),)})], {"genres": "list"})
    for name in words.KINDS[kind][place]:
        said = name.format(noun="film", nouns="films")
        assert [f.value for f in parse_intent(f"I want {said}", catalogue).filters] == [kind.title()], said


SOUNDS = (
    "an 80s film|a 90s film|a 1980s film|an action film|a union drama|an unusual film|a European film|an 1890s play"
)


@pytest.mark.parametrize("said", SOUNDS.split("|"))
def test_articles_follow_the_sound(said):
    assert with_article(said.split(" ", 1)[1]) == said


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "genre": st.lists(st.text(max_size=14) | st.sampled_from(["War", "Comedy", "no horror"]), max_size=3),
                "author": st.text(max_size=20) | st.sampled_from(["Anne Not", "War Comedy", "{a}"]),
                "price": st.floats(),
                "year": st.integers(-3000, 3000),
                "title": st.text(min_size=1, max_size=12) | st.sampled_from(["War", "Comedy", "Anne", "Not", "It"]),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2**32),
)
def test_any_catalogue_gets_requests_that_fit_or_none(given_items, seed):
    items = [
        Item(str(i), g["title"], f"Themes: {g['author']}.",
             {"genre": tuple(g["genre"]), "author": g["author"], "price": g["price"], "year": g["year"]})
        for i, g in enumerate(given_items)
    ]  # fmt: skip
    catalogue = Catalogue(items, {"genre": "list", "author": "word", "price": "number", "year": "number"})
    for item in items:
        request = write_request(item, catalogue, np.random.default_rng(seed), catalogue.ids, "book")
        if request is not None:
            intent = parse_intent(request.text, catalogue)
            assert matches(item, intent.filters) and not intent.dislikes and item.item_id not in intent.likes
            assert request.like is None or request.like in intent.likes
