"""The chat for the browser: a ranked list at once, its reasons as they are checked, and a Stop that stops the model.

Only this module, the workshop's page and who serves them (`ui.front`) import gradio.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from html import escape
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from agent.errors import InputError
from ui.auth import page as signed_in
from ui.cards import cards
from ui.guest import WAITING, Guest
from ui.guests import Guests
from ui.keeping import Keeping
from ui.known import add, entries, export, panel, remove
from ui.messages import things
from ui.said import section
from ui.shell import heading, invitation
from ui.starters import starters
from ui.surroundings import ignore_variables
from ui.view import View
from ui.words import ENGLISH, WORDS, Words, chosen

if TYPE_CHECKING:
    from agent import Agent

_ON_LOAD = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
_Shown = dict[Any, Any]


def build_app(agent: Agent, guests: Guests | None = None) -> gr.Blocks:
    """The page. Everyone who opens it is a guest of their own; one message at a time is with the model."""
    ignore_variables()
    with gr.Blocks(title="Vouchrec", analytics_enabled=False) as page:
        _Page(agent, Guests(agent) if guests is None else guests).listen(page)
    page.queue(max_size=2 * WAITING, api_open=False)
    return page


class _Page:
    """The parts of the page from top to bottom, and what each of them does. Made within `gr.Blocks`."""

    def __init__(self, agent: Agent, guests: Guests) -> None:
        self._agent = agent
        self._guests = guests
        self._keeping = Keeping(agent, guests)
        self._starters = {name: starters(agent, words) for name, words in WORDS.items()}
        words = ENGLISH
        with gr.Row(elem_id="vr-top"):
            self.head = _part("vr-intro", heading(words))
            self.me = gr.Button(words("top.about"), size="sm", elem_id="vr-me")
            self.renew = gr.Button(words("top.anew"), size="sm", elem_id="vr-new", visible=False)
            self.account = gr.HTML("", elem_id="vr-account", apply_default_css=False, visible=guests.signed_in)
        self.known = _part("vr-known", given="", times=0)
        self._times = count(1)  # that something was given
        self.is_open = gr.State(False)
        self.past = _part("vr-past")
        self.talk = _talk(words)
        self.found = _part("vr-found")
        self.share = _part("vr-share")
        # Unseen until it is known which language its person reads, and whether there is a talk to go on with.
        with gr.Column(elem_id="vr-starters", visible=False) as self.begin:
            self.invitation = gr.HTML(invitation(words, agent.noun), apply_default_css=False)
            self.starters = [
                gr.Button(text, size="md", elem_classes="vr-starter") for text in self._starters[words.language]
            ]
        with gr.Row(elem_id="vr-ask"):
            self.box = _box(agent.settings.max_message_chars, words)
            self.send = gr.Button(words("top.send"), variant="primary", elem_id="vr-send", scale=0, min_width=88)
            self.stop = gr.Button(
                words("top.stop"), variant="stop", elem_id="vr-stop", scale=0, min_width=88, visible=False
            )

    def listen(self, page: gr.Blocks) -> None:
        """Connect the parts with what they do; nothing of it is an API."""
        parts = [self.talk, self.found, self.begin, self.renew, self.send, self.stop, self.box, self.past, self.share]
        private: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # The desk lets one at a time to the model; here all who wait may wait at once.
        model: Mapping[str, Any] = {**private, "concurrency_id": "model", "concurrency_limit": WAITING + 1}
        quick: Mapping[str, Any] = {**private, "queue": False, "trigger_mode": "multiple"}
        gr.on([self.box.submit, self.send.click], self._answer, self.box, parts, **model)
        for button in self.starters:
            button.click(self._answer, button, parts, **model)
        self.found.submit(self._ask, None, parts, trigger_mode="multiple", **model)  # a correction takes over
        self.found.click(self._react, None, parts, **quick)
        self.stop.click(self._interrupt, None, self.stop, queue=False, **private)
        self.renew.click(self._anew, None, parts, queue=False, **private)
        self.me.click(self._about, self.is_open, [self.known, self.is_open, self.me], queue=False, **private)
        self.known.input(self._search, None, self.known, **quick)
        self.known.click(self._correct, None, [*parts, self.known], **quick)
        self.past.click(self._go_on, None, parts, **quick)
        self.share.click(self._share, None, parts, **quick)
        worded = [*parts, self.head, self.me, self.known, self.invitation, *self.starters]
        page.load(self._arrive, None, [*worded, self.account], **private, concurrency_limit=WAITING)
        self.head.click(self._switch, self.is_open, worded, **quick)
        page.unload(self._leave)

    def _shown(self, guest: Guest, view: View) -> _Shown:
        said = [{"role": role, "content": escape(text, quote=False)} for role, text in view.talk]
        is_new, words = view.state == "new", view.words
        return {
            self.talk: gr.Chatbot(said, visible=bool(said), label=words("top.talk")),
            self.found: cards(view, self._agent.noun),
            self.begin: gr.Column(visible=is_new),
            self.renew: gr.Button(words("top.anew"), visible=not is_new),
            self.send: gr.Button(words("top.send"), visible=not view.is_busy),
            self.stop: gr.Button(words("top.stop"), visible=view.is_busy, interactive=True),
            self.share: self._keeping.shared(guest),
            **({} if view.is_busy else {self.past: self._keeping.past(guest)}),
        }

    # -- the language

    def _arrive(self, request: gr.Request) -> Iterator[_Shown]:
        """The page in the language of its person, where they were; an answer that is under way goes on in it."""
        account = signed_in.account(request) if self._guests.signed_in else None
        person = account.user_id if account else self._keeping.browsers.person(dict(request.cookies))
        guest = self._guests.arrive(_session(request), person, _chosen(request))
        who = signed_in.html(account, guest.words("top.sign_out")) if account else ""
        yield {**self._worded(guest, is_open=False), self.account: who}
        with closing(guest.follow()) as views:
            for view in views:
                yield self._shown(guest, view)

    def _switch(self, is_open: bool, event: gr.EventData, request: gr.Request) -> _Shown:
        guest = self._guest(request)
        guest.words = WORDS.get(_wish(event)["value"], guest.words)
        return self._worded(guest, is_open)

    def _worded(self, guest: Guest, is_open: bool) -> _Shown:
        """Everything on the page that holds words, in the language of the guest."""
        words = guest.words
        return {
            **self._shown(guest, guest.view()),
            **dict(zip(self.starters, self._starters[words.language], strict=True)),
            self.head: heading(words),
            self.me: self._me(words, is_open),
            self.known: gr.HTML(self._panel(guest) if is_open else "", given=""),
            self.invitation: invitation(words, self._agent.noun),
            self.box: gr.Textbox(label=words("top.box"), placeholder=words("top.placeholder")),
        }

    def _me(self, words: Words, is_open: bool) -> gr.Button:
        return gr.Button(words("top.close" if is_open else "top.about"))

    # -- what the model answers

    def _answer(self, text: str, request: gr.Request) -> Iterator[_Shown]:
        guest = self._guest(request)
        yield from self._streamed(guest, guest.answer(str(text or "")), sent=True)

    def _ask(self, event: gr.EventData, request: gr.Request) -> Iterator[_Shown]:
        wish, guest = _wish(event), self._guest(request)
        if wish["do"] == "say":
            yield from self._streamed(guest, guest.answer(wish["text"]))
        elif wish["do"] == "retry":
            yield from self._streamed(guest, guest.retry())
        else:
            yield from self._streamed(guest, guest.adjust(wish["do"], wish["key"] or wish["value"]))

    def _streamed(self, guest: Guest, views: Generator[View], *, sent: bool = False) -> Iterator[_Shown]:
        """The page as it grows. The box is the person's: it empties once `sent`, and a message may come back to it."""
        with closing(views):
            for view in views:
                yield {**self._shown(guest, view), **({self.box: view.draft} if sent or view.draft else {})}
                sent = False

    # -- what is done at once

    def _react(self, event: gr.EventData, request: gr.Request) -> _Shown:
        wish, guest = _wish(event), self._guest(request)
        if wish["do"] not in ("undo", "edit"):
            view = guest.sway(wish["item"]) if wish["do"] == "sway" else guest.react(wish["item"], wish["event"])
            return {self.found: cards(view, self._agent.noun)}
        view = guest.undo()
        return {**self._shown(guest, view), self.box: view.draft if wish["do"] == "edit" else ""}

    def _interrupt(self, request: gr.Request) -> _Shown:
        self._guests.stop(_session(request))
        return {self.stop: gr.Button(self._guest(request).words("top.stopping"), interactive=False)}

    def _anew(self, request: gr.Request) -> _Shown:
        guest = self._guests.renew(_session(request), self._person(request))
        return {**self._shown(guest, guest.view()), self.box: ""}

    def _leave(self, request: gr.Request) -> None:
        self._guests.close(_session(request))

    # -- what the person keeps

    def _go_on(self, event: gr.EventData, request: gr.Request) -> _Shown:
        guest, note = self._keeping.change(_session(request), self._person(request), _wish(event))
        return {**self._shown(guest, guest.view()), self.past: self._keeping.past(guest, note)}

    def _share(self, event: gr.EventData, request: gr.Request) -> _Shown:
        guest = self._guest(request)
        shared = self._keeping.share(guest, _wish(event))
        return {**self._shown(guest, guest.view()), self.share: shared}  # another page may have made a new list

    # -- what is known of the person

    def _about(self, is_open: bool, request: gr.Request) -> _Shown:
        guest = self._guest(request)
        return {
            self.known: gr.HTML("" if is_open else self._panel(guest), given=""),
            self.is_open: not is_open,
            self.me: self._me(guest.words, not is_open),
        }

    def _panel(self, guest: Guest, note: str = "", wanted: str = "") -> str:
        found = entries(self._agent, guest.user_id, wanted, guest.words)
        shared = self._keeping.all_shared(guest)
        said = section(self._agent, guest, things(self._agent.noun, guest.words), wanted)
        return panel(found, note, bool(wanted.strip()), guest.words, shared, self._guests.signed_in, said)

    def _search(self, event: gr.EventData, request: gr.Request) -> _Shown:
        html = self._panel(self._guest(request), wanted=_wish(event)["value"])
        return {self.known: gr.HTML(html, given="")}

    def _correct(self, event: gr.EventData, request: gr.Request) -> _Shown:
        wish, guest, note, given = _wish(event), self._guest(request), "", {"given": ""}
        if wish["do"] == "export":
            given = {"given": export(self._agent, guest.user_id), "times": next(self._times)}
        elif wish["do"] == "forget":
            guest = self._guests.forget(_session(request), self._person(request))
            note = guest.words("known.forgotten")
        elif wish["do"] in ("open", "delete"):
            guest, note = self._keeping.change(_session(request), self._person(request), wish)
        elif wish["do"] == "remove" and wish["key"]:
            note = guest.words("said.taken_back" if guest.take_back(wish["key"]) else "said.not_taken_back")
        elif wish["do"] == "remove" and remove(self._agent, guest.user_id, wish["item"]):
            guest.unmark(wish["item"])
            note = guest.words("known.removed")
        elif wish["do"] == "add":
            note = _added(self._agent, guest, wish["text"])
        elif wish["do"] == "unshare":
            note = self._keeping.stop_sharing(guest, wish["key"])
        return {**self._shown(guest, guest.view()), self.known: gr.HTML(self._panel(guest, note), **given)}

    def _guest(self, request: gr.Request) -> Guest:
        return self._guests.get(_session(request), self._person(request), _chosen(request))

    def _person(self, request: gr.Request) -> str | None:
        """Who sits at the browser that asks; None where it keeps no cookie: then the open page is all there is."""
        if self._guests.signed_in:
            return signed_in.account(request).user_id
        return self._keeping.browsers.settled(dict(request.cookies))


