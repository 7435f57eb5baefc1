"""What a reason says beside kinds and years: themes, decades, moods, how many chose it. And nothing untrue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import open_small
from justified import FILM_TYPES, FILMS, NINETIES, build, facts

from agent.generation.fake import FakeGenerator
from agent.justification.chinese import sentence
from agent.justification.claims import check
from agent.justification.evidence import gather
from agent.justification.phrasing import phrase
from agent.justification.planning import plan_list
from agent.justification.themes import themes_of
from agent.schema import Evidence, Filter, Item, Profile

THEMES = {
    "heat": "Two men hunt each other. Themes: Heist, los angeles, obsession.",
    "fargo": "A bad plan. Themes: snow, kidnapping, dark humour.",
    "raising": "A couple takes a child. Themes: kidnapping, dark humour, slapstick.",
    "terminator": "A machine protects a boy in Los Angeles. Themes: chase, strong heroine.",
}
CHAIN = Profile("me", ("fargo",), ("fargo",))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    told = [replace(film, text=THEMES.get(film.item_id, film.text)) for film in FILMS]
    return build(tmp_path_factory.mktemp("films") / "store.sqlite", told, FILM_TYPES)


def gathered(films, item_id, profile=CHAIN, **intent):
    return gather(films[0].get(item_id), facts(films, profile, **intent))


def passes(films, item_id, text, profile=CHAIN, **intent):
    return check(text, films[0].get(item_id), gathered(films, item_id, profile, **intent), films[0]).ok


@pytest.mark.parametrize(
    ("text", "themes"),
    [
        ("A tale. Themes: Heist, los angeles. A film.", ("heist", "los angeles")),
        ("Themes: one day. Tags: gentle.", ("one day", "gentle")),
        ("Themes: you will love this, ok, 1984, <b>bold</b>, a b c d e.", ("ok",)),
        ("His Themes: none", ()),
        ("", ()),
    ],
)
def test_themes_are_a_few_plain_words_that_a_text_lists(text, themes):
    assert themes_of(Item("x", "X", text)) == themes


def test_a_shared_theme_leads_and_the_film_is_described(films):
    (plan,) = plan_list([films[0].get("raising")], [gathered(films, "raising")], "film", films[0])
    assert plan.lead.text == "Like Fargo (1996), which you liked, it is also directed by Joel Coen."
    shared = 'It shares the themes "kidnapping" and "dark humour" with Fargo (1996), which you liked.'
    assert shared in [e.text for e in plan.everything]
    assert passes(films, "raising", 'You liked Fargo (1996), and it shares the theme "kidnapping" with Fargo (1996).')
    assert not passes(films, "raising", 'It shares the theme "slapstick" with Fargo (1996), which you liked.')
    assert not passes(films, "raising", 'Its themes include "snow".')


def test_a_theme_that_was_wished_for_is_quoted_and_part_of_one_is_a_word(films):
    texts = [e.text for e in gathered(films, "raising", Profile(), wishes="dark humour") if e.kind == "wish"]
    assert texts == ['Its themes include "dark humour", as you wished.']
    texts = [e.text for e in gathered(films, "terminator", Profile(), wishes="los angeles heroine") if e.kind == "wish"]
    assert texts == ['Its description has your words "los angeles" and "heroine".']
    assert not passes(films, "raising", 'Its themes include "slapstick", as you wished.', wishes="dark humour")


def test_a_vague_word_out_of_a_longer_wish_is_no_reason(films):
    assert not [e for e in gathered(films, "terminator", Profile(), wishes="strong story") if e.kind == "wish"]


def test_a_word_of_mood_is_answered_by_the_kind_it_leans_to(films):
    (told,) = [e for e in gathered(films, "raising", Profile(), wishes="funny") if e.kind == "wish"]
    assert (told.text, told.said) == ('You said "funny", and it is a comedy.', "funny")
    assert passes(films, "raising", 'You said "funny", and it is a crime comedy.', wishes="funny")
    assert not passes(films, "raising", 'You said "scary", and it is a comedy.', wishes="funny")
    assert not passes(films, "raising", 'You said "funny", and it is a thriller.', wishes="funny")
    assert not passes(films, "raising", 'Its description has your word "comedy".', wishes="funny")


def test_a_decade_is_said_to_be_asked_for_only_where_it_was(films):
    text = "It is from 1991, in the 90s you asked for."
    assert text in [e.text for e in gathered(films, "terminator", filters=NINETIES)]
    assert passes(films, "terminator", "This film is from 1991, in the 90s you asked for.", filters=NINETIES)
    since = (Filter("year", ">=", 1990),)
    assert text not in [e.text for e in gathered(films, "terminator", filters=since)]
    assert not passes(films, "terminator", text, filters=since)
    assert not passes(films, "terminator", "This film is from 1991, in the 80s you asked for.", filters=NINETIES)


def test_how_many_chose_it_is_told_where_nothing_is_known(films):
    (told,) = [e for e in gathered(films, "alien", Profile()) if e.kind == "popular"]
    assert told.text == f"{told.count} of the {told.total} people here chose it." and told.count == 41
    assert passes(films, "alien", f"{told.text[:-1]}!", Profile())
    assert not passes(films, "alien", f"40 of the {told.total} people here chose it.", Profile())
    assert not [e for asked in ({"profile": CHAIN}, {"profile": Profile(), "text": "a film"})
                for e in gathered(films, "alien", **asked) if e.kind == "popular"]  # fmt: skip


def test_no_two_reasons_of_a_list_begin_and_end_alike(films):
    items = [films[0].get(i) for i in ("heat", "raising", "terminator", "thelma")]
    asked = {"filters": (Filter("year", ">=", 1980),), "wishes": "dark humour los angeles"}
    plans = plan_list(items, [gathered(films, i.item_id, **asked) for i in items], "film", films[0])
    found = phrase(FakeGenerator(), (), plans, lambda item, told: (_open(),), "film", films[0])
    texts = [one.text for one in found]
    assert len(set(texts)) == 4 and all(text.endswith(".") for text in texts)


def test_what_goes_on_after_a_list_does_not_begin_with_the_same_forms(films):
    item = films[0].get("heat")
    evidence = [
        e for e in gathered(films, "heat", filters=(Filter("genres", "==", "Crime"),)) if e.kind == "constraint"
    ]
    first, fifth = (plan_list([item], [evidence], "film", films[0], before)[0] for before in (0, 5))
    assert (first.opener, fifth.plain) == ("As you asked,", "It is a crime film, as you asked.")
    assert first.plain == "As you asked, it is a crime film."


def test_more_goes_on_in_other_forms(tmp_path):
    with open_small(tmp_path / "w") as agent:
        talk = agent.conversation()
        first, more = (talk.say(text, n=1).recommendations[0] for text in ("a drama", "more"))
    assert first.evidence[0].text == more.evidence[0].text == "It is a drama film, as you asked."
    assert first.justification == "As you asked, it is a drama."
    assert more.justification == "It is a drama, as you asked."


def _open():
    from agent.generation.base import Message

    return Message("assistant", "")


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (Evidence("wish", "", attribute="genres", values=("Comedy",), said="好笑"), "你说“好笑”，它的类型是喜剧。"),
        (Evidence("wish", "", attribute="themes", values=("heist",)), "主题里有你说的“heist”。"),
        (
            Evidence("constraint", "", attribute="year", values=("1997",), said="90s"),
            "1997年的作品，在你要的90年代之内。",
        ),
        (Evidence("popular", "", count=5, total=9), "这里的9人里，有5人选过它。"),
        (Evidence("liked", "", ("fargo",), "themes", ("snow",)), "和你喜欢的《Fargo》(1996)一样，主题有“snow”。"),
        (Evidence("property", "", attribute="countries", values=("Italy", "West Germany")), "国家是意大利、西德。"),
    ],
)
def test_in_chinese(films, evidence, said):
    assert sentence(evidence, films[0].get("raising"), "film", films[0]) == said
