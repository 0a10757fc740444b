"""Environments that may block for long, kept in an engine process beside the worker, so that one episode
never delays the others.

`EnginePool` is what a worker (one event loop) holds: an *engine*, the process in which the environments of
all its episodes live, and a *preparer*, a second process that does the slow part of opening in advance (for a
domain that is `Preparable`; the result goes to the domain's own cache on disk, where the engine finds it).
Both are started when first needed and end with the pool, or when the worker dies (their standard input ends).
Frames are a length (4 bytes, big-endian) and JSON; nothing is unpickled, nothing is imported that the
registry does not name. A process that dies or hangs is an `EnvironmentFailure` for every episode that lived
in it, and is replaced at the next opening.

Does not cover: what a domain does (base), how environments are opened (environments). This module is also the
program of those processes: `python -m learnact.domains.engine_process`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Protocol, runtime_checkable

from learnact import errors
from learnact.domains import registry
from learnact.domains.base import Domain, Environment
from learnact.errors import EnvironmentFailure, LearnactError
from learnact.records import DomainSpec, Plain, Step, Task

_LENGTH = struct.Struct(">I")
_MAX_FRAME = 64 * 1024 * 1024
OPEN_SECONDS = 120.0
"""Wall-clock bound of one opening or preparation, seconds; far above need (about 2). A hang is the
environment's failure."""
STEP_SECONDS = 60.0
"""Wall-clock bound of one step, waiting for its turn included, seconds; a step itself takes milliseconds."""


@runtime_checkable
class Preparable(Protocol):
    """A domain that can do the slow part of opening a task in advance, in another process."""

    def ready(self, task: Task) -> bool:
        """Whether the task opens fast as it is."""
        ...

    def prepare(self, task: Task) -> None:
        """Make it so, for every process that shares this machine's cache. Raises as `open` does."""
        ...


class _EngineProcess:
    """One engine process as its worker sees it: requests by number, replies in any order, one reader task."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self.died = ""
        self._reader = asyncio.create_task(self._read(process.stdout))

    @classmethod
    async def start(cls) -> _EngineProcess:
        """A fresh process running this module."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "learnact.domains.engine_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_MAX_FRAME,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> int:
        """Write a request without waiting for anything; its number."""
        self._number += 1
        body = json.dumps({**message, "number": self._number}).encode()
        if not self.died:
            self._stdin.write(_LENGTH.pack(len(body)) + body)
        return self._number

    async def ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The reply to a request. Raises what the process reported, or `EnvironmentFailure` when it died
        or hangs."""
        number = self.send(message)
        if self.died:
            raise EnvironmentFailure(self.died)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            reply = await asyncio.wait_for(asyncio.shield(future), seconds)
        except TimeoutError:
            self._fail(f"the engine process {self.pid} did not answer within {seconds:g} s and was ended")
            raise EnvironmentFailure(self.died) from None
        except asyncio.CancelledError:
            self._close_when_opened(message, number, future)
            raise
        return _checked(reply)

    def _close_when_opened(
        self, message: dict[str, Any], number: int, future: asyncio.Future[dict[str, Any]]
    ) -> None:
        """The asker was cancelled: what it may have opened is closed as soon as it exists."""
        if message["op"] != "open":
            return
        self.send({"op": "close", "environment": number})
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _read(self, stream: asyncio.StreamReader) -> None:
        try:
            while True:
                (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
                reply = json.loads(await stream.readexactly(length))
                future = self._waiting.pop(reply["number"], None)
                if future is not None and not future.done():
                    future.set_result(reply)
        except (asyncio.IncompleteReadError, OSError, ValueError):
            code = await self._process.wait()
            self._fail(f"the engine process {self.pid} ended (exit code {code})")

    def _fail(self, why: str) -> None:
        self.died = self.died or why
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        for future in self._waiting.values():
            if not future.done():
                future.set_result({"error": "EnvironmentFailure", "message": self.died})
        self._waiting.clear()

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self._fail("the engine pool was closed")
        await self._process.wait()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


def _checked(reply: dict[str, Any]) -> dict[str, Any]:
    if "error" not in reply:
        return reply
    kind = getattr(errors, str(reply["error"]), EnvironmentFailure)
    if not (isinstance(kind, type) and issubclass(kind, LearnactError)):
        kind = EnvironmentFailure
    raise kind(str(reply["message"]))


class EngineEnvironment:
    """An environment that lives in an engine process; with the methods of `environments.AsyncEnvironment`."""

    def __init__(self, process: _EngineProcess, number: int, opened: Mapping[str, Any]) -> None:
        self._process = process
        self._number = number
        self._closed = False
        self.goal: str = opened["goal"]
        self.first_observation: str = opened["first_observation"]
        self.progress: float = opened["progress"]
        self.success: bool = opened["success"]

    async def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do one primitive action given as a call. Raises `EnvironmentFailure` when the engine fails."""
        return await self._step(
            {"op": "call", "name": name, "arguments": list(arguments), "keywords": dict(keywords)}
        )

    async def text(self, command: str) -> Step:
        """Do one primitive action given as text. Raises `EnvironmentFailure` when the engine fails."""
        return await self._step({"op": "text", "command": command})

    async def _step(self, message: dict[str, Any]) -> Step:
        if self._closed:
            raise EnvironmentFailure("the environment is closed", False)
        step = Step(
            **(await self._process.ask({**message, "environment": self._number}, STEP_SECONDS))["step"]
        )
        self.progress, self.success = step.progress, step.success
        return step

    async def close(self) -> None:
        """Free what it holds in the engine. Idempotent; waits for nothing, so it is safe while being
        cancelled."""
        if not self._closed:
            self._closed = True
            self._process.send({"op": "close", "environment": self._number})


