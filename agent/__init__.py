"""Vouchrec: recommendations that vouch for themselves. `from agent import Agent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.agent import Agent
    from agent.conversation import Conversation
    from agent.schema import Feedback, Filter, Intent, Interaction, Item, Recommendation, Reply

__all__ = [
    "Agent", "Conversation", "Feedback", "Filter", "Intent", "Interaction", "Item", "Recommendation", "Reply",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401 - import on first use keeps `import agent` quick
    if name not in __all__:
        raise AttributeError(f"module 'agent' has no attribute {name!r}")
    from importlib import import_module

    home = {"Agent": "agent.agent", "Conversation": "agent.conversation"}.get(name, "agent.schema")
    return getattr(import_module(home), name)
