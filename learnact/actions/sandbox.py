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
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from learnact.actions import filter as seccomp
from learnact.actions import process as processes
from learnact.actions import walls, wire
from learnact.actions.child import EXIT_MEMORY
from learnact.actions.nursery import Nursery
from learnact.actions.process import Lost, Process
from learnact.errors import HarnessFailure, SandboxFailure
from learnact.records import ActionError, Plain, seed_from

Kind = Literal["confined", "trusted", "second"]
"""`second` is for `learnact doctor` alone: every wall but the filter."""
User = Literal["current", "nobody"]

OPENING_AT_ONCE = 8
"""Sessions that one worker opens at the same time; more would only queue at the warmed parent."""
GRACE_SECONDS = 0.25
"""CPU that a call may still use after the host has ended it, before its process is replaced."""


@dataclass(frozen=True)
class Bounds:
    """What learned code may use. Every bound is enforced from outside the confined process.

    `cpu_seconds`: CPU time of one call, read by the host; time in which the host does a primitive does not count. `wall_seconds`: how long a call
    may keep the host waiting, however little it computes; beyond that it is the harness's failure. `memory_bytes`: writable memory of the process.
    `recursion`: depth of Python calls. `source_bytes`: library, and code of a call, each. `output_bytes`: characters of printed output kept.
    `message_bytes`: one message of the protocol. `primitives`: primitive actions in one call. `depth`, `items`, `value_bytes`: nesting, number of
    values and JSON text of a result or of the arguments of one primitive.
    """

    cpu_seconds: float = 5.0
    wall_seconds: float = 120.0
    memory_bytes: int = 256 << 20
    recursion: int = 1000
    source_bytes: int = 64 << 10
    output_bytes: int = 16 << 10
    message_bytes: int = 256 << 10
    primitives: int = 100
    depth: int = 16
    items: int = 4096
    value_bytes: int = 64 << 10

    @property
    def cpu_backstop(self) -> int:
        """Hard limit on the CPU seconds of a whole session process, for the case that the host is gone or stuck."""
        return int(self.cpu_seconds * 20) + 60


@dataclass(frozen=True)
class PrimitiveAnswer:
    """What a primitive returns to learned code. `end`: the episode's success was reached, the call ends here."""

    value: Plain
    end: bool = False


@dataclass(frozen=True)
class CallResult:
    """What came of a call. `error` is learned code's own failure; `cpu_seconds` the confined process's CPU; `primitives` those that were done.

    `ended` is True when a primitive's answer ended the call: then there is neither value nor error.
    """

    value: Plain
    error: ActionError | None
    printed: str
    cpu_seconds: float
    primitives: int
    ended: bool


@dataclass(frozen=True)
class Walls:
    """Which walls stand around the sessions of a sandbox. `left` are the namespaces and files that their parent gave up; `landlock` an ABI
    version, 0 none."""

    kind: Kind
    seccomp: bool
    landlock: int
    left: tuple[str, ...]
    user: int


Do = Callable[[str, list[Plain], dict[str, Plain]], Awaitable[PrimitiveAnswer]]


