"""The only place where learned code runs: sessions in confined processes.

    async with Sandbox() as sandbox:                       # one per worker process and event loop
        async with sandbox.session(library.source, ["pick", "move", "drop"], seed=7) as session:
            result = await session.call("carry('ball1', 'rooma', 'roomb')", run_primitive)

`run_primitive` steps the environment in the host. An error of learned code is data (`CallResult.error`); an
error of the sandbox itself is a `SandboxFailure`. docs/sandbox.md describes the threat model, the confinement
and what is not covered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Self

from learnact.errors import SandboxFailure
from learnact.sandbox import confinement, seccomp
from learnact.sandbox import process as processes
from learnact.sandbox.bounds import (
    DEFAULTS,
    Bounds,
    Confinement,
    SandboxKind,
    User,
)
from learnact.sandbox.fork_server import ForkServer
from learnact.sandbox.process import ConfinedProcess, ProcessLost
from learnact.sandbox.session import SandboxSession

OPENING_AT_ONCE = 8
"""Sessions that one worker opens at the same time; more would only queue at the fork server."""


class Sandbox:
    """Makes sessions. It owns one fork server, started with the first call, and belongs to one event loop."""

    def __init__(
        self, bounds: Bounds = DEFAULTS, kind: SandboxKind = "confined", user: User = "nobody"
    ) -> None:
        """`user`: the user of sessions when the host is root. Where switching is not allowed they stay root,
        confined in all other ways."""
        self.bounds = bounds
        self.kind: SandboxKind = kind
        self.user = user
        self._fork_server: ForkServer | None = None
        self._starting = asyncio.Lock()
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the fork server and all sessions. Idempotent."""
        server, self._fork_server = self._fork_server, None
        if server is not None:
            await server.close()

    def session(self, source: str, primitives: Sequence[str], seed: int) -> SandboxSession:
        """A session of calls to the library `source`. Nothing starts before the first call."""
        return SandboxSession(self, source, tuple(primitives), seed)

    async def active_confinement(self) -> Confinement:
        """The confinement of the sessions; starts the fork server if needed. Raises `SandboxFailure`."""
        report = (await self.fork_server()).report
        return Confinement(
            self.kind, self.kind == "confined", report["landlock"], tuple(report["separated"]), report["user"]
        )

    async def fork_server(self) -> ForkServer:
        """The fork server, started again if it has ended.

        Raises `SandboxFailure`, which is not retryable where this machine cannot confine learned code.
        """
        async with self._starting:
            if self._fork_server is None or not self._fork_server.alive:
                self._fork_server = await ForkServer.start(self._config())
            return self._fork_server

    async def open_process(self) -> tuple[ForkServer, int, ConfinedProcess]:
        """The fork server, the process's number there, and a confined process that waits for a call.

        Raises `SandboxFailure`.
        """
        async with self._opening:
            server = await self.fork_server()
            number, pid, channel = await server.fork()
            process = ConfinedProcess(channel, pid, self.bounds.message_bytes, self.kind == "confined")
            process.start_deadlines(self.bounds.cpu_seconds, self.bounds.wall_seconds)
            try:
                ready = await process.exchange(b"")
            except ProcessLost as lost:
                process.close()
                server.kill(number)
                await server.status(number)
                raise SandboxFailure(f"a session did not start ({lost.reason})") from None
            except BaseException:
                process.close()
                server.kill(number)
                raise
            process.stop_deadlines()
            if ready == ["ready"]:
                return server, number, process
            process.close()
            server.kill(number)
            raise SandboxFailure(
                f"a session could not be confined ({ready[1]}); `learnact doctor` says more", False
            )

    def _config(self) -> dict[str, Any]:
        bounds = self.bounds
        program = b""
        if self.kind == "confined":
            problem = seccomp.missing()
            if problem:
                raise SandboxFailure(
                    f"learned code is refused, because the kernel cannot confine it: {problem}. "
                    "`learnact doctor` says more; `sandbox: trusted` in the job runs it unconfined.",
                    False,
                )
            program = seccomp.compile_filter(seccomp.machine())
        root = confinement.LINUX and confinement.is_root()
        return {
            "kind": self.kind,
            "filter": program.hex(),
            "user": confinement.NOBODY if root and self.user == "nobody" else None,
            "memory_bytes": bounds.memory_bytes,
            "cpu_backstop": bounds.cpu_backstop,
            "own_cpu": bounds.cpu_seconds if processes.cpu_clock(os.getpid()) is None else None,
            "recursion": bounds.recursion,
            "output_bytes": bounds.output_bytes,
            "message_bytes": bounds.message_bytes,
            "limits": [bounds.depth, bounds.items, bounds.value_characters],
        }
