"""Keeps workers: one on each place, started, watched, replaced when it died, ended at the end.

What a worker is sent is decided in runner.py. Waiting for CPUs, and work from which nothing comes back, are
told in words (waiting.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from learnact.errors import Failure, HarnessFailure, JobError
from learnact.records import Call, EndpointState
from learnact.runners.ray.actor import (
    VERSION,
    MakeWorker,
    UnitActor,
    WorkerNews,
    WorkerReady,
    WorkerSettings,
)
from learnact.runners.ray.cluster_watch import cluster_lost
from learnact.runners.ray.connection import RayConnection
from learnact.runners.ray.limiter import end_limiter, limiter_states, start_limiter
from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.waiting import ClusterCpus, WaitingTold

START_TRIES = 3
"""How often in a row one worker's start may fail before its place is given up."""

_log = logging.getLogger("learnact.runners.ray")


@dataclass(eq=False)
class WorkerPlace:
    """A place for one worker."""

    index: int
    actor: Any = None
    node: str = ""
    ready: bool = False
    in_flight: int = 0
    reserved: bool = False
    keep_task: asyncio.Task[None] | None = None
    died: asyncio.Event = field(default_factory=asyncio.Event)


class WorkerPlaces:
    """The workers of a run. Used from one event loop: `open` before anything else, `close` at the end.

    `record` takes calls as they are answered; `changed` is called when a worker is ready, and when the last
    hope for one is gone (`given_up` then says why)."""

    def __init__(
        self,
        options: RayOptions,
        make_worker: MakeWorker,
        record: Callable[[Sequence[Call]], None],
        changed: Callable[[], None],
    ) -> None:
        self._options = options
        self._make_worker = make_worker
        self._record = record
        self._changed = changed
        self._connection = RayConnection(options.address, options.workers)
        self._settings = WorkerSettings(run="")
        self._limiter: Any = None
        self._stopped: Failure | None = None
        self._noticed: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._watching: list[asyncio.Task[None]] = []
        self._told = WaitingTold(options)
        self.all: list[WorkerPlace] = []
        self.given_up = ""

    async def open(self) -> None:
        """Connect, and wait for the first worker.

        Raises:
            JobError: no cluster answers at the address, or it has another version of learnact.
            HarnessFailure: no worker could be started.
        """
        loop = asyncio.get_running_loop()
        self._first_ready: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        try:
            count = await self._connection.open()
            self._limiter = start_limiter()
            self._settings = WorkerSettings(
                run=secrets.token_hex(6),
                requests=self._options.requests,
                limiter=self._limiter,
                limits=self._options.limits,
                keys=self._options.keys,
            )
            self._add_places(count)
            self._watching = [
                asyncio.create_task(self._watch_cluster()),
                asyncio.create_task(self._watch_waiting()),
            ]
            async with asyncio.timeout(self._options.start_seconds):
                await self._first_ready
        except TimeoutError:
            told = self._told.no_worker(self._options.start_seconds)
            await self.close()
            raise HarnessFailure(told) from None
        except BaseException:
            await self.close()
            raise

    @property
    def ready(self) -> list[WorkerPlace]:
        """Places whose workers are up."""
        return [place for place in self.all if place.ready]

    def stop(self, failure: Failure) -> None:
        """Let no worker begin a call from now on. They learn of it in one message each."""
        self._stopped = failure
        for place in self.ready:
            task = asyncio.create_task(_tell_stop(place.actor, failure))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def limits(self) -> Sequence[EndpointState]:
        """How it stands at the limits of each endpoint, over all workers."""
        return () if self._limiter is None or self.given_up else await limiter_states(self._limiter)

    def heard(self) -> None:
        """Something has come back from a worker."""
        self._told.heard()

    def _add_places(self, count: int) -> None:
        for _ in range(count):
            place = WorkerPlace(len(self.all))
            self.all.append(place)
            place.keep_task = asyncio.create_task(self._keep_worker(place))

    async def _keep_worker(self, place: WorkerPlace) -> None:
        """Keep a worker on the place: start it, watch it, replace it when it died."""
        failures, reason = 0, ""
        while failures < START_TRIES:
            try:
                await self._start_worker(place)
            except JobError as error:
                self._remove_place(place, error)
                return
            except Exception as error:  # noqa: BLE001 - counted, logged and bounded
                failures, reason = failures + 1, str(error).strip().splitlines()[-1]
                _log.warning("worker %d did not start: %s", place.index, reason)
                self._discard(place)
                await asyncio.sleep(0.5 * failures)
                continue
            failures = 0
            if not self._first_ready.done():
                self._first_ready.set_result(None)
            if self._stopped is not None:
                await _tell_stop(place.actor, self._stopped)
            self._changed()
            both = {
                asyncio.create_task(self._read_news(place.actor)),
                asyncio.create_task(self._watch(place)),
            }
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in both:
                    task.cancel()
            _log.warning("worker %d on %s was lost and is replaced", place.index, place.node)
            self._discard(place)
        self._remove_place(place, HarnessFailure(f"no worker could be started: {reason}"))

    async def _start_worker(self, place: WorkerPlace) -> None:
        """Start a worker. Waits without a bound for a free CPU: the cluster may grow."""
        import ray

        actor: Any = ray.remote(UnitActor)
        options = {
            "num_cpus": 1,
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": self._options.in_flight + 8,
            "scheduling_strategy": "SPREAD",
        }
        place.died, place.in_flight, place.reserved = asyncio.Event(), 0, False
        place.actor = actor.options(**options).remote()
        report: WorkerReady = await result_of(place.actor.start.remote(self._make_worker, self._settings))
        if report.version != VERSION:
            raise JobError(
                f"the cluster has learnact {report.version}, this is {VERSION}: "
                "install the same version on both sides"
            )
        place.node, place.ready = report.node, True

    async def _read_news(self, actor: Any) -> None:
        """Pass the calls of a worker on to the journal as they are answered, until the worker has gone.

        What several workers warn of is logged once. A batch that was lost on the way ends the worker: it
        would take the next question for the word that all is recorded.
        """
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):
            while True:
                news: WorkerNews = await result_of(actor.news.remote())
                self._record(news.calls)
                if news.calls:
                    self.heard()
                if self._stopped is not None:
                    await _tell_stop(actor, self._stopped)
                for notice in news.notices:
                    if notice not in self._noticed:
                        self._noticed.add(notice)
                        _log.warning("%s", notice)

    async def _watch(self, place: WorkerPlace) -> None:
        """Returns when the worker died, or its event loop has not turned for too long (a blocking call stalls
        every unit in it)."""
        from ray.exceptions import RayError

        every = min(5.0, self._options.stall_seconds / 4)
        while True:
            try:
                async with asyncio.timeout(every):
                    await place.died.wait()
                    return
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(self._options.stall_seconds):
                    await result_of(place.actor.ping.remote())
            except (TimeoutError, RayError) as error:
                _log.warning("worker %d on %s: %s", place.index, place.node, type(error).__name__)
                return

    def _discard(self, place: WorkerPlace) -> None:
        """End the worker on a place; its units come back as lost. One that is gone already is no error."""
        import ray.exceptions

        actor, place.actor, place.ready, place.in_flight = place.actor, None, False, 0
        if actor is not None:
            with contextlib.suppress(ray.exceptions.RayError, RuntimeError, ConnectionError, ValueError):
                ray.kill(actor, no_restart=True)

    def _remove_place(self, place: WorkerPlace, failure: Exception) -> None:
        """Leave a place empty; when it was the last one, no unit can be played any more."""
        self._discard(place)
        self.all.remove(place)
        if not self._first_ready.done() and (not self.all or isinstance(failure, JobError)):
            self._first_ready.set_exception(failure)
        if not self.all:
            self.given_up = str(failure)
            self._changed()

    async def _watch_cluster(self) -> None:
        """When the cluster itself is lost, end: what is under way is lost with it, nothing else is sent."""
        reason = await cluster_lost(own=self._connection.own)
        _log.warning("%s; what is committed stays, and the same command continues the run", reason)
        for place in self.all:
            place.ready = False
            if place.keep_task is not None:
                place.keep_task.cancel()
        self.all = []  # its workers are not ended one by one: nobody there would answer
        self.given_up = f"{reason}; the same command continues the run"
        self.gone.set_result(None)
        if not self._first_ready.done():
            self._first_ready.set_exception(HarnessFailure(self.given_up))
        self._changed()

    async def _watch_waiting(self) -> None:
        """Say what waits; give nodes that join later their workers."""
        cpus = ClusterCpus()
        while True:
            await cpus.look()
            in_flight = sum(place.in_flight for place in self.all)
            if words := self._told.words(len(self.ready), len(self.all), in_flight, cpus):
                _log.warning("%s", words)
            if self._may_grow and cpus.total > len(self.all):
                self._add_places(cpus.total - len(self.all))
                self._changed()

    @property
    def _may_grow(self) -> bool:
        """Whether the run takes all CPUs that a cluster of others has."""
        given = self._options.workers is not None or self._connection.own
        return not (given or self.given_up or self._stopped is not None)

    async def close(self) -> None:
        """End the workers, with a bound, then the session. Idempotent."""
        keeping = [place.keep_task for place in self.all if place.keep_task is not None]
        tasks = [*self._watching, *keeping]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ends = [asyncio.ensure_future(result_of(place.actor.close.remote())) for place in self.ready]
        if ends:
            _, late = await asyncio.wait(ends, timeout=10.0)
            for end in late:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        for place in self.all:
            self._discard(place)
        self.all = []
        if self._limiter is not None and not self.given_up:
            end_limiter(self._limiter)
        self._limiter = None
        if self._first_ready.done() and not self._first_ready.cancelled():
            self._first_ready.exception()
        await self._connection.close()


async def _tell_stop(actor: Any, failure: Failure) -> None:
    """Tell a worker to begin no call from now on; one that has gone begins none."""
    from ray.exceptions import RayError

    with contextlib.suppress(RayError):
        await result_of(actor.stop.remote(failure.message))


async def result_of(ref: Any) -> Any:
    """The value of a Ray reference; a cancelled wait cancels the call.

    Raises `RayError` for a lost worker.
    """
    import ray

    future = asyncio.wrap_future(ref.future())
    future.add_done_callback(lambda f: None if f.cancelled() else f.exception())
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not future.done():
            ray.cancel(ref)
        raise
