"""What does not fit into a model's context: histories give way from their oldest items on, and too much is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from test_examples import CATALOGUE, FILMS, N, chat, examples, said  # noqa: F401
from test_sft import ENCODER, QUICK, made, settings, tiny, tuned_in  # noqa: F401

from agent.errors import InputError
from agent.schema import Interaction
from agent.workspace.catalogue import Catalogue
from finetune.context import Row, readable, require_fit
from finetune.examples import NONE
from finetune.language import tune_language
from finetune.pairs import Pair
from finetune.passages import passages, rows

# ruff: noqa: F811 - `chat` and `tiny` are fixtures of other tests


def all_of(made, epochs=2):
    return [made.draw(epoch, number) for epoch in range(epochs) for number in range(len(made))]


def words(example):
    return int((example.items == NONE).sum())


@pytest.mark.parametrize("task", ["next", "spell", "request", "justify"])
def test_the_oldest_items_give_way_and_every_word_stays(chat, task):
    wholes = all_of(examples(chat, **{task: 1.0}))
    context = max(map(words, wholes)) + 2
    found = all_of(examples(chat, context=context, **{task: 1.0}))
    assert max(map(len, wholes)) > context == max(map(len, found))
    for whole, one in zip(wholes, found, strict=True):
        over, begun = max(0, len(whole) - context), int(np.argmax(one.items != NONE))
        assert one.task == whole.task and said(chat, one) == said(chat, whole)
        if over:  # the prompt is whole, and so is all that stands behind what has gone
            assert one.tokens[:begun].tolist() == whole.tokens[:begun].tolist()
            for name, since in (("tokens", 0), ("items", 0), ("next_items", 1), ("next_tokens", 1)):
                new, old = getattr(one, name), getattr(whole, name)
                assert new[begun - since :].tolist() == old[begun - since + over :].tolist()


def test_every_item_is_still_to_come_after_what_stands_before_it(chat):
    made = examples(chat, next=1.0)
    found = all_of(examples(chat, context=len(made.plain) + 3, next=1.0))
    for example in found:
        history, targets = (values[values != NONE] for values in (example.items, example.next_items))
        assert len(history) <= 3 and targets[:-1].tolist() == history.tolist()
        assert targets[-1] == (history[-1] + 1) % N and example.next_items[len(made.plain) - 1] == history[0]
    assert len(made.rows()) == len(made) == 60
    assert {row.places - row.words for row in made.rows()} == {4, 5} and {row.words for row in made.rows()} == {
        len(made.plain)
    }


def test_a_giant_title_is_cut_and_where_it_fits_nowhere_the_history_stands_alone(chat):
    giant = replace(FILMS[3], title="Borborygmi " * 1000)
    catalogue = Catalogue((*FILMS[:3], giant, *FILMS[4:]), CATALOGUE.attribute_types)
    long = max(row.words for row in examples(chat, catalogue=catalogue, spell=1.0).rows())
    assert 100 < long < 400  # a title has 200 characters at most
    made = examples(chat, catalogue=catalogue, context=long - 1, spell=1.0)
    found, ends = all_of(made), set()
    for example in found:
        last = int(example.next_items[example.next_items != NONE][-1])
        assert len(example) < long and example.task == ("next" if last == 3 else "spell")
        assert last != 3 or said(chat, example) == ""
        ends.add(last)
    assert 3 in ends and len(ends) > 3
    with pytest.raises(InputError, match=rf"reads {long - 1} .* longest row \(spell\) has {long + 5}, 5 of them"):
        require_fit(made.rows(), long - 1, 5)


def test_a_prompt_that_fills_the_context_is_told(chat):
    tokens = len(examples(chat, next=1.0).plain)
    with pytest.raises(InputError, match=f"has {tokens} tokens .* reads {tokens} "):
        examples(chat, context=tokens, next=1.0)


def test_one_place_in_a_hundred_may_be_lost_and_no_more():
    rows = [Row("next", 100, 20)] * 9
    require_fit([*rows, Row("next", 110, 20)], 100, 90)  # 10 of 1010
    with pytest.raises(InputError, match=r"reads 100 .*has 111, 91 of them .*: 1\.1% .*`window` \(now 91\)"):
        require_fit([*rows, Row("next", 111, 20)], 100, 91)
    with pytest.raises(InputError, match=r"\(spell\) has 105, 1 of them .*: 10\.4% "):  # lost as a whole
        require_fit([*rows, Row("spell", 105, 104)], 100, 90)
    require_fit([*rows, Row("spell", 105, 104, 0.08)], 100, 90)


def test_pairs_stand_in_parts_that_can_be_read():
    history = np.arange(40)
    pairs = [Pair(0, before, before, before + 1, said=False) for before in range(0, 40, 4)]
    asked = passages([history], pairs, window=40)
    assert [row.places for row in rows(asked, prompt=10)] == [46]
    window = readable(40, context=20, prompt=10)
    parts = passages([history], pairs, window)
    assert max(row.places for row in rows(parts, prompt=10)) <= 20 and sum(len(part.before) for part in parts) == 10
    assert readable(6, context=20, prompt=10) == 6


def short(tiny, folder, context):
    """The same model with a context of so many places."""
    shutil.copytree(tiny, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": context}))
    return folder


def test_a_model_that_can_read_too_little_is_refused_before_anything_is_tuned(tmp_path, tiny, chat):
    plain = len(examples(chat, next=1.0).plain)
    config = QUICK.model_copy(update={"shares": {"next": 1.0}, "epochs": 1})
    with pytest.raises(InputError, match=rf"reads {plain + 2} .*\(next\) has {plain + 3}, 3 of them .*window"):
        tuned_in(tmp_path / "w", short(tiny, tmp_path / "short", plain + 2), config)
    enough = short(tiny, tmp_path / "enough", plain + 3)
    assert tuned_in(tmp_path / "w", enough, config).manifest.window == 3 < config.window


def test_a_little_may_be_lost(tmp_path, tiny, chat):
    plain = len(examples(chat, next=1.0).plain)
    with made(tmp_path / "w", people=200) as workspace:  # of one only more is known than can be read
        events = [Interaction("p0", f"f{n}", "rating", 5.0, 5.0 + n) for n in range(5, 12)]
        workspace.store.put_interactions(events)
        config = QUICK.model_copy(update={"shares": {"next": 1.0}, "epochs": 1, "window": 1000})
        model = short(tiny, tmp_path / "short", plain + 5)
        adapter = tune_language(workspace, ENCODER, settings(model), config, "mine")
    assert adapter.manifest.window == 5 and np.isfinite(adapter.manifest.training["losses"]).all()
