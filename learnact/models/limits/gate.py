"""The gate of one process: each request waits here until the limiter lets it through.

The limiter decides for all workers (`limiter.py`, in this process or in an actor of a cluster); a gate keeps
the calls of its worker in order, uses the places and permits it was given, and reports what happened. It
reports as often as the limiter asks for, and ends doing so when there is nothing to do.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from learnact.errors import Failure, HarnessFailure, ProviderFailure
from learnact.models.client import RetryableError
from learnact.models.limits.deadline import not_counted
from learnact.models.limits.endpoint_gate import EndpointGate, Waiter
from learnact.models.limits.headers import SAID_NOTHING, RateHeaders
from learnact.models.limits.limiter import Limiter, with_in_flight
from learnact.models.limits.messages import (
    LimiterAnswer,
    Report,
)
from learnact.records import EndpointLimits, EndpointName, EndpointState, ModelSpec

IDLE_SECONDS = 1.0
"""A gate with nothing to do says so after this time, and its places go to others."""
LOST_SECONDS = 0.5
"""Seconds until a limiter that did not answer is asked again."""
TOLD_AFTER = 10.0

_log = logging.getLogger("learnact.models")


class LimiterLost(Exception):
    """The limiter did not answer; another one may take its place."""


class LimiterLink(Protocol):
    """The way to the limiter."""

    async def exchange(self, report: Report) -> LimiterAnswer:
        """Take a report and answer it. Raises `LimiterLost`."""
        ...


class Barrier(Protocol):
    """What may keep all requests of a process back, besides limits."""

    @property
    def closed(self) -> bool:
        """Whether it keeps them back now."""
        ...

    async def passed(self) -> None:
        """Returns when it does not."""
        ...


class LocalLimiter:
    """The limiter of a run that has one process."""

    def __init__(self) -> None:
        self._limiter = Limiter(secrets.token_hex(4))

    async def exchange(self, report: Report) -> LimiterAnswer:
        """As `Limiter.exchange`, by this process's clock."""
        return self._limiter.exchange(report, _now())

    def states(self) -> tuple[EndpointState, ...]:
        """How it stands at each endpoint."""
        return self._limiter.states(_now())


@dataclass(eq=False)
class Permit:
    """A request that was let through. Say what came of it; one of which nothing is said may have used what
    was expected."""

    sent: float
    tokens: int
    settled: int | None = None
    good: bool = False
    refused: bool = False
    hold: float = 0.0
    headers: RateHeaders = SAID_NOTHING

    def answered(self, tokens: int, headers: RateHeaders) -> None:
        """A reply has come, which used so many tokens."""
        self.good, self.settled, self.headers = True, tokens, headers

    def failed(self, error: RetryableError) -> None:
        """The request met a rate limit, or was not answered in time. Other faults say nothing of limits."""
        if error.kind == "limit":
            self.refused, self.settled = True, 0
            self.hold, self.headers = error.retry_after or 0.0, error.headers
        elif error.kind == "timeout":
            self.refused = True


