"""What a person says of an item, checked before it is kept."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from agent.errors import InputError
from agent.request import check_message, valid_unicode
from agent.schema import EVENTS, Feedback
from agent.settings import Settings
from agent.understanding.profile import USUAL_BEST, feelings


def checked(feedback: Feedback, best: float | None, settings: Settings) -> Feedback:
    """The feedback as it is kept: with a time, and words that any store takes.

    Args:
        feedback: as it came.
        best: the top of the scale of the stored ratings, None where they have none: then it is USUAL_BEST.
        settings: say how long words may be.

    Raises:
        InputError: there is no such reaction, a rating lies off the scale, or a remark has no words.
    """
    if feedback.event not in EVENTS:
        raise InputError(f"There is no reaction {str(feedback.event)[:40]!r}; there are: {', '.join(EVENTS)}.")
    top = best or USUAL_BEST
    if feedback.event == "rating" and not (_is_number(feedback.value) and 0 <= float(feedback.value or 0) <= top):
        raise InputError(f"A rating is a value from 0 to {top:g} here; got {feedback.value!r}.")
    if feedback.event == "remark" and not feedback.words.strip():
        raise InputError("A remark has words, such as 'too slow for me'; got none.")
    check_message(feedback.words, settings)
    moment = time.time() if feedback.timestamp is None else feedback.timestamp
    return replace(feedback, words=valid_unicode(feedback.words).strip(), timestamp=moment)


def feeling(feedback: Feedback, best: float | None) -> int:
    """1 liked, -1 disliked, 0 neither, as a profile takes it; `best` as in `checked`."""
    value = np.nan if feedback.value is None else feedback.value
    return int(feelings(np.array([feedback.event]), np.array([value]), best or USUAL_BEST)[0])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
