"""A confined process played by the test: it may put any bytes on the channel, in answer to each message of
the host."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence

from learnact.records import Plain
from learnact.sandbox import protocol
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult
from learnact.sandbox.fork_server import ForkServer
from learnact.sandbox.process import ConfinedProcess
from learnact.sandbox.sandbox import Sandbox

BOUNDS = Bounds(
    cpu_seconds=1e6, wall_seconds=10.0, message_bytes=4096, primitives=5, output_bytes=50, items=64, depth=6
)
PATIENCE_SECONDS = 0.003
"""A peer that hears nothing speaks on, in turn or not: the host may be waiting for the rest of a frame."""
PRIMITIVES = ("pick", "move")
LIBRARY = "def f(x):\n    return pick(x)\n"


def frame(body: bytes) -> bytes:
    return protocol.HEADER.pack(len(body)) + body


class NoForkServer(ForkServer):
    """A fork server without processes; its only session is the test's."""

    def __init__(self) -> None:
        self.alive = True

    def kill(self, number: int) -> None:
        pass

    async def status(self, number: int) -> int | None:
        return 0


class SandboxOfPeer(Sandbox):
    """A sandbox whose session is a socket in the test's hands."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        super().__init__(BOUNDS)
        self.answers = list(answers)
        self.calls: list[tuple[str, list[Plain], dict[str, Plain]]] = []
        self._peers: list[socket.socket] = []
        self._patience = asyncio.get_running_loop().call_later(0, int)

    async def open_process(self) -> tuple[ForkServer, int, ConfinedProcess]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        asyncio.get_running_loop().add_reader(theirs.fileno(), self._answer, theirs)
        self._peers.append(theirs)
        return NoForkServer(), 1, ConfinedProcess(ours, os.getpid(), BOUNDS.message_bytes, confined=True)

    def _answer(self, theirs: socket.socket) -> None:
        """Send the next answer to what was heard; after the last one, go."""
        try:
            heard = theirs.recv(1 << 20)
        except OSError:
            heard = b""
        self._say(theirs) if heard else self._drop(theirs)

    def _say(self, theirs: socket.socket) -> None:
        self._patience.cancel()
        try:
            if self.answers:
                theirs.send(self.answers.pop(0))
        except OSError:
            self.answers.clear()
        if not self.answers:
            self._drop(theirs)
        else:
            self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._say, theirs)

    def _drop(self, theirs: socket.socket) -> None:
        self._patience.cancel()
        if theirs.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(theirs.fileno())
            theirs.close()

    async def do(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        self.calls.append((name, arguments, keywords))
        return PrimitiveResult("seen", end=arguments == ["stop"])

    async def close(self) -> None:
        for peer in self._peers:
            self._drop(peer)


async def converse(answers: Sequence[bytes]) -> tuple[CallResult, SandboxOfPeer]:
    """One call, answered with these bytes."""
    async with SandboxOfPeer(answers) as sandbox, sandbox.session(LIBRARY, PRIMITIVES, seed=1) as session:
        return await session.call("f(1)", sandbox.do), sandbox


def sound(result: CallResult, sandbox: SandboxOfPeer) -> None:
    """What must hold of every result, whatever the process sent."""
    limits = protocol.MessageLimits(BOUNDS.depth, BOUNDS.items, BOUNDS.value_characters)
    assert protocol.find_problem(result.value, limits) is None
    assert len(result.printed) <= BOUNDS.output_bytes
    assert result.primitives == len(sandbox.calls) <= BOUNDS.primitives
    assert not (result.ended and (result.error or result.value is not None))
    assert result.ended == any(arguments == ["stop"] for _, arguments, _ in sandbox.calls)
    for name, arguments, keywords in sandbox.calls:
        assert name in PRIMITIVES
        assert protocol.find_problem([arguments, keywords], limits) is None
    if result.error:
        assert result.error.type
        texts = (result.error.type, result.error.message, result.error.function, result.error.source)
        assert all(len(text) <= 2500 and text.encode("utf-8") is not None for text in texts)
        assert (
            result.error.line == 0
            or result.error.source == LIBRARY.splitlines()[result.error.line - 1].strip()
        )
    result.printed.encode("utf-8")
