"""Holds back a worker's requests while nothing is heard of its driver: nobody would keep the replies.

A driver that is killed cannot say so, and a cluster may take a minute to notice. Each question of the driver
for news is a sign of life; when none has come for `SILENT_SECONDS`, no request begins until the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from learnact.protocols import ConcurrencyLimit
from learnact.records import ModelSpec

SILENT_SECONDS = 1.5
"""Without a sign of life for so long, no request begins."""
ASK_SECONDS = 0.5
"""The driver asks at least so often, as long as its event loop turns."""
GONE_SECONDS = 300.0
"""Without a sign of life for so long, the worker ends itself: its cluster has not done so."""


class DriverGate:
    """Open while the driver is heard of. Used from one event loop; `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._heard = now()
        self._again = asyncio.Event()

    def heard(self) -> None:
        """A sign of life."""
        self._heard = self._now()
        self._again.set()

    @property
    def silent(self) -> float:
        """Seconds since the last sign of life."""
        return self._now() - self._heard

    async def passed(self) -> None:
        """Returns at once while the driver is heard of, else with its next sign of life."""
        while self.silent > SILENT_SECONDS:
            self._again.clear()
            await self._again.wait()


class GatedRequests:
    """A limit of requests behind the gate. Implements `protocols.ConcurrencyLimit`."""

    def __init__(self, inner: ConcurrencyLimit, gate: DriverGate) -> None:
        self._inner = inner
        self._gate = gate

    @asynccontextmanager
    async def slot(self, model: ModelSpec) -> AsyncIterator[None]:
        """As `ConcurrencyLimit.slot`; while the driver is silent no place is held."""
        while True:
            await self._gate.passed()
            async with self._inner.slot(model):
                if self._gate.silent <= SILENT_SECONDS:
                    yield
                    return
