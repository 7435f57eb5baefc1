"""What a turn works with, all of one moment: the catalogue, and everything that is laid out by its positions.

A change of the catalogue makes all of it anew, aside, and one assignment puts it in the place of the old; a turn that
is under way goes on with what it began with. So no lock is held while anybody is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent import build
from agent.generation.base import Generator
from agent.listing import Lister
from agent.progress import Progress, silent
from agent.retrieval.fit import Fit
from agent.retrieval.lexical import Lexical
from agent.retrieval.likeness import Likeness, Shared
from agent.retrieval.named import Named
from agent.retrieval.reactions import Reactions
from agent.retrieval.transitions import Transitions
from agent.understanding.profile import best_rating
from agent.workspace.catalogue import Catalogue
from agent.workspace.encoder import Encoder
from agent.workspace.index import VectorIndex
from agent.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Serving:
    """The parts, each by the positions of `catalogue`. `best_rating` is the top of the scale of the stored ratings."""

    catalogue: Catalogue
    index: VectorIndex
    transitions: Transitions
    lexical: Lexical
    lister: Lister
    fit: Fit
    best_rating: float | None


def open_serving(
    workspace: Workspace,
    encoder: Encoder,
    generator: Generator[Any, Any, Any],
    progress: Progress = silent,
) -> Serving:
    """The parts as the store is now. What is up to date in the caches is read, and the rest is made again."""
    store = workspace.store
    items = store.items()  # once: reading them takes a second for each 30,000
    catalogue = Catalogue(items, store.attribute_types())
    columns = store.interaction_columns()
    transitions = build.open_transitions(workspace, progress, columns)
    meaning, lexical = build.open_meaning(workspace, encoder, items, progress), Lexical(items)
    vectors, told = meaning.whole.vectors, meaning.about.vectors
    behaviour, weights = build.open_behaviour(workspace, encoder.name, items, vectors, progress)
    trained = () if behaviour is None else (behaviour,)
    likeness = Likeness(transitions, vectors)
    named = Named(likeness, Shared(catalogue))
    reactions = Reactions(likeness, encoder, told)
    sources = (transitions, *trained, meaning, lexical, named, reactions)
    lister = Lister(catalogue, vectors, sources, weights, generator)
    fit = Fit(meaning, lexical, told)
    return Serving(catalogue, meaning.whole.index, transitions, lexical, lister, fit, best_rating(columns.values))
