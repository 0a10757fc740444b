"""Learned code runs here and nowhere else: sessions in confined processes, primitives and plain values the only way in and out.

    async with Sandbox() as sandbox:                       # one per worker process and event loop
        async with sandbox.session(library.source, ["pick", "move", "drop"], seed=7) as session:
            result = await session.call("carry('ball1', 'rooma', 'roomb')", do)

`do` steps the environment, here, outside. What learned code does wrong is data (`CallResult.error`); what the sandbox itself does wrong is a
`SandboxFailure`.
See docs/sandbox.md for the threat model, the walls and what is not covered.
"""

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
"""Sessions that one worker opens at the same time; more would only queue at the warmed parent."""


class Sandbox:
    """Makes sessions. Holds one warmed parent process, started with the first session's first call; belongs to one event loop."""

    def __init__(
        self, bounds: Bounds = DEFAULTS, kind: SandboxKind = "confined", user: User = "nobody"
    ) -> None:
        """`user`: whom sessions run as when the host is root; where that is not allowed they stay root, behind the same walls."""
        self.bounds = bounds
        self.kind: SandboxKind = kind
        self.user = user
        self._nursery: ForkServer | None = None
        self._starting = asyncio.Lock()
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the warmed parent and all sessions. Idempotent."""
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            await nursery.close()

    def session(self, source: str, primitives: Sequence[str], seed: int) -> SandboxSession:
        """A session of calls to the library `source`. Nothing starts before the first call."""
        return SandboxSession(self, source, tuple(primitives), seed)

    async def walls(self) -> Confinement:
        """The walls that stand; starts the warmed parent if need be. Raises `SandboxFailure`."""
        report = (await self.nursery()).report
        return Confinement(
            self.kind, self.kind == "confined", report["landlock"], tuple(report["left"]), report["user"]
        )

    async def nursery(self) -> ForkServer:
        """The warmed parent, started again if it died. Raises `SandboxFailure`, not to be tried again where walls are missing."""
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                self._nursery = await ForkServer.start(self._config())
            return self._nursery

    async def open(self) -> tuple[ForkServer, int, ConfinedProcess]:
        """A confined process that has put up its walls and waits for a call."""
        async with self._opening:
            nursery = await self.nursery()
            number, pid, channel = await nursery.fork()
            process = ConfinedProcess(channel, pid, self.bounds.message_bytes, self.kind == "confined")
            process.allow(self.bounds.cpu_seconds, self.bounds.wall_seconds)
            try:
                ready = await process.exchange(b"")
            except ProcessLost as lost:
                process.close()
                nursery.kill(number)
                await nursery.status(number)
                raise SandboxFailure(f"a session did not come up ({lost.reason})") from None
            except BaseException:
                process.close()
                nursery.kill(number)
                raise
            process.rest()
            if ready == ["ready"]:
                return nursery, number, process
            process.close()
            nursery.kill(number)
            raise SandboxFailure(
                f"a session could not put up its walls ({ready[1]}); `learnact doctor` says more", False
            )

    def _config(self) -> dict[str, Any]:
        bounds = self.bounds
        program = b""
        if self.kind == "confined":
            problem = seccomp.missing()
            if problem:
                raise SandboxFailure(
                    f"learned code is refused, because the kernel's walls are missing: {problem}. "
                    "`learnact doctor` says more; `sandbox: trusted` in the job runs it without them.",
                    False,
                )
            program = seccomp.compiled(seccomp.machine())
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
