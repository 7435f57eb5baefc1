"""What of a request cannot count, and what is said of it; ages of whom it is for."""

from __future__ import annotations

import pytest
from conftest import films, open_small

from agent.schema import Filter, Intent, Item
from agent.understanding.ages import without_ages, without_chinese_ages
from agent.understanding.intent import describe, parse_intent
from agent.understanding.unheard import is_noise, noise_in
from agent.understanding.weak import left_aside
from agent.workspace.catalogue import Catalogue

FAMILY = Item("20", "Wuxia Days (1990)", "Kids and a dog.", {"year": 1990, "genres": ("Children's",)})
FILMS = Catalogue([*films(), FAMILY], {"year": "number", "genres": "list"})


def told(text: str, catalogue: Catalogue = FILMS) -> str:
    return describe(parse_intent(text, catalogue), catalogue)


@pytest.mark.parametrize("word", ["asdfgh", "zxmcn", "hjkl", "sdfsdf", "kjhkjh"])
def test_letters_that_follow_each_other_in_no_word_are_none(word):
    assert is_noise(word, FILMS)
    assert told(f"a comedy {word}") == "genres Comedy"
    assert told(f"nothing with {word}") == ""


@pytest.mark.parametrize("word", ["submarine", "wuxia", "lovecraftian", "giallo", "tarkovsky", "Szczesny", "möchte"])
def test_what_may_be_a_word_or_a_name_stays_a_wish(word):
    assert not is_noise(word, FILMS)
    assert word in parse_intent(f"a comedy with {word}", FILMS).wishes


def test_letters_that_the_catalogue_has_are_a_word():
    catalogue = Catalogue([Item("1", "Zxmcn", "")], {})
    assert is_noise("zxmcn", FILMS) and not is_noise("zxmcn", catalogue)


def test_a_slip_that_is_put_right_is_no_noise():
    assert noise_in("a hrror film", FILMS) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "a thriller under 2 hours": "genres Thriller",
        "a 90 minute comedy": "genres Comedy",
        "no longer than two hours": "",
        "an hour and a half at most": "",
        "a film about 24 hours in a city": "wishes: hours city",
        "两小时以内的喜剧": "genres Comedy",
    }.items(),
)
def test_a_length_that_nothing_tells_is_no_wish(text, expected):
    assert told(text) == expected


def test_a_length_that_the_catalogue_tells_is_a_condition():
    catalogue = Catalogue([Item("1", "One", "", {"minutes": 90})], {"minutes": "number"})
    intent = parse_intent("under 100 minutes", catalogue)
    assert intent.filters == (Filter("minutes", "<", 100),)
    assert left_aside(intent, catalogue) == ""


def test_what_does_not_count_is_said():
    assert left_aside(parse_intent("asdfgh, under 2 hours", FILMS), FILMS) == (
        "I do not know the word “asdfgh”, so it does not count. No lengths are known here, so that part does not count."
    )
    assert "asdfgh" in left_aside(parse_intent("喜剧 asdfgh", FILMS), FILMS, "zh") or told("喜剧 asdfgh")
    assert left_aside(parse_intent("a comedy", FILMS), FILMS) == ""


def test_a_condition_on_what_most_items_lack_says_so():
    items = [Item(str(i), f"t{i}", "", {"country": "US"} if i < 4 else {}) for i in range(10)]
    catalogue = Catalogue(items, {"country": "word"})
    refused = Intent("", filters=(Filter("country", "!=", "US"),))
    assert left_aside(refused, catalogue) == "“country” is known of only 4 of 10; the others are left out."
    assert left_aside(refused, catalogue, "zh") == "10个里只有4个注明了国家，其余的没有列入。"
    assert left_aside(refused, Catalogue(items[:7], {"country": "word"})) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "for my 8 year old": "for kids",
        "something for my eight-year-old daughter, funny": "something for kids, funny",
        "for 8 to 10 year olds": "for kids",
        "my daughter is 6 and loves dogs": "for kids and loves dogs",
        "for my 15 year old": "",
        "a film about a 12 year old boy": "a film about a  boy",
        "20 year old films": "20 year old films",
        "my kids are ten films behind": "my kids are ten films behind",
        "for my old dog": "for my old dog",
    }.items(),
)
def test_an_age_says_for_whom(text, expected):
    assert without_ages(text) == expected


def test_a_child_of_an_age_asks_for_what_is_for_kids():
    for text in ("for my 8 year old", "for a 5-year-old", "给我8岁的孩子看的电影", "适合6岁小朋友的"):
        assert told(text) == "genres Children's"
    assert "old" not in told("for my 15 year old") and told("for my 15 year old") == ""
    assert without_chinese_ages("给我15岁的儿子") == "给"


def test_an_agent_says_it_and_leaves_no_part_of_it(tmp_path):
    with open_small(tmp_path / "workspace") as agent:
        chat = agent.conversation("p0")
        reply = chat.say("asdfgh, under 2 hours")
        assert "“asdfgh”, so it does not count" in reply.message and "No lengths" in reply.message
        assert reply.recommendations and chat.parts() == ()
