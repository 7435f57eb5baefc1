"""Interactions and items as arrays: the one form in which a workspace or a folder of files is evaluated."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import ImportDataError, InputError
from agent.progress import Progress, silent
from agent.schema import AttributeType, AttributeValue, Interaction, Item
from agent.workspace.guessing import YEAR_IN_TITLE
from agent.workspace.mapping import AttributeMapping, InteractionMapping, ItemMapping, load_mapping
from agent.workspace.mapping import Mapping as Columns
from agent.workspace.movielens import MovieLens, readable_title
from agent.workspace.reading import InteractionsRead, ItemsRead, read_interactions, read_items
from agent.workspace.store import Store
from agent.workspace.vectors import item_text

_NO_GENRE = ("(no genres listed)", "unknown", "")
_FILM_TYPES: dict[str, AttributeType] = {"year": "number", "genres": "list"}
_GENRES_100K = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical "
    "Mystery Romance Sci-Fi Thriller War Western"
).split()


@dataclass(frozen=True)
class Dataset:
    """What people did with which items.

    `catalogue` holds the items; everything else speaks of them by their position in it. The rows of `users` (int64,
    into `user_ids`), `items` (int64, into `catalogue`), `values` and `timestamps` (float64, NaN where missing, seconds
    since 1970) are in the order of the source. `people` is what is known of a person beside that, by user id.
    `vectors` is float32 (items, dimension) with unit rows, or None as long as nothing was encoded. `numbers` says, from
    1, which row of a store each row is, whatever was removed before it; None where they are the first to the last.
    `remarks` are for the person who gave the files: how they were read, and what was left out.
    """

    name: str
    catalogue: tuple[Item, ...]
    attribute_types: Mapping[str, AttributeType]
    user_ids: tuple[str, ...]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    values: NDArray[np.float64]
    timestamps: NDArray[np.float64]
    people: Mapping[str, Mapping[str, AttributeValue]] = field(default_factory=dict)
    noun: str = "item"
    vectors: NDArray[np.float32] | None = None
    numbers: NDArray[np.int64] | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(a) for a in (self.users, self.items, self.values, self.timestamps)}
        if len(lengths) != 1:
            raise InputError(f"The columns of {self.name!r} have different lengths: {sorted(lengths)}.")
        if not self.catalogue or not len(self.users):
            raise InputError(
                f"{self.name!r} has {len(self.catalogue)} items and {len(self.users)} interactions; "
                "to learn or to measure takes some of both. Add some: vouchrec init WORKSPACE --update --items FILE "
                "--interactions FILE."
            )

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        """How many items the catalogue has."""
        return len(self.catalogue)

    def fingerprint(self) -> str:
        """Tells one data set from another: items with their texts, interactions, people."""
        digest = hashlib.sha256()
        for item in self.catalogue:
            digest.update(json.dumps([item.item_id, item_text(item)]).encode())
        digest.update(json.dumps([self.user_ids, {u: dict(a) for u, a in self.people.items()}]).encode())
        for array in (self.users, self.items, self.values, self.timestamps):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]


def from_store(store: Store, name: str) -> Dataset:
    """The data set of a workspace; InputError when it has no interactions."""
    columns = store.interaction_columns()
    people = {user_id: attributes for user_id in columns.user_ids if (attributes := store.person(user_id))}
    return Dataset(
        name,
        tuple(store.items()),
        store.attribute_types(),
        columns.user_ids,
        columns.users.astype(np.int64),
        columns.items.astype(np.int64),
        columns.values,
        columns.timestamps,
        people,
        str(store.get_meta("noun", "item")),
        numbers=store.interaction_numbers(),
    )


def from_interactions(
    name: str,
    items: Sequence[Item],
    types: Mapping[str, AttributeType],
    interactions: Iterable[Interaction],
    people: Mapping[str, Mapping[str, AttributeValue]] | None = None,
    noun: str = "item",
) -> Dataset:
    """The data set of these items and interactions; an interaction with an item that is not there is an InputError."""
    place = {item.item_id: position for position, item in enumerate(items)}
    codes: dict[str, int] = {}
    rows = []
    for i in interactions:
        if i.item_id not in place:
            raise ImportDataError(f"The interactions of {name!r} speak of the item {i.item_id!r}, which it lacks.")
        value = np.nan if i.value is None else i.value
        moment = np.nan if i.timestamp is None else i.timestamp
        rows.append((codes.setdefault(i.user_id, len(codes)), place[i.item_id], value, moment))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Dataset(
        name,
        tuple(items),
        dict(types),
        tuple(codes),
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        table[:, 2].copy(),
        table[:, 3].copy(),
        people or {},
        noun,
    )


def read_movielens(movielens: MovieLens, name: str = "movielens-100k") -> Dataset:
    """MovieLens-100K as `vouchrec init --dataset movielens-100k` takes it in."""
    people = movielens.people()
    return from_interactions(name, movielens.items(), _FILM_TYPES, movielens.interactions(), people, "film")


def read_folder(folder: Path | str, progress: Progress = silent) -> Dataset:
    """A data set from a folder: MovieLens latest, 1M or 100K as GroupLens packs them, or plain files.

    Plain files are `items` and `interactions`, each .csv, .tsv, .jsonl or .parquet, with columns that a `mapping.yaml`
    beside them explains or that are guessed as `vouchrec init` guesses them.

    Raises:
        ImportDataError: the folder is absent, holds none of these, or a file is not laid out as expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImportDataError(f"There is no folder {folder}. Give a folder that holds {_layouts()}.")
    for files, _, read in _LAYOUTS:
        if all((folder / file).is_file() for file in files):
            return read(folder, progress)
    if (items := _table(folder, "items")) and (events := _table(folder, "interactions")):
        return _plain(folder, items, events, progress)
    found = ", ".join(sorted(p.name for p in folder.iterdir())[:8]) or "nothing"
    raise ImportDataError(f"{folder} holds {found}. Expected {_layouts()}.")


