"""A CSV, JSONL or Parquet file as numbered rows. Nothing is interpreted here, and a broken row stops nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, NoReturn

from agent.errors import ImportDataError
from agent.progress import Progress, silent

Values = dict[str, Any]

NOT_UTF8 = "bytes that are not UTF-8 text"
FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_STEP = 10_000  # rows between two reports of progress


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is the physical line on which it starts, from 1 (Parquet: the row number).

    `values` is by column, or None when the row could not be read at all, and then `reason` says why.
    """

    line: int
    values: Values | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file with its column names. `rows()` reads it from the start, each time it is called."""

    path: Path
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]


def open_table(path: Path | str, progress: Progress = silent) -> Table:
    """Look at a file. ImportDataError when it is absent, empty, of an unknown kind or without columns.

    JSONL is read to its end for this: each row has names of its own, and the last may have one that no other has.
    """
    path = Path(path)
    if not path.is_file():
        raise ImportDataError(f"There is no file {path}. Give the path of a CSV, JSONL or Parquet file.")
    kind = FORMATS.get(Path(path.stem if _is_packed(path) else path.name).suffix.lower())
    if kind is None or (kind == "parquet" and _is_packed(path)):
        raise ImportDataError(
            f"{path.name} is of an unknown kind. Give a file that ends in {', '.join(FORMATS)}, or in .gz after that."
        )
    try:
        with _opened(path) as file:
            start = file.read(4)
    except (OSError, EOFError, zlib.error) as error:
        raise ImportDataError(f"{path} cannot be read: {error}. Check that it is whole and yours to read.") from error
    if not start:
        raise ImportDataError(f"{path.name} is empty. Give a file with at least one row.")
    if kind != "parquet" and start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ImportDataError(f"{path.name} is UTF-16 text. Save it as UTF-8 and import it again.")
    if kind == "jsonl":
        table = _jsonl_table(path, progress)
    else:
        table = _csv_table(path) if kind == "csv" else _parquet_table(path)
    return replace(table, rows=lambda: _whole(path, table.rows())) if _is_packed(path) else table


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if _is_packed(path) else path.open("rb")  # type: ignore[return-value]


def _text(path: Path) -> io.TextIOWrapper:
    # Bytes that are not UTF-8 become lone surrogates, so that their row can be told and the others read.
    return io.TextIOWrapper(_opened(path), encoding="utf-8-sig", errors="surrogateescape", newline="")


def _whole(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except (OSError, EOFError, zlib.error) as error:
        raise ImportDataError(f"{path.name} cannot be unpacked to its end ({error}). Fetch it again.") from error


class _Lines:
    """The physical lines of a text file, which can be taken back: one unclosed quote must not swallow the rest."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self._taken: list[str] = []
        self._before = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        return line

    def start_row(self) -> int:
        """Forget the lines of the row before; returns the number of the line that comes next, from 1."""
        self._before += len(self._taken)
        self._taken.clear()
        return self._before + 1

    @property
    def count(self) -> int:
        """How many lines the row has taken so far."""
        return len(self._taken)

    def take_back(self) -> None:
        """Give all lines of this row but the first to the rows that follow."""
        self._returned.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]


def _csv_table(path: Path) -> Table:
    with _text(path) as file:
        first = next((line for line in file if line.strip()), "")
    # Names hold separators far more rarely than rows do, so the first line tells.
    separator = max(",;\t", key=first.count)
    columns = tuple(name.strip() for name in next(csv.reader([first], delimiter=separator), []))
    _check_columns(path, columns)
    return Table(path, columns, lambda: _csv_rows(path, columns, separator))


def _csv_rows(path: Path, columns: tuple[str, ...], separator: str) -> Iterator[Row]:
    with _text(path) as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        header_seen = False
        while True:
            line = lines.start_row()
            try:
                cells = next(reader)
                reason = _wrong_width(cells, len(columns))
            except StopIteration:
                return
            except csv.Error as error:
                cells, reason = [""], f"not a CSV row ({error})"
            if not any(cell.strip() for cell in cells) and not reason:
                continue
            if not header_seen:
                header_seen = True
            elif reason:
                if lines.count > 1:
                    lines.take_back()
                    reason = f"a quote that is not closed well: {reason}"
                yield Row(line, None, reason)
            else:
                yield Row(line, dict(zip(columns, cells, strict=False)))


def _wrong_width(cells: list[str], width: int) -> str:
    if not any(cell.strip() for cell in cells):
        return ""
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        return f"{len(cells)} columns where the first line has {width}"
    return ""


def _jsonl_table(path: Path, progress: Progress) -> Table:
    columns: dict[str, None] = {}
    for count, row in enumerate(_whole(path, _jsonl_rows(path)), start=1):
        columns.update(dict.fromkeys(row.values or ()))
        if count % _STEP == 0:
            progress("look at columns", count, None)
    if not columns:
        raise ImportDataError(f"{path.name} has no line that holds a JSON object. Write one object on each line.")
    return Table(path, tuple(columns), lambda: _jsonl_rows(path))


def _jsonl_rows(path: Path) -> Iterator[Row]:
    with _opened(path) as file:  # binary: only "\n" ends a line, and text may hold other separators
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if text.strip():
                yield _jsonl_row(number, text)


def _jsonl_row(number: int, line: bytes) -> Row:
    try:
        values = _JSON.decode(line.decode("utf-8"))
    except UnicodeDecodeError:
        return Row(number, None, NOT_UTF8)
    except (ValueError, RecursionError) as error:
        return Row(number, None, f"not JSON ({str(error)[:80]})")
    if not isinstance(values, dict):
        return Row(number, None, f"a JSON {type(values).__name__} where an object is expected")
    return Row(number, values)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)  # json.loads would make one for each line


def _parquet_table(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns = tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise ImportDataError(f"{path.name} is not a Parquet file that can be read: {str(error)[:200]}.") from error
    _check_columns(path, columns)
    return Table(path, columns, lambda: _parquet_rows(path))


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=5000):
                for values in _plain_rows(batch):
                    number += 1
                    yield Row(number, values) if values is not None else Row(number, None, NOT_UTF8)
    except (pa.ArrowException, OSError) as error:
        raise ImportDataError(f"{path.name} breaks off after row {number}: {str(error)[:200]}.") from error


def _plain_rows(batch: Any) -> Iterator[Values | None]:  # noqa: ANN401 - a pyarrow RecordBatch
    """The rows of a batch; where one holds bytes that are no text, the batch is read row by row to find it."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for place in range(batch.num_rows):
            try:
                yield batch.slice(place, 1).to_pylist()[0]
            except UnicodeDecodeError:
                yield None


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ImportDataError(f"{path.name} has two columns named {twice!r}. Give each column a name of its own.")
    if any("\ud800" <= letter <= "\udfff" for name in columns for letter in name):
        raise ImportDataError(f"The column names of {path.name} are not UTF-8 text. Save it as UTF-8.")
