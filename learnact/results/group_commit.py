"""When to write: what arrives close together is written as one part; those who wait for it are woken.

A part is written when nothing has arrived for `QUIET` seconds, and at least every `PERIOD` seconds while
things keep arriving; in between, writing is kept to about one tenth of the time. Writing happens in a thread,
one part at a time.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Generic, TypeVar

QUIET = 0.01
PERIOD = 1.0
REST = 9.0
"""Seconds of rest for each second of writing, as far as `PERIOD` allows."""

B = TypeVar("B")


class GroupCommit(Generic[B]):
    """Writes batches. Used from one event loop.

    `take` gives what waits to be written, `write` stores it (in a thread), `written` gets each batch
    that is on stable storage. After the first failure nothing is written any more: `failure` has it.
    """

    def __init__(
        self, name: str, take: Callable[[], B], write: Callable[[B], None], written: Callable[[B], None]
    ):
        self.failure: BaseException | None = None
        self._name, self._take, self._write, self._written = name, take, write, written
        self._waiting: list[asyncio.Future[None]] = []
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._first, self._last, self._rested = 0.0, math.inf, 0.0

    def next_write(self) -> asyncio.Future[None]:
        """A future that is done when what waits now is on stable storage; it has the exception when writing
        fails.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self.touch()
        return done

    def touch(self, hurry: bool = True) -> None:
        """Something waits to be written. Outside of an event loop it is written by the next `flush`."""
        now = time.monotonic()
        self._first = self._first or now
        if hurry:
            self._last = now
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._keep_flushing(), name=f"results of {self._name}")

    async def stop(self) -> None:
        """End the timer; a write that has begun is ended first."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def flush(self) -> None:
        """Write what waits now. A failure goes to `failure` and to those who wait."""
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            batch = self._take()
            self._first, self._last, began = 0.0, math.inf, time.monotonic()
            work = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.gather(work, return_exceptions=True)
                self._acknowledge(work, batch, waiting)
                raise
            except Exception:  # noqa: BLE001 - attributed in _acknowledge: every caller of commit gets it
                pass
            ended = time.monotonic()
            self._rested = ended + REST * (ended - began)
            self._acknowledge(work, batch, waiting)

    async def _keep_flushing(self) -> None:
        while self.failure is None:
            await self._changed.wait()
            self._changed.clear()
            while (wait := self._due() - time.monotonic()) > 0:
                await asyncio.sleep(min(wait, QUIET))
            await self.flush()

    def _due(self) -> float:
        return min(max(self._last + QUIET, self._rested), self._first + PERIOD)

    def _acknowledge(self, work: asyncio.Future[None], batch: B, waiting: list[asyncio.Future[None]]) -> None:
        error = work.exception()
        self.failure = self.failure or error
        if error is None:
            self._written(batch)
        for done in waiting:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
