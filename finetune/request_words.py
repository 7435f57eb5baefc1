"""Small tables of English for written requests: what kinds, numbers, places and topics are called.

Used only where a catalogue has such a value, so none of them says anything of a catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping

# Kinds that English says otherwise than "a horror film": (singular, plural), without the noun of the catalogue;
# {noun} and {nouns} put it in. Every one is a name that `agent.understanding.words` takes for the kind.
KINDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "comedy": (("comedy", "comedies"), ("comedy {noun}", "comedy {nouns}")),
    "drama": (("drama", "dramas"), ("drama", "dramas"), ("drama {noun}", "drama {nouns}")),
    "thriller": (("thriller", "thrillers"),),
    "documentary": (("documentary", "documentaries"),),
    "musical": (("musical", "musicals"),),
    "mystery": (("mystery", "mysteries"), ("mystery {noun}", "mystery {nouns}")),
    "western": (("western", "westerns"),),
    "romance": (("romance", "romances"), ("romantic {noun}", "romantic {nouns}")),
    "film-noir": (("film noir", "film noirs"), ("noir {noun}", "noir {nouns}")),
    "sci-fi": (("sci-fi {noun}", "sci-fi {nouns}"), ("science fiction {noun}", "science fiction {nouns}"),
               ("scifi {noun}", "scifi {nouns}")),
    "animation": (("animated {noun}", "animated {nouns}"), ("cartoon", "cartoons")),
    "children's": (("children's {noun}", "children's {nouns}"), ("kids {noun}", "kids {nouns}")),
    "memoir": (("memoir", "memoirs"),),
    "biography": (("biography", "biographies"),),
    "satire": (("satire", "satires"),),
}  # fmt: skip

# Of two kinds the one that stands later here is the noun, "a romantic war drama"; unknown ones stand between.
KINDS_FIRST = ("children's", "animation", "romance", "sci-fi", "crime", "war", "action", "adventure", "fantasy")
KINDS_LAST = ("horror", "mystery", "comedy", "film-noir", "musical", "western", "thriller", "drama", "documentary")
MODIFIERS = {"romance": "romantic", "animation": "animated", "film-noir": "noir"}

# Kinds that are things and no stuff: nobody says "without western".
THINGS = frozenset(("western", "musical", "thriller", "documentary", "mystery", "film-noir", "memoir", "biography"))

# "funnier": what one says of an item that is of a kind which another is not.
COMPARED: Mapping[str, tuple[str, ...]] = {
    "comedy": ("funnier", "lighter"),
    "horror": ("scarier", "creepier"),
    "thriller": ("more gripping", "tenser"),
    "romance": ("more romantic",),
    "drama": ("more serious", "sadder"),
    "action": ("more explosive",),
    "fantasy": ("more magical",),
    "mystery": ("more mysterious",),
    "adventure": ("more adventurous",),
}

# Of numbers, by a word in the attribute's name: what has less of it, what has more.
SMALLER_LARGER: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "year": (("older",), ("newer", "more recent")),
    "price": (("cheaper",), ("pricier", "more expensive")),
    "pages": (("shorter",), ("longer",)),
    "minutes": (("shorter",), ("longer",)),
    "rating": ((), ("better rated",)),
}
SMALLER_LARGER = {**SMALLER_LARGER, "cost": SMALLER_LARGER["price"], "runtime": SMALLER_LARGER["minutes"]}

# How a range of numbers is said; {s} is a sign of money. "at most" and "only" would be read as a count.
RANGES: Mapping[str, tuple[str, ...]] = {
    "price": ("under {s}{high}", "below {s}{high}", "for less than {s}{high}", "up to {s}{high}", "around {s}{near}",
              "between {s}{low} and {s}{high}", "for under {s}{high}"),
    "pages": ("under {high} pages", "with less than {high} pages", "over {low} pages", "around {near} pages"),
    "minutes": ("under {high} minutes", "over {low} minutes", "around {near} minutes"),
    "rating": ("rated above {low}", "with a rating over {low}", "rated {low} or better"),
    "": ("with {name} under {high}", "with {name} over {low}", "with {name} around {near}"),
}  # fmt: skip
RANGES = {**RANGES, "cost": RANGES["price"]}
MONEY = {"eur": "€", "euro": "€", "euros": "€", "gbp": "£", "pounds": "£"}

# What follows a noun, by the role of the attribute (see `agent.justification.wording.role_of`).
AFTER: Mapping[str, tuple[str, ...]] = {
    "directed": ("by {v}", "directed by {v}", "from {v}"),
    "written": ("by {v}", "written by {v}", "from {v}"),
    "stars": ("with {v}", "starring {v}", "with {v} in it"),
    "by": ("by {v}", "from {v}"),
    "place": ("from {v}", "from {v}", "{made} in {v}"),
    "language": ("in {v}",),
    "other": ("with {name} {v}",),
}
MAKERS = frozenset("brand publisher label manufacturer maker company".split())  # said as who a thing is by
WITH_THE = ("united", "netherlands", "soviet", "czech republic", "philippines", "dominican")
OF_PLACE: Mapping[str, str] = dict(
    pair.split(":")
    for pair in (
        "united states:American,united kingdom:British,france:French,italy:Italian,australia:Australian,"
        "canada:Canadian,germany:German,ireland:Irish,japan:Japanese,spain:Spanish,china:Chinese,india:Indian,"
        "poland:Polish,mexico:Mexican,sweden:Swedish,denmark:Danish,russia:Russian,brazil:Brazilian,iran:Iranian,"
        "belgium:Belgian,south korea:Korean,norway:Norwegian,nigeria:Nigerian,argentina:Argentinian"
    ).split(",")
)

# What a thing may be called beside the catalogue's own noun, and what one does with it: do, doing, seen.
NOUNS = {"film": ("film", "movie"), "movie": ("movie", "film"), "song": ("song", "track")}
DOINGS = {"watched": ("watch", "watching", "seen"), "read": ("read", "reading", "read"),
          "played": ("play", "playing", "played"), "heard": ("hear", "hearing", "heard")}  # fmt: skip
MADE = {"book": "published", "article": "published", "song": "released", "album": "released"}
BUYING = ("bought", "get", "getting", "seen")

# Attributes, and labels inside texts, of what a thing is about. Adjectives follow "something", other words do not.
TOPICS = frozenset("tag tags keyword keywords theme themes mood moods topic topics subject subjects".split())
ADJECTIVES = frozenset(
    """
    absurd anarchic anti-war atmospheric bittersweet bleak calm campy charming cheerful claustrophobic colourful cosy
    cozy creepy crude cynical dark deadpan disturbing dreamlike dreamy eerie elegant energetic epic erotic explosive
    feel-good frenzied funny gentle goofy gory gothic gritty harrowing heartwarming inspiring laid-back lavish
    light-hearted medieval melancholic mellow mind-bending moving neurotic nostalgic philosophical poignant
    post-apocalyptic provocative psychedelic quiet quirky raunchy realistic relaxing romantic sad sardonic satirical
    scary screwball self-aware sensual sentimental serious silly slow sombre steamy strange stylish sunny surreal
    suspenseful talky tender tense touching tragic upbeat uplifting violent warm whimsical wholesome wistful witty wry
    """.split()
)
# Said before a noun, long as they are.
COMPOUNDS = frozenset(
    ("black and white", "coming of age", "over the top", "slice of life", "rock and roll", "on the run", "los angeles")
)
UNCOUNTED = frozenset(
    """
    revenge grief survival betrayal guilt faith greed politics racism crime music jazz love death war poverty
    jealousy loyalty nostalgia identity power justice forgiveness hope fame fate freedom chess boxing baseball
    basketball gambling adultery infidelity divorce marriage family memory nature space magic
    """.split()
)
# "about a con man": somebody, one of whom is meant.
SOMEBODY = ("er", "or", "ist", "man", "boy", "girl", "mother", "father", "woman", "orphan", "spy", "princess", "nanny")
NOBODY = frozenset("murder summer winter disaster power water order horror underwater october flower river".split())
UNCOUNTED_ENDS = ("ship", "tion", "sion", "ness", "ment", "hood", "ism", "ance", "ence", "dom")
