"""What to do where a library is missing that only a part of Vouchrec needs."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """The command for one of the extras of `pyproject.toml`."""
    return f"`.venv/bin/pip install -c constraints.txt -e '.[{extra}]'` in the folder of Vouchrec"
