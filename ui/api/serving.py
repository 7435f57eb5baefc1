"""The service alone, without the page of the chat: `vouchrec serve --api-only`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from agent.errors import InputError
from ui.address import elsewhere, free_port
from ui.api.app import PER_MINUTE, build_api
from ui.terminal import Terminal, log_to_stderr

if TYPE_CHECKING:
    from fastapi import FastAPI

MOST_CONNECTIONS = 500  # whoever comes then is told 503 before anything is read
START_SECONDS = 20.0


@contextmanager
def served(api: FastAPI, host: str = "127.0.0.1", port: int = 7860) -> Iterator[str]:
    """Serve an application from a thread of its own while the context lasts; gives its address.

    Where the port is taken, the next free one is used; port 0 asks for any free one.

    Raises:
        InputError: the address cannot be listened on.
    """
    port = free_port(host, port)
    config = uvicorn.Config(
        api, host, port, log_level="warning", access_log=False, server_header=False, date_header=True,
        limit_concurrency=MOST_CONNECTIONS, timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="service", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise InputError(f"Nothing can listen on {host}, port {port}. Give another --host or --port.")
            time.sleep(0.01)
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        api.state.service.close()
        server.should_exit = True
        thread.join(timeout=10)


def serve(
    workspace: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    terminal: Terminal | None = None,
    per_minute: int = PER_MINUTE,
) -> None:
    """Open the agent of a workspace and serve programs until Ctrl-C; raises what `ui.front.serve` raises."""
    terminal = terminal or Terminal()
    log_to_stderr()
    with terminal.agent(workspace) as agent:
        api = build_api(agent, per_minute=per_minute)
        try:
            with served(api, host, port) as url:
                terminal.say(
                    f"Vouchrec serves programs at {url}/v1 with {len(agent.catalogue):,} items. Ctrl-C stops it."
                )
                if note := elsewhere(url, port):
                    terminal.note(note, style="yellow")
                threading.Event().wait()
        except KeyboardInterrupt:
            terminal.note("\nStopped.", style="dim")
