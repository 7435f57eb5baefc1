"""`vouchrec demo`: a real person, then a request in words, on MovieLens-100K. Takes no input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.understanding.profile import best_rating, build_profile
from ui.listing import INDENT, width_of, wrapped
from ui.screen import follow
from ui.terminal import Terminal
from ui.upkeep import ensure_example

if TYPE_CHECKING:
    from agent import Agent

PERSON = "196"  # of MovieLens-100K; nothing is special about them
LIKES_SHOWN = 4
HISTORY = ("Alien (1979)", "Blade Runner (1982)")
REQUEST = "something tense but funny, from the 90s"


def run(terminal: Terminal, workspace: Path | None) -> None:
    """Make the example workspace if it is absent, and show both lists.

    Raises:
        InputError: the workspace is of another catalogue, which has no such person or titles.
    """
    settings = ensure_example(terminal, workspace)
    with terminal.agent(settings.home) as agent:
        likes = last_likes(agent, PERSON, LIKES_SHOWN)
        _heading(terminal, f"Person {PERSON} of MovieLens-100K", f"who last liked {', '.join(likes)}")
        follow(terminal, agent, agent.stream(user_id=PERSON), trace=False, signs=False)
        _heading(terminal, f"Someone new who watched {' and '.join(HISTORY)}", f"and asks for “{REQUEST}”")
        follow(terminal, agent, agent.stream(history=HISTORY, intent=REQUEST), trace=False)
        terminal.say()
        weights = [agent.lister.model_weight(agent.settings.model_weight, is_asked=asked) for asked in (False, True)]
        _paragraph(terminal, _how(*weights, tuned=agent.generator.reads_items))
        terminal.say()
    _paragraph(
        terminal, "Next: `make chat` talks to you in the browser; `vouchrec recommend --help` lists what to ask."
    )


def last_likes(agent: Agent, user_id: str, n: int) -> tuple[str, ...]:
    """The titles that a person liked last, the latest first."""
    store = agent.workspace.store
    best = best_rating(store.interaction_columns().values)
    profile = build_profile(user_id, store.interactions(user_id), store.feedback(user_id), best=best)
    return tuple(agent.catalogue.get(item_id).title for item_id in reversed(profile.likes[-n:]))


def _how(weight: float, asked: float, *, tuned: bool) -> str:
    model = (
        "what the language model, tuned on such histories, says of how likely each film is to be next"
        if tuned
        else "the language model's log-probability of each title"
    )
    beside = "" if asked == weight else f", or {asked:g} x model beside a wish in words, which this model does not read"
    return (
        f"How the order is made: the retrieval score (behaviour, meaning and words) and {model} "
        f"are brought to one scale, then added: retrieval + {weight:g} x model{beside}. "
        "The weight was chosen on validation people; change it with VOUCHREC_MODEL_WEIGHT. "
        "Each reason is phrased from computed facts, and every claim in it is checked before it is shown."
    )


def _heading(terminal: Terminal, first: str, second: str) -> None:
    terminal.say()
    terminal.say(first, style="bold cyan")
    terminal.say(wrapped(terminal.out, second, width_of(terminal.out), INDENT))
    terminal.say()


def _paragraph(terminal: Terminal, text: str) -> None:
    terminal.say(wrapped(terminal.out, text, width_of(terminal.out)))
