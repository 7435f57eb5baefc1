"""The answer to "why this?" and "where is that?": verdict, obstacles, scores, and what each thing did to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agent.explaining.absence import Obstacle, obstacles
from agent.explaining.asked import Asked
from agent.explaining.factors import tried
from agent.explaining.sensitivity import Influence, Rerun, Standing, leave_one_out, standings
from agent.justification.wording import titled
from agent.schema import Item
from agent.workspace.catalogue import YEAR_SUFFIX, title_key

SLIGHT = 0.0005  # of a score: less is not told
TOLD = 10  # influences that a text names; `as_dict` has them all


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item stands where it stands in a kept turn, or why it does not; `print` it, or draw its `as_dict`.

    All of it is computed anew from what the turn went by and from the catalogue and behaviour as they are now.
    `place` is that in the list as it was shown, from 1, and `candidate` that among the candidates; None where it was
    none. `ranked` are the scores that the item was ranked by then, as a candidate. `last` is the last item of the list
    and its standing, for comparison. `influences` say what would have been without each thing, what lifts the item most
    first; `untried` older items of the history were not left out. `said` are the words of the turn.
    """

    turn_id: str
    item: Item
    place: int | None
    listed: int
    candidate: int | None
    candidates: int
    strategy: str
    standing: Standing
    allowed: int
    obstacles: tuple[Obstacle, ...] = ()
    influences: tuple[Influence, ...] = ()
    last: tuple[Item, Standing] | None = None
    justification: str = ""
    untried: int = 0
    ranked: Mapping[str, float] = field(default_factory=dict)
    said: str = ""

    @property
    def verdict(self) -> str:
        """In one sentence, where the item is and why."""
        title = self.item.title
        if self.place is not None:
            return f"{title} is number {self.place} of {self.listed} in the list."
        if self.obstacles:
            return f"{title} could not come. {' '.join(one.text for one in self.obstacles)}"
        if self.candidate is not None:
            return f"{title} was number {self.candidate} of {self.candidates} candidates; the list has {self.listed}."
        if self.strategy == "generate":
            return f"{title} could have come; the model wrote this list itself and did not name it."
        return f"{title} could have come, but was not among the {self.candidates} best of retrieval."

    def as_dict(self) -> dict[str, Any]:
        """Plain types only, for a chart or a file: what `--json` prints."""
        standing = asdict(self.standing)
        return {
            "turn_id": self.turn_id,
            "said": self.said,
            "item_id": self.item.item_id,
            "title": self.item.title,
            "verdict": self.verdict,
            "place": self.place,
            "listed": self.listed,
            "candidate": self.candidate,
            "candidates": self.candidates,
            "strategy": self.strategy,
            "allowed": self.allowed,
            "standing": standing,
            "last": None if self.last is None else {"title": self.last[0].title, **asdict(self.last[1])},
            "obstacles": [asdict(one) for one in self.obstacles],
            "influences": [asdict(one) for one in self.influences],
            "justification": self.justification,
            "untried": self.untried,
            "ranked": dict(self.ranked),
        }

    def __str__(self) -> str:
        asked = f'"{_short(self.said, 60)}"' if self.said else "a list without words"
        turn = f"Turn {self.turn_id[:8]}: {asked}."
        return "\n".join([turn, self.verdict, *self._reason(), "", *self._scores(), "", *self._without()]).rstrip()

    def _reason(self) -> list[str]:
        return [f"  {self.justification}"] if self.justification else []

    def _scores(self) -> list[str]:
        own, last = self.standing, self.last
        would = "would be" if self.obstacles else "is"
        final = "" if own.final_place is None else f", and number {own.final_place} once the model is asked"
        lines = [f"By retrieval it {would} number {own.place:,} of {self.allowed:,} that may come{final}."]
        if self.ranked:
            lines.append(f"Ranked then by {', '.join(f'{name} {score:.3f}' for name, score in self.ranked.items())}.")
        beside = f"{_short(last[0].title):>28}, last of the list" if last else ""
        lines.append(f"What each source of retrieval adds to its score{', and to that of the last' if last else ''}:")
        lines.append(f"  {'source':<14}{'its part':>9}{beside}")
        parts = {**own.by_source, "together": own.score}
        others = {} if last is None else {**last[1].by_source, "together": last[1].score}
        return lines + [
            f"  {name:<14}{part:>9.3f}" + (f"{others[name]:>28.3f}" if last else "") for name, part in parts.items()
        ]

    def _without(self) -> list[str]:
        moved = [
            one for one in self.influences if abs(one.change) >= SLIGHT or one.without.place != self.standing.place
        ]
        if not self.influences:
            return ["Nothing was asked for and no history is known, so there is nothing to leave out."]
        lines = ["Had one thing not been there: its number by retrieval, and the change of its score."]
        lines = [*lines, f"  {'without':<44}{'number':>16}{'its score':>11}"] if moved else []
        lines += [self._line(one) for one in (moved if len(moved) <= TOLD else [*moved[: TOLD - 2], *moved[-2:]])]
        left = len(self.influences) - min(len(moved), TOLD)
        if left:
            lines.append(f"  {left:,} other thing{'s' * (left > 1)} did less, or nothing.")
        if self.untried:
            lines.append(f"  {self.untried:,} older items of the history were not left out.")
        return lines

    def _line(self, one: Influence) -> str:
        whole = ", all words" * (one.kind in ("wish", "avoid") and " " in one.name)
        name = f"{_short(one.name)} ({_KINDS[one.kind]}{whole}{', cited' * one.cited})"
        moved = f"{self.standing.place:,} -> {one.without.place:,}"
        model = "" if one.without.final_place is None else f"   with the model {one.without.final_place}"
        return f"  {name:<44}{moved:>16}{round(-one.change, 3) + 0.0:>+11.3f}{model}"


