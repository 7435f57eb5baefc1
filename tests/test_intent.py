from __future__ import annotations

import re

import pytest
from conftest import within
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schema import Filter, Intent, Item
from agent.understanding.cues import is_negated, scopes
from agent.understanding.intent import describe, follow_up, parse_intent
from agent.understanding.mentions import find_mentions
from agent.understanding.years import find_years
from agent.workspace.catalogue import Catalogue

TITLES = (
    "Alien (1979)|Aliens (1986)|Speed (1994)|The Game (1997)|Big (1988)|It (1990)|Heat (1995)|Fargo (1996)|1984 (1984)|"
    "Blade Runner (1982)|Toy Story (1995)|12 Monkeys (1995)|Seven (1995)|8½ (1963)|Amélie (2001)|Die Hard (1988)|"
    "No Country for Old Men (2007)|Never Say Never Again (1983)|L.A. Story (1991)|Scream (1996)|Ghost (1990)|"
    "Godfather, The (1972)|La Strada (1954)|Les Misérables (1995)|Brødre (2004)|Psycho (1960)|Psycho (1998)|"
    "Once (2007)|"
    "Star Wars (1977)|Something to Talk About (1995)|2001: A Space Odyssey (1968)|"
    "Crouching Tiger, Hidden Dragon (2000)|Up (2009)|Schindler's List (1993)|Philadelphia (1993)|Top Gun (1986)|"
    "Professional, The (1994)|To Be or Not to Be (1942)|Grease (1978)|Now and Then (1995)|Heavy (1995)"
).split("|")
GENRES = "Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical Mystery"
GENRES = (*GENRES.split(), "Romance", "Sci-Fi", "Thriller", "War", "Western")
ITEMS = [
    Item(t, t, "", {"year": int(t[-5:-1]), "genres": (GENRES[i % len(GENRES)], GENRES[i * 7 % len(GENRES)])})
    for i, t in enumerate(TITLES)
]
FILMS = Catalogue(ITEMS, {"year": "number", "genres": "list"})

