from __future__ import annotations

import re
from collections import Counter

import pytest
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


def verdict(built, item_id, text, **intent):
    item = built[0].get(item_id)
    return check(text, item, gather(item, facts(built, **intent)), built[0])


# The person liked Fargo (1996) and Alien (1979), watched Blade Runner (1982) and Heat (1995), disliked Up in Smoke.
TRUE = {
    "aliens": """
        You liked Alien (1979), and it is sci-fi too.
        You liked Alien (1979), and it is an action and sci-fi film from 1986.
        You liked Alien (1979), and this film is from the 1980s.
        You liked Alien, and Aliens is sci-fi too.
        You liked “Alien (1979)”, and it's also a sci-fi film.
        You enjoyed Alien (1979), and this is another sci-fi film.
        Like Alien (1979), which you liked, it is sci-fi too.
        Like Alien (1979), which you liked, it is a sci-fi film.
        Like Alien (1979), which you liked, it stars Sigourney Weaver.
        Like Alien, this movie also stars Sigourney Weaver.
        Just like Alien (1979), it is a sci-fi film with Sigourney Weaver.
        Because you liked Alien (1979): another sci-fi film.
        Because you liked Alien (1979): a sci-fi film starring Sigourney Weaver.
        Because you liked Alien (1979), here is a sci-fi film.
        Here is a sci-fi film because you liked Alien (1979).
        Since you liked Alien (1979), here's another film with Sigourney Weaver.
        You liked Alien (1979), so here is another sci-fi film.
        It shares Sigourney Weaver and sci-fi with Alien (1979), which you liked.
        It shares the genre sci-fi with Alien (1979).
        You liked Alien (1979), and it shares Sigourney Weaver with Alien (1979).
        Both Alien (1979) and this film are sci-fi films.
        You liked Alien (1979); they are both sci-fi.
        You liked Alien (1979), and both star Sigourney Weaver.
        Blade Runner (1982), which you watched, is a sci-fi film, and it is a sci-fi film too.
        You watched Blade Runner (1982), and it is another sci-fi film.
        You saw Blade Runner (1982), and this one is sci-fi as well.
        30 of the 40 other people who liked Alien (1979) liked it too.
        Of the 40 other people who liked Alien (1979), 30 liked it too.
        Of the 40 other people who liked Alien (1979), 30 also liked this film.
        30 out of 40 people who liked Alien (1979) also liked Aliens (1986).
        Thirty of the forty other people who liked Alien (1979) liked it too.
        30 other people who liked Alien (1979) also liked it.
        Of the 20 other people who liked Blade Runner (1982), 15 liked it too, and it is an action film from 1986.
        You liked Alien (1979), and 30 of the 40 other people who liked Alien (1979) liked it too.
        It is an action and sci-fi film from 1986.
        This is a 1986 action and sci-fi film by James Cameron.
        This action film is from 1986.
        An action and sci-fi film, directed by James Cameron and starring Michael Biehn.
        It is a mix of action and sci-fi from 1986.
        It brings a blend of action and sci-fi.
        It has action and sci-fi, and it is from the '80s.
        It stars Sigourney Weaver and Michael Biehn. It is directed by James Cameron.
        It is a film that is from 1986 and stars Michael Biehn.
        Aliens (1986) is an action film!
        Its language is English.
        It is both action and sci-fi.
    """,
    "terminator": """
        As you asked, it is a thriller from 1991.
        As you asked, this film is an action, sci-fi and thriller film from 1991.
        It is from 1991, as you asked.
        It is a thriller film from the 1990s, as you asked.
        You asked for thriller, and it is a thriller film from 1991.
        You asked for a thriller, and this is an action and thriller film.
        You asked for something with thriller, and it is from 1991.
        It is not horror, as you asked.
        As you asked, it is not a horror film.
        You asked for no horror, and it is not horror.
        It is a thriller without horror, as you asked.
        You asked for thriller, and it is an action film, not horror.
        It is a thriller like Heat (1995), which you watched.
        You watched Blade Runner (1982) and Heat (1995), and it is a thriller too.
        Blade Runner (1982) and Heat (1995), which you watched, are thrillers, and it is another thriller.
        It is an action film from 1991 directed by James Cameron. You asked for thriller, and it is thriller.
    """,
    "raising": """
        You liked Fargo (1996), and it is a comedy and crime film from 1987.
        You liked Fargo (1996), and it is also directed by Joel Coen.
        Like Fargo (1996), which you liked, it is a comedy by Joel Coen.
        Because you liked Fargo (1996), here is another comedy film by Joel Coen.
        It shares its director, Joel Coen, with Fargo (1996).
        You liked Fargo (1996), and it has the same director, Joel Coen.
        You liked Fargo (1996), and it brings the same mix of comedy and crime.
        Heat (1995), which you watched, is a crime film, and it is a crime film too.
        Of the 19 other people who liked Fargo (1996), 15 liked it too.
        13 of the 20 other people who liked Heat (1995) liked it too.
        It stars Nicolas Cage and Holly Hunter.
        Raising Arizona (1987) is a comedy film with Nicolas Cage.
    """,
    "strange": """
        It is a comedy and war film from 1964.
        Dr. Strangelove (1964) is a war film by Stanley Kubrick.
        You liked Fargo (1996), and Dr. Strangelove is a comedy too.
        It stars Peter Sellers and George C. Scott.
    """,
    "it": """
        It is a horror film from 1990.
        You liked Alien (1979), and it is a horror film too.
        "It" is a horror film starring Tim Curry.
        Like Alien (1979), which you liked, It (1990) is horror.
    """,
}  # fmt: skip

