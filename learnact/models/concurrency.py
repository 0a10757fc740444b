"""A limit on the requests in flight at each model, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from learnact.errors import Failure
from learnact.records import ModelSpec


class RequestsInFlight:
    """At most `limit` requests in flight at each model; None: no limit.

    Implements `protocols.ConcurrencyLimit`.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._stopped: Failure | None = None

    def stop(self, failure: Failure) -> None:
        """Let no request begin from now on, those included that wait for a place or for their next try."""
        self._stopped = failure

    @asynccontextmanager
    async def slot(self, model: ModelSpec) -> AsyncIterator[None]:
        """Hold one of the model's places for as long as the context is open.

        Raises the failure given to `stop`.
        """
        if self._limit is None:
            self._check()
            yield
            return
        async with self._slots.setdefault(model.name, asyncio.Semaphore(self._limit)):
            self._check()
            yield

    def _check(self) -> None:
        if self._stopped is not None:
            raise type(self._stopped)(self._stopped.message, self._stopped.retryable)
