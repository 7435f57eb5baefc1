"""A list as a plain page for others: made, found again, stopped by whoever shared it, and drawn for them."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING

from agent.errors import InputError
from agent.schema import Reply
from agent.sharing import Told, may_be_asked, page_of, reasons
from agent.understanding.texts import language_of
from agent.workspace import kept
from agent.workspace.kept import Share
from ui.buttons import chip
from ui.listing import attributes
from ui.messages import item_said
from ui.past import when
from ui.understood import told as told_of
from ui.why import text
from ui.words import ENGLISH, WORDS, Words

if TYPE_CHECKING:
    from agent import Agent

AN_HOUR = 20  # lists that one person may share within an hour
_HOUR = 3600.0


class Sharing:
    """The lists that people share. Any thread may call."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._store = agent.workspace.store
        self._making = threading.Lock()

    def share(self, user_id: str, conversation_id: str, reply: Reply, told: Told, words: Words = ENGLISH) -> Share:
        """Share a list under an address that nobody can guess; one that is shared already keeps its page.

        Raises:
            InputError: the person has shared many lists within an hour.
        """
        with self._making:
            shared = self.of(user_id)
            found = next((one for one in shared if one.turn_id == reply.turn_id), None)
            if found is not None:
                return found
            if sum(one.made > time.time() - _HOUR for one in shared) >= AN_HOUR:
                raise InputError(words("share.too_many", n=AN_HOUR))
            token = secrets.token_urlsafe(24)
            made = Share(token, user_id, conversation_id, reply.turn_id, time.time(), self._page(reply, told))
            with self._store.transaction(write=True) as connection:
                kept.put_share(connection, made)
        return made

    def of(self, user_id: str) -> list[Share]:
        """What a person shares, the latest first."""
        with self._store.transaction(write=False) as connection:
            return kept.shares(connection, user_id)

    def find(self, token: str) -> Share | None:
        """The list that is shared under a token, None where there is none (any more)."""
        with self._store.transaction(write=False) as connection:
            return kept.share(connection, token)

    def stop(self, user_id: str, token: str) -> bool:
        """Stop sharing a list of this person; False where it is not shared, or it is another's."""
        try:
            self._store.delete_entry(user_id, f"share:{token}")
        except InputError:
            return False
        return True

    def _page(self, reply: Reply, told: Told) -> dict[str, object]:
        agent = self._agent
        catalogue = agent.catalogue
        language = language_of(reply.intent.text, catalogue) or agent.prompts.language or "en"
        words = WORDS[language]
        asked = [part.text for part in told_of(reply.intent, catalogue, words) if may_be_asked(part.key, told)]
        facts = {one.item.item_id: attributes(item_said(one.item, words)) for one in reply.recommendations}
        return page_of(reply, asked, facts, reasons(reply, told, agent.noun, catalogue, language), agent.noun, language)


def panel(turn_id: str, share: Share | None, note: str = "", words: Words = ENGLISH) -> str:
    """What is offered under the list of a turn: to share it, or the link and its end, as HTML."""
    status = f'<p class="vr-note" role="status">{text(note)}</p>'
    if share is None:
        boxes = "".join(
            f'<label class="vr-tick"><input type="checkbox" name="{name}"> {text(words(f"share.{name}"))}</label>'
            for name in ("request", "likes")
        )
        inside = (
            f'<p>{text(words("share.about"))}</p><div data-form="share">{boxes}<div class="vr-chips">'
            f"{chip('share', words('share.make'), key=turn_id)}</div></div>"
        )
    else:
        inside = (
            f"<p>{text(words('share.shared'))} {_link(share)}</p><div class='vr-chips'>"
            f"{chip('copy', words('share.copy'), said=words('share.copied'))}{_stop(share, '', words)}</div>"
        )
    summary = f"<summary>{text(words('share.title'))}</summary>"
    return f'<details class="vr-share" data-keep="share">{summary}{inside}</details>{status}'


def listed(shared: list[Share], words: Words = ENGLISH) -> str:
    """What a person shares, for their eyes, each with its end, as HTML."""
    rows = "".join(_row(one, _named(one, words), words) for one in shared)
    told = f'<ul class="vr-entries">{rows}</ul>' if rows else f"<p>{text(words('share.none'))}</p>"
    return f"<h3>{text(words('share.all'))}</h3>{told}"


def _row(one: Share, name: str, words: Words) -> str:
    moment = text(words("share.listed", when="{}")).replace("{}", when(one.made, words))
    return f'<li><span dir="auto"><b>{_link(one, name)}</b> {moment}</span>{_stop(one, name, words)}</li>'


def _link(share: Share, name: str = "") -> str:
    path = f"/lists/{text(share.token)}"
    return f'<a class="vr-link" href="{path}" target="_blank" rel="noopener">{text(name) or path}</a>'


def _stop(share: Share, title: str, words: Words) -> str:
    spoken = words("share.stop_of", title=title) if title else ""
    return chip("unshare", words("share.stop"), spoken=spoken, key=share.token)


def _named(share: Share, words: Words) -> str:
    """A shared list by what stands first in it."""
    first, *others = [str(item["title"]) for item in share.page["items"]]
    return words("share.more", title=first, n=len(others)) if others else first
