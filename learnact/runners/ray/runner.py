"""The Ray runner: many units in flight in each worker, filled from the driver.

What a worker's death takes with it is sent again and recorded as the harness's failure. Ray's own retries
are off: they replay calls that may have happened. Implements `protocols.Runner`; several `run()`s share the
workers in turns. The workers themselves are kept by places.py."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any

from learnact.errors import Failure, HarnessFailure
from learnact.protocols import CallLog
from learnact.records import Attempt, Call, EndpointState, Outcome, Unit
from learnact.runners.calls import NoCallLog
from learnact.runners.ray.actor import MakeWorker, UnitDone, production_worker
from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.places import WorkerPlace, WorkerPlaces, result_of
from learnact.runners.ray.streams import RoundRobin, UnitInFlight, UnitStream

LOST_TRIES = 4
"""How often a unit is sent again after the worker that had it died: a unit that kills workers must end."""

ISOLATE_AFTER = 2
"""After so many losses a unit is sent to a worker that has nothing else, so that it takes no others along."""

_log = logging.getLogger("learnact.runners.ray")


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
        self._call_log = call_log or NoCallLog()
        self._places = WorkerPlaces(self._options, make_worker, self._record, self._send_units)
        self._streams = RoundRobin()
        self._isolated: deque[tuple[UnitStream, UnitInFlight]] = deque()

    async def __aenter__(self) -> RayRunner:
        await self._places.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._places.close()

    @property
    def ready(self) -> int:
        """Workers that are up."""
        return len(self._places.ready)

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes in order of completion; never raises for a unit.

        Closing the iterator cancels what is under way.
        """
        stream = UnitStream(units, window=self._window)
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

    @property
    def _window(self) -> int:
        """Units of one stream that are under way or wait to be taken, at most."""
        return 2 * self._options.in_flight * max(1, len(self._places.all))

    def stop(self, failure: Failure) -> None:
        """Begin no call from now on, in any worker."""
        self._places.stop(failure)

    async def limits(self) -> Sequence[EndpointState]:
        """How it stands at the limits of each endpoint, over all workers."""
        return await self._places.limits()

    def _send_units(self) -> None:
        """Send units as long as there is a free place and a unit."""
        self._streams.widen(self._window)
        for reserved in (p for p in self._places.all if p.reserved):
            reserved.reserved = bool(self._isolated) or reserved.in_flight > 0
        while True:
            if self._places.given_up:
                turn = self._isolated.popleft() if self._isolated else self._streams.next()
                if turn is None:
                    return
                stream, entry = turn
                entry.lost.append(_attempt(entry, self._places.given_up, 0.0, ""))
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
        return [p for p in self._places.ready if not p.reserved and p.in_flight < most]

    def _send_to_empty_worker(self) -> bool:
        """Send a unit that was lost repeatedly to an empty worker; where there is none, let one run empty."""
        ready = self._places.ready
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
            done: UnitDone = await self._unless_gone(result_of(actor.execute.remote(entry.unit, replayed)))
            error = done.error
            self._record(done.unsent)
        except Exception as lost:  # noqa: BLE001 - the boundary between processes: recorded
            dead = isinstance(lost, RayActorError)
            told = str(lost) if isinstance(lost, HarnessFailure) else f"{type(lost).__name__}: {lost}"
            done, error = UnitDone(), "the worker was lost" if dead else told
            if dead and place.actor is actor:
                place.died.set()
                place.ready = False
        self._places.heard()
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
            both: set[asyncio.Future[Any]] = {answer, self._places.gone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise HarnessFailure(self._places.given_up)
        finally:
            answer.cancel()

    def _record(self, calls: Sequence[Call]) -> None:
        for call in calls:
            try:
                self._call_log.record(call)
            except Exception as error:  # noqa: BLE001 - the unit's commit fails likewise, and tells the run
                _log.debug("a call could not be recorded: %s", error)


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
