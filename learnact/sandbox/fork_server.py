"""The host's end of the fork server: start it, let it fork and end sessions, receive their exit statuses."""

from __future__ import annotations

import array
import asyncio
import collections
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from learnact.errors import SandboxFailure
from learnact.sandbox import protocol

ROOT = str(Path(__file__).resolve().parents[2])
START_SECONDS = 60.0
"""Deadline for the fork server to start, and for it to fork a session."""
END_SECONDS = 5.0
"""How long the fork server may take to end its sessions before it is killed."""
ENTRY = "import sys; sys.path.append({root!r}); from learnact.sandbox.fork_server_main import main; main()"


def _environment() -> dict[str, str]:
    """Environment of the fork server: a fixed hash seed, and the path of libpython where it is needed."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PYTHONHASHSEED": "0", **kept}


class ForkServer:
    """A running fork server. It belongs to the event loop that started it."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self.report: dict[str, Any] = {}
        self.alive = True
        self._control = control
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._inbox = bytearray()
        self._outbox: collections.deque[tuple[bytes, int | None]] = collections.deque()
        self._forked: dict[int, asyncio.Future[int]] = {}
        self._exited: dict[int, asyncio.Future[int | None]] = {}
        self._next = 0

    @property
    def pid(self) -> int:
        """Process id of the fork server."""
        return self._process.pid

    @classmethod
    async def start(cls, config: Mapping[str, Any]) -> ForkServer:
        """A new fork server, ready to fork. Raises `SandboxFailure`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with theirs:
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-s",
                        "-S",
                        "-P",
                        "-B",
                        "-X",
                        "utf8",
                        "-c",
                        ENTRY.format(root=ROOT),
                        str(theirs.fileno()),
                    ],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    cwd="/",
                    start_new_session=True,
                )
        except OSError as error:
            ours.close()
            raise SandboxFailure(f"the sandbox's fork server could not be started: {error}") from None
        ours.setblocking(False)
        server = cls(ours, process)
        try:
            await asyncio.wait_for(server._configure(config), START_SECONDS)
        except (TimeoutError, OSError, EOFError) as error:
            server._shut_down()
            raise SandboxFailure(
                f"the sandbox's fork server did not start: {type(error).__name__} {error}"
            ) from None
        except BaseException:
            server._shut_down()
            raise
        server._loop.add_reader(ours.fileno(), server._readable)
        return server

    async def _configure(self, config: Mapping[str, Any]) -> None:
        await self._loop.sock_sendall(self._control, protocol.pack(config, 1 << 20))
        (length,) = protocol.HEADER.unpack(await self._receive_exactly(protocol.HEADER.size))
        self.report = protocol.unpack(await self._receive_exactly(length))
        if "error" in self.report:
            raise EOFError(self.report["error"])

    async def _receive_exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = await self._loop.sock_recv(self._control, count - len(data))
            if not part:
                raise EOFError("it ended early")
            data += part
        return data

    async def fork(self) -> tuple[int, int, socket.socket]:
        """A new session: its number, process id and channel. Raises `SandboxFailure`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        self._next += 1
        number = self._next
        forked = self._forked[number] = self._loop.create_future()
        self._exited[number] = self._loop.create_future()
        try:
            self._enqueue(protocol.RECORD.pack(protocol.FORK, number, 0, 0), theirs.detach())
            pid = await asyncio.wait_for(forked, START_SECONDS)
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
        except (TimeoutError, OSError) as error:
            ours.close()
            self.kill(number)
            self._exited.pop(number, None)
            raise SandboxFailure(
                f"the sandbox could not fork a session: {type(error).__name__} {error}"
            ) from None
        except BaseException:
            ours.close()
            self.kill(number)
            self._exited.pop(number, None)
            raise
        finally:
            self._forked.pop(number, None)
        return number, pid, ours

    def kill(self, number: int) -> None:
        """Kill a session."""
        if self.alive:
            self._enqueue(protocol.RECORD.pack(protocol.KILL, number, 0, 0), None)

    async def status(self, number: int) -> int | None:
        """The wait status of a session that has ended or is ending; None when the fork server has ended."""
        exited = self._exited.get(number)
        if exited is None:
            return None
        try:
            return await asyncio.wait_for(asyncio.shield(exited), START_SECONDS)
        except TimeoutError:
            return None
        finally:
            self._exited.pop(number, None)

    async def close(self) -> None:
        """End the fork server and all its sessions."""
        if not self.alive:
            return
        self._shut_down()
        for exited in list(self._exited.values()):
            await exited

    # The control channel ------------------------------------------------------------------------------------

    def _enqueue(self, record: bytes, descriptor: int | None) -> None:
        self._outbox.append((record, descriptor))
        if len(self._outbox) == 1:
            self._flush()

    def _flush(self) -> None:
        while self._outbox:
            record, descriptor = self._outbox[0]
            rights = (
                []
                if descriptor is None
                else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            )
            try:
                self._control.sendmsg([record], rights)
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._control.fileno(), self._flush)
                return
            except OSError:
                self._shut_down()
                return
            self._outbox.popleft()
            if descriptor is not None:
                os.close(descriptor)
        self._loop.remove_writer(self._control.fileno())

    def _readable(self) -> None:
        try:
            data = self._control.recv(protocol.RECORD.size * 64)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._shut_down()
            return
        self._inbox += data
        whole = len(self._inbox) // protocol.RECORD.size * protocol.RECORD.size
        for operation, number, pid, status in protocol.RECORD.iter_unpack(bytes(self._inbox[:whole])):
            if operation == protocol.FORKED and number in self._forked:
                _resolve(self._forked[number], pid)
            elif operation == protocol.EXITED and number in self._exited:
                _resolve(self._exited[number], status)
        del self._inbox[:whole]

    def _shut_down(self) -> None:
        """Close the channel, wait for the fork server to end, and wake everyone who waits for it."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._control.fileno())
        self._loop.remove_writer(self._control.fileno())
        self._control.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for _, descriptor in self._outbox:
            if descriptor is not None:
                os.close(descriptor)
        self._outbox.clear()
        for forked in self._forked.values():
            if not forked.done():
                forked.set_exception(OSError("the sandbox's fork server has ended"))
        for exited in self._exited.values():
            _resolve(exited, None)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
