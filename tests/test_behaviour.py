from dataclasses import replace

import numpy as np
import pytest
from conftest import events, films, open_small
from evaluate_data import dataset, walkers
from test_retrieval import query

from agent.agent import Agent
from agent.errors import InputError, WorkspaceError
from agent.generation.fake import FakeGenerator
from agent.generation.measured import Measured
from agent.ranking.scoring import BESIDE_A_REQUEST, final_scores
from agent.retrieval.behaviour import Behaviour, as_items, as_query
from agent.retrieval.sequence import Encoder, Shape, network, windows
from agent.retrieval.trained import MANIFEST, Manifest, check_behaviour, load_encoder, read_manifest, save
from agent.saved import reply_of
from agent.schema import Interaction, Item
from agent.settings import Settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.index import VectorIndex
from agent.workspace.vectors import item_text
from agent.workspace.workspace import Workspace
from finetune.behaviour import train
from finetune.evaluate.splits import hold_out_last
from finetune.fusion import learn_voices, learn_weights
from finetune.retrieval import refit_sequence, train_sequence, tune
from finetune.training import Histories, Recipe, ties_shuffled

ENCODER = HashEncoder(32)
WALK = walkers(120, n_items=12, length=6)
TEXTS = ENCODER.encode([item_text(item) for item in WALK.catalogue])
SMALL = Shape(width=16, layers=1, heads=2, window=6, dropout=0.0)
QUICK = Recipe(rate=0.01, epochs=12, batch=32)
TRAINING, ASKED = hold_out_last(WALK, 0, 120)


def trained(texts=TEXTS, recipe=QUICK, folder=None, data=WALK, members=1, **sizes):
    training, asked = (TRAINING, ASKED) if data is WALK else hold_out_last(data, 0, len(data.user_ids))
    return train_sequence(data, training, asked, texts, replace(SMALL, **sizes), recipe, folder, members=members)


def share_right(found, data=WALK):
    encoder = found.encoder
    walks = [(place + np.arange(-3, 1)) % data.n_items for place in range(data.n_items)]
    ends = encoder.queries(walks) @ encoder.items.T
    for row, walk in zip(ends, walks, strict=True):
        row[walk] = -np.inf
    return np.mean(np.argmax(ends, axis=1) == (np.arange(data.n_items) + 1) % data.n_items)


# -- the model


def test_it_learns_what_comes_next_and_the_same_seed_gives_the_same_model():
    first, again = trained(), trained()
    assert share_right(first) > 0.9 and first.validation[0] > -0.5
    assert (first.encoder.items == again.encoder.items).all()
    assert not (trained(recipe=replace(QUICK, seed=1)).encoder.items == first.encoder.items).all()


def test_networks_side_by_side_give_a_mean_of_their_logits():
    both, histories = trained(members=2).encoder, [np.array([3, 4]), np.array([7])]
    alone = [trained().encoder, trained(None, replace(QUICK, seed=1000)).encoder]  # only the first reads texts
    apart = np.average([e.queries(histories) @ e.items.T for e in alone], axis=0, weights=trained(members=2).voices)
    assert both.width == 2 * SMALL.width and both.items.shape == (12, both.width)
    assert both.queries(histories) @ both.items.T == pytest.approx(apart, abs=1e-4)


def test_a_network_that_knows_more_counts_more():
    class Says:
        """The same logits to everyone, above all for `best`."""

        items = np.eye(6, dtype=np.float32)

        def __init__(self, *best):
            self.logits = np.isin(np.arange(6), best) * np.float32(2)

        def queries(self, histories):
            return np.tile(self.logits, (len(histories), 1))

    asked, went_on = [np.array([5])] * 20, [np.array([1])] * 14 + [np.array([2])] * 4 + [np.array([5])] * 2
    knows, sometimes, never = learn_voices([Says(1), Says(2), Says(3)], asked, went_on)
    assert knows + sometimes + never == pytest.approx(1) and knows > sometimes > never == 0
    assert learn_voices([Says(1), Says(1)], asked, [np.array([5])] * 20) == (0.5, 0.5)  # what was seen is not named
    assert learn_voices([Says(1)], asked, went_on) == (1.0,)


