"""Which unit is sent next: the iterators under way take turns, so that all trials of a job advance at
once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from learnact.records import Attempt, Outcome, Unit


@dataclass(eq=False)
class UnitInFlight:
    """A unit that has been sent or is to be sent, with the tries that were lost with a worker."""

    unit: Unit
    lost: list[Attempt] = field(default_factory=list)


class UnitStream:
    """One `run()`: lazy input, and outcomes that wait to be taken (at most `window` units are under way or
    waiting, one is taken ahead)."""

    def __init__(self, units: Iterable[Unit], window: int) -> None:
        self._units: Iterator[Unit] = iter(units)
        self.window = window
        self._again: deque[UnitInFlight] = deque()
        self._head: UnitInFlight | None = None
        self._error: BaseException | None = None
        self._under_way: set[UnitInFlight] = set()
        self._ready: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self.tasks: set[asyncio.Task[None]] = set()
        self._advance()
        self._finish()

    def next(self) -> UnitInFlight | None:
        """The next unit to send, or None when there is none now.

        An error of the input ends it and is raised to the consumer.
        """
        if self._again:
            entry = self._again.popleft()
        elif self._head is None or len(self._under_way) + self._ready.qsize() >= self.window:
            return None
        else:
            entry = self._head
            self._advance()
        self._under_way.add(entry)
        return entry

    def _advance(self) -> None:
        """One unit is taken ahead, so that the end of the input is known with the last outcome, not when a
        place is free again."""
        self._head = None
        try:
            self._head = UnitInFlight(next(self._units))
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - raised again, to the consumer whose input it is
            self._error = error

    def lost(self, entry: UnitInFlight) -> None:
        """The unit must be sent again."""
        self._under_way.discard(entry)
        self._again.append(entry)

    def done(self, entry: UnitInFlight, outcome: Outcome) -> None:
        """The unit has its outcome."""
        self._under_way.discard(entry)
        self._ready.put_nowait(outcome)
        self._finish()

    def _finish(self) -> None:
        if self._head is None and not self._under_way and not self._again:
            self._ready.put_nowait(None)

    async def take(self) -> Outcome | None:
        """The next outcome; None at the end. Raises what the input raised."""
        outcome = await self._ready.get()
        if outcome is None and self._error is not None:
            raise self._error
        return outcome


class RoundRobin:
    """Streams that take turns."""

    def __init__(self) -> None:
        self._streams: deque[UnitStream] = deque()

    def widen(self, window: int) -> None:
        """The cluster has grown: let each stream have so many units under way."""
        for stream in self._streams:
            stream.window = max(stream.window, window)

    def add(self, stream: UnitStream) -> None:
        """Add a stream."""
        self._streams.append(stream)

    def remove(self, stream: UnitStream) -> None:
        """Remove a stream."""
        self._streams.remove(stream)

    def next(self) -> tuple[UnitStream, UnitInFlight] | None:
        """The next unit of the stream whose turn it is; None when no stream has one now."""
        for _ in range(len(self._streams)):
            stream = self._streams[0]
            self._streams.rotate(-1)
            if (entry := stream.next()) is not None:
                return stream, entry
        return None
