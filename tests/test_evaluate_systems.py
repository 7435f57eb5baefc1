from dataclasses import replace

import numpy as np
import pytest
from evaluate_data import dataset, walkers

from agent.errors import InputError
from agent.generation.fake import FakeGenerator
from agent.settings import Settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.vectors import item_text
from finetune.evaluate.audit import audit_prompts, audit_transitions
from finetune.evaluate.baselines import (
    DecayedTransitions,
    Ease,
    ImplicitALS,
    ItemKNN,
    Popularity,
    TextSimilarity,
    known_as_matrix,
)  # fmt: skip
from finetune.evaluate.choose import TRIALS, chosen, without_models
from finetune.evaluate.run import ranked
from finetune.evaluate.sasrec import Sasrec
from finetune.evaluate.splits import Known, make_split
from finetune.evaluate.systems import KnownTexts, Served, WholeAgent

ENCODER = HashEncoder(32)


def encoded(data):
    return replace(data, vectors=ENCODER.encode([item_text(item) for item in data.catalogue]))


WALK = encoded(walkers(120, n_items=12, length=6))
SPLIT = make_split(WALK, "leave-one-out", 0)
# Two camps: people of the first half of the items never touch the second.
CAMPS = encoded(
    dataset([list(np.random.default_rng(p).permutation(10)[:6] + 10 * (p % 2)) for p in range(80)], n_items=20)
)
CAMP_SPLIT = make_split(CAMPS, "leave-one-out", 0)


def known(*histories):
    rows = tuple(np.array(h, dtype=np.int64) for h in histories)
    times = tuple(np.arange(len(h), dtype=np.float64) for h in rows)
    return Known(np.arange(len(rows)), rows, tuple(np.full(len(h), 5.0) for h in rows), times)


