"""What several tests share: a small catalogue without models, and the real agent over MovieLens-100K."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.agent import Agent
from agent.build import _COMPLETE, build
from agent.generation.fake import FakeGenerator
from agent.schema import Interaction, Item
from agent.settings import Settings, load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace

FILMS = (
    ("1", "Alien (1979)", ("Horror", "Sci-Fi"), "A crew far from home and something in the walls."),
    ("2", "Aliens (1986)", ("Action", "Sci-Fi"), "Marines go back to the colony."),
    ("3", "Blade Runner (1982)", ("Sci-Fi", "Film-Noir"), "A tired hunter of artificial people."),
    ("4", "Scream (1996)", ("Horror", "Thriller"), "A tense and funny slasher about slashers."),
    ("5", "Toy Story (1995)", ("Animation", "Comedy"), "Toys come alive when nobody looks."),
    ("6", "Fargo (1996)", ("Crime", "Drama"), "A funny, tense kidnapping in the snow."),
    ("7", "Airplane! (1980)", ("Comedy",), "Everything on this flight is a joke."),
    ("8", "The Godfather (1972)", ("Crime", "Drama"), "A family and its business."),
    ("9", "Heat (1995)", ("Action", "Crime", "Thriller"), "A thief and a policeman."),
    ("10", "Hamlet (1948)", ("Drama",), "A prince hesitates."),
    ("11", "Hamlet (1996)", ("Drama",), "A prince hesitates at full length."),
    ("12", "Chasing Amy (1997)", ("Romance", "Drama"), "Two artists and what they do not say."),
    ("13", "Chasing Amy (1997)", ("Romance", "Drama"), "The same film under another number."),
)


def films() -> list[Item]:
    return [Item(i, title, text, {"year": int(title[-5:-1]), "genres": genres}) for i, title, genres, text in FILMS]


def events() -> list[Interaction]:
    """Twelve people; ten like Alien, and eight of those go on to like Aliens. Person "p0" has only seen Alien."""
    found = [Interaction("p0", "1", "rating", 3.0, 1.0)]
    for person in range(1, 11):
        found.append(Interaction(f"p{person}", "1", "rating", 5.0, 10.0))
        if person <= 8:
            found.append(Interaction(f"p{person}", "2", "rating", 4.0, 20.0))
        found.append(Interaction(f"p{person}", "9", "rating", 1.0, 30.0))
    found.append(Interaction("p11", "5", "rating", 5.0, 40.0))
    return found


def open_small(path: Path, generator: FakeGenerator | None = None, **flags: object) -> Agent:
    """An agent over the small catalogue, with the shipped fakes; real store, real Chroma."""
    workspace = Workspace.create(path)
    workspace.store.put_attribute_types({"year": "number", "genres": "list"})
    workspace.store.put_items(films())
    workspace.store.put_interactions(events())
    workspace.store.set_meta("noun", "film")
    workspace.store.set_meta(_COMPLETE, True)
    return Agent(workspace, load_settings(path, **flags), HashEncoder(64), generator or FakeGenerator())


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Agent]:
    with open_small(tmp_path / "workspace") as agent:
        yield agent


@pytest.fixture(scope="session")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of MovieLens-100K, made as a person would; models and data are fetched once for each machine."""
    path = tmp_path_factory.mktemp("movielens") / "workspace"
    build(path, settings=Settings(), dataset="movielens-100k")
    return path


@pytest.fixture(scope="session")
def real(movielens: Path) -> Iterator[Agent]:
    """The real agent: the embedded language model in float32, where packed scores must equal single ones closely."""
    with Agent.open(movielens, dtype="float32") as agent:
        yield agent