def with_texts(dataset: Dataset, path: Path | str, progress: Progress = silent) -> Dataset:
    """The same data set with the texts and lists of words that a file of items has under the same ids.

    The file is read as `vouchrec init` reads a catalogue; InputError when it has not one id of the data set.
    """
    found = {item.item_id: item for item in read_items(path, None, progress).items}
    told = [found.get(item.item_id) for item in dataset.catalogue]
    if not any(told):
        raise InputError(
            f"{Path(path).name} has no item of {dataset.name!r}: its ids look like {next(iter(found))!r}, those of the "
            f"data set like {dataset.catalogue[0].item_id!r}. Give a file with the same item ids."
        )
    catalogue = tuple(
        item if new is None else replace(item, text=new.text or item.text, attributes=_with_lists(item, new))
        for item, new in zip(dataset.catalogue, told, strict=True)
    )
    lists: dict[str, AttributeType] = {
        name: "list" for item in catalogue for name, value in item.attributes.items() if isinstance(value, tuple)
    }
    return replace(dataset, catalogue=catalogue, attribute_types={**lists, **dataset.attribute_types}, vectors=None)


def restricted(dataset: Dataset, rows: NDArray[np.bool_]) -> Dataset:
    """Only these interactions, with only the people and items that they speak of."""
    users, items = np.unique(dataset.users[rows]), np.unique(dataset.items[rows])
    user_ids = tuple(dataset.user_ids[u] for u in users)
    return replace(
        dataset,
        catalogue=tuple(dataset.catalogue[i] for i in items),
        user_ids=user_ids,
        users=np.searchsorted(users, dataset.users[rows]),
        items=np.searchsorted(items, dataset.items[rows]),
        values=dataset.values[rows],
        timestamps=dataset.timestamps[rows],
        people={u: dataset.people[u] for u in user_ids if u in dataset.people},
        vectors=None if dataset.vectors is None else dataset.vectors[items],
        numbers=None if dataset.numbers is None else dataset.numbers[rows],
    )


def _with_lists(item: Item, new: Item) -> dict[str, AttributeValue]:
    lists = {name: value for name, value in new.attributes.items() if isinstance(value, tuple)}
    return {**lists, **item.attributes}


# -- plain files


def _table(folder: Path, stem: str) -> Path | None:
    candidates = (folder / f"{stem}{suffix}" for suffix in (".csv", ".tsv", ".jsonl", ".parquet"))
    return next((path for path in candidates if path.is_file()), None)


def _plain(folder: Path, items: Path, events: Path, progress: Progress) -> Dataset:
    mapping = load_mapping(folder / "mapping.yaml") if (folder / "mapping.yaml").is_file() else None
    catalogue = read_items(items, mapping, progress)
    known = {item.item_id for item in catalogue.items}
    read = read_interactions(events, mapping, known, progress)
    dataset = from_interactions(folder.name, catalogue.items, catalogue.attribute_types, read.interactions)
    return replace(dataset, remarks=_remarks(items, catalogue) + _remarks(events, read))


def _remarks(path: Path, read: ItemsRead | InteractionsRead) -> tuple[str, ...]:
    said = [f"{path.name}: {warning}" for warning in read.warnings]
    if read.guessed:
        said.append(
            f"The columns of {path.name} were read as follows (save as mapping.yaml beside it and edit to change):"
        )
        said += [f"  {line}" for line in read.mapping.as_yaml().rstrip().splitlines()]
    if read.rejected_count:
        first = read.rejected[0]
        said.append(f"{path.name}: rows left out: {read.rejected_count:,}, first line {first.line:,}: {first.reason}")
    return tuple(said)


# -- MovieLens as GroupLens packs it


