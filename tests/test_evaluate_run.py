import json
from dataclasses import replace

import numpy as np
import pytest
from evaluate_data import walkers

from agent.errors import InputError, VouchrecError
from finetune.evaluate.audit import LeakError
from finetune.evaluate.choose import Contender, without_models
from finetune.evaluate.page import markdown, table, write
from finetune.evaluate.report import Report
from finetune.evaluate.run import Plan, ranked, run
from finetune.evaluate.splits import Cases, Known, Split

DATA = walkers(120, n_items=30, length=8)
CHEAP = tuple(c for c in without_models(2) if c.name in ("popularity", "ease", "transitions"))


def plan(folder, contenders=CHEAP, **changes):
    return replace(Plan(DATA, "leave-one-out", (0, 1), contenders, folder), **changes)


class Constant:
    """Cannot tell items apart, and counts how often it is asked."""

    name = "constant"
    fitted = 0

    def fit(self, split, dataset, seed, progress=None):
        Constant.fitted += 1
        assert len(split.test) == 0
        self.n_items = split.n_items

    def scores(self, known):
        return np.zeros((len(known), self.n_items))


def test_ranks_leave_out_what_was_seen_and_break_ties_by_the_seed():
    history, target = np.array([0, 1]), np.array([2])
    cases = Cases(Known(np.zeros(1, dtype=np.int64), (history,), (np.zeros(2),), (np.arange(2.0),)), (target,))

    def split(seed):
        return Split("leave-one-out", seed, 5, cases.known, cases, cases)

    ranks, best = ranked(np.array([[9.0, 8.0, 1.0, 3.0, 0.5]]), cases, split(0))
    assert ranks.targets == ((2,),) and ranks.candidates.tolist() == [3] and best[0].tolist() == [3, 2, 4]
    tied = [ranked(np.zeros((1, 5)), cases, split(seed))[0].targets[0][0] for seed in range(60)]
    assert set(tied) == {1, 2, 3} and tied == [
        ranked(np.zeros((1, 5)), cases, split(seed))[0].targets[0][0] for seed in range(60)
    ]
    with pytest.raises(VouchrecError, match="1 NaN"):
        ranked(np.array([[np.nan, 0, 0, 0, 0]]), cases, split(0))
    with pytest.raises(VouchrecError, match=r"shape \(1, 4\)"):
        ranked(np.zeros((1, 4)), cases, split(0))


def test_a_system_that_knows_nothing_is_at_chance(tmp_path):
    found = Report(run(plan(tmp_path, (Contender("constant", "baselines", Constant),), seeds=tuple(range(20)))))
    # One of 23 unseen items is the target: hr@10 is 10/23, auc a half.
    assert found.systems["constant"]["hr@10"].mean == pytest.approx(10 / 23, abs=0.04)
    assert found.systems["constant"]["auc"].mean == pytest.approx(0.5, abs=0.04)


def test_the_walk_is_learned_and_reported(tmp_path):
    report = Report(run(plan(tmp_path)))
    assert report.systems["transitions"]["ndcg@10"].mean == pytest.approx(1)
    assert report.systems["popularity"]["ndcg@10"].mean < 0.4
    assert report.difference("transitions", "popularity").is_clear
    told = report.as_dict()
    assert set(told) == {"protocol", "data", "seeds", "refit", "systems"}
    assert told["seeds"] == [0, 1] and told["refit"] is True
    assert set(told["systems"]["ease"]["ndcg@10"]) == {"mean", "low", "high"}
    for metrics in told["systems"].values():
        for name, numbers in metrics.items():
            assert numbers["low"] - 1e-9 <= numbers["mean"] <= numbers["high"] + 1e-9, name
    details = report.details()
    assert set(details["groups"]["gender"]["ease"]["groups"]) == {"F", "M"}
    assert details["rates"]["ease"] == {"off_catalogue": 0, "repeat": 0, "seen": 0}
    assert len(details["tuning"]["ease"]["trials"]) == 2 and details["tuning"]["popularity"]["trials"] == []
    with pytest.raises(InputError, match="no system 'magic'"):
        report.difference("magic", "ease")


def test_the_files_and_the_table(tmp_path):
    report = Report(run(plan(tmp_path)))
    written = write(report, tmp_path / "report", tmp_path / "numbers.json")
    assert [p.name for p in written] == ["numbers.json", "details.json", "report.md", "report.png"]
    assert json.loads(written[0].read_text())["systems"].keys() == {"popularity", "ease", "transitions"}
    assert written[3].read_bytes().startswith(b"\x89PNG")
    page = markdown(report)
    assert "| transitions | popularity | +" in page and "ndcg@10 by gender" in page
    assert table(report).row_count == 3


