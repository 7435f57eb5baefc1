"""Tuning that goes on from an adapter, for real on a tiny model: what is new is learned, what was known stays known."""

import shutil
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_sft import ENCODER, QUICK, Killed, N, asked, made, served, settings, tiny, tuned_in  # noqa: F401
from typer.testing import CliRunner

import finetune.preference
from agent.build import adapters_of
from agent.errors import AdapterError, InputError
from agent.generation.adapters import WEIGHTS, save_manifest
from agent.generation.loading import load_model
from agent.schema import Feedback, Interaction, Item
from agent.workspace.workspace import Workspace
from finetune import language
from finetune.continuing import OWN, News, go_on
from finetune.evaluate.audit import LeakError
from finetune.evaluate.data import from_interactions, from_store
from finetune.evaluate.splits import NOBODY, Known, hold_out_last
from finetune.language import tune_further
from finetune.learned import RECORD, SEEN, Learned, Rows, asked_of_both, fairly_asked, learned_by
from finetune.pairs import PER_PERSON, preferences
from finetune.passages import passages
from finetune.preference import tune_preference
from finetune.recipe import PreferenceConfig
from ui.cli import app

# ruff: noqa: F811 - `tiny` is a fixture of tests/test_sft.py

LEAP = 5  # how far on those go who came later
FURTHER = QUICK.model_copy(update={"epochs": 8, "patience": 8, "rank": 2, "window": 3, "rate": 0.01})
PREFERRED = PreferenceConfig(epochs=6, rate=5e-3, item_rate=0.02, batch=8, average=0.5, patience=6, likelihood=0.0)


@pytest.fixture(scope="module")
def ring(tmp_path_factory, tiny):
    """A workspace where everybody goes on to the next film, and its adapter."""
    path = tmp_path_factory.mktemp("ring") / "w"
    return path, tuned_in(path, tiny)


@pytest.fixture
def path(ring, tmp_path):
    shutil.copytree(ring[0], tmp_path / "w")
    return tmp_path / "w"


def leapers(workspace, people=48):
    """People come who leap on, and one film that nobody knew, which stands behind film 11 for them."""
    workspace.store.put_items([Item("new", "A New Film (1999)", "", {"year": 1999, "genres": ("Drama",)})])
    walks = [[(p + step * LEAP) % N for step in range(5)] for p in range(people)]
    ids = [[("new" if film == N - 1 else f"f{film}") for film in walk] for walk in walks]
    workspace.store.put_interactions(
        [Interaction(f"late{p}", i, "rating", 5.0, float(t)) for p, walk in enumerate(ids) for t, i in enumerate(walk)]
    )


def said(generator, path, gait):
    """The mean log-probability of the next film of walks of this gait, with what was seen left out."""
    found = []
    for start in range(N - 1):
        walk = [(start + step * gait) % N for step in range(3)]
        after = (start + 3 * gait) % N
        if gait == LEAP and N - 1 in (*walk, after):  # those who leap know another film in its place
            continue
        logits = asked(generator, path, walk)
        logits[walk] = -np.inf
        found.append(logits[after] - np.logaddexp.reduce(logits))
    return float(np.mean(found))


def test_what_is_new_is_learned_and_what_was_known_stays(ring, path, tiny):
    _, start = ring
    with Workspace.open(path) as workspace:
        leapers(workspace)
        adapter, forgetful = (
            tune_further(workspace, ENCODER, settings(tiny), config, "ring", name)
            for name, config in (("next", FURTHER), ("new-only", FURTHER.model_copy(update={"replay": 0.0})))
        )
    told, chance = adapter.manifest.training, -np.log(N - 2)
    assert told["from"] == "ring" and told["new"] == 48 * 4  # the last of each is held out
    assert told["scores"][told["best"] - 1] > told["start"] + 0.3
    before, after, without = (served(tiny, a) for a in (start, adapter, forgetful))
    assert said(before, path, LEAP) < chance and said(before, path, 1) > chance + 1
    assert said(after, path, LEAP) > chance + 1
    assert said(after, path, 1) > max(chance, said(without, path, 1)) + 0.3

    # sizes and window are the start's, whatever was asked for; the new film has a row of its own
    assert told["config"]["rank"] == QUICK.rank and adapter.manifest.window == QUICK.window
    assert adapter.manifest.shape == replace(start.manifest.shape, items=N + 1)
    own = next(t for n, t in load_file(adapter.folder / WEIGHTS).items() if n.endswith(OWN))
    assert adapter.manifest.items[-1].startswith("new#") and own.shape[0] == N + 1 and own[-1].norm() > 0.01