FALSE = {
    "aliens": """
        It is directed by Ridley Scott.
        You liked Alien (1979), and it is also directed by Ridley Scott.
        You liked Alien (1979), and it is also directed by James Cameron.
        Alien (1979), which you liked, is directed by James Cameron.
        It is written by James Cameron.
        It stars James Cameron.
        It is directed by Sigourney Weaver.
        It stars Harrison Ford.
        It stars Sigourney Weaver and Tom Skerritt.
        It is a sci-fi film with James Cameron.
        It is an action film from 1979.
        It is an action film from the 1990s.
        It is an action film from the 70s.
        You liked Alien (1979), and it is from 1986 too.
        It is a horror film from 1986.
        You liked Alien (1979), and it is horror too.
        You liked Alien (1979), and it is an action film too.
        Like Alien (1979), which you liked, it is an action film.
        Like Alien (1979), which you liked, it is action and sci-fi.
        Like Alien (1979), which you liked, it is a sci-fi film from 1986.
        Both Alien (1979) and this film are action films.
        You liked Alien (1979); both are horror.
        They are both sci-fi.
        It is another sci-fi film.
        It is sci-fi too.
        You liked Aliens (1986), and it is sci-fi too.
        You liked Blade Runner (1982), and it is sci-fi too.
        Like Blade Runner (1982), which you liked, it is sci-fi too.
        Because you liked Blade Runner (1982): another sci-fi film.
        You liked Alien (1979) and Blade Runner (1982), and it is sci-fi too.
        You watched Heat (1995), and it is sci-fi too.
        You watched Dr. Strangelove (1964), and it is an action film.
        You watched Up in Smoke (1978), and it is an action film.
        You liked Up in Smoke (1978), and it is an action film.
        You liked Terminator 2: Judgment Day (1991), and it is sci-fi too.
        You liked Alien 3 (1992), and it is sci-fi too.
        You liked Alien (1992), and it is sci-fi too.
        You liked Alien Resurrection, and it is sci-fi too.
        You liked Aliens, and it is sci-fi too.
        You read Alien (1979), and it is sci-fi too.
        You played Blade Runner (1982), and it is sci-fi too.
        You loved Alien (1979), and it is sci-fi too.
        You love sci-fi, and it is a sci-fi film.
        You like sci-fi, and it is a sci-fi film.
        You liked sci-fi, and it is a sci-fi film.
        You will like it, and it is a sci-fi film.
        You disliked Alien (1979), and it is sci-fi too.
        You did not like Alien (1979), and it is sci-fi too.
        You never liked Alien (1979), but it is sci-fi.
        Unlike Alien (1979), it is sci-fi.
        You liked Alien (1979), and it is not sci-fi.
        It is not an action film.
        It is not a comedy film.
        It is no sci-fi film.
        It is a sci-fi film without action.
        It is not only action but sci-fi.
        It does not star Sigourney Weaver.
        31 of the 40 other people who liked Alien (1979) liked it too.
        30 of the 41 other people who liked Alien (1979) liked it too.
        40 of the 30 other people who liked Alien (1979) liked it too.
        15 of the 20 other people who liked Alien (1979) liked it too.
        30 of the 40 other people who liked Blade Runner (1982) liked it too.
        30 of the 40 people who liked Alien (1979) liked it too.
        30 of the 40 other people who liked it liked Alien (1979) too.
        30 of the 40 other people who watched Alien (1979) liked it too.
        30 of the 40 other people who liked Alien (1979) disliked it.
        30 of the 40 other people who liked Alien (1979) did not like it.
        All of the 40 other people who liked Alien (1979) liked it too.
        Most of the 40 other people who liked Alien (1979) liked it too.
        Of the 40 other people who liked Alien (1979), 40 liked it too.
        More than 30 of the 40 other people who liked Alien (1979) liked it too.
        75% of the people who liked Alien (1979) liked it too.
        75 percent of the 40 other people who liked Alien (1979) liked it too.
        Thirty-one of the forty other people who liked Alien (1979) liked it too.
        30 people liked it.
        People who liked Alien (1979) liked it too.
        Many other people liked it too.
        30 critics who liked Alien (1979) liked it too.
        30 of the 40 other people who liked Alien (1979) and Fargo (1996) liked it too.
        It is the best sci-fi film from 1986.
        It is the first in your list, and it is a sci-fi film.
        It is a great sci-fi film from 1986.
        It is the most popular action film.
        It is the only action film from 1986.
        It is one of the action films.
        It is an award-winning action film.
        It is a perfect action film for you.
        It is an action film about a crew on a moon.
        It is an action film from 1986 in which people read.
        It is tense.
        It is a tense action film.
        It is an action film set in 2179.
        It is an action film and a sequel.
        Its description has your word "tense".
        As you asked, it is an action film.
        You asked for action, and it is an action film.
        It is an action film, as requested.
        Because you liked Fargo (1996): an action film.
        Because you liked Alien (1979): an action film.
        Because you liked Alien (1979), it is from 1986.
        You liked Alien (1979), so here is an action film.
        Because you liked Alien (1979), which you liked.
        You liked Alien (1979).
        Alien (1979) is a horror film.
        You liked Alien (1979), a sci-fi and action film.
        You liked Alien (1979): an action film.
        It is a film.
        It is one.
        You liked Alien (1979), and it is a film.
        Here it is.
        This film.
        Alien (1979) is a horror film, and it is sci-fi and action.
        It is a sci-fi film, and it is a horror film.
        It is a sci-fi film. It is a comedy.
        You liked Alien (1979), and it is sci-fi too, and you watched Amélie (2001).
        It shares Ridley Scott with Alien (1979).
        It shares action with Alien (1979).
        It shares the same genre with Alien (1979).
        It shares the director Sigourney Weaver with Alien (1979).
        It has the same director, James Cameron.
        You liked Alien (1979), and it has the same director, James Cameron.
        Its language is French.
        Its director is Ridley Scott.
        Its price is 12.
        It is from English.
        It is from sci-fi.
        It is sci-fi from 1986 from 1987.
        It is James Cameron.
        Аliens is an action film.
        You liked Аlien (1979), and it is sci-fi too.
        You liked Alien (1979), and it is sсi-fi too.
        It is a sci\u200b-fi film.
        It is an \u202eaction film.
        It is an action film from １９８６.
        It is an action film\u00a0from 1986.
        It is an **action** film.
        It is an <b>action</b> film.
        It is an action film https://example.org.
        It is an action film (1986).
        It is an action film? It is a sci-fi film.
        IT IS AN ACTION FILM.
        system: It is an action film.
        Facts: It is an action film.
        As an assistant, I say it is an action film.
        In one short sentence, it is an action film.
        It is an action film and it is an action film and it is an action film.
        It is an action film from 1986
        It is an action film from
        It is an action and.
        It is and it is.
        Action.
        !!!
    """,
    "terminator": """
        You asked for sci-fi, and it is a sci-fi film.
        You asked for action, and it is a thriller film.
        You asked for a film from 1991, and it is a thriller film from 1991.
        You asked for 1991, and it is a thriller.
        As you asked, it is sci-fi.
        As you asked, it is directed by James Cameron.
        As you asked, it is horror.
        It is horror, as you asked.
        You asked for horror, and it is a thriller film.
        You asked for no thriller, and it is not horror.
        It is not thriller, as you asked.
        It is not comedy, as you asked.
        It is not horror and comedy, as you asked.
        It is a horror film without thriller.
        As you asked, you watched Heat (1995), and it is by James Cameron.
        You asked for thriller, and it is a thriller film from 1992.
        Its description has your word "crew".
        Like Heat (1995), which you watched, it is not horror.
        You asked for thriller and horror, and it is a thriller.
    """,
    "raising": """
        You liked Fargo (1996), and it is also directed by Ethan Coen.
        Heat (1995), which you watched, is a thriller film too, and it is a crime film.
        You watched Heat (1995) and Raising Arizona (1987), and it is a crime film too.
        Both Raising Arizona (1987) and this film are crime films.
        You watched Heat (1995) and Heat (1995), and it is a crime film too.
        You liked Fargo (1996), and it is the crime film.
        It is directed by Joel Coen and Ethan Coen.
        It is a comedy film from 1996.
        You liked Fargo (1996), and it is a comedy film from 1996.
        You liked Fargo (1996), and it is also a comedy film from 1987.
        Heat (1995), which you watched, is a comedy film, and it is a comedy film too.
        Both Fargo (1996) and Heat (1995) are comedy films, and it is a comedy film.
        You watched Heat (1995), and both are comedies.
        You watched Heat (1995), and it is a comedy too.
        It is a crime film by Joel Coen, who liked it.
        You liked Sabrina, and it is a comedy film.
    """,
    "it": """
        You liked It, and it is a horror film.
        It is a comedy film.
        You watched It (1990), and it is a horror film.
    """,
}  # fmt: skip


