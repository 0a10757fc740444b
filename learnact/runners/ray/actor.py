"""What runs in a worker process of the cluster: one event loop, many units at once.

Only plain data goes in and out: exceptions of other libraries may not survive the way between processes.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, TypeAlias

from learnact.models.concurrency import RequestsInFlight
from learnact.models.embedded import Embedded
from learnact.models.pool import ModelPool
from learnact.records import Attempt, Call, EpisodeResult, Outcome, Reply, Unit
from learnact.runners.worker import UnitLimits, Worker

VERSION = version("learnact")
"""From the package's metadata: `learnact/__init__.py` reaches up to the driver."""


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is told at its start.

    `run`: a token that the workers of one run share. `requests`: requests in flight at one model from this
    worker. `node` is filled in by the worker. `limits`: tries and deadlines of a unit."""

    run: str
    requests: int | None = None
    limits: UnitLimits = field(default_factory=UnitLimits)
    node: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """A folder that the workers of this run on one node share."""
        return Path(tempfile.gettempdir()) / f"learnact-run-{self.run}"


class UnitWorker(Protocol):
    """A worker as seen from here."""

    async def execute(self, unit: Unit) -> Outcome:
        """Never raises for a unit."""
        ...


MakeWorker: TypeAlias = Callable[[WorkerSettings], AbstractAsyncContextManager[UnitWorker]]


@dataclass(frozen=True)
class UnitDone:
    """An outcome on its way to the driver, without the unit, which the driver has. `error`: a bug that
    escaped the worker."""

    result: EpisodeResult | Reply | None = None
    attempts: tuple[Attempt, ...] = ()
    calls: tuple[Call, ...] = ()
    finished: float = 0.0
    node: str = ""
    error: str = ""


@dataclass(frozen=True)
class WorkerReady:
    """What a worker says when it is ready."""

    node: str
    version: str


def production_worker(place: WorkerSettings) -> AbstractAsyncContextManager[UnitWorker]:
    """The real worker: models, sandbox, engines, domains."""
    return _Production(place)


class _Production:
    def __init__(self, place: WorkerSettings) -> None:
        self._pool = ModelPool(
            Embedded(place.folder / "simulated"),
            concurrency=RequestsInFlight(place.requests),
            keys=place.keys,
        )
        self._worker = Worker(self._pool, place.limits, place.node)

    async def __aenter__(self) -> Worker:
        await self._pool.__aenter__()
        return await self._worker.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._worker.__aexit__(*exc)
        finally:
            await self._pool.__aexit__(*exc)


class UnitActor:
    """A Ray actor with an event loop; `start` before anything else."""

    def __init__(self) -> None:
        self._context: AbstractAsyncContextManager[UnitWorker] | None = None
        self._worker: UnitWorker | None = None
        self._place: WorkerSettings | None = None

    async def start(self, make_worker: MakeWorker, place: WorkerSettings) -> WorkerReady:
        """Make the worker. What goes wrong here is raised as text."""
        node = socket.gethostname()
        self._place = replace(place, node=node)
        try:
            self._context = make_worker(self._place)
            self._worker = await self._context.__aenter__()
        except Exception as error:  # noqa: BLE001 - another library's exception may not survive the way to the driver
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        return WorkerReady(node, VERSION)

    async def execute(self, unit: Unit) -> UnitDone:
        """One unit, to its end."""
        assert self._worker is not None
        try:
            outcome = await self._worker.execute(unit)
        except Exception as error:  # noqa: BLE001 - the boundary between processes: handed on as data and recorded by the driver
            where = traceback.extract_tb(error.__traceback__)[-1]
            return UnitDone(error=f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")
        return UnitDone(outcome.result, outcome.attempts, outcome.calls, outcome.finished, outcome.node)

    async def ping(self) -> None:
        """Answers when the event loop turns."""

    async def close(self) -> None:
        """End what the worker holds."""
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)
        if self._place is not None:
            shutil.rmtree(self._place.folder, ignore_errors=True)
