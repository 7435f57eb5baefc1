"""What data may carry into a prompt: titles, requests and facts are text on one line, and never a chat token."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

TITLE_CHARS = 200
TEXT_CHARS = 2000
MAX_INPUT_CHARS = 128 * 1024
MAX_ENTRIES = 1000
MAX_DEPTH = 4

# Chat tokens begin with "<" and a letter, bar or slash ("<|im_start|>", "</s>", "<start_of_turn>"), or are one of a few
# words in brackets ("[INST]"). "<3", "<= 90" and the film "[REC]" are none, and stay.
_CHAT_TOKEN = re.compile(r"[<＜](?=[^\s\d=<＜…-])|\[(?=/?(?:INST|BOS|EOS|PAD|UNK|CLS|SEP|MASK|IMG|[A-Z]+_[A-Z_]+)\])")
_WHOLE_TOKEN = re.compile(r"[<＜][|｜][^\s<>]*[|｜][>＞]")
_JOINERS = "\u200c\u200d"  # Persian words and emoji are spelled with these two


def clean(text: str, limit: int = TEXT_CHARS) -> str:
    """Text as data in a prompt: one line, nothing invisible, no chat token, at most `limit` characters.

    Runs of whitespace (newlines too) become one space, so that a value never looks like a line of the template. Control
    and format characters go, except the two joiners; a lone surrogate becomes U+FFFD. A chat token is broken by a space
    after its first character ("< |im_start|>"). What is too long is cut and ends in "…". `clean(clean(x)) == clean(x)`.
    """
    text = text[: 8 * limit]  # bounds the work; only text that is mostly invisible can lose more by it
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    text = _CHAT_TOKEN.sub(r"\g<0> ", " ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_title(title: str) -> str:
    """A title as prompts show it. Score and train on this very text, or the tokens differ from those of the prompt."""
    return clean(title, TITLE_CHARS)


def chat_token(text: str) -> str | None:
    """The first chat token ("<|im_end|>") in a rendered text, where pieces may have made one; None if none."""
    found = _WHOLE_TOKEN.search(text)
    return found[0] if found else None


def clean_value(value: object, name: str) -> object:
    """A fresh copy of an input, made of dict, list, str, int, float and bool only, every text cleaned.

    Texts under the name `title`, at any depth, keep `TITLE_CHARS` characters, all others `TEXT_CHARS`.

    Raises:
        ValueError: another type, too many entries or characters, or a number out of range; the message says which.
    """
    copy, size = _copy(value, name, 0)
    if size > MAX_INPUT_CHARS:
        raise ValueError(f"{name} holds {size} characters, the limit is {MAX_INPUT_CHARS}; give fewer entries")
    return copy


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category in ("Cc", "Cf") and character not in _JOINERS else character


def _copy(value: object, name: str, depth: int) -> tuple[object, int]:
    if isinstance(value, str):
        text = clean_title(value) if name == "title" else clean(value)
        return text, len(text)
    if isinstance(value, bool | int | float):
        if not abs(value) < 1e15:  # False for NaN and infinity too
            raise ValueError(f"{name} holds a number that is not finite or not below 1e15")
        return value, 1
    if isinstance(value, Mapping):
        pairs = [(clean(str(key)), _copy(entry, str(key), depth + 1)) for key, entry in _entries(value, name, depth)]
        return {key: entry for key, (entry, _) in pairs}, sum(len(key) + size for key, (_, size) in pairs)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        parts = [_copy(entry, name, depth + 1) for _, entry in _entries(value, name, depth)]
        return [entry for entry, _ in parts], sum(size for _, size in parts)
    raise ValueError(
        f"{name} holds a {type(value).__name__}; prompts take text, numbers, true/false, lists and objects. "
        "Leave out what is not known"
    )


def _entries(
    value: Mapping[object, object] | Sequence[object], name: str, depth: int
) -> Iterator[tuple[object, object]]:
    if len(value) > MAX_ENTRIES or depth > MAX_DEPTH:
        raise ValueError(
            f"{name} holds {len(value)} entries at depth {depth}; the limits are {MAX_ENTRIES} and {MAX_DEPTH}"
        )
    yield from value.items() if isinstance(value, Mapping) else enumerate(value)
