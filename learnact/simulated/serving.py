"""The server's processes: one socket, one or several processes that accept on it, and their end together with their parent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiohttp import web

from learnact.errors import BadInput
from learnact.simulated.server import Model, application
from learnact.simulated.weather import Weather

PARENT_LOOK_SECONDS = 0.3
_BACKLOG = 1024


@dataclass(frozen=True)
class Serving:
    """How to serve. `port` 0 takes a free one; `port_file` is written, at once and whole, when connections are accepted; `parent`: end with it."""

    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    processes: int = 1
    parent: int | None = None
    weather: Weather = field(default_factory=Weather)
    announce: Callable[[int], None] = lambda _: None
    """Told the port once connections are accepted."""


def serve(options: Serving) -> None:
    """Serve until interrupted, terminated, or until the parent process is gone. Raises `BadInput` when the port cannot be had."""
    listening = _listen(options)
    port = int(listening.getsockname()[1])
    watched, held = os.pipe()
    children = [_child(options.weather, listening, watched, n) for n in range(1, options.processes)]
    os.close(watched)
    try:
        asyncio.run(_serve(listening, options, port, 0))
    finally:
        os.close(held)
        for child in children:
            child.terminate()
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)


def serve_child(arguments: str) -> None:
    """Serve in a child process, on the socket that it was given, until its parent closes the pipe."""
    given = json.loads(arguments)
    weather = Weather(**{**given["weather"], "refuse": tuple(given["weather"]["refuse"])})
    listening = socket.socket(fileno=given["socket"])
    asyncio.run(_serve(listening, Serving(weather=weather), 0, given["number"], given["pipe"]))


def _child(weather: Weather, listening: socket.socket, pipe: int, number: int) -> subprocess.Popen[bytes]:
    given = {"weather": asdict(weather), "socket": listening.fileno(), "pipe": pipe, "number": number}
    command = [sys.executable, "-m", "learnact.simulated", "--child", json.dumps(given)]
    return subprocess.Popen(command, pass_fds=(listening.fileno(), pipe), stdin=subprocess.DEVNULL)


def _listen(options: Serving) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}; choose another --port (0: any)"
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
        os.set_blocking(pipe, False)
        loop.add_reader(pipe, ended.set)
    runner = web.AppRunner(application(Model(options.weather, number)), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    if options.port_file:
        partial = options.port_file.with_name(f"{options.port_file.name}.{os.getpid()}")
        partial.write_text(str(port))
        partial.replace(options.port_file)
    options.announce(port)
    watch = asyncio.create_task(_watch(options.parent, ended)) if options.parent else None
    await ended.wait()
    if watch:
        watch.cancel()
    await runner.cleanup()


async def _watch(parent: int, ended: asyncio.Event) -> None:
    while _alive(parent):
        await asyncio.sleep(PARENT_LOOK_SECONDS)
    ended.set()


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