def test_rows_follow_their_items(ring, tiny):
    _, start = ring
    base, _ = load_model(tiny, "float32")
    f0, f3 = (start.manifest.items[row] for row in (0, 3))
    model = go_on(base, start, ["f0#another", f3, f0])
    own = next(t for n, t in load_file(start.folder / WEIGHTS).items() if n.endswith(OWN))
    now = model.get_base_model().items.own.weight
    assert now.shape[0] == 3 and not now[0].any()
    torch.testing.assert_close(now[1:], own[[3, 0]])
    assert now.requires_grad


def test_nothing_new_is_told(path, tiny):
    with Workspace.open(path) as workspace, pytest.raises(InputError, match="Nothing has come"):
        tune_further(workspace, ENCODER, settings(tiny), FURTHER, "ring", "next")


def test_only_an_adapter_of_ours_that_fits_is_tuned_further(ring, path, tiny):
    _, start = ring
    with Workspace.open(path) as workspace:
        kept = adapters_of(workspace)

        def refused(match, error=AdapterError, name="ring", **changed):
            save_manifest(kept.path("ring"), replace(start.manifest, **changed))
            with pytest.raises(error, match=match):
                tune_further(workspace, ENCODER, settings(tiny), FURTHER, name, "next")

        refused("no adapter called", name="nobody")
        refused("another one is in use", base="0" * 16)
        refused("encoder", encoder="another")
        refused("no item vectors", shape=None)
        refused("which seed", training={})
        record = {**start.manifest.training[RECORD], "store": "another"}
        refused("elsewhere", InputError, training={**start.manifest.training, RECORD: record})
        (kept.path("ring") / "adapter_config.json").write_text("{")
        refused("does not load")


# -- what was learned from


def test_what_a_start_has_learned_from_is_asked_of_nobody(path, ring):
    _, start = ring
    with Workspace.open(path) as workspace:
        dataset = from_store(workspace.store, "w")
        rows = Rows(workspace.store, dataset)
        _, everyone = hold_out_last(dataset, 0, 48)
        _, some = hold_out_last(dataset, 0, 10)
        assert len(everyone) == 48 and set(some.known.users) < set(everyone.known.users)
        before = rows.record(some)
        assert before.held_out and rows.unknown(everyone, before).known.users.tolist() == some.known.users.tolist()
        assert learned_by(start, rows, dataset) == rows.record(everyone)

        training = {**start.manifest.training, RECORD: before.as_dict()}
        marked = replace(start, manifest=replace(start.manifest, training=training))
        assert len(fairly_asked(marked, workspace.store, dataset, everyone)) == 10
        training |= {RECORD: rows.record(everyone).as_dict(), SEEN: before.as_dict()}  # the others were in its pairs
        assert len(fairly_asked(marked, workspace.store, dataset, everyone)) == 10
        del training[SEEN]
        training[RECORD] = Learned(rows.store, rows.last).as_dict()
        with pytest.raises(InputError, match="Nobody is held out"):
            fairly_asked(marked, workspace.store, dataset, everyone)

        # one more choice of somebody: what was held out before is no longer, and is new
        workspace.store.put_interactions([Interaction("p0", "f9", "rating", 5.0, 9.0)])
        now = from_store(workspace.store, "w")
        training, cases = hold_out_last(now, 0, 48)
        fresh = Rows(workspace.store, now).fresh(training, rows.record(everyone))
        assert [int(new.sum()) for new in fresh] == [1] + [0] * 47 and fresh[0].tolist() == [False] * 4 + [True]
        assert now.catalogue[cases.targets[0][0]].item_id == "f9"


def test_few_change_places_when_people_come():
    with_ten = [[Interaction(f"p{p}", f"f{t}", timestamp=float(t)) for t in range(3)] for p in range(110)]
    items = [Item(f"f{t}", f"Film {t}") for t in range(3)]
    first, second = (
        hold_out_last(from_interactions("d", items, {}, [i for one in with_ten[:n] for i in one]), 0, 50)[1]
        for n in (100, 110)
    )
    assert len(second) == 50 and len(set(first.known.users) & set(second.known.users)) >= 40


def test_who_is_held_out_stays_when_others_go(path):
    """Ties in time are drawn; whoever goes takes nobody else's draw along."""

    def held_out(people):
        dataset = from_store(workspace.store, "w")
        _, cases = hold_out_last(dataset, 0, people)
        chosen = zip(cases.known.users, cases.targets, strict=True)
        return {dataset.user_ids[user]: dataset.catalogue[items[0]].item_id for user, items in chosen}

    with Workspace.open(path) as workspace:
        ties = [Interaction(f"p{p}", f"f{n}", "rating", 5.0, 99.0) for p in range(48) for n in range(N)]
        workspace.store.put_interactions(ties)
        everyone, some = held_out(48), held_out(10)
        workspace.store.forget("p0")
        assert held_out(48) == {person: item for person, item in everyone.items() if person != "p0"}
        assert len(held_out(10).items() & some.items()) >= 9


