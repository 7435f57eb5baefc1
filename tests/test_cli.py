"""The `vouchrec` command, over the real agent with the shipped fakes, and as a process of its own."""

import io
import json
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from conftest import SOON
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from agent.errors import AssetError
from agent.schema import Candidate, Evidence, Filter, Intent, Item, Recommendation, Reply
from agent.workspace.catalogue import Catalogue
from ui.cli import app
from ui.listing import ASCII, Marks, duration, footer, listing, understood, why
from ui.progress import TerminalProgress
from ui.terminal import Terminal, clean
from ui.verdict import verdict

ROOT = Path(__file__).parent.parent


def run(*arguments, agent=None, opener=None, text=None):
    """A command in this process; `agent` stands in for the one that a workspace would open."""
    if agent is not None:
        opener = lambda workspace, progress: nullcontext(agent)  # noqa: E731
    terminal = Terminal(opener=opener) if opener else Terminal()
    return CliRunner().invoke(app, list(arguments), obj=terminal, input=text, prog_name="vouchrec")


def process(*arguments, **options):
    command = [sys.executable, "-m", "ui.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SOON, check=False, **options)


def raising(error):
    def opener(workspace, progress):
        raise error

    return opener


# -- recommend


def test_recommend_prints_what_the_agent_answers(small):
    plain = run("recommend", "--history", "Alien (1979)", "-n", "3", agent=small)
    assert "score = " not in plain.stdout and " ms" not in plain.stdout
    result = run("recommend", "--history", "Alien (1979)", "-n", "3", "--verbose", agent=small)
    expected = [r.item.title for r in small.recommend(history=["Alien (1979)"], n=3).recommendations]
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line[4:].split("  ")[0] for line in lines if line[:3].strip().isdigit()] == expected
    assert "fake · no adapter" in result.stdout and "score = (retrieval " in result.stdout
    assert f" + {small.model_weight:g} x (model " in " ".join(result.stdout.split())
    assert "the list after " in result.stdout and "all reasons after " in result.stdout


def test_json_is_the_reply_and_nothing_else(small):
    result = run("recommend", "--user", "p1", "--say", "crime", "-n", "2", "--json", agent=small)
    printed = json.loads(result.stdout)
    reply = json.loads(json.dumps(small.recommend("p1", intent="crime", n=2).as_dict()))
    assert result.exit_code == 0 and result.stderr == ""
    varying = {"turn_id", "timings_ms"}
    assert {k: v for k, v in printed.items() if k not in varying} == {
        k: v for k, v in reply.items() if k not in varying
    }


def test_conditions_hold(small):
    result = run("recommend", "--where", "year=1990..1999", "--where", "genres!=crime", "--json", agent=small)
    found = json.loads(result.stdout)["recommendations"]
    assert found
    assert all(1990 <= r["attributes"]["year"] <= 1999 and "Crime" not in r["attributes"]["genres"] for r in found)


def test_generate_and_seed_reach_the_agent(small):
    asked = ("recommend", "--history", "Alien (1979)", "--strategy", "generate", "--seed", "7")
    result = run(*asked, "--verbose", agent=small)
    assert "by the model alone" in result.stdout
    listed = json.loads(run(*asked, "--json", agent=small).stdout)["recommendations"]
    expected = small.recommend(history=["Alien (1979)"], strategy="generate", seed=7).recommendations
    assert [r["item_id"] for r in listed] == [r.item.item_id for r in expected]


# -- errors and exit codes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--history", "Alein (1979)"], 'Did you mean "Alien (1979)"'),
        (["--where", "yeer>=1990"], "Did you mean 'year'?"),
        (["--where", "year"], "put the whole condition in quotes"),
        (["-n", "100000"], "A list has from 1 to 50 items"),
        (["--say", "x" * 5000], "Shorten it"),
    ],
)
def test_what_cannot_be_used_is_explained(small, arguments, says):
    result = run("recommend", *arguments, "--json", agent=small)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr and result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["-n", "0"], ["--strategy", "magic"], ["--nonsense"], ["--seed", "x"]])
def test_wrong_usage_is_exit_code_2(arguments):
    assert run("recommend", *arguments).exit_code == 2


