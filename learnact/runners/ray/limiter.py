"""The limiter of a run on a cluster: an actor beside the workers, which report to it.

Ray starts it anew when its process or node dies; it then begins empty, as a limiter that begins always does.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any

from learnact.models.limits.gate import LimiterLost
from learnact.models.limits.limiter import Limiter
from learnact.models.limits.messages import LimiterAnswer, Report
from learnact.records import EndpointState
from learnact.runners.ray.metrics import RayMetrics

ANSWER_SECONDS = 2.0
"""A limiter that has not answered for so long is asked again: places hold for longer (`Limiter.lease`)."""
CONCURRENT = 10_000


class LimiterActor:
    """Decides for all workers of a run. `models.limits.limiter` says how."""

    def __init__(self) -> None:
        self._limiter = Limiter(secrets.token_hex(4))
        self._metrics = RayMetrics()

    async def exchange(self, report: Report) -> LimiterAnswer:
        """Take a worker's report and answer it."""
        return self._limiter.exchange(report, time.monotonic())

    async def states(self) -> tuple[EndpointState, ...]:
        """How it stands at each endpoint; the driver asks about once a second, so metrics follow then."""
        states = self._limiter.states(time.monotonic())
        self._metrics.endpoints(states)
        return states


class ActorLink:
    """A worker's way to the limiter. Implements `models.limits.gate.LimiterLink`."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def exchange(self, report: Report) -> LimiterAnswer:
        """As `LimiterActor.exchange`. Raises `LimiterLost`."""
        answer: LimiterAnswer = await _answered(self._actor.exchange.remote(report))
        return answer


def start_limiter() -> Any:
    """Start the limiter's actor: it needs no core, and as few of its node as there are."""
    import ray

    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": 0, "max_concurrency": CONCURRENT}
    actor: Any = ray.remote(LimiterActor)
    return actor.options(**options).remote()


async def limiter_states(actor: Any) -> Sequence[EndpointState]:
    """How it stands at each endpoint; nothing while the limiter does not answer."""
    try:
        states: Sequence[EndpointState] = await _answered(actor.states.remote())
    except LimiterLost:
        return ()
    return states


def end_limiter(actor: Any) -> None:
    """End the actor. One that is gone is no error."""
    import ray
    import ray.exceptions

    try:
        ray.kill(actor, no_restart=True)
    except (ray.exceptions.RayError, RuntimeError, ConnectionError, ValueError):
        return


async def _answered(ref: Any) -> Any:
    from ray.exceptions import RayError

    future = asyncio.wrap_future(ref.future())
    future.add_done_callback(lambda f: None if f.cancelled() else f.exception())
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.shield(future)
    except (RayError, TimeoutError) as error:
        raise LimiterLost(f"{type(error).__name__}") from error
