"""What a page does with what its person keeps: conversations to go on with, and lists to share. Knows no gradio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.errors import InputError
from agent.sharing import Told
from ui.browsers import Browsers
from ui.guest import Guest
from ui.guests import Guests
from ui.messages import things
from ui.past import panel
from ui.sharing import Sharing, listed
from ui.sharing import panel as share_panel

if TYPE_CHECKING:
    from agent import Agent


class Keeping:
    """The conversations and shared lists of those who are at a page. Any thread may call."""

    def __init__(self, agent: Agent, guests: Guests) -> None:
        self._agent = agent
        self._guests = guests
        self._sharing = Sharing(agent)
        self.browsers = Browsers(agent)

    def past(self, guest: Guest, note: str = "") -> str:
        """The earlier conversations of a guest, as HTML."""
        named, words = things(self._agent.noun, guest.words), guest.words
        saved = self._agent.conversations(guest.user_id)
        return panel(saved, guest.conversation_id, named, note, words, self._guests.signed_in)

    def change(self, session: str, person: str | None, wish: Mapping[str, str]) -> tuple[Guest, str]:
        """Open, rename or delete a conversation; gives the guest who is at the session then, and what came of it."""
        guest, note = self._guests.get(session, person), ""
        words = guest.words
        try:
            if wish["do"] == "open":
                guest = self._guests.open(session, person, wish["key"])
            elif wish["do"] == "rename":
                self._agent.rename_conversation(guest.user_id, wish["key"], wish["text"])
                note = words("past.renamed")
            elif wish["do"] == "delete":
                guest = self._guests.delete(session, person, wish["key"])
                note = words("past.deleted")
        except InputError:
            note = words("past.unnamed" if wish["do"] == "rename" and not wish["text"].strip() else "past.gone")
        return guest, note

    def shared(self, guest: Guest, note: str = "") -> str:
        """Under the list of a guest: to share it, or its link, as HTML; nothing while there is no list."""
        reply = guest.shown
        if reply is None:
            return ""
        shares = self._sharing.of(guest.user_id)
        share = next((one for one in shares if one.turn_id == reply.turn_id), None)
        return share_panel(reply.turn_id, share, note, guest.words)

    def share(self, guest: Guest, wish: Mapping[str, str]) -> str:
        """Share the list of a guest, or stop it; `shared` then. Another list than that of the wish is not shared."""
        reply, note = guest.shown, ""
        if wish["do"] == "share" and reply is not None and wish["key"] != reply.turn_id:
            note = guest.words("share.newer")
        elif wish["do"] == "share" and reply is not None:
            told = Told(request=wish["request"] == "true", likes=wish["likes"] == "true")
            try:
                self._sharing.share(guest.user_id, guest.conversation_id, reply, told, guest.words)
            except InputError as error:
                note = str(error)
        elif wish["do"] == "unshare":
            note = self.stop_sharing(guest, wish["key"])
        return self.shared(guest, note)

    def stop_sharing(self, guest: Guest, token: str) -> str:
        """Stop sharing a list of this guest, whichever; says so."""
        self._sharing.stop(guest.user_id, token)
        return guest.words("share.stopped")

    def all_shared(self, guest: Guest) -> str:
        """All lists that a guest shares, as HTML for what is known of them."""
        return listed(self._sharing.of(guest.user_id), guest.words)
