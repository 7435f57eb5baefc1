"""Sign-in: accounts, passwords, attempts and sign-ins that end; and what the gate lets pass, over real HTTP."""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from conftest import SOON, open_small, served_page, until
from test_api_keys import bearer
from test_cli import ROOT, run

from agent.errors import InputError
from agent.workspace.accounts import Account
from agent.workspace.store import Store
from agent.workspace.tables import SCHEMA_VERSION
from ui.api.app import build_api
from ui.api.keys import Keys
from ui.auth.attempts import FIRST, MOST, QUIET, Attempts
from ui.auth.door import FREE_BY_ADDRESS, FREE_BY_NAME, Door, _address, notes
from ui.auth.passwords import Passwords, checked, folded
from ui.auth.sessions import DAY, IDLE, LONGEST, Sessions
from ui.guest import Guest
from ui.guests import Guests

PASSWORD = "a quiet novel about the sea"
HTML = {"Accept": "text/html"}


class Clock:
    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def passwords():
    return Passwords(PasswordHasher.from_parameters(CHEAPEST))


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def put(accounts, passwords, name, user_id=None):
    accounts.add(Account(name, user_id or name, passwords.hash(PASSWORD), 1.0))


# -- accounts in the store


def test_a_name_and_a_person_have_one_account(store, passwords):
    put(store.accounts, passwords, "anna")
    put(store.accounts, passwords, "bob", "p1")
    for name, user_id in (("anna", "p2"), ("carl", "p1")):
        with pytest.raises(InputError, match="already"):
            put(store.accounts, passwords, name, user_id)
    assert [(a.name, a.user_id) for a in store.accounts.all()] == [("anna", "anna"), ("bob", "p1")]
    assert store.accounts.get("carl") is None and PASSWORD not in repr(store.accounts.all())
    assert "argon2" not in repr(store.accounts.get("anna"))


def test_an_older_store_gets_the_tables_and_keeps_its_rows(tmp_path, passwords):
    path = tmp_path / "store.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as old:
        old.executescript("DROP TABLE sign_ins; DROP TABLE accounts; PRAGMA user_version = 4")
        old.execute("INSERT INTO users (user_id) VALUES ('anna')")
    old.close()
    store = Store(path)
    put(store.accounts, passwords, "anna")
    assert store.has_user("anna") and store.accounts.get("anna").user_id == "anna"
    store.close()
    with sqlite3.connect(path) as new:
        assert new.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    new.close()


def test_who_is_forgotten_has_no_account_and_no_sign_in_and_leaves_no_trace(store, passwords, tmp_path):
    put(store.accounts, passwords, "anna-of-the-test", "p1")
    put(store.accounts, passwords, "bob")
    sessions = Sessions(store.accounts)
    gone, stays = sessions.begin("anna-of-the-test"), sessions.begin("bob")
    assert store.forget("p1")["accounts"] == 1
    assert sessions.find(gone) is None and sessions.find(stays).name == "bob"
    assert not [f for f in tmp_path.iterdir() if b"anna-of-the-test" in f.read_bytes()]
    assert store.integrity_problems() == []


def test_nothing_of_an_account_is_given_out(small, passwords):
    put(small.workspace.store.accounts, passwords, "somebody", "p1")
    assert not re.search("argon2|somebody|password", str(small.known_of("p1")))


# -- passwords


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_rfc_9106():
    real = Passwords()
    kept = real.hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and PASSWORD not in kept
    assert real.fits(kept, PASSWORD) and not real.fits(kept, PASSWORD + " ") and not real.is_dated(kept)
    assert real.is_dated(Passwords(PasswordHasher.from_parameters(CHEAPEST)).hash(PASSWORD))


def test_equal_letters_are_one_password_and_nobody_has_any(passwords):
    assert passwords.fits(passwords.hash("Zoë's twelve café"), "Zoe\u0308's twelve cafe\u0301")
    assert not passwords.fits(None, PASSWORD) and not passwords.fits("no hash at all", PASSWORD)
    assert passwords.hash(PASSWORD) != passwords.hash(PASSWORD)


