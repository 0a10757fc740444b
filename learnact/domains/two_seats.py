"""A task for two agents: each has an environment of its own, and one acts at a time.

The agent's call that hands the turn over comes back when the turn does. Meanwhile the second player, an agent
like any other with an `EpisodeRun` of its own, goes on from where it waited. So both act only through their
runs, and the order of all that happens follows from the game.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from learnact.domains.base import SeatEnvironment
from learnact.domains.environments import AsyncEnvironment
from learnact.records import Plain, Step

PlaySeat: TypeAlias = "Callable[[AsyncEnvironment], Awaitable[None]]"
"""Plays the second seat until its agent has nothing more to do; its failure becomes the episode's."""


class _Seat(ABC):
    """A seat with the methods of `learnact.domains.environments.AsyncEnvironment` but for waiting."""

    def __init__(self, seat: SeatEnvironment) -> None:
        self._seat = seat
        self.goal = seat.goal
        self.first_observation = seat.now()

    @property
    def progress(self) -> float:
        return self._seat.progress

    @property
    def success(self) -> bool:
        return self._seat.success

    async def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        return await self._after(self._seat.call(name, arguments, keywords))

    async def text(self, command: str) -> Step:
        return await self._after(self._seat.text(command))

    async def close(self) -> None:
        self._seat.close()

    async def _after(self, step: Step) -> Step:
        if not self._seat.waits:
            return step
        await self._turn_is_back()
        return self._seat.resume(step)

    @abstractmethod
    async def _turn_is_back(self) -> None:
        """Returns when the seat may move again."""


class _SecondSeat(_Seat):
    """The second player's seat: its calls wait until the agent has moved."""

    def __init__(self, seat: SeatEnvironment, turn: asyncio.Event, moved: asyncio.Event) -> None:
        super().__init__(seat)
        self._turn = turn
        self._moved = moved

    async def _turn_is_back(self) -> None:
        self._turn.clear()
        self._moved.set()
        await self._turn.wait()


class SharedTask(_Seat):
    """The agent's seat of a task for two (`AsyncEnvironment`). Open it with `open`; closing it ends the
    second player too."""

    def __init__(self, seats: tuple[SeatEnvironment, SeatEnvironment], play: PlaySeat) -> None:
        super().__init__(seats[0])
        self._other = seats[1]
        self._play = play
        self._turn, self._moved = asyncio.Event(), asyncio.Event()
        self._player: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, seats: tuple[SeatEnvironment, SeatEnvironment], play: PlaySeat) -> SharedTask:
        """The task at the agent's first turn: where the second player begins, it has moved. Raises what
        `play` raises."""
        opened = cls(seats, play)
        try:
            if seats[0].waits:
                await opened._turn_is_back()
        except BaseException:
            await opened.close()
            raise
        opened.first_observation = seats[0].now()
        return opened

    def finish(self) -> float:
        """The agent has played: where the task is not over, it gives up. The second player's progress."""
        self._seat.give_up()
        return self._other.progress

    async def close(self) -> None:
        """End the second player, wait for it, and free both seats. Idempotent."""
        if self._player is not None:
            self._player.cancel()
            await asyncio.gather(self._player, return_exceptions=True)
        self._seat.close()
        self._other.close()

    async def _turn_is_back(self) -> None:
        """Let the second player act until the turn is back. One that has nothing more to do gives up."""
        self._moved.clear()
        self._turn.set()
        if self._player is None:
            second = _SecondSeat(self._other, self._turn, self._moved)
            self._player = asyncio.create_task(self._played(second))
        moved = asyncio.create_task(self._moved.wait())
        try:
            await asyncio.wait({self._player, moved}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            moved.cancel()
        if self._player.done():
            self._player.result()
            self._other.give_up()

    async def _played(self, second: AsyncEnvironment) -> None:
        await self._play(second)
