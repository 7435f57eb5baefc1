from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from justified import BOOK_TYPES, BOOKS, FILMS, NINETIES, build, facts

from agent.justification.claims import LONGEST, check
from agent.justification.evidence import gather
from agent.justification.tokens import WORDS
from agent.schema import Evidence, Filter, Item, Profile
from agent.workspace.catalogue import Catalogue

CRIME = Filter("genres", "==", "Crime")
NO_HORROR = Filter("genres", "!=", "Horror")
ASKED = {"filters": (*NINETIES, Filter("genres", "==", "Thriller"), NO_HORROR), "wishes": "tense crew"}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return build(tmp_path_factory.mktemp("films") / "store.sqlite")


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    return build(tmp_path_factory.mktemp("books") / "store.sqlite", BOOKS, BOOK_TYPES)


def judged(built, item_id, text):
    """The verdict on a sentence of claims.yaml: of Terminator 2 the person asked for something."""
    return verdict(built, item_id, text, **(ASKED if item_id == "terminator" else {}))


def verdict(built, item_id, text, **intent):
    item = built[0].get(item_id)
    return check(text, item, gather(item, facts(built, **intent)), built[0])


CLAIMS = yaml.safe_load(Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8"))
BEYOND = "beyond the grammar"  # true, and refused all the same


def texts(truth, *, without=()):
    """The sentences that are "true" or "false", by the film that they are about."""
    found = {}
    for group, films in CLAIMS[truth].items():
        for item_id, said in films.items() if group not in without else ():
            found.setdefault(item_id, []).extend(said)
    return found


TRUE, FALSE = texts("true", without=[BEYOND]), texts("false")


def rows(table):
    return [pytest.param(item_id, text, id=f"{item_id}: {text}") for item_id, texts in table.items() for text in texts]


@pytest.mark.parametrize(("item_id", "text"), rows(TRUE))
def test_what_is_true_passes(films, item_id, text):
    found = judged(films, item_id, text)
    assert found.problems == ()
    assert found.ok


@pytest.mark.parametrize(("item_id", "text"), rows(FALSE))
def test_what_is_false_empty_or_unsupported_does_not(films, item_id, text):
    found = judged(films, item_id, text)
    assert not found.ok
    assert found.problems


def test_few_true_sentences_are_refused_and_the_cases_are_many(films):
    true = [(i, text) for i, said in texts("true").items() for text in said]
    false = [(i, text) for i, said in FALSE.items() for text in said]
    assert len(set(true + false)) == len(true + false) >= 300
    refused = [text for i, text in true if not judged(films, i, text).ok]
    assert len(refused) <= 0.03 * len(true)
    assert set(refused) == {text for said in CLAIMS["true"][BEYOND].values() for text in said}


@pytest.mark.parametrize("asked", [{}, ASKED, {"filters": (CRIME, Filter("price", "<=", 8))}])
def test_every_sentence_of_the_evidence_passes_alone_and_with_each_other(films, asked):
    for item in films[0].items:
        evidence = gather(item, facts(films, **asked))
        for first in evidence:
            assert check(first.text, item, evidence, films[0]).ok, first
            for second in evidence:
                both = check(f"{first.text} {second.text}", item, evidence, films[0])
                assert both.ok == (first is not second), (first, second)


def said_anew(text):
    """The same sentence in other words, so that it has to be read and is not recognised as a whole."""
    return re.sub(r"^It\b", "This film", text) if text.startswith("It ") else text[:-1] + "!"


def test_every_sentence_of_the_evidence_is_understood_and_not_only_recognised(films, books):
    for built, asked in ((films, {}), (films, ASKED), (books, {"noun": "book"})):
        for item in built[0].items:
            evidence = gather(item, facts(built, **asked))
            for e in evidence:
                if e.kind != "nearest":
                    text = said_anew(e.text).replace("film", asked.get("noun", "film"))
                    found = check(text, item, evidence, built[0])
                    assert found.ok, (text, found)


# -- mutations: every true text, one thing swapped


NAMES = {n for film in FILMS for a in ("directors", "cast") for n in film.words(a)}
GENRES = {g.lower() for film in FILMS for g in film.words("genres")}
TITLES = [film.title for film in FILMS] + ["Alien", "Aliens", "Dr. Strangelove", "Raising Arizona"]
RELATIONS = (
    ("directed by", "written by"), ("directed by", "starring"), ("starring", "directed by"), (" by ", " with "),
    ("liked it", "watched it"), ("liked it", "disliked it"), ("other people", "people"), ("who liked", "who watched"),
    ("stars", "is by"), ("Like ", "Unlike "), ("director", "cast"), ("Its language", "Its director"),
    ("you watched", "you liked"), ("You watched", "You liked"), ("You saw", "You liked"), ("you liked", "you read"),
    ("You liked", "You played"),
)  # fmt: skip
POLARITIES = (
    (" is not ", " is "), (" without ", " with "), (" no ", " a "), (", not ", ", "), (" is a ", " is not a "),
    (" is an ", " is not an "), (" stars ", " does not star "), ("You liked", "You disliked"), (" is ", " is not "),
    ("you liked", "you did not like"), (" liked it", " did not like it"), ("as you asked", "as you refused"),
    ("You asked for", "You did not ask for"), ("You asked for ", "You asked for no "),
)  # fmt: skip


def swapped(text, pattern, *others):
    """The text with its first match replaced, once by each of the others."""
    return [
        re.sub(pattern, lambda _, other=other: other, text, count=1) for other in others if re.search(pattern, text)
    ]


def phrases_swapped(text, pairs):
    # "10 of 46 people" without "the" is as true as with "other", and two negations are one.
    exempt = {("other people", "people"): " the " not in text, ("You asked for ", "You asked for no "): " no " in text}
    return [text.replace(old, new, 1) for old, new in pairs if old in text and not exempt.get((old, new))]


def mutants(text, item):
    """(kind, text) with exactly one thing swapped, each of which is false of the item that the text is about."""
    own = {word.lower() for name in item.attributes for word in item.words(name)} | {item.title.lower()}

    def others(*words):
        return [word for word in words if word.lower() not in own]

    for title in TITLES:
        pattern = rf"(?<!\w){re.escape(title)}(?! \(|\w)"
        yield from (("title", t) for t in swapped(text, pattern, *others("Delicatessen (1991)", "Nosferatu (1922)")))
    for name in sorted(NAMES):
        yield from (
            ("person", t) for t in swapped(text, re.escape(name), *others("Jean-Pierre Jeunet", "Ingmar Bergman"))
        )
    for genre in sorted(GENRES):
        yield from (("value", t) for t in swapped(text, rf"\b{genre}\b", *others("romance", "western")))
    for match in re.finditer(r"\d+", text):
        for other in (int(match[0]) + 1, int(match[0]) - 10):
            yield "number", f"{text[: match.start()]}{other}{text[match.end() :]}"
    yield from (("relation", t) for t in phrases_swapped(text, RELATIONS))
    yield from (("polarity", t) for t in phrases_swapped(text, POLARITIES))


def mutation_report(built):
    """How many mutants were tried and killed, by kind, and those that survived."""
    tried, killed, alive = Counter(), Counter(), []
    for item_id, text in (row.values for row in rows(TRUE)):
        for kind, mutant in mutants(text, built[0].get(item_id)):
            tried[kind] += 1
            ok = judged(built, item_id, mutant).ok
            alive += [(kind, text, mutant)] if ok else []
            killed[kind] += not ok
    return tried, killed, alive


def test_no_mutant_of_a_true_text_survives(films):
    tried, killed, alive = mutation_report(films)
    assert alive == []
    assert killed == tried
    assert set(tried) == {"title", "person", "value", "number", "relation", "polarity"}
    assert min(tried.values()) >= 50


def test_no_name_of_the_evidence_can_take_the_place_of_another(films):
    """Harder mutants: what is swapped in is known too, only not true of this item in this role."""
    fit = {"James Cameron", "Sigourney Weaver", "Michael Biehn"}
    for role in ("directed by {}", "starring {}", "with {}", "by {}"):
        passed = {n for n in NAMES if verdict(films, "aliens", f"It is an action film {role.format(n)}.").ok}
        assert passed == (fit & {"James Cameron"} if "by" in role else fit - {"James Cameron"})
    passed = {g for g in GENRES if verdict(films, "aliens", f"This is from 1986, and it has {g}.").ok}
    assert passed == {"action", "sci-fi"}
    years = {y for y in range(1950, 2030) if verdict(films, "aliens", f"It has action and is from {y}.").ok}
    assert years == {1986}
    text = "{} of the {} other people who liked Alien (1979) liked it too."
    numbers = [(n, m) for n in range(5, 45) for m in range(5, 45)]
    counts = {pair for pair in numbers if verdict(films, "aliens", text.format(*pair)).ok}
    assert counts == {(30, 40)}
    for verb, known in (
        ("liked", {"Alien (1979)", "Fargo (1996)"}),
        ("watched", {"Blade Runner (1982)", "Heat (1995)"}),
    ):
        passed = {f.title for f in FILMS if verdict(films, "raising", f"You {verb} {f.title}, and it is comedy.").ok}
        cited = {films[0].get(i).title for e in gather(films[0].get("raising"), facts(films)) for i in e.item_ids}
        assert passed == (known & cited if verb == "liked" else (known | {"Alien (1979)", "Fargo (1996)"}) & cited)


# -- form, titles and words


PIECES = sorted(
    {w for table in (TRUE, FALSE) for said in table.values() for t in said for w in t.split()}
    | WORDS
    | set(TITLES)
    | set(",.:;")
)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), text=st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_gets_a_verdict_and_none_is_understood_in_part(films, pieces, text):
    for given_text in (" ".join(pieces), f"{' '.join(pieces)}.", text, f"It is an action film. {text}"):
        found = verdict(films, "aliens", given_text)
        assert found.ok == (not found.problems)