def test_an_absent_workspace_names_the_remedy(tmp_path):
    result = run("recommend", "--workspace", str(tmp_path / "none"))
    assert result.exit_code == 2 and "vouchrec init" in result.stderr
    assert not (tmp_path / "none").exists()


def test_a_fault_of_ours_is_owned_and_shown_on_demand():
    result = run("recommend", opener=raising(ZeroDivisionError("division by zero")))
    assert result.exit_code == 1 and "This is a fault in Vouchrec" in result.stderr and "--debug" in result.stderr
    assert "Traceback" not in result.stderr
    result = run("--debug", "recommend", opener=raising(ZeroDivisionError("division by zero")))
    assert result.exit_code == 1 and "Traceback" in result.stderr and "in opener" in result.stderr


def test_other_endings_have_their_codes():
    assert run("recommend", opener=raising(KeyboardInterrupt())).exit_code == 130
    assert run("recommend", opener=raising(BrokenPipeError())).exit_code == 141
    result = run("--debug", "recommend", opener=raising(AssetError("No network.")))
    assert result.exit_code == 2 and "Traceback" in result.stderr


def test_an_error_cannot_command_the_terminal():
    result = run("recommend", opener=raising(AssetError("bad \x1b]0;owned\x07 [bold]name[/bold]\r\nnext")))
    assert result.stderr == "Error: bad ]0;owned [bold]name[/bold] \nnext\n"
    assert clean("a\x1b[2J\u202eb\tc\nd\x9b") == "a[2Jb c d"


# -- chat


def test_a_conversation_in_the_terminal(small):
    said = "a crime film\n/why 1\n/like 1\n/dislike 99\n/nonsense\n\n/help\n/new\n/why 1\n/quit\nnever read\n"
    result = run("chat", "-n", "2", agent=small, text=said)
    assert result.exit_code == 0
    first = small.conversation().say("a crime film", 2).recommendations[0]
    assert result.stdout.startswith("> a crime film\n")
    assert result.stdout.count(f"{first.item.title}\n") == 1  # /why names it on a line of its own
    assert all(f"- {fact.text}" in result.stdout for fact in first.evidence)
    noted = f"Noted: you like {first.item.title}."
    order = [
        noted,
        "1 to 2: /dislike 1",
        "no command /nonsense",
        "/later 4",
        "A new conversation",
        "no list yet for /why",
    ]
    assert [result.stderr.index(text) for text in order] == sorted(result.stderr.index(text) for text in order)
    assert "never read" not in result.output


def test_feedback_in_the_chat_is_kept_and_moves_the_next_list(small):
    said = "something\n/dislike 1\n/seen 2\n"
    result = run("chat", "--user", "p0", "-n", "3", agent=small, text=said)
    assert result.exit_code == 0
    kept = small.workspace.store.feedback("p0")
    assert [f.event for f in kept] == ["dislike", "seen"]
    assert not {f.item_id for f in kept} & {r.item.item_id for r in small.recommend("p0", n=13).recommendations}


def test_the_chat_outlives_what_it_cannot_answer(small):
    result = run("chat", agent=small, text=f"{'x' * 5000}\na comedy\n")
    assert result.exit_code == 0 and "Shorten it" in result.stderr and "> a comedy" in result.stdout


# -- prompts, init, doctor


def prompt_set(folder, body="hello"):
    folder.mkdir()
    front = "---\nname: greet\nversion: '2'\ninputs:\n  who:\n    type: list\n    sample: [Ann]\n---\n"
    (folder / "greet.prompty").write_text(f"{front}user:\n{body}\n", encoding="utf-8")
    return str(folder)


