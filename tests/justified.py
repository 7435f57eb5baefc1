"""A small film catalogue and a tiny one of books, with people who like things."""

from __future__ import annotations

from contextlib import closing

from agent.justification.evidence import Facts
from agent.retrieval.transitions import Transitions
from agent.schema import Filter, Intent, Interaction, Item, Profile
from agent.workspace.catalogue import Catalogue
from agent.workspace.store import Store

FILM_TYPES = {
    "year": "number",
    "genres": "list",
    "directors": "list",
    "cast": "list",
    "language": "word",
    "price": "number",
}
_FILMS = """
alien|Alien (1979)|1979|Horror, Sci-Fi|Ridley Scott|Sigourney Weaver, Tom Skerritt|English|9
aliens|Aliens (1986)|1986|Action, Sci-Fi|James Cameron|Sigourney Weaver, Michael Biehn|English|9
blade|Blade Runner (1982)|1982|Sci-Fi, Thriller|Ridley Scott|Harrison Ford, Rutger Hauer|English|12
thelma|Thelma & Louise (1991)|1991|Crime, Drama|Ridley Scott|Susan Sarandon, Geena Davis|English|7
terminator|Terminator 2: Judgment Day (1991)|1991|Action, Sci-Fi, Thriller|James Cameron|Linda Hamilton|English|10
heat|Heat (1995)|1995|Crime, Thriller|Michael Mann|Al Pacino, Robert De Niro|English|8
fargo|Fargo (1996)|1996|Comedy, Crime|Joel Coen, Ethan Coen|Frances McDormand, Steve Buscemi|English|6
raising|Raising Arizona (1987)|1987|Comedy, Crime|Joel Coen|Nicolas Cage, Holly Hunter|English|5
smoke|Up in Smoke (1978)|1978|Comedy|Lou Adler|Cheech Marin, Tommy Chong|English|3
strange|Dr. Strangelove (1964)|1964|Comedy, War|Stanley Kubrick|Peter Sellers, George C. Scott|English|11
ishtar|Mad Love (1995)|1995|Thriller, Drama|Antonia Bird|Drew Barrymore, Chris O'Donnell|English|2
amelie|Amélie (2001)|2001|Comedy, Romance|Jean-Pierre Jeunet|Audrey Tautou, Mathieu Kassovitz|French|14
delicate|Delicatessen (1991)|1991|Comedy, Sci-Fi|Jean-Pierre Jeunet, Marc Caro|Dominique Pinon|French|13
sabrina54|Sabrina (1954)|1954|Comedy, Romance|Billy Wilder|Audrey Hepburn, Humphrey Bogart|English|4
sabrina95|Sabrina (1995)|1995|Comedy, Romance|Sydney Pollack|Harrison Ford, Julia Ormond|English|4
it|It (1990)|1990|Horror|Tommy Lee Wallace|Tim Curry|English|5
bare|Metropolis||||||
""".strip()


def _film(line: str) -> Item:
    item_id, title, year, genres, directors, cast, language, price = line.split("|")
    lists = {"genres": genres, "directors": directors, "cast": cast}
    attributes = {"year": int(year), "price": int(price), "language": language} if year else {}
    attributes |= {name: tuple(words.split(", ")) for name, words in lists.items() if words}
    text = "A tense tale of a crew, never funny." if item_id == "aliens" else f"A {genres} film."
    return Item(item_id, title, text, attributes)


FILMS = [_film(line) for line in _FILMS.splitlines()]
BOOK_TYPES = {"authors": "list", "published": "number", "keywords": "list"}
BOOKS = [
    Item("dune", "Dune", "Sand.", {"authors": ("Frank Herbert",), "published": 1965, "keywords": ("desert", "empire")}),
    Item("messiah", "Dune Messiah", "", {"authors": ("Frank Herbert",), "published": 1969, "keywords": ("desert",)}),
    Item("emma", "Emma", "", {"authors": ("Jane Austen",), "published": 1815, "keywords": ("marriage", "village")}),
    Item("persuasion", "Persuasion", "", {"authors": ("Jane Austen",), "published": 1817, "keywords": ("marriage",)}),
]


def build(path, films=FILMS, types=FILM_TYPES):
    """(catalogue, behaviour) over a real store: 60 people, 40 of whom like Alien, 30 of these Aliens, 4 of them Heat.

    "me" likes Alien and Aliens as well, which no count of other people may hold.
    """
    with closing(Store(path)) as store:
        store.put_attribute_types(types)
        store.put_items(films)
        known = {film.item_id for film in films}
        likes = {
            "alien": range(40), "aliens": range(10, 42), "blade": range(5, 25), "heat": range(36, 56),
            "fargo": range(41, 60), "raising": range(43, 58), "bare": range(58, 60),
        }  # fmt: skip
        rows = [(f"p{n}", item_id, 5.0) for item_id, people in likes.items() for n in people]
        rows += [
            ("me", "alien", 5.0),
            ("me", "aliens", 5.0),
            ("me", "blade", 3.0),
            *((f"p{n}", "smoke", 1.0) for n in range(60)),
        ]
        store.put_interactions(
            Interaction(user, item, "rating", value, float(n))
            for n, (user, item, value) in enumerate(rows)
            if item in known
        )
        behaviour = Transitions.learn(store.interaction_columns())
        return Catalogue(store.items(), store.attribute_types()), behaviour


ME = Profile("me", ("blade", "smoke", "fargo", "heat", "alien"), ("fargo", "alien"), ("smoke",), frozenset())


def facts(built, profile=ME, noun="film", **intent):
    return Facts(*built, profile, Intent(**intent), noun)


NINETIES = (Filter("year", ">=", 1990), Filter("year", "<=", 1999))
