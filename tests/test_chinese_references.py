"""What a message in Chinese points at in the last list, and what is answered."""

from __future__ import annotations

import re

import pytest
from conftest import open_small
from hypothesis import given, settings
from hypothesis import strategies as st
from test_chinese import CATALOGUE

from agent.justification.chinese import unsaid_in_chinese
from agent.schema import Evidence, Filter, Intent, Recommendation
from agent.understanding.chinese_references import find_chinese_references
from agent.understanding.dialogue import State, understand

SHOWN = ("bwbj", "hz", "hglg", "yx", "hynh")
STATE = State().showing(SHOWN)
COMEDY = Filter("genres", "==", "喜剧")


def said(text, state=STATE):
    return understand(text, state, CATALOGUE)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("为什么推荐第三个？", "hglg"),
        ("为什么会推荐第３部", "hglg"),
        ("为何第三个？", "hglg"),
        ("第三个为什么推荐给我？", "hglg"),
        ("怎么会有最后一个？", "hynh"),
        ("推荐第二个的理由是什么", "hz"),
        ("第二个讲什么？", "hz"),
        ("第二个怎么样？", "hz"),
        ("介绍一下第二个", "hz"),
    ],
)
def test_a_reason_is_asked_for(text, item):
    turn = said(text)
    assert (turn.does, turn.refers, turn.intent) == ("explain", (item,), Intent())


@pytest.mark.parametrize(
    ("text", "turned_down", "felt"),
    [
        ("第一个不要", ("bwbj",), False),
        ("不要第二个", ("hz",), False),
        ("不要第一个和第三个", ("bwbj", "hglg"), False),
        ("换掉第二个", ("hz",), False),
        ("把第二个换掉", ("hz",), False),
        ("不要像第三个那样的", ("hglg",), False),
        ("最后一个就算了", ("hynh",), False),
        ("不喜欢第一个", ("bwbj",), True),
        ("前两部太无聊了", ("bwbj", "hz"), True),
        ("看过第二个，不好看", ("hz",), True),
    ],
)
def test_an_item_is_turned_down(text, turned_down, felt):
    turn = said(text)
    assert turn.does == "list" and turn.refers == turned_down and not turn.seen
    assert turn.intent == Intent(text=text, dislikes=turned_down, declined=() if felt else turned_down)


@pytest.mark.parametrize("text", ["第二个我看过了", "看过第二个", "我已经看过第二部了，换一个", "第二个早就看过"])
def test_an_item_is_known(text):
    turn = said(text)
    assert turn.seen == ("hz",) and turn.intent == Intent(text=text)


def test_what_was_not_seen_changes_nothing():
    assert said("第二个我没看过").seen == () and said("第二个我没看过").intent == Intent(text="第二个我没看过")


@pytest.mark.parametrize(
    ("text", "item", "felt"),
    [
        ("喜欢第一个", "bwbj", True),
        ("第一个我很喜欢", "bwbj", True),
        ("第二个看过了，很喜欢", "hz", True),
        ("类似第三个的", "hglg", False),
        ("再来一部像第三个那样的", "hglg", False),
        ("推荐一个像第三个的", "hglg", False),
        ("第三个", "hglg", False),
    ],
)
def test_an_item_is_liked_or_likened_to(text, item, felt):
    intent = said(text).intent
    assert intent == Intent(text=text, likes=(item,), examples=() if felt else (item,))


def test_the_words_beside_a_reference_count():
    assert said("像第三个那样，但是更搞笑").intent.wishes == "搞笑"
    assert said("跟第三个一样的喜剧").intent.filters == (COMEDY,)
    mixed = said("不要第一个，喜欢第二个，第三个看过了，来点搞笑的")
    assert (mixed.intent.dislikes, mixed.intent.likes, mixed.seen) == (("bwbj",), ("hz",), ("hglg",))
    assert mixed.intent.wishes == "搞笑"


@pytest.mark.parametrize(
    "text", ["喜欢哈利波特第一部", "九十年代第一部喜剧", "第一次约会看的喜剧", "第一部周星驰的电影", "最后的武士"]
)
def test_not_every_ordinal_is_a_place(text):
    assert find_chinese_references(text, SHOWN) == [] and said(text).does == "list"


def test_a_place_that_is_not_there_is_asked_about():
    turn = said("第九个不要")
    assert turn.does == "ask" and turn.choices == SHOWN and turn.intent.dislikes == ()
    assert said("第一个不要", State()).does == "ask"
    assert said("第二个", State().after(turn)).intent.likes == ("hz",)


@settings(max_examples=100, deadline=None)
@given(st.text("第一二三九12个部本前后最两、和不要喜欢看过了没像那样的，。？太为什么\x00 a", max_size=60))
def test_any_message_is_read(text):
    places = [(r.start, r.end) for r in find_chinese_references(text, SHOWN)]
    assert all(a < b for a, b in places) and all(a[1] <= b[0] for a, b in zip(places, places[1:], strict=False))
    assert said(text).does


def test_the_answers_are_in_chinese(tmp_path):
    english = re.compile(r"\b(?:the|it|of|candidates|reason|which|list)\b", re.IGNORECASE)
    with open_small(tmp_path / "w") as agent:
        chat = agent.conversation()
        asked = chat.say("为什么推荐第三个？")
        assert asked.question == "还没有列表。你指的是哪一个，或者想要什么样的？"
        shown = chat.say("剧情片", n=3).recommendations
        why = chat.say("为什么推荐第三个？")
        assert [r.item for r in why.recommendations] == [shown[2].item]
        assert why.message.startswith(f"{shown[2].item.title}：") and "个候选里总分排第" in why.message
        assert not english.search(why.message.removeprefix(shown[2].item.title))
        assert "Of " in chat.say("why the third?").message
        assert chat.say("为什么推荐第九个").question.startswith("你指的是哪一个：1. ")


def test_a_reason_says_nothing_twice():
    item = CATALOGUE.get("hz")
    directed = Evidence("property", "It was directed by 张艺谋.", attribute="director", values=("张艺谋",))
    kinds = Evidence("property", "It is a 剧情 film.", attribute="genres", values=("剧情",))
    gone = Evidence("liked", "Like X, which you liked, it is a 历史 film.", ("gone",), "genres", ("历史",))
    one = Recommendation(1, item, 1.0, "导演是张艺谋。", True, "plain", (directed, gone, kinds))
    assert unsaid_in_chinese(one, "电影", CATALOGUE) == ("类型是剧情。",)
