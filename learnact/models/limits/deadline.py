"""A bound on the wall-clock time of a try, which waiting for a limit does not use up: with a low limit most
of an episode's time can be waiting, and an episode that waits is not stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_current: ContextVar[asyncio.Timeout | None] = ContextVar("deadline", default=None)


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Raises `TimeoutError` after so many seconds, those of `not_counted` left out."""
    async with asyncio.timeout(seconds) as timeout:
        token = _current.set(timeout)
        try:
            yield
        finally:
            _current.reset(token)


@contextmanager
def not_counted() -> Iterator[None]:
    """Stop the clock of the caller's deadline, if there is one."""
    timeout = _current.get()
    until = timeout.when() if timeout is not None else None
    if timeout is None or until is None or timeout.expired():
        yield
        return
    loop = asyncio.get_running_loop()
    left = until - loop.time()
    timeout.reschedule(None)
    try:
        yield
    finally:
        timeout.reschedule(loop.time() + left)
