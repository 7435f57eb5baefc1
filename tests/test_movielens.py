from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from agent.errors import ImportDataError
from agent.schema import Interaction
from agent.settings import Settings
from agent.workspace.movielens import MovieLens, fetch_movielens, readable_title


@pytest.fixture(scope="module")
def movielens() -> MovieLens:
    return fetch_movielens(Settings().cache)


@pytest.fixture(scope="module")
def items(movielens):
    return {item.item_id: item for item in movielens.items()}


@pytest.fixture(scope="module")
def interactions(movielens) -> list[Interaction]:
    return movielens.interactions()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Alien", "Alien"),
        ("Godfather, The", "The Godfather"),
        ("American in Paris, An", "An American in Paris"),
        ("Misérables, Les", "Les Misérables"),
        ("Enfer, L'", "L'Enfer"),
        ("Postino, Il", "Il Postino"),
        ("Boot, Das", "Das Boot"),
        ("Good, The Bad and The Ugly, The", "The Good, The Bad and The Ugly"),
        ("Paris, Texas", "Paris, Texas"),
        ("Cry, the Beloved Country", "Cry, the Beloved Country"),
        ("Bye Bye, Love", "Bye Bye, Love"),
        ("I, Worst of All (Yo, la peor de todas)", "I, Worst of All (Yo, la peor de todas)"),
        ("Die xue shuang xiong (Killer, The)", "Die xue shuang xiong (The Killer)"),
        ("Star Maker, The (Uomo delle stelle, L')", "The Star Maker (L'Uomo delle stelle)"),
        ("Convent, The (Convento, O)", "The Convent (O Convento)"),
        ("Seventh Seal, The (Sjunde inseglet, Det)", "The Seventh Seal (Det Sjunde inseglet)"),
        (
            "Double vie de Véronique, La (Double Life of Veronique, The)",
            "La Double vie de Véronique (The Double Life of Veronique)",
        ),
        ("((odd", "((odd"),
    ],
)
def test_articles_stand_where_they_are_spoken(given, expected):
    assert readable_title(given) == expected


def test_every_film_with_a_title_is_there(items):
    assert len(items) == 1681 and "267" not in items
    assert not [i for i in items.values() if "unkonwn" in i.title.lower() or "unknown" in i.text]


def test_no_title_keeps_an_inverted_article(items):
    ends = Counter(part.rsplit(", ", 1)[1] for i in items.values() for part in i.title[:-7].split(" (") if ", " in part)
    assert not {"The", "A", "An", "La", "Le", "Les", "L'", "Il", "El", "Der", "Das", "The)", "Le)", "La)"} & set(ends)


def test_a_film_is_as_the_file_says(items):
    alien = items["183"]
    assert alien.title == "Alien (1979)"
    assert alien.attributes == {"year": 1979, "genres": ("Action", "Horror", "Sci-Fi", "Thriller")}
    assert alien.text == "Action, Horror, Sci-Fi, Thriller film of the 1970s, from 1979."
    assert items["1"].words("genres") == ("Animation", "Children's", "Comedy")


def test_the_two_irregular_films(items):
    land = items["1412"]
    assert land.title == "Land Before Time III: The Time of the Great Giving (1995)" and land.attributes["year"] == 1995
    assert items["1373"].attributes == {"year": 1971}
    assert items["1373"].text == "A film of the 1970s, from 1971."


def test_every_film_has_a_year_in_its_title_and_attributes(items):
    assert all(i.title.endswith(f" ({i.attributes['year']})") for i in items.values())
    assert {type(i.attributes["year"]) for i in items.values()} == {int}
    assert len({g for i in items.values() for g in i.words("genres")}) == 18


def test_ratings_are_all_there_but_those_of_the_untitled_item(movielens, interactions, items):
    assert movielens.untitled() == {"267"}
    assert len(interactions) == 100_000 - 9
    assert {i.item_id for i in interactions} == set(items)
    assert Counter(i.value for i in interactions).keys() == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert {i.event for i in interactions} == {"rating"}
    assert Interaction("196", "242", "rating", 3.0, 881250949.0) in interactions


def test_ratings_are_by_person_and_oldest_first_with_ties_as_in_the_file(movielens, interactions):
    keys = [(int(i.user_id), i.timestamp) for i in interactions]
    assert keys == sorted(keys)
    lines = (movielens.folder / "ml-100k.inter").read_text().splitlines()[1:]
    place = {tuple(line.split("\t")[:2]): number for number, line in enumerate(lines)}
    ties = [(a, b) for a, b in pairwise(interactions) if (a.user_id, a.timestamp) == (b.user_id, b.timestamp)]
    assert len(ties) > 1000
    assert all(place[a.user_id, a.item_id] < place[b.user_id, b.item_id] for a, b in ties)


def test_people(movielens, interactions):
    people = movielens.people()
    assert len(people) == 943 and set(people) == {i.user_id for i in interactions}
    assert people["1"] == {"age": "24", "gender": "M", "occupation": "technician"}


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(ImportDataError, match=r"ml-100k\.item cannot be read"):
        MovieLens(tmp_path).items()
    (tmp_path / "ml-100k.item").write_text("id\ttitle\n1\tAlien\n")
    with pytest.raises(ImportDataError, match="expected the columns item_id:token"):
        MovieLens(tmp_path).items()
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (tmp_path / "ml-100k.item").write_text(header + "1\tAlien\n")
    with pytest.raises(ImportDataError, match="line 2: 2 values; expected 4"):
        MovieLens(tmp_path).items()
