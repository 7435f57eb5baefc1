"""What several tests share: a small catalogue without models, and the real agent over MovieLens-100K."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from agent.agent import Agent
from agent.build import _COMPLETE, build
from agent.generation.fake import FakeGenerator
from agent.schema import Interaction, Item
from agent.settings import Settings, load_settings
from agent.workspace.encoder import HashEncoder
from agent.workspace.workspace import Workspace
from ui.guest import Guest

pytest.register_assert_rewrite("pages")
# A machine may be slow, or busy with something else: what is drawn must hold, however long it takes.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SOON = 120.0  # seconds that a test waits for what must happen

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


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Takes no more processor time of this thread: on a busy machine a second of it may do the work of a third."""
    started = time.thread_time()
    yield
    assert time.thread_time() - started < seconds


def until(holds: Callable[[], object]) -> None:
    """Wait for what must happen soon in another thread."""
    end = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def in_a_loop(call: Callable[..., Any], *arguments: object, **named: object) -> Any:  # noqa: ANN401 - as `call` does
    """Gradio makes an event loop that it never closes, unless one runs already."""

    async def called() -> Any:  # noqa: ANN401
        return call(*arguments, **named)

    return asyncio.run(called())


def in_a_thread(call: Callable[..., Any], *arguments: object, **named: object) -> Any:  # noqa: ANN401
    """As `in_a_loop`, in another thread: in that of a test the loop of playwright may run."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(in_a_loop, call, *arguments, **named).result()


@contextmanager
def served_page(make: Callable[[], Any], **options: object) -> Iterator[str]:
    """The address of a page that `make` builds, no slash at its end; `options` are those of `ui.front.start`."""
    from ui.front import start

    page = in_a_thread(make)
    url = in_a_thread(start, page, port=0, **options)
    try:
        yield url.rstrip("/")
    finally:
        in_a_thread(page.close, verbose=False)


@pytest.fixture(scope="module")  # while it is open, no other event loop can run in this thread
def browser() -> Iterator[object]:
    from pages import opened_browser

    with opened_browser() as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Agent]:
    with open_small(tmp_path / "workspace") as agent:
        yield agent


@pytest.fixture
def guest(small: Agent) -> Guest:
    """Somebody new at the page over the small catalogue."""
    return Guest(small)


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
