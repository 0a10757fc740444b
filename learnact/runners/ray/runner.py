"""The Ray runner: one actor for each core, many units in flight in each, filled from the driver.

What a worker's death takes with it is sent again and recorded as the harness's failure; dead workers are
replaced. Ray's own retries are off: they replay calls that may have happened. Implements `protocols.Runner`;
several `run()`s share the workers in turns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from learnact.errors import Failure, HarnessFailure, JobError
from learnact.protocols import CallLog
from learnact.records import Attempt, Call, Outcome, Unit
from learnact.runners.calls import NoCallLog
from learnact.runners.ray.actor import (
    VERSION,
    MakeWorker,
    UnitActor,
    UnitDone,
    WorkerNews,
    WorkerReady,
    WorkerSettings,
    production_worker,
)
from learnact.runners.ray.cluster_watch import cluster_lost
from learnact.runners.ray.connection import RayConnection
from learnact.runners.ray.streams import RoundRobin, UnitInFlight, UnitStream
from learnact.runners.worker import UnitLimits

LOST_TRIES = 4
"""How often a unit is sent again after the worker that had it died: a unit that kills workers must end."""

ISOLATE_AFTER = 2
"""After so many losses a unit is sent to a worker that has nothing else, so that it takes no others along."""

START_TRIES = 3
"""How often in a row one worker's start may fail before its place is given up."""

_log = logging.getLogger("learnact.runners.ray")


@dataclass(frozen=True)
class RayOptions:
    """How to run on Ray. Changes no result.

    `address`: None for a Ray of our own on this machine; "auto", "host:port" or "ray://..." for one that
    runs. `workers`: None for one for each core. `in_flight`: units in each worker. `requests`: requests in
    flight to one model, over all workers. `start_seconds`: bound on the first worker's start (an autoscaler
    may need minutes). `stall_seconds`: a worker whose event loop does not turn for so long is replaced.
    `keys`: keys of providers by name of environment variable, for workers on other machines. `metered`: units
    wait after each call until it is counted here (a run with limits)."""

    address: str | None = None
    workers: int | None = None
    in_flight: int = 32
    requests: int | None = None
    limits: UnitLimits = field(default_factory=UnitLimits)
    start_seconds: float = 600.0
    stall_seconds: float = 120.0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    metered: bool = False


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


