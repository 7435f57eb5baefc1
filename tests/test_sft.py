"""Tuning for real, on a CPU: a language model of two layers with the real tokenizer, and people who walk in a ring."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import prompts
from agent.agent import Agent
from agent.assets import language_model
from agent.build import adapters_of
from agent.errors import AdapterError, InputError
from agent.generation.adapters import (
    BASE,
    IN_SERVICE,
    MANIFEST,
    WEIGHTS,
    base_fingerprint,
    read_adapter,
    save_manifest,
    weights_hash,
)
from agent.generation.base import Branch, Message
from agent.generation.loading import load_model
from agent.generation.local import LocalGenerator
from agent.generation.prompting import PromptSet
from agent.quiet import quiet_transformers
from agent.schema import Interaction, Item
from agent.settings import DEFAULT_MODEL, Settings
from agent.versions import versions
from agent.workspace.catalogue import item_key
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from finetune.evaluate.bootstrap import Interval
from finetune.examples import TASKS
from finetune.gate import MOST, Judged, Verdict, best_weight, cross_fitted, gains, promote
from finetune.ground import Ground
from finetune.language import tune_language
from finetune.recipe import PRESETS, SftConfig, assigned, read_config

N = 12
ENCODER = HashEncoder(32)
QUICK = SftConfig(
    epochs=12, rate=5e-3, item_rate=0.03, batch=16, rank=4, alpha=8, width=16, window=6, item_dropout=0, dropout=0,
    shares={"next": 0.7, "spell": 0.1, "request": 0.2}, average=0.8, patience=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return narrow_model(tmp_path_factory.mktemp("tiny") / "model")


def narrow_model(folder, width=32):
    """A folder with a language model of two narrow layers, and the tokenizer of the embedded one."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir()
    for file in language_model(DEFAULT_MODEL, Settings().cache).iterdir():
        if "token" in file.name or file.suffix in (".txt", ".jinja"):
            shutil.copy(file, folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=49152, **sizes, tie_word_embeddings=True)).save_pretrained(folder)
    return folder


def made(path, people=48, gaits=(1,)):
    """A workspace of films in a ring: everybody goes on to the next one, or as many on as their gait."""
    workspace = Workspace.create(path)
    store = workspace.store
    store.put_attribute_types({"year": "number", "genres": "list"})
    kinds = ("Drama", "Comedy", "Western", "Horror")
    store.put_items(
        [
            Item(f"f{n}", f"Film Number {n} ({1960 + n})", "", {"year": 1960 + n, "genres": (kinds[n % 4],)})
            for n in range(N)
        ]
    )
    store.put_interactions(
        [
            Interaction(f"p{p}", f"f{(p + t * gaits[p % len(gaits)]) % N}", "rating", 5.0, float(t))
            for p in range(people)
            for t in range(5)
        ]
    )
    store.set_meta("noun", "film")
    store.set_meta("import_complete", True)
    return workspace


def settings(tiny):
    return Settings(model=str(tiny), dtype="float32")


def tuned_in(path, tiny, config=QUICK, name="ring", progress=lambda *_: None):
    with made(path) if not path.exists() else Workspace.open(path) as workspace:
        return tune_language(workspace, ENCODER, settings(tiny), config, name, progress)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, tiny):
    path = tmp_path_factory.mktemp("ring") / "w"
    return path, tuned_in(path, tiny)


def served(tiny, adapter):
    return LocalGenerator(tiny, dtype="float32", adapter=adapter)


def asked(generator, path, history):
    """What a generator says of every item after a history."""
    with Workspace.open(path) as workspace:
        keys, texts = tuple(map(item_key, workspace.store.items())), workspace.vectors(ENCODER)[1]
    known = generator.know(keys, texts)
    prompt = PromptSet.named("recommend").get("rank").render(history=[], request="", noun="film")
    return generator.next_items(generator.read(prompt, known, np.array(history)), known)


def test_the_loss_falls_and_what_comes_next_is_learned(tuned, tiny):
    path, adapter = tuned
    told = adapter.manifest.training
    assert told["losses"][-1] < told["losses"][0] - 0.5
    assert told["scores"][told["best"] - 1] == max(told["scores"]) > told["scores"][0]
    generator = served(tiny, adapter)
    assert generator.reads_items and generator.adapter == "ring"
    right = 0
    for start in range(N):
        walk = [(start + step) % N for step in range(4)]
        logits = asked(generator, path, walk)
        logits[walk] = -np.inf
        right += int(np.argmax(logits)) == (start + 4) % N
    assert right >= 0.8 * N


