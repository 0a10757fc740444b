"""The in-process runner: for tests, debugging and `play`.

Its worker runs the same code as a cluster's workers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from learnact.errors import Failure
from learnact.models.limits.gate import LocalLimiter
from learnact.protocols import CallLog
from learnact.records import Attempt, EndpointState, Outcome, Unit
from learnact.runners.calls import NoCallLog
from learnact.runners.worker import Worker, describe


class LocalRunner:
    """Runs units on one worker in this event loop, at most `in_flight` at once over all iterators together.

    Implements `protocols.StoppableRunner`. `call_log` takes each call as it is answered, and gives back those
    of an interrupted unit. `limiter`: that of the worker's requests, to be asked how it stands."""

    def __init__(
        self,
        worker: Worker,
        in_flight: int = 16,
        call_log: CallLog | None = None,
        limiter: LocalLimiter | None = None,
    ) -> None:
        self._worker = worker
        self._in_flight = in_flight
        self._call_log = call_log or NoCallLog()
        self._slots = asyncio.Semaphore(in_flight)
        self._limiter = limiter

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes in order of completion. Closing the iterator cancels what is under way."""
        waiting = iter(units)
        under_way: set[asyncio.Task[Outcome]] = set()
        try:
            while True:
                while len(under_way) < self._in_flight and (unit := next(waiting, None)) is not None:
                    under_way.add(asyncio.create_task(self._execute(unit)))
                if not under_way:
                    return
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def stop(self, failure: Failure) -> None:
        """Begin no call from now on."""
        self._worker.stop(failure)

    async def limits(self) -> Sequence[EndpointState]:
        """How it stands at the limits of each endpoint."""
        return self._limiter.states() if self._limiter is not None else ()

    async def _execute(self, unit: Unit) -> Outcome:
        async with self._slots:
            replayed = self._call_log.replay(unit.key)
            try:
                return await self._worker.execute(unit, replayed, self._call_log.record)
            except Exception as error:  # noqa: BLE001 - the boundary of a unit: attributed and recorded
                attempt = Attempt(unit.key, 0, "harness", describe(error), 0.0)
                return Outcome(unit, None, (attempt,), (), time.time())