class RequestGate:
    """Lets the requests of a process through. Used from one event loop; close it when done.

    `link`: the way to the limiter; a limiter of its own when left out. `in_flight`: requests in flight at
    each endpoint of models that state no number of their own. `barrier`: no request begins while it is
    closed.
    """

    def __init__(
        self,
        link: LimiterLink | None = None,
        in_flight: int | None = None,
        barrier: Barrier | None = None,
    ) -> None:
        self._link = link or LocalLimiter()
        self._in_flight = in_flight
        self._barrier = barrier
        self._worker = secrets.token_hex(6)
        self._endpoints: dict[EndpointName, EndpointGate] = {}
        self._numbers = itertools.count()
        self._epoch = ""
        self._wake = asyncio.Event()
        self._talking: asyncio.Task[None] | None = None
        self._stopped: Failure | None = None

    def stop(self, failure: Failure) -> None:
        """Let no request begin from now on: those that wait end with the failure."""
        self._stopped = failure
        for endpoint in self._endpoints.values():
            for waiter in endpoint.queue:
                if not waiter.go.done():
                    waiter.go.set_exception(_copy(failure))

    async def close(self) -> None:
        """End. What was not used comes back by itself."""
        talking, self._talking = self._talking, None
        if talking is not None:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    @asynccontextmanager
    async def permit(
        self, model: ModelSpec, url: str, tokens: int, *, since: float, patience: float
    ) -> AsyncIterator[Permit]:
        """Wait until a request may be sent; it is in flight for as long as the context is open.

        `tokens`: what it is expected to use. `since`: when the call was first asked for, by the event loop's
        clock; the older one goes first. `patience`: seconds that a server may ask to wait.

        Raises `RetryableError` where a server asks for more patience, `ProviderFailure` for a request that
        can never be let through, and the failure that was given to `stop`.
        """
        endpoint = self._endpoint(model, url)
        _check_size(endpoint.limits, tokens, model)
        number = await self._let_through(endpoint, tokens, since, patience)
        while self._barrier is not None and self._barrier.closed:
            self._ended(endpoint, number, Permit(_now(), tokens, settled=0))
            await self._barrier.passed()
            number = await self._let_through(endpoint, tokens, since, patience)
        permit = Permit(_now(), tokens)
        try:
            yield permit
        finally:
            self._ended(endpoint, number, permit)

    async def _let_through(self, endpoint: EndpointGate, tokens: int, since: float, patience: float) -> int:
        """Wait for a place, and for a permit where the rate is limited; returns the number of the call."""
        if self._stopped is not None:
            raise _copy(self._stopped)
        waiter = Waiter(next(self._numbers), tokens, since, asyncio.get_running_loop().create_future())
        bisect.insort(endpoint.queue, waiter, key=lambda one: one.since)
        if endpoint.rated:
            endpoint.news.waiting.append(waiter)
        now = _now()
        endpoint.advance(now)
        if not waiter.go.done():
            self._talk_soon()
            await self._wait(endpoint, waiter, patience)
        return waiter.number

    async def _wait(self, endpoint: EndpointGate, waiter: Waiter, patience: float) -> None:
        with not_counted():
            try:
                while not waiter.go.done():
                    hold = endpoint.hold - _now()
                    if hold > patience:
                        raise RetryableError("limit", f"{endpoint.name} asked to wait for {hold:.0f} s", hold)
                    await asyncio.wait([waiter.go], timeout=5.0)
                waiter.go.result()
            except BaseException:
                self._left(endpoint, waiter)
                raise

    def _left(self, endpoint: EndpointGate, waiter: Waiter) -> None:
        """A call waits no longer."""
        if waiter in endpoint.queue:
            endpoint.queue.remove(waiter)
            if endpoint.rated:
                endpoint.news.dropped.append(waiter.number)
        elif waiter.go.done() and not waiter.go.cancelled() and waiter.go.exception() is None:
            self._ended(endpoint, waiter.number, Permit(_now(), waiter.tokens, settled=0))

    def _ended(self, endpoint: EndpointGate, number: int, permit: Permit) -> None:
        now = _now()
        endpoint.in_flight -= 1
        endpoint.news.good += permit.good
        if endpoint.rated:
            used = permit.tokens if permit.settled is None else permit.settled
            endpoint.news.settled.append((number, used))
        if permit.headers != SAID_NOTHING:
            endpoint.news.headers = permit.headers
        if permit.refused:
            endpoint.news.refused.append(permit.sent)
            if permit.hold:
                endpoint.asked_hold = max(endpoint.asked_hold, now + permit.hold)
                endpoint.hold = max(endpoint.hold, endpoint.asked_hold)
            self._talk_soon()
        endpoint.advance(now)

    def _endpoint(self, model: ModelSpec, url: str) -> EndpointGate:
        name = EndpointName(url, model.name)
        if name not in self._endpoints:
            self._endpoints[name] = EndpointGate(name, with_in_flight(model.limits, self._in_flight))
        return self._endpoints[name]

    # Talking to the limiter

    def _talk_soon(self) -> None:
        self._wake.set()
        if self._talking is None or self._talking.done():
            self._talking = asyncio.create_task(self._talk())
            self._talking.add_done_callback(self._talk_ended)

    def _talk_ended(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must not let calls wait for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.stop(HarnessFailure(f"the gate of requests failed: {type(error).__name__}: {error}", False))

    async def _talk(self) -> None:
        """Report and be answered, until there has been nothing to do for a while."""
        idle_since = lost_since = None
        while True:
            now = _now()
            self._wake.clear()
            idle = all(endpoint.idle for endpoint in self._endpoints.values())
            idle_since = (idle_since or now) if idle else None
            leaves = idle_since is not None and now - idle_since >= IDLE_SECONDS
            if leaves:
                for endpoint in self._endpoints.values():
                    endpoint.places = 0
            try:
                answer = await self._exchange(now, leaves)
            except LimiterLost as lost:
                lost_since = lost_since or now
                if now - lost_since > TOLD_AFTER:
                    _log.warning("the limiter does not answer (%s): requests wait for it", lost)
                await asyncio.sleep(LOST_SECONDS)
                continue
            lost_since = None
            if leaves:
                if not self._wake.is_set():
                    return
                continue
            holds = (e.hold - now for e in self._endpoints.values() if e.queue and e.hold > now)
            wait = min([answer.wait, *holds])
            if await self._woken(wait):
                await asyncio.sleep(max(0.0, answer.pause - (_now() - now)))
            for endpoint in self._endpoints.values():
                endpoint.advance(_now())

    async def _woken(self, seconds: float) -> bool:
        """Wait for so long, or until something happens that the limiter must know at once."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
            return True
        except TimeoutError:
            return False

    async def _exchange(self, now: float, leaves: bool) -> LimiterAnswer:
        told = {name: one.report(now, self._numbers) for name, one in self._endpoints.items()}
        report = Report(self._worker, tuple(part for part, _ in told.values()), leaves)
        try:
            answer = await self._link.exchange(report)
        except LimiterLost:
            self._epoch = ""
            for name, (_, news) in told.items():
                self._endpoints[name].news.put_back(news)
            raise
        if answer.epoch != self._epoch and not leaves:
            self._epoch = answer.epoch
            for endpoint in self._endpoints.values():
                if endpoint.rated and endpoint.queue:
                    endpoint.introduce()
                    self._wake.set()
        received = _now()
        for part in () if leaves else answer.endpoints:
            endpoint = self._endpoints[part.name]
            endpoint.take(part, received, now + answer.lease)
            endpoint.advance(received)
        return answer


def _check_size(limits: EndpointLimits, tokens: int, model: ModelSpec) -> None:
    most = limits.tokens_per_minute
    if most is not None and tokens > most:
        raise ProviderFailure(
            f"{model.name}: a request of about {tokens:,} tokens (prompt and reply) is more than "
            f"limits.tokens_per_minute ({most:,}) of the model lets through: raise it, lower max_tokens, or "
            "state a smaller `context`",
            False,
        )


def _now() -> float:
    """The event loop's clock, which a test can simulate."""
    return asyncio.get_running_loop().time()


def _copy(failure: Failure) -> Failure:
    """An exception that is raised in many places must be one of its own in each."""
    return type(failure)(failure.message, failure.retryable)
