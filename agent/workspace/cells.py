"""One value of an imported file as a word, number, list or moment; RowError says why a value cannot be one."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from agent.workspace.rows import NOT_UTF8

MAX_ID = 200
MAX_TITLE = 500
MAX_TEXT = 20_000
MAX_WORD = 500
MAX_WORDS = 500

_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GLUED = re.compile(r"""['"]\s+['"]""")  # as numpy writes lists: Python takes two such words for one
_MISSING = {"", r"\N"}


class RowError(Exception):
    """Why a row is rejected. Never leaves the reading modules."""


def as_text(value: object, column: str) -> str:
    """The value as text without blanks around it; "" when it is missing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # ids become 3.0 where a table had a gap somewhere in the column
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, date):  # datetimes are dates as well
        value = value.isoformat()
    if not isinstance(value, str | int | float | Decimal):
        raise RowError(f"{column!r} holds a {type(value).__name__} where text is expected")
    if isinstance(value, float) and not math.isfinite(value):
        raise RowError(f"{column!r} is {value}, which is no number")
    text = str(value).strip()
    if "\0" in text:
        raise RowError(f"{column!r} holds a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        escaped = any("\udc80" <= letter <= "\udcff" for letter in text)
        raise RowError(f"{column!r} holds {NOT_UTF8 if escaped else 'a lone surrogate'}")
    return "" if text in _MISSING else text


def as_line(value: object, column: str, longest: int) -> str:
    """The value as one line of text; "" when it is missing."""
    text = " ".join(as_text(value, column).split())
    if len(text) > longest:
        raise RowError(f"{column!r} has {len(text)} characters, more than {longest}")
    return text


def as_number(value: object, column: str) -> int | float | None:
    """The value as a finite number, whole ones as int; None when it is missing."""
    if value is None or isinstance(value, str) and value.strip() in _MISSING:
        return None
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, str):
        value = _parse_number(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowError(f"{column!r} is no number")
    if isinstance(value, int) and 2**53 < abs(value) < 10**300:
        value = float(value)  # what is larger no longer compares exactly, here as everywhere
    if isinstance(value, int) and abs(value) > 2**53 or not math.isfinite(value):
        raise RowError(f"{column!r} is no finite number")
    return value


def as_words(value: object, column: str, separator: str, key: str | None = None) -> tuple[str, ...]:
    """The value as a list of words, each once: a list as it is, a text in brackets read as one, any other text cut.

    With a `key`, the word of an object in the list is what it has there.
    """
    parts: Iterable[object]
    if isinstance(value, list | tuple):
        parts = value
    else:
        text = as_text(value, column)
        array = as_array(text, column)
        parts = text.split(separator) if array is None else array
    if key is not None:
        parts = (part.get(key) if isinstance(part, dict) else part for part in parts)
    words = tuple(dict.fromkeys(word for part in parts if (word := as_line(part, column, MAX_WORD))))
    if len(words) > MAX_WORDS:
        raise RowError(f"{column!r} has {len(words)} words, more than {MAX_WORDS}")
    return words


def as_array(text: str, column: str) -> list[object] | None:
    """What a text in brackets holds, as JSON or Python (which is how pandas saves lists) writes it; None without."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for read in (json.loads,) if _GLUED.search(text) else (json.loads, ast.literal_eval):
        try:
            return list(read(text))
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
    raise RowError(f"{column!r} is in brackets, but no list that can be read; write it as JSON, or declare it a word")


def as_moment(value: object, column: str) -> float | None:
    """The value as seconds since 1970. Takes seconds, milli-, micro- and nanoseconds, and ISO dates (UTC if unsaid)."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.strip()) and value.strip() not in _MISSING:
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise RowError(f"{column!r} is neither seconds since 1970 nor an ISO date") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    seconds = as_number(value, column)
    while seconds is not None and abs(seconds) > 1e11:  # in seconds that would be the year 5138
        seconds = seconds / 1000
    return None if seconds is None else float(seconds)


def _parse_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) or text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return float(text)
    return None