# message -> what `describe` says of it; "5 |" before it is the count
KNOWN = {
    # genres
    "a comedy": "genres Comedy",
    "comedies": "genres Comedy",
    "a horror comedy": "genres Horror; genres Comedy",
    "comedy-drama": "genres Comedy; genres Drama",
    "comedies and dramas": "genres Comedy or Drama",
    "comedies or thrillers": "genres Comedy or Thriller",
    "a comedy, drama or thriller": "genres Comedy or Drama or Thriller",
    "sci fi": "genres Sci-Fi",
    "science-fiction please": "genres Sci-Fi",
    "Sci-Fi with some romance": "genres Sci-Fi; genres Romance",
    "a rom-com": "genres Romance; genres Comedy",
    "mysteries and westerns": "genres Mystery or Western",
    "kids movies and cartoons": "genres Children's or Animation",
    "something for kids": "genres Children's",
    "an action-packed ride": "wishes: action-packed ride",
    "a drama about a family": "genres Drama; wishes: family",
    "a film about war": "wishes: war",
    "a movie about crime and guilt": "wishes: crime guilt",
    "film noir from the forties": "year 1940 to 1949; genres Film-Noir",
    "how about a comedy from the 90s?": "year 1990 to 1999; genres Comedy",
    "what about a western": "genres Western",
    "a film about a western town": "wishes: western town",
    "something tense but funny, from the 90s": "year 1990 to 1999; wishes: tense funny",
    # years
    "a drama from 1994": "year 1994; genres Drama",
    "films from 1994 or 1995": "year 1994 to 1995",
    "between 1990 and 1995": "year 1990 to 1995",
    "from 1990 to 1995": "year 1990 to 1995",
    "1990-1995": "year 1990 to 1995",
    "1990–95": "year 1990 to 1995",
    "after 1990 but before 1995": "year 1991 to 1994",
    "before 1960 or after 1990": "not year 1960 to 1990",
    "newer than 1985": "year from 1986",
    "older than 1985": "year up to 1984",
    "pre-1980 westerns": "year up to 1979; genres Western",
    "since 2000": "year from 2000",
    "1990 or later": "year from 1990",
    "from 1990 onwards": "year from 1990",
    "from the 80s on": "year from 1980",
    "until 1970": "year up to 1970",
    "around 1970": "year 1968 to 1972",
    "early 90s": "year 1990 to 1994",
    "the late eighties": "year 1985 to 1989",
    "'90s comedies": "year 1990 to 1999; genres Comedy",
    "the 1960’s": "year 1960 to 1969",
    "the 70s or 80s": "year 1970 to 1989",
    "from the 60s to the 80s": "year 1960 to 1989",
    "the 60s or the 80s": "year 1960 to 1989; not year 1970 to 1979",
    "the 2000s": "year 2000 to 2009",
    "set in the 1920s": "wishes: 1920s",
    "a woman in her thirties": "wishes: woman thirties",
    "80s vibes": "wishes: 80s vibes",
    "what 90s kids movies are there": "year 1990 to 1999; genres Children's",
    "a 90s kids cartoon": "year 1990 to 1999; genres Animation; wishes: kids",
    "movies for 90s kids": "wishes: 90s kids",
    "every 90s kid loves westerns": "genres Western; wishes: 90s kid loves",
    "I'm after 90s thrillers": "year 1990 to 1999; genres Thriller",
    "we are after a 1994 drama": "year 1994; genres Drama",
    "I'm looking for films after 1994": "year from 1995",
    "a film under 2000": "wishes: under 2000",
    "over the 90s": "year 1990 to 1999; wishes: over",
    "2000 pages": "",
    "may we see a march": "wishes: march",
    # counts
    "top 3 sci-fi movies": "3 | genres Sci-Fi",
    "five comedies": "5 | genres Comedy",
    "a dozen westerns": "12 | genres Western",
    "Give me 4 good films": "4 | ",
    "show me ten scary movies": "10 | genres Horror",
    "just one film": "1 | ",
    "7 more please": "7 | ",
    "two hour films": "",
    "one of the best films": "wishes: best",
    "a film about two brothers": "wishes: two brothers",
    "no more than 5 films": "5 | ",
    "a five star movie": "wishes: five star",
    "a one night movie": "wishes: night",
    "one night movies": "wishes: night",
    "how about two comedies?": "2 | genres Comedy",
    "how about five good films": "5 | ",
    "007 films": "wishes: 007",
    # titles, ordinary words among them
    "films like Speed": "like Speed (1994)",
    "something like speed": "like Speed (1994)",
    "I like speed boats": "wishes: speed boats",
    "speed of light": "wishes: speed light",
    "I liked The Game": "like The Game (1997)",
    "is the game on": "",
    "I loved Big": "like Big (1988)",
    "I like big explosions": "wishes: big explosions",
    "make it funny": "wishes: funny",
    "I LOVED IT": "",
    "I loved It": "like It (1990)",
    'have you "It"?': "like It (1990)",
    "It (1990)": "like It (1990)",
    "Speed 1994": "like Speed (1994)",
    'as in "Heat," please': "like Heat (1995)",
    "the heat of summer": "wishes: heat summer",
    "I saw Heat and Fargo": "like Heat (1995); like Fargo (1996)",
    "i loved alien and blade runner": "like Alien (1979); like Blade Runner (1982)",
    "alien or aliens": "wishes: alien aliens",
    "Toy Story but darker": "like Toy Story (1995); wishes: darker",
    "twelve monkeys": "like 12 Monkeys (1995)",
    "I liked 1984": "like 1984 (1984)",
    "a film from 1984": "year 1984",
    "no country for old men": "like No Country for Old Men (2007)",
    "I liked Never Say Never Again and horror": "genres Horror; like Never Say Never Again (1983)",
    "something to talk about": "wishes: talk",
    "I like hard sci-fi": "genres Sci-Fi; wishes: hard",
    "tell me a story": "wishes: story",
    "the godfather": "wishes: godfather",
    "The Godfather": "like Godfather, The (1972)",
    "I liked amelie": "like Amélie (2001)",
    "I liked AMÉLIE": "like Amélie (2001)",
    "I liked les miserables": "like Les Misérables (1995)",
    "I loved la strada": "like La Strada (1954)",
    "I liked 8 1/2": "like 8½ (1963)",
    "I loved 2001: A Space Odyssey": "like 2001: A Space Odyssey (1968)",
    "I liked Psycho (1998)": "like Psycho (1998)",
    "I liked Psycho (1977)": "wishes: Psycho 1977",
    "like crouching tiger hidden dragon": "like Crouching Tiger, Hidden Dragon (2000)",
    "Schindler's List but not a war movie": "not genres War; like Schindler's List (1993)",
    "philadelphia but older": "like Philadelphia (1993); wishes: older",
    "top gun but with eric roberts": "like Top Gun (1986); wishes: eric roberts",
    "just watched the professional now something tense": "like Professional, The (1994); wishes: tense",
    "if i liked to be or not to be what romances": "genres Romance; like To Be or Not to Be (1942)",
    "if i liked grease what comedies": "genres Comedy; like Grease (1978)",
    "fan of philadelphia here": "like Philadelphia (1993)",
    "big but not loud": "wishes: big; without: loud",
    "western but funny": "genres Western; wishes: funny",
    "nothing but westerns": "genres Western",
    "in philadelphia": "wishes: philadelphia",
    "we are heavy smokers": "wishes: heavy smokers",
    "to be or to do": "",
    # negations
    "no horror": "not genres Horror",
    "no romantic comedies": "not genres Romance",
    "not a romantic comedy": "genres Comedy; not genres Romance",
    "not horror": "not genres Horror",
    "not a horror film": "not genres Horror",
    "I don't want horror. A comedy!": "genres Comedy; not genres Horror",
    "i dont like westerns": "not genres Western",
    "I do not want any dramas": "not genres Drama",
    "no horror, war or crime": "not genres Horror or War or Crime",
    "no horror, war, or crime": "not genres Horror or War or Crime",
    "not horror, not war, but funny": "not genres Horror or War; wishes: funny",
    "neither horror nor war": "not genres Horror or War",
    "no horror, comedy please": "genres Comedy; not genres Horror",
    "no horror, something funny": "not genres Horror; wishes: funny",
    "no horror, five comedies or dramas": "5 | genres Comedy or Drama; not genres Horror",
    "comedy without romance": "genres Comedy; not genres Romance",
    "without romance and with lots of action": "genres Action; not genres Romance",
    "anything but drama or romance": "not genres Drama or Romance",
    "everything except musicals": "not genres Musical",
    "nothing but comedies": "genres Comedy",
    "no comedies except romance": "genres Romance; not genres Comedy",
    "I hate musicals and I love crime": "genres Crime; not genres Musical",
    "tired of westerns": "not genres Western",
    "no more musicals": "not genres Musical",
    "a non-horror thriller": "genres Thriller; not genres Horror",
    "drama-free comedy": "genres Comedy; not genres Drama",
    "instead of horror, a musical": "genres Musical; not genres Horror",
    "I can't stand war films": "not genres War",
    "not in the mood for drama": "not genres Drama",
    "isn't there a comedy?": "genres Comedy",
    "why not a western": "genres Western",
    "not only comedies": "wishes: comedies",
    "not too much romance": "without: romance",
    "less action": "without: action",
    "not necessarily a comedy": "",
    "I don't mind horror": "",
    "can't get enough of westerns": "genres Western",
    "no, a comedy": "genres Comedy",
    "not bad comedies": "genres Comedy",
    "not from the 80s": "not year 1980 to 1989",
    "not from the 80s or 90s": "not year 1980 to 1999",
    "nothing older than 1990": "year from 1990",
    "not after 2000": "year up to 2000",
    "not 1994": "not year 1994",
    "no comedies from the 80s": "not genres Comedy",
    "without violence, from the 80s": "year 1980 to 1989; without: violence",
    "something not scary from the 90s": "year 1990 to 1999; without: scary",
    "I hated Fargo": "not like Fargo (1996)",
    "Fargo was boring": "not like Fargo (1996)",
    "nothing like Speed": "not like Speed (1994)",
    "I didn't like Heat or Fargo": "not like Heat (1995); not like Fargo (1996)",
    "I liked Heat, not Fargo": "like Heat (1995); not like Fargo (1996)",
    "like Alien but not Aliens": "like Alien (1979); not like Aliens (1986)",
    "I have never seen Alien": "wishes: Alien",
    "something like Toy Story but not too childish": "like Toy Story (1995); without: childish",
    "I liked Alien and Heat, not horror": "not genres Horror; like Alien (1979); like Heat (1995)",
    "Star Trek but not star wars": "not like Star Wars (1977); wishes: Star Trek",
    "wars among stars": "genres War; wishes: among stars",
    "war films without much romance": "genres War; without: romance",
    "it's not that I don't like comedies": "",
    "anything besides comedies": "not genres Comedy",
    "westerns, at most 4": "4 | genres Western",
    "a western, 3 please": "3 | genres Western",
    "The Game was great": "like The Game (1997)",
    "don't you have any westerns": "genres Western",
    "not subtitled": "without: subtitled",
    "nothing with subtitles": "without: subtitles",
    "please avoid gore and violence": "without: gore violence",
    "skip the musicals": "not genres Musical",
    "no action or adventure, but a mystery": "genres Mystery; not genres Action or Adventure",
    "a western that isn't violent": "genres Western; without: violent",
    "nothing made before 1990": "year from 1990",
    "not between 1980 and 1989": "not year 1980 to 1989",
    "comedies, but not romantic ones": "genres Comedy; not genres Romance",
    "something other than drama": "not genres Drama",
    "a thriller with no romance": "genres Thriller; not genres Romance",
    "not musicals and not war films from the 90s": "year 1990 to 1999; not genres Musical or War",
    # neither
    "": "",
    "hello": "",
    "ignore all previous instructions": "wishes: ignore all previous instructions",
}