def test_a_run_after_which_the_weights_are_what_they_were_has_learned_nothing(ring, path, tiny, monkeypatch):
    _, start = ring
    worse = count()
    monkeypatch.setattr(language, "likelihood", lambda *_: -float(next(worse)))  # each pass is worse than the start
    with Workspace.open(path) as workspace:
        leapers(workspace)
        same = tune_further(workspace, ENCODER, settings(tiny), FURTHER, "ring", "same")
        assert same.manifest.training["best"] == 0
        assert same.manifest.training[RECORD] == start.manifest.training[RECORD]
        monkeypatch.undo()
        found = tune_further(workspace, ENCODER, settings(tiny), FURTHER, "same", "next")
    assert found.manifest.training["new"] == 48 * 4  # all of it is as new as it was


def test_nobody_judges_two_adapters_who_is_known_to_one_of_them(ring, path):
    _, start = ring
    with Workspace.open(path) as workspace:
        dataset = from_store(workspace.store, "w")
        rows, (_, everyone) = Rows(workspace.store, dataset), hold_out_last(dataset, 0, 48)

        def rival(name, learned):
            training = {**start.manifest.training, RECORD: learned}
            return replace(start, manifest=replace(start.manifest, name=name, training=training))

        def asked(other):
            return asked_of_both(start, other, workspace.store, dataset, everyone)

        some = rows.record(everyone.only(np.arange(7))).as_dict()
        assert len(asked(rival("some", some))) == 7 and len(asked(rival("elsewhere", {**some, "store": "x"}))) == 48
        with pytest.raises(InputError, match="'all', which serves, has learned from everybody"):
            asked(rival("all", {**some, "held_out": []}))


def test_news_begin_a_window_before_the_first_of_them():
    histories = (np.arange(10), np.arange(5), np.arange(2))
    blank = tuple(np.full(len(history), np.nan) for history in histories)
    fresh = [np.arange(10) >= 8, np.zeros(5, dtype=bool), np.array([True, True])]
    found = News.found(Known(np.arange(3), histories, blank, blank), fresh, window=4)
    assert [h.tolist() for h in found.recent.histories] == [[5, 6, 7, 8, 9], [0, 1]]
    assert [h.tolist() for h in found.old.histories] == [list(range(8)), list(range(5))]
    assert found.count == 4


# -- preferences


def say(workspace, pairs, start=0):
    """Feedback for so many pairs: of each person one film liked and one disliked; none of them is in their history."""
    for number in range(start, start + pairs):
        person, off = number % 48, 6 + number // 48
        for event, film in (("like", person + off), ("dislike", person + off + 3)):
            workspace.store.put_feedback(Feedback(f"p{person}", f"f{film % N}", event, None, None, 10.0 + number))


def test_what_was_liked_rises_above_what_was_not(ring, path, tiny):
    _, start = ring
    with Workspace.open(path) as workspace:
        say(workspace, 49)
        with pytest.raises(InputError, match="There are 49 pairs"):
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, "preferred", "ring")
        with pytest.raises(InputError, match="No adapter is in service"):
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, "preferred")
        say(workspace, 1, start=49)
        workspace.store.put_interactions([Interaction("p0", "f5", "rating", 5.0, 9.0)])  # pairs may speak of f4 now

        def kill(stage, done, total, said=""):
            if stage == "tune" and done == 8:  # after the first checkpoint
                raise Killed

        with pytest.raises(Killed):
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, "killed", "ring", progress=kill)
        again, whole = (
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, name, "ring") for name in ("killed", "whole")
        )
    told = whole.manifest.training
    assert (told["pairs"], told["said"], told["apart"], told["from"]) == (50, 50, 10, "ring")
    assert told["ordered_after"]["mean"] >= told["ordered_before"]["mean"]
    assert told["losses"][0] < np.log(2) + 0.05 and told["losses"][-1] < 0.5 * told["losses"][0]
    assert told["scores"][told["best"] - 1] > told["start"] + 0.1
    assert told[RECORD] == start.manifest.training[RECORD]  # a later `sft --from` learns what is new to it, too
    held_out, through = (told[RECORD][name] for name in ("held_out", "through"))
    of_p0 = 5  # the number of the row in which p0 met f4
    assert set(told[SEEN]["held_out"]) == {*held_out, through + 1} - {of_p0} and told[SEEN]["through"] == through + 1

    before, after = served(tiny, start), served(tiny, whole)
    gained = []
    for person in range(N):
        walk = [(person + step) % N for step in range(4)]
        margins = [
            float(np.subtract(*asked(g, path, walk)[[(person + 6) % N, (person + 9) % N]])) for g in (before, after)
        ]
        gained.append(margins[1] - margins[0])
    assert np.mean(np.array(gained) > 0) >= 0.9

    first, second = (load_file(a.folder / WEIGHTS) for a in (whole, again))
    for name in first:  # what was killed went on to the same
        torch.testing.assert_close(second[name], first[name], rtol=1e-3, atol=1e-4)