def test_merged_equals_unmerged(tuned, tiny):
    from peft import PeftModel

    from agent.generation.items import item_vectors

    path, adapter = tuned
    model, _ = load_model(tiny, "float32")
    model.items = item_vectors(adapter.manifest.shape)
    with quiet_transformers():
        unmerged = PeftModel.from_pretrained(model, str(adapter.folder)).eval()
    generator = served(tiny, adapter)
    merged = asked(generator, path, [3, 4, 5])
    generator._model, generator._items = unmerged.get_base_model(), unmerged.get_base_model().items
    assert asked(generator, path, [3, 4, 5]) == pytest.approx(merged, abs=1e-3)
    assert np.ptp(merged) > 0.5


def test_the_adapter_moves_what_the_model_writes_too(tuned, tiny):
    _, adapter = tuned
    prompt = (Message("user", "Which film?"), Message("assistant", "-"))
    titles = ["Film Number 3 (1963)", "Film Number 7 (1967)"]
    plain, with_adapter = LocalGenerator(tiny, dtype="float32"), served(tiny, adapter)
    before, after = (g.score(g.read(prompt), titles).total for g in (plain, with_adapter))
    assert not np.allclose(before, after, atol=1e-3)
    assert not plain.reads_items


def test_few_layers_can_tell_what_is_next_while_all_of_them_write(tmp_path, tiny):
    adapter = tuned_in(tmp_path / "w", tiny, QUICK.model_copy(update={"depth": 1, "epochs": 8}))
    assert adapter.manifest.shape.depth == 1
    generator = served(tiny, adapter)
    logits = asked(generator, tmp_path / "w", [3, 4, 5])
    assert np.argmax(np.where(np.isin(np.arange(N), [3, 4, 5]), -np.inf, logits)) == 6
    layers = generator._model.model.layers
    with torch.no_grad():
        layers[1].mlp.down_proj.weight.mul_(3)
    assert asked(generator, tmp_path / "w", [3, 4, 5]) == pytest.approx(logits, abs=1e-5)
    titles, prompt = ["Film Number 3 (1963)"], (Message("user", "Which film?"), Message("assistant", "-"))
    written = generator.score(generator.read(prompt), titles).total
    with torch.no_grad():
        layers[1].mlp.down_proj.weight.div_(3)
    assert generator.score(generator.read(prompt), titles).total != pytest.approx(written, abs=1e-3)


class Killed(Exception):
    pass


def test_all_layers_are_no_depth_and_more_than_there_are_is_refused(tmp_path, tiny):
    short = QUICK.model_copy(update={"epochs": 1, "depth": 2})
    assert tuned_in(tmp_path / "w", tiny, short, "all").manifest.shape.depth is None
    with pytest.raises(InputError, match="after 3 layers, and the model has 2"):
        tuned_in(tmp_path / "w", tiny, short.model_copy(update={"depth": 3}), "more")


def test_things_are_called_in_tuning_as_they_are_in_service(tmp_path, tiny):
    with made(tmp_path / "w") as workspace:
        for stored, prompts_of, noun in (("film", "books", "film"), ("", "books", "book"), ("", "recommend", "item")):
            workspace.store.set_meta("noun", stored)
            own = settings(tiny).model_copy(update={"prompts": prompts_of})
            assert Ground(workspace, ENCODER, own, 0, "new", None, lambda *_: None)._noun == noun


def test_a_killed_run_goes_on_to_the_same_adapter(tmp_path, tiny):
    short = QUICK.model_copy(update={"epochs": 3})
    whole = tuned_in(tmp_path / "whole", tiny, short)

    def kill(stage, done, total, said=""):
        if stage.startswith("tune") and done == 7:  # three steps a pass: after two checkpoints
            raise Killed

    with pytest.raises(Killed):
        tuned_in(tmp_path / "killed", tiny, short, progress=kill)
    with Workspace.open(tmp_path / "killed") as workspace:
        assert adapters_of(workspace).names() == ()
    again = tuned_in(tmp_path / "killed", tiny, short)
    first, second = (load_file(a.folder / WEIGHTS) for a in (whole, again))
    for name in first:  # to rounding: two threads may add in either order
        torch.testing.assert_close(second[name], first[name], rtol=1e-3, atol=1e-4)
    assert again.manifest.training["losses"] == pytest.approx(whole.manifest.training["losses"])