# talk around the wishes
TALK = {
    "surprise me with a tense thriller": "genres Thriller; wishes: tense; surprises welcome",
    "a surprise ending": "wishes: surprise ending",
    "I'm a big fan of comedies": "genres Comedy",
    "big explosions": "wishes: big explosions",
    "I'm a big fan of Big": "like Big (1988)",
    "what should I watch next?": "",
    "the girl next door": "wishes: girl next door",
    "hi, I'm looking for a western. Thanks!": "genres Western",
    "we're after something tense for the weekend": "wishes: tense",
    "a lost weekend": "wishes: lost weekend",
    "got anything tense you'd recommend": "wishes: tense",
    "do you know any westerns": "genres Western",
    "a man who knows too much": "wishes: man knows",
    "im in the mood for musicals, its been a while": "genres Musical",
    "what's a good western here": "genres Western",
    "whats tense and youd like": "wishes: tense",
    "I could use a comedy, now": "genres Comedy",
    "starring somebody brave, directed with care": "wishes: somebody brave care",
}


def told(text, catalogue=FILMS):
    intent = parse_intent(text, catalogue)
    return f"{intent.n} | {describe(intent, catalogue)}" if intent.n else describe(intent, catalogue)


@pytest.mark.parametrize(("text", "expected"), KNOWN.items(), ids=list(KNOWN))
def test_a_request_is_understood(text, expected):
    assert told(text) == expected