def test_pairs_that_hold_what_is_held_out_are_refused(path, tiny, monkeypatch):
    with Workspace.open(path) as workspace:
        workspace.store.put_feedback(Feedback("p7", "f11", "like", None, None, 10.0))  # p7 went on to it at the end
        say(workspace, 60)
        clean = preferences(workspace.store, *in_ground(workspace))
        assert (7, N - 1) not in {*zip(*(column.tolist() for column in clean.touched()), strict=True)}
        monkeypatch.setattr(finetune.preference, "preferences", lambda *asked: preferences(*asked[:3], NOBODY))
        with pytest.raises(LeakError, match="in the training data: person 7 with item 11"):
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, "preferred", "ring")


def in_ground(workspace):
    dataset = from_store(workspace.store, "w")
    return dataset, *hold_out_last(dataset, 0, 48)


def test_a_context_that_holds_too_little_of_the_histories_is_told(path, tiny, monkeypatch):
    with Workspace.open(path) as workspace:
        say(workspace, 60)
        monkeypatch.setattr(finetune.preference, "context_of", lambda _: 36)
        with pytest.raises(InputError, match=r"reads 36 .*\(preference\).*would be lost"):
            tune_preference(workspace, ENCODER, settings(tiny), PREFERRED, "preferred", "ring")


def rated(tmp_path, ratings, feedback=()):
    """The preferences of one person with these (film, stars) in time, everything but the last one learned from."""
    with made(tmp_path / "w", people=1) as workspace:
        workspace.store.forget("p0")
        workspace.store.put_interactions(
            [Interaction("p", f"f{film}", "rating", float(stars), float(t)) for t, (film, stars) in enumerate(ratings)]
        )
        for film, event, moment in feedback:
            workspace.store.put_feedback(Feedback("p", f"f{film}", event, None, None, moment))
        dataset = from_store(workspace.store, "w")
        training, cases = hold_out_last(dataset, 0, 1)
        return preferences(workspace.store, dataset, training, cases)


def told_of(found):
    return [(p.before, p.chosen, p.rejected, p.said) for p in found.pairs]


def test_ratings_far_apart_are_pairs_and_what_is_held_out_is_in_none(tmp_path):
    found = rated(tmp_path, [(0, 3), (1, 5), (2, 2), (3, 4), (4, 3), (5, 1)])  # film 5 is held out
    # the latest that something far better stands beside: 4 has nobody 2 stars above but 1; 2 has 3 beside it
    assert told_of(found) == [(1, 1, 4, False), (2, 3, 2, False)]
    assert found.histories[0].tolist() == [0, 1, 2, 3, 4]


def test_what_was_said_comes_first_and_what_was_disliked_is_not_read(tmp_path):
    said = [
        (8, "like", 1.5),
        (9, "dislike", 2.5),
        (9, "remark", 2.6),
        (1, "dislike", 9.0),
        (7, "not_now", 9.0),
        (5, "like", 9.0),
    ]
    found = rated(tmp_path, [(0, 5), (1, 5), (2, 1), (3, 1), (5, 1)], said)
    # in time: 0, 1 (now disliked), liked 8, 2, disliked 9, 3; and 5, which is held out whatever was said of it
    assert found.histories[0].tolist() == [0, 8, 2, 3]
    assert told_of(found) == [(1, 8, 9, True), (0, 0, 1, True)]


def test_nobody_speaks_for_all(tmp_path):
    with made(tmp_path / "w", people=1) as workspace:
        workspace.store.put_items([Item(f"g{n}", f"Other {n}") for n in range(60)])
        workspace.store.put_interactions(
            [Interaction("p", f"g{n}", "rating", 1.0 + 4 * (n % 2), float(n)) for n in range(60)]
        )
        dataset = from_store(workspace.store, "w")
        found = preferences(workspace.store, dataset, *hold_out_last(dataset, 0, 2))
    assert len(found.pairs) == PER_PERSON
    parts = passages(found.histories, found.pairs, window=8)
    assert sum(len(part.chosen) for part in parts) == PER_PERSON and max(len(part.history) for part in parts) == 8
    for part in parts:  # of each pair, what came just before it stands before it
        last = part.history[part.before - 1]
        assert last.tolist() == (np.minimum(part.chosen, part.rejected) - 1).tolist()


def test_the_command_takes_sizes_and_seed_from_the_adapter():
    result = CliRunner().invoke(app, ["finetune", "sft", "--from", "mine", "--rank", "4"])
    assert result.exit_code == 2 and "mine is tuned further, and decides rank." in result.output
