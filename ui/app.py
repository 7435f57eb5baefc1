"""The chat for the browser: a ranked list at once, its reasons as they are checked, and a Stop that stops the model.

This module is the only one that imports gradio, and is itself imported only by who serves a page.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from agent.errors import InputError
from ui.address import LOCAL, free_port
from ui.api.app import PER_MINUTE, Front, build_api
from ui.cards import ON_LOAD, cards
from ui.desk import Desk
from ui.guests import Guests, View
from ui.starters import starters
from ui.terminal import Terminal, log_to_stderr

if TYPE_CHECKING:
    from fastapi import FastAPI

    from agent import Agent

WAITING = 32  # messages that may wait for the model at a time
LARGEST_UPLOAD = 1  # bytes: gradio has an upload address on every page, and this page needs none

_INVITATION = "<p>Say what you like and what you feel like. Each reason is checked before you see it. For example:</p>"
_Shown = dict[Any, Any]


def build_app(agent: Agent, guests: Guests | None = None) -> gr.Blocks:
    """The page. Everyone who opens it is a guest of their own; one message at a time is with the model."""
    _ignore_variables()
    guests = Guests(agent) if guests is None else guests
    private: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Blocks(title="Vouchrec", analytics_enabled=False) as page:
        with gr.Row(elem_id="vr-top"):
            gr.HTML("<h1>Vouchrec</h1>", elem_id="vr-intro", apply_default_css=False)
            renew = gr.Button("New conversation", size="sm", elem_id="vr-new", visible=False)
        talk = _talk()
        found = gr.HTML("", js_on_load=ON_LOAD, apply_default_css=False, elem_id="vr-found")
        with gr.Column(elem_id="vr-starters") as begin:
            gr.HTML(_INVITATION, apply_default_css=False)
            buttons = [gr.Button(text, size="md", elem_classes="vr-starter") for text in starters(agent)]
        with gr.Row(elem_id="vr-ask"):
            box = _box(agent.settings.max_message_chars)
            send = gr.Button("Send", variant="primary", elem_id="vr-send", scale=0, min_width=88)
            stop = gr.Button("Stop", variant="stop", elem_id="vr-stop", scale=0, min_width=88, visible=False)

        def shown(view: View) -> _Shown:
            said = [{"role": role, "content": escape(text, quote=False)} for role, text in view.talk]
            is_new = view.state == "new"
            return {
                talk: gr.Chatbot(said, visible=bool(said)),
                found: cards(view),
                begin: gr.Column(visible=is_new),
                renew: gr.Button(visible=not is_new),
                send: gr.Button(visible=not view.is_busy),
                stop: gr.Button(visible=view.is_busy, value="Stop", interactive=True),
            }

        def answer(text: str, request: gr.Request) -> Iterator[_Shown]:
            views = guests.get(_session(request)).answer(str(text or ""))
            try:
                for view in views:
                    yield {**shown(view), box: view.draft}
            finally:
                views.close()

        def interrupt(request: gr.Request) -> _Shown:
            guests.stop(_session(request))
            return {stop: gr.Button("Stopping", interactive=False)}

        def react(event: gr.EventData, request: gr.Request) -> _Shown:
            said = event._data if isinstance(event._data, dict) else {}
            guest = guests.get(_session(request))
            return {found: cards(guest.react(str(said.get("item", "")), str(said.get("event", ""))))}

        def anew(request: gr.Request) -> _Shown:
            return {**shown(guests.renew(_session(request)).view()), box: ""}

        def leave(request: gr.Request) -> None:
            guests.stop(_session(request))

        page_parts = [talk, found, begin, renew, send, stop, box]
        model: Mapping[str, Any] = {**private, "concurrency_id": "model", "concurrency_limit": 1}
        gr.on([box.submit, send.click], answer, box, page_parts, **model)
        for button in buttons:
            button.click(answer, button, page_parts, **model)
        stop.click(interrupt, None, stop, queue=False, **private)
        renew.click(anew, None, page_parts, queue=False, **private)
        found.click(react, None, found, queue=False, trigger_mode="multiple", **private)
        page.unload(leave)
    page.queue(max_size=WAITING, api_open=False)
    return page


def _talk() -> gr.Chatbot:
    """What was said. Without markdown gradio still takes HTML, sanitised but with images: so each text is escaped."""
    return gr.Chatbot(
        label="Conversation", show_label=False, visible=False, elem_id="vr-talk", height=None, autoscroll=False,
        sanitize_html=True, allow_tags=False, render_markdown=False, latex_delimiters=[], feedback_options=None,
        buttons=[], allow_file_downloads=False, layout="bubble",
    )  # fmt: skip


def _box(longest: int) -> gr.Textbox:
    return gr.Textbox(
        label="Your message", show_label=False, container=False, autofocus=True, lines=1, max_lines=4, scale=1,
        max_length=longest, placeholder="What do you feel like?", elem_id="vr-box",
    )  # fmt: skip


def _session(request: gr.Request) -> str:
    """The random name that gradio gave this open page."""
    if not request.session_hash:
        raise gr.Error("This page has no session. Load it again.", print_exception=False)
    return request.session_hash


def _theme() -> gr.themes.Base:
    """Fonts of the reader's own system, as others would be fetched from elsewhere; colours that are easy to read."""
    theme = gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="slate", radius_size="lg", text_size="lg",
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"],
    )  # fmt: skip
    return theme.set(
        body_text_color_subdued="*neutral_500", body_text_color_subdued_dark="*neutral_400",
        input_placeholder_color="*neutral_500", input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700", button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800", button_primary_background_fill_hover_dark="*primary_600",
        button_secondary_background_fill="*neutral_100", button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_hover_dark="*neutral_700",
    )  # fmt: skip


