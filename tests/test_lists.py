"""Shared lists: what they tell and what they do not, who can stop them, and the page that others see."""

import asyncio
import re
from html.parser import HTMLParser

import pytest
from answering import HOSTILE, last
from conftest import open_small
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agent.errors import InputError
from agent.justification.claims import check
from agent.schema import Evidence, Feedback, Item
from agent.sharing import Told, may_be_asked, may_be_told, reasons
from agent.workspace.kept import Share
from ui.browsers import COOKIE, Remembered
from ui.guest import Guest
from ui.guests import Guests
from ui.keeping import Keeping
from ui.lists import drawn, lists_route
from ui.sharing import AN_HOUR, Sharing
from ui.words import ENGLISH, WORDS

EVERY = [Told(request, likes) for request in (False, True) for likes in (False, True)]


@pytest.fixture
def liking(small):
    """A guest who liked Toy Story here, has Heat in their history, and named Alien in the request."""
    small.feedback(Feedback("ann", "5", "like"))
    small.feedback(Feedback("ann", "9", "seen"))
    guest = Guest(small, user_id="ann")
    last(guest.answer("I liked Alien (1979), something tense and funny from before 2000, no romance"))
    return guest


@pytest.fixture
def client(small):
    with TestClient(Starlette(routes=[lists_route(small)])) as opened:
        yield opened


def share(agent, guest, **told):
    reply = guest.shown
    return Sharing(agent).share(guest.user_id, guest.conversation_id, reply, Told(**told))


def words_of(page):
    return " ".join([*page["asked"], *(f"{item['title']} {item['facts']} {item['reason']}" for item in page["items"])])


# -- what is told


@pytest.mark.parametrize(
    ("kind", "source", "told_by"),
    [
        ("property", "the catalogue: genres", [0, 1, 2, 3]), ("nearest", "what people chose", [0, 1, 2, 3]),
        ("nearest", "your history", [1, 3]), ("nearest", "the meaning of its description and of your request", [2, 3]),
        ("constraint", "your request", [2, 3]), ("wish", "your request", [2, 3]), ("liked", "your history", [1, 3]),
        ("feedback", "what you said of it here", [1, 3]), ("watched", "your history", [1, 3]),
        ("behaviour", "what other people liked", [1, 3]), ("a kind to come", "", [1, 3]),
    ],
)  # fmt: skip
def test_each_kind_of_fact_is_told_only_where_it_may_be(kind, source, told_by):
    assert [at for at, told in enumerate(EVERY) if may_be_told(Evidence(kind, "", source=source), told)] == told_by


def test_parts_of_the_request_are_told_by_what_they_say():
    keys = ["filter:year >= 1990", "wish:tense", "avoid:slow", "like:1", "dislike:4", "n", "habit"]
    assert [[key for key in keys if may_be_asked(key, told)] for told in EVERY] == [
        [], keys[3:5], keys[:3], keys[:5],
    ]  # fmt: skip


@pytest.mark.parametrize("told", EVERY, ids=str)
def test_a_reason_says_nothing_beyond_what_is_told(liking, small, told):
    """Every reason that is given passes the checker on the facts that may be told alone, whoever wrote it."""
    said = reasons(liking.shown, told, small.noun, small.catalogue, "en")
    assert said
    for one in liking.shown.recommendations:
        public = [e for e in one.evidence if may_be_told(e, told)]
        if one.item.item_id in said:
            assert check(said[one.item.item_id], one.item, public, small.catalogue).ok


@pytest.mark.parametrize(
    "personal",
    [
        "You liked Alien, and it is a comedy film.", "Like Alien, which you liked, it is a comedy film.",
        "You watched Heat, and it is a comedy film.", "You liked Toy Story here, and it is a comedy film.",
        "As you asked, it is a comedy film.", "You asked for comedy, and it is a comedy film.",
        "8 of the 10 other people who liked Alien liked it too, and it is a comedy film.",
    ],
)  # fmt: skip
def test_a_personal_reason_is_replaced_where_the_person_is_not_told(small, personal):
    from dataclasses import replace

    guest = Guest(small, user_id="ann")
    reply = last(guest.answer("I liked Alien (1979), comedies please")).reply
    one = replace(reply.recommendations[0], justification=personal, verified=True)
    said = reasons(replace(reply, recommendations=(one,)), Told(), small.noun, small.catalogue, "en")
    (told,) = said.values()
    assert not re.search(r"\byou|\bpeople|Alien|Heat|Toy Story(?! \()", told, re.IGNORECASE) and "comedy" in told


