"""The runner of a job: Ray or one worker in this process, which commits, shows, and keeps to the limits.

Does not cover: what is run on it (session.py, again/fork.py), the runners themselves (runners).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from learnact.errors import HarnessFailure
from learnact.job import Job
from learnact.job.schema import ClusterConfig
from learnact.models.identity import ModelIdentity
from learnact.models.limits.gate import LocalLimiter, RequestGate
from learnact.models.pool import ModelPool
from learnact.protocols import CallLog, StoppableRunner
from learnact.records import Outcome, Unit
from learnact.report.display import Display, Standing
from learnact.results.store import RunStore
from learnact.runners.calls import MeteredCallLog, Spending, SpendingLimits
from learnact.runners.local import LocalRunner
from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.runner import RayRunner
from learnact.runners.resume import CommittingRunner
from learnact.runners.tracing import RunTrace
from learnact.runners.unreadable import UnreadableReplies
from learnact.runners.worker import UnitLimits, Worker

_log = logging.getLogger("learnact.driver")
TELL_SECONDS = 1.0
"""Seconds between two looks at the limits, for displays and metrics."""
LOCAL = "local"
"""The address that means: no Ray, one worker in this process."""


@asynccontextmanager
async def open_runner(
    job: Job, address: str | None, calls: CallLog | None = None
) -> AsyncIterator[StoppableRunner]:
    """The runner that a job asks for: Ray, or one worker in this process. `calls` is told of each call."""
    limits = UnitLimits(
        tries=job.limits.tries,
        deadline=job.limits.episode_seconds,
        tokens=job.limits.episode_tokens,
        dollars=job.limits.episode_dollars,
    )
    requests, names = job.limits.requests, _keys(job)
    async with runner_at(address, job.cluster, limits, requests=requests, keys=names, calls=calls) as runner:
        yield runner


@asynccontextmanager
async def runner_at(
    address: str | None,
    cluster: ClusterConfig,
    limits: UnitLimits,
    *,
    requests: int,
    keys: Iterable[str],
    calls: CallLog | None,
) -> AsyncIterator[StoppableRunner]:
    """A runner at an address, or where `cluster` says: Ray, or one worker in this process.

    `requests`: in flight at one endpoint at most; `keys`: names of the variables that hold providers' keys,
    for workers on machines that do not have them.
    """
    if address == LOCAL or (address is None and cluster.runner == "local"):
        limiter = LocalLimiter()
        gate = RequestGate(limiter, requests)
        async with ModelPool(gate=gate) as pool, Worker(pool, limits, gate=gate) as worker:
            yield LocalRunner(worker, cluster.in_flight, calls, limiter)
        return
    options = RayOptions(
        address=address or cluster.address,
        workers=cluster.workers,
        in_flight=cluster.in_flight,
        requests=requests,
        limits=limits,
        keys={name: os.environ[name] for name in sorted(keys) if name in os.environ},
    )
    async with RayRunner(options, call_log=calls) as runner:
        yield runner


def _keys(job: Job) -> set[str]:
    """The names of the variables in which the job says that providers' keys are."""
    models = job.models
    others = (*(models.opponent or ()), *([models.embeddings] if models.embeddings else []))
    parts = (*models.agent, *models.learner, models.agent_defaults, models.learner_defaults, *others)
    return {part.api_key_env for part in parts}


def spending_limits(job: Job) -> SpendingLimits:
    """What a run of the job may use."""
    limits = job.limits
    return SpendingLimits(limits.dollars, limits.tokens, limits.calls, limits.hours)


class JobRunner:
    """The run's runner: commits, shows, checks the models' names, and ends what is under way between two
    calls once a limit of the job is used up (`calls`)."""

    def __init__(
        self,
        job: Job,
        store: RunStore,
        display: Display,
        aliases: ModelIdentity,
        earlier: Spending,
        *,
        start: Any,
        spans: RunTrace | None = None,
    ) -> None:
        self._store = store
        self._display = display
        self._aliases = aliases
        self._failures: dict[str, Counter[str]] = defaultdict(Counter)
        self._unreadable = UnreadableReplies(job.limits.unreadable, lambda failure: self._inner.stop(failure))
        self._inner = CommittingRunner(
            lambda: start(self.calls),
            store,
            refuse=lambda: self.calls.failure or self._unreadable.failure or self._inner.interrupted,
            observe=self._see,
        )
        self._spans = spans
        self.calls = MeteredCallLog(
            spans.watch(store) if spans else store, spending_limits(job), earlier, self._inner.stop
        )

    def _see(self, outcome: Outcome) -> None:
        """A unit has ended, and is about to be committed."""
        self._unreadable.see(outcome)
        if self._spans is not None:
            self._spans.outcome(outcome)

    def warm_up(self) -> None:
        """Begin to start the cluster."""
        self._inner.warm_up()

    def drain(self, number: int) -> None:
        """A signal asks to stop: no call begins from now on, those in flight are answered."""
        name = signal.Signals(number).name
        _log.warning(
            "%s: no call begins any more; those in flight are awaited and all is committed "
            "(once more: stop at once, what is in flight is lost)",
            name,
        )
        self._inner.interrupt(HarnessFailure(f"interrupted by {name}; the same command continues", False))

    async def tell_limits(self) -> None:
        """Show how it stands at the limits, again and again."""
        while True:
            endpoints = await self._inner.limits()
            self._display.limits(Standing(self.calls.spent, self.calls.limits, tuple(endpoints)))
            await asyncio.sleep(TELL_SECONDS)

    async def close(self) -> None:
        """A cluster that is still being started is not waited for."""
        await self._inner.close()

    @property
    def executed(self) -> int:
        """Units done now."""
        now = self._store.counters
        return now.episodes + now.requests

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """As `Runner.run`."""
        async for outcome in self._inner.run(units):
            self._aliases.see(outcome)
            if outcome.result is None and outcome.attempts:
                self._failures[outcome.unit.trial][outcome.attempts[-1].error] += 1
            self._display.outcome(outcome, self._store.counters)
            yield outcome

    def why_unfinished(self, trial: str) -> str:
        """The most frequent cause for which units of a trial have no result, and how many others there
        are."""
        found = self._failures[trial].most_common()
        if not found:
            return ""
        others = f" (and {len(found) - 1} other causes)" if len(found) > 1 else ""
        return f"{found[0][0]}{others}"
