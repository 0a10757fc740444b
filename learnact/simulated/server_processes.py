"""The server's processes: one port, a socket for each process (the kernel spreads the connections).

They end together with their parent. A thread watches for its end, because a process that is computing a long
reply must not outlive its parent.
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
from learnact.simulated.faults import Faults
from learnact.simulated.server import SimulatedModels, application

PARENT_CHECK_SECONDS = 0.3
SHUTDOWN_SECONDS = 3.0
"""How long a process whose parent is gone may take to end by itself."""
_BACKLOG = 1024


@dataclass(frozen=True)
class ServerOptions:
    """How to serve.

    `port` 0 takes a free one; `port_file` is written as a whole when connections are accepted; `parent`: the
    process id with which to end; `announce` is called with the port when connections are accepted.
    """

    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    processes: int = 1
    parent: int | None = None
    faults: Faults = field(default_factory=Faults)
    announce: Callable[[int], None] = lambda _: None


def serve(options: ServerOptions) -> None:
    """Serve until interrupted, terminated, or until the parent process has ended.

    Raises `BadInput` when the port cannot be used or the port file cannot be written.
    """
    listening = _listen(options.host, options.port, first=True)
    port = int(listening.getsockname()[1])
    if options.port_file:
        _write_port_file(options.port_file, "")
    end_reader, end_writer = os.pipe()
    ready_reader, ready_writer = os.pipe()
    children = [_start_child(options, port, end_reader, ready_writer, n) for n in range(1, options.processes)]
    os.close(end_reader)
    os.close(ready_writer)
    try:
        # A client that connects before all processes listen would stay with those that do.
        while os.read(ready_reader, len(children) + 1):
            pass
        asyncio.run(_serve(listening, options, port, 0))
    finally:
        os.close(end_writer)
        for child in children:
            child.terminate()
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)


def serve_in_child(arguments: str) -> None:
    """Serve in a child process, on the same port, until its parent closes the pipe."""
    values = json.loads(arguments)
    faults = Faults(**{**values["faults"], "refuse": tuple(values["faults"]["refuse"])})
    listening = _listen(values["host"], values["port"], first=False)
    os.write(values["ready_writer"], b".")
    os.close(values["ready_writer"])
    asyncio.run(_serve(listening, ServerOptions(faults=faults), 0, values["number"], values["end_reader"]))


def _start_child(
    options: ServerOptions, port: int, end_reader: int, ready_writer: int, number: int
) -> subprocess.Popen[bytes]:
    values = {
        "faults": asdict(options.faults),
        "host": options.host,
        "port": port,
        "end_reader": end_reader,
        "ready_writer": ready_writer,
        "number": number,
    }
    command = [sys.executable, "-m", "learnact.simulated", "--child", json.dumps(values)]
    return subprocess.Popen(command, pass_fds=(end_reader, ready_writer), stdin=subprocess.DEVNULL)


def _listen(host: str, port: int, first: bool) -> socket.socket:
    """A listening socket. The `first` process checks that no other program has the port; the others share
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
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"cannot listen on {host}:{port}: {reason}; choose another --port (0: any)") from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening


async def _serve(
    listening: socket.socket, options: ServerOptions, port: int, number: int, pipe: int | None = None
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    if pipe is not None:
        _end_with(lambda: os.read(pipe, 1), loop, ended)
    runner = web.AppRunner(
        application(SimulatedModels(options.faults, number)), access_log=None, shutdown_timeout=1.0
    )
    await runner.setup()
    await web.SockSite(runner, listening).start()
    if options.port_file:
        _write_port_file(options.port_file, str(port))
    options.announce(port)
    if options.parent:
        parent = options.parent
        _end_with(lambda: _wait_for_end(parent), loop, ended)
    await ended.wait()
    await runner.cleanup()


def _write_port_file(path: Path, text: str) -> None:
    """Write the file as a whole; without text only check that it can be written. Raises `BadInput`."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_text(text)
        if text:
            partial.replace(path)
        else:
            partial.unlink()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"--port-file {path}: cannot be written: {reason}") from error


def _end_with(wait: Callable[[], object], loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """End when `wait` returns: by itself if it can, at once if it is busy for longer than
    `SHUTDOWN_SECONDS`."""

    def watch() -> None:
        wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(ended.set)
        time.sleep(SHUTDOWN_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def _wait_for_end(parent: int) -> None:
    while is_alive(parent):
        time.sleep(PARENT_CHECK_SECONDS)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
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
