"""A runner that does nothing twice: finds what is committed, commits what comes back, and only then yields
it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

from learnact.errors import Failure
from learnact.protocols import Ledger, StoppableRunner
from learnact.records import Attempt, Outcome, Unit


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
        self._under_way: dict[str, asyncio.Future[Outcome]] = {}

    def stop(self, failure: Failure) -> None:
        """Let units that are under way end between two calls, with this failure."""
        self._stopped = failure
        if self._runner is not None:
            self._runner.stop(failure)

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
            while (outcome := await call.ready.get()) is not None:
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
            fresh = _Peekable(self._fresh(units, call))
            if not fresh.empty:
                self.warm_up()
                assert self._inner is not None
                runner = await self._inner
                async with asyncio.TaskGroup() as commits:
                    async for outcome in runner.run(fresh):
                        self._observe(outcome)
                        commits.create_task(self._commit(outcome, call))
            if call.refused is not None:
                await self._ledger.commit(call.refused)
        finally:
            call.ready.put_nowait(None)

    def _fresh(self, units: Iterable[Unit], call: _RunCall) -> Iterator[Unit]:
        for unit in units:
            key = unit.key
            committed = self._ledger.find(key)
            if committed is not None:
                call.ready.put_nowait(committed)
            elif key in self._under_way:
                call.elsewhere.append(unit)
            elif (failure := self._refuse()) is not None:
                outcome = Outcome(unit, None, (Attempt(key, 0, failure.boundary, str(failure), 0.0),))
                call.refused = call.refused or outcome
                call.ready.put_nowait(outcome)
            else:
                call.own.add(key)
                self._under_way[key] = asyncio.get_running_loop().create_future()
                yield unit

    async def _commit(self, outcome: Outcome, call: _RunCall) -> None:
        await self._ledger.commit(outcome)
        call.own.discard(outcome.key)
        future = self._under_way.pop(outcome.key)
        if not future.done():
            future.set_result(outcome)
        call.ready.put_nowait(outcome)

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


class _RunCall:
    """One call of `run`: what is ready for its caller, its own units under way, and those under way for
    others."""

    def __init__(self) -> None:
        self.ready: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self.own: set[str] = set()
        self.elsewhere: list[Unit] = []
        self.refused: Outcome | None = None


class _Peekable:
    """An iterator that knows whether it has a first element, without losing it."""

    def __init__(self, units: Iterator[Unit]) -> None:
        self._units = units
        self._first = next(units, None)

    @property
    def empty(self) -> bool:
        return self._first is None

    def __iter__(self) -> Iterator[Unit]:
        if self._first is not None:
            yield self._first
        yield from self._units
