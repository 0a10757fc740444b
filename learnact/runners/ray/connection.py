"""A connection to Ray: the session that this process has already, a cluster of our own on this machine, or
one that runs already.

Our own cluster asks for a token that only this process and its child processes know, writes nothing to the
home directory, shows no dashboard and logs to its own folder. Ray ties its processes to the thread that
started them, so one thread lives as long as the session."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from learnact.errors import HarnessFailure, JobError
from learnact.models.temporary import TemporaryFolder, remove_dead

CONNECT_SECONDS = 10.0
"""Bound on reaching an address."""

START_TRIES = 3
"""How often a Ray of our own is started: on a very busy machine it does not come up in its own time."""

OBJECT_STORE_BYTES = 128 * 2**20
"""Shared memory of our own cluster: outcomes are a few kB each, so little is enough."""

LONGEST_FOLDER = 36
"""Bytes of a folder's path with which Ray's sockets fit into the 107 bytes of a socket's address: what Ray
adds (`/session_DATE_TIME_PID/sockets/plasma_store`) has about 65, and some is left to spare."""
PREFIX = "lact-ray-"
"""Beginning of the names of the folders of our own Ray; 8 characters more are drawn."""

SHORT_PARENTS = ("/tmp", "/var/tmp", "/dev/shm")

_log = logging.getLogger("learnact.runners.ray")
_OWN = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "5",
}
_QUIET = {"RAY_DEDUP_LOGS_SKIP_REGEX": "."}
"""Ray prints what its daemons say of dead workers to standard output, whatever `log_to_driver` says; a run
with `--json` has it to itself."""

_TOKEN = secrets.token_hex(32)
"""Ray reads its token once in a process, so all clusters of our own that this process starts share it."""


class RayConnection:
    """Opened once, closed once.

    `address` None: the session that the caller has opened with `ray.init`, which is used as it is and stays
    open; else a cluster of our own with `workers` CPUs (None: one for each core).
    """

    _running = False
    """Whether this process has a connection of ours: a second one would be ended with the first."""

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self._address = address
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        self._saved: dict[str, str | None] = {}
        self._folder: TemporaryFolder | None = None
        self._opened = False

    @property
    def own(self) -> bool:
        """Whether this is a cluster of our own on this machine."""
        return self._opened and self._address is None

    async def open(self) -> int:
        """Connect; returns the number of workers to have.

        Raises `JobError` for an address where no cluster answers.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._start)

    async def close(self) -> None:
        """Disconnect; our own cluster ends. Idempotent."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _start(self) -> int:
        """Connect; our own Ray is given more than one chance, since Ray bounds its start by 30 s."""
        for left in reversed(range(START_TRIES)):
            try:
                return self._connect()
            except HarnessFailure as failure:
                if not failure.retryable or not left:
                    raise
                _log.warning("%s; it is started again", failure)
        raise AssertionError("no try was left")

    def _connect(self) -> int:
        if (session := sys.modules.get("ray")) and session.is_initialized():
            return self._join(session)
        self._set_environment(_QUIET)
        if self._address is None:
            self._set_environment({**_OWN, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _TOKEN})
        import ray

        cores = self._workers or os.cpu_count() or 1
        own: dict[str, Any] = {
            "address": "local",
            "num_cpus": cores,
            "num_gpus": 0,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
        if self._address is not None:
            _check_address(self._address)
        else:
            remove_dead(*map(Path, (os.environ.get("RAY_TMPDIR") or "/tmp", *SHORT_PARENTS)))
            self._folder = _short_folder()
            own["_temp_dir"] = str(self._folder.path)
        self._opened = RayConnection._running = True
        arguments = own if self._address is None else {"address": self._address}
        try:
            ray.init(**arguments, log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
        except Exception as error:  # Ray raises bare ones: of a node that was too slow to start
            self._disconnect()
            if self._address is None:
                raise HarnessFailure(f"Ray did not start on this machine: {error}") from error
            raise _no_cluster(self._address, error) from error
        return cores if self._address is None else self._workers or _cpus(ray)

    def _join(self, ray: Any) -> int:
        """Use the caller's own session; returns the number of workers to have."""
        if RayConnection._running:
            raise HarnessFailure("this process runs a job on Ray already; run one after the other", False)
        if self._address not in (None, "auto"):
            raise JobError(
                f"this process has a Ray session already, so it cannot connect to {self._address!r}: "
                "leave the address out to run in that session, or call ray.shutdown() first"
            )
        return self._workers or _cpus(ray)

    def _disconnect(self) -> None:
        if self._opened:
            import ray

            ray.shutdown()
            RayConnection._running = False
        self._opened = False
        if self._folder is not None:
            self._folder.remove()
            self._folder = None
        self._restore()

    def _restore(self) -> None:
        for name, value in self._saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._saved.clear()

    def _set_environment(self, wanted: dict[str, str]) -> None:
        """Ray reads its settings from the environment; what was there before comes back at the end."""
        for name, value in wanted.items():
            self._saved[name] = os.environ.get(name)
            if name.startswith("RAY_AUTH") or name not in os.environ:
                os.environ[name] = value


def _short_folder() -> TemporaryFolder:
    """A folder for Ray's session, with its sockets: in the usual place, or elsewhere where that has too long
    a path (schedulers give each job its own). Raises `JobError` when there is none to be had."""
    usual = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    for parent in (usual, *SHORT_PARENTS):
        if len(os.fsencode(parent)) + 1 + len(PREFIX) + 8 <= LONGEST_FOLDER:
            with contextlib.suppress(OSError):
                return TemporaryFolder.new(PREFIX, Path(parent))
    name = "RAY_TMPDIR" if os.environ.get("RAY_TMPDIR") else "TMPDIR"
    raise JobError(
        f"{name} is too long for Ray's sockets ({len(os.fsencode(usual))} bytes; at most {LONGEST_FOLDER}): "
        f"set RAY_TMPDIR to a folder with a shorter path, or run with --address local"
    )


def _check_address(address: str) -> None:
    """Ray ends the whole process when it cannot reach an address, so it is tried first. Raises `JobError`."""
    if "://" in address and not address.startswith("ray://"):
        raise JobError(f"{address!r} is no Ray address: give auto, HOST:PORT or ray://HOST:PORT")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: BaseException) -> JobError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    said = lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
    return JobError(
        f"no Ray cluster answers at {address!r} ({said}): check the address, start one with "
        "`ray start --head`, or leave the address out for one on this machine"
    )


def _cpus(ray: Any) -> int:
    """CPUs of the cluster that this process is connected to."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
