"""A runner that does nothing twice: finds what is committed, commits what comes back, and only then yields
it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from learnact.errors import Failure
from learnact.protocols import Ledger, StoppableRunner
from learnact.records import Attempt, EndpointState, Outcome, Unit

BREATH = 64
"""Committed units that are passed over at a time: about 10 ms."""


class CommittingRunner:
    """Wraps a runner with a ledger.

    Units that are committed are not run; a unit that is under way for another caller is waited for. `start`
    makes the inner runner when the first unit needs one, so that a finished run starts no cluster. Outcomes
    without a result are committed too (their attempts are kept) and yielded; another run tries them again.
    `refuse` is asked before each new unit: with a failure that it returns the unit ends, and nothing is
    started; the first such unit of each `run` is committed, for the record. `observe` is called with each
    outcome when it arrives, before it is committed."""

    def __init__(
        self,
        start: Callable[[], Awaitable[StoppableRunner]],
        ledger: Ledger,
        refuse: Callable[[], Failure | None] = lambda: None,
        observe: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._start = start
        self._refuse = refuse
        self._observe = observe
        self._ledger = ledger
        self._inner: asyncio.Task[StoppableRunner] | None = None
        self._runner: StoppableRunner | None = None
        self._stopped: Failure | None = None
        self._ended: asyncio.Future[None] | None = None
        self.interrupted: Failure | None = None
        self._under_way: dict[str, asyncio.Future[Outcome]] = {}

    def stop(self, failure: Failure) -> None:
        """Let units that are under way end between two calls, with this failure."""
        self._stopped = failure
        if self._runner is not None:
            self._runner.stop(failure)

    def interrupt(self, failure: Failure) -> None:
        """As `stop`, for a person's sake: a runner that is still being started is not waited for, and it is
        not recorded as a failure of the units."""
        self.interrupted = failure
        self.stop(failure)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def close(self) -> None:
        """Give up the start of a runner that is not up yet."""
        if self._inner is not None and self._runner is None:
            self._inner.cancel()
            await asyncio.gather(self._inner, return_exceptions=True)

    async def limits(self) -> Sequence[EndpointState]:
        """How it stands at the limits of each endpoint that was asked."""
        return await self._runner.limits() if self._runner is not None else ()

    def warm_up(self) -> None:
        """Begin to start the inner runner now, while other work goes on."""
        if self._inner is None:
            self._inner = asyncio.ensure_future(self._begin())

    async def _begin(self) -> StoppableRunner:
        self._runner = await self._start()
        if self._stopped is not None:
            self._runner.stop(self._stopped)
        return self._runner

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes, committed, each unit once."""
        call = _RunCall()
        feeder = asyncio.create_task(self._feed(units, call))
        try:
            while (ready := await call.ready.get()) is not None:
                outcome = self._ledger.find(ready) if isinstance(ready, str) else ready
                assert outcome is not None, f"{ready} was committed, and is not found"
                yield outcome
            await feeder
            for unit in call.elsewhere:
                async for outcome in self._elsewhere(unit):
                    yield outcome
        finally:
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)
            for key in call.own:
                left = self._under_way.pop(key, None)
                if left is not None and not left.done():
                    left.cancel()

    async def _feed(self, units: Iterable[Unit], call: _RunCall) -> None:
        """Give the inner runner what is not committed, and commit what it gives back, several at a time."""
        try:
            fresh = self._fresh(units, call)
            first = None
            for first in fresh:
                if first is not None:
                    break
                await asyncio.sleep(0)
            if first is not None:
                runner = await self._started()
                rest = (unit for unit in fresh if unit is not None)
                all_of = itertools.chain([first], rest)
                async with asyncio.TaskGroup() as commits:
                    async for outcome in self._refused(all_of) if runner is None else runner.run(all_of):
                        self._observe(outcome)
                        commits.create_task(self._commit(outcome, call))
            if call.refused is not None and self.interrupted is None:
                await self._ledger.commit(call.refused)
        finally:
            call.ready.put_nowait(None)

    async def _started(self) -> StoppableRunner | None:
        """The inner runner; None when the interrupt came before it was up."""
        self.warm_up()
        assert self._inner is not None
        self._ended = self._ended or asyncio.get_running_loop().create_future()
        if self.interrupted is None:
            both: set[asyncio.Future[Any]] = {self._inner, self._ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return self._inner.result() if self._inner.done() else None

    async def _refused(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        for unit in units:
            yield _refusal(unit, self.interrupted)

    def _fresh(self, units: Iterable[Unit], call: _RunCall) -> Iterator[Unit | None]:
        """What is to be run. None now and then while much is committed, so that others get their turn."""
        passed = 0
        for unit in units:
            key = unit.key
            if key in self._ledger:
                call.ready.put_nowait(key)  # read when it is asked for: there may be very many
                passed += 1
                if passed % BREATH == 0:
                    yield None
            elif key in self._under_way:
                call.elsewhere.append(unit)
            elif (failure := self._refuse()) is not None:
                outcome = _refusal(unit, failure)
                call.refused = call.refused or outcome
                call.ready.put_nowait(outcome)
            else:
                call.own.add(key)
                self._under_way[key] = asyncio.get_running_loop().create_future()
                yield unit

    async def _commit(self, outcome: Outcome, call: _RunCall) -> None:
        kept = self._without_interrupt(outcome)
        if kept.result is not None or kept.attempts:
            await self._ledger.commit(kept)
        call.own.discard(outcome.key)
        future = self._under_way.pop(outcome.key)
        if not future.done():
            future.set_result(outcome)
        call.ready.put_nowait(outcome)

    def _without_interrupt(self, outcome: Outcome) -> Outcome:
        """An outcome as it is kept: that a person stopped the run is no failure of the unit."""
        if self.interrupted is None or outcome.result is not None:
            return outcome
        error = str(self.interrupted)
        return replace(outcome, attempts=tuple(a for a in outcome.attempts if a.error != error))

    async def _elsewhere(self, unit: Unit) -> AsyncIterator[Outcome]:
        """The outcome of a unit that another caller began; run here after all when that one gave up."""
        future = self._under_way.get(unit.key)
        if future is not None:
            await asyncio.wait([future])
            if not future.cancelled():
                yield future.result()
                return
        async for outcome in self.run([unit]):
            yield outcome


def _refusal(unit: Unit, failure: Failure | None) -> Outcome:
    """The outcome of a unit that is not begun."""
    assert failure is not None
    return Outcome(unit, None, (Attempt(unit.key, 0, failure.boundary, str(failure), 0.0),))


class _RunCall:
    """One call of `run`: what is ready for its caller (an outcome, or the key of a committed one), its own
    units under way, and those under way for others."""

    def __init__(self) -> None:
        self.ready: asyncio.Queue[Outcome | str | None] = asyncio.Queue()
        self.own: set[str] = set()
        self.elsewhere: list[Unit] = []
        self.refused: Outcome | None = None
