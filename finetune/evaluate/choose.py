"""The list of everything that can be compared, each with its trials, and the opening of what was chosen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from agent.assets import language_model
from agent.build import open_encoder
from agent.errors import InputError
from agent.extras import how_to_install
from agent.files import replacing
from agent.generation.base import Generator
from agent.generation.prompting import PromptSet
from agent.progress import Progress, silent
from agent.retrieval.behaviour import SOFTNESS
from agent.retrieval.transitions import CONSTANTS
from agent.settings import Settings
from agent.workspace.encoder import Encoder
from agent.workspace.vectors import cached_vectors
from finetune.behaviour import REFIT_EPOCHS, REFIT_RATE
from finetune.evaluate.baselines import DecayedTransitions, Ease, ImplicitALS, ItemKNN, Popularity, TextSimilarity
from finetune.evaluate.data import Dataset
from finetune.evaluate.sasrec import BehaviourAlone, Sasrec
from finetune.evaluate.systems import Served, System, WholeAgent
from finetune.retrieval import MEMBERS
from finetune.training import VERSION

Setting = Mapping[str, float | int]

GROUPS = ("retrieval", "baselines", "model")
TRIALS, MOST_TRIALS = 4, 8  # settings that each tuned system may try on validation people; the first is its default
MADE_OF = f"{MEMBERS}, the first with texts"
REFIT = f"{REFIT_EPOCHS} epochs at {REFIT_RATE}"
# What decides behaviour, beside the data.
LEARNED = {"recipe": VERSION, "members": MADE_OF, "softness": SOFTNESS, "refit": REFIT}
OF_TEXT = ("fused", "text", "behaviour", "agent")  # what needs the text vectors


@dataclass(frozen=True)
class Contender:
    """A system that can be made with any of its trials; `identity` is what besides them decides its scores."""

    name: str
    group: str
    make: Callable[..., System]
    trials: tuple[Setting, ...] = ({},)
    identity: Mapping[str, Any] = field(default_factory=dict)


def without_models(trials: int = TRIALS, folder: Path | None = None) -> tuple[Contender, ...]:
    """Everything that needs no language model and no index; each tuned one with the same number of trials.

    `folder` keeps what training came to. Raises InputError for a number of trials below 1 or above MOST_TRIALS.
    """
    if not 1 <= trials <= MOST_TRIALS:
        raise InputError(f"A system can have from 1 to {MOST_TRIALS} trials; got {trials}.")
    sasrec, behaviour = partial(Sasrec, folder), partial(BehaviourAlone, folder)
    return (
        Contender("popularity", "baselines", Popularity),
        _tuned("item-knn", "baselines", ItemKNN, trials, neighbours=(100, 300), shrink=(10.0, 50.0), decay=(0.9, 0.8)),
        _tuned("ease", "baselines", Ease, trials, l2=(500.0, 250.0, 1000.0, 2000.0), decay=(0.9, 0.8)),
        _tuned("ials", "baselines", ImplicitALS, trials, factors=(32, 64), alpha=(2.0, 0.5), decay=(0.9, 0.8)),
        _tuned("sasrec", "baselines", sasrec, trials, layers=(2, 1), rate=(2e-3, 1e-3), dropout=(0.4, 0.2)),
        _tuned("text", "retrieval", TextSimilarity, trials, decay=(0.9, 0.95, 0.8, 1.0, 0.7, 0.98, 0.6, 0.5)),
        Contender("transitions", "retrieval", DecayedTransitions, identity=CONSTANTS),
        Contender("behaviour", "retrieval", behaviour, identity=LEARNED),
    )


def served(encoder: Encoder, settings: Settings, folder: Path | None = None) -> Contender:
    """Retrieval as served. It learns its weights on validation people when it is fitted, and has no trials."""
    identity = {"encoder": encoder.name, "candidates": settings.candidates, **LEARNED, **CONSTANTS}
    return Contender("fused", "retrieval", lambda: Served(encoder, settings.candidates, folder), identity=identity)


def whole_agent(
    encoder: Encoder, generator: Generator[Any, Any, Any], settings: Settings, prompts: str, folder: Path | None = None
) -> Contender:
    """The whole agent with this model; `prompts` is the hash of its prompt set."""
    weighed = {name: getattr(settings, name) for name in ("model_weight", "diversity", "history_in_prompt", "dtype")}
    identity = {
        **served(encoder, settings).identity,
        **weighed,
        "model": generator.name,
        "adapter": generator.adapter,
        "prompts": prompts,
    }
    return Contender("agent", "model", lambda: WholeAgent(encoder, generator, settings, folder), identity=identity)


def _tuned(name: str, group: str, make: Callable[..., System], trials: int, **values: tuple[float, ...]) -> Contender:
    # The first value of each setting makes the first trial; then the settings change one by one, the last the fastest.
    grid = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    return Contender(name, group, make, tuple(grid[:trials]))


def chosen(
    wanted: Sequence[str],
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    *,
    trials: int = TRIALS,
    vectors_file: Path | None = None,
    progress: Progress = silent,
) -> tuple[Dataset, tuple[Contender, ...]]:
    """Open what the wanted groups or systems need.

    Args:
        wanted: names of GROUPS or of single systems.
        dataset: comes back with its text vectors where one of the systems needs them.
        settings: say which encoder, model and prompts.
        folder: keeps the text vectors.
        trials: settings that each tuned system may try, from 1 to MOST_TRIALS.
        vectors_file: text vectors of a workspace, to begin with.
        progress: what is told how far long work has come.

    Raises:
        InputError: an unknown name, or the libraries of the extra `eval` are not installed.
        AssetError: a model cannot be had.
    """
    missing = [name for name in ("ir_measures", "pytrec_eval", "implicit", "matplotlib") if find_spec(name) is None]
    if missing:
        raise InputError(f"An evaluation needs {', '.join(missing)}: run {how_to_install('eval')}.")
    plain = without_models(trials, folder)
    groups = {c.name: c.group for c in plain} | {"fused": "retrieval", "agent": "model"}
    unknown = [name for name in wanted if name not in GROUPS and name not in groups]
    if unknown or not wanted:
        raise InputError(
            f"There is no system {unknown[0] if unknown else ''!r}. Give groups ({', '.join(GROUPS)}) or systems "
            f"({', '.join(sorted(groups))}), separated by commas."
        )
    names = {name for name, group in groups.items() if name in wanted or group in wanted}
    found = [contender for contender in plain if contender.name in names]
    if names & set(OF_TEXT):
        encoder = open_encoder(settings, progress)
        dataset = _encoded(dataset, encoder, folder, vectors_file, progress)
        found = [replace(c, identity={**c.identity, "encoder": encoder.name}) for c in found]
        if "fused" in names:
            found.append(served(encoder, settings, folder))
        if "agent" in names:
            found.append(_with_model(encoder, settings, folder, progress))
    return dataset, tuple(found)


def _encoded(
    dataset: Dataset, encoder: Encoder, folder: Path, vectors_file: Path | None, progress: Progress
) -> Dataset:
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"vectors-{dataset.fingerprint()}.npz"
    if vectors_file is not None and vectors_file.is_file() and not kept.exists():
        with replacing(kept) as draft:
            shutil.copy(vectors_file, draft)
    return replace(dataset, vectors=cached_vectors(kept, dataset.catalogue, encoder, progress))


def _with_model(encoder: Encoder, settings: Settings, folder: Path, progress: Progress) -> Contender:
    from agent.generation.local import LocalGenerator

    model = language_model(settings.model, settings.cache, progress)
    generator = LocalGenerator(model, dtype=settings.dtype, name=settings.model)
    prompts = PromptSet.named(settings.prompts)
    return whole_agent(encoder, generator, settings, prompts.get("rank").hash, folder)
