"""A limit on the requests in flight at each model, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from learnact.records import ModelSpec


class RequestsInFlight:
    """At most `limit` requests in flight at each model; None: no limit.

    Implements `protocols.ConcurrencyLimit`.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._slots: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def slot(self, model: ModelSpec) -> AsyncIterator[None]:
        """Hold one of the model's places for as long as the context is open."""
        if self._limit is None:
            yield
            return
        async with self._slots.setdefault(model.name, asyncio.Semaphore(self._limit)):
            yield
