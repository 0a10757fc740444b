"""Signals to a run on Ray: one drains it, so that nothing that was answered is asked again; two stop it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from learnact.results.reader import connect
from tests.chaos.test_dead_driver import Held, eventually, start
from tests.cluster.processes import processes_below
from tests.integration.test_run import answers
from tests.models.server import FaultServer

pytestmark = pytest.mark.slow


def counted(server: FaultServer) -> Counter[str]:
    return Counter(str(body) for body in server.bodies)


@pytest.mark.parametrize(
    ("number", "group"),
    [
        (signal.SIGINT, False),
        (signal.SIGINT, True),  # a terminal sends Ctrl-C to all processes of the command
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
    ],
)
async def test_one_signal_drains_and_nothing_answered_is_asked_again(
    number: signal.Signals, group: bool, tmp_path: Path
) -> None:
    held = Held()
    async with FaultServer(always=held) as server:
        driver = start(tmp_path, server.url)
        async with asyncio.timeout(600):
            await held.full.wait()
        (os.killpg if group else os.kill)(driver.pid, number)
        said = tmp_path / "said.txt"
        await eventually(lambda: "no call begins any more" in said.read_text() or driver.poll() is not None)
        held.released.set()
        assert await asyncio.to_thread(driver.wait, 600) == 128 + number, said.read_text()
        stopped = said.read_text()
        assert f"interrupted by {number.name}; the same command again continues" in stopped
        assert "stack trace" not in stopped and "Traceback" not in stopped
        answered = held.asked
        again = start(tmp_path, server.url)
        assert await asyncio.to_thread(again.wait, 600) == 0, said.read_text()
        assert max(counted(server).values()) == 1
        assert held.asked > answered
    with connect(tmp_path / "results") as connection:
        ((failures,),) = connection.execute("SELECT count(*) FROM attempts").fetchall()
        ((events,),) = connection.execute(
            "SELECT list(event ORDER BY seq) FROM events WHERE event <> 'started'"
        ).fetchall()
    assert failures == 0
    assert events[0] == "interrupted" and events[-1] == "finished"


async def test_two_signals_stop_at_once(tmp_path: Path) -> None:
    held = Held()
    async with FaultServer(always=held) as server:
        driver = start(tmp_path, server.url)
        async with asyncio.timeout(600):
            await held.full.wait()
        driver.send_signal(signal.SIGTERM)
        said = tmp_path / "said.txt"
        await eventually(lambda: "no call begins any more" in said.read_text())
        driver.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(driver.wait, 600) == 143, said.read_text()
        assert "interrupted by SIGTERM" in said.read_text() and "Traceback" not in said.read_text()
        held.released.set()


async def test_a_signal_while_ray_starts_ends_the_run_with_words(tmp_path: Path) -> None:
    """Ray puts its own handler for SIGTERM in place while it starts."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await answers()(request, body)

    async with FaultServer(always=answer) as server:
        driver = start(tmp_path, server.url)
        await eventually(lambda: bool(processes_below(driver.pid, lambda text: "/raylet " in text)))
        driver.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(driver.wait, 600)
        said = (tmp_path / "said.txt").read_text()
        assert code == 143, said
        assert "the same command again continues" in said and "stack trace" not in said, said
