"""The host's end of one confined process: frames in and out, one outstanding request, deadlines.

Everything that arrives is treated as hostile: a frame that is too long, not JSON, or out of turn ends the
process. `fork_server.py` starts and collects processes; `session.py` knows what messages mean."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from typing import Any, Literal

from learnact.sandbox import protocol

Reason = Literal["cpu", "wall", "blocked", "gone", "broken"]

MAX_READS_PER_FRAME = 1024
"""A process that sends one frame in more pieces than this tries to keep the host busy."""
CHECK_SECONDS = 0.2
"""How often the host checks the process during a call."""
READ_BYTES = 64 << 10


class ProcessLost(Exception):
    """The process cannot go on: it used up its CPU time, missed the wall-clock deadline, waits for a message
    that will not come, has ended, or broke the protocol."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def cpu_clock(pid: int) -> float | None:
    """CPU seconds of a process, read from outside. None when it has ended or the system cannot say."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def is_sleeping(pid: int) -> bool:
    """Whether a process waits without using CPU. A confined process can only wait for its channel."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b") ")[2][:1] == b"S"
    except OSError:
        return False


class ConfinedProcess:
    """The host's view of one confined process. It is not shared between tasks."""

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
        self._waiting_since = 0.0
        self._reads = 0
        self._was_sleeping = False
        self._loop.add_reader(channel.fileno(), self._readable)

    def cpu(self) -> float:
        """CPU seconds used so far; 0 where the system cannot say."""
        return cpu_clock(self.pid) or 0.0

    def start_deadlines(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Until `stop_deadlines`, allow so much more CPU time and so many seconds of waiting for messages."""
        self._cpu_end = self.cpu() + cpu_seconds
        self._wall_left = wall_seconds
        self.stop_deadlines()
        self._timer = self._loop.call_later(min(CHECK_SECONDS, wall_seconds, cpu_seconds), self._check)

    def stop_deadlines(self) -> None:
        """Stop the checks: the call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def usable(self) -> bool:
        """Whether the process can take another call. Between calls it is looked at its channel first: the
        end of a process that was killed may not have been noticed yet.
        """
        if self._lost is None and self._waiter is None:
            self._readable()
        return self._lost is None

    async def exchange(self, message: bytes) -> Any:
        """Send a frame (`b""`: none) and return the next message. Raises `ProcessLost`."""
        self._raise_lost()
        self._waiting_since = self._loop.time()
        self._was_sleeping = False
        self._reads = 0
        self._waiter = self._loop.create_future()
        try:
            if message:
                await self._send(message)
            if not self._complete():
                await self._waiter
            self._raise_lost()
            return self._next_message()
        finally:
            self._waiter = None
            self._wall_left -= self._loop.time() - self._waiting_since

    def close(self) -> None:
        """Close the channel. Idempotent."""
        self.stop_deadlines()
        self._lose(ProcessLost("gone"))
        self._channel.close()

    # Reading ------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._channel.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._lose(ProcessLost("gone"))
        elif self._waiter is None:
            self._lose(ProcessLost("broken", "it sent a message out of turn"))
        else:
            self._buffer += data
            self._reads += 1
            if self._reads > MAX_READS_PER_FRAME:
                self._lose(ProcessLost("broken", "it sent one message in too many pieces"))
            elif self._complete():
                self._wake()

    def _complete(self) -> bool:
        """Whether the buffer holds a whole frame, or the header of one that is too long."""
        if len(self._buffer) < protocol.HEADER.size:
            return False
        (length,) = protocol.HEADER.unpack_from(self._buffer)
        return bool(length > self._bound) or len(self._buffer) >= protocol.HEADER.size + length

    def _next_message(self) -> Any:
        (length,) = protocol.HEADER.unpack_from(self._buffer)
        if length > self._bound:
            self._fail(
                ProcessLost("broken", f"it sent a message of {length} bytes; the bound is {self._bound}")
            )
        end = protocol.HEADER.size + length
        body = self._buffer[protocol.HEADER.size : end]
        if len(self._buffer) > end:
            self._lose(ProcessLost("broken", "it sent a message out of turn"))
        self._buffer.clear()
        try:
            return protocol.unpack(body)
        except protocol.ProtocolError as error:
            self._fail(ProcessLost("broken", f"it sent a frame that is {error}"))

    def _fail(self, lost: ProcessLost) -> Any:
        self._lose(lost)
        raise lost

    def _raise_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _lose(self, lost: ProcessLost) -> None:
        """Stop reading and writing. The first reason counts."""
        if self._lost is None:
            self._lost = lost
            self._loop.remove_reader(self._channel.fileno())
            self._loop.remove_writer(self._channel.fileno())
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Writing ------------------------------------------------------------------------------------------------

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
        """Wait until the channel accepts more data. The deadlines apply meanwhile."""
        drained: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._channel.fileno(), _resolve, drained)
        waiter = self._waiter
        assert waiter is not None
        try:
            await asyncio.wait((drained, waiter), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_writer(self._channel.fileno())
        self._raise_lost()
        if waiter.done():
            self._fail(ProcessLost("broken", "it sent a message out of turn"))

    # Deadlines ----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Check the deadlines, schedule the next check. While the host runs a primitive only CPU counts."""
        now = self._loop.time()
        waited = now - self._waiting_since if self._waiter is not None else 0.0
        used = cpu_clock(self.pid)
        if used is not None and used >= self._cpu_end:
            self._lose(ProcessLost("cpu"))
        elif waited >= self._wall_left:
            self._lose(ProcessLost("wall"))
        elif self._confined and self._waiter is not None and self._is_blocked():
            self._lose(ProcessLost("blocked"))
        else:
            left = self._wall_left - waited
            if used is not None and self._confined:
                left = min(left, max(0.01, self._cpu_end - used))
            self._timer = self._loop.call_later(min(CHECK_SECONDS, max(left, 0.01)), self._check)

    def _is_blocked(self) -> bool:
        """Whether it slept at two checks and sent nothing: it waits for a message that will not come."""
        with contextlib.suppress(BlockingIOError, InterruptedError, OSError):
            if self._channel.recv(1, socket.MSG_PEEK):
                self._was_sleeping = False
                return False
        before, self._was_sleeping = self._was_sleeping, is_sleeping(self.pid)
        return before and self._was_sleeping


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
