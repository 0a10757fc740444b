"""Leave to call a model: a bound on requests in flight, for each model, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from learnact.records import ModelSpec


class RequestsInFlight:
    """At most `limit` requests in flight at each model; None: no bound. Implements `protocols.Permits`."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._places: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def permit(self, model: ModelSpec) -> AsyncIterator[None]:
        """Holds one place for as long as the context is open."""
        if self._limit is None:
            yield
            return
        async with self._places.setdefault(model.name, asyncio.Semaphore(self._limit)):
            yield
