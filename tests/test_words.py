"""Names, countries and topics in a message: which attribute they belong to, and what they are only a part of."""

from __future__ import annotations

import pytest

from agent.schema import Filter, Item
from agent.understanding.intent import describe, parse_intent
from agent.workspace.catalogue import Catalogue

# title | genres | directors | cast | countries | themes
ROWS = """
Michael (1996)|Comedy|Nora Ephron|John Travolta|United States|angels
Ed (1996)|Comedy|Bill Couturié|Matt LeBlanc|United States|baseball
Kim (1950)|Children's|Victor Saville|Errol Flynn|United States|spies
The Van (1996)|Drama|Stephen Frears|Colm Meaney|Ireland|friendship
Wall Street (1987)|Drama|Oliver Stone|Michael Douglas,Daryl Hannah|United States|greed
The Rock (1996)|Action|Michael Bay|Sean Connery,Ed Harris|United States|hostages
Batman (1989)|Action|Tim Burton|Kim Basinger,Jack Nicholson|United States|gotham
Double Team (1997)|Action|Tsui Hark|Jean-Claude Van Damme|Hong Kong|spies
Annie Hall (1977)|Comedy|Woody Allen|Woody Allen,Diane Keaton|United States|new york
Manhattan (1979)|Comedy|Woody Allen|Woody Allen|United States|new york
Sleeper (1973)|Comedy|Woody Allen|Diane Keaton|United States|future
Antz (1998)|Animation|Eric Darnell|Woody Allen,Gene Hackman|United States|ants
Losing Chase (1996)|Drama|Kevin Bacon|Helen Mirren|United States|grief
Footloose (1984)|Musical|Herbert Ross|Kevin Bacon|United States|dance
Tremors (1990)|Horror|Ron Underwood|Kevin Bacon|United States|desert
Muriel's Wedding (1994)|Comedy|P. J. Hogan|Toni Collette|Australia|wedding
My Best Friend's Wedding (1997)|Comedy|P.J. Hogan|Julia Roberts|United States|wedding
Dr. Strangelove (1963)|War|Stanley Kubrick|Peter Sellers|United Kingdom|cold war,bomb
The Hunt for Red October (1990)|Action|John McTiernan|Sean Connery|United States|cold war,submarine
Gorky Park (1983)|Thriller|Michael Apted|William Hurt|United States|cold war,police
Paths of Glory (1957)|War|Stanley Kubrick|Kirk Douglas|United States|anti-war,trenches
Platoon (1986)|War|Oliver Stone|Willem Dafoe|United States|vietnam war,anti-war
A Price Above Rubies (1998)|Drama|Boaz Yakin|Renée Zellweger|United States|jewish family
Fly Away Home (1996)|Children's|Carroll Ballard|Anna Paquin|Canada|family bonds
Das Boot (1981)|War|Wolfgang Petersen|Jürgen Prochnow|West Germany|submarine
Lola rennt (1998)|Thriller|Tom Tykwer|Franka Potente|Germany|running
La Haine (1995)|Drama|Mathieu Kassovitz|Vincent Cassel|France|suburbs
"""


def film(row: str) -> Item:
    title, genres, directors, cast, countries, themes = row.split("|")
    lists = {"genres": genres, "directors": directors, "cast": cast, "countries": countries}
    attributes = {"year": int(title[-5:-1])} | {name: tuple(said.split(",")) for name, said in lists.items()}
    return Item(title, title, f"A film. Themes: {themes.replace(',', ', ')}.", attributes)


LISTS = ("genres", "directors", "cast", "countries")
FILMS = Catalogue([film(row) for row in ROWS.strip().split("\n")], {"year": "number"} | dict.fromkeys(LISTS, "list"))


def told(text: str, catalogue: Catalogue = FILMS) -> str:
    return describe(parse_intent(text, catalogue), catalogue)


def check(cases):
    return pytest.mark.parametrize(("text", "expected"), cases.items(), ids=list(cases))


@check(
    {
        "a film with Michael Douglas": "cast Michael Douglas",
        "a film by Michael Bay": "directors Michael Bay",
        "a drama with Ed Harris": "genres Drama; cast Ed Harris",
        "anything with Kim Basinger": "cast Kim Basinger",
        "an action film with Jean-Claude Van Damme": "genres Action; cast Jean-Claude Van Damme",
        "I liked Michael": "like Michael (1996)",
        'something like "Michael" with Michael Douglas': "cast Michael Douglas; like Michael (1996)",
        "like Michael (1996), by Michael Bay": "directors Michael Bay; like Michael (1996)",
    }
)
def test_a_title_inside_a_longer_value_is_no_title(text, expected):
    assert told(text) == expected


