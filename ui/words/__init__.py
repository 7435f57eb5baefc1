"""The words of the page, one file a language: each holds the same keys, with the same values to fill in.

Words are plain text: whoever puts them into HTML escapes them once they are filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

COOKIE = "vouchrec-language"  # what somebody chose on the page; page.js writes it


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language; `language` is the name of its file, such as "en"."""

    language: str
    said: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The words under a key such as "top.send", filled in; KeyError for one that no file has."""
        return self.said[key].format(**values)

    def named(self, family: str, name: str) -> str:
        """What a thing of ours is called, such as a stage of a turn; its own name where the family lacks it."""
        return self.said.get(f"{family}.{name}", name)

    @property
    def other(self) -> Words:
        """The next language, for the switch."""
        names = list(WORDS)
        return WORDS[names[(names.index(self.language) + 1) % len(names)]]


def chosen(query: Mapping[str, str], cookies: Mapping[str, str], headers: Mapping[str, str]) -> Words:
    """The language for a visitor: that of `?language=`, else what was chosen before, else what the browser prefers."""
    for given in (query.get("language"), cookies.get(COOKIE), *_preferred(headers.get("accept-language", ""))):
        primary = (given or "").split("-")[0].strip().lower()
        if primary in WORDS:
            return WORDS[primary]
    return ENGLISH


def _preferred(header: str) -> list[str]:
    """The language tags of an Accept-Language header, the most wanted first."""
    tags = []
    for part in header.split(","):
        tag, _, quality = part.partition(";q=")
        try:
            tags.append((-float(quality or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for quality, tag in sorted(tags, key=lambda one: one[0]) if quality < 0]


def _read(language: str) -> Words:
    text = Path(__file__).with_name(f"{language}.yaml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(yaml.safe_load(text), "")))


def _flat(branch: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, below in branch.items():
        if isinstance(below, dict):
            yield from _flat(below, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(below)


ENGLISH = _read("en")
WORDS: Mapping[str, Words] = {"en": ENGLISH, "zh": _read("zh")}