class Sandbox:
    """Makes sessions. Holds one warmed parent process, started with the first session's first call; belongs to one event loop."""

    def __init__(self, bounds: Bounds = Bounds(), kind: Kind = "confined", user: User = "nobody") -> None:
        """`user`: whom sessions run as when the host is root; where that is not allowed they stay root, behind the same walls."""
        self.bounds = bounds
        self.kind: Kind = kind
        self.user = user
        self._nursery: Nursery | None = None
        self._starting = asyncio.Lock()
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the warmed parent and all sessions. Idempotent."""
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            await nursery.close()

    def session(self, source: str, primitives: Sequence[str], seed: int) -> Session:
        """A session of calls to the library `source`. Nothing starts before the first call."""
        return Session(self, source, tuple(primitives), seed)

    async def walls(self) -> Walls:
        """The walls that stand; starts the warmed parent if need be. Raises `SandboxFailure`."""
        report = (await self.nursery()).report
        return Walls(
            self.kind, self.kind == "confined", report["landlock"], tuple(report["left"]), report["user"]
        )

    async def nursery(self) -> Nursery:
        """The warmed parent, started again if it died. Raises `SandboxFailure`, not to be tried again where walls are missing."""
        async with self._starting:
            if self._nursery is None or not self._nursery.alive:
                self._nursery = await Nursery.start(self._config())
            return self._nursery

    async def open(self) -> tuple[Nursery, int, Process]:
        """A confined process that has put up its walls and waits for a call."""
        async with self._opening:
            nursery = await self.nursery()
            number, pid, channel = await nursery.fork()
            process = Process(channel, pid, self.bounds.message_bytes, self.kind == "confined")
            process.allow(self.bounds.cpu_seconds, self.bounds.wall_seconds)
            try:
                ready = await process.exchange(b"")
            except Lost as lost:
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
        root = walls.LINUX and walls.is_root()
        return {
            "kind": self.kind,
            "filter": program.hex(),
            "user": walls.NOBODY if root and self.user == "nobody" else None,
            "memory_bytes": bounds.memory_bytes,
            "cpu_backstop": bounds.cpu_backstop,
            "own_cpu": bounds.cpu_seconds if processes.cpu_clock(os.getpid()) is None else None,
            "recursion": bounds.recursion,
            "output_bytes": bounds.output_bytes,
            "message_bytes": bounds.message_bytes,
            "limits": [bounds.depth, bounds.items, bounds.value_bytes],
        }


def _exit_code(status: int) -> int | None:
    return status >> 8 if status & 0x7F == 0 else None


@dataclass
class _Talk:
    """One call under way."""

    do: Do
    primitives: int = 0
    printed: list[str] = field(default_factory=list)
    last: str = ""
    place: Any = None
    cpu_from: float = 0.0


class Session:
    """Calls to one library, one after another. A process that had to be ended is replaced at the next call."""

    def __init__(self, sandbox: Sandbox, source: str, primitives: tuple[str, ...], seed: int) -> None:
        self._sandbox = sandbox
        self._bounds = sandbox.bounds
        self._source = source
        self._primitives = primitives
        self._seed = seed
        self._calls = 0
        self._limits = wire.Limits(self._bounds.depth, self._bounds.items, self._bounds.value_bytes)
        self._live: tuple[Nursery, int, Process] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session's process. Idempotent."""
        await self._end()

    @property
    def pid(self) -> int | None:
        """The confined process's id while there is one."""
        return self._live[2].pid if self._live else None

    async def call(self, code: str, do: Do) -> CallResult:
        """Run one call expression of a library function, or a whole program (statements), in a new namespace in which the library was executed.

        Raises `SandboxFailure` for the sandbox's own failures, and whatever `do` raises. Lines of an error count in the library's text;
        those of a program's own top level and functions in the program's.
        """
        self._calls += 1
        for name, text in (("library", self._source), ("code", code)):
            if len(text.encode("utf-8", "replace")) > self._bounds.source_bytes:
                error = ActionError(
                    "SourceLimit", f"the {name} is longer than {self._bounds.source_bytes} bytes"
                )
                return CallResult(None, error, "", 0.0, 0, False)
        process, fresh = await self._process()
        talk = _Talk(do, cpu_from=process.cpu())
        process.allow(self._bounds.cpu_seconds, self._bounds.wall_seconds)
        seed = seed_from("sandbox", self._seed, self._calls)
        request = [
            "call",
            wire.unicode(self._source) if fresh else None,
            self._primitives,
            wire.unicode(code),
            seed,
        ]
        try:
            result = await self._converse(process, talk, request, code)
        except Lost as lost:
            result = await self._explain(process, talk, lost, code)
        except BaseException:
            with contextlib.suppress(SandboxFailure):
                await self._end()
            raise
        process.rest()
        if not process.usable:
            await self._end()
        return result

    async def _process(self) -> tuple[Process, bool]:
        """The session's process, and whether it is a new one that has not seen the library yet."""
        if self._live is not None:
            nursery, _, process = self._live
            spent = process.cpu() + self._bounds.cpu_seconds > self._bounds.cpu_backstop - 10
            if process.usable and nursery.alive and not spent:
                return process, False
            await self._end()
        self._live = await self._sandbox.open()
        return self._live[2], True

    async def _end(self) -> int | None:
        """Kill the process, give back its channel; its wait status."""
        if self._live is None:
            return None
        (nursery, number, process), self._live = self._live, None
        process.close()
        nursery.kill(number)
        return await nursery.status(number)

    # The conversation ---------------------------------------------------------------------------------------------

    async def _converse(self, process: Process, talk: _Talk, request: list[Any], code: str) -> CallResult:
        frame = wire.pack(request, 4 * self._bounds.message_bytes)
        while True:
            message = await process.exchange(frame)
            match message:
                case ["do", str() as name, list() as arguments, dict() as keywords, place, printed]:
                    frame = await self._primitive(process, talk, name, arguments, keywords, place, printed)
                    if not frame:
                        return self._result(process, talk, ended=True)
                    if frame == _LIMIT:
                        text = f"more than {self._bounds.primitives} primitive actions in one call"
                        return self._result(process, talk, self._error("PrimitiveLimit", text, place, code))
                case ["end", value, error, printed]:
                    return self._finished(process, talk, value, error, printed, code)
                case _:
                    _broken("it sent a message of no known form")

    async def _primitive(
        self,
        process: Process,
        talk: _Talk,
        name: str,
        arguments: list[Plain],
        keywords: dict[str, Plain],
        place: Any,
        printed: Any,
    ) -> bytes:
        """Do one primitive; the frame of its answer, `b""` when the call ends at it, `_LIMIT` when it is one too many."""
        problem = wire.refuse([arguments, keywords], self._limits)
        if name not in self._primitives or problem:
            _broken(problem or f"it asked for a primitive action that there is not: {wire.clean(name, 40)}")
        self._print(talk, printed)
        if talk.primitives >= self._bounds.primitives:
            await self._stop(process)
            return _LIMIT
        talk.last, talk.place = name, place
        talk.primitives += 1
        answer = await talk.do(name, arguments, keywords)
        if answer.end:
            await self._stop(process)
            return b""
        try:
            return wire.pack(["value", answer.value], self._bounds.message_bytes)
        except (wire.WireError, TypeError, ValueError) as error:
            raise HarnessFailure(f"the answer of {name} cannot be sent to learned code: {error}") from None

    async def _stop(self, process: Process) -> None:
        """End the call in the process; one that does not end at once is replaced before the next call."""
        process.allow(GRACE_SECONDS, self._bounds.wall_seconds)
        try:
            message = await process.exchange(_STOP)
        except Lost:
            message = None
        if not (isinstance(message, list) and message[:1] == ["end"]):
            process.close()

    def _finished(
        self, process: Process, talk: _Talk, value: Any, error: Any, printed: Any, code: str
    ) -> CallResult:
        self._print(talk, printed)
        match error:
            case None:
                problem = wire.refuse(value, self._limits)
                if problem:
                    _broken(f"it returned {problem}")
                return self._result(process, talk, value=value)
            case [str() as kind, str() as message, place]:
                kind = "MemoryLimit" if kind == "MemoryError" else wire.clean(kind, 100) or "Error"
                return self._result(process, talk, self._error(kind, wire.clean(message, 2000), place, code))
            case _:
                return _broken("it sent an error of no known form")

    def _print(self, talk: _Talk, printed: Any) -> None:
        left = self._bounds.output_bytes - sum(map(len, talk.printed))
        if printed and left > 0:
            talk.printed.append(wire.clean(printed, left))

    def _result(
        self,
        process: Process,
        talk: _Talk,
        error: ActionError | None = None,
        value: Plain = None,
        ended: bool = False,
    ) -> CallResult:
        cpu = max(0.0, process.cpu() - talk.cpu_from)
        return CallResult(value, error, "".join(talk.printed), cpu, talk.primitives, ended)

    def _error(self, kind: str, message: str, place: Any, code: str) -> ActionError:
        """An error at a place, which is the process's word; the line's text is ours. A call's own text, one line, is no place."""
        match place:
            case ["<library>", str() as function, int() as line]:
                lines = self._source.splitlines()
            case ["<program>", str() as function, int() as line] if "\n" in code.strip():
                lines = code.splitlines()
            case _:
                return ActionError(kind, message)
        if not 0 < line <= len(lines):
            return ActionError(kind, message, wire.clean(function, 200))
        return ActionError(kind, message, wire.clean(function, 200), int(line), lines[line - 1].strip()[:500])

    # Endings ------------------------------------------------------------------------------------------------------

    async def _explain(self, process: Process, talk: _Talk, lost: Lost, code: str) -> CallResult:
        """What a lost process means: learned code's failure as a result, or ours as an exception."""
        done = f" after {talk.primitives} primitive actions" + (
            f", the last one {talk.last}" if talk.last else ""
        )
        result = self._result(process, talk)
        status = await self._end()
        match lost.reason:
            case "cpu":
                kind, message = (
                    "TimeLimit",
                    f"used more than {self._bounds.cpu_seconds:g} s of CPU time{done}",
                )
            case "blocked":
                kind, message = "Forbidden", f"stood still, waiting for what never comes{done}"
            case "broken":
                kind, message = "Forbidden", f"broke the sandbox's protocol{done}: {lost.detail}"
            case "wall":
                raise SandboxFailure(
                    f"a call kept the worker waiting for more than {self._bounds.wall_seconds:g} s{done}"
                )
            case "gone":
                kind, message = _died(status)
                message += done
        error = self._error(kind, message, talk.place, code)
        return CallResult(None, error, result.printed, result.cpu_seconds, talk.primitives, False)


_STOP = wire.pack(["stop"], 64)
_LIMIT = b"limit"


def _broken(detail: str) -> NoReturn:
    raise Lost("broken", detail)


def _died(status: int | None) -> tuple[str, str]:
    """Type and message for learned code that ended its process. Raises `SandboxFailure` when it cannot have done so itself."""
    if status is None:
        raise SandboxFailure("the sandbox's parent process is gone")
    code = _exit_code(status)
    if code == EXIT_MEMORY:
        return "MemoryLimit", "ran out of memory"
    if code is not None:
        return "Exited", f"ended its process with status {code}"
    number = status & 0x7F
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signal.SIGXCPU:
        return "TimeLimit", "used up its CPU time"
    if number in _OWN_DEATHS:
        return (
            ("Forbidden", "was killed by the kernel's wall")
            if name == "SIGSYS"
            else ("Crashed", f"crashed with {name}")
        )
    raise SandboxFailure(f"a session was killed from outside by {name}")


_OWN_DEATHS = {
    getattr(signal, name)
    for name in ("SIGSYS", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGTRAP", "SIGPIPE")
    if hasattr(signal, name)
}
