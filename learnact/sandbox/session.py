"""A session: one call after another to one library, in a confined process that is replaced when it had to be ended.

Covers the conversation during a call (requests for primitives, the end), what of it is believed, and what a lost process means: learned code's
failure, which is data, or the sandbox's, which is a `SandboxFailure`.
"""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, Self

from learnact.errors import HarnessFailure, SandboxFailure
from learnact.records import ActionError, Plain, seed_from
from learnact.sandbox import protocol
from learnact.sandbox.bounds import Bounds, CallResult, RunPrimitive
from learnact.sandbox.confined_process import EXIT_MEMORY
from learnact.sandbox.fork_server import ForkServer
from learnact.sandbox.process import ConfinedProcess, ProcessLost

GRACE_SECONDS = 0.25
"""CPU that a call may still use after the host has ended it, before its process is replaced."""


class Opener(Protocol):
    """What a session needs of its sandbox."""

    bounds: Bounds

    async def open(self) -> tuple[ForkServer, int, ConfinedProcess]:
        """A confined process that waits for a call, its parent and its number there."""
        ...


@dataclass
class _Talk:
    """One call under way."""

    do: RunPrimitive
    primitives: int = 0
    printed: list[str] = field(default_factory=list)
    last: str = ""
    place: Any = None
    cpu_from: float = 0.0


class SandboxSession:
    """Calls to one library, one after another. A process that had to be ended is replaced at the next call."""

    def __init__(self, sandbox: Opener, source: str, primitives: tuple[str, ...], seed: int) -> None:
        self._sandbox = sandbox
        self._bounds = sandbox.bounds
        self._source = source
        self._primitives = primitives
        self._seed = seed
        self._calls = 0
        self._limits = protocol.MessageLimits(
            self._bounds.depth, self._bounds.items, self._bounds.value_characters
        )
        self._live: tuple[ForkServer, int, ConfinedProcess] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session's process. Idempotent."""
        await self._end()

    @property
    def pid(self) -> int | None:
        """The confined process's id while there is one."""
        return self._live[2].pid if self._live else None

    async def call(self, code: str, do: RunPrimitive) -> CallResult:
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
            protocol.unicode(self._source) if fresh else None,
            self._primitives,
            protocol.unicode(code),
            seed,
        ]
        try:
            result = await self._converse(process, talk, request, code)
        except ProcessLost as lost:
            result = await self._explain(process, talk, lost, code)
        except BaseException:
            with contextlib.suppress(SandboxFailure):
                await self._end()
            raise
        process.rest()
        if not process.usable:
            await self._end()
        return result

    async def _process(self) -> tuple[ConfinedProcess, bool]:
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

    async def _converse(
        self, process: ConfinedProcess, talk: _Talk, request: list[Any], code: str
    ) -> CallResult:
        frame = protocol.pack(request, 4 * self._bounds.message_bytes)
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
        process: ConfinedProcess,
        talk: _Talk,
        name: str,
        arguments: list[Plain],
        keywords: dict[str, Plain],
        place: Any,
        printed: Any,
    ) -> bytes:
        """Do one primitive; the frame of its answer, `b""` when the call ends at it, `_LIMIT` when it is one too many."""
        problem = protocol.refuse([arguments, keywords], self._limits)
        if name not in self._primitives or problem:
            _broken(
                problem or f"it asked for a primitive action that there is not: {protocol.clean(name, 40)}"
            )
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
            return protocol.pack(["value", answer.value], self._bounds.message_bytes)
        except (protocol.ProtocolError, TypeError, ValueError) as error:
            raise HarnessFailure(f"the answer of {name} cannot be sent to learned code: {error}") from None

    async def _stop(self, process: ConfinedProcess) -> None:
        """End the call in the process; one that does not end at once is replaced before the next call."""
        process.allow(GRACE_SECONDS, self._bounds.wall_seconds)
        try:
            message = await process.exchange(_STOP)
        except ProcessLost:
            message = None
        if not (isinstance(message, list) and message[:1] == ["end"]):
            process.close()

    def _finished(
        self, process: ConfinedProcess, talk: _Talk, value: Any, error: Any, printed: Any, code: str
    ) -> CallResult:
        self._print(talk, printed)
        match error:
            case None:
                problem = protocol.refuse(value, self._limits)
                if problem:
                    _broken(f"it returned {problem}")
                return self._result(process, talk, value=value)
            case [str() as kind, str() as message, place]:
                kind = "MemoryLimit" if kind == "MemoryError" else protocol.clean(kind, 100) or "Error"
                return self._result(
                    process, talk, self._error(kind, protocol.clean(message, 2000), place, code)
                )
            case _:
                return _broken("it sent an error of no known form")

    def _print(self, talk: _Talk, printed: Any) -> None:
        left = self._bounds.output_bytes - sum(map(len, talk.printed))
        if printed and left > 0:
            talk.printed.append(protocol.clean(printed, left))

    def _result(
        self,
        process: ConfinedProcess,
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
            return ActionError(kind, message, protocol.clean(function, 200))
        return ActionError(
            kind, message, protocol.clean(function, 200), int(line), lines[line - 1].strip()[:500]
        )

    # Endings ------------------------------------------------------------------------------------------------------

    async def _explain(
        self, process: ConfinedProcess, talk: _Talk, lost: ProcessLost, code: str
    ) -> CallResult:
        """What a lost process means: learned code's failure as a result, or ours as an exception."""
        done = f" after {talk.primitives} primitive action{'' if talk.primitives == 1 else 's'}"
        done += f", the last one {talk.last}" if talk.last else ""
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


_STOP = protocol.pack(["stop"], 64)
_LIMIT = b"limit"


def _broken(detail: str) -> NoReturn:
    raise ProcessLost("broken", detail)


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


def _exit_code(status: int) -> int | None:
    return status >> 8 if status & 0x7F == 0 else None
