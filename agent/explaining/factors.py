"""What a turn went by, one thing at a time: each can be left out, and the turn run again without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.schema import Filter, Intent, Profile
from agent.understanding.intent import describe_filters
from agent.workspace.catalogue import Catalogue

FactorKind = Literal["history", "like", "dislike", "wish", "avoid", "condition"]
MOST_HISTORY = 50  # items, the most recent: an older one has less than a thousandth of the newest one's vote
MOST_WORDS = 20  # of the wishes


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that can be left out: what it is called, and the profile and intent without it."""

    kind: FactorKind
    name: str
    profile: Profile
    intent: Intent
    item_id: str | None = None


def factors(profile: Profile, intent: Intent, catalogue: Catalogue) -> Iterator[Factor]:
    """Everything that a turn went by: the request first, then the history, the latest first."""
    for conditions in grouped(intent.filters):
        left = tuple(f for f in intent.filters if f not in conditions)
        yield Factor("condition", describe_filters(conditions)[0], profile, replace(intent, filters=left))
    for words in _phrases(intent.wishes):
        wished = replace(intent, wishes=_less(intent.wishes, words), text=_less(intent.text, words))
        yield Factor("wish", words, profile, wished)
    for words in _phrases(intent.avoids):
        avoided = replace(intent, avoids=_less(intent.avoids, words), text=_less(intent.text, words))
        yield Factor("avoid", words, profile, avoided)
    kinds: tuple[tuple[FactorKind, Iterable[str]], ...] = (
        ("like", _known(intent.likes, catalogue)),
        ("dislike", _known(intent.dislikes, catalogue)),
        ("history", tried(profile, intent, catalogue)),
    )
    for kind, item_ids in kinds:
        for item_id in item_ids:
            yield Factor(kind, catalogue.get(item_id).title, *without(item_id, profile, intent), item_id)


def without(item_id: str, profile: Profile, intent: Intent) -> tuple[Profile, Intent]:
    """The profile and intent in which an item was neither met, judged nor named; it stays seen."""
    shorter = replace(
        profile,
        history=tuple(i for i in profile.history if i != item_id),
        reactions={i: said for i, said in profile.reactions.items() if i != item_id},
    )
    likes, dislikes = (tuple(i for i in named if i != item_id) for named in (intent.likes, intent.dislikes))
    return shorter, replace(intent, likes=likes, dislikes=dislikes)


def tried(profile: Profile, intent: Intent, catalogue: Catalogue) -> tuple[str, ...]:
    """The items of the history that are left out one by one, the latest first; what the request names is no history."""
    named = {*intent.likes, *intent.dislikes}
    return tuple(i for i in _known(reversed(profile.history), catalogue) if i not in named)[:MOST_HISTORY]


def grouped(filters: Sequence[Filter]) -> list[tuple[Filter, ...]]:
    """Conditions as people said them: the bounds of one number are one."""
    found: dict[object, list[Filter]] = {}
    for f in filters:
        bound = f.op in (">=", "<=", ">", "<")
        found.setdefault(f.attribute if bound else f, []).append(f)
    return [tuple(group) for group in found.values()]


def _known(item_ids: Iterable[str], catalogue: Catalogue) -> list[str]:
    return [i for i in dict.fromkeys(item_ids) if i in catalogue.position]


def _phrases(text: str) -> list[str]:
    """Each word of a wish, and the whole of it where that is more."""
    words = list(dict.fromkeys(text.split()))
    return [*([text] if len(words) > 1 else []), *words[:MOST_WORDS]]


def _less(text: str, words: str) -> str:
    """The text without these words, wherever they stand as words."""
    return " ".join(re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", " ", text, flags=re.IGNORECASE).split())
