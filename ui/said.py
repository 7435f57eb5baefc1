"""Which titles a person said in conversations that they like, or want nothing like: shown to them, to be taken back.

They are stored with the conversation alone and count in it alone, so they are no `ui.known.Entry`. A mere example
("something like Heat") tells nothing of a person, and neither does what was only turned down ("not the first one").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agent.schema import Intent
from agent.workspace import kept
from ui.buttons import cross, danger, opener
from ui.past import SHOWN, when
from ui.why import text
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent import Agent
    from agent.workspace.catalogue import Catalogue
    from ui.guest import Guest

_INTENT = TypeAdapter(Intent)


@dataclass(frozen=True, slots=True)
class Said:
    """A title that was spoken of: `key` names the part of the intent that holds it, `how` is "liked" or "unlike"."""

    key: str
    title: str
    how: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said in a conversation that is not open; `changed` is seconds since 1970."""

    conversation_id: str
    title: str
    changed: float
    said: tuple[Said, ...]


def said_in(intent: Intent, catalogue: Catalogue, search: str = "") -> tuple[Said, ...]:
    """What an intent holds of this; only titles that are in the catalogue and hold every word of the search."""
    wanted = search.casefold().split()
    against = (i for i in intent.dislikes if i not in intent.declined)
    named = [("like", "liked", i) for i in intent.liked] + [("dislike", "unlike", i) for i in against]
    found = [Said(f"{part}:{i}", catalogue.get(i).title, how) for part, how, i in named if i in catalogue.position]
    return tuple(one for one in found if all(word in one.title.casefold() for word in wanted))


def earlier(agent: Agent, user_id: str, current: str, search: str = "") -> list[Earlier]:
    """The conversations but the current one in which something of this was said, the latest first."""
    with agent.workspace.store.transaction(write=False) as connection:
        stored = kept.known_of(connection, user_id)["conversations"]
    found = []
    for one in sorted(stored, key=lambda one: -one["changed"]):
        conversation_id = one["entry"].removeprefix("conversation:")
        said = said_in(_INTENT.validate_python(one["state"]["intent"]), agent.catalogue, search)
        if said and conversation_id != current:
            found.append(Earlier(conversation_id, one["title"] or kept.UNTITLED, one["changed"], said))
    return found


def section(agent: Agent, guest: Guest, things: str, search: str = "") -> str:
    """What a guest said in the open conversation and in those before, as HTML; empty where that is nothing."""
    here = said_in(guest.said, agent.catalogue, search)
    return panel(here, earlier(agent, guest.user_id, guest.conversation_id, search), things, guest.words)


def panel(here: Sequence[Said], before: Sequence[Earlier], things: str, words: Words = ENGLISH) -> str:
    """The section as HTML: what was said in the open conversation one by one, then the conversations before."""
    if not here and not before:
        return ""
    warning = text(words("past.warning", things=things))
    rows = "".join([*(_row(one, words) for one in here), *(_before(one, warning, words) for one in before[:SHOWN])])
    more = f"<p>{text(words('known.latest', n=SHOWN))}</p>" if len(before) > SHOWN else ""
    return (
        f'<h3>{text(words("said.title"))}</h3><p>{text(words("said.what"))}</p><ul class="vr-entries">{rows}</ul>{more}'
    )


def _row(one: Said, words: Words) -> str:
    return (
        f'<li><span dir="auto">{_told(one, words)} · {text(words("said.here"))}</span>'
        f"{cross('remove', words('said.take_back', title=one.title), key=one.key)}</li>"
    )


def _before(one: Earlier, warning: str, words: Words) -> str:
    key = one.conversation_id
    moment = text(words("said.before", when="{}")).replace("{}", when(one.changed, words))
    told = " · ".join(_told(said, words) for said in one.said)
    return (
        f'<li><div class="vr-kept"><span dir="auto">{told} · {moment}</span>'
        f"{opener('open', one.title, spoken=words('said.open', title=one.title), key=key)}"
        f'<details data-keep="said {text(key)}"><summary aria-label="{text(words("said.delete", title=one.title))}">'
        f"{text(words('past.delete'))}</summary><p>{warning}</p>"
        f"{danger('delete', words('past.delete'), key=key)}</details></div></li>"
    )


def _told(one: Said, words: Words) -> str:
    return f"<b>{text(one.title)}</b> {text(words(f'said.{one.how}'))}"