def test_a_colon_opens_a_noun_phrase_only_after_a_cause(films):
    assert verdict(films, "aliens", "Because you liked Alien (1979): another sci-fi film.").ok
    assert not verdict(films, "aliens", "Like Alien (1979): another sci-fi film.").ok
    assert not verdict(films, "aliens", "You liked Alien (1979): another sci-fi film.").ok


def test_a_text_is_short_and_ends(films):
    text = "It is an action and sci-fi film from 1986. "
    assert verdict(films, "aliens", text).ok
    assert not verdict(films, "aliens", text * 10).ok
    assert any(str(LONGEST) in problem for problem in verdict(films, "aliens", "It is action. " * 40).problems)
    for empty in ("", " ", ".", "\n", "\x00", "It is"):
        assert not verdict(films, "aliens", empty).ok


def test_a_short_title_counts_only_where_it_is_unmistakable(films):
    item, both = films[0].get("amelie"), []
    for anchor in ("sabrina54", "fargo"):
        title = films[0].get(anchor).title
        both.append(
            Evidence("liked", f"Like {title}, which you liked, it is comedy too.", (anchor,), "genres", ("Comedy",))
        )
    for text, ok in (
        ("You liked Fargo, and it is a comedy film too.", True),
        ("You liked Sabrina (1954), and it is a comedy film too.", True),
        ("You liked Sabrina, and it is a comedy film too.", False),  # there are two
        ("You liked Sabrina (1995), and it is a comedy film too.", False),
    ):
        property_ = Evidence("property", "It is a comedy film.", (), "genres", ("Comedy",))
        assert check(text, item, [*both, property_], films[0]).ok is ok, text