def _latest(folder: Path, progress: Progress) -> Dataset:
    columns = Columns(
        items=ItemMapping(
            item_id="movieId", title="title", attributes={"genres": AttributeMapping(column="genres", type="list")}
        ),
        interactions=InteractionMapping(user_id="userId", item_id="movieId", value="rating", timestamp="timestamp"),
    )
    movies, ratings = folder / "movies.csv", folder / "ratings.csv"
    read = read_items(movies, columns, progress)
    films = [_film(i.item_id, i.title, i.words("genres")) for i in read.items]
    known = {film.item_id for film in films}
    events = read_interactions(ratings, columns, known, progress)
    dataset = from_interactions(folder.name, films, _FILM_TYPES, events.interactions, noun="film")
    return replace(dataset, remarks=_remarks(movies, read) + _remarks(ratings, events))


def _one_million(folder: Path, progress: Progress) -> Dataset:
    rows = _rows(folder / "movies.dat", "::", 3)
    films = [_film(item_id, title, genres.split("|")) for item_id, title, genres in rows]
    people = {
        user: {"gender": gender, "age": age, "occupation": occupation}
        for user, gender, age, occupation, _ in (
            _rows(folder / "users.dat", "::", 5) if (folder / "users.dat").is_file() else ()
        )
    }
    events = _ratings(_rows(folder / "ratings.dat", "::", 4), folder / "ratings.dat", progress)
    return from_interactions(folder.name, films, _FILM_TYPES, events, people, "film")


def _hundred_thousand(folder: Path, progress: Progress) -> Dataset:
    films = []
    for item_id, title, _, _, _, *flags in _rows(folder / "u.item", "|", 5 + len(_GENRES_100K)):
        genres = [name for name, flag in zip(_GENRES_100K, flags, strict=True) if flag == "1"]
        if title not in ("unknown", ""):
            films.append(_film(item_id, title, genres))
    known = {film.item_id for film in films}
    people = {}
    if (folder / "u.user").is_file():
        for user, age, gender, occupation, _ in _rows(folder / "u.user", "|", 5):
            people[user] = {"age": age, "gender": gender, "occupation": occupation}
    events = _ratings(_rows(folder / "u.data", "\t", 4), folder / "u.data", progress)
    kept = (event for event in events if event.item_id in known)
    return from_interactions(folder.name, films, _FILM_TYPES, kept, people, "film")


def _film(item_id: str, title: str, genres: Iterable[str]) -> Item:
    """A film as `agent.workspace.movielens` spells it: "Toy Story (1995)", the article where it is spoken."""
    match = YEAR_IN_TITLE.search(title.strip())
    name = readable_title(title.strip()[: match.start()] if match else title.strip())
    known = tuple(g for g in genres if g not in _NO_GENRE)
    attributes: dict[str, AttributeValue] = {"year": int(match[1])} if match else {}
    if known:
        attributes["genres"] = known
    kind = f"{', '.join(known) or 'A'} film"
    text = f"{kind} of the {match[1][:3]}0s, from {match[1]}." if match else f"{kind}."
    return Item(item_id, f"{name} ({match[1]})" if match else name, text, attributes)


def _ratings(rows: Iterable[Sequence[str]], file: Path, progress: Progress) -> Iterator[Interaction]:
    for number, (user, item, rating, moment) in enumerate(rows, start=1):
        try:
            yield Interaction(user, item, "rating", float(rating), float(moment))
        except ValueError as error:
            raise ImportDataError(f"{file}, row {number}: expected a rating and a time in seconds ({error}).") from None
        if number % 50_000 == 0:
            progress("read interactions", number, None)


def _rows(file: Path, separator: str, width: int) -> Iterator[list[str]]:
    """The rows of a file in the encoding that GroupLens used then."""
    with file.open(encoding="latin-1", newline="") as lines:
        single = len(separator) == 1
        rows = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE) if single else (
            line.rstrip("\r\n").split(separator) for line in lines
        )  # fmt: skip
        for number, row in enumerate(rows, start=1):
            if len(row) == width:
                yield row
            elif row and any(row):
                raise ImportDataError(f"{file}, line {number}: {len(row)} values; expected {width}.")


_Reader = Callable[[Path, Progress], Dataset]
_LAYOUTS: tuple[tuple[tuple[str, ...], str, _Reader], ...] = (
    (("movies.csv", "ratings.csv"), "MovieLens latest", _latest),
    (("movies.dat", "ratings.dat"), "MovieLens-1M", _one_million),
    (("u.item", "u.data"), "MovieLens-100K", _hundred_thousand),
    (
        ("ml-100k.item", "ml-100k.inter", "ml-100k.user"),
        "MovieLens-100K in RecBole's form",
        lambda folder, _: read_movielens(MovieLens(folder)),
    ),
)


def _layouts() -> str:
    packed = [f"{' and '.join(files)} ({name})" for files, name, _ in _LAYOUTS]
    return "; or ".join([*packed, "items.csv and interactions.csv (also .tsv, .jsonl, .parquet)"])