def test_a_history_weighs_by_recency():
    asked = known([2, 0], [])
    assert known_as_matrix(asked, 3, 0.5).toarray().tolist() == [[1.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
    tied = replace(asked, times=(np.zeros(2), np.zeros(0)))
    assert known_as_matrix(tied, 3, 0.5).toarray().tolist() == [[0.75, 0.0, 0.75], [0.0, 0.0, 0.0]]


def test_popularity_counts_people():
    system = Popularity()
    system.fit(make_split(dataset([[0, 1, 2, 3], [0, 2, 1, 3]]), "leave-one-out", 0), dataset([[0, 1, 2, 3]]), 0)
    assert system.scores(known([], [0])).tolist() == [[2, 1, 1, 0], [2, 1, 1, 0]]


def test_transitions_know_the_next_step():
    system = DecayedTransitions()
    system.fit(SPLIT.without_test(), WALK, 0)
    ranks, _ = ranked(system.scores(SPLIT.test.known), SPLIT.test, SPLIT)
    assert all(targets == (1,) for targets in ranks.targets)
    assert audit_transitions(system.transitions, SPLIT.training) == []


@pytest.mark.parametrize("system", [ItemKNN(), Ease(10.0), ImplicitALS(8)], ids=lambda s: s.name)
def test_collaborative_baselines_stay_in_their_camp(system):
    system.fit(CAMP_SPLIT.without_test(), CAMPS, 0)
    scores = system.scores(known([0, 1], [10, 11]))
    rest = [2, 3, 4, 5, 6, 7, 8, 9]
    own = scores[0, rest], scores[1, [10 + i for i in rest]]
    others = scores[0, 10:], scores[1, :10]
    for mine, theirs in zip(own, others, strict=True):
        assert mine.mean() > theirs.mean() and mine.max() > theirs.max()


@pytest.mark.parametrize(
    "system",
    [Popularity(), ItemKNN(), Ease(), ImplicitALS(8), DecayedTransitions(), TextSimilarity()],
    ids=lambda s: s.name,
)
def test_a_person_without_a_history_gets_what_is_popular(system):
    data = encoded(dataset([[0, 1, 2], [0, 1, 3], [0, 2, 1], [0, 3, 1]], n_items=5))
    split = make_split(data, "leave-one-out", 0)
    system.fit(split.without_test(), data, 0)
    assert int(np.argmax(system.scores(known([]))[0])) == 0


def test_text_similarity_finds_the_like():
    system = TextSimilarity()
    system.fit(SPLIT.without_test(), WALK, 0)
    assert int(np.argmax(system.scores(known([4]))[0])) == 4
    with pytest.raises(InputError, match="no text vectors"):
        system.fit(SPLIT, replace(WALK, vectors=None), 0)


def test_sasrec_learns_the_walk_and_repeats():
    def trained():
        system = Sasrec(width=16, layers=1, heads=1, window=6, dropout=0.0, rate=0.01, epochs=12, batch=32)
        system.fit(SPLIT.without_test(), WALK, 1)
        return system.scores(SPLIT.test.known)

    first = trained()
    ranks, _ = ranked(first, SPLIT.test, SPLIT)
    assert np.mean([targets == (1,) for targets in ranks.targets]) > 0.9
    assert (first == trained()).all()


def test_sasrec_reads_a_history_alike_in_any_company():
    system = Sasrec(width=16, layers=1, heads=2, window=6, epochs=1)
    system.fit(SPLIT.without_test(), WALK, 0)
    alone = system.scores(known([3, 4]))[0]
    beside = system.scores(known([0, 1, 2, 3, 4, 5], [3, 4], []))
    assert beside[1] == pytest.approx(alone, abs=1e-5)
    assert np.isfinite(beside[2]).all() and len(set(beside[2].tolist())) > 1


def test_retrieval_as_served():
    system = Served(ENCODER, 5)
    system.fit(SPLIT.without_test(), WALK, 0)
    try:
        ranks, _ = ranked(system.scores(SPLIT.test.known), SPLIT.test, SPLIT)
        assert np.mean([targets == (1,) for targets in ranks.targets]) > 0.9
        assert audit_transitions(system.transitions, SPLIT.training) == []
        assert len(system.timings["retrieve"]) == len(SPLIT.test)
        # How many candidates a turn takes moves nothing here.
        deeper = Served(ENCODER, 12)
        deeper.fit(SPLIT.without_test(), WALK, 0)
        part = SPLIT.test.only(np.arange(20))
        same = [ranked(s.scores(part.known), part, SPLIT)[0] for s in (system, deeper)]
        assert same[0].targets == same[1].targets
        deeper.close()
    finally:
        system.close()


def test_retrieval_learns_the_validation_choices_and_keeps_its_weights():
    # The step from 5 to 6 is walked in validation alone, by everyone; the test asks for another one.
    walks = [[*np.roll(np.arange(4), person % 4), 5, 6, 7 + person % 3] for person in range(60)]
    data = encoded(dataset([[int(i) for i in walk] for walk in walks], n_items=10))
    plain, split = (make_split(data, "leave-one-out", 0, refit=refit) for refit in (False, True))
    first, then = Served(ENCODER, 5), Served(ENCODER, 5)
    try:
        first.fit(plain.without_test(), data, 0)
        then.fit(split.without_test(), data, 0)
        assert first.transitions[5, 6] == 0 and then.transitions[5, 6] > 0 and then.weights == first.weights
        asked = known([0, 1, 2, 3, 5])
        assert int(then.scores(asked)[0].argmax()) == 6
        assert not first.learned.trained.touched[6] and then.learned.trained.touched[6]
        assert audit_transitions(then.transitions, split.learned) == []
        assert audit_transitions(then.transitions, split.training) != []
    finally:
        first.close()
        then.close()


def test_the_whole_agent_serves_only_what_is_known():
    system = WholeAgent(ENCODER, FakeGenerator(), Settings(candidates=6))
    part = SPLIT.test.only(np.arange(8))
    system.fit(SPLIT.without_test(), WALK, 0)
    try:
        scores = system.scores(part.known)
        assert audit_transitions(system.transitions, SPLIT.training) == []
        assert audit_prompts(system.prompts, part, WALK.catalogue, system.template) == []
        assert all(WALK.catalogue[h[-1]].title in p for h, p in zip(part.known.histories, system.prompts, strict=True))
        ids = [item.item_id for item in WALK.catalogue]
        for row, served in enumerate(system.lists):
            best = np.argsort(-scores[row])[: len(served)]
            assert [ids[p] for p in best] == served and 0 < len(served) <= 10
            assert not {ids.index(i) for i in served} & set(part.known.histories[row].tolist())
        assert "rank" in system.timings
        assert (scores == system.scores(part.known)).all()
    finally:
        system.close()


def test_known_texts_are_not_encoded_again():
    class Refuses(HashEncoder):
        def encode(self, texts, progress=None):
            assert not texts or texts == ["new"]
            return super().encode(texts)

    encoder = KnownTexts(Refuses(32), WALK)
    texts = [item_text(WALK.catalogue[3]), "new"]
    assert (encoder.encode(texts) == ENCODER.encode(texts)).all()


def test_every_tuned_system_has_the_same_trials():
    for trials in (1, 3, TRIALS):
        assert {len(c.trials) for c in without_models(trials)} == {1, trials}
    for contender in without_models():
        assert len({str(t) for t in contender.trials}) == len(contender.trials)
        contender.make(**contender.trials[-1])
    with pytest.raises(InputError, match="from 1 to 8"):
        without_models(9)


def test_unknown_systems_are_told(tmp_path):
    with pytest.raises(InputError, match="no system 'magic'.*popularity"):
        chosen(["baselines", "magic"], WALK, Settings(), tmp_path)
    _, found = chosen(["ease", "popularity"], WALK, Settings(), tmp_path)
    assert [c.name for c in found] == ["popularity", "ease"]
