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
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from learnact.errors import HarnessFailure, JobError
from learnact.records import Attempt, Outcome, Unit
from learnact.runners.ray.actor import (
    VERSION,
    MakeWorker,
    UnitActor,
    UnitDone,
    WorkerReady,
    WorkerSettings,
    production_worker,
)
from learnact.runners.ray.connection import RayConnection
from learnact.runners.ray.streams import RoundRobin, UnitInFlight, UnitStream
from learnact.runners.worker import UnitLimits

LOST_TRIES = 4
"""How often a unit is sent again after the worker that had it died: a unit that kills workers must end."""

ALONE_AFTER = 2
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
    `keys`: keys of providers by name of environment variable, for workers on other machines."""

    address: str | None = None
    workers: int | None = None
    in_flight: int = 32
    requests: int | None = None
    limits: UnitLimits = field(default_factory=UnitLimits)
    start_seconds: float = 600.0
    stall_seconds: float = 120.0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(eq=False)
class _Seat:
    """A place for one worker."""

    index: int
    actor: Any = None
    node: str = ""
    ready: bool = False
    in_flight: int = 0
    reserved: bool = False
    keeper: asyncio.Task[None] | None = None
    died: asyncio.Event = field(default_factory=asyncio.Event)


class RayRunner:
    """Plays units on a cluster. Async context manager, used from one event loop; entering waits for the first
    worker."""

    def __init__(
        self, options: RayOptions | None = None, make_worker: MakeWorker = production_worker
    ) -> None:
        self._options = options or RayOptions()
        self._make_worker = make_worker
        self._session = RayConnection(self._options.address, self._options.workers)
        self._seats: list[_Seat] = []
        self._turns = RoundRobin()
        self._alone: deque[tuple[UnitStream, UnitInFlight]] = deque()
        self._first: asyncio.Future[None] | None = None
        self._hopeless = ""

    async def __aenter__(self) -> RayRunner:
        self._first = asyncio.get_running_loop().create_future()
        try:
            count = await self._session.open()
            requests = self._options.requests
            share = None if requests is None else max(1, math.ceil(requests / count))
            self._place = WorkerSettings(
                secrets.token_hex(6), share, self._options.limits, "", self._options.keys
            )
            self._seats = [_Seat(index) for index in range(count)]
            for seat in self._seats:
                seat.keeper = asyncio.create_task(self._keep(seat))
            async with asyncio.timeout(self._options.start_seconds):
                await self._first
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
        return sum(seat.ready for seat in self._seats)

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes in order of completion; never raises for a unit.

        Closing the iterator cancels what is under way.
        """
        places = self._options.in_flight * max(1, len(self._seats))
        stream = UnitStream(units, window=2 * places)
        self._turns.add(stream)
        try:
            self._fill()
            while (outcome := await stream.take()) is not None:
                yield outcome
                self._fill()
        finally:
            self._turns.remove(stream)
            self._alone = deque(pair for pair in self._alone if pair[0] is not stream)
            for task in stream.tasks:
                task.cancel()
            await asyncio.gather(*stream.tasks, return_exceptions=True)
            self._fill()

    # Sending units
    # ----------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Send units as long as there is a free place and a unit."""
        for reserved in (s for s in self._seats if s.reserved):
            reserved.reserved = bool(self._alone) or reserved.in_flight > 0
        while True:
            if self._hopeless:
                turn = self._alone.popleft() if self._alone else self._turns.next()
                if turn is None:
                    return
                stream, flight = turn
                flight.lost.append(_attempt(flight, self._hopeless, 0.0, ""))
                stream.done(flight, _failed(flight))
                continue
            if self._alone and self._send_alone():
                continue
            seat = min(self._free(), key=lambda s: s.in_flight, default=None)
            turn = self._turns.next() if seat is not None else None
            if seat is None or turn is None:
                return
            self._send(seat, *turn)

    def _free(self) -> list[_Seat]:
        most = self._options.in_flight
        return [s for s in self._seats if s.ready and not s.reserved and s.in_flight < most]

    def _send_alone(self) -> bool:
        """Send a unit that was lost repeatedly to an empty worker; where there is none, let one run empty."""
        ready = [s for s in self._seats if s.ready]
        if not ready:
            return False
        seat = next((s for s in ready if s.reserved), None) or min(ready, key=lambda s: s.in_flight)
        seat.reserved = True
        if seat.in_flight:
            return False
        self._send(seat, *self._alone.popleft())
        return True

    def _send(self, seat: _Seat, stream: UnitStream, flight: UnitInFlight) -> None:
        seat.in_flight += 1
        actor = seat.actor
        task = asyncio.create_task(self._fly(seat, actor, stream, flight))
        stream.tasks.add(task)

        def landed(done: asyncio.Task[None]) -> None:
            """A callback, since a task that is cancelled before it has begun runs no line of its own."""
            stream.tasks.discard(done)
            if seat.actor is actor:
                seat.in_flight -= 1
            self._fill()

        task.add_done_callback(landed)

    async def _fly(self, seat: _Seat, actor: Any, stream: UnitStream, flight: UnitInFlight) -> None:
        """One unit on one worker, to its outcome or its loss."""
        from ray.exceptions import RayActorError

        began = time.perf_counter()
        try:
            done: UnitDone = await _result(actor.execute.remote(flight.unit))
            error = done.error
        except Exception as lost:  # noqa: BLE001 - the boundary between processes: attributed to the harness and recorded
            dead = isinstance(lost, RayActorError)
            done, error = UnitDone(), "the worker was lost" if dead else f"{type(lost).__name__}: {lost}"
            if dead and seat.actor is actor:
                seat.died.set()
                seat.ready = False
        if not error:
            stream.done(flight, _outcome(flight, done))
        else:
            flight.lost.append(_attempt(flight, error, time.perf_counter() - began, seat.node))
            if len(flight.lost) >= LOST_TRIES:
                stream.done(flight, _failed(flight))
            elif len(flight.lost) >= ALONE_AFTER:
                self._alone.append((stream, flight))
            else:
                stream.lost(flight)

    # Keeping workers
    # --------------------------------------------------------------------------------------------------

    async def _keep(self, seat: _Seat) -> None:
        """Keep a worker on the seat: start it, watch it, replace it when it died."""
        failures, trouble = 0, ""
        while failures < START_TRIES:
            try:
                await self._seat(seat)
            except JobError as error:
                self._give_up(seat, error)
                return
            except Exception as error:  # noqa: BLE001 - whatever keeps a worker from starting is counted, told and bounded
                failures, trouble = failures + 1, str(error).strip().splitlines()[-1]
                _log.warning("worker %d did not start: %s", seat.index, trouble)
                self._discard(seat)
                await asyncio.sleep(0.5 * failures)
                continue
            failures = 0
            if self._first is not None and not self._first.done():
                self._first.set_result(None)
            self._fill()
            await self._watch(seat)
            _log.warning("worker %d on %s was lost and is replaced", seat.index, seat.node)
            self._discard(seat)
        self._give_up(seat, HarnessFailure(f"no worker could be started: {trouble}"))

    async def _seat(self, seat: _Seat) -> None:
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
        seat.died, seat.in_flight, seat.reserved = asyncio.Event(), 0, False
        seat.actor = actor.options(**options).remote()
        hello: WorkerReady = await _result(seat.actor.start.remote(self._make_worker, self._place))
        if hello.version != VERSION:
            raise JobError(
                f"the cluster has learnact {hello.version}, this is {VERSION}: install the same version on both sides"
            )
        seat.node, seat.ready = hello.node, True

    async def _watch(self, seat: _Seat) -> None:
        """Returns when the worker died, or its event loop has not turned for too long (a blocking call stalls
        every unit in it)."""
        from ray.exceptions import RayError

        every = min(5.0, self._options.stall_seconds / 4)
        while True:
            try:
                async with asyncio.timeout(every):
                    await seat.died.wait()
                    return
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(self._options.stall_seconds):
                    await _result(seat.actor.ping.remote())
            except (TimeoutError, RayError) as error:
                _log.warning("worker %d on %s: %s", seat.index, seat.node, type(error).__name__)
                return

    def _discard(self, seat: _Seat) -> None:
        """End the worker on a seat; its units come back as lost. One that is gone already is no error."""
        import ray.exceptions

        actor, seat.actor, seat.ready, seat.in_flight = seat.actor, None, False, 0
        if actor is not None:
            with contextlib.suppress(ray.exceptions.RayError, RuntimeError, ConnectionError, ValueError):
                ray.kill(actor, no_restart=True)

    def _give_up(self, seat: _Seat, failure: Exception) -> None:
        """Leave a seat empty; when it was the last one, no unit can be played any more."""
        self._discard(seat)
        self._seats.remove(seat)
        waiting = self._first is not None and not self._first.done()
        if self._first is not None and waiting and (not self._seats or isinstance(failure, JobError)):
            self._first.set_exception(failure)
        if not self._seats:
            self._hopeless = str(failure)
            self._fill()

    async def _close(self) -> None:
        """End the workers, with a bound, then the session."""
        keepers = [seat.keeper for seat in self._seats if seat.keeper is not None]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        ready = [seat for seat in self._seats if seat.ready]
        ends = [asyncio.ensure_future(_result(seat.actor.close.remote())) for seat in ready]
        if ends:
            _, late = await asyncio.wait(ends, timeout=10.0)
            for end in late:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        for seat in self._seats:
            self._discard(seat)
        self._seats = []
        if self._first is not None and self._first.done() and not self._first.cancelled():
            self._first.exception()
        await self._session.close()


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


def _outcome(flight: UnitInFlight, done: UnitDone) -> Outcome:
    """The outcome with its unit, the lost tries counted before the others."""
    after = [
        Attempt(a.unit, len(flight.lost) + a.attempt, a.boundary, a.error, a.seconds, a.node)
        for a in done.attempts
    ]
    return Outcome(flight.unit, done.result, (*flight.lost, *after), done.calls, done.finished, done.node)


def _failed(flight: UnitInFlight) -> Outcome:
    return Outcome(flight.unit, None, tuple(flight.lost), (), time.time(), flight.lost[-1].node)


def _attempt(flight: UnitInFlight, error: str, seconds: float, node: str) -> Attempt:
    return Attempt(flight.unit.key, len(flight.lost), "harness", error, seconds, node)
