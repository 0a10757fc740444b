"""The driver: expands a job into trials, runs them all at once on one runner, commits what comes back.

    learnact.run(job) -> run_async -> run_job:
    job -> checks -> trials -> CommittingRunner(Ray or in-process) -> results

Does not cover: what is checked before (job/preflight.py), the runner (runner.py), what a trial does
(trial.py), how units are run (runners/worker.py), files (results), display (report).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from learnact.driver.runner import LOCAL, JobRunner, open_runner
from learnact.errors import ResultsError
from learnact.job import Job, load
from learnact.job.endpoints import check_endpoints
from learnact.job.libraries import origin
from learnact.job.opponents import seated
from learnact.job.preflight import Preflight, preflight, versions
from learnact.models.identity import ModelIdentity, answered_in
from learnact.records import Plain, canonical
from learnact.records.trials import TrialSpec
from learnact.report.display import Display
from learnact.report.estimate import JobEstimate, estimate
from learnact.report.request_sizes import check_request_sizes
from learnact.results.counters import Counters
from learnact.results.location import Location, location_of
from learnact.results.pending import unfinished_calls
from learnact.results.reader import connect, dictionaries, models_returned
from learnact.results.store import RunStore
from learnact.runners.calls import spent_so_far
from learnact.runners.interrupts import ARM_SECONDS, Ended, StopRequests, heeding
from learnact.runners.ray.inside_job import (
    SUBMISSION,
    address_in_job,
    check_results_folder,
    submission_id,
)
from learnact.runners.tracing import RunTrace, traced
from learnact.trial import LearningCosts, TrialResult, planned_episodes, run_trial

_log = logging.getLogger("learnact.driver")
RESULTS = Path("results")


@dataclass(frozen=True, repr=False)
class Summary:
    """What a run came to. `executed` counts units that were done now, as opposed to found committed."""

    run: str
    name: str
    folder: Location
    trials: tuple[TrialResult, ...]
    counters: Counters
    seconds: float
    executed: int

    @property
    def done(self) -> bool:
        """Whether all work of the job is finished."""
        return all(t.status == "done" for t in self.trials)

    @property
    def cost(self) -> float | None:
        """US dollars of this session's calls; None where no call had a known price."""
        priced = self.counters.calls - self.counters.unpriced
        return self.counters.cost if priced or not self.counters.calls else None

    def __repr__(self) -> str:
        ended = sum(t.status == "done" for t in self.trials)
        state = "done" if self.done else "unfinished"
        cost = "" if self.cost is None else f", ${self.cost:.2f}"
        return (
            f"<run {self.name} ({self.run[:8]}): {state}, trials {ended}/{len(self.trials)}, "
            f"{self.executed} units now, {self.seconds:.0f} s{cost}; {self.folder}>"
        )


def plan(
    job: Job | str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    results: str | Location = RESULTS,
) -> JobEstimate:
    """What a job would do and cost at most; calls nobody. The same as `learnact plan`.

    Raises:
        BadInput: the job, a domain's options or the results folder cannot be used.
    """
    loaded = job if isinstance(job, Job) else load(job, overrides)
    checked = preflight(loaded, location_of(results))
    check_request_sizes(loaded, checked.trials)
    return JobEstimate(checked.run, loaded.name, tuple(estimate(checked.trials)))