def test_a_loss_that_is_no_number_stops_and_serves_nothing(tmp_path, tiny):
    wild = QUICK.model_copy(update={"rate": 1e30, "item_rate": 1e30})
    with pytest.raises(InputError, match="lower rate"):
        tuned_in(tmp_path / "w", tiny, wild)
    with Workspace.open(tmp_path / "w") as workspace:
        assert adapters_of(workspace).names() == ()


def test_too_few_histories_are_told(tmp_path, tiny):
    with made(tmp_path / "w", people=3) as workspace, pytest.raises(InputError, match="Only 3 people"):
        tune_language(workspace, ENCODER, settings(tiny), QUICK, "few")


def test_a_name_is_taken_once_and_must_be_one(tuned, tiny):
    path, _ = tuned
    with pytest.raises(AdapterError, match="already"):
        tuned_in(path, tiny)
    for name in ("", "a/b", "..", BASE, IN_SERVICE):
        with pytest.raises(AdapterError, match="cannot be called"):
            tuned_in(path, tiny, name=name)


def test_an_adapter_serves_only_with_what_it_was_tuned_with(tuned, tiny):
    _, adapter = tuned
    prompts = {name: PromptSet.named("recommend").get(name).hash for name in ("rank", "justify")}
    base, now = base_fingerprint(tiny), versions()
    adapter.check(base, prompts, ENCODER.name, now)
    with pytest.raises(AdapterError, match="another one is in use"):
        adapter.check("0" * 16, prompts, ENCODER.name, now)
    with pytest.raises(AdapterError, match="prompt rank"):
        adapter.check(base, {**prompts, "rank": "0"}, ENCODER.name, now)
    with pytest.raises(AdapterError, match="encoder"):
        adapter.check(base, prompts, "another", now)


def test_another_major_version_of_a_library_is_refused_and_a_minor_one_is_not(tuned, tiny):
    _, adapter = tuned
    base, hashes, now = base_fingerprint(tiny), adapter.manifest.prompts, versions()
    assert adapter.manifest.versions == now and {"torch", "transformers", "peft"} <= set(now)
    major, minor = now["transformers"].split(".")[:2]
    adapter.check(base, hashes, ENCODER.name, {**now, "transformers": f"{major}.{int(minor) + 1}"})
    with pytest.raises(AdapterError, match="tuned with transformers .* and 9.0 is installed.*tune again"):
        adapter.check(base, hashes, ENCODER.name, {**now, "transformers": "9.0"})
    older = replace(adapter, manifest=replace(adapter.manifest, versions={}))
    older.check(base, hashes, ENCODER.name, {**now, "transformers": "9.0"})  # it does not tell


