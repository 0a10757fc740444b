"""A session: calls to one library, in a confined process that is replaced when it had to be killed.

Covers the messages during a call (requests for primitives, the end), their checks, and the meaning of a lost
process: a failure of learned code, which is data, or of the sandbox, which is a `SandboxFailure`."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, Self

from learnact.errors import HarnessFailure, SandboxFailure
from learnact.records import ActionError, Plain, seed_from
from learnact.sandbox import protocol
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult, RunPrimitive
from learnact.sandbox.confined_process import EXIT_MEMORY
from learnact.sandbox.fork_server import ForkServer
from learnact.sandbox.process import ConfinedProcess, ProcessLost
from learnact.sandbox.source_lines import source_lines

GRACE_SECONDS = 0.25
"""CPU time that a call may still use after the host has ended it. A process that uses more is replaced."""


class ProcessSource(Protocol):
    """What a session needs from its sandbox."""

    bounds: Bounds

    async def open_process(self) -> tuple[ForkServer, int, ConfinedProcess]:
        """A confined process that waits for a call, its fork server and its number there."""
        ...


@dataclass
class _RunningCall:
    """A call that is running: its callback, and what it has done so far."""

    run_primitive: RunPrimitive
    primitives: int = 0
    printed: list[str] = field(default_factory=list)
    last_primitive: str = ""
    place: Any = None
    cpu_at_start: float = 0.0


class SandboxSession:
    """Calls to one library, one after another. A process that was killed is replaced at the next call."""

    def __init__(self, sandbox: ProcessSource, source: str, primitives: tuple[str, ...], seed: int) -> None:
        self._sandbox = sandbox
        self._bounds = sandbox.bounds
        self._source = source
        self._primitives = primitives
        self._seed = seed
        self._calls = 0
        self._limits = protocol.MessageLimits(
            self._bounds.depth, self._bounds.items, self._bounds.value_characters
        )
        self._current: tuple[ForkServer, int, ConfinedProcess] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session's process. Idempotent."""
        await self._end()

    @property
    def pid(self) -> int | None:
        """Id of the confined process while there is one."""
        return self._current[2].pid if self._current else None

    async def call(self, code: str, run_primitive: RunPrimitive) -> CallResult:
        """Run a call of a library function, or a program (statements), in a new namespace with the library.

        Raises `SandboxFailure` for failures of the sandbox, and whatever `run_primitive` raises. The line of
        an error counts in the library's text, or in the program's for code that the program itself holds."""
        self._calls += 1
        for name, text in (("library", self._source), ("code", code)):
            if len(text.encode("utf-8", "replace")) > self._bounds.source_bytes:
                error = ActionError(
                    "SourceLimit", f"the {name} is longer than {self._bounds.source_bytes} bytes"
                )
                return CallResult(None, error, "", 0.0, 0, False)
        process, fresh = await self._process()
        running = _RunningCall(run_primitive, cpu_at_start=process.cpu())
        process.start_deadlines(self._bounds.cpu_seconds, self._bounds.wall_seconds)
        seed = seed_from("sandbox", self._seed, self._calls)
        request = [
            "call",
            protocol.unicode(self._source) if fresh else None,
            self._primitives,
            protocol.unicode(code),
            seed,
        ]
        try:
            result = await self._exchange(process, running, request, code)
        except ProcessLost as lost:
            result = await self._result_of_lost(process, running, lost, code)
        except BaseException:
            with contextlib.suppress(SandboxFailure):
                await self._end()
            raise
        process.stop_deadlines()
        if not process.usable:
            await self._end()
        return result

    async def _process(self) -> tuple[ConfinedProcess, bool]:
        """The session's process, and whether it is a new one that does not have the library yet."""
        if self._current is not None:
            server, _, process = self._current
            worn_out = process.cpu() + self._bounds.cpu_seconds > self._bounds.cpu_backstop - 10
            if process.usable and server.alive and not worn_out:
                return process, False
            await self._end()
        self._current = await self._sandbox.open_process()
        return self._current[2], True

    async def _end(self) -> int | None:
        """Kill the process and close its channel. Returns its wait status."""
        if self._current is None:
            return None
        (server, number, process), self._current = self._current, None
        process.close()
        server.kill(number)
        return await server.status(number)

    # Messages of a call -------------------------------------------------------------------------------------

    async def _exchange(
        self, process: ConfinedProcess, running: _RunningCall, request: list[Any], code: str
    ) -> CallResult:
        """Send the call, run the primitives that it requests, and return its result."""
        frame = protocol.pack(request, 4 * self._bounds.message_bytes)
        while True:
            message = await process.exchange(frame)
            match message:
                case ["do", str() as name, list() as arguments, dict() as keywords, place, printed]:
                    self._check_primitive(name, arguments, keywords)
                    self._keep_output(running, printed)
                    if running.primitives >= self._bounds.primitives:
                        await self._stop(process)
                        text = f"more than {self._bounds.primitives} primitive actions in one call"
                        return self._result(
                            process, running, self._error("PrimitiveLimit", text, place, code)
                        )
                    running.last_primitive, running.place = name, place
                    running.primitives += 1
                    result = await running.run_primitive(name, arguments, keywords)
                    if result.end:
                        await self._stop(process)
                        return self._result(process, running, ended=True)
                    frame = self._packed(name, result)
                case ["end", value, error, printed]:
                    self._keep_output(running, printed)
                    return self._finished(process, running, value, error, code)
                case _:
                    _protocol_broken("it sent a message of unknown form")

    def _check_primitive(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> None:
        problem = protocol.find_problem([arguments, keywords], self._limits)
        if problem:
            _protocol_broken(problem)
        if name not in self._primitives:
            _protocol_broken(
                f"it requested a primitive action that does not exist: {protocol.clean(name, 40)}"
            )

    def _packed(self, name: str, result: PrimitiveResult) -> bytes:
        try:
            return protocol.pack(["value", result.value], self._bounds.message_bytes)
        except (protocol.ProtocolError, TypeError, ValueError) as error:
            raise HarnessFailure(f"the result of {name} cannot be sent to learned code: {error}") from None

    async def _stop(self, process: ConfinedProcess) -> None:
        """End the call in the process. One that does not obey at once is replaced before the next call."""
        process.start_deadlines(GRACE_SECONDS, self._bounds.wall_seconds)
        try:
            message = await process.exchange(_STOP)
        except ProcessLost:
            message = None
        if not (isinstance(message, list) and message[:1] == ["end"]):
            process.close()

    def _finished(
        self, process: ConfinedProcess, running: _RunningCall, value: Any, error: Any, code: str
    ) -> CallResult:
        match error:
            case None:
                problem = protocol.find_problem(value, self._limits)
                if problem:
                    _protocol_broken(f"it returned {problem}")
                return self._result(process, running, value=value)
            case [str() as kind, str() as message, place]:
                kind = "MemoryLimit" if kind == "MemoryError" else protocol.clean(kind, 100) or "Error"
                return self._result(
                    process, running, self._error(kind, protocol.clean(message, 2000), place, code)
                )
            case _:
                return _protocol_broken("it sent an error of unknown form")

    def _keep_output(self, running: _RunningCall, printed: Any) -> None:
        left = self._bounds.output_bytes - sum(map(len, running.printed))
        if printed and left > 0:
            running.printed.append(protocol.clean(printed, left))

    def _result(
        self,
        process: ConfinedProcess,
        running: _RunningCall,
        error: ActionError | None = None,
        value: Plain = None,
        ended: bool = False,
    ) -> CallResult:
        cpu = max(0.0, process.cpu() - running.cpu_at_start)
        return CallResult(value, error, "".join(running.printed), cpu, running.primitives, ended)

    def _error(self, kind: str, message: str, place: Any, code: str) -> ActionError:
        """An error at a place that the process reported, with the host's copy of that line.

        A call of one line has no place.
        """
        match place:
            case ["<library>", str() as function, int() as line]:
                lines = source_lines(self._source)
            case ["<program>", str() as function, int() as line] if "\n" in code.strip():
                lines = source_lines(code)
            case _:
                return ActionError(kind, message)
        if not 0 < line <= len(lines):
            return ActionError(kind, message, protocol.clean(function, 200))
        return ActionError(
            kind, message, protocol.clean(function, 200), int(line), lines[line - 1].strip()[:500]
        )

    # Lost processes -----------------------------------------------------------------------------------------

    async def _result_of_lost(
        self, process: ConfinedProcess, running: _RunningCall, lost: ProcessLost, code: str
    ) -> CallResult:
        """The result of a call whose process was lost.

        Raises `SandboxFailure` when learned code cannot be the cause.
        """
        done = f" after {running.primitives} primitive action{'' if running.primitives == 1 else 's'}"
        done += f", the last one {running.last_primitive}" if running.last_primitive else ""
        result = self._result(process, running)
        status = await self._end()
        match lost.reason:
            case "cpu":
                kind, message = (
                    "TimeLimit",
                    f"used more than {self._bounds.cpu_seconds:g} s of CPU time{done}",
                )
            case "blocked":
                kind, message = "Forbidden", f"waited for a message that never comes{done}"
            case "broken":
                kind, message = "Forbidden", f"broke the sandbox's protocol{done}: {lost.detail}"
            case "wall":
                raise SandboxFailure(
                    f"a call kept the worker waiting for more than {self._bounds.wall_seconds:g} s{done}"
                )
            case "gone":
                kind, message = _cause_of_exit(status)
                message += done
        error = self._error(kind, message, running.place, code)
        return CallResult(None, error, result.printed, result.cpu_seconds, running.primitives, False)


_STOP = protocol.pack(["stop"], 64)


def _protocol_broken(detail: str) -> NoReturn:
    raise ProcessLost("broken", detail)


def _cause_of_exit(status: int | None) -> tuple[str, str]:
    """Type and message for learned code that ended its process.

    Raises `SandboxFailure` when it cannot be the cause.
    """
    if status is None:
        raise SandboxFailure("the sandbox's fork server has ended")
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
    if number in _OWN_SIGNALS:
        return (
            ("Forbidden", "was killed by the kernel's filter")
            if name == "SIGSYS"
            else ("Crashed", f"crashed with {name}")
        )
    raise SandboxFailure(f"a session was killed from outside by {name}")


_OWN_SIGNALS = {
    getattr(signal, name)
    for name in ("SIGSYS", "SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE", "SIGTRAP", "SIGPIPE")
    if hasattr(signal, name)
}


def _exit_code(status: int) -> int | None:
    return status >> 8 if status & 0x7F == 0 else None
