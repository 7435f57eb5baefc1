"""The adapter that comes with the package: what it has learned from is known in every workspace of its data set."""

import numpy as np

from agent.build import adapters_of
from agent.workspace.workspace import Workspace
from finetune.evaluate.data import from_store
from finetune.evaluate.splits import hold_out_last, make_split
from finetune.learned import Rows, learned_by
from finetune.retrieval import ASKED


def test_what_comes_with_the_package_can_be_tuned_further(movielens):
    with Workspace.open(movielens, alone=False) as workspace:  # where the suite serves from it already
        adapter, dataset = adapters_of(workspace).in_service, from_store(workspace.store, "example")
        rows = Rows(workspace.store, dataset)
        before = learned_by(adapter, rows, dataset)
    seed = adapter.manifest.training["config"]["seed"]
    training, cases = hold_out_last(dataset, seed, ASKED)
    assert len(cases) == len(rows.unknown(cases, before)) == 943  # nobody is judged by what it knows
    fresh = rows.fresh(training, before)
    assert [int(new.sum()) for new in fresh] == [1] * 943  # what it was judged by itself
    split = make_split(dataset, "leave-one-out", seed)
    targets = np.concatenate(
        [rows.of(int(u), t) for u, t in zip(split.test.known.users, split.test.targets, strict=True)]
    )
    assert not before.knows(targets).any()
