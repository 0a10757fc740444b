"""Workers for tests of the runner: they compute what a test asks for with real processes, and no models."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from learnact.errors import Failure
from learnact.records import (
    Attempt,
    Call,
    ModelSpec,
    Outcome,
    Prompt,
    Reply,
    Request,
    Tokens,
    Unit,
)
from learnact.runners.ray.actor import WorkerSettings
from learnact.runners.ray.driver_gate import DriverGate
from learnact.runners.worker import OnCall


def unit(number: int, text: str = "", trial: str = "t") -> Request:
    """A unit whose prompt tells the worker what to do."""
    return Request(
        trial, "m", "create", ModelSpec("m"), Prompt("", (), text or f"echo {number}"), seed=number
    )


class Scripted:
    """Does what the request's text says: `echo X`, `sleep SECONDS`, `die`, `die-once FILE`, `raise`,
    `block-once FILE`."""

    def __init__(self, settings: WorkerSettings, _gate: DriverGate) -> None:
        self._settings = settings
        self._stopped: Failure | None = None

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *_: object) -> None:
        folder = os.environ.get("LEARNACT_TEST_CLOSED")
        if folder:
            Path(folder, str(os.getpid())).touch()

    def stop(self, failure: Failure) -> None:
        self._stopped = failure

    async def execute(self, unit: Unit, replayed: Sequence[Call], on_call: OnCall) -> Outcome:
        assert isinstance(unit, Request)
        word, _, rest = unit.prompt.request.partition(" ")
        if word == "sleep":
            await asyncio.sleep(float(rest))
        elif word == "block-once" and not Path(rest).exists():
            Path(rest).touch()
            time.sleep(100)
        elif word == "die" or (word == "die-once" and not Path(rest).exists()):
            if rest:
                Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "raise":
            raise KeyError("a bug")
        elif word == "warn":
            logging.getLogger("learnact.models").warning("the endpoint is slow")
        elif word == "exit":
            raise SystemExit(3)
        elif word == "calls":
            return await self._calls(unit, int(rest), replayed, on_call)
        elif word == "mark":
            path, _, seconds = rest.partition(" ")
            Path(path).touch()
            try:
                await asyncio.sleep(float(seconds))
            except asyncio.CancelledError:
                Path(path + ".cancelled").touch()
                raise
        elif word == "tried":
            attempt = Attempt(unit.key, 0, "provider", "500", 0.1, self._settings.node)
            return Outcome(unit, Reply("ok"), (attempt,), (), time.time(), self._settings.node)
        return Outcome(unit, Reply(f"{rest} {os.getpid()}"), (), (), time.time(), self._settings.node)

    async def _calls(self, unit: Request, count: int, replayed: Sequence[Call], on_call: OnCall) -> Outcome:
        """Make `count` calls, those replayed included, unless told to stop between two."""
        calls = list(replayed)
        while len(calls) < count:
            if self._stopped is not None:
                attempt = Attempt(unit.key, 0, "harness", self._stopped.message, 0.0)
                return Outcome(unit, None, (attempt,), tuple(calls))
            await asyncio.sleep(0.05)
            reply = Reply(f"{len(calls)}", tokens=Tokens(prompt=90, completion=10))
            calls.append(Call(unit.key, len(calls), "create", unit.prompt, reply))
            counted = on_call(calls[-1])
            if counted is not None:
                await counted
        return Outcome(unit, calls[-1].reply, (), tuple(calls))


class MemoryLog:
    """A call log in memory. Implements `protocols.CallLog`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def record(self, call: Call) -> None:
        self.calls.append(call)

    def replay(self, unit: str) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.unit == unit)


def refusing(settings: WorkerSettings, _gate: DriverGate) -> Scripted:
    raise ValueError("no engine here")
