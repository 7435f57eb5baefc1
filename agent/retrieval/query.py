"""From what is known of a person and what they want to what retrieval is asked: all of it by catalogue position."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from agent.retrieval.base import Query
from agent.schema import Intent, Profile
from agent.understanding.moods import as_kinds, with_kinds
from agent.workspace.catalogue import Catalogue
from agent.workspace.index import VectorIndex


def allowed_for(
    profile: Profile, intent: Intent, excluded: Iterable[str], catalogue: Catalogue, index: VectorIndex
) -> NDArray[np.bool_]:
    """Which items may be recommended: they meet all filters, and no edition of them was seen, named or excluded."""
    allowed = np.ones(len(catalogue), dtype=bool)
    if intent.filters:
        allowed[:] = False
        meant = [catalogue.in_every_case(f) for f in intent.filters]
        allowed[catalogue.positions(index.ids_where(meant))] = True
    gone = {*profile.seen, *profile.history, *intent.likes, *intent.dislikes, *excluded}
    allowed[catalogue.positions(catalogue.editions(gone))] = False
    return allowed


def query_for(profile: Profile, intent: Intent, allowed: NDArray[np.bool_], catalogue: Catalogue) -> Query:
    """The query of this person with this request, out of the items that are allowed."""
    place, known = catalogue.positions, catalogue.position
    felt = {i: said for i, said in profile.reactions.items() if i not in intent.likes}
    felt |= {i: -1 for i in intent.dislikes if i not in intent.declined}
    recent = [i for i in profile.history if i not in intent.likes and i not in intent.dislikes]
    times = [profile.times.get(i, np.nan) for i in recent if i in known]
    liked = place(intent.likes)
    return Query(
        history=np.concatenate([place(recent), liked]),
        times=np.concatenate([times, np.full(len(liked), np.nan)]),  # what was just named is the newest, in order
        wishes=with_kinds(intent.wishes, catalogue.vocabulary),
        words=as_kinds(intent.wishes, catalogue.vocabulary),
        avoids=with_kinds(intent.avoids, catalogue.vocabulary),
        filters=tuple(map(catalogue.in_every_case, intent.filters)),
        allowed=allowed,
        habit=intent.habit,
        reactions=tuple((known[i], said) for i, said in felt.items() if i in known),
        remarks=profile.remarks,
        named=liked,
    )
