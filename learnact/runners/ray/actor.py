"""What runs in a worker process of the cluster: one event loop, many units at once.

Only plain data goes in and out: exceptions of other libraries may not survive the way between processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from learnact.errors import Failure, HarnessFailure
from learnact.models.embedded import Embedded, LocalServers
from learnact.models.limits.gate import RequestGate
from learnact.models.pool import ModelPool
from learnact.models.temporary import TemporaryFolder, remove_dead
from learnact.records import Attempt, Call, EpisodeResult, Outcome, Reply, Unit
from learnact.runners.ray.driver_gate import ASK_SECONDS, GONE_SECONDS, DriverGate
from learnact.runners.ray.limiter import ActorLink
from learnact.runners.ray.metrics import RayMetrics
from learnact.runners.worker import OnCall, UnitLimits, Worker, describe

VERSION = version("learnact")
"""From the package's metadata: `learnact/__init__.py` reaches up to the driver."""

NEWS_PAUSE = 0.005
"""Seconds for which a batch of calls for the driver is gathered; the next batch waits for the driver's
answer."""

NOTICE_CHARS = 1000
"""Bound on the text of a warning that is passed on to the driver."""


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is told at its start.

    `run`: a token that the workers of one run share. `requests`: requests in flight at one endpoint at most,
    over all workers. `limiter`: the actor that decides over them (None: this worker alone). `node` is filled
    in by the worker. `limits`: tries and deadlines of a unit."""

    run: str
    requests: int | None = None
    limiter: Any = None
    limits: UnitLimits = field(default_factory=UnitLimits)
    node: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """A folder that the workers of this run on one node share."""
        return Path(tempfile.gettempdir()) / f"learnact-run-{self.run}"


class UnitWorker(Protocol):
    """A worker as seen from here."""

    async def execute(self, unit: Unit, replayed: Sequence[Call], on_call: OnCall) -> Outcome:
        """Never raises for a unit."""
        ...

    def stop(self, failure: Failure) -> None:
        """Begin no call from now on."""
        ...


MakeWorker: TypeAlias = Callable[[WorkerSettings, DriverGate], AbstractAsyncContextManager[UnitWorker]]


@dataclass(frozen=True)
class UnitDone:
    """An outcome on its way to the driver, without the unit, which the driver has.

    `error`: a bug that escaped the worker. `unsent`: calls of the unit that no batch of `news` has taken
    along."""

    result: EpisodeResult | Reply | None = None
    attempts: tuple[Attempt, ...] = ()
    calls: tuple[Call, ...] = ()
    finished: float = 0.0
    node: str = ""
    error: str = ""
    unsent: tuple[Call, ...] = ()


@dataclass(frozen=True)
class WorkerNews:
    """What happened in a worker: calls that were answered, and texts of warnings."""

    calls: tuple[Call, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkerReady:
    """What a worker reports when it is ready."""

    node: str
    version: str


def production_worker(settings: WorkerSettings, gate: DriverGate) -> AbstractAsyncContextManager[UnitWorker]:
    """The real worker: models, sandbox, engines, domains."""
    return _ProductionWorker(settings, gate)


class _ProductionWorker:
    def __init__(self, settings: WorkerSettings, gate: DriverGate) -> None:
        link = None if settings.limiter is None else ActorLink(settings.limiter)
        requests = RequestGate(link, settings.requests, gate)
        embedded = Embedded(settings.folder / "simulated")
        local = LocalServers(settings.folder / "local")
        self._pool = ModelPool(embedded, gate=requests, keys=settings.keys, local=local)
        self._worker = Worker(self._pool, settings.limits, settings.node, requests)

    async def __aenter__(self) -> Worker:
        await self._pool.__aenter__()
        return await self._worker.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._worker.__aexit__(*exc)
        finally:
            await self._pool.__aexit__(*exc)


class _NoticeHandler(logging.Handler):
    """Passes the texts of warnings on: Ray shows no log of a worker to the driver."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self._take(record.getMessage()[:NOTICE_CHARS])