def test_prompts_are_listed_shown_and_rendered(tmp_path):
    chosen = "--set", prompt_set(tmp_path / "mine", "Hello {{ who | join(' and ') }}")
    assert run("prompts", "list", *chosen).stdout.startswith("greet  version 2, ")
    assert run("prompts", "show", "greet", *chosen).stdout == (tmp_path / "mine/greet.prompty").read_text(
        encoding="utf-8"
    )
    assert run("prompts", "render", "greet", *chosen).stdout == "user:\nHello Ann\n"
    rendered = run("prompts", "render", "greet", *chosen, "--input", 'who=["Bob", "Cy"]')
    assert rendered.stdout == "user:\nHello Bob and Cy\n"
    assert run("prompts", "list").stdout.startswith("intent")  # the shipped set


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "nothing"], "There is no prompt 'nothing'"),
        (["show", "../../etc/passwd"], "cannot be called"),
        (["list", "--set", "./nowhere"], "no prompt set"),
        (["render", "rank", "-i", "request"], "NAME=VALUE"),
        (["render", "rank", "-i", "history=x"], "takes JSON"),
        (["render", "rank", "-i", "nonsense=1"], "no input 'nonsense'"),
    ],
)
def test_prompt_commands_explain(arguments, says):
    result = run("prompts", *arguments)
    assert result.exit_code == 2 and says in result.stderr


def test_a_prompt_check_passes_or_is_exit_code_1(tmp_path):
    result = run("prompts", "check", "--set", prompt_set(tmp_path / "good", "hello"))
    assert result.exit_code == 0 and result.stdout.startswith("ok      greet")
    result = run("prompts", "check", "--set", prompt_set(tmp_path / "bad", "{{ missing }}"))
    assert result.exit_code == 1 and result.stdout.startswith("failed  greet")


def test_init_asks_for_one_source(tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("id,title\n1,A\n", encoding="utf-8")
    for arguments in ([], ["--items", str(items), "--dataset", "movielens-100k"]):
        result = run("init", str(tmp_path / "new"), *arguments)
        assert result.exit_code == 2 and "either --items FILE or --dataset" in result.stderr
    result = run("init", str(tmp_path / "new"), "--dataset", "movielens-100k", "--mapping", str(items))
    assert result.exit_code == 2 and "go with --items" in result.stderr
    assert run("init", str(tmp_path / "new"), "--items", str(tmp_path / "none.csv")).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_interactions_alone_are_added_to_items_that_are_there(tmp_path, monkeypatch):
    from agent.workspace.encoder import HashEncoder
    from agent.workspace.workspace import Workspace

    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress=None: HashEncoder(64))
    items, more = tmp_path / "items.csv", tmp_path / "more.csv"
    items.write_text("id,title\n1,A\n2,B\n", encoding="utf-8")
    more.write_text("user_id,item_id,rating\nann,1,5\nann,9,5\nben,2,4\n", encoding="utf-8")
    home = str(tmp_path / "w")
    alone = run("init", home, "--interactions", str(more))
    assert alone.exit_code == 2 and "either --items FILE or --dataset" in alone.stderr
    assert run("init", home, "--items", str(items)).exit_code == 0
    added = run("init", home, "--update", "--interactions", str(more))
    assert added.exit_code == 0 and "2 interactions" in added.stdout, added.output
    with Workspace.open(tmp_path / "w") as workspace:
        assert workspace.store.count_items() == 2 and workspace.store.user_ids() == ["ann", "ben"]