def test_one_work_under_two_ids_has_the_counts_of_both(films):
    twin = Item("again", "Alien (1979)", "", films[0].get("alien").attributes)
    catalogue = Catalogue([*films[0].items, twin], films[0].attribute_types)
    evidence = [Evidence("behaviour", "-", (i,), count=n, total=40) for i, n in (("alien", 30), ("again", 12))]
    text = "{} of the 40 other people who liked Alien (1979) liked it too."
    passed = {n for n in range(5, 41) if check(text.format(n), films[0].get("aliens"), evidence, catalogue).ok}
    assert passed == {12, 30}


def test_what_was_liked_here_is_said_only_of_what_was(films):
    item = films[0].get("aliens")
    evidence = gather(item, replace(facts(films), said=frozenset({"alien"})))
    for text, ok in (
        ("You liked Alien (1979) here, and it is sci-fi too.", True),
        ("You liked Alien (1979), and it is sci-fi too.", True),
        ("Like Alien (1979), which you liked here, it is a sci-fi film.", True),
        ("You liked Alien (1979), so here is another sci-fi film.", True),
        ("You watched Blade Runner (1982) here, and it is sci-fi too.", False),
        ("You liked Blade Runner (1982) here, and it is sci-fi too.", False),
        ("You liked Alien (1979) here, and it is horror.", False),
        ("You liked Alien (1979) and Blade Runner (1982) here, and it is sci-fi too.", False),
    ):
        assert check(text, item, evidence, films[0]).ok is ok, text
    assert not verdict(films, "aliens", "You liked Alien (1979) here, and it is sci-fi too.").ok


