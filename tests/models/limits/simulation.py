"""Gates, the limiter and a server on a simulated clock: minutes of traffic in seconds, always the same."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from learnact.models.client import RetryableError
from learnact.models.limits.gate import LimiterLost, RequestGate
from learnact.models.limits.headers import SAID_NOTHING, RateHeaders
from learnact.models.limits.limiter import Limiter
from learnact.models.limits.messages import LimiterAnswer, Report
from learnact.records import EndpointLimits, ModelSpec

T = TypeVar("T")
PATIENCE = 600.0


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is due."""

    def __init__(self) -> None:
        super().__init__()
        self._simulated = 1000.0

    def time(self) -> float:
        return self._simulated

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._simulated = max(self._simulated, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def simulate(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to its end on a simulated clock."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(coroutine)


def clock() -> float:
    return asyncio.get_running_loop().time()


class SharedLimiter:
    """One limiter for several gates, with messages that take time. `restart` loses all that it knew; while
    `lost` is set nobody answers."""

    def __init__(self, delay: float = 0.005) -> None:
        self.delay = delay
        self.lost = False
        self.restarts = 0
        self.limiter = Limiter("0")

    def restart(self) -> None:
        self.restarts += 1
        self.limiter = Limiter(str(self.restarts))

    async def exchange(self, report: Report) -> LimiterAnswer:
        await asyncio.sleep(self.delay)
        if self.lost:
            raise LimiterLost("nobody there")
        answer = self.limiter.exchange(report, clock())
        await asyncio.sleep(self.delay)
        return answer


@dataclass
class MeteredServer:
    """A server with a true sliding window over what it let through, or a bucket of `bucket_seconds`; and a
    limit of requests in flight. Refused requests count for nothing."""

    requests: int | None = None
    tokens: int | None = None
    in_flight: int | None = None
    bucket_seconds: float | None = None
    latency: Callable[[random.Random], float] = lambda rng: 0.3 + 0.4 * rng.random()
    retry_after: float | None = None
    storm: tuple[float, float] = (0.0, 0.0)
    headers: bool = False
    now: int = 0
    most: int = 0
    passed: list[tuple[float, int]] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _window: deque[tuple[float, int]] = field(default_factory=deque)
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    _rng: random.Random = field(default_factory=lambda: random.Random(1))

    async def ask(self, tokens: int) -> RateHeaders:
        await asyncio.sleep(0.02 * self._rng.random())  # the way there
        now = clock()
        if self.storm[0] <= now < self.storm[1] or not self._fits(tokens, now):
            self.refused.append(now)
            raise RetryableError("limit", "429", self.retry_after, headers=self._said(now))
        self.passed.append((now, tokens))
        self._window.append((now, tokens))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.latency(self._rng))
        finally:
            self.now -= 1
        return self._said(clock())

    def _fits(self, tokens: int, now: float) -> bool:
        if self.in_flight is not None and self.now >= self.in_flight:
            return False
        if self.bucket_seconds is not None:
            return self._take_from_buckets(tokens, now)
        while self._window and self._window[0][0] <= now - 60.0:
            self._window.popleft()
        used = sum(amount for _, amount in self._window)
        return not (
            (self.requests is not None and len(self._window) + 1 > self.requests)
            or (self.tokens is not None and used + tokens > self.tokens)
        )

    def _take_from_buckets(self, tokens: int, now: float) -> bool:
        assert self.bucket_seconds is not None
        levels = {}
        for kind, limit, amount in (("requests", self.requests, 1), ("tokens", self.tokens, tokens)):
            if limit is None:
                continue
            most = max(limit / 60.0 * self.bucket_seconds, amount)
            level, when = self._levels.get(kind, (most, now))
            level = min(most, level + (now - when) * limit / 60.0)
            if level < amount:
                return False
            levels[kind] = (level - amount, now)
        self._levels |= levels
        return True

    def _said(self, now: float) -> RateHeaders:
        if not self.headers:
            return SAID_NOTHING
        from learnact.models.limits.messages import ServerQuota

        recent = [amount for when, amount in self._window if when > now - 60.0]
        requests, tokens = self.requests, self.tokens
        return RateHeaders(
            None if requests is None else ServerQuota(requests, max(0, requests - len(recent)), 60.0),
            None if tokens is None else ServerQuota(tokens, max(0, tokens - sum(recent)), 60.0),
        )

    def rate(self, begin: float, end: float) -> tuple[float, float]:
        """Requests and tokens a minute that got through in a time."""
        part = [amount for when, amount in self.passed if begin <= when < end]
        return len(part) * 60 / (end - begin), sum(part) * 60 / (end - begin)

    def refused_share(self, begin: float, end: float) -> float:
        refused = sum(begin <= when < end for when in self.refused)
        passed = sum(begin <= when < end for when, _ in self.passed)
        return refused / max(1, refused + passed)


async def caller(
    gate: RequestGate,
    server: MeteredServer,
    limits: EndpointLimits,
    sizes: Callable[[random.Random], tuple[int, int | None]],
    *,
    seed: int,
    until: float,
) -> None:
    """Calls without a pause between them, as an episode makes them. `sizes`: tokens in truth, and as they are
    expected (None: the same)."""
    rng, model = random.Random(seed), ModelSpec("m", limits=limits)
    while clock() < until:
        tokens, expected = sizes(rng)
        began = clock()
        while True:
            try:
                async with gate.permit(
                    model, "u", expected or tokens, since=began, patience=PATIENCE
                ) as permit:
                    try:
                        headers = await server.ask(tokens)
                    except RetryableError as error:
                        permit.failed(error)
                        raise
                    permit.answered(tokens, headers)
                break
            except RetryableError:
                await asyncio.sleep(0.05)


async def traffic(
    server: MeteredServer,
    limits: EndpointLimits,
    sizes: Callable[[random.Random], tuple[int, int | None]] = lambda rng: (100, None),
    *,
    seconds: float = 240.0,
    workers: int = 3,
    callers: int = 24,
    link: SharedLimiter | None = None,
    in_flight: int | None = None,
) -> float:
    """Three workers ask a server for so long; returns when they began."""
    link, began = link or SharedLimiter(), clock()
    gates = [RequestGate(link, in_flight) for _ in range(workers)]
    tasks = [
        asyncio.create_task(caller(gates[n % workers], server, limits, sizes, seed=n, until=began + seconds))
        for n in range(callers)
    ]
    try:
        await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for gate in gates:
            await gate.close()
    return began