def test_damage_is_told(tuned, tiny, tmp_path):
    _, adapter = tuned
    copy = tmp_path / "ring"
    shutil.copytree(adapter.folder, copy)
    weights = bytearray((copy / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (copy / WEIGHTS).write_bytes(weights)
    with pytest.raises(AdapterError, match="is damaged.*Remove it"):
        served(tiny, read_adapter(copy))
    (copy / WEIGHTS).write_bytes(b"no safetensors")
    save_manifest(copy, replace(adapter.manifest, sha256=""))  # an older one
    with pytest.raises(AdapterError, match="does not load"):
        served(tiny, read_adapter(copy))
    (copy / WEIGHTS).unlink()
    with pytest.raises(AdapterError, match="lacks"):
        read_adapter(copy)
    (copy / MANIFEST).write_text(json.dumps({"name": 1}))
    with pytest.raises(AdapterError, match="damaged"):
        read_adapter(copy)


def test_a_turn_ranks_by_what_the_adapter_says(tuned, tiny):
    path, adapter = tuned
    with Agent(Workspace.open(path), Settings(model_weight=100.0), ENCODER, served(tiny, adapter)) as agent:
        reply = agent.recommend(history=["f3", "f4", "f5"], n=3)
        logits = asked_of(agent, [3, 4, 5])
        said = {c.item.item_id: c.scores["model"] for c in reply.candidates}
        assert said == pytest.approx({i: logits[agent.catalogue.position[i]] for i in said}, abs=1e-4)
        assert reply.recommendations[0].item.item_id == max(said, key=said.get)
        assert reply.adapter == "ring"
        assert agent.recommend(history=["f3"], n=3, strategy="generate").recommendations


def asked_of(agent, history):
    known = agent.lister._known
    prompt = agent.prompts.get("rank").render(history=[], request="", noun="film")
    return agent.generator.next_items(agent.generator.read(prompt, known, np.array(history)), known)


def test_presets_are_read_and_flags_win():
    assert read_config("cpu").epochs == 6
    assert read_config("cpu", epochs=2, rate=None).epochs == 2
    with pytest.raises(InputError, match="no preset or file"):
        read_config("nowhere")


def test_any_name_of_a_recipe_can_be_said_with_its_value():
    said = assigned(["dora=true", "depth=null", "targets=[q_proj]", "shares={next: 1.0}"])
    config = read_config("items", said)
    assert (config.dora, config.depth, config.targets, config.shares) == (True, None, ("q_proj",), {"next": 1.0})
    for wrong in ("dora", "colour=red", "shares={next"):  # no value, no such name, no YAML
        with pytest.raises(InputError, match=re.escape(repr(wrong))):
            assigned([wrong])
    with pytest.raises(InputError, match="^rank cannot be 'large'"):
        read_config("items", assigned(["rank=large"]))


@pytest.mark.parametrize(
    ("preset", "alone", "epochs"),
    [("demo", False, 1), ("items", True, 8), ("cpu", False, 6), ("gpu", False, 20), ("nightly", False, 4)],
)
def test_every_preset_is_one_that_tuning_takes(preset, alone, epochs):
    config = read_config(preset)
    assert set(config.shares) <= set(TASKS) and sum(config.shares.values()) == pytest.approx(1)
    assert (config.ranks_alone, config.epochs) == (alone, epochs)
    assert len(list(PRESETS.glob("*.yaml"))) == 5


def test_a_bad_file_says_what_is_wrong(tmp_path):
    file = tmp_path / "mine.yaml"
    for text, match in (
        ("epochs: many", "epochs"),
        ("speed: 3", "speed"),
        ("- a", "names and values"),
        ("a: [", "YAML"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=match):
            read_config(file)


# -- the gate


@pytest.fixture(scope="module")
def two_gaits(tmp_path_factory, tiny):
    """People go one on or five on: whoever looks at the last film alone cannot tell, and a history of two tells it."""
    path = tmp_path_factory.mktemp("gaits") / "w"
    made(path, people=96, gaits=(1, 5)).close()
    with Workspace.open(path) as workspace:
        more = {"epochs": 20, "patience": 20, "shares": {"next": 1.0}, "rank": 16, "alpha": 32, "rate": 0.01}
        config = QUICK.model_copy(update={**more, "token_weight": 0.0})
        tune_language(workspace, ENCODER, settings(tiny), config, "good")
    return path


def examined(path, tiny, name):
    with Workspace.open(path) as workspace:
        return promote(workspace, ENCODER, settings(tiny), name, people=60), adapters_of(workspace).in_service


def test_what_helps_serves_and_what_is_worse_is_refused_with_the_numbers(two_gaits, tiny):
    found, serving = examined(two_gaits, tiny, "good")
    assert found.passed and found.gain.low > 0 and found.weight > 0 and found.grounded_gain.high >= 0
    assert serving.manifest.name == "good" and serving.manifest.model_weight == found.weight
    assert serving.manifest.weight_new == found.weight_new == found.weight  # nothing was trained here
    assert serving.manifest.measures["gain"]["mean"] == pytest.approx(found.gain.mean)

    worse = serving.folder.parent / "worse"
    shutil.copytree(serving.folder, worse)
    tensors = load_file(worse / WEIGHTS)
    save_file({n: t if "items" not in n else torch.randn_like(t) for n, t in tensors.items()}, worse / WEIGHTS)
    save_manifest(worse, replace(serving.manifest, name="worse", sha256=weights_hash(worse), measures={}))
    found, serving = examined(two_gaits, tiny, "worse")
    assert not found.passed and found.gain.mean < 0
    assert serving.manifest.name == "good"
    with Workspace.open(two_gaits) as workspace:
        kept = adapters_of(workspace)
        assert kept.names() == ("good", "worse")
        assert not kept.get("worse").manifest.passed
        with pytest.raises(AdapterError, match="in service"):
            kept.remove("good")
        kept.remove("worse")
        assert kept.names() == ("good",)


def test_what_ranks_alone_leaves_every_word_to_the_base_model(two_gaits, tiny):
    with Workspace.open(two_gaits) as workspace:
        adapter = adapters_of(workspace).get("good")
    assert adapter.manifest.ranks_alone and set(adapter.manifest.prompts) == {"rank"}
    plain, ranking = LocalGenerator(tiny, dtype="float32"), served(tiny, adapter)
    assert ranking.ranks_alone and ranking.reads_items and not plain.ranks_alone
    with Workspace.open(two_gaits) as workspace:
        known = ranking.know([item_key(item) for item in workspace.store.items()], workspace.vectors(ENCODER)[1])
    prompt = PromptSet.named("recommend").get("rank").render(history=[], request="", noun="film")
    base, read = plain.read(prompt), ranking.read(prompt, known, np.array([3, 8]))
    assert np.argmax(ranking.next_items(read, known)) == 13 % N
    titles = ["Film Number 3 (1963)", "Film Number 7 (1967)"]
    assert np.array_equal(plain.score(base, titles).total, ranking.score(read, titles).total)
    branches = [Branch((*prompt[:-1], Message("assistant", prompt[-1].content + text))) for text in (" One", " Two")]
    said = [list(one.write(it, branches, max_tokens=6)) for one, it in ((plain, base), (ranking, read))]
    assert said[0] == said[1]


def test_a_request_that_names_it_is_ranked_by_it_while_the_base_model_serves(two_gaits, tiny, tmp_path):
    shutil.copytree(two_gaits, tmp_path / "w")
    with Workspace.open(tmp_path / "w") as workspace:
        good = adapters_of(workspace).get("good")
        save_manifest(good.folder, replace(good.manifest, measures={**good.manifest.measures, "passed": True}))
    with Agent(Workspace.open(tmp_path / "w"), settings(tiny), ENCODER, LocalGenerator(tiny, dtype="float32")) as agent:
        plain, named = (agent.recommend(history=["f3", "f8"], n=3, adapter=name) for name in (None, "good"))
        again = agent.recommend(history=["f3", "f8"], n=3)
    with Agent(Workspace.open(tmp_path / "w"), settings(tiny), ENCODER, served(tiny, good)) as agent:
        serving = agent.recommend(history=["f3", "f8"], n=3)
    assert (plain.adapter, named.adapter, serving.adapter) == (None, "good", "good")
    assert [c.scores for c in named.candidates] == [c.scores for c in serving.candidates]
    assert [c.scores for c in plain.candidates] == [c.scores for c in again.candidates]
    assert [c.scores["model"] for c in plain.candidates] != [c.scores["model"] for c in named.candidates]


@pytest.fixture
def reopened(two_gaits, tiny, tmp_path, monkeypatch):
    """Opens a copy of the workspace with that adapter in service, and with prompts in a folder of their own."""
    monkeypatch.setattr("agent.build.open_encoder", lambda *_: ENCODER)
    home, folder = shutil.copytree(two_gaits, tmp_path / "w"), tmp_path / "prompts"
    shutil.copytree(prompts.locate("recommend"), folder)
    with Workspace.open(home) as workspace:
        good = adapters_of(workspace).get("good")
        save_manifest(good.folder, replace(good.manifest, measures={**good.manifest.measures, "passed": True}))

    def opened(adapter):
        with Workspace.open(home) as workspace:
            adapters_of(workspace).use(adapter)
        return Agent.open(home, model=str(tiny), encoder=ENCODER.name, dtype="float32", prompts=str(folder))

    return opened, folder


def edit(folder, name, old, new):
    path = folder / f"{name}.prompty"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def test_an_adapter_that_serves_never_reads_another_text_than_its_own(reopened):
    opened, folder = reopened
    with opened("good") as agent:
        before = agent.recommend(history=["f3", "f8"], n=3)
        edit(folder, "rank", "You ", "You always ")
        edit(folder, "justify", "Use only these facts.", "Use these facts only.")
        after = agent.recommend(history=["f3", "f8"], n=3)
        assert [c.scores for c in after.candidates] == [c.scores for c in before.candidates]
        assert "adapter 'good', which serves" in agent.prompts.problems["rank"] and len(agent.prompts.problems) == 1
        (rank, justify), (same, other) = (reply.prompt.split("+") for reply in (before, after))
        assert rank == same and justify != other  # it writes nothing, so any text of reasons serves
    with pytest.raises(AdapterError, match="another text of the prompt rank"):
        opened("good")


def test_an_adapter_that_is_asked_for_never_reads_another_text_than_its_own(reopened):
    opened, folder = reopened
    with opened(None) as agent:
        assert agent.recommend(history=["f3", "f8"], n=3, adapter="good").adapter == "good"
        edit(folder, "rank", "You ", "You always ")
        with pytest.raises(AdapterError, match="another text of the prompt rank"):
            agent.recommend(history=["f3", "f8"], n=3, adapter="good")
        assert agent.recommend(history=["f3", "f8"], n=3).adapter is None
        edit(folder, "rank", "You always ", "You ")
        assert agent.recommend(history=["f3", "f8"], n=3, adapter="good").adapter == "good"


def test_what_ranks_alone_names_items_where_a_title_would_be_spelled(two_gaits, tiny, tmp_path):
    shutil.copytree(two_gaits, tmp_path / "w")
    with Workspace.open(tmp_path / "w") as workspace:
        good = adapters_of(workspace).get("good")
    with Agent(Workspace.open(tmp_path / "w"), Settings(), ENCODER, served(tiny, good)) as agent:
        reply = agent.recommend(history=["f3", "f8"], n=3, strategy="generate")
    titles = [one.item.item_id for one in reply.recommendations]
    assert titles[0] == f"f{13 % N}" and len(set(titles)) == 3 and not {"f3", "f8"} & set(titles)
    scores = [candidate.scores["model"] for candidate in reply.candidates]
    assert scores == sorted(scores, reverse=True) and scores[0] < 0


def test_what_must_hold_to_pass():
    same, better, worse = (Interval(mean, mean - 0.01, mean + 0.01) for mean in (0.0, 0.1, -0.1))
    sides = {"before": better, "after": better, "grounded_before": better, "grounded_after": better}
    passing = Verdict(10, gain=better, grounded_gain=same, weight=0.3, weight_new=0.3, **sides)
    assert passing.passed and replace(passing, gain=same).passed
    assert not replace(passing, gain=worse).passed
    assert not replace(passing, grounded_gain=worse).passed
    assert not replace(passing, weight=0.0).passed  # then it adds nothing


def test_the_weight_is_judged_by_those_who_did_not_choose_it():
    sure = Judged(np.array([0.0, 1.0]), np.array([1.0, -1.0]), 0)  # the model alone is right
    unsure = Judged(np.array([1.0, 0.0]), np.array([-1.0, 1.0]), 0)  # the model alone is wrong
    assert best_weight([sure]) == MOST and best_weight([unsure]) == 0.0
    assert cross_fitted([sure, unsure]).tolist() == pytest.approx([1 / np.log2(3)] * 2)
    assert gains([replace(sure, chosen=-1)], 1.0).tolist() == [0.0]


def test_the_weight_is_that_by_which_people_choose():
    random = np.random.default_rng(0)
    judged = []
    for _ in range(3000):
        retrieval, model = random.normal(size=(2, 10))
        chosen = np.argmax(2.0 * retrieval + 0.8 * model + random.gumbel(size=10))  # a logit with these two weights
        judged.append(Judged(retrieval, model, int(chosen)))
    assert best_weight(judged) == pytest.approx(0.4, abs=0.05)
    assert best_weight([replace(one, chosen=-1) for one in judged]) == 0.0


def test_items_of_another_catalogue_with_the_same_ids_are_strangers(tuned, tiny):
    _, adapter = tuned
    generator = served(tiny, adapter)
    texts = ENCODER.encode(["the same text"] * 2)
    here, there = Item("f3", "Film Number 3 (1963)"), Item("f3", "A Book about Whales")
    own, strange = (generator.know([item_key(item)], texts[:1]) for item in (here, there))
    assert not torch.allclose(own, strange)
    assert torch.allclose(strange, generator.know(["unheard"], texts[1:]))