def test_the_content_of_a_text_is_what_it_claims_of_whatever_item(films):
    first = verdict(films, "thelma", "It is a drama film from 1991.").content
    assert first == verdict(films, "thelma", "This is a drama from 1991.").content
    assert first != verdict(films, "thelma", "It is a crime film from 1991.").content
    shared = [
        verdict(films, i, f"You liked Fargo (1996), and {it} a crime film too.").content
        for i, it in (("thelma", "it is"), ("raising", "this is"))
    ]
    assert shared[0] == shared[1] != first


def test_books(books):
    item = books[0].get("messiah")
    evidence = gather(item, facts(books, Profile("me", ("emma", "dune"), ("dune",)), "book"))
    for text, ok in (
        ("You liked Dune, and it is also by Frank Herbert.", True),
        ("You read Dune, and this book is also written by Frank Herbert.", True),
        ("Because you liked Dune: another book by Frank Herbert.", True),
        ("Dune Messiah is a book from 1969 by Frank Herbert.", True),
        ("It is a book published in 1969.", True),
        ("Its keywords include desert.", True),
        ("You liked Dune, and its keywords include desert too.", True),
        ("You liked Dune, and its keywords include empire.", False),
        ("You watched Dune, and it is also by Frank Herbert.", False),
        ("You liked Dune, and it is also by Jane Austen.", False),
        ("You liked Dune Messiah, and it is also by Frank Herbert.", False),
        ("You liked Emma, and it is by Frank Herbert.", False),
        ("It is directed by Frank Herbert.", False),
        ("It is a film from 1969.", False),
        ("It is a book from 1965.", False),
        ("It is by desert.", False),
    ):
        assert check(text, item, evidence, books[0]).ok is ok, text


@pytest.mark.parametrize("title", ["", "  ", "\u200b"])
def test_a_title_with_nothing_visible_is_no_claim(title):
    items = [Item("blank", title, "", {"genres": ("Drama",)}), Item("seen", "Alien (1979)", "", {"genres": ("Drama",)})]
    evidence = [Evidence("liked", "You liked it.", item_ids=("blank",), attribute="genres", values=("Drama",))]
    catalogue = Catalogue(items, {"genres": "list"})
    assert check("It is a drama.", items[1], evidence, catalogue).ok
    assert not check("You liked Heat, and it is a drama too.", items[1], evidence, catalogue).ok