def run(
    job: Job | str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    results: str | Location = RESULTS,
    address: str | None = None,
    display: Display | None = None,
    accept_model_change: bool = False,
    check: bool = True,
    trace: str | None = None,
) -> Summary:
    """Run a job to its end, or continue it; the same as `learnact run`.

    Works where an event loop runs already (a notebook): the run then has a thread and a loop of its own, and
    an interrupt stops it as on the command line.

    Args:
        job: a file, the name of a shipped job, a mapping, or a loaded job.
        overrides: settings as `--set` takes them, `["repeats.learn=1"]`; not for a loaded job.
        results: the folder where runs are kept.
        address: a Ray address ("auto", "ray://..."); "local" for one worker in this process without Ray; None
            for what the job says. By default that is the Ray session that this process is connected to, which
            stays open, or else a Ray of our own on this machine.
        display: watches the run.
        accept_model_change: continue a run although a model answers under another name than before.
        check: ask each model's endpoint whether it answers and knows the model before anything starts. Not
            done on a cluster at an address, whose machines may have other networks and keys.
        trace: where OpenTelemetry traces go: an OTLP endpoint (`http://...`) or a file (JSON lines); None for
            what OpenTelemetry's variables say.

    Raises:
        BadInput: the job, a domain's options, a model or the results folder cannot be used; nothing has been
            started.
        RunInterrupted: the run was asked to stop (SIGINT, SIGTERM, SIGHUP), and has, before it was done. A
            `KeyboardInterrupt`.
    """
    stops = StopRequests()
    coroutine = run_async(
        job,
        overrides=overrides,
        results=results,
        address=address,
        display=display,
        accept_model_change=accept_model_change,
        check=check,
        stops=stops,
        trace=trace,
    )
    return heeding(stops, lambda: to_the_end(coroutine, stops))


def to_the_end(coroutine: Coroutine[Any, Any, Ended], stops: StopRequests) -> Ended:
    """Run it to its end, also where an event loop runs already (a notebook): then in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return _in_a_thread(coroutine, stops)


async def run_async(
    job: Job | str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    results: str | Location = RESULTS,
    address: str | None = None,
    display: Display | None = None,
    accept_model_change: bool = False,
    check: bool = True,
    stops: StopRequests | None = None,
    trace: str | None = None,
) -> Summary:
    """`run` on the caller's event loop. Cancelling it closes the run; what is committed stays. `stops`: whose
    requests to stop the run heeds; none by default."""
    loaded = job if isinstance(job, Job) else load(job, overrides)
    return await run_job(
        loaded,
        location_of(results),
        address,
        display or Display(),
        accept_model_change=accept_model_change,
        check=check,
        stops=stops or StopRequests(),
        trace=trace,
    )


def _in_a_thread(coroutine: Coroutine[Any, Any, Ended], stops: StopRequests) -> Ended:
    """Run a coroutine on an event loop of its own, while the caller's loop waits; an interrupt that `stops`
    does not take cancels it."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def noted() -> Ended:
        if task := asyncio.current_task():
            running.append((asyncio.get_running_loop(), task))
        return await coroutine

    with ThreadPoolExecutor(1, thread_name_prefix="learnact") as pool:
        ended = pool.submit(asyncio.run, noted())
        try:
            while not wait([ended], timeout=ARM_SECONDS).done:
                stops.arm()
            return ended.result()
        except BaseException:
            for loop, task in running:
                if not ended.done():
                    loop.call_soon_threadsafe(task.cancel)
            raise


async def run_job(
    job: Job,
    results: Location,
    address: str | None,
    display: Display,
    *,
    accept_model_change: bool = False,
    check: bool = False,
    stops: StopRequests | None = None,
    trace: str | None = None,
) -> Summary:
    """`run_async` for a job that is loaded."""
    began = time.perf_counter()
    stops = stops or StopRequests()
    stops.attend(None)
    check_results_folder(results)
    if job.cluster.runner == "ray":
        address = address_in_job(address or job.cluster.address)
    plan = preflight(job, results)
    check_request_sizes(job, plan.trials)
    here = address in (None, LOCAL)
    if check and here and not _is_finished(plan, results):
        await check_endpoints(job, plan.trials)
    made_with = {**versions(), **({SUBMISSION: submitted} if (submitted := submission_id()) else {})}
    store = RunStore.open(results, plan.run, job.name, job.given(), job.resolved(), made_with)
    event = "interrupted"
    try:
        for name, row in plan.checks.items():
            store.check(name, row)
        finished = _finished_trials(plan, store)
        display.begin(job, plan, store.counters)
        interrupted = unfinished_calls(store.folder)
        known = [*models_returned(store.folder), *answered_in(interrupted)]
        aliases = ModelIdentity(known, accept_model_change)
        async with AsyncExitStack() as stack:
            spans = stack.enter_context(traced(trace, plan.run, job.name))
            runner = JobRunner(
                job,
                store,
                display,
                aliases,
                spent_so_far(store.folder),
                start=lambda calls: stack.enter_async_context(open_runner(job, address, calls)),
                spans=spans,
            )
            stack.callback(runner.calls.close)
            stack.push_async_callback(runner.close)
            runner.calls.begin()
            stops.attend(lambda: runner.drain(stops.number))
            arming = asyncio.create_task(stops.keep_armed())
            telling = asyncio.create_task(runner.tell_limits())
            stack.callback(arming.cancel)
            stack.callback(telling.cancel)
            if len(finished) < len(plan.trials):
                runner.warm_up()
            ended = await _all_trials(plan, runner, store, display, finished, spans=spans)
            stops.attend(lambda: None)  # it ends as it is
        store.check("models answered as", aliases.facts())
        summary = Summary(
            run=plan.run,
            name=job.name,
            folder=store.folder,
            trials=tuple(ended),
            counters=store.counters,
            seconds=time.perf_counter() - began,
            executed=runner.executed,
        )
        if not stops.count or summary.done:
            event = "finished" if summary.done else "unfinished"
        return summary
    finally:
        await store.close(event)


