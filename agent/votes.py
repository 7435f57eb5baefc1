"""Votes between two lists that were made for the same request and shown blind, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agent.errors import InputError
from agent.schema import Reply

Verdict = Literal["left", "right", "tie", "bad"]
VERDICTS: tuple[Verdict, ...] = ("left", "right", "tie", "bad")
_SURE = 1.959964  # standard deviations around the mean that hold 95% of a normal distribution


@dataclass(frozen=True, slots=True)
class Side:
    """What stood on one side: `name` as it was chosen by, what answered, and the item ids that it listed, best first.

    `prompt` has the hash of every prompt file, so an edit of a file is another contender.
    """

    name: str
    model: str
    adapter: str | None
    prompt: str
    items: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, reply: Reply) -> Side:
        """The side that gave this reply."""
        listed = tuple(r.item.item_id for r in reply.recommendations)
        return cls(name, reply.model, reply.adapter, reply.prompt, listed)

    @property
    def key(self) -> str:
        """The same for two sides exactly when the same model, adapter and prompt texts answered."""
        texts = self.prompt.partition("/")[2] or self.prompt
        return f"{self.model}, {f'adapter {self.adapter}' if self.adapter else 'no adapter'}, {texts}"


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote. "bad": neither list was any good. `user_id` is for whom the lists were made, None for somebody new."""

    vote_id: str
    user_id: str | None
    request: str
    left: Side
    right: Side
    verdict: Verdict
    timestamp: float

    def as_dict(self) -> dict[str, Any]:
        """Every field in plain types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """How two contenders stand: who won how often. `first` is the one that won at least as often."""

    first: Side
    second: Side
    won: int
    lost: int
    ties: int
    bad: int

    @property
    def interval(self) -> tuple[float, float, float]:
        """The share of `first` among the votes that decided between the two, with its 95% interval: `wilson`."""
        return wilson(self.won, self.won + self.lost)

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out one half."""
        return self.interval[1] > 0.5

    def as_dict(self) -> dict[str, Any]:
        """The counts and the interval, with both contenders by name and by what they are."""
        share, low, high = self.interval
        both = {place: {"name": s.name, "is": s.key} for place, s in (("first", self.first), ("second", self.second))}
        counts = {"won": self.won, "lost": self.lost, "ties": self.ties, "both_bad": self.bad}
        return {**both, **counts, "share": share, "low": low, "high": high, "clear": self.is_clear}


def wilson(won: int, n: int) -> tuple[float, float, float]:
    """(share, low, high): won of n, with the 95% score interval of Wilson (1927); without votes (0.5, 0, 1).

    With p the share and z = 1.96: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). Unlike p +- z s it stays
    within 0 and 1, and says little after few votes.
    """
    if not 0 <= won <= n:
        raise InputError(f"{won} of {n} cannot have been won.")
    if n == 0:
        return 0.5, 0.0, 1.0
    share, square = won / n, _SURE**2 / n
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return share, max(0.0, middle - half), min(1.0, middle + half)


def tally(votes: Iterable[Vote]) -> list[Standing]:
    """How each pair of contenders stands, the pair with the most votes first, wherever on the screen each stood."""
    pairs: dict[tuple[str, str], list[Vote]] = {}
    for vote in votes:
        low, high = sorted((vote.left.key, vote.right.key))
        pairs.setdefault((low, high), []).append(vote)
    standings = [_standing(cast) for cast in pairs.values()]
    return sorted(standings, key=lambda s: -(s.won + s.lost + s.ties + s.bad))


def left_share(votes: Iterable[Vote]) -> tuple[int, int]:
    """(won by the left side, decided): far from one half means that the place decided, and not the list."""
    decided = [vote.verdict for vote in votes if vote.verdict in ("left", "right")]
    return decided.count("left"), len(decided)


def _standing(cast: list[Vote]) -> Standing:
    latest = cast[-1]  # a contender is called as it was called last
    sides: Mapping[str, Side] = {side.key: side for side in (latest.left, latest.right)}
    counts = dict.fromkeys((*sides, "tie", "bad"), 0)
    for vote in cast:
        winner = {"left": vote.left.key, "right": vote.right.key}.get(vote.verdict, vote.verdict)
        counts[winner] += 1
    first, second = sorted(sides, key=lambda key: -counts[key])
    return Standing(sides[first], sides[second], counts[first], counts[second], counts["tie"], counts["bad"])
