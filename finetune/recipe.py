"""How the language model is tuned: one YAML file a run, every name with its meaning, presets for a CPU and a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import InputError

WRITTEN = ("spell", "justify", "understand", "clarify")  # the tasks that end in words
PRESETS = Path(__file__).parent / "presets"
# What an adapter that is tuned further decides.
OF_START = ("rank", "alpha", "dropout", "rslora", "dora", "targets", "width", "depth", "window", "seed")


class Steps(BaseModel):
    """What every tuning of the language model has: how many steps, how far each goes, when it is enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(6, ge=1, description="Passes over all people.")
    rate: float = Field(5e-4, gt=0, description="Learning rate of LoRA, at its highest.")
    item_rate: float = Field(2e-3, gt=0, description="Learning rate of the item vectors.")
    batch: int = Field(16, ge=1, description="People in one step.")
    average: float = Field(0.98, ge=0, lt=1, description="How much of the average of the weights stays at each step.")
    patience: int = Field(2, ge=1, description="Stop so many passes after the best one on validation people.")
    seed: int = Field(0, ge=0, description="Decides every draw.")
    report_to: Literal["none", "tensorboard", "trackio"] = Field("none", description="Who draws curves of the run.")


class SftConfig(Steps):
    """How to tune on histories. Read from YAML; a name that is not here is refused."""

    rank: int = Field(8, ge=1, description="Rank of LoRA.")
    alpha: float = Field(16, gt=0, description="Scale of LoRA.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of LoRA's inputs that is left out; costs a third.")
    rslora: bool = Field(False, description="Scale by the root of the rank.")
    dora: bool = Field(False, description="Weight-decomposed LoRA; slower on a CPU.")
    bits: Literal[4] | None = Field(None, description="Hold the base model in 4 bits (QLoRA), on a GPU; else whole.")
    targets: tuple[str, ...] = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        description="The linear maps that LoRA is put on.",
    )
    width: int = Field(128, ge=8, description="Numbers in an item's vector.")
    depth: int | None = Field(None, ge=1, description="Layers that are read before the next item is told; else all.")
    item_dropout: float = Field(0.2, ge=0, lt=1, description="Share of what is read of the items that is left out.")
    forget: float = Field(0.1, ge=0, lt=1, description="Share of the items whose own part is left out, each step.")
    window: int = Field(200, ge=2, description="Items of a history at most.")
    shares: dict[str, float] = Field({"next": 0.8, "request": 0.2}, description="Of each task among the examples.")
    token_weight: float = Field(0.1, ge=0, description="Of the loss on tokens beside that on items.")
    replay: float = Field(
        0.3, ge=0, le=0.9, description="Share of what was learned before, where an adapter is tuned further."
    )

    @property
    def ranks_alone(self) -> bool:
        """Whether nothing in it needs the layers after `depth`, so that LoRA stays out of them."""
        return not any(self.shares.get(task, 0) > 0 for task in WRITTEN)


class PreferenceConfig(Steps):
    """How to tune on what was liked and disliked. The steps are small: what it starts from ranks already."""

    epochs: int = Field(5, ge=1, description="Passes over all pairs.")
    rate: float = Field(1e-4, gt=0, description="Learning rate of LoRA, at its highest.")
    item_rate: float = Field(5e-4, gt=0, description="Learning rate of the item vectors.")
    batch: int = Field(8, ge=1, description="People in one step.")
    average: float = Field(0.9, ge=0, lt=1, description="How much of the average of the weights stays at each step.")
    beta: float = Field(1.0, gt=0, description="How dear it is to leave what the adapter said before.")
    likelihood: float = Field(0.1, ge=0, description="Of the log-likelihood of what was liked, beside the pairs.")
    apart: float = Field(0.2, gt=0, lt=1, description="Share of the pairs that is kept apart, to say when to stop.")


def read_config(path: Path | str, changes: Mapping[str, Any] | None = None, **flags: Any) -> SftConfig:  # noqa: ANN401
    """A preset by its name, or a YAML file; `changes` win, and flags that are not None, by the names of the fields.

    Raises:
        InputError: what is wrong where.
    """
    file = PRESETS / f"{path}.yaml" if (PRESETS / f"{path}.yaml").is_file() else Path(path)
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.yaml")))
        raise InputError(f"There is no preset or file {str(path)!r}. The presets are: {known}.") from error
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{file} cannot be read as YAML: {error}.") from error
    if not isinstance(said, dict):
        raise InputError(f"{file} must hold names and values, such as 'epochs: 6'; it holds a {type(said).__name__}.")
    given = {name: value for name, value in flags.items() if value is not None} | dict(changes or {})
    try:
        return SftConfig(**{**said, **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = name if first["loc"][0] in given else f"{name} in {file}"
        raise InputError(f"{where} cannot be {first.get('input')!r}: {first['msg']}.") from error


def assigned(said: Sequence[str]) -> dict[str, Any]:
    """Values by name, each said as "name=value" with the value in YAML. InputError for what is not."""
    found = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"{one!r} should be a name and a value, such as dora=true.")
        if name.strip() not in SftConfig.model_fields:
            raise InputError(f"{one!r}: no recipe has that name. There are: {', '.join(SftConfig.model_fields)}.")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"The value of {one!r} cannot be read as YAML: {error}.") from error
    return found
