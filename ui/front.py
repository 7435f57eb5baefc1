"""Serves the page, the service for developers, shared lists and the workshop at one address, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from agent.errors import InputError
from ui.address import elsewhere, free_port
from ui.api.app import PER_MINUTE, Front, build_api
from ui.app import build_app
from ui.auth import page as signed_in
from ui.auth.door import Door, notes
from ui.browsers import Remembered
from ui.desk import Desk
from ui.guest import WAITING
from ui.guests import Guests
from ui.limits import LimitedBody
from ui.lists import lists_route
from ui.surroundings import ignore_variables, reach_without_proxy
from ui.terminal import Terminal, log_to_stderr
from ui.workshop.gate import Gate, WorkshopRoute, only_here

if TYPE_CHECKING:
    from fastapi import FastAPI

    from agent import Agent

LARGEST_UPLOAD = 1  # bytes: gradio has an upload address on every page, and this page needs none


def theme() -> gr.themes.Base:
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


def start(
    page: gr.Blocks,
    host: str = "127.0.0.1",
    port: int = 7860,
    api: FastAPI | None = None,
    routes: Sequence[BaseRoute] = (),
    door: Door | None = None,
) -> str:
    """Serve a page from a thread of its own, and give back its address; `page.close()` ends it.

    The service for developers answers at the same address, where one is given, and so do further routes.
    With a door people must sign in.

    Nothing is shared, recorded, measured or sent to anyone; no file can be had from it and none given to it.

    Raises:
        InputError: the address cannot be listened on.
    """
    ignore_variables()
    reach_without_proxy(host)
    known_by = door.middleware(api is not None) if door else Middleware(Remembered)
    around: dict[str, Any] = {
        "middleware": [known_by, Middleware(LimitedBody)],
        "routes": [*([Front("", api)] if api else []), *routes, *(door.routes() if door else [])],
    }
    try:
        _, url, _ = page.launch(
            server_name=host, server_port=free_port(host, port), share=False, inbrowser=False, inline=False,
            quiet=True, prevent_thread_lock=True, show_error=False, footer_links=[], run_history=False,
            allowed_paths=[], blocked_paths=[], root_path="", enable_monitoring=False, strict_cors=True,
            ssr_mode=False, pwa=False, mcp_server=False, max_file_size=LARGEST_UPLOAD, state_session_capacity=200,
            app_kwargs=around, max_threads=2 * WAITING, theme=theme(),
            css_paths=[Path(__file__).with_name("style.css"), signed_in.STYLE], head=signed_in.HEAD if door else None,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"Nothing can listen on {host}: {error}. Give another --host or --port.") from error
    return url


def _workshop(agent: Agent, desk: Desk) -> Gate:
    from ui.workshop.page import open_workshop

    return open_workshop(agent, desk)


def serve(
    workspace: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    terminal: Terminal | None = None,
    per_minute: int = PER_MINUTE,
    with_workshop: bool = False,
    auth: bool = False,
) -> None:
    """Open the agent of a workspace and serve its page, and the service for developers, until Ctrl-C.

    Where the port is taken, the next free one is used; port 0 asks for any free one. With `auth`, people sign in with
    the accounts of the workspace, and programs of this machine need a key too.

    Raises:
        WorkspaceError: there is no workspace, or another process has it open.
        AssetError: a model cannot be had.
        InputError: the address cannot be listened on, or is open to others and the workshop is asked for.
    """
    if with_workshop:
        only_here(host)
    terminal = terminal or Terminal()
    log_to_stderr()
    with terminal.agent(workspace) as agent:
        desk = Desk()
        api = build_api(agent, desk, per_minute, keyless=not auth)
        guests = Guests(agent, desk=desk, signed_in=auth, talks=api.state.service.talks)
        door = Door(agent.workspace.store.accounts) if auth else None
        page = build_app(agent, guests)
        workshop = _workshop(agent, desk) if with_workshop else None
        routes = [lists_route(agent), *([WorkshopRoute(workshop)] if workshop else [])]
        url = start(page, host, port, api, routes, door)
        try:
            terminal.say(f"Vouchrec is at {url} with {len(agent.catalogue):,} items. Ctrl-C stops it.")
            if workshop:
                terminal.out.out(f"The workshop is at {url.rstrip('/')}{workshop.address}", highlight=False)
            told = [note] if (note := elsewhere(url, port)) else []
            for note in (*told, *notes(host, auth, len(agent.workspace.store.accounts.all()))):
                terminal.note(note, style="yellow")
            threading.Event().wait()
        except KeyboardInterrupt:
            terminal.note("\nStopped.", style="dim")
        finally:
            guests.stop_all()
            api.state.service.close()
            page.close(verbose=False)
