"""A user's desk: the real command in a process of its own, a chat server that can play gripper, and one
finished run to read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from learnact.cli.app import app
from tests.models.server import Behaviour, FaultServer, good

CARRY = """```python
def carry(ball, start, end):
    pick(ball, start, 'left')
    move(start, end)
    return drop(ball, end, 'left')
```
Usage: carry('{ball}', '{start}', '{end}')"""
JOB = """\
name: desk
seed: 1
domains:
  - {{name: gripper, train: 1, test: 3, balls: [2, 4]}}
methods: [act, learnact]
models:
  agent: &model {{name: tiny, base_url: {url}, prices: {{prompt: 1.0, completion: 2.0}}}}
  learner: *model
repeats: {{learn: 1, test: 2}}
learner: {{candidates: 2, iterations: 1, test_each_iteration: true}}
cluster: {{runner: local}}
"""


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """One value for each line of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def learnact(*arguments: str | Path, stdin: str = "") -> Done:
    """`learnact ARGUMENTS` as a user types it, in this process."""
    runner = CliRunner(env={"COLUMNS": "160"})
    done = runner.invoke(app, [str(a) for a in arguments], input=stdin, catch_exceptions=False)
    return Done(done.exit_code, done.stdout, done.stderr)


def learnact_process(
    *arguments: str | Path, stdin: str = "", timeout: float = 900, **environment: str
) -> Done:
    """The same in a process of its own."""
    command = [sys.executable, "-c", "from learnact.cli import main; main()", *map(str, arguments)]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": root, "COLUMNS": "160", **environment},
    )
    return Done(done.returncode, done.stdout, done.stderr)


def play_gripper(text: str) -> str:
    """What a careful player says: the next call by the goal and the last facts."""
    goal = dict(re.findall(r"(ball\d+) is in (room\w)\.", text.rsplit("Goal:", 1)[1].split("\n")[0]))
    now = text.rsplit("Now:", 1)[1].split("\n")[0]
    here = re.search(r"you are in (room\w)", now)[1]  # type: ignore[index]
    places = dict(re.findall(r"(ball\d+) is in (room\w)\.", now))
    held = re.search(r"left holds (ball\d+)", now)
    if held:
        there = goal[held[1]]
        return f"drop('{held[1]}', '{there}', 'left')" if there == here else f"move('{here}', '{there}')"
    ball = next(b for b, there in goal.items() if places[b] != there)
    if places[ball] != here:
        return f"move('{here}', '{places[ball]}')"
    learned = "carry(ball, start, end)" in text
    return f"carry('{ball}', '{here}', '{goal[ball]}')" if learned else f"pick('{ball}', '{here}', 'left')"


async def speak(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answers what our prompts ask for, gripper only."""
    text = body["messages"][-1]["content"]
    if "## Your answer" not in text:  # the check before a run
        return await good("hello")(request, body)
    wanted = text.rsplit("## Your answer", 1)[1]
    if "general Python functions" in wanted:
        call = dict(zip(("ball", "start", "end"), ("ball1", "rooma", "roomb"), strict=True))
        said = CARRY.format(**call)
    elif "usage example" in wanted:
        said = "Action: carry('ball1', 'rooma', 'roomb')"
    elif "description" in wanted:
        said = "Requires: ball is in start. you are in start. left is free. Then: ball is in end."
    elif "Find out why" in wanted:
        said = "Reason: it was called from elsewhere.\nNote: Go to start before you call it."
    else:
        said = play_gripper(text)
    return await good(said)(request, body)


async def speak_slowly(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The same, each reply after a while."""
    await asyncio.sleep(0.1)
    return await speak(request, body)


@contextmanager
def serving(behaviour: Behaviour, models: list[dict[str, Any]] | None = None) -> Iterator[str]:
    """Base URL of a server in a thread of its own. `models`: its list of models; None: it has none."""
    ready, stop, urls = threading.Event(), asyncio.Event(), list[str]()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with FaultServer(always=behaviour) as server:
            server.models = models
            urls.append(server.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(600)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@pytest.fixture(scope="session")
def speaker() -> Iterator[str]:
    """A chat server that plays gripper."""
    with serving(speak) as url:
        yield url


@pytest.fixture
def slow_speaker() -> Iterator[str]:
    """The same, slowly."""
    with serving(speak_slowly) as url:
        yield url


@dataclass(frozen=True)
class Desk:
    """A folder with a finished run."""

    folder: Path
    first: Done

    @property
    def results(self) -> tuple[str, Path]:
        return ("--results", self.folder / "results")


@pytest.fixture(scope="session")
def desk(speaker: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """`learnact run job.yaml`, once for all tests that read."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "job.yaml").write_text(JOB.format(url=speaker))
    return Desk(folder, learnact_process("run", folder / "job.yaml", "--results", folder / "results"))
