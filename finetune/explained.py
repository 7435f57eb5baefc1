"""Reasons to learn from: what people went on to choose, and a true sentence of evidence why it suits them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.justification.evidence import Facts, gather
from agent.justification.planning import Plan, plan_list
from agent.retrieval.transitions import Transitions
from agent.schema import Intent, Interaction, Profile
from agent.understanding.intent import parse_intent
from agent.understanding.profile import best_rating, build_profile
from agent.workspace.catalogue import Catalogue
from finetune.evaluate.splits import Known
from finetune.reasons import write_reason

Positions = NDArray[np.int64]


class Explained:
    """Makes plans and their reasons, as a turn would make the plans.

    Args:
        catalogue: positions in it are those of the histories.
        training: whose ratings say what was liked.
        transitions: learned from these histories alone.
        noun: what an item is called.
    """

    def __init__(self, catalogue: Catalogue, training: Known, transitions: Transitions, noun: str) -> None:
        self._catalogue, self._transitions, self._noun = catalogue, transitions, noun
        self._best = best_rating(np.concatenate([*training.values, np.zeros(0)]))

    def profile(self, history: Positions, values: NDArray[np.float64]) -> Profile:
        """The profile of someone with this history, ratings NaN where there were none."""
        ids = self._catalogue.ids
        told = [
            Interaction("someone", ids[p], "seen")
            if np.isnan(v)
            else Interaction("someone", ids[p], "rating", float(v))
            for p, v in zip(history, values, strict=True)
        ]
        return build_profile("someone", told, best=self._best)

    def plans(self, profile: Profile, request: str, listed: Sequence[int]) -> list[Plan]:
        """A plan for each item of a list, by catalogue position."""
        intent = parse_intent(request, self._catalogue) if request else Intent()
        facts = Facts(self._catalogue, self._transitions, profile, intent, self._noun)
        items = [self._catalogue.items[p] for p in listed]
        return plan_list(items, [gather(item, facts) for item in items], self._noun, self._catalogue)

    def reason(
        self, profile: Profile, request: str, listed: Sequence[int], row: int, random: np.random.Generator
    ) -> tuple[Plan, str] | None:
        """The plan in place `row` of a list, and a sentence that the checker passes; None where there is none."""
        plan = self.plans(profile, request, listed)[row]
        said = write_reason(plan, self._noun, self._catalogue, random)
        return None if said is None else (plan, said)
