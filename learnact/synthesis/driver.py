"""A run of a synthesis: examples are generated, in rounds, until enough are verified.

    synthesize(job) -> rounds of examples -> CommittingRunner (Ray or in-process) -> results

A round begins as many examples as trajectories are missing, and ends when all of them have; so which examples
there are follows from their results alone, never from which came first.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from learnact.driver import RESULTS
from learnact.driver.runner import LOCAL, runner_at
from learnact.driver.session import first_error, to_the_end
from learnact.errors import Failure, HarnessFailure, JobError, ResultsError
from learnact.job.endpoints import why_not_askable
from learnact.job.preflight import versions
from learnact.models.identity import ModelIdentity, answered_in
from learnact.protocols import StoppableRunner
from learnact.records import Reply, Request, canonical, digest, seed_from
from learnact.records.synthesis import SynthesizedExample
from learnact.results.location import Location, location_of
from learnact.results.pending import unfinished_calls
from learnact.results.reader import connect, dictionaries, models_returned
from learnact.results.store import RunStore
from learnact.runners.calls import MeteredCallLog, Spending, SpendingLimits, spent_so_far
from learnact.runners.interrupts import StopRequests, heeding
from learnact.runners.ray.inside_job import address_in_job, check_results_folder
from learnact.runners.resume import CommittingRunner
from learnact.runners.worker import UnitLimits
from learnact.synthesis.generation import METHOD, ExamplePlan, generate
from learnact.synthesis.job import SynthesisJob, load_synthesis
from learnact.synthesis.patterns import PatternMatcher
from learnact.synthesis.verification import Verifier
from learnact.training.synthesized import DOMAIN

BLOCK = 1000
"""Examples that share a trial: what is found committed is read so many at a time."""
_log = logging.getLogger("learnact.synthesis")


@dataclass(frozen=True)
class SynthesisProgress:
    """How far a run is: examples that have ended, and what was spent, in all sessions."""

    wanted: int
    verified: int
    refused: int
    under_way: int
    spent: Spending


@dataclass(frozen=True)
class SynthesisSummary:
    """What a run came to. `generated` examples were made now, as opposed to found; `calls` were made now;
    `reasons` says why examples are undecided, the most frequent first.
    """

    run: str
    name: str
    folder: Location
    wanted: int
    verified: int
    refused: int
    generated: int
    calls: int
    spent: Spending
    seconds: float
    simulated: bool
    reasons: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether as many trajectories are verified as are wanted."""
        return self.verified >= self.wanted


Notice = Callable[[SynthesisProgress], None]


def synthesize(
    job: SynthesisJob | str | Path | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    results: str | Location = RESULTS,
    address: str | None = None,
    notice: Notice = lambda _: None,
    accept_model_change: bool = False,
    check: bool = True,
) -> SynthesisSummary:
    """Make verified trajectories, or continue; the same as `learnact synthesize`.

    Args:
        job: a file, the name of a shipped job, a mapping, or a loaded job.
        overrides: settings as `--set` takes them; not for a loaded job.
        results: the folder where runs are kept.
        address: a Ray address; "local" for one worker in this process; None for what the job says.
        notice: is told how far the run is.
        accept_model_change: continue although the model answers under another name than before.
        check: ask the model's endpoint whether it answers before anything starts.

    Raises:
        BadInput: the job, the model or the results folder cannot be used; nothing has been started.
        RunInterrupted: the run was asked to stop, and has, before it was done.
    """
    loaded = job if isinstance(job, SynthesisJob) else load_synthesis(job, overrides)
    stops = StopRequests()
    session = _Session(loaded, location_of(results), notice, accept_model_change)
    return heeding(stops, lambda: to_the_end(session.run(address, stops, check), stops))


