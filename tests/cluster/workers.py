"""Workers for tests of the runner: they compute what a test asks for with real processes, and no models."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from learnact.records import Attempt, ModelSpec, Outcome, Prompt, Reply, Request, Unit
from learnact.runners.ray.actor import WorkerSettings


def unit(number: int, text: str = "", trial: str = "t") -> Request:
    """A unit whose prompt tells the worker what to do."""
    return Request(
        trial, "m", "create", ModelSpec("m"), Prompt("", (), text or f"echo {number}"), seed=number
    )


class Scripted:
    """Does what the request's text says: `echo X`, `sleep SECONDS`, `die`, `die-once FILE`, `raise`,
    `block-once FILE`."""

    def __init__(self, place: WorkerSettings) -> None:
        self._place = place

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *_: object) -> None:
        folder = os.environ.get("LEARNACT_TEST_CLOSED")
        if folder:
            Path(folder, str(os.getpid())).touch()

    async def execute(self, unit: Unit) -> Outcome:
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
        elif word == "mark":
            path, _, seconds = rest.partition(" ")
            Path(path).touch()
            try:
                await asyncio.sleep(float(seconds))
            except asyncio.CancelledError:
                Path(path + ".cancelled").touch()
                raise
        elif word == "tried":
            attempt = Attempt(unit.key, 0, "provider", "500", 0.1, self._place.node)
            return Outcome(unit, Reply("ok"), (attempt,), (), time.time(), self._place.node)
        return Outcome(unit, Reply(f"{rest} {os.getpid()}"), (), (), time.time(), self._place.node)


def refusing(place: WorkerSettings) -> Scripted:
    raise ValueError("no engine here")
