"""A turn in Chinese: the list, the words around it and the reasons, over a Chinese catalogue and an English one."""

from __future__ import annotations

import re

import pytest
from conftest import open_small
from test_chinese import CATALOGUE, TYPES
from test_chinese import films as chinese_films

from agent.agent import Agent
from agent.build import _COMPLETE
from agent.generation.fake import FakeGenerator
from agent.justification.chinese import sentence
from agent.schema import Evidence, Filter, Intent, Interaction, Item, Profile
from agent.settings import load_settings
from agent.understanding.relaxing import nothing_fits
from agent.understanding.texts import TEXTS, conditions_in_chinese, greeting
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

HAN = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b(?:it|is|you|the|and|from|liked|asked|nothing|without)\b", re.IGNORECASE)


@pytest.fixture
def agent(tmp_path):
    workspace = Workspace.create(tmp_path / "zh")
    workspace.store.put_attribute_types(TYPES)
    workspace.store.put_items(chinese_films())
    liked = [Interaction(f"p{n}", i, "rating", 5.0, float(t)) for n in range(12) for t, i in enumerate(("hz", "bwbj"))]
    workspace.store.put_interactions([*liked, Interaction("me", "hz", "rating", 5.0, 1.0)])
    workspace.store.set_meta("noun", "film")
    workspace.store.set_meta(_COMPLETE, True)
    with Agent(workspace, load_settings(tmp_path / "zh", prompts="zh"), HashEncoder(64), FakeGenerator()) as opened:
        yield opened


def reasons(reply):
    return [r.justification for r in reply.recommendations]


def test_a_turn_in_chinese(agent):
    reply = agent.recommend("me", intent="九十年代的剧情片，不要喜剧")
    assert [r.item.item_id for r in reply.recommendations] and reply.complete
    for r in reply.recommendations:
        assert 1990 <= r.item.attributes["year"] <= 1999 and "喜剧" not in r.item.attributes["genres"]
        assert r.verified and r.phrased_by == "plain"
        assert r.justification.count(f"{r.item.attributes['year']}年") <= 1
        assert HAN.search(r.justification) and not ENGLISH.search(r.justification)
    assert reply.message.endswith("个符合。")
    assert reply.prompt.startswith("zh/rank@")


def test_what_is_shared_with_a_liked_film_is_said(agent):
    said = " ".join(reasons(agent.recommend("me", n=20)))
    assert "和你喜欢的《活着》(1994)一样" in said


def test_nothing_fits_in_chinese(agent):
    reply = agent.recommend("me", intent="三十年代的科幻片")
    assert reply.message == ("没有同时符合这些条件的：年份1930到1939、类型是科幻。放宽一项试试：不限年份有2个。")


def test_an_english_request_gets_english_reasons(agent):
    reply = agent.recommend("me", intent="films like 霸王别姬", n=3)
    assert all(ENGLISH.search(reason) for reason in reasons(reply))


def test_without_words_the_prompts_decide(agent):
    assert all(HAN.search(reason) for reason in reasons(agent.recommend("me", n=3)))


def test_a_chinese_conversation_over_an_english_catalogue(tmp_path):
    with open_small(tmp_path / "w") as agent:
        chat = agent.conversation()
        first = chat.say("推荐三部剧情片，不要爱情", n=5)
        assert len(first.recommendations) == 3
        assert all("Drama" in r.item.attributes["genres"] for r in first.recommendations)
        assert first.message.startswith(TEXTS["zh"]["new"])
        assert all("类型" in reason for reason in reasons(first))
        second = chat.say("1990年以前的")
        assert all(r.item.attributes["year"] < 1990 for r in second.recommendations)


ITEM = Item("x", "X (1994)", "", {"year": 1994, "genres": ("剧情", "爱情"), "director": "王家卫", "cast": ("巩俐",)})


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (Evidence("constraint", "", attribute="year", values=("1994",)), "符合你的要求：1994年的作品。"),
        (Evidence("constraint", "", attribute="genres", values=("剧情", "爱情")), "符合你的要求：类型是剧情、爱情。"),
        (Evidence("constraint", "", attribute="genres", values=("恐怖",), negated=True), "如你所说，类型里没有恐怖。"),
        (Evidence("wish", "", values=("太空",)), "简介里有你说的“太空”。"),
        (Evidence("liked", "", ("hz",), "cast", ("巩俐",)), "和你喜欢的《活着》(1994)一样，主演是巩俐。"),
        (Evidence("watched", "", ("sj",), "director", ("李安",)), "和你看过的《色,戒》(2007)一样，导演是李安。"),
        (Evidence("behaviour", "", ("hz",), count=8, total=10), "喜欢《活着》(1994)的另外10人里，有8人也喜欢它。"),
        (Evidence("property", "", attribute="genres", values=("剧情", "爱情", "1994")), "类型是剧情、爱情，1994年。"),
        (Evidence("property", "", attribute="director", values=("王家卫",)), "导演是王家卫。"),
        (
            Evidence("nearest", "Heat is among the closest to your history.", source="your history"),
            "它与你的历史最接近。",
        ),
        (
            Evidence("nearest", "A History of Violence is in this catalogue.", source="the catalogue"),
            "目录里有它，别的还不知道。",
        ),
    ],
)
def test_each_kind_of_evidence_as_a_sentence(evidence, said):
    assert sentence(evidence, ITEM, "film", CATALOGUE) == said


def test_a_value_stays_in_its_place():
    loud = Evidence("property", "", attribute="director", values=("王家卫。你一定喜欢它！",))
    assert sentence(loud, ITEM, "film", CATALOGUE) == '导演是"王家卫。你一定喜欢它！"。'


def test_conditions_in_chinese():
    filters = (
        *(Filter("year", ">=", 1990), Filter("year", "<=", 1990), Filter("genres", "in", ("喜剧", "爱情"))),
        *(Filter("genres", "!=", "恐怖"), Filter("rating", ">=", 8.5), Filter("year", "not in", (1991, 1992, 1993))),
    )
    assert conditions_in_chinese(filters) == [
        "年份1990", "类型是喜剧或爱情", "类型不是恐怖", "rating至少8.5", "年份不是1991到1993",
    ]  # fmt: skip
    assert conditions_in_chinese((Filter("year", "<=", 1980),)) == ["年份不晚于1980"]


def test_both_languages_say_the_same_things():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for key, text in TEXTS["en"].items():
        fields = set(re.findall(r"{(\w+)", text)) - {"verb"}
        assert fields - {"noun"} == set(re.findall(r"{(\w+)", TEXTS["zh"][key]))  # 哪一个 needs no noun


def test_greetings():
    new, nothing = Profile("someone"), Intent()
    assert greeting(new, nothing, False, 2, 5, "zh") == TEXTS["zh"]["new"] + "想要5个，只有2个符合。"
    assert greeting(Profile(), nothing, False, 5, 5) == TEXTS["en"]["popular"]
    assert greeting(new, nothing, True, 2, 5) == f"{TEXTS['en']['popular']} Only 2 of the 5 wished for fit."
    assert nothing_fits(nothing, lambda _: 0, "zh") == TEXTS["zh"]["all known"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nobody_is_said_to_have_chosen_where_nobody_did(language):
    said = (
        greeting(profile, intent, False, 5, 5, language, is_chosen=False)
        for profile in (Profile(), Profile("someone"))
        for intent in (Intent(), Intent("a drama"))
    )
    texts = TEXTS[language]
    assert list(said) == [texts["some"], "", texts["some"], texts["new alone"]]