@dataclass
class _Session:
    """One session of a run."""

    job: SynthesisJob
    results: Location
    notice: Notice
    accept_model_change: bool
    ended: dict[int, str] = field(default_factory=dict)
    """How examples have ended, by number."""
    counts: Counter[str] = field(default_factory=Counter)
    """How many have ended how."""
    generated: int = 0
    under_way: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    async def run(self, address: str | None, stops: StopRequests, check: bool) -> SynthesisSummary:
        began, job, cluster = time.perf_counter(), self.job, self.job.config.cluster
        stops.attend(None)
        check_results_folder(self.results)
        if cluster.runner == "ray":
            address = address_in_job(address or cluster.address)
        here = check and address in (None, LOCAL) and not self._is_finished()
        if here and (why := await why_not_askable(job.model)):
            raise JobError(f"{job.source.at('model')}: {why}\nNothing was started; --no-check starts anyway.")
        store = RunStore.open(self.results, job.run, job.config.name, job.given(), job.resolved(), versions())
        event = "interrupted"
        try:
            blocks = {_block(job, n): n for n in range(-(-job.most_examples // BLOCK))}
            for (trial, number), status in store.examples().items():
                if trial in blocks:
                    self._end(number, status)
            async with AsyncExitStack() as stack:
                calls, runner = self._runner(store, stack, address)
                stack.callback(calls.close)
                calls.begin()
                stops.attend(lambda: self._drain(runner, stops.number))
                arming = asyncio.create_task(stops.keep_armed())
                stack.callback(arming.cancel)
                await self._rounds(store, runner, calls)
                stops.attend(lambda: None)
            summary = self._summary(store, calls, time.perf_counter() - began)
            if not stops.count or summary.done:
                event = "finished" if summary.done else "unfinished"
            return summary
        finally:
            await store.close(event)

    def _is_finished(self) -> bool:
        """Whether earlier sessions have verified as many trajectories as are wanted."""
        try:
            with connect(self.results, self.job.run) as connection:
                (found,) = dictionaries(
                    connection, "SELECT count(*) AS number FROM trajectories WHERE status = 'verified'"
                )
        except ResultsError:
            return False
        return int(found["number"]) >= self.job.config.trajectories

    def _runner(
        self, store: RunStore, stack: AsyncExitStack, address: str | None
    ) -> tuple[MeteredCallLog, CommittingRunner]:
        config, model = self.job.config, self.job.model
        limits = config.limits
        known = [*models_returned(store.folder), *answered_in(unfinished_calls(store.folder))]
        aliases = ModelIdentity(known, self.accept_model_change)
        calls = MeteredCallLog(
            store,
            SpendingLimits(limits.dollars, limits.tokens, limits.calls, limits.hours),
            spent_so_far(store.folder),
            lambda failure: runner.stop(failure),
        )

        def opened() -> AbstractAsyncContextManager[StoppableRunner]:
            return runner_at(
                address,
                config.cluster,
                UnitLimits(tries=limits.tries, deadline=limits.reply_seconds),
                requests=limits.requests,
                keys=[model.api_key_env],
                calls=calls,
            )

        runner = CommittingRunner(
            lambda: stack.enter_async_context(opened()),
            store,
            refuse=lambda: calls.failure or runner.interrupted,
            observe=aliases.see,
        )
        stack.push_async_callback(runner.close)
        return calls, runner

    def _drain(self, runner: CommittingRunner, number: int) -> None:
        name = signal.Signals(number).name
        _log.warning("%s: no call begins any more; those in flight are awaited", name)
        runner.interrupt(HarnessFailure(f"interrupted by {name}; the same command continues", False))

    async def _rounds(self, store: RunStore, runner: CommittingRunner, calls: MeteredCallLog) -> None:
        begun = 0
        while (missing := self.job.config.trajectories - self._verified(begun)) > 0:
            numbers = range(begun, min(begun + missing, self.job.most_examples))
            begun = numbers.stop
            if waiting := [number for number in numbers if number not in self.ended]:
                await self._round(waiting, store, runner, calls)
            undecided = {number // BLOCK for number in numbers if number not in self.ended}
            for block in sorted({number // BLOCK for number in numbers}):
                status = "unfinished" if block in undecided else "done"
                store.trial(_block(self.job, block), self._trial_row(status))
            if undecided or not numbers:
                return

    async def _round(
        self, numbers: Sequence[int], store: RunStore, runner: CommittingRunner, calls: MeteredCallLog
    ) -> None:
        """Generate these examples, several at once."""
        waiting = iter(numbers)
        async with PatternMatcher(self.job.config.pattern_seconds) as matcher:
            verifier = Verifier(matcher)
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.job.config.at_once, len(numbers))):
                        group.create_task(self._examples(waiting, store, runner, calls, verifier=verifier))
            except BaseExceptionGroup as error:
                raise first_error(error) from error

    async def _examples(
        self,
        waiting: Iterator[int],
        store: RunStore,
        runner: CommittingRunner,
        calls: MeteredCallLog,
        *,
        verifier: Verifier,
    ) -> None:
        """One example after another, while there are some and nothing stops the run."""

        async def ask(request: Request) -> Reply | None:
            reply: Reply | None = None
            async for outcome in runner.run([request]):
                if isinstance(outcome.result, Reply):
                    reply = outcome.result
                elif outcome.attempts:
                    self.failures[outcome.attempts[-1].error] += 1
            return reply

        for number in waiting:
            self.under_way += 1
            try:
                example = await generate(self._plan(number), ask, verifier, store)
            except Failure as failure:  # the sandbox's, after all tries
                self.failures[str(failure)] += 1
                return
            finally:
                self.under_way -= 1
            if example is not None:
                self._keep(store, example)
            self.notice(self._progress(calls))
            if calls.failure or runner.interrupted:
                return

    def _keep(self, store: RunStore, example: SynthesizedExample) -> None:
        store.example(example)
        self._end(example.example, example.status)
        self.generated += 1

    def _end(self, number: int, status: str) -> None:
        self.ended[number] = status
        self.counts[status] += 1

    def _plan(self, number: int) -> ExamplePlan:
        job = self.job
        persons = len(job.personas)
        return ExamplePlan(
            trial=_block(job, number // BLOCK),
            number=number,
            persona=job.personas[number % persons],
            world=number // persons + 1,
            model=job.model,
            seed=seed_from(job.config.seed, METHOD, number),
            script_calls=job.config.script_calls,
            trajectory_calls=job.config.trajectory_calls,
        )

    def _verified(self, begun: int) -> int:
        return sum(status == "verified" for number, status in self.ended.items() if number < begun)

    def _progress(self, calls: MeteredCallLog) -> SynthesisProgress:
        wanted = self.job.config.trajectories
        found = (self.counts["verified"], self.counts["refused"], self.under_way)
        return SynthesisProgress(wanted, *found, spent=calls.spent)

    def _trial_row(self, status: str) -> dict[str, Any]:
        job = self.job
        return {
            "method": METHOD,
            "domain": DOMAIN,
            "agent_model": job.model.shown,
            "learner_model": "",
            "seed": job.config.seed,
            "status": status,
            "options": canonical({"content": job.content, "examples": BLOCK}),
        }

    def _summary(self, store: RunStore, calls: MeteredCallLog, seconds: float) -> SynthesisSummary:
        reasons = [text for text, _ in self.failures.most_common()]
        if len(self.ended) >= self.job.most_examples and not reasons:
            reasons.append(f"{self.job.most_examples} examples were begun; raise `examples` to go on")
        return SynthesisSummary(
            run=self.job.run,
            name=self.job.config.name,
            folder=store.folder,
            wanted=self.job.config.trajectories,
            verified=self.counts["verified"],
            refused=self.counts["refused"],
            generated=self.generated,
            calls=store.counters.calls,
            spent=calls.spent,
            seconds=seconds,
            simulated=self.job.model.simulated,
            reasons=tuple(reasons),
        )


def _block(job: SynthesisJob, number: int) -> str:
    """The id of the trial that holds a block of examples."""
    return digest("synthesis block", job.content, number)
