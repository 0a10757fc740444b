"""The driver: expands a job into trials, runs them all at once on one runner, commits what comes back.

    learnact.run(job) -> run_job: job -> checks -> trials -> CommittingRunner(Ray or in-process) -> results

Does not cover: what is checked before (preflight.py), what a trial does (trial.py), how units are executed (agents/execute.py), files
(results), display (report).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from learnact.errors import HarnessFailure
from learnact.job import Job, load
from learnact.job.libraries import origin
from learnact.job.preflight import Preflight, preflight, versions
from learnact.models.concurrency import RequestsInFlight
from learnact.models.identity import ModelIdentity
from learnact.models.pool import ModelPool
from learnact.protocols import Runner
from learnact.records import Outcome, Plain, Unit, canonical
from learnact.records.trials import TrialSpec
from learnact.results.counters import Counters
from learnact.results.reader import answered_as, spent
from learnact.results.store import RunStore
from learnact.runners.local import LocalRunner
from learnact.runners.ray.runner import RayOptions, RayRunner
from learnact.runners.resume import CommittingRunner
from learnact.runners.worker import UnitLimits, Worker
from learnact.trial import LearningCosts, TrialResult, planned_episodes, run_trial

RESULTS = Path("results")
LOCAL = "local"
"""The address that means: no Ray, one worker in this process."""


class Display(Protocol):
    """What watches a run. All methods return at once."""

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """The run starts."""
        ...

    def stage(self, trial: TrialSpec, what: str) -> None:
        """A trial has begun something ("learning", "testing")."""
        ...

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """A unit is committed, or found committed."""
        ...

    def trial(self, result: TrialResult) -> None:
        """A trial has ended."""
        ...


class NoDisplay:
    """A display that shows nothing."""

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """Nothing."""

    def stage(self, trial: TrialSpec, what: str) -> None:
        """Nothing."""

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """Nothing."""

    def trial(self, result: TrialResult) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Summary:
    """What a run came to. `executed` counts units that were done now, as opposed to found committed."""

    run: str
    name: str
    folder: Path
    trials: tuple[TrialResult, ...]
    counters: Counters
    seconds: float
    executed: int

    @property
    def done(self) -> bool:
        """Whether all work of the job is finished."""
        return all(t.status == "done" for t in self.trials)


def run(
    job: Job | str | Path | Mapping[str, Any],
    *,
    results: str | Path = RESULTS,
    address: str | None = None,
    display: Display | None = None,
    accept_model_change: bool = False,
) -> Summary:
    """Run a job to its end, or continue it; the same as `learnact run`.

    `job`: a file, a mapping or a loaded job. `address`: a Ray address ("auto", "ray://..."), "local" for one worker in this process without
    Ray; None for what the job says (by default a Ray of our own on this machine). `accept_model_change`: continue a run although a model
    answers under another name than before.

    Raises:
        BadInput: the job, a domain's options or the results folder cannot be used; nothing has been started.
    """
    loaded = job if isinstance(job, Job) else load(job)
    return asyncio.run(run_job(loaded, Path(results), address, display or NoDisplay(), accept_model_change))


async def run_job(
    job: Job, results: Path, address: str | None, display: Display, accept_model_change: bool = False
) -> Summary:
    """`run` for a caller that has an event loop."""
    began = time.perf_counter()
    plan = preflight(job, results)
    store = RunStore.open(results, plan.run, job.name, job.given(), job.resolved(), versions())
    event = "interrupted"
    try:
        for name, row in plan.checks.items():
            store.check(name, row)
        display.begin(job, plan, store.counters)
        aliases = ModelIdentity(answered_as(store.folder), accept_model_change)
        async with AsyncExitStack() as stack:
            runner = _Watched(
                job, store, display, aliases, lambda: stack.enter_async_context(open_runner(job, address))
            )
            if store.counters.trials.get("done", 0) < len(plan.trials):
                runner.warm_up()
            ended = await _all_trials(plan, runner, store, display)
        store.check("models answered as", aliases.facts())
        summary = Summary(
            plan.run,
            job.name,
            store.folder,
            tuple(ended),
            store.counters,
            time.perf_counter() - began,
            runner.executed,
        )
        event = "finished" if summary.done else "unfinished"
        return summary
    finally:
        await store.close(event)


async def _all_trials(
    plan: Preflight, runner: Runner, store: RunStore, display: Display
) -> list[TrialResult]:
    """All trials at once: the runner shares its places among them. A trial that is blocked holds up nobody."""

    costs = LearningCosts()

    async def one(trial: TrialSpec) -> TrialResult:
        store.trial(trial.id, trial_row(trial, "running"))
        given = plan.libraries.get(trial.id)
        result = await run_trial(trial, runner, store, display.stage, given, costs)
        store.trial(trial.id, trial_row(trial, result.status, result.reason, result.library))
        display.trial(result)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(trial)) for trial in plan.trials]
    except BaseExceptionGroup as group_error:
        raise _first(group_error) from group_error
    return [task.result() for task in tasks]


def _first(error: BaseException) -> BaseException:
    """The first error of a group of groups: what a person is told."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def trial_row(trial: TrialSpec, status: str, reason: str = "", library: str = "") -> dict[str, Plain]:
    """A trial as the results keep it."""
    return {
        "method": trial.label,
        "domain": trial.domain.name,
        "agent_model": trial.agent_model.name,
        "learner_model": trial.learned_by,
        "learn_repeat": trial.learn_repeat,
        "test_repeats": trial.test_repeats,
        "test_episodes": planned_episodes(trial),
        "seed": trial.job_seed,
        "status": status,
        "reason": reason,
        "library": library,
        "options": canonical(
            {
                "method": trial.method,
                "learner": trial.taught.learner if trial.taught else trial.learner,
                "agent": trial.agent,
                "settings": trial.settings,
                "domain": trial.domain,
                "test_domains": trial.test_domains,
                "rules": trial.rules,
                "learn_budget": trial.learn_budget,
                "test_budget": trial.test_budget,
                "test": trial.test,
                **({"match_budget": trial.match_budget} if trial.match_budget else {}),
                **({"library_from": came_from} if (came_from := origin(trial)) else {}),
            }
        ),
    }