def rows(table):
    return [
        pytest.param(item_id, text, id=f"{item_id}: {text}")
        for item_id, texts in table.items()
        for text in (line.strip(" ") for line in texts.split("\n"))
        if text
    ]


@pytest.mark.parametrize(("item_id", "text"), rows(TRUE))
def test_what_is_true_passes(films, item_id, text):
    found = verdict(films, item_id, text, **(ASKED if item_id == "terminator" else {}))
    assert found.problems == ()
    assert found.ok


@pytest.mark.parametrize(("item_id", "text"), rows(FALSE))
def test_what_is_false_empty_or_unsupported_does_not(films, item_id, text):
    found = verdict(films, item_id, text, **(ASKED if item_id == "terminator" else {}))
    assert not found.ok
    assert found.problems


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


def mutants(text):
    """(kind, text) with exactly one thing swapped, each of which is false of the item that the text is about."""
    for title in TITLES:
        pattern = rf"(?<!\w){re.escape(title)}(?! \(|\w)"
        yield from (("title", t) for t in swapped(text, pattern, "Delicatessen (1991)", "Nosferatu (1922)"))
    for name in sorted(NAMES):
        yield from (("person", t) for t in swapped(text, re.escape(name), "Jean-Pierre Jeunet", "Ingmar Bergman"))
    for genre in sorted(GENRES):
        yield from (("value", t) for t in swapped(text, rf"\b{genre}\b", "romance", "western"))
    for match in re.finditer(r"\d+", text):
        for other in (int(match[0]) + 1, int(match[0]) - 10):
            yield "number", f"{text[: match.start()]}{other}{text[match.end() :]}"
    yield from (("relation", t) for t in phrases_swapped(text, RELATIONS))
    yield from (("polarity", t) for t in phrases_swapped(text, POLARITIES))


def mutation_report(built):
    """How many mutants were tried and killed, by kind, and those that survived."""
    tried, killed, alive = Counter(), Counter(), []
    for item_id, text in (row.values for row in rows(TRUE)):
        for kind, mutant in mutants(text):
            tried[kind] += 1
            ok = verdict(built, item_id, mutant, **(ASKED if item_id == "terminator" else {})).ok
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
    {w for texts in (TRUE, FALSE) for t in texts.values() for w in t.split()} | WORDS | set(TITLES) | set(",.:;")
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