def test_an_unknown_name_costs_the_same_comparison(passwords, monkeypatch):
    asked = []
    verify = passwords._hasher.verify
    monkeypatch.setattr(passwords, "_hasher", SimpleNamespace(verify=lambda *a: asked.append(a[0]) or verify(*a)))
    passwords.fits(None, PASSWORD)
    assert (
        len(asked) == 1
        and asked[0].split("$")[:4] == Passwords(PasswordHasher.from_parameters(CHEAPEST)).hash("x").split("$")[:4]
    )


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "aaaaaaaaaaaaaaaa", "my name is anna"])
def test_a_weak_password_is_refused_and_never_repeated(password):
    with pytest.raises(InputError) as told:
        checked(password, "anna")
    assert not password or password not in str(told.value)


# -- attempts


def test_the_wait_grows_and_is_forgotten_after_a_quiet_hour():
    clock = Clock()
    attempts, waits = Attempts(3, clock), []
    for _ in range(10):
        attempts.begin("anna")
        waits.append(attempts.wait("anna"))
        clock.now += waits[-1]
    assert waits[:6] == [0, 0, FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST] and waits[-1] == MOST
    assert attempts.wait("anna") == 0 and attempts.wait("bob") == 0
    clock.now += QUIET + 1
    attempts.begin("anna")
    assert attempts.wait("anna") == 0


def test_success_forgives_a_name_but_gives_an_address_only_its_own_attempt_back():
    clock = Clock()
    names, addresses = Attempts(2, clock), Attempts(2, clock)
    for attempts in (names, addresses):
        attempts.begin("a")
        attempts.begin("a")
        assert attempts.wait("a") == FIRST
        clock.now += FIRST
        attempts.begin("a")
    names.forgive("a")
    addresses.take_back("a")
    assert names.wait("a") == addresses.wait("a") == 0
    names.begin("a")
    addresses.begin("a")
    assert (names.wait("a"), addresses.wait("a")) == (0, 2 * FIRST)