def test_voices_weigh_the_logits_and_are_kept(tmp_path):
    found = replace(trained(members=2), voices=(0.9, 0.1))
    asked = [np.array([3, 4]), np.array([7])]
    alone = [Encoder([network], found.shape) for network in found.networks]
    first, second = (e.queries(asked) @ e.items.T for e in alone)
    assert found.encoder.queries(asked) @ found.encoder.items.T == pytest.approx(0.9 * first + 0.1 * second, abs=1e-4)
    ids = tuple(item.item_id for item in WALK.catalogue)
    save(tmp_path, Manifest(found.shape, ENCODER.name, ids, {}, members=2, voices=found.voices), found.networks)
    read = load_encoder(tmp_path, read_manifest(tmp_path), ids, TEXTS, ENCODER.name)
    assert read.queries(asked) @ read.items.T == pytest.approx(0.9 * first + 0.1 * second, abs=1e-4)


def test_a_history_is_read_alike_in_any_company():
    encoder = trained().encoder
    alone = encoder.queries([np.array([3, 4])])[0]
    beside = encoder.queries([np.arange(6), np.array([3, 4]), np.array([], dtype=np.int64)])
    assert beside[1] == pytest.approx(alone, abs=1e-5)
    assert np.isfinite(beside[2]).all()


def test_only_the_window_counts():
    encoder = trained(window=3).encoder
    assert encoder.queries([np.array([9, 1, 2, 3, 4])])[0] == pytest.approx(
        encoder.queries([np.array([7, 1, 2, 3, 4])])[0], abs=1e-5
    )


def test_a_window_begins_with_the_mark_and_ends_with_the_most_recent():
    assert windows([np.array([5]), np.array([1, 2, 3])], Shape(items=9, window=3)).tolist() == [
        [9, 9, 10, 5],
        [10, 1, 2, 3],
    ]
    assert windows([np.array([1, 2, 3, 4, 5])], Shape(items=9, window=3)).tolist() == [[2, 3, 4, 5]]


def test_an_item_that_nobody_touched_lives_by_its_text():
    # Items 12 and 13 are in no history; 12 has the text of item 4, so it must be found where that is.
    data = dataset([[(start + step) % 12 for step in range(6)] for start in range(120)], 14)
    texts = ENCODER.encode([item_text(item) for item in data.catalogue])
    texts[12] = texts[4]
    found = trained(texts, data=data, recipe=replace(QUICK, epochs=25)).encoder
    order = np.argsort(-(found.queries([np.array([3])]) @ found.items.T)[0]).tolist()
    assert order[0] == 4 and order.index(12) <= 3


def test_networks_without_texts_take_no_part_in_what_is_said_of_an_untouched_item():
    data = dataset([[(start + step) % 12 for step in range(6)] for start in range(120)], 14)
    texts = ENCODER.encode([item_text(item) for item in data.catalogue])
    texts[12] = texts[4]
    alone, three = (trained(texts, data=data, recipe=replace(QUICK, epochs=25), members=n) for n in (1, 3))
    assert alone.touched.tolist() == three.touched.tolist() == [True] * 12 + [False] * 2
    asked = [np.array([3]), np.array([7, 8])]
    one, all_of_them = (e.queries(asked) @ e.items.T for e in (alone.encoder, three.encoder))
    voice, voices = (logits[:, 12] - logits[:, :12].mean(axis=1) for logits in (one, all_of_them))
    assert voices == pytest.approx(voice, abs=1e-3)
    order = np.argsort(-all_of_them[0]).tolist()
    assert order.index(4) <= 1 and order.index(12) <= 3  # which of two with one text comes first hangs on rounding


def test_what_shares_a_time_is_met_in_every_order_and_nothing_else_moves():
    random = np.random.default_rng(0)
    times = np.array([0.0, 1.0, 1.0, 2.0, np.nan, np.nan])
    met = {tuple(ties_shuffled(np.arange(6), times, random).tolist()) for _ in range(50)}
    assert met == {(0, 1, 2, 3, 4, 5), (0, 2, 1, 3, 4, 5)}