def test_nothing_of_the_person_is_on_the_page_unless_they_tick_it(liking, small):
    bare = words_of(share(small, liking).page)
    assert not re.search(r"Alien \(|Toy Story \(|Heat|\byou\b|\byour\b|tense|romance", bare, re.IGNORECASE)
    assert "a crime and drama film" in bare


def test_what_was_asked_for_leaves_out_what_is_liked(liking, small):
    page = share(small, liking, request=True).page
    assert page["asked"] == ["up to 1999", "no Romance", "“tense”", "“funny”"]
    assert not re.search(r"Alien \(|Alien,|Toy Story \(|Heat|liked", words_of(page))


def test_what_is_liked_is_told_by_who_wants_it_told(liking, small):
    page = share(small, liking, request=True, likes=True).page
    assert "like Alien (1979)" in page["asked"]
    assert [item["reason"] for item in page["items"]] == [r.justification for r in liking.shown.recommendations]


def test_a_reason_that_was_never_verified_is_not_shared(small):
    from dataclasses import replace

    reply = last(Guest(small).answer("something funny")).reply
    doubtful = replace(reply, recommendations=tuple(replace(r, verified=False) for r in reply.recommendations))
    assert reasons(doubtful, Told(True, True), small.noun, small.catalogue, "en") == {}


def test_a_chinese_list_is_shared_in_chinese(small):
    guest = Guest(small, user_id="ann")
    small.feedback(Feedback("ann", "5", "like"))
    last(guest.answer("90年代的剧情片"))
    page = share(small, guest).page
    assert page["language"] == "zh" and all("类型" in item["reason"] for item in page["items"])
    assert "Toy Story" not in words_of(page) and "要求" not in words_of(page)


# -- links


def test_a_list_has_one_link_which_nobody_can_guess_until_it_is_stopped(liking, small):
    first = share(small, liking)
    assert len(first.token) >= 32 and share(small, liking, request=True) == first
    sharing = Sharing(small)
    assert not sharing.stop("bob", first.token) and sharing.find(first.token) == first
    assert sharing.stop("ann", first.token) and sharing.find(first.token) is None and sharing.of("ann") == []
    assert share(small, liking).token != first.token


def test_only_so_many_lists_are_shared_in_an_hour(small):
    from dataclasses import replace

    reply = last(Guest(small).answer("something funny")).reply
    sharing = Sharing(small)
    for number in range(AN_HOUR):
        sharing.share("ann", "c", replace(reply, turn_id=f"t{number}"), Told())
    with pytest.raises(InputError, match=f"{AN_HOUR} lists within an hour"):
        sharing.share("ann", "c", replace(reply, turn_id="one more"), Told())
    assert sharing.share("bob", "c", replace(reply, turn_id="another's"), Told())


def test_what_is_shared_goes_with_its_conversation_and_with_its_person(small):
    for end in (lambda g: small.conversation(g.user_id, g.conversation_id).delete(), lambda g: small.forget(g.user_id)):
        guest = Guest(small, user_id="ann")
        last(guest.answer("something funny"))
        shared = share(small, guest)
        end(guest)
        assert Sharing(small).find(shared.token) is None


def wish(guest):
    key = guest.shown.turn_id if guest.shown is not None else ""
    return {"do": "share", "key": key, "request": "false", "likes": "false"}


def test_no_other_list_is_shared_than_the_one_on_the_screen(liking, small):
    keeping, screen = Keeping(small, Guests(small)), wish(liking)
    assert f'data-key="{screen["key"]}"' in keeping.shared(liking)
    last(liking.answer("something funny"))  # at another page
    assert ENGLISH("share.newer") in keeping.share(liking, screen) and Sharing(small).of("ann") == []


def test_the_panel_offers_the_link_and_its_end(liking, small):
    keeping = Keeping(small, Guests(small))
    assert 'data-do="share"' in keeping.shared(liking) and "/lists/" not in keeping.shared(liking)
    html = keeping.share(liking, wish(liking))
    (shared,) = Sharing(small).of("ann")
    assert f'href="/lists/{shared.token}"' in html and f'data-key="{shared.token}"' in keeping.all_shared(liking)
    assert shared.token not in keeping.all_shared(Guest(small, user_id="bob"))
    html = keeping.share(liking, {"do": "unshare", "key": shared.token})
    assert ENGLISH("share.stopped") in html and 'data-do="share"' in html and Sharing(small).of("ann") == []