_KINDS = {
    "history": "history", "like": "named", "dislike": "turned down", "wish": "wish", "avoid": "not wanted",
    "condition": "condition",
}  # fmt: skip


def explain(asked: Asked, item: str, stages: Rerun, *, with_model: bool = False) -> Explanation:
    """Explain an item, by title or id, in a kept turn.

    Raises:
        UnknownItemError: no such item, with the nearest titles.
        InputError: a title of several works, none of which is in the list, with the choices.
    """
    catalogue = stages.catalogue
    listed, candidates = [one.item_id for one in asked.listed], list(asked.candidates)
    found = catalogue.get(_meant(item, asked, stages))
    place = listed.index(found.item_id) + 1 if found.item_id in listed else None
    shown = asked.listed[place - 1] if place is not None else None
    allowed = stages.allowed(asked.profile, asked.intent, asked.excluded)
    base, influences = leave_one_out(
        found.item_id, asked.profile, asked.intent, asked.excluded, stages, with_model=with_model
    )
    cited = _cited(shown.anchors, shown.justification, stages) if shown is not None else frozenset()
    last = catalogue.get(listed[-1]) if listed and listed[-1] in catalogue.position else None
    return Explanation(
        turn_id=asked.turn_id,
        item=found,
        place=place,
        listed=len(listed),
        candidate=candidates.index(found.item_id) + 1 if found.item_id in candidates else None,
        candidates=len(asked.candidates),
        strategy=asked.strategy,
        standing=base,
        allowed=int(allowed.sum()),
        obstacles=() if place is not None else tuple(obstacles(found, asked, catalogue)),
        influences=tuple(replace(one, cited=one.item_id in cited) for one in influences),
        last=None
        if last is None or last is found
        else (last, standings([last.item_id], asked.profile, asked.intent, stages, allowed)[0]),
        justification=shown.justification if shown is not None else "",
        untried=_untried(asked, stages),
        ranked=asked.candidates.get(found.item_id, {}),
        said=asked.intent.text,
    )


def _meant(item: str, asked: Asked, stages: Rerun) -> str:
    """The item that is asked for; of several works with one title, the one in the list."""
    catalogue = stages.catalogue
    if item not in catalogue.position:
        for one in asked.listed:
            if one.item_id in catalogue.by_title.get(title_key(item), ()):
                return one.item_id
    return catalogue.resolve(item)


def _cited(anchors: tuple[str, ...], justification: str, stages: Rerun) -> frozenset[str]:
    """The items that a reason names, of those that its evidence rests on."""
    titles = {i: stages.catalogue.get(i).title for i in anchors if i in stages.catalogue.position}
    return frozenset(i for i, title in titles.items() if YEAR_SUFFIX.sub("", titled(title)) in justification)


def _untried(asked: Asked, stages: Rerun) -> int:
    everything = {i for i in asked.profile.history if i in stages.catalogue.position}
    named = {*asked.intent.likes, *asked.intent.dislikes}
    return len(everything - named) - len(tried(asked.profile, asked.intent, stages.catalogue))


def _short(text: str, room: int = 26) -> str:
    return text if len(text) <= room else text[: room - 3].rstrip() + "..."