# -- training


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_model(tmp_path):
    whole = trained()

    def kill(stage, done, total):
        if stage == "train behaviour" and done == 5:
            raise Killed

    with pytest.raises(Killed):
        train_sequence(WALK, TRAINING, ASKED, TEXTS, SMALL, QUICK, tmp_path, kill)
    (kept,) = tmp_path.iterdir()
    steps = []
    resumed = train_sequence(WALK, TRAINING, ASKED, TEXTS, SMALL, QUICK, tmp_path, lambda s, d, t: steps.append(d))
    assert steps[0] == 5 and list(tmp_path.iterdir()) == [kept]
    assert (resumed.encoder.items == whole.encoder.items).all()
    steps.clear()
    train_sequence(WALK, TRAINING, ASKED, TEXTS, SMALL, QUICK, tmp_path, lambda s, d, t: steps.append(d))
    assert steps == [QUICK.epochs]  # what was finished is not repeated


def everything_of(data):
    """All histories whole: nobody's last interaction is held out."""
    return hold_out_last(data, 0, 0)[0]


def test_what_was_held_out_is_learned_in_a_few_epochs_more():
    # Training ends before the step from 5 to 6, which everyone goes on to.
    data = dataset([[start % 5, 5, 6] for start in range(120)])
    texts = ENCODER.encode([item_text(item) for item in data.catalogue])
    first = trained(texts, data=data, members=2)
    weights = [tensor.clone() for net in first.networks for tensor in net.state_dict().values()]
    then, again = (refit_sequence(first, everything_of(data), texts, replace(QUICK, rate=0.04)) for _ in range(2))
    asked = [np.array([start, 5]) for start in range(5)]
    before, after = (f.encoder.queries(asked) @ f.encoder.items.T for f in (first, then))
    assert (after.argmax(axis=1) == 6).all() and not (before.argmax(axis=1) == 6).any()
    assert not first.touched[6] and then.touched.all()
    assert (then.encoder.items == again.encoder.items).all()
    assert (then.best_epochs, then.validation) == (first.best_epochs, first.validation)
    kept = [tensor for net in first.networks for tensor in net.state_dict().values()]
    assert all((a == b).all() for a, b in zip(weights, kept, strict=True))


def test_a_killed_refit_goes_on_to_the_same_model(tmp_path):
    first = trained()
    whole = refit_sequence(first, everything_of(WALK), TEXTS, QUICK)

    def kill(stage, done, total):
        if stage == "refit behaviour" and done == 2:
            raise Killed

    with pytest.raises(Killed):
        refit_sequence(first, everything_of(WALK), TEXTS, QUICK, tmp_path, kill)
    steps = []
    found = refit_sequence(first, everything_of(WALK), TEXTS, QUICK, tmp_path, lambda s, d, t: steps.append(d))
    assert steps[0] == 2 and (found.encoder.items == whole.encoder.items).all()
    # From other weights it is another training.
    refit_sequence(trained(recipe=replace(QUICK, epochs=2)), everything_of(WALK), TEXTS, QUICK, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_other_data_is_another_training(tmp_path):
    trained(folder=tmp_path)
    trained(folder=tmp_path, recipe=replace(QUICK, seed=3))
    trained(folder=tmp_path, texts=None)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_damaged_checkpoint_says_what_to_do(tmp_path):
    trained(folder=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"no tensors")
    with pytest.raises(InputError, match="Delete it and run the same command again"):
        trained(folder=tmp_path)


def test_training_stops_when_validation_no_longer_gains():
    impossible = [np.array([t]) for t in np.random.default_rng(0).integers(0, 12, len(ASKED))]
    data = Histories(TRAINING.histories, TRAINING.times, ASKED.known.histories, impossible)
    found = train(data, None, replace(SMALL, items=12), replace(QUICK, epochs=60, patience=3))
    assert found.best_epochs[0] < 57


# -- in Chroma


def test_the_index_orders_as_the_model_does(tmp_path):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(300, 16)).astype(np.float32) * random.uniform(0.1, 3, size=(300, 1)).astype(
        np.float32
    )
    rows = as_items(vectors)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    asked = random.normal(size=16).astype(np.float32)
    with VectorIndex.build(tmp_path, [str(i) for i in range(300)], rows, [{}] * 300, {}) as index:
        found = [int(i) for i, _ in index.query(as_query(asked), 20)]
    assert found == np.argsort(-(vectors @ asked))[:20].tolist()