def test_curves_are_what_they_say(tmp_path):
    report = Report(run(plan(tmp_path)))
    depths, found = report.by_depth("transitions")
    assert depths[0] == 1 and found.tolist() == [1.0] * len(depths)
    depths, found = report.by_depth("popularity")
    assert (np.diff(found) >= 0).all() and found[-1] == 1.0
    assert [label for label, _, _ in report.by_history("transitions")] == ["7"]
    # Everyone's walk is seven items long before the test, from 120 starts over 30 items: all are known to 28.
    assert report.by_popularity("transitions") == [("28", 1.0, 0.0)]
    alone = Report(run(plan(tmp_path, refit=False)))
    assert alone.by_popularity("transitions") == [("24", 1.0, 0.0)]  # without the validation choice


def test_the_same_seeds_give_the_same_numbers(tmp_path):
    first, second = (Report(run(plan(tmp_path / name))).as_dict() for name in ("a", "b"))
    assert first == second


def test_one_seed_alone_reproduces_its_row(tmp_path):
    both, alone = run(plan(tmp_path / "a")), run(plan(tmp_path / "b", seeds=(1,)))
    for name, (_, second) in both.outcomes.items():
        (again,) = alone.outcomes[name]
        assert (again.ranks, again.lists, again.setting) == (second.ranks, second.lists, second.setting)


def test_a_killed_run_goes_on(tmp_path):
    contenders = (Contender("constant", "baselines", Constant),)
    Constant.fitted = 0
    run(plan(tmp_path, contenders))
    assert Constant.fitted == 2
    next(tmp_path.glob("constant-seed1-*.json")).unlink()
    (tmp_path / "constant-seed1-0.json.123.draft").write_text("{half")
    run(plan(tmp_path, contenders))
    assert Constant.fitted == 3
    run(plan(tmp_path, contenders, dataset=walkers(100, n_items=30, length=8)))
    assert Constant.fitted == 5


def test_a_damaged_file_is_told(tmp_path):
    run(plan(tmp_path, CHEAP[:1]))
    file = next(tmp_path.glob("*.json"))
    file.write_text("{half")
    with pytest.raises(InputError, match="is damaged.*Delete it"):
        run(plan(tmp_path, CHEAP[:1]))


def test_a_leak_fails_the_run(tmp_path):
    from scipy.sparse import csr_array

    class Leaking(Constant):
        name = "leaking"
        transitions = csr_array(np.eye(30)[::-1])

    with pytest.raises(LeakError, match="transitions"):
        run(plan(tmp_path, (Contender("leaking", "baselines", Leaking),)))
    assert not list(tmp_path.glob("leaking-*"))


class Watching(Constant):
    """Remembers what it was given to learn from."""

    name = "watching"
    given: list = []

    def fit(self, split, dataset, seed, progress=None):
        super().fit(split, dataset, seed)
        Watching.given.append((seed, split.refit is not None, [len(h) for h in split.learned.histories]))


def test_validation_choices_are_learned_before_the_test_but_not_while_tuning(tmp_path):
    contenders = (Contender("watching", "baselines", lambda **setting: Watching(), ({"a": 1}, {"a": 2})),)
    Watching.given.clear()
    with_them = Report(run(plan(tmp_path, contenders)))
    tuned, tested = (False, [6] * 120), (True, [7] * 120)
    assert Watching.given == [(0, *tuned), (0, *tuned), (0, *tested), (1, *tested)]
    Watching.given.clear()
    without = Report(run(plan(tmp_path, contenders, refit=False)))
    assert Watching.given == [(0, *tuned), (1, *tuned)]  # tuning is the same, and was not done again
    assert with_them.as_dict()["refit"] is True and without.as_dict()["refit"] is False
    assert "learned from training and validation;" in markdown(with_them)
    assert "learned from training alone (no refit);" in markdown(without)


def test_nothing_to_run_is_an_error(tmp_path):
    with pytest.raises(InputError, match="nothing to run"):
        run(plan(tmp_path, ()))


def test_only_so_many_people(tmp_path):
    found = run(plan(tmp_path, CHEAP[:1], people=15))
    assert {len(o.users) for o in found.outcomes["popularity"]} == {15}
