"""Messages in Chinese, over a small catalogue of films with Chinese titles, kinds and people."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.schema import Filter, Item
from agent.understanding.chinese import is_chinese, parse_chinese
from agent.understanding.chinese_words import CLOSING, CUES, OPENING
from agent.understanding.chinese_years import find_count, find_years, number
from agent.understanding.intent import follow_up, parse_intent
from agent.workspace.catalogue import Catalogue

FILMS = (
    ("bwbj", "霸王别姬 (1993)", "剧情 爱情 历史", "陈凯歌", "张国荣 巩俐", "中国"),
    ("hz", "活着 (1994)", "剧情 历史", "张艺谋", "葛优 巩俐", "中国"),
    ("hglg", "大红灯笼高高挂 (1991)", "剧情", "张艺谋", "巩俐", "中国"),
    ("yx", "英雄 (2002)", "动作 历史", "张艺谋", "李连杰 梁朝伟", "中国"),
    ("hynh", "花样年华 (2000)", "爱情 剧情", "王家卫", "梁朝伟 张曼玉", "香港"),
    ("cqsl", "重庆森林 (1994)", "爱情 剧情", "王家卫", "梁朝伟 王菲", "香港"),
    ("2046", "2046 (2004)", "爱情 科幻", "王家卫", "梁朝伟 章子怡", "香港"),
    ("wjd", "无间道 (2002)", "犯罪 悬疑", "刘伟强", "梁朝伟 刘德华", "香港"),
    ("dhxy", "大话西游 (1995)", "喜剧 爱情 奇幻", "刘镇伟", "周星驰", "香港"),
    ("sl", "少林足球 (2001)", "喜剧 动作", "周星驰", "周星驰 赵薇", "香港"),
    ("gf", "功夫 (2004)", "喜剧 动作", "周星驰", "周星驰", "香港"),
    ("wh", "卧虎藏龙 (2000)", "动作 爱情", "李安", "周润发 章子怡", "台湾"),
    ("sj", "色,戒 (2007)", "剧情 爱情", "李安", "梁朝伟 汤唯", "台湾"),
    ("lldq", "流浪地球 (2019)", "科幻", "郭帆", "吴京", "中国"),
    ("rzdzf", "让子弹飞 (2010)", "喜剧 动作", "姜文", "姜文 葛优 周润发", "中国"),
    ("sx", "山村老尸 (1999)", "恐怖", "梁德森", "吴镇宇", "香港"),
    ("zr", "战狼 (2015)", "战争 动作", "吴京", "吴京", "中国"),
    ("tt", "泰坦尼克号 Titanic (1997)", "爱情 灾难", "詹姆斯·卡梅隆", "莱昂纳多", "美国"),
    ("gfa", "The Godfather (1972)", "犯罪 剧情", "科波拉", "马龙·白兰度", "美国"),
    ("lm", "龙猫 (1988)", "动画 家庭", "宫崎骏", "", "日本"),
    ("qyqx", "千与千寻 (2001)", "动画 奇幻", "宫崎骏", "", "日本"),
)


def films() -> list[Item]:
    found = []
    for key, title, kinds, director, cast, country in FILMS:
        people = {"cast": tuple(cast.split())} if cast else {}
        year = int(title[-5:-1])
        values = {"year": year, "genres": tuple(kinds.split()), "director": director, "country": country, **people}
        found.append(Item(key, title, "", values))
    return found


TYPES = {"year": "number", "genres": "list", "director": "word", "cast": "list", "country": "word"}
CATALOGUE = Catalogue(films(), TYPES)


def said(text: str) -> dict[str, object]:
    """What a message was understood as, only what it says."""
    intent = parse_intent(text, CATALOGUE)
    assert intent.text == text.strip()
    told = {
        "likes": " ".join(intent.likes),
        "dislikes": " ".join(intent.dislikes),
        "where": "; ".join(map(str, intent.filters)),
        "wishes": intent.wishes,
        "avoids": intent.avoids,
        "n": intent.n,
    }
    return {name: value for name, value in told.items() if value}


MESSAGES = {
    # kinds
    "推荐一部喜剧": {"where": "genres == 喜剧"},
    "我想看科幻片": {"where": "genres == 科幻"},
    "有没有好看的爱情片？": {"where": "genres == 爱情"},
    "来一部爱情喜剧": {"where": "genres == 爱情; genres == 喜剧"},
    "喜剧或者动画都可以": {"where": "genres in 喜剧, 动画"},
    "喜剧和动作片都行": {"where": "genres in 喜剧, 动作"},
    "想看又搞笑又科幻的": {"where": "genres == 科幻", "wishes": "搞笑"},
    # no
    "不要恐怖片": {"where": "genres != 恐怖"},
    "别给我推荐恐怖片": {"where": "genres != 恐怖"},
    "不想看爱情片，来点动作片": {"where": "genres == 动作; genres != 爱情"},
    "动作片，但不要战争和恐怖": {"where": "genres == 动作; genres not in 战争, 恐怖"},
    "恐怖片就算了，喜剧可以": {"where": "genres == 喜剧; genres != 恐怖"},
    "恐怖片不要": {"where": "genres != 恐怖"},
    "除了恐怖片以外都行": {"where": "genres != 恐怖"},
    "除了恐怖片都可以": {"where": "genres != 恐怖"},
    "没有爱情的科幻片": {"where": "genres == 科幻; genres != 爱情"},
    "非恐怖的悬疑片": {"where": "genres == 悬疑; genres != 恐怖"},
    "讨厌战争片": {"where": "genres != 战争"},
    "不要太恐怖的悬疑片": {"where": "genres == 悬疑", "avoids": "恐怖"},
    "不介意恐怖片": {},
    "除了喜剧还想看动作片": {"where": "genres == 动作", "wishes": "喜剧"},
    "不恐怖的悬疑片": {"where": "genres == 悬疑; genres != 恐怖"},
    "不是喜剧的周星驰电影": {"where": "cast == 周星驰; genres != 喜剧"},
    "不要动画不要喜剧不要爱情": {"where": "genres not in 动画, 喜剧, 爱情"},
    "不要再推荐王家卫了": {"where": "director != 王家卫"},
    "不只是喜剧": {"wishes": "喜剧"},
    "有没有不错的动作片": {"where": "genres == 动作"},
    "特别想看喜剧": {"where": "genres == 喜剧"},
    "换成喜剧": {"where": "genres == 喜剧"},
    # years
    "90年代的爱情片": {"where": "year >= 1990; year <= 1999; genres == 爱情"},
    "九十年代的香港电影": {"where": "year >= 1990; year <= 1999; country == 香港"},
    "1990年代的电影": {"where": "year >= 1990; year <= 1999"},
    "上世纪八十年代的动画": {"where": "year >= 1980; year <= 1989; genres == 动画"},
    "八九十年代的老片": {"where": "year >= 1980; year <= 1999"},
    "1994年的电影": {"where": "year >= 1994; year <= 1994"},
    "一九九四年的剧情片": {"where": "year >= 1994; year <= 1994; genres == 剧情"},
    "2000年以后的科幻片": {"where": "year >= 2000; genres == 科幻"},
    "2000年之前的喜剧": {"where": "year <= 1999; genres == 喜剧"},
    "1990到1999年之间的剧情片": {"where": "year >= 1990; year <= 1999; genres == 剧情"},
    "90年代初的爱情片": {"where": "year >= 1990; year <= 1994; genres == 爱情"},
    "不要2000年以后的": {"where": "year <= 1999"},
    "不要九十年代的喜剧": {"where": "genres != 喜剧"},
    "我是90后，想看喜剧": {"where": "genres == 喜剧"},
    # counts
    "推荐三部喜剧": {"where": "genres == 喜剧", "n": 3},
    "给我十部科幻片": {"where": "genres == 科幻", "n": 10},
    "来5部动画": {"where": "genres == 动画", "n": 5},
    "只要一部就好": {"n": 1},
    # people and places
    "王家卫导演的电影": {"where": "director == 王家卫"},
    "周星驰主演的喜剧": {"where": "cast == 周星驰; genres == 喜剧"},
    "周星驰执导的": {"where": "director == 周星驰"},
    "梁朝伟和张曼玉演的": {"where": "cast in 梁朝伟, 张曼玉"},
    "国产科幻片": {"where": "country == 中国; genres == 科幻"},
    "宫崎骏的动画，不要太幼稚": {"where": "director == 宫崎骏; genres == 动画", "avoids": "幼稚"},
    # titles
    "我喜欢霸王别姬": {"likes": "bwbj"},
    "像活着一样的电影": {"likes": "hz"},
    "像《活着》和《英雄》那样的剧情片": {"likes": "hz yx", "where": "genres == 剧情"},
    "看过花样年华，想要类似的": {"likes": "hynh"},
    "跟无间道差不多的": {"likes": "wjd"},
    "类似2046的爱情片": {"likes": "2046", "where": "genres == 爱情"},
    "2046年的科幻片": {"where": "year >= 2046; year <= 2046; genres == 科幻"},
    "不喜欢泰坦尼克号": {"dislikes": "tt"},
    "泰坦尼克号太无聊了": {"dislikes": "tt"},
    "喜欢重庆森林，不喜欢战狼": {"likes": "cqsl", "dislikes": "zr"},
    "我没看过英雄": {},
    "英雄这部片子不好看": {"dislikes": "yx"},
    "比无间道更紧张的": {"likes": "wjd", "wishes": "紧张"},
    "张艺谋的电影除了英雄还有什么": {"likes": "yx", "where": "director == 张艺谋"},
    "怎样才能好好活着": {"wishes": "怎样才能好好活着"},
    "推荐像The Godfather一样的犯罪片": {"likes": "gfa", "where": "genres == 犯罪"},
    "功夫": {"likes": "gf"},
    "功夫片": {"wishes": "功夫"},
    "喜欢《色，戒》": {"likes": "sj"},
    # wishes
    "讲太空旅行的电影": {"wishes": "太空旅行"},
    "温暖治愈的，适合一家人看": {"wishes": "温暖治愈 一家人"},
    "轻松搞笑的": {"wishes": "轻松搞笑"},
    "节奏慢一点的剧情片": {"where": "genres == 剧情", "wishes": "节奏慢"},
    "不要太沉重": {"avoids": "沉重"},
    "想看一部关于理想和梦想的电影": {"wishes": "理想 梦想"},
    "最近失恋了，想看点温暖的": {"wishes": "失恋 温暖"},
    "九十年代警匪片": {"where": "year >= 1990; year <= 1999", "wishes": "警匪"},
    "你好，随便推荐几部电影吧": {},
    "九十年代的爱情片，不要喜剧，三部": {"where": "year >= 1990; year <= 1999; genres == 爱情; genres != 喜剧", "n": 3},
    "我喜欢霸王别姬和花样年华，想看２０００年以前的爱情片！": {
        "likes": "bwbj hynh", "where": "year <= 1999; genres == 爱情",
    },
}  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), MESSAGES.items(), ids=list(MESSAGES))
def test_what_a_message_means(text, meant):
    assert said(text) == meant


def test_there_are_enough_messages():
    assert len(MESSAGES) >= 40


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("something like 霸王别姬", False),
        ("films by 王家卫, please", False),
        ("霸王别姬", True),
        ("想看 The Godfather", True),
        ("a comedy", False),
        ("", False),
        ("千と千尋の神隠しみたいな映画", False),
        ("喜剧 comedy", False),
    ],
)
def test_which_messages_are_chinese(text, chinese):
    assert is_chinese(text, CATALOGUE) is chinese


def test_an_english_message_may_name_a_chinese_title_or_value():
    intent = parse_intent("something like 霸王别姬, but not 恐怖", CATALOGUE)
    assert intent.likes == ("bwbj",)


def test_a_conversation_in_chinese_adds_up():
    intent = parse_intent("九十年代的爱情片", CATALOGUE)
    intent = follow_up(intent, parse_intent("2000年以后的，不要喜剧", CATALOGUE))
    assert [str(f) for f in intent.filters] == ["genres == 爱情", "year >= 2000", "genres != 喜剧"]


def test_an_english_catalogue_is_asked_for_its_own_kinds():
    items = [Item("1", "Alien (1979)", "", {"year": 1979, "genres": ("Horror", "Sci-Fi")})]
    items += [Item("2", "Airplane! (1980)", "", {"year": 1980, "genres": ("Comedy",)})]
    catalogue = Catalogue(items, {"year": "number", "genres": "list"})
    intent = parse_intent("八十年代的喜剧，不要科幻和恐怖，像 Alien 一样", catalogue)
    assert intent.likes == ("1",)
    assert intent.filters == (
        Filter("year", ">=", 1980),
        Filter("year", "<=", 1989),
        Filter("genres", "==", "Comedy"),
        Filter("genres", "not in", ("Sci-Fi", "Horror")),
    )


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("90年代", [(1990, 1999)]),
        ("零零年代", [(2000, 2009)]),
        ("10年代", [(2010, 2019)]),
        ("2010年代", [(2010, 2019)]),
        ("二十世纪三十年代", [(1930, 1939)]),
        ("七八十年代", [(1970, 1989)]),
        ("70年代到90年代", [(1970, 1999)]),
        ("1999-1990", [(1990, 1999)]),
        ("90年代以后", [(2000, None)]),
        ("90年代以来", [(1990, None)]),
        ("1995年前", [(None, 1994)]),
        ("90年代末", [(1995, 1999)]),
        ("新世纪", [(2000, None)]),
        ("2000元", []),
        ("80后", []),
        ("12345", []),
    ],
)
def test_years(text, windows):
    assert [(r.low, r.high) for r in find_years(text)] == windows


@pytest.mark.parametrize(
    ("text", "n"),
    [
        *(("三部", 3), ("两本书", 2), ("十二首", 12), ("三四部", 4), ("就要一部", 1), ("五个电影", 5), ("二十部", 20)),
        *((said, None) for said in ("一部", "第三部", "三部曲", "这部", "两个小时")),
    ],
)
def test_counts(text, n):
    assert find_count(text)[0] == n


def test_numerals():
    assert [number(s) for s in ("一", "两", "十", "十五", "二十", "九十九", "7", "42")] == [1, 2, 10, 15, 20, 99, 7, 42]


FRAGMENTS = ("不", "不要", "除了", "没", "，，，", "《", "《》", "的的的", "像", "一样", "年代", "不要不要", "\x00要")


@pytest.mark.parametrize("text", FRAGMENTS)
def test_fragments_do_no_harm(text):
    intent = parse_chinese(text, CATALOGUE)
    assert not intent.filters and not intent.likes


WORDS = "喜剧 恐怖 王家卫 90年代 1994年 三部 、 ， 。 的 太空".split()
PIECES = [*CUES, *sorted(OPENING | CLOSING), *(item.title for item in films()), *WORDS]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join))
def test_any_message_becomes_an_intent(text):
    intent = parse_intent(text, CATALOGUE)
    assert set(intent.likes) | set(intent.dislikes) <= {item.item_id for item in films()}
    assert {f.attribute for f in intent.filters} <= set(TYPES)
    assert "\x00" not in intent.wishes + intent.avoids
    again = parse_intent(text, CATALOGUE)
    assert again == intent
