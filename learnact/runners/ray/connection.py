"""A connection to Ray: a cluster of our own on this machine, or one that runs already.

Our own cluster asks for a token that only this process and its children know, writes nothing to the home
directory, shows no dashboard and logs to its own folder. Ray ties its processes to the thread that started
them, so one thread lives as long as the session."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from learnact.errors import HarnessFailure, JobError

CONNECT_SECONDS = 10.0
"""Bound on reaching an address."""

OBJECT_STORE_BYTES = 128 * 2**20
"""Shared memory of our own cluster: outcomes are a few kB each, so little is enough."""

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
    """Opened once, closed once. `address` None: a cluster of our own with `workers` CPUs (None: one for each
    core)."""

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self._address = address
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        self._before: dict[str, str | None] = {}
        self._opened = False

    async def open(self) -> int:
        """Connect; returns the number of workers to have.

        Raises `JobError` for an address that nobody answers at.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._connect)

    async def close(self) -> None:
        """Disconnect; our own cluster ends. Idempotent."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _connect(self) -> int:
        self._environment(_QUIET)
        if self._address is None:
            self._environment({**_OWN, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _TOKEN})
        import ray

        if ray.is_initialized():
            self._restore()
            raise HarnessFailure("this process is connected to Ray already; run one job after another", False)
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
            _knock(self._address)
        self._opened = True
        arguments = own if self._address is None else {"address": self._address}
        try:
            ray.init(**arguments, log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            self._disconnect()
            if self._address is None:
                raise HarnessFailure(f"Ray did not start on this machine: {error}") from error
            raise _nobody(self._address, error) from error
        if self._address is None or self._workers:
            return cores
        resources: Any = ray.cluster_resources  # untyped in ray
        return max(1, int(resources().get("CPU", 1)))

    def _disconnect(self) -> None:
        if self._opened:
            import ray

            ray.shutdown()
        self._opened = False
        self._restore()

    def _restore(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before.clear()

    def _environment(self, wanted: dict[str, str]) -> None:
        """Ray reads its settings from the environment; what was there before comes back at the end."""
        for name, value in wanted.items():
            self._before[name] = os.environ.get(name)
            if name.startswith("RAY_AUTH") or name not in os.environ:
                os.environ[name] = value


def _knock(address: str) -> None:
    """Ray ends the whole process when it cannot reach an address, so try it first. Raises `JobError`."""
    if "://" in address and not address.startswith("ray://"):
        raise JobError(f"{address!r} is no Ray address: give auto, HOST:PORT or ray://HOST:PORT")
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _nobody(address, error) from error


def _nobody(address: str, error: BaseException) -> JobError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    said = lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
    return JobError(
        f"no Ray cluster answers at {address!r} ({said}): check the address, start one with `ray start --head`, or leave "
        "the address out for one on this machine"
    )