def test_there_is_nothing_to_share_before_a_list(small):
    keeping, guest = Keeping(small, Guests(small)), Guest(small)
    assert keeping.shared(guest) == "" == keeping.share(guest, wish(guest))


# -- the page


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "style")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_static_private_and_found_by_nobody(liking, small, client):
    token = share(small, liking, request=True).token
    answer = client.get(f"/lists/{token}")
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "script" not in policy
    assert "noindex" in answer.headers["x-robots-tag"] and answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    tags = Tags()
    tags.feed(answer.text)
    assert tags.open == [] and tags.found.count("li") == 5 and "script" not in tags.found
    assert client.head(f"/lists/{token}").status_code == 200


def test_an_address_without_a_list_says_the_same_whatever_it_was(liking, small, client):
    token = share(small, liking).token
    Sharing(small).stop("ann", token)
    answers = [client.get(f"/lists/{path}") for path in (token, "x" * 32, "a", "' OR 1 --", "%00", token + "x")]
    assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
    assert "There is no list here" in answers[0].text
    assert client.post(f"/lists/{token}").status_code == 405


def test_nothing_of_a_hostile_item_becomes_html():
    item = {"title": HOSTILE, "facts": f"</p>{HOSTILE}", "reason": f"<script>{HOSTILE}\u202e"}
    page = {"language": '"><b>', "noun": "<i>", "asked": [HOSTILE], "items": [item, item]}
    html = drawn(Share("t" * 32, "ann", "c", "t", 0.0, page))
    body = re.sub("<style>.*</style>", "", html)
    assert "<img" not in body and "<b>" not in body and "<i>" not in body and "<script" not in body
    assert "\u202e" not in body and body.count("<li>") == 2


def test_a_hostile_title_is_shared_as_text(tmp_path):
    with open_small(tmp_path / "w") as agent:
        agent.add_items([Item("<b>", f"{HOSTILE} (1995)", "tense <script>", {"year": 1995, "genres": ("<i>",)})])
        guest = Guest(agent, user_id="ann")
        last(guest.answer("tense, from 1995"))
        shared = share(agent, guest, request=True, likes=True)
        assert any(HOSTILE in item["title"] for item in shared.page["items"])
        tags = Tags()
        tags.feed(drawn(shared))
        assert not {"img", "script", "i", "b"} & set(tags.found)


# -- the cookie


def answered(path="/", scheme="http", method="GET", cookie=None):
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    scope = {"type": "http", "path": path, "scheme": scheme, "method": method, "headers": headers}
    asyncio.run(Remembered(app)(scope, None, send))
    return dict(sent[0]["headers"]).get(b"set-cookie", b"").decode()


def test_a_browser_gets_a_secret_that_no_script_reads_and_keeps_it():
    given = answered()
    secret = re.match(rf"{COOKIE}=([\w-]{{43}}); ", given)[1]
    assert "HttpOnly" in given and "SameSite=Lax" in given and "Path=/" in given and "Secure" not in given
    assert answered() != given and "Secure" in answered(scheme="https")
    assert f"={secret};" in answered(cookie=f"a=b; {COOKIE}={secret}")
    assert "evil" not in answered(cookie=f"{COOKIE}=evil")
    assert answered("/gradio_api/queue/join", method="POST") == "" == answered("/theme.css")


@pytest.mark.parametrize("foreign", ['prefs={"a":1}', "a[b]=1", "c=one two", "c=\xe9", "bare"])
def test_a_cookie_of_another_program_of_this_machine_does_not_hide_the_secret(foreign):
    secret = "a" * 43
    for cookie in (f"{foreign}; {COOKIE}={secret}", f"{COOKIE}={secret}; {foreign}"):
        assert f"={secret};" in answered(cookie=cookie)


@pytest.mark.parametrize(
    ("language", "reason", "is_personal"),
    [
        ("en", "As you asked, it is a drama film.", True), ("en", "It is by Young.", False), ("en", "", False),
        ("zh", "和你喜欢的《Heat》(1995)一样，类型是剧情。", True), ("zh", "类型是剧情，1996年。", False),
    ],
)  # fmt: skip
def test_a_page_says_who_you_is_where_a_reason_says_you(language, reason, is_personal):
    page = {"language": language, "noun": "film", "asked": [], "items": [{"title": "T", "facts": "", "reason": reason}]}
    assert (WORDS[language]("lists.you") in drawn(Share("t" * 32, "ann", "c", "t", 0.0, page))) is is_personal
