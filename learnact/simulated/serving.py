"""The server's processes: one port, a socket for each process (the kernel spreads the connections), and their
end together with their parent.

What watches for the end is a thread: a process that is computing a long reply must not outlive its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiohttp import web

from learnact.errors import BadInput
from learnact.simulated.faults import Weather
from learnact.simulated.server import Model, application

PARENT_LOOK_SECONDS = 0.3
LAST_SECONDS = 3.0
"""How long a process whose parent is gone may take to end by itself."""
_BACKLOG = 1024


@dataclass(frozen=True)
class Serving:
    """How to serve. `port` 0 takes a free one; `port_file` is written, at once and whole, when connections
    are accepted; `parent`: end with it."""

    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    processes: int = 1
    parent: int | None = None
    weather: Weather = field(default_factory=Weather)
    announce: Callable[[int], None] = lambda _: None
    """Told the port once connections are accepted."""


def serve(options: Serving) -> None:
    """Serve until interrupted, terminated, or until the parent process is gone. Raises `BadInput` when the
    port cannot be had."""
    listening = _listen(options.host, options.port, first=True)
    port = int(listening.getsockname()[1])
    watched, held = os.pipe()
    ready, told = os.pipe()
    children = [_child(options, port, watched, told, n) for n in range(1, options.processes)]
    os.close(watched)
    os.close(told)
    try:
        # A client that connects before all listen would stay with those that do.
        while os.read(ready, len(children) + 1):
            pass
        asyncio.run(_serve(listening, options, port, 0))
    finally:
        os.close(held)
        for child in children:
            child.terminate()
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)


def serve_child(arguments: str) -> None:
    """Serve in a child process, on the same port, until its parent closes the pipe."""
    given = json.loads(arguments)
    weather = Weather(**{**given["weather"], "refuse": tuple(given["weather"]["refuse"])})
    listening = _listen(given["host"], given["port"], first=False)
    os.write(given["told"], b".")
    os.close(given["told"])
    asyncio.run(_serve(listening, Serving(weather=weather), 0, given["number"], given["pipe"]))


def _child(options: Serving, port: int, pipe: int, told: int, number: int) -> subprocess.Popen[bytes]:
    given = {
        "weather": asdict(options.weather),
        "host": options.host,
        "port": port,
        "pipe": pipe,
        "told": told,
        "number": number,
    }
    command = [sys.executable, "-m", "learnact.simulated", "--child", json.dumps(given)]
    return subprocess.Popen(command, pass_fds=(pipe, told), stdin=subprocess.DEVNULL)


def _listen(host: str, port: int, first: bool) -> socket.socket:
    """A listening socket; the `first` process makes sure that nobody else has the port, the others share
    it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        if first and port:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port (0: any)"
        ) from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


async def _serve(
    listening: socket.socket, options: Serving, port: int, number: int, pipe: int | None = None
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    if pipe is not None:
        _end_with(lambda: os.read(pipe, 1), loop, ended)
    runner = web.AppRunner(application(Model(options.weather, number)), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    if options.port_file:
        partial = options.port_file.with_name(f"{options.port_file.name}.{os.getpid()}")
        partial.write_text(str(port))
        partial.replace(options.port_file)
    options.announce(port)
    if options.parent:
        parent = options.parent
        _end_with(lambda: _gone(parent), loop, ended)
    await ended.wait()
    await runner.cleanup()


def _end_with(wait: Callable[[], object], loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """End when `wait` returns: by itself if it can, at once if it is busy for longer than `LAST_SECONDS`."""

    def watch() -> None:
        wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(ended.set)
        time.sleep(LAST_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def _gone(parent: int) -> None:
    while _alive(parent):
        time.sleep(PARENT_LOOK_SECONDS)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