@asynccontextmanager
async def open_runner(job: Job, address: str | None) -> AsyncIterator[Runner]:
    """The runner that a job asks for: Ray, or one worker in this process."""
    cluster, limits = job.cluster, UnitLimits(job.limits.tries, job.limits.episode_seconds)
    if address == LOCAL or (address is None and cluster.runner == "local"):
        permits = RequestsInFlight(job.limits.requests)
        async with ModelPool(concurrency=permits) as pool, Worker(pool, limits) as worker:
            yield LocalRunner(worker, cluster.in_flight)
        return
    options = RayOptions(
        address=address or cluster.address,
        workers=cluster.workers,
        in_flight=cluster.in_flight,
        requests=job.limits.requests,
        limits=limits,
        keys=_keys(job),
    )
    async with RayRunner(options) as runner:
        yield runner


def _keys(job: Job) -> dict[str, str]:
    """The providers' keys that the job names and this process has, for workers on machines that do not have them."""
    models = job.models
    parts = (*models.agent, *models.learner, models.agent_defaults, models.learner_defaults)
    names = {part.api_key_env for part in (*parts, *([models.embeddings] if models.embeddings else []))}
    return {name: os.environ[name] for name in sorted(names) if name in os.environ}


class _Watched:
    """The run's runner: commits, shows, minds the models' names, and starts nothing new once the job's limits of money or tokens are used up."""

    def __init__(
        self, job: Job, store: RunStore, display: Display, aliases: ModelIdentity, start: Any
    ) -> None:
        self._limits = job.limits
        self._store = store
        self._display = display
        self._aliases = aliases
        self._before = spent(store.folder)
        self._inner = CommittingRunner(start, store, self._refuse)

    def warm_up(self) -> None:
        """Begin to start the cluster."""
        self._inner.warm_up()

    @property
    def executed(self) -> int:
        """Units done now."""
        now = self._store.counters
        return now.episodes + now.requests

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """As `Runner.run`."""
        async for outcome in self._inner.run(units):
            self._aliases.see(outcome)
            self._display.outcome(outcome, self._store.counters)
            yield outcome

    def _refuse(self) -> HarnessFailure | None:
        now, limits = self._store.counters, self._limits
        if limits.dollars is not None and self._before[0] + now.cost >= limits.dollars:
            return HarnessFailure(f"the job's limit of ${limits.dollars:g} is used up", False)
        used = self._before[1] + now.tokens.prompt + now.tokens.completion
        if limits.tokens is not None and used >= limits.tokens:
            return HarnessFailure(f"the job's limit of {limits.tokens} tokens is used up", False)
        return None
