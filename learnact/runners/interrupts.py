"""A run that is asked to stop: by Ctrl-C (SIGINT), a scheduler (SIGTERM), or a terminal that closes (SIGHUP).

The first request drains the run: no call begins, those in flight are answered and kept, all is committed. The
second cancels it: what is in flight is lost. The third ends the process as Python does by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol, TypeVar

ARM_SECONDS = 0.05
"""Ray puts a handler of its own in our handlers' place while it starts; ours are put back so often."""
_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BY_DEFAULT = (signal.SIG_DFL, signal.default_int_handler)


class RunInterrupted(KeyboardInterrupt):
    """A run was asked to stop, and has.

    `number`: the signal; `summary`: what the run came to, None when it was stopped twice. It is a
    `KeyboardInterrupt`, so that a script that does not know it ends as it does with Ctrl-C.
    """

    def __init__(self, number: int, summary: Any = None) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number
        self.summary = summary

    @property
    def exit_code(self) -> int:
        """What shells and schedulers take for "ended by this signal": 130 SIGINT, 143 SIGTERM, 129 SIGHUP."""
        return 128 + self.number


class EndedRun(Protocol):
    """What a run came to."""

    @property
    def done(self) -> bool:
        """Whether all of it is finished."""
        ...


Ended = TypeVar("Ended", bound=EndedRun)


class StopRequests:
    """Takes the signals while the context is open; those for which somebody has a handler, or which are
    ignored, are left alone. Outside of the main thread it takes none."""

    def __init__(self) -> None:
        self.number = 0
        self.count = 0
        self._before: dict[signal.Signals, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: Callable[[], None] | None = None
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> StopRequests:
        if threading.current_thread() is threading.main_thread():
            self._before = {n: h for n in _TAKEN if (h := signal.getsignal(n)) in _BY_DEFAULT}
            self.arm()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """Put the handlers where they belong; to be called in the main thread."""
        if threading.current_thread() is threading.main_thread():
            for number in self._before:
                signal.signal(number, self._asked)

    async def keep_armed(self) -> None:
        """Put the handlers back again and again, until cancelled."""
        while True:
            self.arm()
            await asyncio.sleep(ARM_SECONDS)

    def attend(self, drain: Callable[[], None] | None) -> None:
        """The current task is the run; `drain` lets it end by itself. None: it is cancelled instead, since
        nothing is in flight yet or any more."""
        self._loop, self._task, self._drain = asyncio.get_running_loop(), asyncio.current_task(), drain
        if self.count:
            self._heed()

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        self.number = self.number or number
        self.count += 1
        if self.count > 2 or self._loop is None:
            raise RunInterrupted(self.number)
        with contextlib.suppress(RuntimeError):  # the loop has closed: the run has ended
            self._loop.call_soon_threadsafe(self._heed)

    def _heed(self) -> None:
        if self._drain is not None and self.count == 1:
            self._drain()
        elif self._task is not None:
            self._task.cancel()


def heeding(stops: StopRequests, run: Callable[[], Ended]) -> Ended:
    """What a run comes to that may be asked to stop.

    Raises `RunInterrupted` where it was, and has stopped before it was done.
    """
    with stops:
        try:
            ended = run()
        except asyncio.CancelledError:
            if not stops.count:
                raise
            raise RunInterrupted(stops.number) from None
    if stops.count and not ended.done:
        raise RunInterrupted(stops.number, ended)
    return ended
