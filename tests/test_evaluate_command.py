import json

import pytest
import typer
from evaluate_data import walkers
from typer.testing import CliRunner

from ui.evaluate import evaluate
from ui.terminal import Terminal, guarded


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(guarded(evaluate))

    def call(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], obj=Terminal(), catch_exceptions=False)

    return call


@pytest.fixture
def folder(tmp_path):
    data = walkers(40, n_items=12)
    folder = tmp_path / "data"
    folder.mkdir()
    items = "".join(f"{item.item_id},{item.title}\n" for item in data.catalogue)
    (folder / "items.csv").write_text("item_id,title\n" + items)
    rows = zip(data.users, data.items, data.timestamps, strict=True)
    events = "".join(f"{data.user_ids[u]},{data.catalogue[i].item_id},5,{t:.0f}\n" for u, i, t in rows)
    (folder / "interactions.csv").write_text("user_id,item_id,rating,timestamp\n" + events)
    return folder


def test_a_folder_from_nothing_to_a_table(command, folder, tmp_path):
    out = tmp_path / "out"
    names = ("--systems", "popularity,transitions", "--seeds", 2, "--out", out, "--json", tmp_path / "numbers.json")
    done = command("--data", folder, *names)
    assert done.exit_code == 0 and "transitions" in done.stdout and "Written" in done.stderr
    assert "item_id: item_id" in done.stderr and "rows left out" not in done.stderr
    told = json.loads((tmp_path / "numbers.json").read_text())
    assert told["protocol"] == "leave-one-out" and told["data"] == "data" and told["seeds"] == [0, 1]
    assert told["systems"]["transitions"]["hr@10"]["mean"] == 1.0
    assert (out / "data-leave-one-out" / "report.png").is_file() and told["refit"] is True
    done = command("--data", folder, *names, "--no-refit")
    assert json.loads((tmp_path / "numbers.json").read_text())["refit"] is False
    assert "training alone (no refit)" in " ".join(done.stdout.split())
    assert (out / "data-leave-one-out-no-refit" / "report.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", "nowhere"), "There is no folder nowhere"),
        (("--data", "{folder}", "--dataset", "movielens-100k"), "Give one of"),
        (("--data", "{folder}", "--systems", "magic"), "There is no system 'magic'"),
        (("--data", "{folder}", "--systems", "popularity", "--core", 90), "has no 90-core"),
        (("--texts", "{folder}/items.csv"), "--texts goes with --data"),
    ],
)
def test_bad_input_is_told(command, folder, tmp_path, arguments, said):
    given = [str(a).replace("{folder}", str(folder)) for a in arguments]
    done = command(*given, "--out", tmp_path / "out")
    assert done.exit_code == 2 and said in " ".join(done.stderr.split())
