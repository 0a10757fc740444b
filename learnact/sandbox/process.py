"""The host's end of one confined process: frames in and out, one outstanding request, its CPU clock and its deadlines.

All that arrives is taken for hostile: a frame that is too long, not JSON, or out of turn ends the process. Covers one process; who starts and
reaps it is
`nursery.py`, what the messages mean is `sandbox.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from typing import Any, Literal

from learnact.sandbox import protocol

Reason = Literal["cpu", "wall", "blocked", "gone", "broken"]

READS_A_FRAME = 1024
"""A frame that comes in more pieces than this is meant to keep us busy."""
LOOK_SECONDS = 0.2
"""How often a process that keeps us waiting is looked at."""
CHUNK = 64 << 10


class ProcessLost(Exception):
    """The process cannot go on: it used up its CPU time, missed the wall-clock deadline, waits for what nobody owes it, is gone, or broke the
    protocol."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def cpu_clock(pid: int) -> float | None:
    """CPU seconds that a process has used so far, read from outside; None when it is gone or the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def sleeps(pid: int) -> bool:
    """Whether a process waits without using CPU. A confined one has nothing to wait for but its channel."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b") ")[2][:1] == b"S"
    except OSError:
        return False


class ConfinedProcess:
    """One confined process as the host sees it. Not shared between tasks."""

    def __init__(self, channel: socket.socket, pid: int, message_bytes: int, confined: bool) -> None:
        self.pid = pid
        self._channel = channel
        self._bound = message_bytes
        self._confined = confined
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: ProcessLost | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cpu_end = 0.0
        self._wall_left = 0.0
        self._since = 0.0
        self._reads = 0
        self._slept = False
        self._loop.add_reader(channel.fileno(), self._readable)

    def cpu(self) -> float:
        """CPU seconds used so far; 0 where the system does not tell."""
        return cpu_clock(self.pid) or 0.0

    def allow(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Bound what comes, until `rest`: so much CPU from now on, and so many seconds of keeping us waiting."""
        self._cpu_end = self.cpu() + cpu_seconds
        self._wall_left = wall_seconds
        self.rest()
        self._timer = self._loop.call_later(min(LOOK_SECONDS, wall_seconds, cpu_seconds), self._look)

    def rest(self) -> None:
        """Watch no more: the call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def usable(self) -> bool:
        """False once it is lost."""
        return self._lost is None

    async def exchange(self, message: bytes) -> Any:
        """Send a frame (none: `b""`) and give back the next message. Raises `Lost`."""
        self._raise_lost()
        self._since = self._loop.time()
        self._slept = False
        self._reads = 0
        self._waiter = self._loop.create_future()
        try:
            if message:
                await self._send(message)
            if not self._complete():
                await self._waiter
            self._raise_lost()
            return self._take()
        finally:
            self._waiter = None
            self._wall_left -= self._loop.time() - self._since

    def close(self) -> None:
        """Give the channel back. Idempotent."""
        self.rest()
        self._lose(ProcessLost("gone"))
        self._channel.close()

    # Reading ------------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._channel.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._lose(ProcessLost("gone"))
        elif self._waiter is None:
            self._lose(ProcessLost("broken", "it spoke out of turn"))
        else:
            self._buffer += data
            self._reads += 1
            if self._reads > READS_A_FRAME:
                self._lose(ProcessLost("broken", "it sent a message in crumbs"))
            elif self._complete():
                self._wake()

    def _complete(self) -> bool:
        """Whether a whole frame is here, or one that will never be let in."""
        if len(self._buffer) < protocol.HEADER.size:
            return False
        (length,) = protocol.HEADER.unpack_from(self._buffer)
        return bool(length > self._bound) or len(self._buffer) >= protocol.HEADER.size + length

    def _take(self) -> Any:
        (length,) = protocol.HEADER.unpack_from(self._buffer)
        if length > self._bound:
            self._fail(
                ProcessLost("broken", f"it sent a message of {length} bytes; the bound is {self._bound}")
            )
        end = protocol.HEADER.size + length
        body = self._buffer[protocol.HEADER.size : end]
        if len(self._buffer) > end:
            self._lose(ProcessLost("broken", "it spoke out of turn"))
        self._buffer.clear()
        try:
            return protocol.unpack(body)
        except protocol.ProtocolError as error:
            self._fail(ProcessLost("broken", f"it sent what is {error}"))

    def _fail(self, lost: ProcessLost) -> Any:
        self._lose(lost)
        raise lost

    def _raise_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _lose(self, lost: ProcessLost) -> None:
        """Listen no more; the first reason counts."""
        if self._lost is None:
            self._lost = lost
            self._loop.remove_reader(self._channel.fileno())
            self._loop.remove_writer(self._channel.fileno())
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Writing ------------------------------------------------------------------------------------------------------

    async def _send(self, message: bytes) -> None:
        rest = memoryview(message)
        while rest:
            try:
                rest = rest[self._channel.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await self._writable()
            except OSError:
                self._fail(ProcessLost("gone"))

    async def _writable(self) -> None:
        """Until the channel takes more; the watch goes on meanwhile."""
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._channel.fileno(), _settle, ready)
        waiter = self._waiter
        assert waiter is not None
        try:
            await asyncio.wait((ready, waiter), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_writer(self._channel.fileno())
        self._raise_lost()
        if waiter.done():
            self._fail(ProcessLost("broken", "it spoke out of turn"))

    # The watch ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Look at a process during a call, and come again. While it waits for us only its CPU is of interest."""
        now = self._loop.time()
        waited = now - self._since if self._waiter is not None else 0.0
        used = cpu_clock(self.pid)
        if used is not None and used >= self._cpu_end:
            self._lose(ProcessLost("cpu"))
        elif waited >= self._wall_left:
            self._lose(ProcessLost("wall"))
        elif self._confined and self._waiter is not None and self._idle():
            self._lose(ProcessLost("blocked"))
        else:
            left = self._wall_left - waited
            if used is not None and self._confined:
                left = min(left, max(0.01, self._cpu_end - used))
            self._timer = self._loop.call_later(min(LOOK_SECONDS, max(left, 0.01)), self._look)

    def _idle(self) -> bool:
        """Whether it slept at two looks with nothing sent: it reads a channel on which nothing is owed to it."""
        with contextlib.suppress(BlockingIOError, InterruptedError, OSError):
            if self._channel.recv(1, socket.MSG_PEEK):
                self._slept = False
                return False
        slept, self._slept = self._slept, sleeps(self.pid)
        return slept and self._slept


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