@pytest.mark.parametrize(
    ("host", "key"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64")]
    + [("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient")],
)
def test_the_addresses_of_one_machine_are_one(host, key):
    assert _address(SimpleNamespace(client=SimpleNamespace(host=host))) == key


# -- sign-ins


def test_a_sign_in_that_is_used_every_day_ends_after_thirty(store, passwords):
    clock = Clock()
    put(store.accounts, passwords, "anna")
    sessions = Sessions(store.accounts, clock)
    secret, began, found = sessions.begin("anna"), clock.now, []
    for day in range(31):
        clock.now = began + DAY * day
        found.append(sessions.find(secret) is not None)
    assert found == [True] * 30 + [False]


def test_a_sign_in_that_nobody_uses_ends_after_three_days(store, passwords):
    clock = Clock()
    put(store.accounts, passwords, "anna")
    sessions = Sessions(store.accounts, clock)
    secret = sessions.begin("anna")
    clock.now += IDLE - 1
    assert sessions.find(secret).name == "anna"
    clock.now += IDLE
    assert sessions.find(secret) is None


def test_the_store_has_hashes_of_secrets_alone_and_old_sign_ins_are_removed(store, passwords, tmp_path):
    clock = Clock()
    put(store.accounts, passwords, "anna")
    sessions = Sessions(store.accounts, clock)
    secret = sessions.begin("anna")
    assert len(secret) >= 43 and not [f for f in tmp_path.iterdir() if secret.encode() in f.read_bytes()]
    assert Sessions(Store(store.path).accounts, clock).find(secret).name == "anna"  # as after a restart
    clock.now += IDLE
    assert sessions.find(secret) is None and sessions.find("") is None and sessions.find("\ud800") is None
    sessions.begin("anna")
    with sqlite3.connect(store.path) as rows:
        assert rows.execute("SELECT count(*) FROM sign_ins").fetchone()[0] == 1
    rows.close()


def test_a_new_password_and_a_removed_account_end_sign_ins(store, passwords):
    put(store.accounts, passwords, "anna")
    sessions = Sessions(store.accounts)
    first = sessions.begin("anna")
    assert store.accounts.change("anna", passwords.hash("x"), stay=True) and sessions.find(first)
    assert store.accounts.change("anna", passwords.hash("y")) and sessions.find(first) is None
    second = sessions.begin("anna")
    assert store.accounts.remove("anna") and sessions.find(second) is None
    assert not store.accounts.remove("anna") and not store.accounts.change("anna", "z")


# -- the command


def test_accounts_are_made_listed_changed_and_removed_beside_a_running_server(tmp_path):
    with open_small(tmp_path / "w") as agent:  # holds the workspace, as a server does
        accounts, home = agent.workspace.store.accounts, ("-w", str(tmp_path / "w"))
        assert "no account" in run("accounts", "list", *home).stdout
        added = run("accounts", "add", "Anna", *home, text=f"{PASSWORD}\n")
        assert added.exit_code == 0 and "Added: anna" in added.stdout and PASSWORD not in added.output
        assert Passwords().fits(accounts.get("anna").password, PASSWORD)
        assert run("accounts", "add", "bob", "--person", "p1", *home, text=PASSWORD).exit_code == 0
        assert re.search(r"anna +anna .*\nbob +p1 ", run("accounts", "list", *home).stdout)
        before = accounts.get("anna").password
        assert run("accounts", "password", "ANNA", *home, text="another long password\n").exit_code == 0
        assert accounts.get("anna").password != before
        removed = run("accounts", "remove", "bob", *home)
        assert removed.exit_code == 0 and "people forget p1" in removed.stderr and accounts.get("bob") is None
        assert agent.known_of("p1")["history"]
        if os.name != "nt":
            assert (tmp_path / "w" / "store.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (("add", "anna"), "short\n", "12 to 256"),
        (("add", "anna"), "", "12 to 256"),
        (("add", "a b"), PASSWORD, "cannot be called"),
        (("add", ""), PASSWORD, "cannot be called"),
        (("add", "p1"), PASSWORD, "--person p1"),
        (("add", "taken"), PASSWORD, "accounts password taken"),
        (("add", "other", "--person", "taken"), PASSWORD, "one at most"),
        (("remove", "nobody"), "", "there are: taken"),
        (("password", "nobody"), PASSWORD, "there are: taken"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_to_do(small, passwords, arguments, text, says):
    put(small.workspace.store.accounts, passwords, "taken")
    result = run("accounts", *arguments, "-w", str(small.settings.home), text=text)
    assert result.exit_code == 2 and says in result.stderr
    assert [a.name for a in small.workspace.store.accounts.all()] == ["taken"]


def test_sign_in_is_for_the_chat_alone(small):
    result = run("serve", "--api-only", "--auth", agent=small)
    assert result.exit_code == 2 and "--api-only" in result.stderr


def test_who_starts_a_server_is_told_who_can_come_in():
    assert notes("127.0.0.1", False, 0) == [] == notes("127.0.0.1", True, 1)
    assert "accounts add" in notes("127.0.0.1", True, 0)[0] and "--auth" in notes("127.0.0.1", False, 1)[0]
    assert "no password" in notes("0.0.0.0", False, 0)[0] and "TLS" in notes("0.0.0.0", True, 1)[0]


# -- over HTTP


@contextmanager
def served(agent, passwords, clock=time.time, **attempts):
    """The page of an agent behind its door."""
    from ui.app import build_app

    door = Door(agent.workspace.store.accounts, passwords, Sessions(agent.workspace.store.accounts, clock), **attempts)
    api = build_api(agent, per_minute=0, keyless=False)
    with served_page(lambda: build_app(agent, Guests(agent, signed_in=True)), api=api, door=door) as url:
        yield url


@pytest.fixture
def clock():
    return Clock(time.time())


@pytest.fixture
def waiting():
    return Clock()


@pytest.fixture
def url(small, passwords, clock, waiting):
    put(small.workspace.store.accounts, passwords, "anna", "p1")
    put(small.workspace.store.accounts, passwords, "bob")
    limits = {"by_name": Attempts(FREE_BY_NAME, waiting), "by_address": Attempts(FREE_BY_ADDRESS, waiting)}
    with served(small, passwords, clock, **limits) as address:
        yield address


def browser(url):
    return httpx.Client(base_url=url, timeout=SOON, headers={"Origin": url, **HTML})


def sign_in(client, name="anna", password=PASSWORD, **headers):
    return client.post("/sign-in", data={"name": name, "password": password}, headers=headers)


def test_nothing_of_the_page_is_open_before_sign_in(url):
    with browser(url) as client:
        page = client.get("/")
        assert (page.status_code, page.headers["location"]) == (303, "sign-in")
        assert client.get("/some/where").headers["location"] == "../sign-in"
        for path in (
            "config", "info", "gradio_api/info", "gradio_api/queue/data?session_hash=x", "gradio_api/heartbeat/x",
            "gradio_api/app_id", "gradio_api/user", "gradio_api/token", "theme.css", "monitoring", "signed-in",
            "gradio_api/upload_progress?upload_id=1", "gradio_api/file=pyproject.toml", "assets/x.js", "login_check",
        ):  # fmt: skip
            answer = client.get(f"/{path}", headers={"Accept": "*/*"})
            assert (answer.status_code, answer.text) == (401, "Sign in first."), path
            assert answer.headers["www-authenticate"].startswith("Session")
        for path in ("queue/join", "run/predict", "api/predict", "upload", "cancel", "reset", "component_server"):
            assert client.post(f"/gradio_api/{path}", json={"session_hash": "x"}).status_code == 401, path
        assert client.post("/login", data={"username": "anna", "password": PASSWORD}).status_code == 401
        assert client.get("/sign-in").status_code == 200


def test_a_web_socket_is_closed_unless_signed_in(small, passwords):
    put(small.workspace.store.accounts, passwords, "anna")
    sessions = Sessions(small.workspace.store.accounts)
    secret, reached = sessions.begin("anna"), []

    async def inner(scope, receive, send):
        reached.append(scope["account"].name)

    def connect(**headers):
        sent = []

        async def send(message):
            sent.append(message["type"])

        raw = [(k.encode(), v.encode()) for k, v in headers.items()]
        scope = {"type": "websocket", "path": "/x", "scheme": "ws", "server": ("h", 1), "headers": raw}
        middleware = Door(small.workspace.store.accounts, passwords).middleware(has_service=True)
        asyncio.run(middleware.cls(inner, **middleware.kwargs)(scope, None, send))
        return sent

    own = {"host": "h:1", "origin": "http://h:1"}
    assert connect(**own) == ["websocket.close"]
    assert connect(cookie=f"vouchrec-1={secret}", host="h:1", origin="http://evil") == ["websocket.close"]
    assert connect(cookie=f"vouchrec-1={secret}", **own) == [] and reached == ["anna"]


def test_right_name_and_password_open_the_page_and_signing_out_closes_it(url):
    with browser(url) as client:
        answer = sign_in(client, " ANNA ")
        assert (answer.status_code, answer.headers["location"]) == (303, "./")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie and "Secure" not in cookie
        assert f"Max-Age={int(LONGEST)}" in cookie
        page = client.get("/")
        assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY" and "signed-in" in page.text
        assert client.get("/signed-in").status_code == 204
        assert client.get("/sign-in").headers["location"] == "./"
        secret = client.cookies[f"vouchrec-{client.base_url.port}"]
        out = client.post("/sign-out")
        assert out.headers["location"] == "sign-in?out" and not client.cookies
        assert "You are signed out." in client.get("/sign-in?out").text
        kept = {"Cookie": f"vouchrec-{client.base_url.port}={secret}"}
        assert client.get("/", headers=kept).headers["location"] == "sign-in?ended"
        assert client.post("/sign-out").status_code == 303  # again, by a page that was left open


def test_over_tls_the_cookie_is_bound_to_it(url):
    with browser(url) as client:
        cookie = sign_in(client, **{"X-Forwarded-Proto": "https"}).headers["set-cookie"]
        assert cookie.startswith("__Host-vouchrec-") and "Secure" in cookie


def test_the_page_speaks_the_language_of_the_browser(url):
    with browser(url) as client:
        page = client.get("/sign-in?ended", headers={"Accept-Language": "zh-CN,en;q=0.5"}).text
        assert '<html lang="zh">' in page and "登录已经结束" in page and not re.search("Sign|Name|Pass", page)


def test_an_unknown_name_and_a_wrong_password_are_told_alike(url):
    with browser(url) as client:
        wrong, unknown = sign_in(client, "anna", "wrong"), sign_in(client, "nobody", "wrong")
        assert wrong.status_code == unknown.status_code == 403
        assert wrong.text.replace("anna", "") == unknown.text.replace("nobody", "")
        assert 'role="alert"' in wrong.text and "wrong" not in wrong.text.split("<main>")[1]
        assert not client.cookies


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_a_name_must_wait_after_some_wrong_passwords_and_is_told_how_long(url, waiting, name):
    with browser(url) as client, browser(url) as elsewhere:
        told = [sign_in(client, name, "wrong") for _ in range(FREE_BY_NAME)]
        assert [t.status_code for t in told] == [403] * (FREE_BY_NAME - 1) + [429]
        assert "again in 30 seconds" in told[-1].text and told[-1].headers["retry-after"] == "30"
        refused = sign_in(elsewhere, name)  # even the right one, from wherever
        assert refused.status_code == 429 and not elsewhere.cookies
        assert sign_in(elsewhere, "bob").status_code == 303
        waiting.now += FIRST
        assert "again in 60 seconds" in sign_in(client, name, "wrong").text
        waiting.now += 2 * FIRST
        assert "again in 2 minutes" in sign_in(client, name, "wrong").text
        waiting.now += 4 * FIRST
        assert sign_in(client, name).status_code == (303 if name == "anna" else 429)


def test_an_address_must_wait_whatever_the_names(url, waiting):
    with browser(url) as client:
        told = [sign_in(client, f"name-{i}", "wrong").status_code for i in range(FREE_BY_ADDRESS)]
        assert told == [403] * (FREE_BY_ADDRESS - 1) + [429]
        assert sign_in(client, "anna").status_code == 429
        waiting.now += FIRST
        assert sign_in(client, "anna").status_code == 303
        assert sign_in(client, "one-more", "wrong").status_code == 429  # success forgave the address nothing


def test_many_attempts_at_once_gain_nothing(url):
    async def all_at_once():
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=SOON) as client:
            form = {"name": "anna", "password": "wrong"}
            return await asyncio.gather(*(client.post("/sign-in", data=form) for _ in range(15)))

    told = asyncio.run(all_at_once())
    assert sum("do not go together" in answer.text for answer in told) == FREE_BY_NAME
    assert sum("tried too often" in answer.text for answer in told) == 15 - FREE_BY_NAME


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "{url}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_can_neither_sign_in_nor_out_nor_ask(url, headers):
    with browser(url) as client:
        sign_in(client)
        client.headers = {name: value.format(url=url) for name, value in headers.items()}
        for path in ("/sign-in", "/sign-out", "/gradio_api/queue/join", "/gradio_api/cancel"):
            answer = client.post(path, data={"name": "anna", "password": PASSWORD})
            assert answer.status_code == 403 and "set-cookie" not in answer.headers, path
        client.headers = {}
        assert client.get("/signed-in").status_code == 204


@pytest.mark.parametrize("site", ["cross-site", "same-site"])  # the latter is another port of the same machine
def test_a_script_of_another_site_reads_nothing(url, site):
    with browser(url) as client:
        sign_in(client)
        for path in ("/", "/config", "/signed-in", "/gradio_api/queue/data?session_hash=x"):
            assert client.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}).status_code == 403
        assert client.get("/config", headers={"Origin": "http://localhost:1"}).status_code == 403
        assert client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_without_a_service_its_addresses_are_closed_too(small, passwords):
    reached = []

    async def inner(scope, receive, send):
        reached.append(scope["path"])

    async def ask(has_service):
        middleware = Door(small.workspace.store.accounts, passwords).middleware(has_service)
        scope = {"type": "http", "method": "GET", "path": "/metrics", "scheme": "http", "headers": []}
        await middleware.cls(inner, **middleware.kwargs)(scope, None, lambda message: asyncio.sleep(0))

    asyncio.run(ask(False))
    assert not reached
    asyncio.run(ask(True))
    assert reached == ["/metrics"]


