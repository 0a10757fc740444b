"""Serves an OpenEnv application until the process is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from learnact.errors import BadInput

MESSAGE_BYTES = 1 << 20
"""A longer message ends its session."""
BACKLOG = 1024
SHUTDOWN_SECONDS = 5
"""How long requests in flight may take to end when the server ends."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are `serve`'s: one that is asked to end has done well."""
        yield


async def serve(app: FastAPI, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer until SIGINT or SIGTERM. `ready` is given the address. Raises `BadInput` for an address that
    cannot be taken.
    """
    with _bound(host, port) as listening:
        config = uvicorn.Config(
            app,
            log_level="warning",
            ws_max_size=MESSAGE_BYTES,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        server = _Server(config)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, setattr, server, "should_exit", True)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listening.getsockname()[1]}")
        await server.serve([listening])


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket, so that the address is known, and taken, before anything is served."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise BadInput(f"--host {host}: {error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise BadInput(f"--host {host} --port {port}: {error.strerror}; name another") from None
    return listening
