"""Where a server can listen."""

from __future__ import annotations

import socket
import sys

from agent.errors import InputError

LOCAL = ("127.0.0.1", "localhost")
PORTS = 20  # how many ports after the wished one are tried


def elsewhere(url: str, port: int) -> str:
    """What whoever asked for a port should know where another one was taken; empty where none was."""
    taken = port and not url.rstrip("/").endswith(f":{port}")
    return f"Port {port} is taken by something else: programs that go there will not find this server." if taken else ""


def free_port(host: str, port: int) -> int:
    """The wished port, or the first free one after it; any free one for 0."""
    for candidate in range(port, min(port + PORTS, 65536)) if port else (0,):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            if sys.platform != "win32":  # there it would take over a port in use
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError as error:
                reason = error
                continue
            return int(probe.getsockname()[1])
    tried = f"port {port}" if port + 1 >= 65536 else f"ports {port} to {min(port + PORTS, 65536) - 1}"
    raise InputError(f"Nothing can listen on {host}, {tried}: {reason.strerror}. Give another --port or --host.")