def test_it_is_a_source_of_candidates(tmp_path):
    encoder = trained().encoder
    ids = [item.item_id for item in WALK.catalogue]
    with VectorIndex.build(tmp_path, ids, as_items(encoder.items), [{}] * 12, {}) as index:
        source = Behaviour(index, encoder, ids)
        assert source.best(query([3], n=12), 1).tolist() == [4]
        allowed = np.arange(12) != 4
        assert 4 not in source.best(query([3], n=12, allowed=allowed), 12)
        assert len(source.best(query([3], n=12, allowed=allowed), 12)) == 11
        assert source.score(query([3], n=12), np.array([4]))[0] == pytest.approx(1.0)
        assert source.score(query([3], n=12, allowed=allowed), np.array([5])) == source.score(
            query([3], n=12), np.array([5])
        )
        assert len(source.best(query([], n=12), 3)) == 3


# -- the weights of the sources


class Fixed:
    def __init__(self, name, scores):
        self.name, self._scores = name, np.array(scores)

    def best(self, query, k):
        return np.argsort(-self._scores, kind="stable")[:k]

    def score(self, query, positions):
        return self._scores[positions]


def test_a_source_that_knows_gets_the_weight():
    knows, noise = Fixed("knows", [1.0, 0.2, 0.1, 0.0]), Fixed("noise", [0.0, 0.3, 0.9, 0.5])
    weights = learn_weights([knows, noise], [(query(n=4), np.array([0]))] * 20 + [(query(n=4), np.array([1]))] * 3)
    assert weights["knows"] > 0.9 and weights["knows"] + weights["noise"] == pytest.approx(1)
    assert learn_weights([knows], [(query(n=4), np.array([9]))]) is None
    assert learn_weights([knows], []) is None


# -- in a workspace


@pytest.fixture
def tuned(tmp_path):
    open_small(tmp_path / "w").close()
    with Workspace.open(tmp_path / "w") as workspace:
        manifest = tune(workspace, HashEncoder(64), shape=SMALL, recipe=QUICK)
    return tmp_path / "w", manifest


def reopened(path, generator=None):
    return Agent(Workspace.open(path), Settings(), HashEncoder(64), generator or FakeGenerator())


def test_tuning_a_workspace_changes_what_serves(tuned):
    path, manifest = tuned
    assert sum(manifest.habit.values()) == pytest.approx(1) and set(manifest.habit) == {
        "transitions",
        "behaviour",
        "semantic",
    }
    assert {p.name for p in (path / "behaviour").iterdir()} == {MANIFEST, manifest_file(path)}
    with reopened(path) as agent:
        assert agent.lister.weights.habit == manifest.habit
        reply = agent.recommend("p1", n=3)
        assert set(reply.candidates[0].scores) >= {"behaviour", "transitions"}
    check = check_behaviour(path / "behaviour", HashEncoder(64).name)
    assert check.ok and "weights: transitions" in check.detail and "ndcg@10" in check.detail


def test_the_model_counts_less_beside_trained_behaviour_and_beside_words_that_it_does_not_read(tuned, tmp_path):
    def told(agent, intent=""):
        reply = agent.recommend("p1", intent=intent, n=2)
        first = reply.candidates[0].scores
        assert reply_of(agent.workspace.store.turn(reply.turn_id), agent.catalogue).model_weight == reply.model_weight
        assert reply.as_dict()["model_weight"] == reply.model_weight
        scores = [[c.scores[name] for c in reply.candidates] for name in ("retrieval", "model")]
        assert first["final"] == pytest.approx(max(final_scores(*map(np.array, scores), reply.model_weight)))
        return reply.model_weight

    generator = FakeGenerator()
    generator.measured = Measured(0.2, 0.9, reads_requests=False)
    with reopened(tuned[0], generator) as agent:
        assert agent.model_weight == told(agent) == told(agent, "something gloomy with ghosts") == 0.2
    with open_small(tmp_path / "new", generator) as agent:
        assert agent.model_weight == told(agent) == told(agent, "from the 90s") == 0.9
        assert told(agent, "something gloomy with ghosts") == BESIDE_A_REQUEST
        assert agent.recommend("p1", n=2, strategy="generate").model_weight is None