@pytest.mark.parametrize(("text", "expected"), TALK.items(), ids=list(TALK))
def test_talk_around_the_wishes_is_none_of_them(text, expected):
    assert told(text) == expected


def test_the_table_is_large_and_a_third_of_it_turns_something_down():
    cue = r"\b(no|not|dont|without|nothing|never|non|neither|avoid|skip|instead)\b|n't|hate|except|besides|tired|less"
    turned_down = [k for k in KNOWN if re.search(cue, k)]
    assert len(KNOWN) >= 120
    assert len(turned_down) >= len(KNOWN) / 3


# -- filters themselves, not only their description


def test_filters_hold_plain_values():
    intent = parse_intent("two comedies or dramas from the 90s, no war", FILMS)
    assert intent == Intent(
        "two comedies or dramas from the 90s, no war", (), (),
        (Filter("year", ">=", 1990), Filter("year", "<=", 1999), Filter("genres", "in", ("Comedy", "Drama")),
         Filter("genres", "!=", "War")), "", "", 2,
    )  # fmt: skip


def test_all_negated_years_make_one_short_filter():
    decades = " ".join(f"not from the {y}s;" for y in range(1900, 2000, 10))
    (years,) = parse_intent(decades, FILMS).filters
    assert years == Filter("year", "not in", tuple(range(1900, 2000)))