def start(page: gr.Blocks, host: str = "127.0.0.1", port: int = 7860, api: FastAPI | None = None) -> str:
    """Serve a page from a thread of its own, and give back its address; `page.close()` ends it.

    The service for developers answers at the same address, where one is given.

    Nothing is shared, recorded, measured or sent to anyone; no file can be had from it and none given to it.

    Raises:
        InputError: the address cannot be listened on.
    """
    _ignore_variables()
    _reach_without_proxy(host)
    before = {"routes": [Front("", api)]} if api else None
    try:
        _, url, _ = page.launch(
            server_name=host, server_port=free_port(host, port), share=False, inbrowser=False, inline=False,
            quiet=True, prevent_thread_lock=True, show_error=False, footer_links=[], run_history=False,
            allowed_paths=[], blocked_paths=[], root_path="", enable_monitoring=False, strict_cors=True,
            ssr_mode=False, pwa=False, mcp_server=False, max_file_size=LARGEST_UPLOAD, state_session_capacity=200,
            app_kwargs=before, theme=_theme(), css_paths=[Path(__file__).with_name("style.css")],
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"Nothing can listen on {host}: {error}. Give another --host or --port.") from error
    return url


def serve(
    workspace: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    terminal: Terminal | None = None,
    per_minute: int = PER_MINUTE,
) -> None:
    """Open the agent of a workspace and serve its page, and the service for developers, until Ctrl-C.

    Where the port is taken, the next free one is used; port 0 asks for any free one.

    Raises:
        WorkspaceError: there is no workspace, or another process has it open.
        AssetError: a model cannot be had.
        InputError: the address cannot be listened on.
    """
    terminal = terminal or Terminal()
    log_to_stderr()
    with terminal.agent(workspace) as agent:
        desk = Desk()
        guests, api = Guests(agent, desk=desk), build_api(agent, desk, per_minute)
        page = build_app(agent, guests)
        url = start(page, host, port, api)
        try:
            terminal.say(f"Vouchrec is at {url} with {len(agent.catalogue):,} items. Ctrl-C stops it.")
            if host not in LOCAL:
                terminal.note(f"Everyone who can reach {host} can talk to it; there is no password.", style="yellow")
            threading.Event().wait()
        except KeyboardInterrupt:
            terminal.note("\nStopped.", style="dim")
        finally:
            guests.stop_all()
            api.state.service.close()
            page.close(verbose=False)


def _ignore_variables() -> None:
    """Variables such as GRADIO_ALLOWED_PATHS open a page wider than its arguments say: none but these two counts."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # else it sums up all events so far after each event


def _reach_without_proxy(host: str) -> None:
    """Gradio asks its own page whether it is up; a proxy of the environment must not stand between."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join(dict.fromkeys([*known, *LOCAL, host]))