def manifest_file(path):
    return read_manifest(path / "behaviour").file


def test_a_new_item_and_a_removed_one_need_no_new_training(tuned):
    path, _ = tuned
    with Workspace.open(path) as workspace:
        workspace.store.put_items([Item("new", "A New Film (1999)", "A spaceship and a monster.", {})])
    with reopened(path) as agent:
        behaviour = agent.lister.sources[1]
        assert behaviour.name == "behaviour"
        place = agent.catalogue.position["new"]
        found = behaviour.best(query([0], n=len(agent.catalogue)), len(agent.catalogue))
        assert place in found


def test_new_interactions_move_the_next_list_at_once(tuned):
    path, _ = tuned
    with reopened(path) as agent:
        ids = agent.catalogue.ids
        before = [c.item.item_id for c in agent.recommend("someone new").candidates]
        agent.workspace.store.put_interactions([Interaction("someone new", ids[0], "seen", None, 1.0)])
        after = [c.item.item_id for c in agent.recommend("someone new").candidates]
        assert before != after and ids[0] not in after


def test_tuning_again_replaces_what_was_there(tuned):
    path, _ = tuned
    old = manifest_file(path)
    with Workspace.open(path) as workspace:
        tune(workspace, HashEncoder(64), shape=SMALL, recipe=replace(QUICK, seed=1))
    assert manifest_file(path) != old
    assert len(list((path / "behaviour").iterdir())) == 2


def test_another_encoder_is_refused_with_a_remedy(tuned):
    path, _ = tuned
    with pytest.raises(WorkspaceError, match="vouchrec finetune behaviour"):
        Agent(Workspace.open(path), Settings(), HashEncoder(48), FakeGenerator())
    assert not check_behaviour(path / "behaviour", "another").ok


@pytest.mark.parametrize("name", [MANIFEST, "weights"])
def test_damage_is_told(tuned, name):
    path, _ = tuned
    file = path / "behaviour" / (manifest_file(path) if name == "weights" else name)
    file.write_bytes(b"{")
    with pytest.raises(WorkspaceError, match="vouchrec finetune behaviour"):
        reopened(path)


def test_a_workspace_without_histories_says_so(tmp_path):
    with Workspace.create(tmp_path / "w") as workspace:
        workspace.store.put_items(films())
        with pytest.raises(InputError, match="interactions"):
            tune(workspace, HashEncoder(64), shape=SMALL, recipe=QUICK)
        workspace.store.put_interactions([event for event in events() if event.item_id == films()[0].item_id][:3])
        with pytest.raises(InputError, match="two interactions"):
            tune(workspace, HashEncoder(64), shape=SMALL, recipe=QUICK)


def test_the_network_counts_no_one_twice():
    net = network(Shape(items=5, text=32, width=8, heads=2), TEXTS[:5])
    encoder = Encoder([net], Shape(items=5, text=32, width=8, heads=2))
    assert encoder.items.shape == (5, 8)
    assert "texts.texts" not in net.state_dict()


def test_a_damaged_index_of_behaviour_is_told_and_rebuilt(tuned, monkeypatch):
    from agent import build
    from agent.settings import load_settings

    path, _ = tuned
    reopened(path).close()
    current = path / "cache" / build.BEHAVIOUR_INDEX / "current"
    current.write_text("nothing that can be read", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="vouchrec index rebuild"):
        reopened(path)
    monkeypatch.setattr(build, "open_encoder", lambda settings, progress=None: HashEncoder(64))
    build.rebuild(path, load_settings(path))
    with reopened(path) as agent:
        assert agent.recommend("p1", n=2).recommendations
