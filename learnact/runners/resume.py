"""A runner that does nothing twice: finds what is committed, commits what comes back, and only then hands it
on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

from learnact.errors import Failure
from learnact.protocols import Ledger, Runner
from learnact.records import Attempt, Outcome, Unit


class CommittingRunner:
    """Wraps a runner with a ledger. Units that are committed are not run; a unit that is under way for
    somebody else is waited for.

    `start` makes the inner runner when the first unit needs one, so that a finished run starts no cluster.
    Outcomes without a result are committed too (their attempts are kept) and handed on; another run tries
    them again. `refuse` is asked before each new unit: a failure that it names is handed on as the unit's,
    and nothing is started."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Runner]],
        ledger: Ledger,
        refuse: Callable[[], Failure | None] = lambda: None,
    ) -> None:
        self._start = start
        self._refuse = refuse
        self._ledger = ledger
        self._inner: asyncio.Task[Runner] | None = None
        self._under_way: dict[str, asyncio.Future[Outcome]] = {}

    def warm_up(self) -> None:
        """Begin to start the inner runner now, while other work goes on."""
        if self._inner is None:
            self._inner = asyncio.ensure_future(self._start())

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes, committed, each unit once."""
        waiting: list[Unit] = []
        ready: asyncio.Queue[Outcome | None] = asyncio.Queue()
        mine: set[str] = set()
        pump = asyncio.create_task(self._pump(units, ready, mine, waiting))
        try:
            while (outcome := await ready.get()) is not None:
                yield outcome
            await pump
            for unit in waiting:
                async for outcome in self._elsewhere(unit):
                    yield outcome
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            for key in mine:
                left = self._under_way.pop(key, None)
                if left is not None and not left.done():
                    left.cancel()

    async def _pump(
        self, units: Iterable[Unit], ready: asyncio.Queue[Outcome | None], mine: set[str], waiting: list[Unit]
    ) -> None:
        """Feeds the inner runner with what is not committed, and commits side by side what it gives back."""
        try:
            fresh = _Peekable(self._fresh(units, ready, mine, waiting))
            if fresh.empty:
                return
            self.warm_up()
            assert self._inner is not None
            runner = await self._inner
            async with asyncio.TaskGroup() as commits:
                async for outcome in runner.run(fresh):
                    commits.create_task(self._commit(outcome, ready, mine))
        finally:
            ready.put_nowait(None)

    def _fresh(
        self, units: Iterable[Unit], ready: asyncio.Queue[Outcome | None], mine: set[str], waiting: list[Unit]
    ) -> Iterator[Unit]:
        for unit in units:
            key = unit.key
            committed = self._ledger.find(key)
            if committed is not None:
                ready.put_nowait(committed)
            elif key in self._under_way:
                waiting.append(unit)
            elif (refused := self._refuse()) is not None:
                attempt = Attempt(key, 0, refused.boundary, str(refused), 0.0)
                ready.put_nowait(Outcome(unit, None, (attempt,)))
            else:
                mine.add(key)
                self._under_way[key] = asyncio.get_running_loop().create_future()
                yield unit

    async def _commit(self, outcome: Outcome, ready: asyncio.Queue[Outcome | None], mine: set[str]) -> None:
        await self._ledger.commit(outcome)
        mine.discard(outcome.key)
        future = self._under_way.pop(outcome.key)
        if not future.done():
            future.set_result(outcome)
        ready.put_nowait(outcome)

    async def _elsewhere(self, unit: Unit) -> AsyncIterator[Outcome]:
        """The outcome of a unit that somebody else began; done here after all when they gave up."""
        future = self._under_way.get(unit.key)
        if future is not None:
            await asyncio.wait([future])
            if not future.cancelled():
                yield future.result()
                return
        async for outcome in self.run([unit]):
            yield outcome


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
