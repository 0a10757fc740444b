"""Starts the servers of models that run on this machine, the simulated one and local ones: one for each node,
shared by the workers there; it ends with them.

A server is a process of its own (`python -m learnact.simulated`, `python -m learnact.models.local`), so that
the model sees chat messages and nothing else. It ends with the process named as its parent, however that one
ends."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from learnact.errors import ProviderFailure
from learnact.models.local.weights import problem
from learnact.models.temporary import TemporaryFolder, remove_dead
from learnact.records import digest

START_SECONDS = 60.0
"""Bound on the server's start (an interpreter and its imports on a busy machine)."""

LOG = "server.log"
LOG_CHARS = 20_000
"""How much of the server's log is read."""
TOLD_LINES = 3
"""How many lines of it a warning holds."""
_log = logging.getLogger("learnact.models.embedded")

COMMAND = (sys.executable, "-m", "learnact.simulated")
SIMULATED = "the simulated model"


class LocalServers:
    """The servers of this node's local models (`learnact serve-model`), each started at first use.

    `directory`, `parent`: as of `Embedded`; each model has a folder of its own in the directory.
    """

    def __init__(self, directory: Path | None = None, parent: int | None = None) -> None:
        self._directory = directory
        self._parent = parent
        self._servers: dict[str, Embedded] = {}

    async def url(self, name: str) -> str:
        """The base URL of a model's server. Raises `ProviderFailure`: it cannot be started."""
        if (why := problem(name)) is not None:
            raise ProviderFailure(why, False)
        if name not in self._servers:
            folder = None if self._directory is None else self._directory / digest(name)
            command = (sys.executable, "-m", "learnact.models.local", name)
            self._servers[name] = Embedded(folder, parent=self._parent, command=command, title=name)
        return await self._servers[name].url()

    def check_again(self) -> None:
        """As `Embedded.check_again`, for all of them."""
        for server in self._servers.values():
            server.check_again()

    def close(self) -> None:
        """As `Embedded.close`, for all of them."""
        for server in self._servers.values():
            server.close()


class Embedded:
    """A model's server of this node; started at first use, started anew when it died.

    `directory`: a folder that the processes of one run on one node share, so that one server serves them all
    (None: a private one). `processes`: how many processes serve (None: one for each core). `parent`: the id
    of the process with which the server ends (None: this one). `title`: what messages call the model; of the
    simulated one they also tell what its log says."""

    def __init__(
        self,
        directory: Path | None = None,
        processes: int | None = None,
        parent: int | None = None,
        command: Sequence[str] = COMMAND,
        title: str = SIMULATED,
    ) -> None:
        self._private = directory is None
        self._directory = directory
        self._own: TemporaryFolder | None = None
        self._title = title
        self._processes = processes or os.cpu_count() or 1
        self._parent = parent or os.getpid()
        self._command = tuple(command)
        self._server: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._starting = asyncio.Lock()

    async def url(self) -> str:
        """The base URL of the running server. Raises `ProviderFailure` when it cannot be started."""
        if not self._url:
            async with self._starting:
                if not self._url:
                    self._url = await asyncio.to_thread(self._ensure)
        return self._url

    def check_again(self) -> None:
        """Say that a connection failed: the next call checks whether the server still runs, and starts
        another one if not."""
        self._url = ""

    def close(self) -> None:
        """End the server that this object started, by its process id. Idempotent; a shared one goes with its
        parent."""
        server, self._server = self._server, None
        self._url = ""
        if server is not None and self._directory is not None and self._title == SIMULATED:
            _tell(self._directory / LOG)
        if server is not None and (self._private or self._parent == os.getpid()):
            _end(server)
        if self._own is not None:
            self._own.remove()
            self._own = self._directory = None

    def _ensure(self) -> str:
        if self._directory is None:
            remove_dead()
            self._own = TemporaryFolder.new("learnact-model-")
            self._directory = self._own.path
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        record = self._directory / "server.json"
        with _locked(self._directory / "lock"):
            port = _running(record)
            if port is None:
                port = self._start(self._directory)
                record.write_text(json.dumps({"pid": self._server.pid if self._server else 0, "port": port}))
        return f"http://127.0.0.1:{port}/v1"

    def _start(self, directory: Path) -> int:
        port_file, log_file = directory / f"port-{os.getpid()}", directory / LOG
        port_file.unlink(missing_ok=True)
        command = [*self._command, "--port", "0", "--port-file", str(port_file)]
        command += ["--parent", str(self._parent)]
        command += ["--processes", str(self._processes)] if self._title == SIMULATED else []
        with log_file.open("ab") as log:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            port = _read_port(port_file)
            if port is not None and _listens(port):
                self._server = server
                return port
            time.sleep(0.02)
        ended = server.poll()
        if ended is None:
            _end(server)
        last = log_file.read_text(errors="replace")[-400:].strip()
        how = f"ended with {ended}" if ended is not None else f"was not ready after {START_SECONDS:g} s"
        raise ProviderFailure(f"the server of {self._title} {how}: {last or 'it said nothing'}")


def _tell(log_file: Path) -> None:
    """Warn of what the server wrote into its log: nothing, as long as it could read every line of every
    prompt."""
    with contextlib.suppress(OSError):
        with log_file.open(errors="replace") as log:
            lines = [line for line in log.read(LOG_CHARS).splitlines() if line.strip()]
        if lines:
            more = f" (and {len(lines) - TOLD_LINES} more)" if len(lines) > TOLD_LINES else ""
            _log.warning("the simulated model says: %s%s", " / ".join(lines[:TOLD_LINES]), more)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(5)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running(record: Path) -> int | None:
    try:
        port = int(json.loads(record.read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return port if _listens(port) else None


def _read_port(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return True
    except OSError:
        return False