@pytest.mark.parametrize("written", [b"candidates = ", 'prompts = "r\u00e9sum\u00e9"'.encode("latin-1")])
def test_a_slip_in_the_file_of_settings_is_told_with_its_name(tmp_path, written):
    (tmp_path / "vouchrec.toml").write_bytes(written)
    result = run("recommend", "--workspace", str(tmp_path))
    assert result.exit_code == 2 and "cannot be read as TOML" in result.stderr and "fault" not in result.stderr


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A workspace of three films whose genres are lists, and a folder for more."""
    from agent.workspace.encoder import HashEncoder

    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress=None: HashEncoder(64))
    items = tmp_path / "items.csv"
    items.write_text("id,title,year,genres,maker\n1,A,1990,War|Drama,7\n2,B,1991,Drama,x\n3,C,1992,War,y\n")
    assert run("init", str(tmp_path / "w"), "--items", str(items)).exit_code == 0
    return tmp_path / "w"


def held(workspace):
    from agent.workspace.workspace import Workspace

    with Workspace.open(workspace) as opened:
        attributes = {item.item_id: dict(item.attributes) for item in opened.store.items()}
        return attributes, opened.store.attribute_types()


def test_an_update_guesses_within_the_types_of_the_workspace(shelf):
    _, types = held(shelf)
    assert types == {"year": "number", "genres": "list", "maker": "word"}
    more = shelf.parent / "more.csv"
    more.write_text(f"id,title,year,genres,maker,size\n4,D,1993,War,{'x' * 90},1\n5,E,soon,Drama,9,2\n6,F,,,9|8,3\n")
    added = run("init", str(shelf), "--update", "--items", str(more))
    assert added.exit_code == 0 and "line 3: 'year' is no number" in added.stderr, added.output
    attributes, after = held(shelf)
    assert after == {**types, "size": "number"}
    assert attributes["1"]["genres"] == ("War", "Drama")
    assert attributes["4"] == {"year": 1993, "genres": ("War",), "maker": "x" * 90, "size": 1}
    assert attributes["6"] == {"maker": "9|8", "size": 3}


def test_an_update_with_items_takes_what_people_did_with_those_that_were_there(shelf):
    from agent.workspace.workspace import Workspace

    more, rated = shelf.parent / "more.csv", shelf.parent / "rated.csv"
    more.write_text("id,title\n4,D\n")
    rated.write_text("user_id,item_id\nann,1\nann,4\nben,9\n")
    added = run("init", str(shelf), "--update", "--items", str(more), "--interactions", str(rated))
    assert added.exit_code == 0 and "1 items, 2 interactions" in added.stdout, added.output
    assert "the item '9' is not in the catalogue" in added.stderr
    with Workspace.open(shelf) as workspace:
        assert [i.item_id for i in workspace.store.interactions("ann")] == ["1", "4"]


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ("{genres: {column: genres}}", "'genres' of what is given is a word, but in this workspace it is a list"),
        ("{year: {column: genres}}", "'year' of what is given is a word, but in this workspace it is a number"),
        ("{year: {column: genres}}, year_from_title: true", "is 'War', which is not a number"),
    ],
)
def test_a_mapping_that_contradicts_the_workspace_adds_nothing(shelf, attributes, says):
    before = held(shelf)
    more, mapping = shelf.parent / "more.csv", shelf.parent / "mapping.yaml"
    more.write_text("id,title,genres\n4,D,War\n")
    mapping.write_text(f"items: {{item_id: id, title: title, attributes: {attributes}}}")
    refused = run("init", str(shelf), "--update", "--items", str(more), "--mapping", str(mapping))
    assert refused.exit_code == 2 and says in " ".join(refused.stderr.split())
    assert held(shelf) == before


def test_an_import_that_was_cut_short_begins_anew(tmp_path, monkeypatch):
    from agent.errors import AssetError
    from agent.workspace.encoder import HashEncoder
    from agent.workspace.workspace import Workspace

    def unreachable(*_):
        raise AssetError("The encoder cannot be fetched.")

    first, second, home = tmp_path / "first.csv", tmp_path / "second.csv", tmp_path / "w"
    first.write_text("id,title\n1,A\n2,B\n", encoding="utf-8")
    second.write_text("id,title\n2,C\n3,D\n", encoding="utf-8")
    monkeypatch.setattr("agent.build.open_encoder", unreachable)
    cut = run("init", str(home), "--items", str(first))
    assert cut.exit_code == 2 and "cannot be fetched" in cut.stderr
    listed = run("recommend", "--workspace", str(home))
    assert listed.exit_code == 2 and "cut short" in listed.stderr
    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress=None: HashEncoder(64))
    doctor = run("doctor", "--workspace", str(home))
    assert doctor.exit_code == 1 and "its import was cut short" in " ".join(doctor.stdout.split())
    update = run("init", str(home), "--update", "--items", str(second))
    assert update.exit_code == 2 and "cut short" in update.stderr
    with Workspace.open(home):  # somebody is at it
        assert "open in this process" in " ".join(run("init", str(home), "--items", str(second)).stderr.split())
    assert run("init", str(home), "--items", str(second)).exit_code == 0
    with Workspace.open(home) as workspace:
        assert [item.title for item in workspace.store.items()] == ["C", "D"]
    again = run("init", str(home), "--items", str(first))
    assert again.exit_code == 2 and "is a workspace already" in again.stderr


def test_doctor_says_what_fails_and_what_to_do(tmp_path, monkeypatch):
    for name in ("MODEL", "ENCODER"):
        monkeypatch.setenv(f"VOUCHREC_{name}", str(tmp_path / "absent"))
    monkeypatch.setenv("VOUCHREC_PROMPTS", prompt_set(tmp_path / "prompts", "hello"))
    result = run("doctor", "--workspace", str(tmp_path / "none"))
    signs = {line[8:24].strip(): line[:6].strip() for line in result.stdout.splitlines() if line[:6].strip()}
    assert signs["python"] == signs["libraries"] == signs["prompts"] == "ok"
    assert signs["language model"] == signs["encoder"] == signs["workspace"] == "failed"
    assert result.exit_code == 1 and "3 of these need attention" in result.stdout and "`vouchrec" in result.stdout


# -- the real thing


def test_the_demo_shows_two_lists_of_real_titles(real):
    result = run("demo", "--workspace", str(real.workspace.path), agent=real)
    assert result.exit_code == 0, result.stderr
    assert "Person 196" in result.stdout
    assert "Someone new who watched Alien (1979) and Blade Runner (1982)" in result.stdout
    titles = {item.title for item in real.catalogue.items}
    listed = [line[4:].split("  ")[0] for line in result.stdout.splitlines() if line[:3].strip().isdigit()]
    assert len(listed) == 10 and len([title for title in listed if title in titles]) >= 8  # long titles are wrapped
    weight = f"retrieval + {real.model_weight:g} x model"
    assert result.stdout.count(weight) == 1 and "make chat" in result.stdout


# -- the process


def test_help_is_quick_because_it_imports_nothing_heavy():
    heavy = "torch", "transformers", "chromadb", "gradio", "sentence_transformers", "scipy", "numpy", "agent.agent"
    code = (
        "import sys\nfrom ui.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit as end: print('END', end.code)\n"
        f"print('LOADED', [m for m in {heavy!r} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=SOON, check=True
    )
    assert result.stdout.endswith("END 0\nLOADED []\n")
    assert all(name in result.stdout for name in ("recommend", "chat", "serve", "demo", "init", "doctor", "prompts"))


def test_a_process_ends_as_a_command_should(tmp_path):
    assert process("--version").stdout.startswith("vouchrec")
    absent = process("recommend", "--json", "--workspace", str(tmp_path))
    assert (absent.returncode, absent.stdout) == (2, "") and absent.stderr.startswith("Error: There is no workspace")
    plain = process("prompts", "list", env={"PATH": "", "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"})
    assert plain.returncode == 0 and plain.stdout.isascii() and "\x1b" not in plain.stdout


def test_a_reader_who_leaves_is_no_error():
    command = [sys.executable, "-m", "ui.cli", "prompts", "show", "rank"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as left:
        left.stdout.close()
        complaints = left.stderr.read()
    assert left.returncode == 141 and "rror" not in complaints and "Traceback" not in complaints


# -- drawing


def console(width=80, **options):
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False, **options)


def film(title, genres=("Action", "Sci-Fi"), **attributes):
    return Item(title, title, "", {"year": 1997, "genres": genres} | attributes)


def reply(*recommendations, **fields):
    return Reply("t", None, Intent(), recommendations, **fields)


CHECKED = Recommendation(1, film("Men in Black (1997)"), 1.834, "Like Alien (1979), it is action.", True, "model")
PLAIN = Recommendation(2, film("Gattaca"), 0.5, "62 of 87 people liked it too.", True, "plain")


def test_the_list_looks_like_this():
    drawn = listing(console(60), reply(CHECKED, PLAIN, message="For you:", question="Newer?"), Marks())
    assert drawn.plain.splitlines() == [
        "For you:",
        "",
        " 1  Men in Black (1997)  Action, Sci-Fi                 1.83",
        "    ✓ Like Alien (1979), it is action.",
        "",
        " 2  Gattaca  1997 · Action, Sci-Fi                      0.50",
        "    • 62 of 87 people liked it too.",
        "",
        "Newer?",
    ]


def test_the_footer_explains_marks_times_and_score():
    timings = {"profile": 0.3, "rank": 812.0, "list": 900.0, "answer": 3200.0}
    shown = reply(CHECKED, PLAIN, timings_ms=timings, model="tiny", adapter="films-1", model_weight=0.25)
    assert footer(console(64), shown, Marks()).plain.splitlines() == [
        "    ✓ every claim checked, phrased by the model",
        "    • plain fact, computed",
        "    the list after 900 ms · all reasons after 3.2 s",
        "    profile 0 ms · rank 812 ms",
        "    tiny · adapter films-1 · score = retrieval + 0.25 x model",
    ]


def test_what_was_understood_is_said_in_words():
    filters = Filter("year", ">=", 1990), Filter("genres", "in", ("Comedy", "War")), Filter("genres", "!=", "Horror")
    intent = Intent("x", likes=("1",), dislikes=("2",), filters=filters, wishes="tense", avoids="slow")
    films = Catalogue([film("1"), film("2")], {"year": "number", "genres": "list"})
    expected = "from 1990 · Comedy or War · no Horror · like 1 · not like 2 · “tense” · not “slow”"
    assert understood(intent, films, Marks()) == expected and understood(Intent(), films, Marks()) == ""
    assert understood(intent, films, ASCII).endswith(', "tense", not "slow"')


def test_a_reason_that_is_still_to_come_is_pending_until_the_reply_is_complete():
    waiting = Recommendation(1, film("Men in Black (1997)"), 1.0)
    assert listing(console(), reply(waiting, complete=False), Marks()).plain.endswith("\n    …")
    assert "…" not in listing(console(), reply(waiting), Marks()).plain


@pytest.mark.parametrize("width", [32, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    titles = "A Title That Goes On " * 6, "千と千尋の神隠し" * 9, "W" * 120, "Brazil (1985)"
    recommendations = [
        Recommendation(rank, film(title, genres=("Drama", "Film-Noir", "Mystery", "War")), 2.0, f"{title} it is. " * 3)
        for rank, title in enumerate(titles, 1)
    ]
    out = console(width)
    drawn = listing(out, reply(*recommendations), Marks())
    timings = {"profile": 0.3, "rank": 812.0, "justify": 2302.0, "list": 900.0, "answer": 3200.0}
    drawn.append("\n").append(footer(out, reply(timings_ms=timings, model="M" * 10, model_weight=0.1), Marks()))
    lines = drawn.plain.splitlines()
    assert max(cell_len(line) for line in lines) <= min(width, 92)
    assert not any(line != line.rstrip() for line in lines)
    assert all(
        title.replace(" ", "") in drawn.plain.replace(" ", "").replace("\n", "").replace("2.00", "")
        for title in titles[2:]
    )


def test_ascii_marks_are_ascii_and_unchecked_words_say_so():
    doubtful = Recommendation(3, film("Heat"), float("nan"), "It is great.")
    shown = reply(CHECKED, PLAIN, doubtful, timings_ms={"rank": 1.0}, model="tiny")
    drawn = listing(console(), shown, ASCII).plain + footer(console(), shown, ASCII).plain
    assert drawn.isascii() and "? not checked" in drawn and "nan" not in drawn


def test_titles_and_reasons_cannot_command_the_terminal():
    hostile = Recommendation(
        1, film("\x1b[2J[red]x[/red]\n9  Fake", ("\x07Drama",)), 1.0, "a\x1b]0;t\x07\nb", True, "model"
    )
    drawn = listing(console(), reply(hostile), Marks()).plain
    assert "\x1b" not in drawn and "\x07" not in drawn and "[red]x[/red] 9  Fake" in drawn and "]0;t b" in drawn


def test_why_shows_every_fact_and_score():
    one = Recommendation(1, film("Heat"), 1.0, evidence=(Evidence("property", "It is a drama."),))
    told = why(
        console(),
        reply(one, candidates=(Candidate(one.item, {"semantic": 0.25, "model": float("nan")}),)),
        one,
        Marks(),
    )
    assert told.plain.splitlines() == ["Heat", "    - It is a drama.", "    semantic 0.250"]


def test_durations():
    assert [duration(ms) for ms in (0.2, 999.4, 999.6, 18_800)] == ["0 ms", "999 ms", "1.0 s", "18.8 s"]


# -- progress


def test_a_log_gets_a_line_when_a_stage_begins_and_one_when_it_is_finished():
    log = console()
    with TerminalProgress(log, worth_showing=0) as progress:
        for done in range(1001):
            progress("encoding", done, 1000)
        progress("downloading a wheel", 0, 80_000_000)
        progress("downloading a wheel", 80_000_000, 80_000_000)
        progress("waiting", 0, None)
        progress("index", 1, 2)  # another stage: waiting is over
    lines = [line.partition(" (")[0] for line in log.file.getvalue().splitlines()]
    assert lines == [
        *("Encoding ...", "Encoding: 1,000", "Downloading a wheel ...", "Downloading a wheel: 80/80 MB"),
        *("Waiting ...", "Waiting", "Index ...", "Index: 1/2"),
    ]


def test_a_log_names_a_stage_while_it_still_goes_on():
    log = console()
    with TerminalProgress(log, worth_showing=0.01) as progress:
        progress("encoding", 0, 1000)
        until = time.monotonic() + SOON
        while not log.file.getvalue() and time.monotonic() < until:
            time.sleep(0.005)
        assert log.file.getvalue() == "Encoding ...\n"
        progress("encoding", 1000, 1000)
    assert [line.partition(" (")[0] for line in log.file.getvalue().splitlines()] == ["Encoding ...", "Encoding: 1,000"]


def test_a_log_says_now_and_then_how_far_a_long_stage_is_and_what_there_is_to_see(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("ui.progress.time.monotonic", lambda: now)
    log = console()
    with TerminalProgress(log, worth_showing=3600, every=60) as progress:
        for step in range(40, 101):  # it was stopped at 40
            progress("tune", step, 100, f"loss {step}")
            now += 7.0
    assert log.file.getvalue().splitlines() == [
        "Tune: 49/100, loss 49, 6 min left",
        "Tune: 58/100, loss 58, 5 min left",
        "Tune: 67/100, loss 67, 4 min left",
        "Tune: 76/100, loss 76, 3 min left",
        "Tune: 85/100, loss 85, 2 min left",
        "Tune: 94/100, loss 94, 42 s left",
    ]


def test_a_stage_that_failed_leaves_nothing_that_would_name_it():
    with pytest.raises(OSError), TerminalProgress(console(), worth_showing=3600) as progress:
        progress("encoding", 0, 1000)
        (waiting,) = (thread for thread in threading.enumerate() if isinstance(thread, threading.Timer))
        raise OSError("no room")
    waiting.join(SOON)
    assert not waiting.is_alive()


def test_a_moment_is_not_worth_a_line():
    log = console()
    with TerminalProgress(log, worth_showing=3600) as progress:
        for done in range(1001):
            progress("encoding", done, 1000)
    assert log.file.getvalue() == ""


def test_bars_on_a_terminal_leave_nothing_behind_unless_kept():
    for keep in (False, True):
        screen = console(force_terminal=True, color_system=None)
        with TerminalProgress(screen, keep=keep) as progress:
            progress("encoding", 1, 2)
            progress("encoding", 2, 2)
        assert screen.file.getvalue().count("Encoding") == 0  # over in a moment


def test_a_bar_tells_how_long_it_takes_and_what_there_is_to_see(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("ui.progress.time.monotonic", lambda: now)
    screen = console(force_terminal=True, color_system=None, width=80)
    with TerminalProgress(screen, keep=True) as progress:
        progress._bars.get_time = lambda: now
        for step in range(60):
            progress("tune", step, 3900, "loss 5.127, 1,340 tokens/s")
            now += 6.0
        progress._bars.refresh()
        shown = screen.file.getvalue().splitlines()[-1].rstrip()
    assert shown.endswith("59/3,900 6 h 24 min left loss 5.127, 1,340 tokens/s")
    assert len(shown.removeprefix("\x1b[2K")) <= 80


# -- finetune


def test_finetune_behaviour_trains_says_how_well_and_doctor_shows_the_weights(tmp_path, monkeypatch):
    from conftest import open_small
    from test_adapters import PASSED, put

    from agent.build import adapters_of
    from agent.workspace.encoder import HashEncoder
    from agent.workspace.workspace import Workspace

    open_small(tmp_path / "w").close()
    monkeypatch.setattr("agent.build.open_encoder", lambda settings, progress=None: HashEncoder(64))
    monkeypatch.setenv("VOUCHREC_ENCODER", HashEncoder(64).name)
    with Workspace.open(tmp_path / "w") as workspace:
        put(workspace, "good", measures=PASSED, model_weight=0.7, weight_new=0.7)
        adapters_of(workspace).use("good")
    asked = ("finetune", "behaviour", "-w", str(tmp_path / "w"), "--epochs", "2", "--width", "16", "--layers", "1")
    result = run(*asked)
    command = f"  vouchrec finetune promote good --workspace {tmp_path / 'w'}"
    lines = result.stdout.splitlines()
    assert command in lines  # whole on its line, however long, to be copied
    lines.remove(command)
    assert result.exit_code == 0, result.stderr
    assert "Trained on" in result.stdout and "with 95% interval" in result.stdout
    assert all(name in result.stdout for name in ("transitions", "behaviour", "semantic", "fused", "weight 0."))
    assert max(cell_len(line) for line in lines) <= 96
    told = run("doctor", "--workspace", str(tmp_path / "w")).stdout
    assert "weights: transitions" in told


def test_finetune_explains_what_it_cannot_do(tmp_path):
    odd = run("finetune", "behaviour", "-w", str(tmp_path), "--width", "33")
    assert odd.exit_code == 2 and "Give 34" in odd.stderr
    absent = run("finetune", "behaviour", "-w", str(tmp_path / "none"))
    assert absent.exit_code == 2 and "vouchrec init" in absent.stderr


def test_a_word_of_thanks_leaves_the_list_for_reactions(small):
    result = run("chat", "--user", "p0", "-n", "3", agent=small, text="a crime film\nthank you!\n/dislike 2\n/undo\n")
    assert result.exit_code == 0 and "Noted:" in result.stderr and "Taken back:" in result.stderr
    assert not small.workspace.store.feedback("p0")


def test_the_chat_shows_scores_and_times_only_where_asked(small):
    said = "a crime film\nthank you!\na comedy\n/trace\na drama\n"
    plain, traced = run("chat", agent=small, text=said).stdout.split("> a drama")
    assert "score =" not in plain and "the list after" not in plain
    assert plain.count("plain fact, computed") == 1  # said once, with the first list
    assert "Understood" not in plain.split("> thank you!")[1].split("> a comedy")[0]
    assert "score = " in traced and "the list after" in traced
    assert "the list after" in run("chat", "--verbose", agent=small, text="a crime film\n").stdout


def test_the_state_is_told_in_words_only(small):
    result = run("chat", agent=small, text="no horror please, from the 90s\n/state\n")
    assert "Understood: 1990 to 1999 · no Horror" in result.stdout
    assert "1990 to 1999 · no Horror" in result.stderr and "!=" not in result.output


def test_a_place_before_a_higher_score_is_explained():
    first, second = (Recommendation(rank, film(f"{rank}"), score) for rank, score in ((1, 0.2), (2, 0.9)))
    assert "for variety" in footer(console(), reply(first, second, model="m"), Marks()).plain
    assert "for variety" not in footer(console(), reply(second, first, model="m"), Marks()).plain


def test_a_path_stays_whole(small):
    out = console(40)
    path = "/very" * 20
    Terminal(out=out).say(f"The workspace is in {path}. Next:")
    verdict(Terminal(out=out), True, "cache", f"9 GB free for {path}")
    assert out.file.getvalue().count(path) == 2


def test_mistakes_are_told_before_any_model_is_loaded(small, monkeypatch, capsys):
    home = small.workspace.path
    small.close()
    monkeypatch.setattr("agent.agent.Agent.open", lambda *a, **k: pytest.fail("a model was loaded"))
    for wrong, told in (
        (("--where", "genre=Comedy"), "genre"),
        (("--history", "Nonesuch"), "Nonesuch"),
        (("-n", "9999"), "9999"),
    ):
        result = CliRunner().invoke(app, ["recommend", "-w", str(home), *wrong], obj=Terminal())
        assert result.exit_code == 2 and told in result.stderr