@check(
    {
        "how about a tsui hark film": "directors Tsui Hark",
        "starring Woody Allen": "cast Woody Allen",
        "with Diane Keaton and Woody Allen": "cast Diane Keaton; cast Woody Allen",
        "with Gene Hackman or Woody Allen": "cast Gene Hackman or Woody Allen",
        "featuring Woody Allen": "cast Woody Allen",
        "by Woody Allen": "directors Woody Allen",
        "directed by Woody Allen": "directors Woody Allen",
        "directed by Kevin Bacon": "directors Kevin Bacon",
        "with Helen Mirren, directed by Kevin Bacon": "cast Helen Mirren; directors Kevin Bacon",
        "a film from Kevin Bacon": "directors Kevin Bacon",
        "a Kevin Bacon film": "cast Kevin Bacon",
        "nothing with Woody Allen": "not cast Woody Allen",
        "no Woody Allen": "not directors Woody Allen; not cast Woody Allen",
        "starring Oliver Stone": "directors Oliver Stone",
    }
)
def test_the_word_before_a_name_says_what_somebody_did(text, expected):
    assert told(text) == expected


def test_two_spellings_of_one_name_are_one_condition():
    both = ("P. J. Hogan", "P.J. Hogan")
    assert parse_intent("a film by P. J. Hogan", FILMS).filters == (Filter("directors", "in", both),)
    assert parse_intent("nothing by p.j. hogan", FILMS).filters == (Filter("directors", "not in", both),)


@check(
    {
        "a cold war film": "wishes: cold war",
        "no cold war films": "without: cold war",
        "a war film": "genres War",
        "cold and war": "genres War; wishes: cold",
        "a vietnam war film": "genres War; wishes: vietnam",
        "an anti-war film": "wishes: anti-war",
        "anti-drama": "not genres Drama",
        "jewish family films": "wishes: jewish family",
        "family films": "genres Children's",
    }
)
def test_a_genre_that_is_a_part_of_a_topic_of_other_films_is_no_condition(text, expected):
    assert told(text) == expected


@check(
    {
        "an American comedy": "countries United States; genres Comedy",
        "american dramas": "countries United States; genres Drama",
        "a film from the US": "countries United States",
        "from the us": "countries United States",
        "US films": "countries United States",
        "show us films": "",
        "SHOW US FILMS": "",
        "made in the U.S.": "countries United States",
        "a movie from the UK": "countries United Kingdom",
        "British war films": "countries United Kingdom; genres War",
        "German and French films": "countries Germany or West Germany or France",
        "French or Irish": "countries France or Ireland",
        "no American films": "not countries United States",
        "a german thriller": "countries Germany or West Germany; genres Thriller",
        "not german": "not countries Germany or West Germany",
        "in French": "wishes: French",
        "in German or French": "wishes: German French",
        "with French subtitles": "wishes: French subtitles",
        "its language is not French": "wishes: language; without: French",
        "set in the US": "",
        "a western set in Britain": "wishes: western Britain",
        "japanese dramas": "genres Drama; wishes: japanese",
        "a film about american politics": "wishes: american politics",
        "african-american stories": "wishes: african-american stories",
        "a Chinese-American story": "wishes: Chinese-American story",
    }
)
def test_what_people_call_a_country_is_the_country_if_the_catalogue_has_it(text, expected):
    assert told(text) == expected


@check(
    {
        "not American comedy": "countries United States refused; genres Comedy",
        "not an American comedy": "countries United States refused; genres Comedy",
        "no American comedies": "countries United States refused",
        "I hate American comedies": "countries United States refused",
        "no 80s comedies": "year 1980 to 1989 refused",
        "a comedy, but not American": "genres Comedy; countries United States refused",
        "no American films, no comedies": "countries United States refused; genres Comedy refused",
        "neither American nor comedy": "countries United States refused; genres Comedy refused",
        "no horror comedies": "genres Horror or Comedy refused",
    }
)
def test_what_is_turned_down_of_a_kind_does_not_turn_down_the_kind(text, expected):
    parts = [f"{p[4:]} refused" if p.startswith("not ") else p for p in told(text).split("; ")]
    assert sorted(parts) == sorted(expected.split("; "))


def test_a_language_is_no_country_and_codes_of_countries_are():
    items = [Item("1", "One", "", {"language": "French", "country": "US"}), Item("2", "Two", "", {"country": "GB"})]
    catalogue = Catalogue(items, {"language": "word", "country": "word"})
    assert told("a French film", catalogue) == "language French"
    assert told("an American or British film", catalogue) == "country US or GB"
    assert told("an American film", Catalogue(items, {"language": "word"})) == "wishes: American"


def test_no_word_of_a_topic_is_filler():
    items = [Item("1", "One", "A film. Themes: love triangle.")]
    assert told("a love triangle, I love it", Catalogue(items, {})) == "wishes: love triangle"
