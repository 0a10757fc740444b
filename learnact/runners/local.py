"""The in-process runner: for tests, debugging and `play`; the same executing code as on a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from learnact.records import Outcome, Unit
from learnact.runners.worker import Worker


class LocalRunner:
    """Runs units on one worker in this event loop, at most `in_flight` at once over all iterators
    together."""

    def __init__(self, worker: Worker, in_flight: int = 16) -> None:
        self._worker = worker
        self._in_flight = in_flight
        self._places = asyncio.Semaphore(in_flight)

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

    async def _execute(self, unit: Unit) -> Outcome:
        async with self._places:
            return await self._worker.execute(unit)