def _part(name: str, html: str = "", **more: Any) -> gr.HTML:  # noqa: ANN401 - what gradio takes
    """A part of the page that is drawn by us, with the listeners of page.js."""
    return gr.HTML(html, js_on_load=_ON_LOAD, apply_default_css=False, elem_id=name, **more)


def _wish(event: gr.EventData) -> defaultdict[str, str]:
    """What a button of ours asks for; whatever it lacks, or is no text, is empty."""
    said = event._data if isinstance(event._data, dict) else {}
    return defaultdict(str, {name: value for name, value in said.items() if isinstance(value, str)})


def _added(agent: Agent, guest: Guest, given: str) -> str:
    try:
        return add(agent, guest.user_id, given, guest.words)
    except InputError as error:
        return str(error)


def _talk(words: Words) -> gr.Chatbot:
    """What was said. Without markdown gradio still takes HTML, sanitised but with images: so each text is escaped."""
    return gr.Chatbot(
        label=words("top.talk"), show_label=False, visible=False, elem_id="vr-talk", height=None, autoscroll=False,
        sanitize_html=True, allow_tags=False, render_markdown=False, latex_delimiters=[], feedback_options=None,
        buttons=[], allow_file_downloads=False, layout="bubble",
    )  # fmt: skip


def _box(longest: int, words: Words) -> gr.Textbox:
    return gr.Textbox(
        label=words("top.box"), show_label=False, container=False, autofocus=True, lines=1, max_lines=4, scale=1,
        max_length=longest, placeholder=words("top.placeholder"), elem_id="vr-box",
    )  # fmt: skip


def _session(request: gr.Request) -> str:
    """The random name that gradio gave this open page."""
    if not request.session_hash:
        raise gr.Error(_chosen(request)("top.no_session"), print_exception=False)
    return request.session_hash


def _chosen(request: gr.Request) -> Words:
    return chosen(request.query_params, request.cookies, request.headers)