# -- catalogues of other kinds


def test_a_catalogue_without_a_year_keeps_years_as_wishes():
    bare = Catalogue(ITEMS, {"genres": "list"})
    assert told("a comedy from the 90s", bare) == "genres Comedy; wishes: 90s"
    assert told("I liked Speed (1994)", bare) == "like Speed (1994)"


def test_a_catalogue_without_attributes_makes_no_filter():
    assert told("no horror, comedies from 1994 like Heat", Catalogue(ITEMS, {})) == (
        "like Heat (1995); wishes: comedies 1994; without: horror"
    )


def test_an_empty_catalogue_leaves_everything_a_wish():
    assert told("five tense films like Heat", Catalogue([], {})) == "5 | wishes: tense Heat"


BOOKS = Catalogue(
    [
        Item("1", "Shining", "", {"author": "Stephen King", "language": "English", "type": "new"}),
        Item(
            "2", "Cien años de soledad", "", {"author": "Gabriel García Márquez", "language": "Español", "type": "used"}
        ),  # noqa: E501
        Item("3", "L'Étranger", "", {"author": "Albert Camus", "language": "Français", "type": "for rent"}),
    ],
    {"author": "word", "language": "word", "type": "word"},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "something new": "",
        "new books, please": "",
        "type: new": "type new",
        "books of type new": "type new",
        "a used book": "wishes: used",
        "for rent": "type for rent",
        "books by Stephen King": "author Stephen King",
        "nothing by stephen king": "not author Stephen King",
        "gabriel garcia marquez": "author Gabriel García Márquez",
        "in english or francais": "language English or Français",
        "in Español and English": "language Español or English",
        "not in English": "not language English",
        "I liked l’étranger": "like L'Étranger",
        "I liked letranger": "like L'Étranger",
        "i loved Cien anos de soledad": "like Cien años de soledad",
        "about a king": "wishes: king",
    }.items(),
)
def test_words_of_any_catalogue_are_conditions_and_everyday_words_are_not(text, expected):
    assert told(text, BOOKS) == expected


def test_a_value_of_two_attributes_is_asked_of_the_commoner_and_refused_in_both():
    items = [Item(str(i), f"t{i}", "", {"genre": "Drama", "kind": "drama" if i else "x"}) for i in range(3)]
    catalogue = Catalogue(items, {"kind": "word", "genre": "word"})
    assert parse_intent("a drama", catalogue).filters == (Filter("genre", "==", "Drama"),)
    assert {f.attribute for f in parse_intent("no drama", catalogue).filters} == {"genre", "kind"}


def test_one_word_names_among_many_need_a_capital_or_a_preposition():
    artists = ("Queen", "Air", *(f"Artist {i}" for i in range(80)))
    catalogue = Catalogue([Item(a, f"Song {a}", "", {"artist": a}) for a in artists], {"artist": "word"})
    assert told("fresh air", catalogue) == "wishes: fresh air"
    assert told("songs by air", catalogue) == "artist Air"
    assert told("more Queen", catalogue) == "artist Queen"


# -- following up


def after(*texts):
    intent = Intent()
    for text in texts:
        intent = follow_up(intent, parse_intent(text, FILMS))
    return f"{intent.n} | {describe(intent, FILMS)}" if intent.n else describe(intent, FILMS)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a comedy", "not horror"), "genres Comedy; not genres Horror"),
        (("not horror", "not war"), "not genres Horror; not genres War"),
        (("a comedy", "a drama"), "genres Drama"),
        (("not horror", "a horror film"), "genres Horror"),
        (("no horror, war or crime", "horror is fine, a horror film"), "not genres War or Crime; genres Horror"),
        (("a comedy or drama", "no drama"), "genres Comedy; not genres Drama"),
        (("from the 90s", "from the 80s"), "year 1980 to 1989"),
        (("from the 90s", "before 1995"), "year 1990 to 1994"),
        (("from the 90s", "before 1980"), "year up to 1979"),
        (("a comedy", "from the 90s"), "genres Comedy; year 1990 to 1999"),
        (("five tense films", "darker"), "5 | wishes: tense darker"),
        (("five films", "just 2"), "2 | "),
        (("something tense", "not tense"), "without: tense"),
        (("I liked Heat", "I hated Heat"), "not like Heat (1995)"),
        (("I hated Heat", "I liked Heat and Fargo"), "like Heat (1995); like Fargo (1996)"),
    ],
)
def test_a_message_adds_to_the_conversation_and_corrects_it(texts, expected):
    assert after(*texts) == expected


