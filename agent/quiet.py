"""Keeps the bars and logs of transformers out of the way while it reads a model: we report through `Progress`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Inside, transformers draws no bar and logs errors only; afterwards both settings are what they were.

    Nor is told what peft and trl still call by the names of before (transformers 5.23, peft 0.21, trl 1.16).
    """
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message=".*is deprecated and will be removed in v6", category=FutureWarning
            )
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