def _is_finished(plan: Preflight, results: Location) -> bool:
    """Whether an earlier session has finished all trials of the run."""
    try:
        with connect(results, plan.run) as connection:
            rows = dictionaries(connection, "SELECT trial FROM trials WHERE status = 'done'")
    except ResultsError:
        return False
    return {row["trial"] for row in rows} >= {trial.id for trial in plan.trials}


def _finished_trials(plan: Preflight, store: RunStore) -> dict[str, TrialResult]:
    """The trials that earlier sessions have finished, by id: their identity holds all that decides their
    results, so none of their units need be made again.

    Where an unfinished trial waits for what others cost it (`match_budget`), all are gone through again.
    """
    found = {}
    for trial in plan.trials:
        known = store.finished_trial(trial.id, planned_episodes(trial))
        if known is not None:
            found[trial.id] = TrialResult(
                trial, "done", known.library, known.episodes, known.successes, found=True
            )
    if any(trial.match_budget and trial.id not in found for trial in plan.trials):
        return {}
    for trial_id in found:
        store.pass_over(trial_id)
    return found


async def _all_trials(
    plan: Preflight,
    runner: JobRunner,
    store: RunStore,
    display: Display,
    finished: Mapping[str, TrialResult],
    *,
    spans: RunTrace | None,
) -> list[TrialResult]:
    """All trials at once: the runner shares its places among them. A trial that is blocked holds up
    nobody."""

    costs = LearningCosts()

    async def one(trial: TrialSpec) -> TrialResult:
        if trial.id in finished:
            display.trial(finished[trial.id])
            return finished[trial.id]
        store.trial(trial.id, trial_row(trial, "running"))
        given = plan.libraries.get(trial.id)
        with spans.trial(trial) if spans else nullcontext():
            result = await run_trial(trial, runner, store, display.stage, given, costs)
        if result.status == "unfinished" and not result.reason:
            result = replace(result, reason=runner.why_unfinished(trial.id))
        store.trial(trial.id, trial_row(trial, result.status, result.reason, result.library))
        display.trial(result)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(trial)) for trial in plan.trials]
    except BaseExceptionGroup as group_error:
        raise first_error(group_error) from group_error
    return [task.result() for task in tasks]


def first_error(error: BaseException) -> BaseException:
    """The first error of a group of groups: what a person is told."""
    return first_error(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def trial_row(trial: TrialSpec, status: str, reason: str = "", library: str = "") -> dict[str, Plain]:
    """A trial as the results keep it."""
    return {
        "method": trial.label,
        "domain": trial.domain.name,
        "agent_model": trial.agent_model.shown,
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
                "learner": trial.learner.name,
                "agent": trial.agent,
                "settings": json.loads(trial.learner.options),
                "domain": trial.domain,
                "test_domains": trial.test_domains,
                "rules": trial.rules,
                "learn_budget": trial.learn_budget,
                "test_budget": trial.test_budget,
                "test": trial.test,
                **seated(trial),
                **({"match_budget": trial.match_budget} if trial.match_budget else {}),
                **({"library_from": came_from} if (came_from := origin(trial)) else {}),
            }
        ),
    }