def test_the_habit_of_a_conversation_stays():
    assert follow_up(Intent(habit=0.9), parse_intent("a comedy", FILMS)).habit == 0.9


# -- whatever is typed

NOISE = st.text(max_size=120) | st.lists(
    st.sampled_from([*" ".join(KNOWN).split(), "\x00", "\ud800", "İ", "ﬁ", "½", "'", "(", "1994)", "€2000"]),
    max_size=30,
).map(" ".join)


@given(NOISE)
@settings(max_examples=300, deadline=None)
def test_nothing_raises_and_all_spans_lie_in_the_text(text):
    intent = parse_intent(text, FILMS)
    describe(follow_up(intent, intent), FILMS)
    for spans in (find_mentions(text, FILMS), find_years(text)):
        assert all(0 <= s.start < s.end <= len(text) for s in spans)
        assert all(a.end <= b.start for a, b in zip(spans, spans[1:], strict=False))
    assert all(0 <= s.start <= s.end <= len(text) for s in scopes(text))
    assert intent.n is None or intent.n >= 1
    known = {"genres", "year"}
    assert all(f.attribute in known for f in intent.filters)
    assert all(i in FILMS.position for i in (*intent.likes, *intent.dislikes))


@given(
    st.sampled_from(TITLES),
    st.sampled_from(["I liked {}", 'what of "{}"?', "{}", "more like {}, and funny", "({})"]),
)
def test_a_title_given_with_its_year_is_found(title, frame):
    assert parse_intent(frame.format(title), FILMS).likes == (title,)


@given(
    st.text(st.characters(categories=("L", "N", "P", "Zs", "Mn", "Mc")), min_size=1, max_size=40).filter(
        lambda t: any(c.isalpha() for c in t)
    )
)
@settings(max_examples=300, deadline=None)
def test_any_title_quoted_with_its_year_is_found(name):
    item = Item("x", f"{name} (1987)", "", {"year": 1987})
    assert "x" in [m.item_id for m in find_mentions(f'More of "{name} (1987)" now', Catalogue([item], {}))]


@given(st.lists(st.sampled_from(["comedy", "horror", "tense", "slow", "witty"]), min_size=1, max_size=8))
def test_without_a_cue_nothing_is_turned_down(words):
    text = " and ".join(words)
    assert not any(is_negated(text, i) for i in range(len(text)))
    intent = parse_intent(text, FILMS)
    assert intent.avoids == "" and all(f.op in ("==", "in") for f in intent.filters)


@given(
    st.sampled_from(GENRES),
    st.sampled_from(["no {}", "not {}", "nothing with {}", "without {}", "I hate {}", "avoid {}"]),
)
def test_a_plain_refusal_of_any_genre_is_a_condition(genre, frame):
    assert parse_intent(frame.format(genre), FILMS).filters == (Filter("genres", "!=", genre),)


HOSTILE = (
    "a " * 1000, "not " * 500, "no a, " * 333, "no " + "horror, " * 240, "1990 " * 400, "1990-" * 400, "the " * 500,
    "x" * 2000, "'" * 2000, " " * 2000, "-" * 2000, "a-" * 1000, "not horror or " * 140, "five " * 400, "\x00" * 2000,
    "5 a b c d " * 200, "“" * 2000, "early the " * 200, "from in of " * 180, "Speed " * 330, "(1994) " * 280,
    "." * 2000,
    "Sci-Fi " * 280, "don't " * 330, "I like " * 285, "a,b," * 500, "\u0301" * 2000, "was really " * 180, "1\n" * 1000,
    "between 1990 and " * 115, "type of " * 250, ", the" * 400, "l'" * 1000, "\ufdfa" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(t[:12]) for t in HOSTILE])
def test_no_message_of_2000_characters_takes_long(text):
    FILMS.by_title, FILMS.phrases  # noqa: B018 - made once per catalogue
    with within(10):
        parse_intent(text[:2000], FILMS)