class RayRunner:
    """Plays units on a cluster. Async context manager, used from one event loop; entering waits for the first
    worker."""

    def __init__(
        self,
        options: RayOptions | None = None,
        make_worker: MakeWorker = production_worker,
        call_log: CallLog | None = None,
    ) -> None:
        self._options = options or RayOptions()
        self._make_worker = make_worker
        self._call_log = call_log or NoCallLog()
        self._stopped: Failure | None = None
        self._noticed: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._connection = RayConnection(self._options.address, self._options.workers)
        self._places: list[WorkerPlace] = []
        self._streams = RoundRobin()
        self._isolated: deque[tuple[UnitStream, UnitInFlight]] = deque()
        self._first_ready: asyncio.Future[None] | None = None
        self._given_up = ""
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> RayRunner:
        self._first_ready = asyncio.get_running_loop().create_future()
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            count = await self._connection.open()
            requests = self._options.requests
            share = None if requests is None else max(1, math.ceil(requests / count))
            self._settings = WorkerSettings(
                run=secrets.token_hex(6),
                requests=share,
                limits=self._options.limits,
                keys=self._options.keys,
                metered=self._options.metered,
            )
            self._places = [WorkerPlace(index) for index in range(count)]
            for place in self._places:
                place.keep_task = asyncio.create_task(self._keep_worker(place))
            self._watching = asyncio.create_task(self._watch_cluster())
            async with asyncio.timeout(self._options.start_seconds):
                await self._first_ready
        except TimeoutError:
            await self._close()
            raise HarnessFailure(
                f"no worker was ready after {self._options.start_seconds:g} s: the cluster has no free CPU"
            ) from None
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    @property
    def ready(self) -> int:
        """Workers that are up."""
        return sum(place.ready for place in self._places)

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes in order of completion; never raises for a unit.

        Closing the iterator cancels what is under way.
        """
        capacity = self._options.in_flight * max(1, len(self._places))
        stream = UnitStream(units, window=2 * capacity)
        self._streams.add(stream)
        try:
            self._send_units()
            while (outcome := await stream.take()) is not None:
                yield outcome
                self._send_units()
        finally:
            self._streams.remove(stream)
            self._isolated = deque(pair for pair in self._isolated if pair[0] is not stream)
            for task in stream.tasks:
                task.cancel()
            await asyncio.gather(*stream.tasks, return_exceptions=True)
            self._send_units()

    def stop(self, failure: Failure) -> None:
        """Begin no call from now on, in any worker. The workers learn of it in one message each."""
        self._stopped = failure
        for place in self._places:
            if place.ready:
                task = asyncio.create_task(_tell_stop(place.actor, failure))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    # Sending units

    def _send_units(self) -> None:
        """Send units as long as there is a free place and a unit."""
        for reserved in (p for p in self._places if p.reserved):
            reserved.reserved = bool(self._isolated) or reserved.in_flight > 0
        while True:
            if self._given_up:
                turn = self._isolated.popleft() if self._isolated else self._streams.next()
                if turn is None:
                    return
                stream, entry = turn
                entry.lost.append(_attempt(entry, self._given_up, 0.0, ""))
                stream.done(entry, _failed(entry))
                continue
            if self._isolated and self._send_to_empty_worker():
                continue
            place = min(self._free(), key=lambda p: p.in_flight, default=None)
            turn = self._streams.next() if place is not None else None
            if place is None or turn is None:
                return
            self._send(place, *turn)

    def _free(self) -> list[WorkerPlace]:
        most = self._options.in_flight
        return [p for p in self._places if p.ready and not p.reserved and p.in_flight < most]

    def _send_to_empty_worker(self) -> bool:
        """Send a unit that was lost repeatedly to an empty worker; where there is none, let one run empty."""
        ready = [p for p in self._places if p.ready]
        if not ready:
            return False
        place = next((p for p in ready if p.reserved), None) or min(ready, key=lambda p: p.in_flight)
        place.reserved = True
        if place.in_flight:
            return False
        self._send(place, *self._isolated.popleft())
        return True

    def _send(self, place: WorkerPlace, stream: UnitStream, entry: UnitInFlight) -> None:
        place.in_flight += 1
        actor = place.actor
        task = asyncio.create_task(self._execute(place, actor, stream, entry))
        stream.tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            """A callback, since a task that is cancelled before it has begun runs no line of its own."""
            stream.tasks.discard(done)
            if place.actor is actor:
                place.in_flight -= 1
            self._send_units()

        task.add_done_callback(ended)

    async def _execute(self, place: WorkerPlace, actor: Any, stream: UnitStream, entry: UnitInFlight) -> None:
        """One unit on one worker, to its outcome or its loss."""
        from ray.exceptions import RayActorError

        began = time.perf_counter()
        try:
            replayed = self._call_log.replay(entry.unit.key)
            done: UnitDone = await self._unless_gone(_result(actor.execute.remote(entry.unit, replayed)))
            error = done.error
            self._record(done.unsent)
        except Exception as lost:  # noqa: BLE001 - the boundary between processes: recorded
            dead = isinstance(lost, RayActorError)
            told = str(lost) if isinstance(lost, HarnessFailure) else f"{type(lost).__name__}: {lost}"
            done, error = UnitDone(), "the worker was lost" if dead else told
            if dead and place.actor is actor:
                place.died.set()
                place.ready = False
        if not error:
            stream.done(entry, _outcome(entry, done))
        else:
            entry.lost.append(_attempt(entry, error, time.perf_counter() - began, place.node))
            if len(entry.lost) >= LOST_TRIES:
                stream.done(entry, _failed(entry))
            elif len(entry.lost) >= ISOLATE_AFTER:
                self._isolated.append((stream, entry))
            else:
                stream.lost(entry)

    async def _unless_gone(self, waiting: Coroutine[Any, Any, UnitDone]) -> UnitDone:
        """What a worker answers. Raises `HarnessFailure` when the cluster is lost before."""
        answer = asyncio.ensure_future(waiting)
        try:
            both: set[asyncio.Future[Any]] = {answer, self._gone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise HarnessFailure(self._given_up)
        finally:
            answer.cancel()

    # Keeping workers

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
            if self._first_ready is not None and not self._first_ready.done():
                self._first_ready.set_result(None)
            if self._stopped is not None:
                await _tell_stop(place.actor, self._stopped)
            self._send_units()
            reading = asyncio.create_task(self._read_news(place.actor))
            try:
                await self._watch(place)
            finally:
                reading.cancel()
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
        report: WorkerReady = await _result(place.actor.start.remote(self._make_worker, self._settings))
        if report.version != VERSION:
            raise JobError(
                f"the cluster has learnact {report.version}, this is {VERSION}: "
                "install the same version on both sides"
            )
        place.node, place.ready = report.node, True

    async def _read_news(self, actor: Any) -> None:
        """Pass the calls of a worker on to the journal as they are answered, until the worker has gone.

        What several workers warn of is logged once.
        """
        from ray.exceptions import RayError

        with contextlib.suppress(RayError):
            while True:
                news: WorkerNews = await _result(actor.news.remote())
                self._record(news.calls)
                if self._stopped is not None:
                    await _tell_stop(actor, self._stopped)
                for notice in news.notices:
                    if notice not in self._noticed:
                        self._noticed.add(notice)
                        _log.warning("%s", notice)

    def _record(self, calls: Sequence[Call]) -> None:
        for call in calls:
            try:
                self._call_log.record(call)
            except Exception as error:  # noqa: BLE001 - the unit's commit fails likewise, and tells the run
                _log.debug("a call could not be recorded: %s", error)

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
                    await _result(place.actor.ping.remote())
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
        self._places.remove(place)
        waiting = self._first_ready is not None and not self._first_ready.done()
        if self._first_ready is not None and waiting and (not self._places or isinstance(failure, JobError)):
            self._first_ready.set_exception(failure)
        if not self._places:
            self._given_up = str(failure)
            self._send_units()

    async def _watch_cluster(self) -> None:
        """When the cluster itself is lost, end: what is under way is lost with it, nothing else is sent."""
        reason = await cluster_lost(own=self._connection.own)
        _log.warning("%s; what is committed stays, and the same command continues the run", reason)
        for place in self._places:
            place.ready = False
            if place.keep_task is not None:
                place.keep_task.cancel()
        self._places = []  # its workers are not ended one by one: nobody there would answer
        self._given_up = f"{reason}; the same command continues the run"
        self._gone.set_result(None)
        if self._first_ready is not None and not self._first_ready.done():
            self._first_ready.set_exception(HarnessFailure(self._given_up))
        self._send_units()

    async def _close(self) -> None:
        """End the workers, with a bound, then the session."""
        if self._watching is not None:
            self._watching.cancel()
        tasks = [place.keep_task for place in self._places if place.keep_task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ready = [place for place in self._places if place.ready]
        ends = [asyncio.ensure_future(_result(place.actor.close.remote())) for place in ready]
        if ends:
            _, late = await asyncio.wait(ends, timeout=10.0)
            for end in late:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        for place in self._places:
            self._discard(place)
        self._places = []
        if self._first_ready is not None and self._first_ready.done() and not self._first_ready.cancelled():
            self._first_ready.exception()
        await self._connection.close()


async def _tell_stop(actor: Any, failure: Failure) -> None:
    """Tell a worker to begin no call from now on; one that has gone begins none."""
    from ray.exceptions import RayError

    with contextlib.suppress(RayError):
        await _result(actor.stop.remote(failure.message))


async def _result(ref: Any) -> Any:
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


def _outcome(entry: UnitInFlight, done: UnitDone) -> Outcome:
    """The outcome with its unit, the lost tries counted before the others."""
    after = [
        Attempt(a.unit, len(entry.lost) + a.attempt, a.boundary, a.error, a.seconds, a.node)
        for a in done.attempts
    ]
    return Outcome(entry.unit, done.result, (*entry.lost, *after), done.calls, done.finished, done.node)


def _failed(entry: UnitInFlight) -> Outcome:
    return Outcome(entry.unit, None, tuple(entry.lost), (), time.time(), entry.lost[-1].node)


def _attempt(entry: UnitInFlight, error: str, seconds: float, node: str) -> Attempt:
    return Attempt(entry.unit.key, len(entry.lost), "harness", error, seconds, node)