class EnginePool:
    """The engine process of one worker and its preparer. Use it on one event loop; close it at the end
    (`async with` does)."""

    def __init__(self) -> None:
        self._engine: _EngineProcess | None = None
        self._preparer: _EngineProcess | None = None
        self._starting = asyncio.Lock()
        self._preparing = asyncio.Lock()  # so that waiting for others is no part of a preparation's time

    async def __aenter__(self) -> EnginePool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self, domain_spec: DomainSpec, task: Task) -> EngineEnvironment:
        """A fresh environment of a task, prepared first where that is long, without stalling those already
        open.

        Raises `TaskError`, `MissingExtra` or `EnvironmentFailure` as the domain's own `open` does.
        """
        what = {"domain": [domain_spec.name, domain_spec.options], "task": _task_fields(task)}
        engine = await self._running("engine")
        opened = await engine.ask({"op": "open", "unless_slow": True, **what}, OPEN_SECONDS)
        if "slow" in opened:
            async with self._preparing:
                await (await self._running("preparer")).ask({"op": "prepare", **what}, OPEN_SECONDS)
            engine = await self._running("engine")
            opened = await engine.ask({"op": "open", **what}, OPEN_SECONDS)
        return EngineEnvironment(engine, opened["number"], opened)

    async def close(self) -> None:
        """End both processes."""
        for process in (self._engine, self._preparer):
            if process is not None:
                await process.stop()
        self._engine = self._preparer = None

    async def _running(self, which: str) -> _EngineProcess:
        attribute = f"_{which}"
        async with self._starting:
            process: _EngineProcess | None = getattr(self, attribute)
            if process is None or process.died:
                process = await _EngineProcess.start()
                setattr(self, attribute, process)
            return process


def _task_fields(task: Task) -> dict[str, Plain]:
    return {"domain": task.domain, "name": task.name, "content": task.content, "reference": task.reference}


# Inside the engine process


class _EngineServer:
    """The program of an engine process: environments by number, one request after the other."""

    def __init__(self) -> None:
        self._domains: dict[DomainSpec, Domain] = {}
        self._environments: dict[int, Environment] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to one request; a fault in it is a reply too."""
        try:
            return getattr(self, f"_do_{request['op']}")(request) or {}
        except LearnactError as error:
            return {"error": type(error).__name__, "message": str(error)}
        except Exception as error:  # noqa: BLE001  the boundary to the engine; the worker records it
            return {"error": "EnvironmentFailure", "message": f"{type(error).__name__}: {error}"}

    def _domain(self, request: Mapping[str, Any]) -> Domain:
        spec = DomainSpec(*request["domain"])
        if spec not in self._domains:
            self._domains[spec] = registry.build(spec)
        return self._domains[spec]

    def _do_prepare(self, request: Mapping[str, Any]) -> None:
        domain = self._domain(request)
        if isinstance(domain, Preparable):
            domain.prepare(Task(**request["task"]))

    def _do_open(self, request: Mapping[str, Any]) -> dict[str, Any]:
        domain, task = self._domain(request), Task(**request["task"])
        if "unless_slow" in request and isinstance(domain, Preparable) and not domain.ready(task):
            return {"slow": True}
        environment = domain.open(task)
        self._environments[request["number"]] = environment
        return {
            "goal": environment.goal,
            "first_observation": environment.first_observation,
            "progress": environment.progress,
            "success": environment.success,
        }

    def _do_call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        environment = self._environments[request["environment"]]
        return {"step": vars(environment.call(request["name"], request["arguments"], request["keywords"]))}

    def _do_text(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"step": vars(self._environments[request["environment"]].text(request["command"]))}

    def _do_close(self, request: Mapping[str, Any]) -> None:
        environment = self._environments.pop(request["environment"], None)
        if environment is not None:
            environment.close()


def _read_frame(stream: BinaryIO) -> Any:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return json.loads(stream.read(_LENGTH.unpack(head)[0]))


def main() -> None:
    """Serve until standard input ends. What the engine itself writes to standard output goes to standard
    error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    engine = _EngineServer()
    while (request := _read_frame(requests)) is not None:
        body = json.dumps({**engine.answer(request), "number": request["number"]}).encode()
        replies.write(_LENGTH.pack(len(body)) + body)
        replies.flush()
    os._exit(0)  # the planner library may crash in its destructors


if __name__ == "__main__":
    main()