class UnitActor:
    """A Ray actor with an event loop; `start` before anything else.

    A unit goes on after a call only when the driver has recorded it. So whoever dies, no unit loses more than
    the call that it was making, and a driver that is dead is asked nothing of."""

    def __init__(self) -> None:
        self._context: AbstractAsyncContextManager[UnitWorker] | None = None
        self._worker: UnitWorker | None = None
        self._settings: WorkerSettings | None = None
        self._folder: TemporaryFolder | None = None
        self._gate = DriverGate()
        self._watching: asyncio.Task[None] | None = None
        self._metrics = RayMetrics()
        self._calls: list[Call] = []
        self._notices: list[str] = []
        self._has_news = asyncio.Event()
        self._counted: asyncio.Future[None] | None = None
        self._handed_over: asyncio.Future[None] | None = None
        logging.getLogger("learnact").addHandler(_NoticeHandler(self._notice))

    async def start(self, make_worker: MakeWorker, settings: WorkerSettings) -> WorkerReady:
        """Make the worker. What goes wrong here is raised as text."""
        node = socket.gethostname()
        self._settings = replace(settings, node=node)
        self._watching = asyncio.create_task(self._end_without_driver())
        try:
            self._folder = TemporaryFolder(self._settings.folder)
            remove_dead()
            self._context = make_worker(self._settings, self._gate)
            self._worker = await self._context.__aenter__()
        except Exception as error:  # noqa: BLE001 - another library's exception may not survive the way
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        return WorkerReady(node, VERSION)

    async def execute(self, unit: Unit, replayed: Sequence[Call] = ()) -> UnitDone:
        """One unit, to its end."""
        assert self._worker is not None
        try:
            outcome = await self._worker.execute(unit, replayed, self._keep)
            self._metrics.outcome(outcome)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: sent as data
            return UnitDone(error=describe(error), unsent=self._take(unit.key))
        return UnitDone(
            result=outcome.result,
            attempts=outcome.attempts,
            calls=outcome.calls,
            finished=outcome.finished,
            node=outcome.node,
            unsent=self._take(unit.key),
        )

    async def _end_without_driver(self) -> None:
        """End this process when its driver has been gone for long; a cluster does it sooner as a rule."""
        while self._gate.silent < GONE_SECONDS:
            await asyncio.sleep(GONE_SECONDS / 10)
        os._exit(1)

    def _keep(self, call: Call) -> asyncio.Future[None]:
        """Hand a call over to the driver. Returns what to wait for: the driver has recorded it."""
        self._calls.append(call)
        self._metrics.call(call)
        self._has_news.set()
        if self._counted is None:
            self._counted = asyncio.get_running_loop().create_future()
        return asyncio.shield(self._counted)

    def _notice(self, text: str) -> None:
        self._notices.append(text)
        self._has_news.set()

    def _take(self, key: str) -> tuple[Call, ...]:
        """Take the calls of a unit out of those that wait to be sent."""
        taken = tuple(call for call in self._calls if call.unit == key)
        self._calls = [call for call in self._calls if call.unit != key]
        return taken

    async def news(self) -> WorkerNews:
        """The calls that were answered and the warnings that were logged since the last time; waits for one,
        but no longer than until the driver is to show again that it lives.

        Asking for news says that those of the last time have been recorded.
        """
        self._gate.heard()
        if self._handed_over is not None:
            self._handed_over.set_result(None)
            self._handed_over = None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._has_news.wait()
        except TimeoutError:
            return WorkerNews()
        await asyncio.sleep(NEWS_PAUSE)
        news = WorkerNews(tuple(self._calls), tuple(self._notices))
        self._calls, self._notices = [], []
        self._handed_over, self._counted = self._counted, None
        self._has_news.clear()
        return news

    async def stop(self, message: str) -> None:
        """Begin no call from now on; units end with this message as the harness's failure."""
        if self._worker is not None:
            self._worker.stop(HarnessFailure(message, False))

    async def ping(self) -> None:
        """Answers when the event loop turns."""

    async def close(self) -> None:
        """End what the worker holds."""
        if self._watching is not None:
            self._watching.cancel()
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)
        if self._folder is not None:
            self._folder.remove()
