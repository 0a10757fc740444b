"""Holds back a worker's requests while nothing is heard of its driver: nobody would keep the replies.

A driver that is killed cannot say so, and a cluster may take a minute to notice. Each question of the driver
for news is a sign of life; when none has come for `SILENT_SECONDS`, no request begins until the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SILENT_SECONDS = 1.5
"""Without a sign of life for so long, no request begins."""
ASK_SECONDS = 0.5
"""The driver asks at least so often, as long as its event loop turns."""
GONE_SECONDS = 300.0
"""Without a sign of life for so long, the worker ends itself: its cluster has not done so."""


class DriverGate:
    """Open while the driver is heard of. Used from one event loop; `now` is a clock in seconds.

    Implements `models.limits.gate.Barrier`.
    """

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

    @property
    def closed(self) -> bool:
        """Whether nothing is heard of the driver."""
        return self.silent > SILENT_SECONDS

    async def passed(self) -> None:
        """Returns at once while the driver is heard of, else with its next sign of life."""
        while self.closed:
            self._again.clear()
            await self._again.wait()