def test_who_follows_a_link_from_elsewhere_is_taken_to_where_the_cookie_counts(url):
    with browser(url) as client:
        page = client.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
        assert 'http-equiv="refresh" content="0;url=sign-in"' in page.text and "password" not in page.text


def test_a_sign_in_that_is_over_leads_back_with_a_word(url, clock):
    with browser(url) as client:
        sign_in(client)
        clock.now += IDLE
        assert client.get("/").headers["location"] == "sign-in?ended"
        assert "Your sign-in has ended." in client.get("/sign-in?ended").text
        assert client.get("/signed-in", headers={"Accept": "*/*"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"name=anna", "application/x-www-form-urlencoded"),
        (b"password=x&name=" + b"x" * 65, "application/x-www-form-urlencoded"),
        (b"name=anna&password=" + b"x" * 300, "application/x-www-form-urlencoded"),
        (b"name=anna&password=" + b"x" * 10_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=%d" % n for n in range(50)), "application/x-www-form-urlencoded"),
        (b'{"name": "anna"}', "application/json"),
        (b"\xff\x00%ff=%zz", "text/plain"),
    ],
)
def test_what_is_no_form_is_answered_with_the_page(url, body, kind):
    with browser(url) as client:
        answer = client.post("/sign-in", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 400 and "Give your name and your password." in answer.text


def test_a_hostile_name_is_text_and_the_page_allows_no_script(url):
    with browser(url) as client:
        page = sign_in(client, '"><script>alert(1)</script>', "wrong")
        assert "<script" not in page.text and "&lt;script&gt;" in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy and "script" not in policy


def test_events_of_one_person_reach_no_other(url):
    with browser(url) as anna, browser(url) as bob:
        sign_in(anna)
        sign_in(bob, "bob")
        with anna.stream("GET", "/gradio_api/heartbeat/annas-page") as beating:
            assert beating.status_code == 200
            for path in ("heartbeat/annas-page", "queue/data?session_hash=annas-page"):
                assert bob.get(f"/gradio_api/{path}").status_code == 403
        with bob.stream("GET", "/gradio_api/heartbeat/bobs-page") as beating:
            assert beating.status_code == 200


def test_programs_need_a_key_and_no_sign_in(url, small):
    with browser(url) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/models").status_code == 401
        sign_in(client)
        assert client.get("/v1/models").status_code == 401  # nor is a sign-in a key
        secret = Keys(small.settings.home).add("shop")
        with httpx.Client(base_url=url, timeout=SOON) as program:
            assert program.get("/v1/models", headers=bearer(secret)).status_code == 200


def test_a_weaker_hash_is_replaced_when_its_password_comes(small, passwords):
    accounts = small.workspace.store.accounts
    put(accounts, passwords, "anna")
    sessions = Sessions(accounts)
    secret = sessions.begin("anna")
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    assert Door(accounts, stronger)._compared("anna", PASSWORD).name == "anna"
    assert "t=2" in accounts.get("anna").password and sessions.find(secret)
    assert Door(accounts, stronger)._compared("anna", "wrong") is None


# -- whose conversation it is


def test_a_person_has_one_conversation_and_it_is_nobody_elses(small):
    guests = Guests(small, signed_in=True)
    annas = guests.get("a page", "anna")
    for _ in annas.answer("I liked Alien (1979)"):
        pass
    assert annas.user_id == "anna" and guests.get("another", "bob").user_id == "bob"
    assert [role for role, _ in annas.view().talk][0] == "user" and not guests.get("another", "bob").view().talk
    assert guests.arrive("a phone", "anna") is annas and list(annas.follow())[-1] == annas.view()
    assert guests.get("a page", "bob").user_id == "bob" and not guests.get("a page", "bob").view().talk
    annas.react(annas.view().reply.recommendations[0].item.item_id, "like")
    later = Guests(small, signed_in=True).arrive("a page", "anna")  # as after a restart
    assert later.view().talk == annas.view().talk and small.known_of("anna")["feedback"]
    guests.forget("a phone", "anna")
    assert not small.workspace.store.has_user("anna") and guests.arrive("a page", "anna").view().talk == ()


def test_another_page_follows_an_answer_to_its_end(small):
    guest = Guest(small, user_id="anna")
    answering = guest.answer("I liked Alien (1979)")
    next(answering)
    followed = []

    def follow():
        for view in guest.follow():
            followed.append(view)

    following = threading.Thread(target=follow)
    following.start()
    until(lambda: followed)  # else the answer may be over before it is looked at
    last = list(answering)[-1]
    following.join(SOON)
    assert followed and followed[0].is_busy and followed[-1] == last and folded(" ANNA ") == "anna"


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C cannot be sent to one process alone")
def test_a_server_takes_an_account_that_is_made_while_it_runs(tmp_path):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]; from pathlib import Path\n"
        "from conftest import open_small; from ui.front import serve; from ui.terminal import Terminal\n"
        f"opener = lambda *_: open_small(Path({str(tmp_path / 'w')!r}))\n"
        "serve(port=0, terminal=Terminal(opener=opener), auth=True)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            with browser(url) as client:
                assert sign_in(client).status_code == 403
                assert run("accounts", "add", "anna", "-w", str(tmp_path / "w"), text=PASSWORD).exit_code == 0
                assert sign_in(client).status_code == 303 and client.get("/").status_code == 200
                assert client.get("/v1/models").status_code == 401
                assert run("accounts", "remove", "anna", "-w", str(tmp_path / "w")).exit_code == 0
                assert client.get("/").headers["location"] == "sign-in?ended"
            server.send_signal(signal.SIGINT)
            out, err = server.communicate(timeout=SOON)
        finally:
            server.kill()
    assert (server.returncode, out) == (0, "") and "accounts add NAME" in err and PASSWORD not in err
