"""How much a tuned model was found to count beside retrieval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """How much a model's scores count beside those of retrieval, where that was measured; None where it was not.

    `learned` is beside retrieval with trained behaviour, `new` without it, which leaves more for the model to say.
    `reads_requests` says whether the model knows more than the history.
    """

    learned: float | None = None
    new: float | None = None
    reads_requests: bool = True

    def weight(self, *, is_trained: bool) -> float | None:
        """Beside retrieval that has trained behaviour, or has not; the other one where that alone was measured."""
        known = (self.learned, self.new) if is_trained else (self.new, self.learned)
        return next((weight for weight in known if weight is not None), None)
