"""The words of the page: the same in every language, none in code, and every message a button sends is understood."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest
from conftest import events, films, open_small

from agent.agent import Agent
from agent.build import _COMPLETE
from agent.generation.fake import FakeGenerator
from agent.schema import Filter, Intent
from agent.settings import load_settings
from agent.understanding.dialogue import State, understand
from agent.understanding.intent import parse_intent
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from ui.cards import cards
from ui.guest import Guest
from ui.known import add, entries, panel
from ui.past import panel as past
from ui.shell import heading, invitation
from ui.starters import starters
from ui.suggestions import suggestions
from ui.understood import CONDITIONS, corrected, told
from ui.words import COOKIE, ENGLISH, WORDS, chosen

UI = Path(__file__).parents[1] / "ui"
PAGE = (
    "app",
    "cards",
    "facts",
    "guest",
    "guests",
    "known",
    "messages",
    "shell",
    "starters",
    "suggestions",
    "why",
    "keeping",
    "lists",
    "past",
    "sharing",
    "sway",
    "said",
)
CHINESE = WORDS["zh"]
HAN = re.compile(r"[\u4e00-\u9fff]")
# Letters in a row that are no name of a file, a column, a unit or ours, and no data of the small catalogue.
LATIN = re.compile(r"[A-Za-z]{2,}")
DATA = {word for film in films() for word in (film.title, film.title[:-7], *film.words("genres"))}
KNOWN = re.compile(
    r"Vouchrec|English|CSV|title|rating|\d+(?:\.\d)?\s?m?s|FakeGenerator|fake|recommend/[\w@+]+|"
    + "|".join(re.escape(word) for word in sorted(DATA, key=len, reverse=True))
)


def last(views):
    return list(views)[-1]


def fields(text):
    return {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None}


# -- the files


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_every_language_has_the_same_words_and_values(words):
    assert words.said.keys() == ENGLISH.said.keys()
    for key, text in words.said.items():
        assert text.strip(), key
        assert fields(text) == fields(ENGLISH.said[key]), key


def test_chinese_is_chinese():
    for key, text in CHINESE.said.items():
        assert HAN.search(text) or not LATIN.search(re.sub(r"\{[^}]*}", "", text)) or key == "language.tag", key
        assert not HAN.search(ENGLISH.said[key]) or key == "language.name"


def used(module):
    """The keys that a module of the page asks for; `*` stands for what is filled in later."""
    tree = ast.parse((UI / f"{module}.py").read_text(encoding="utf-8"))
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            if re.fullmatch(r"(?!ui\.)[a-z]+\.(?!js$|css$)[a-z_ ]+", node.value):
                yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            text = "".join("*" if isinstance(part, ast.FormattedValue) else part.value for part in node.values)
            if re.fullmatch(r"[a-z_]+\.[a-z_*]*", text):
                yield re.escape(text).replace(r"\*", ".+")


def test_every_key_that_is_asked_for_is_there_and_every_word_is_asked_for():
    asked = {pattern for module in (*PAGE, "understood", "auth/door") for pattern in used(module)}
    asked |= {f"{family}\\..+" for family in ("stage", "source", "did")}  # by `Words.named`
    for pattern in asked:
        assert any(re.fullmatch(pattern, key) for key in ENGLISH.said), pattern
    left = [key for key in ENGLISH.said if not any(re.fullmatch(pattern, key) for pattern in asked)]
    assert not left


def spoken(tree):
    """The texts of a module that a person at the page may read: none for the log or the terminal, no tag, no class."""
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("_log.", "terminal.")):
            silent |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            text = "".join("{}" if isinstance(part, ast.FormattedValue) else part.value for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in silent:
            yield from re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', text)
            yield re.sub(r"<[^>]*(?:>|$)|^[^<]*>|\bvr-\S+", " ", text)


@pytest.mark.parametrize("module", PAGE)
def test_no_word_of_the_page_is_left_in_code(module):
    tree = ast.parse((UI / f"{module}.py").read_text(encoding="utf-8"))
    prose = re.compile(r"\b[A-Z][a-z]{2,}|\b[a-z]{2,} [a-z]{2,}(?! *=)|[\u4e00-\u9fff]")
    found = [text for text in spoken(tree) if prose.search(text.replace("Vouchrec", ""))]
    header = re.compile(r"[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)+")  # of an answer over HTTP
    assert not [text for text in found if text.strip(" ") not in ALLOWED and not header.fullmatch(text)]


ALLOWED = (
    "Nothing can listen on {}: {}. Give another --host or --port.",  # to who starts the server
    *("my rating", "your rating"),  # columns of a file
    r"\byou(r)?\b|你",  # what is looked for in a reason
)


# -- which language


@pytest.mark.parametrize(
    ("query", "cookie", "header", "language"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "", "en-GB,en;q=0.9,zh;q=0.2", "en"),
        ("", "", "fr-FR, fr;q=0.9, zh-TW;q=0.5, en;q=0.4", "zh"),
        ("", "", "zh;q=0, en", "en"),
        ("", "", "zh;q=much,*;q=1", "en"),
        ("", "en", "zh-CN", "en"),
        ("zh", "en", "en", "zh"),
        ("xx", "zh", "en", "zh"),
    ],
)
def test_a_visitor_gets_the_language_of_the_address_or_the_last_choice_or_the_browser(query, cookie, header, language):
    asked = {"language": query} if query else {}
    assert chosen(asked, {COOKIE: cookie} if cookie else {}, {"accept-language": header}).language == language


def test_the_switch_goes_round():
    assert ENGLISH.other is CHINESE and CHINESE.other is ENGLISH
    assert 'lang="zh-CN"' in heading(ENGLISH) and ">中文<" in heading(ENGLISH) and ">English<" in heading(CHINESE)


def test_what_has_no_name_in_a_family_keeps_its_own():
    assert CHINESE.named("stage", "rank") == "排序" and CHINESE.named("stage", "a new one") == "a new one"
    assert "widgets" in invitation(ENGLISH, "widget") and "电影" in invitation(CHINESE, "film")


# -- the messages that buttons send


@pytest.fixture
def rich(tmp_path):
    """The small catalogue with who made each film."""
    made = {"1": "Ridley Scott", "3": "Ridley Scott", "6": "Joel Coen", "4": "Wes Craven"}
    workspace = Workspace.create(tmp_path / "rich")
    workspace.store.put_attribute_types({"year": "number", "genres": "list", "directors": "list"})
    workspace.store.put_items(
        [
            replace(f, attributes={**f.attributes, **({"directors": (made[f.item_id],)} if f.item_id in made else {})})
            for f in films()
        ]
    )
    workspace.store.put_interactions(events())
    workspace.store.set_meta("noun", "film")
    workspace.store.set_meta(_COMPLETE, True)
    with Agent(workspace, load_settings(tmp_path / "rich"), HashEncoder(64), FakeGenerator()) as opened:
        yield opened


def test_chinese_starters_are_understood(small):
    liked, kind, mood = starters(small, CHINESE)
    assert parse_intent(liked, small.catalogue).likes == ("1", "9")
    asked = parse_intent(kind, small.catalogue)
    assert kind == "三部剧情电影，不要科幻" and asked.n == 3 and not asked.wishes
    assert set(asked.filters) == {Filter("genres", "==", "Drama"), Filter("genres", "!=", "Sci-Fi")}
    asked = parse_intent(mood, small.catalogue)
    assert set(asked.filters) == {Filter("year", ">=", 1990), Filter("year", "<=", 1999)} and "紧张" in asked.wishes
    for text in (liked, kind, mood):
        assert last(Guest(small, words=CHINESE).answer(text)).reply.recommendations


def test_chinese_suggestions_ask_for_the_same_as_the_english_ones(rich):
    guest = Guest(rich, words=CHINESE)
    view = last(guest.answer("我喜欢《Fargo (1996)》，来点好笑的"))
    pairs = list(zip(suggestions(rich, view.reply, {}, ENGLISH), view.next, strict=True))
    assert len(pairs) >= 5
    for english, chinese in pairs:
        assert HAN.search(chinese)
        one, other = (parse_intent(text, rich.catalogue) for text in (english, chinese))
        asked = tuple(replace(f, value=f.value - 1) if english.startswith("Newer") else f for f in one.filters)  # 后
        assert (one.likes, one.dislikes, set(asked)) == (other.likes, other.dislikes, set(other.filters)), chinese
        assert bool(one.wishes) == bool(other.wishes), chinese


@pytest.mark.parametrize("kind", ["comedy", "thriller", "romance", "drama"])
def test_a_chinese_mood_is_a_wish(small, kind):
    assert parse_intent(CHINESE(f"say.{kind}"), small.catalogue).wishes


@pytest.mark.parametrize("role", ["directed", "written", "by"])
def test_a_maker_is_turned_down_in_chinese(rich, role):
    said = parse_intent(CHINESE(f"say.not_{role}", name="Ridley Scott"), rich.catalogue)
    assert said.filters == (Filter("directors", "!=", "Ridley Scott"),) and not said.wishes and not said.avoids


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_more_asks_for_nothing_else(small, words):
    before = parse_intent("我想看喜剧" if words is CHINESE else "a comedy", small.catalogue)
    turn = understand(words("say.more"), State(before, (("5", "7"),)), small.catalogue)
    assert turn.does == "list"
    assert replace(turn.intent, text="") == replace(before, text="")


# -- the page in Chinese


def shown(html):
    """What a person reads or hears of some HTML, without the data of the catalogue."""
    heard = " ".join(re.findall(r'(?:aria-label|title|placeholder)="([^"]*)"', html))
    return KNOWN.sub(" ", f"{re.sub('<[^>]*>', ' ', html)} {heard}")


def test_nothing_of_a_chinese_page_is_english(small):
    guest = Guest(small, words=CHINESE)
    views = list(guest.answer("我喜欢《Alien (1979)》，九十年代的，不要恐怖片"))
    guest.react(views[-1].reply.recommendations[0].item.item_id, "like")
    views += [guest.view(), last(guest.adjust("n", "3")), last(guest.adjust("drop", "like:1"))]
    views += [last(guest.adjust("habit", "80")), last(guest.answer("1930年的科幻片"))]
    views += [last(guest.adjust("drop", CONDITIONS)), last(guest.answer(" "))]
    views += [last(Guest(small, words=CHINESE).answer(text)) for text in ("  ", "x" * 5_000)]
    assert {view.state for view in views} >= {"looking", "writing", "done"}
    for view in views:
        assert not LATIN.search(shown(cards(view, "film")).replace("x" * 300, "")), cards(view, "film")
        for role, text in view.talk:
            assert role == "user" or not LATIN.search(KNOWN.sub(" ", text)), text
    assert not LATIN.search(shown(heading(CHINESE) + invitation(CHINESE, "film")))


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_an_answer_that_ended_early_says_so_in_chinese(small, state):
    view = replace(last(Guest(small, words=CHINESE).answer("喜剧")), state=state)
    listed = tuple(replace(one, justification="") for one in view.reply.recommendations)
    html = cards(replace(view, reply=replace(view.reply, recommendations=listed)))
    assert CHINESE(f"status.{state}_list") in html and not LATIN.search(shown(html))


def test_what_is_known_is_told_in_chinese(small):
    given = "title,rating\nAlien,5\nNo Such Thing,3\nHeat (1995),eleven\nFargo,99\nHamlet,\nHeat,\n"
    note = add(small, "me", given, CHINESE)
    assert (
        note.startswith("已添加：2。未添加：4。") and "第3行：没有叫" in note and "第6行：有好几个都叫“Hamlet”" in note
    )
    told = shown(panel(entries(small, "me", words=CHINESE), note, words=CHINESE))
    assert not LATIN.search(re.sub(r"“[^”]*”", "", told))
    assert "你评过分：5" in told and "你喜欢" in told
    empty = shown(panel([], searched=True, words=CHINESE)) + shown(panel([], words=CHINESE))
    assert not LATIN.search(empty)


@pytest.mark.parametrize(
    ("words", "browser", "account"), [(ENGLISH, "cookie", "account"), (CHINESE, "这个浏览器", "账号")]
)
def test_where_people_sign_in_the_account_is_named_and_not_the_browser(small, words, browser, account):
    known, signed_in = (panel([], words=words, signed_in=one).split("vr-note")[0] for one in (False, True))
    assert browser in known and account not in known
    assert account in signed_in and browser not in signed_in
    small.conversation("ann").say("a drama", n=1)
    browser = browser.replace("cookie", "this browser")
    there = [past(small.conversations("ann"), "", "films", "", words, one) for one in (False, True)]
    assert browser in there[0] and account not in there[0]
    assert account in there[1] and browser not in there[1]


def test_what_was_understood_is_said_in_chinese_and_taken_out_by_the_same_keys(small):
    intent = Intent(
        "", ("1",), ("4",),
        (Filter("year", ">=", 1990), Filter("year", "<=", 1999), Filter("genres", "==", "Drama")), "紧张", "慢", 3,
        habit=0.8, exploration=0.5,
    )  # fmt: skip
    parts = told(intent, small.catalogue, CHINESE)
    assert [p.text for p in parts] == [
        "年份1990到1999", "类型是剧情", "像Alien (1979)", "不像Scream (1996)", "“紧张”", "不要“慢”", "列出3项",
        "多一些平常的", "欢迎意外",
    ]  # fmt: skip
    assert [p.key for p in parts] == [p.key for p in told(intent, small.catalogue)]
    assert HAN.search(corrected(Intent("喜剧", n=3), "n", small.catalogue, CHINESE).text)


def test_a_guest_who_switches_is_answered_in_the_language_of_the_message(tmp_path):
    with open_small(tmp_path / "w") as agent:
        guest = Guest(agent)
        last(guest.answer("something funny"))
        guest.words = CHINESE
        view = guest.view()
        assert view.words is CHINESE and all(HAN.search(fact) for facts in view.facts.values() for fact in facts)
        assert all(HAN.search(r.justification) for r in last(guest.answer("来点喜剧")).reply.recommendations)
